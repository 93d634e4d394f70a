//! A flag wins over a variable, that over the file beside the guides, that over the user's own.

use crate::sandbox::{Run, Sandbox};

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
