//! `--explain`: every number adds up to the one it explains.

use serde_json::Value;

use crate::real_model::{real_home, with_real_model};
use crate::sandbox::{Run, Sandbox};

fn guides() -> Sandbox {
    let home = Sandbox::new();
    home.write(
        "guides/pay.md",
        "# Juniors\n\n## The first year\n\nA junior analyst earns a modest salary at first.\n",
    );
    home.write("guides/tools.md", "# Tools\n\n## Spreadsheets\n\nAnalysts keep their data in tables.\n");
    home.ok(&["index", "guides"]);
    home
}

fn sum(list: &Value, key: &str) -> f64 {
    list.as_array().expect("a list").iter().map(|part| part[key].as_f64().expect("a number")).sum()
}

#[track_caller]
fn check(found: &Value) {
    for result in found["results"].as_array().expect("a list") {
        let explain = &result["explain"];
        let near = |list: f64, whole: &Value, within: f64, name: &str| {
            let whole = whole.as_f64().expect("a number");
            assert!((list - whole).abs() < within, "{name}: {list} of {whole} in {explain:#}");
        };
        if explain["bm25"].is_number() {
            near(sum(&explain["bm25_terms"], "score"), &explain["bm25"], 1e-4, "bm25");
        }
        near(sum(&explain["cosine_of_question"], "share"), &explain["cosine"], 1e-5, "question");
        near(sum(&explain["cosine_of_passage"], "share"), &explain["cosine"], 1e-5, "passage");
        let late = explain["late_tokens"].as_array().expect("a list");
        let part = |token: &Value| Some(token["weight"].as_f64()? * token["cosine"].as_f64()?);
        near(late.iter().filter_map(part).sum(), &explain["late"], 1e-4, "late");
        let number = |key: &str| explain[key].as_f64().expect("a number");
        let legs = number("dense_weight") * number("cosine_normalized")
            + (1.0 - number("dense_weight")) * number("bm25_normalized");
        let late = number("late_weight");
        let score = number("fit") * ((1.0 - late) * legs + late * number("late_normalized"));
        near(score, &result["score"], 1e-5, "score");
    }
}

#[test]
fn scores_are_the_sums_of_their_parts() {
    let home = guides();
    check(&home.json(&["search", "salary of a junior analyst", "--explain"], 0));
    let text = home.ok(&["search", "salary of a junior analyst", "--explain"]).stdout;
    for part in ["tokens", "bm25, by words: ", "the cosine, by tokens of the question: ", "of the passage: "]
    {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
}

#[test]
fn scores_of_the_real_model_are_the_sums_of_their_parts() {
    if !with_real_model("explain") {
        return;
    }
    let home = guides();
    let built = Run::of(real_home(&mut home.command(&["index", "--rebuild"])));
    assert_eq!(built.code, 0, "{}", built.stderr);
    let question = "what does a beginner get paid?";
    let run = Run::of(real_home(&mut home.command(&["search", question, "--explain", "--json"])));
    let found: Value = serde_json::from_str(&run.stdout).expect("standard output is JSON");
    check(&found);
    // `paid` stands nowhere; `salary` answers to it.
    let matched = found["results"][0]["matched"].as_array().expect("a list");
    assert!(matched.iter().any(|word| word == "salary"), "{matched:?}");
}
