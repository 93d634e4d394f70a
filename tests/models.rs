//! Models that cannot be had, and models from a folder.

use std::fs;
use std::path::Path;

use crate::sandbox::{Run, Sandbox};
use crate::{local_hub, tiny_model};

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
fn words_answer_while_the_guides_are_out_of_reach_of_a_model_that_has_come() {
    let home = Sandbox::new();
    home.write("guides/a.md", "# A\n\nOn apples.\n");
    unreachable(&home, &["index", "guides", "--offline"]).says(0, &["words alone"]);
    fs::rename(home.path("guides"), home.path("away")).expect("it is there");
    let found = home.ok(&["search", "apples"]);
    found.says(0, &["no folder of guides at"]);
    assert!(found.stdout.contains("guides/a.md"), "{}", found.stdout);
    fs::rename(home.path("away"), home.path("guides")).expect("it is there");
    assert_eq!(home.json(&["search", "apples"], 0)["mode"], "hybrid");
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

/// Runs with a hub of our own and without pip.
fn with_hub(home: &Sandbox, hub: &str, args: &[&str]) -> Run {
    let mut command = home.command(args);
    for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(proxy);
    }
    command.env("HF_ENDPOINT", hub).env("PATH", "").env_remove("GUIDEPOST_MODEL");
    Run::of(&mut command)
}

/// Every file of that name below a folder.
fn files_named(folder: &Path, name: &str) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let below = |path: std::path::PathBuf| {
        if path.is_dir() { files_named(&path, name) } else { vec![path] }
    };
    entries.flat_map(below).filter(|path| path.ends_with(name)).collect()
}

#[test]
fn a_model_without_known_digests_is_recorded_and_checked_ever_after() {
    let (home, hub) = (Sandbox::new(), Sandbox::new());
    tiny_model::write(&hub.path("model"), 7);
    let address = local_hub::serve(hub.path("model"));
    home.write("guides/a.md", "# A\n\nOn apples.\n");
    let args = ["index", "guides", "--model", "all-MiniLM-L12-v2"];
    with_hub(&home, &address, &args)
        .says(0, &["no digests of all files of all-MiniLM-L12-v2 are known", "were recorded"]);
    let record = files_named(&home.path(".cache"), "all-MiniLM-L12-v2.sha256").remove(0);
    let lines = fs::read_to_string(&record).expect("the record");
    assert!(lines.lines().count() == 6 && lines.contains("  1_Pooling/config.json"), "{lines}");
    let nowhere = "http://127.0.0.1:1";
    let again = with_hub(&home, nowhere, &["models", "pull", "all-minilm-l12-v2"]);
    again.says(0, &[]);
    assert!(
        again.stdout.contains("as recorded") && again.stderr.is_empty(),
        "{}{}",
        again.stdout,
        again.stderr
    );

    let weights = files_named(&home.path(".cache"), "model.safetensors").remove(0);
    tiny_model::write(&hub.path("other"), 8);
    fs::copy(hub.path("other/model.safetensors"), weights).expect("writable");
    let record = record.display().to_string();
    let search = ["search", "apples", "--model", "all-MiniLM-L12-v2"];
    for args in [&search[..], &["models", "pull", "all-MiniLM-L12-v2", "--offline"]] {
        with_hub(&home, nowhere, args).says(2, &["model.safetensors` has changed", "remove `", &record]);
    }
    fs::remove_file(&record).expect("writable");
    with_hub(&home, nowhere, &["models", "pull", "all-MiniLM-L12-v2", "--offline"])
        .says(0, &["were recorded"]);
    with_hub(&home, nowhere, &search).says(2, &["--rebuild"]);
}

#[test]
fn a_model_whose_digests_are_known_is_refused_when_it_differs() {
    let (home, hub) = (Sandbox::new(), Sandbox::new());
    tiny_model::write(&hub.path("model"), 7);
    let address = local_hub::serve(hub.path("model"));
    let pull = with_hub(&home, &address, &["models", "pull", "bge-small-en-v1.5"]);
    pull.says(2, &["could not be fetched"]);
    assert!(files_named(&home.path(".cache"), "bge-small-en-v1.5.sha256").is_empty());
    home.write("models/gte-small/model.safetensors", "not the weights");
    home.write("models/gte-small/tokenizer.json", "{}");
    with_hub(&home, &address, &["models", "pull", "gte-small"]).says(2, &["is damaged", "9a1eb90b"]);
}

#[test]
fn language_models_are_listed_and_pulled_and_only_as_pinned() {
    let (home, hub) = (Sandbox::new(), Sandbox::new());
    let list = home.ok(&["models", "list"]).stdout;
    for line in [
        "Qwen2.5-1.5B-Instruct  Apache-2.0  language model  1117 MB  not on this machine",
        "Llama-3.2-1B-Instruct  LicenseRef-Llama-3.2-Community  language model  808 MB",
    ] {
        assert!(list.contains(line), "{line}: {list}");
    }
    let listed: serde_json::Value =
        serde_json::from_str(&home.ok(&["models", "list", "--json"]).stdout).expect("valid JSON");
    let models = listed["models"].as_array().expect("a list");
    let small = models.iter().find(|model| model["name"] == "Qwen2.5-0.5B-Instruct").expect("it is listed");
    assert_eq!((&small["kind"], &small["pinned"]), (&"language model".into(), &true.into()), "{small}");
    hub.write("model/qwen2.5-0.5b-instruct-q4_k_m.gguf", "not the weights");
    let address = local_hub::serve(hub.path("model"));
    let pull = with_hub(&home, &address, &["models", "pull", "qwen2.5-0.5b-instruct"]);
    pull.says(2, &["could not be fetched: the hub: what came is not what is pinned"]);
    let absent = with_hub(&home, &address, &["models", "pull", "Qwen3-1.7B"]);
    absent.says(2, &["does not answer: http status: 404"]);
    let embed = with_hub(&home, &address, &["search", "apples", "--model", "Qwen3-1.7B"]);
    embed.says(2, &["is a language model; embedders known by name: all-MiniLM-L6-v2, "]);
    home.write("models/Qwen2.5-0.5B-Instruct/qwen2.5-0.5b-instruct-q4_k_m.gguf", "other weights");
    with_hub(&home, &address, &["models", "pull", "Qwen2.5-0.5B-Instruct"])
        .says(2, &["could not be fetched"]);
    with_hub(&home, &address, &["models", "pull", "Qwen2.5-0.5B-Instruct", "--offline"])
        .says(2, &["is damaged: its SHA-256 is", "expected 74a4da8c"]);
}

#[test]
fn rerankers_are_listed_and_pulled_and_do_not_embed() {
    let (home, hub) = (Sandbox::new(), Sandbox::new());
    for name in ["config.json", "tokenizer_config.json", "tokenizer.json", "model.safetensors"] {
        hub.write(&format!("model/{name}"), "{}");
    }
    let address = local_hub::serve(hub.path("model"));
    let list = home.ok(&["models", "list"]).stdout;
    assert!(
        list.contains("ms-marco-MiniLM-L-6-v2  Apache-2.0  reranker  92 MB  not on this machine"),
        "{list}"
    );
    let name = "ms-marco-TinyBERT-L-2-v2";
    let embed = with_hub(&home, &address, &["search", "apples", "--model", name]);
    embed.says(2, &["is a reranker; embedders known by name: all-MiniLM-L6-v2, "]);
    with_hub(&home, &address, &["models", "pull", name]).says(0, &["were recorded"]);
    let listed: serde_json::Value =
        serde_json::from_str(&home.ok(&["models", "list", "--json"]).stdout).expect("valid JSON");
    let models = listed["models"].as_array().expect("a list");
    let tiny = models.iter().find(|model| model["name"] == name).expect("it is listed");
    assert_eq!((&tiny["kind"], &tiny["here"]), (&"reranker".into(), &true.into()), "{tiny}");
    assert_eq!(models.iter().filter(|model| model["here"] == true).count(), 1);
}
