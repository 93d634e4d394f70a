//! A flag wins over a variable, that over the file beside the guides, that over the user's own.

use crate::sandbox::{Run, Sandbox};
use crate::tiny_model;

fn results(home: &Sandbox, flags: &[&str], variable: Option<&str>) -> usize {
    let mut command =
        home.command(&[&["search", "python", "--json", "--min-confidence", "0"], flags].concat());
    if let Some(limit) = variable {
        command.env("GUIDEPOST_LIMIT", limit);
    }
    let run = Run::of(&mut command);
    let value: serde_json::Value = serde_json::from_str(&run.stdout).expect("valid JSON");
    value["results"].as_array().expect("results").len()
}

#[test]
fn the_nearer_setting_wins() {
    let home = Sandbox::new();
    for name in 0..9 {
        home.write(&format!("guides/{name}.md"), format!("# Guide {name}\n\nOn python number {name}.\n"));
    }
    home.ok(&["index", "guides"]);
    assert_eq!(results(&home, &[], None), 5);
    home.write(".config/guidepost/guidepost.toml", "limit = 1\n");
    assert_eq!(results(&home, &[], None), 1);
    home.write("guides/guidepost.toml", "limit = 2\n");
    assert_eq!(results(&home, &[], None), 2);
    assert_eq!(results(&home, &[], Some("3")), 3);
    assert_eq!(results(&home, &["-n", "4"], Some("3")), 4);
}

#[test]
fn a_mode_from_a_file_is_a_mode() {
    let home = Sandbox::new();
    home.write("guides/a.md", "# A\n\nOn python.\n");
    home.ok(&["index", "guides"]);
    home.write("guides/guidepost.toml", "mode = \"bm25\"\n");
    // Words alone need no model, so another one does no harm.
    let found = home.json(&["search", "python", "--model", "./nowhere"], 0);
    assert_eq!(found["mode"], "bm25");
}

#[test]
fn json_wins_over_the_variable() {
    let home = Sandbox::new();
    let mut command = home.command(&["search", "python", "--json"]);
    let run = Run::of(command.env("GUIDEPOST_FORMAT", "csv"));
    serde_json::from_str::<serde_json::Value>(&run.stdout).expect("valid JSON");
}

#[test]
fn a_file_beside_guides_has_no_power() {
    let home = Sandbox::new();
    home.write("guides/a.md", "# A\n\nOn python.\n");
    home.write(
        "guides/guidepost.toml",
        "model = \"./evil\"\nindex = \"/tmp/stolen\"\nendpoint = \"http://x\"\n",
    );
    let run = home.ok(&["search", "python", "--guides", "guides"]);
    for key in ["model", "index", "endpoint"] {
        assert!(
            run.stderr.contains(&format!("`{key}` has no effect in a file beside guides")),
            "{}",
            run.stderr
        );
    }
    for bad in [
        "limit = \"many\"",
        "limit = 0",
        "min-confidence = 5",
        "min-confidence = nan",
        "mode = [",
        "mode = \"x\"",
    ] {
        home.write("guides/guidepost.toml", bad);
        home.run(&["search", "python"]).says(0, &["guidepost.toml", "it is ignored"]);
        home.write(".config/guidepost/guidepost.toml", bad);
        home.run(&["search", "python"]).says(2, &["guidepost.toml"]);
        home.write(".config/guidepost/guidepost.toml", "");
    }
}

/// How `index` says the model ran, with these flags, variables and this settings file.
fn model_line(flags: &[&str], variables: &[(&str, &str)], file: &str) -> String {
    let home = Sandbox::new();
    tiny_model::write(&home.path("tiny"), 7);
    home.write("guides/a.md", "# A\n\nOn apples.\n");
    home.write(".config/guidepost/guidepost.toml", file);
    let mut command = home.command(&[&["index", "guides", "--model", "./tiny", "-v"], flags].concat());
    let run = Run::of(command.envs(variables.iter().copied()));
    run.says(0, &["runs on: "]);
    run.stderr.lines().find_map(|line| line.strip_prefix("runs on: ")).unwrap_or_default().to_owned()
}

#[test]
fn precision_and_threads_follow_the_same_order() {
    #[track_caller]
    fn check(flags: &[&str], variables: &[(&str, &str)], file: &str, precision: &str, threads: &str) {
        let line = model_line(flags, variables, file);
        assert!(line.ends_with(&format!(", {precision}")), "{line}");
        assert!(line.contains(threads), "{line}");
    }
    let file = "precision = \"int8\"\nthreads = 1\n";
    let variables = [("GUIDEPOST_PRECISION", "f32"), ("GUIDEPOST_THREADS", "2")];
    check(&[], &[], "", "fast", "thread");
    check(&[], &[], file, "int8", "1 thread)");
    check(&[], &variables, file, "f32", "2 threads)");
    check(&["--precision", "fast", "--threads", "3"], &variables, file, "fast", "3 threads)");
}

#[test]
fn precisions_and_threads_that_cannot_be_are_errors() {
    let home = Sandbox::new();
    tiny_model::write(&home.path("tiny"), 7);
    for (flags, said) in [
        (["--precision", "bf16"], "precision `bf16` cannot be had on the processor"),
        (["--precision", "f64"], "use f32, fast, int8"),
        (["--threads", "0"], "a whole number from 1 to 1024"),
    ] {
        home.run(&[&["index", "--model", "./tiny"], &flags[..]].concat()).says(2, &[said]);
    }
    for (file, said) in [("threads = 0", "`threads` must be"), ("precision = \"f64\"", "use f32, fast, int8")]
    {
        home.write(".config/guidepost/guidepost.toml", file);
        home.run(&["index"]).says(2, &[said]);
    }
}

#[test]
fn an_index_keeps_to_its_precision() {
    let home = Sandbox::new();
    tiny_model::write(&home.path("tiny"), 7);
    home.write("guides/a.md", "# A\n\nOn apples.\n");
    let index = ["index", "guides", "--model", "./tiny"];
    home.ok(&[&index[..], &["--precision", "f32"]].concat());
    let search = ["search", "apples", "--model", "./tiny", "-v"];
    home.ok(&search).says(0, &["runs on: ", ", f32"]);
    home.write("guides/b.md", "# B\n\nOn pears.\n");
    home.ok(&index);
    home.run(&[&search[..], &["--precision", "fast"]].concat()).says(
        2,
        &["was made with `tiny: ", "64 tokens, f32", "not with `tiny: ", "64 tokens, fast", "--precision"],
    );
    home.ok(&[&index[..], &["--rebuild", "-v"]].concat()).says(0, &["runs on: ", ", fast"]);
}
