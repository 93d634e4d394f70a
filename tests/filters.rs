//! `--tag`, `--kind`, `--role`, `--path` and `--after`: they hold before anything is ranked.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

/// Every guide says the same of wool, so that only a filter tells them apart.
fn home() -> Sandbox {
    let home = Sandbox::new();
    let guide =
        |front: &str, title: &str| format!("---\n{front}\n---\n# {title}\n\nWool of the {title} is spun.\n");
    home.write(
        "guides/weaver.md",
        guide("kind: role\nroles: [Weaver]\ntags: [Loom, craft/cloth]\ndate: 2024-05-06", "Weaver"),
    );
    home.write("guides/dyer.md", guide("kind: role\nroles: [Dyer]\ntags: [color]\ndate: 2025-05-06", "Dyer"));
    home.write(
        "guides/skills/knots.md",
        guide("kind: skill\ntags: [craft, loom]\ndate: 2026-05-06", "Knots"),
    );
    let undated = home.write("guides/old.txt", "Old\n\nWool was spun by hand.\n");
    let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let file = std::fs::File::options().write(true).open(undated).expect("it was just written");
    file.set_modified(changed).expect("the sandbox is writable");
    // Many that would fill every ranking before a filter that comes after it.
    for number in 0..150 {
        let text = format!("# Wool {number}\n\nWool, wool, wool: wool number {number}.\n");
        home.write(&format!("guides/wool/{number}.md"), format!("---\ndate: 2001-09-09\n---\n{text}"));
    }
    home.ok(&["index", "guides"]);
    home
}

fn paths(found: &Value) -> Vec<&str> {
    let results = found["results"].as_array().expect("results");
    let mut paths: Vec<&str> = results.iter().filter_map(|hit| hit["path"].as_str()).collect();
    paths.sort_unstable();
    paths
}

#[test]
fn filters_hold_before_anything_is_ranked() {
    let home = home();
    for (flags, expected) in [
        (&["--tag", "LOOM"][..], &["guides/skills/knots.md", "guides/weaver.md"][..]),
        (&["--tag", "craft"], &["guides/skills/knots.md", "guides/weaver.md"]),
        (&["--tag", "#craft/cloth"], &["guides/weaver.md"]),
        (
            &["--tag", "loom", "--tag", "color"],
            &["guides/dyer.md", "guides/skills/knots.md", "guides/weaver.md"],
        ),
        (&["--tag", "loom", "--kind", "Role"], &["guides/weaver.md"]),
        (&["--kind", "skill"], &["guides/skills/knots.md"]),
        (&["--role", "weavers"], &["guides/weaver.md"]),
        (&["--role", "Weaver", "--role", "dyer"], &["guides/dyer.md", "guides/weaver.md"]),
        (&["--path", "guides/skills"], &["guides/skills/knots.md"]),
        (&["--path", "Weaver.md"], &["guides/weaver.md"]),
        (&["--path", "*.txt", "--path", "*k?ots*"], &["guides/old.txt", "guides/skills/knots.md"]),
        (&["--after", "2025-05-06"], &["guides/dyer.md", "guides/skills/knots.md"]),
        (&["--after", "2026"], &["guides/skills/knots.md"]),
        (&["--path", "old.txt", "--after", "2001-09-09"], &["guides/old.txt"]),
    ] {
        for mode in ["hybrid", "dense", "bm25"] {
            let mut arguments = vec!["search", "wool", "--mode", mode, "-n", "100", "--min-confidence", "0"];
            arguments.extend(flags);
            assert_eq!(paths(&home.json(&arguments, 0)), expected, "{flags:?} {mode}");
        }
    }
    let file = home.path("guides/skills");
    let on_disk = home.json(&["search", "wool", "--path", file.to_str().expect("UTF-8")], 0);
    assert_eq!(paths(&on_disk), ["guides/skills/knots.md"]);
}

#[test]
fn results_say_which_filter_held() {
    let home = home();
    let asked =
        ["ask", "is wool spun", "--tag", "Loom", "--tag", "color", "--kind", "role", "--min-confidence", "0"];
    let answer = home.json(&asked, 0);
    assert_eq!(answer["filter"], json!({"tag": ["Loom", "color"], "kind": ["role"]}));
    assert_eq!(paths(&answer), ["guides/dyer.md", "guides/weaver.md"]);
    let all = home.json(&["search", "wool"], 0);
    assert!(all["filter"].is_null(), "{all}");
}

#[test]
fn values_that_no_guide_has_are_named_with_the_closest_there_are() {
    let home = home();
    for (flag, value, said) in [
        ("--tag", "lom", &["no guide here has the tag `lom`; there are: `loom`, `color`, "][..]),
        ("--kind", "rolle", &["of the kind `rolle`; there are: `role`, `skill`"]),
        ("--role", "Diver", &["about the role `Diver`; there are: `Dyer`, `Weaver`"]),
        (
            "--path",
            "guides/weaver",
            &["no guide here has a path like `guides/weaver`; the closest of 154: `guides/weaver.md`"],
        ),
        ("--path", "*.pdf", &["no guide here has a path like `*.pdf`"]),
        ("--path", "[a", &["`[a` is no pattern of a path"]),
        ("--after", "yesterday", &["`yesterday` is no date to filter by; write it as 2026-11-21"]),
        ("--after", "2026-02-30", &["`2026-02-30` is no date"]),
        ("--tag", " ", &["the tag to filter by is empty"]),
    ] {
        for command in ["search", "ask"] {
            let run = home.run(&[command, "wool", flag, value]);
            run.says(2, said);
            assert_eq!(run.stdout, "", "{flag} {value}");
        }
    }
    let home = Sandbox::new();
    home.write("guides/a.md", "# A\n\nWool.\n");
    home.run(&["search", "wool", "--guides", "guides", "--tag", "x"])
        .says(2, &["no guide here has tags", "tags: ["]);
}

#[test]
fn a_filter_that_no_guide_fits_finds_nothing() {
    let home = home();
    let run = home.run(&["search", "wool", "--tag", "color", "--kind", "skill"]);
    run.says(1, &["no guide here fits --kind skill and --tag color"]);
    let run = home.run(&["search", "wool", "--after", "2030"]);
    run.says(1, &["no guide here fits --after 2030; the newest is of 2026-05-06"]);
    assert_eq!(paths(&home.json(&["ask", "wool", "--after", "2030"], 1)), [""; 0]);
}

#[test]
fn guides_that_ship_are_dated_by_their_front_matter() {
    let home = Sandbox::new();
    let found = home.json(&["search", "spreadsheets", "--after", "2020", "--role", "data analyst"], 0);
    assert!(paths(&found).iter().all(|path| *path == "corpus/data-analyst.md"), "{found}");
    home.run(&["search", "spreadsheets", "--after", "2999"]).says(1, &["the newest is of"]);
}
