//! Models that cannot be had, and models from a folder.

use crate::sandbox::{Run, Sandbox};
use crate::tiny_model;

/// The real model's name, no hub and no pip.
fn unreachable(home: &Sandbox, args: &[&str]) -> Run {
    let mut command = home.command(args);
    command
        .env("GUIDEPOST_MODEL", "all-MiniLM-L6-v2")
        .env("HF_ENDPOINT", "http://127.0.0.1:1")
        .env("PATH", "");
    Run::of(&mut command)
}

#[test]
fn without_a_model_words_alone_answer() {
    let home = Sandbox::new();
    let first = unreachable(&home, &["search", "error budget"]);
    first.says(0, &["could not be fetched", "http://127.0.0.1:1 does not answer", "no pip is installed"]);
    assert_eq!(first.stderr.matches("searching by words alone").count(), 1, "{}", first.stderr);
    assert!(first.stdout.contains("site-reliability-engineer.md"), "{}", first.stdout);
    let second = unreachable(&home, &["search", "error budget"]);
    assert_eq!(second.stderr.lines().count(), 1, "one line, and no second attempt: {}", second.stderr);
    second.says(0, &["searching by words alone", "guidepost models pull"]);
    unreachable(&home, &["search", "error budget", "--mode", "dense"])
        .says(2, &["--mode dense needs a model"]);
    unreachable(&home, &["models", "pull"]).says(2, &["could not be fetched"]);
}

#[test]
fn offline_fetches_nothing() {
    let home = Sandbox::new();
    let flag = unreachable(&home, &["search", "error budget", "--offline"]);
    flag.says(0, &["searching by words alone"]);
    assert!(!flag.stderr.contains("does not answer"), "{}", flag.stderr);
    unreachable(&home, &["models", "pull", "--offline"]).says(2, &["fetching is switched off"]);
    let dense = Sandbox::new();
    dense.write("guides/a.md", "# A\n\nOn apples.\n");
    dense.ok(&["index", "guides"]);
    unreachable(&dense, &["index", "--offline"])
        .says(2, &["the model is not on this machine", "models pull"]);
    let fresh = Sandbox::new();
    let mut command = fresh.command(&["search", "error budget"]);
    command
        .env("GUIDEPOST_MODEL", "all-MiniLM-L6-v2")
        .env("HF_HUB_OFFLINE", "1")
        .env("HF_ENDPOINT", "http://127.0.0.1:1");
    let run = Run::of(&mut command);
    run.says(0, &["fetching is switched off", "searching by words alone"]);
    assert!(!run.stderr.contains("does not answer"), "{}", run.stderr);
}

#[test]
fn a_model_that_comes_later_is_put_to_use() {
    let home = Sandbox::new();
    unreachable(&home, &["search", "error budget"]).says(0, &["words alone"]);
    let found = home.json(&["search", "error budget"], 0);
    assert_eq!(found["mode"], "hybrid");
}

#[test]
fn a_model_that_goes_leaves_words() {
    let home = Sandbox::new();
    home.write("guides/a.md", "# A\n\nOn apples.\n");
    home.ok(&["index", "guides"]);
    let run = unreachable(&home, &["search", "apples", "--offline"]);
    run.says(0, &["searching by words alone"]);
    home.write("guides/b.md", "# B\n\nOn pears.\n");
    let run = unreachable(&home, &["search", "apples", "--offline"]);
    run.says(0, &["not searched until the model is back"]);
    let found = home.json(&["search", "pears", "-n", "1"], 0);
    assert_eq!(found["results"][0]["path"], "guides/b.md");
}

#[test]
fn a_folder_is_a_model() {
    let home = Sandbox::new();
    tiny_model::write(&home.path("tiny"), 7);
    let text: String = (0..100).map(|number| format!("Text {number} of many words. ")).collect();
    home.write("guides/a.md", format!("# A\n\n{text}\n"));
    home.write("guides/b.md", "# B\n\nShort.\n");
    let built = home.json(&["index", "guides", "--model", "./tiny"], 0);
    let passages = built["passages"].as_u64().expect("a number");
    assert!(passages > 10, "64 tokens of single letters hold little: {built}");
    let found =
        home.json(&["search", "short", "--model", "./tiny", "--mode", "dense", "--min-confidence", "0"], 0);
    assert_eq!(found["results"].as_array().map(Vec::len), Some(5));
    let status = home.json(&["status"], 0);
    let fingerprint = status["current"]["fingerprint"].as_str().expect("a text");
    assert!(
        fingerprint.starts_with("tiny: weights ") && fingerprint.contains("mean pooling, 64 tokens"),
        "{fingerprint}"
    );
}

#[test]
fn a_named_device_is_used_or_is_an_error() {
    let home = Sandbox::new();
    tiny_model::write(&home.path("tiny"), 7);
    home.write("guides/a.md", "# A\n\nOn apples.\n");
    let metal = home.run(&["index", "guides", "--model", "./tiny", "--device", "metal"]);
    metal.says(2, &["device `metal` cannot be used", "built without Metal"]);
    let cpu = home.ok(&["index", "guides", "--model", "./tiny", "-v"]);
    assert!(cpu.stderr.contains("device: cpu (built without CUDA and Metal)"), "{}", cpu.stderr);
    let asked = home.ok(&["search", "apples", "--model", "./tiny", "--device", "cpu", "-v"]);
    assert!(asked.stderr.contains("device: cpu (asked for)"), "{}", asked.stderr);
}
