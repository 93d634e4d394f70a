//! `--budget-ms`: a search goes only as far as is needed and there is time. What runs is decided by estimates and by
//! evidence; where a test needs a stage to be late, it asks for less time than any model is expected to take.

use serde_json::{Value, json};

use crate::sandbox::{Run, Sandbox};
use crate::tiny_model;

/// Guides of which one answers the first question in its own words. For the second, words and vectors disagree: another guide
/// than those with the telling words shares most of the others.
fn home() -> Sandbox {
    let home = Sandbox::new();
    tiny_model::write_reranker(&home.path("pairs"), 5);
    home.write(
        "guides/budgets.md",
        "# Error budgets\n\nAn error budget is the failure that a service may have.\n",
    );
    let rules = "How do they do what they do, and why is it that it is in there? It has to be there, that is, with all of it.";
    home.write("guides/rules.md", format!("# Rules\n\n{rules}\n"));
    for number in 0..8 {
        let text = format!(
            "# Note {number}\n\nBread rises overnight in kitchen number {number}, with an error or two.\n"
        );
        home.write(&format!("guides/note{number}.md"), text);
    }
    home.ok(&["index", "guides"]);
    home
}

/// Its words stand in one guide and in no other.
const CLEAR: &str = "what is the error budget of a service";

/// Its telling words stand in several guides alike. Long, so that no model is expected to be over in a millisecond.
const UNCLEAR: &str = "how do they do what they do with the bread that is in there, and why is it that it has to be there \
    with all of the other, that is to be there overnight, before they can do more with it";

fn outcomes(found: &Value) -> Vec<(&str, &str)> {
    let stages = found["stages"].as_array().expect("stages");
    stages
        .iter()
        .map(|stage| (stage["stage"].as_str().expect("a name"), stage["outcome"].as_str().expect("a text")))
        .collect()
}

#[test]
fn stages_run_while_they_are_needed_and_there_is_time() {
    let home = home();
    let all = ["--rerank", "./pairs", "--min-confidence", "0"];
    for (question, budget, mode, expected) in [
        (CLEAR, "60000", "bm25", &["not needed", "not needed"][..]),
        (UNCLEAR, "60000", "hybrid", &["ran", "ran", "ran"]),
        (UNCLEAR, "1", "bm25", &["no time", "no time"]),
    ] {
        for command in ["search", "ask"] {
            let args =
                [&[command, question, "--budget-ms", budget, "--json", "--guides", "guides"], &all[..]]
                    .concat();
            let run = Run::of(&mut home.command(&args));
            let found: Value = serde_json::from_str(&run.stdout).expect("valid JSON");
            let stages = ["hybrid", "late", "rerank"];
            // Without the model's pass there are no tokens to hold against a passage's.
            let later = if expected.len() == 2 { vec![stages[0], stages[2]] } else { stages.to_vec() };
            let expected: Vec<(&str, &str)> = [("bm25", "ran")]
                .into_iter()
                .chain(later.into_iter().zip(expected.iter().copied()))
                .collect();
            assert_eq!(outcomes(&found), expected, "{question}");
            assert_eq!(found["mode"], mode, "what really searched: {found}");
            for stage in found["stages"].as_array().expect("stages") {
                assert_eq!(stage["ms"].is_number(), stage["outcome"] != "not needed", "{stage}");
            }
        }
    }
}

#[test]
fn without_a_budget_nothing_changes() {
    let home = home();
    let search = |more: &[&str]| {
        let mut found = home.json(&[&["search", UNCLEAR, "--min-confidence", "0"], more].concat(), 0);
        found["took_ms"] = json!(0);
        found
    };
    let (free, mut ample) = (search(&[]), search(&["--budget-ms", "60000"]));
    assert!(free.get("stages").is_none(), "{free}");
    ample.as_object_mut().expect("an object").remove("stages");
    assert_eq!(free, ample);
    // What words alone find is what words alone find, whoever decided that they are enough.
    let (words, mut clear) = (
        home.json(&["search", CLEAR, "--mode", "bm25"], 0),
        home.json(&["search", CLEAR, "--budget-ms", "60000"], 0),
    );
    clear.as_object_mut().expect("an object").remove("stages");
    assert_eq!(words["results"], clear["results"]);
}

#[test]
fn meaning_alone_has_nothing_to_fall_back_on() {
    let home = home();
    let found =
        home.json(&["search", UNCLEAR, "--mode", "dense", "--budget-ms", "1", "--min-confidence", "0"], 0);
    assert_eq!(outcomes(&found)[0], ("hybrid", "ran"));
}

#[test]
fn a_budget_is_a_setting() {
    let home = home();
    let stages = |flags: &[&str], variable: Option<&str>| {
        let mut command = home.command(&[&["search", CLEAR, "-v"], flags].concat());
        let run = Run::of(command.envs(variable.map(|value| ("GUIDEPOST_BUDGET_MS", value))));
        (run.code, run.stderr)
    };
    assert!(!stages(&[], None).1.contains("stage: "));
    for (code, said) in [stages(&["--budget-ms", "50"], None), stages(&[], Some("50"))] {
        assert!(
            code == 0 && said.contains("stage: bm25 ran (") && said.contains("stage: hybrid not needed"),
            "{said}"
        );
    }
    home.write(".config/guidepost/guidepost.toml", "budget-ms = 50\n");
    assert!(stages(&[], None).1.contains("stage: hybrid not needed"));
    for (flags, said) in
        [(["--budget-ms", "0"], "from 1 to 60000"), (["--budget-ms", "soon"], "from 1 to 60000")]
    {
        let (code, error) = stages(&flags, None);
        assert!(code == 2 && error.contains(said), "{error}");
    }
    home.write(".config/guidepost/guidepost.toml", "budget-ms = 0\n");
    let (code, error) = stages(&[], None);
    assert!(code == 2 && error.contains("`budget-ms` must be a whole number from 1 to 60000"), "{error}");
}
