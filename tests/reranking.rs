//! `--rerank`: a cross-encoder reads the best passages, and its judgment is blended into their order.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::sandbox::{Run, Sandbox};
use crate::tiny_model;

/// A home with a cross-encoder of random weights and guides that differ.
fn home() -> Sandbox {
    let home = Sandbox::new();
    tiny_model::write_reranker(&home.path("pairs"), 5);
    for (name, text) in [
        ("a", "A join puts the rows of two tables side by side."),
        ("b", "Tables are joined by keys; rows without a match are left out."),
        ("c", "Rows are what tables are made of."),
        ("d", "To join a club, pay its fee."),
        ("e", "Two tables stand in the kitchen."),
        (
            "f",
            "A left join keeps all rows of the first of its tables, matched or not, and fills up the rest.",
        ),
    ] {
        home.write(&format!("guides/{name}.md"), format!("# Guide {name}\n\n{text}\n"));
    }
    home.ok(&["index", "guides"]);
    home
}

const SEARCH: [&str; 5] = ["search", "how to join rows of tables", "--explain", "--min-confidence", "0"];

fn search(home: &Sandbox, more: &[&str]) -> Vec<Value> {
    let found = home.json(&[&SEARCH[..], &["-n", "10"], more].concat(), 0);
    found["results"].as_array().expect("results").clone()
}

#[track_caller]
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// A number of every result by the path of its guide.
fn by_path(results: &[Value], key: &str) -> BTreeMap<String, f64> {
    let pair = |hit: &Value| (hit["path"].as_str().expect("a path").to_owned(), number(&hit[key]));
    results.iter().map(pair).collect()
}

#[test]
fn the_order_is_a_blend_that_adds_up() {
    let home = home();
    let (before, after) = (search(&home, &[]), search(&home, &["--rerank", "./pairs"]));
    assert_eq!(before.len(), 6);
    assert!(before.iter().all(|hit| hit["explain"].get("rerank").is_none()), "{before:?}");
    let old_scores = by_path(&before, "score");
    let mut last = f64::INFINITY;
    for hit in &after {
        let rerank = &hit["explain"]["rerank"];
        let [logit, normalized, weight, old, old_normalized] =
            ["logit", "normalized", "weight", "before", "before_normalized"].map(|key| number(&rerank[key]));
        assert!((normalized - 1.0 / (1.0 + (-logit).exp())).abs() < 1e-5, "{rerank}");
        assert!(weight > 0.0 && weight < 0.5, "it never overrides: {rerank}");
        let score = number(&hit["score"]);
        let blend = (1.0 - weight) * old_normalized + weight * normalized;
        assert!((score - blend).abs() < 1e-5, "{score} in {rerank}");
        assert!((old - old_scores[hit["path"].as_str().expect("a path")]).abs() < 1e-6, "{rerank}");
        assert!(score <= last, "best first");
        last = score;
    }
    // What a probability stands on did not change.
    assert_eq!(by_path(&before, "confidence"), by_path(&after, "confidence"));
    assert_ne!(by_path(&before, "score"), by_path(&after, "score"));
    let text = home.ok(&[&SEARCH[..], &["--rerank", "./pairs"]].concat()).stdout;
    assert!(text.contains("  rerank ") && text.contains(", made of"), "{text}");
}

#[test]
fn words_alone_are_reranked_too() {
    let home = home();
    let hits = search(&home, &["--rerank", "./pairs", "--mode", "bm25"]);
    assert!(hits.iter().all(|hit| hit["explain"]["rerank"]["logit"].is_number()), "{hits:?}");
    let answer =
        home.json(&["ask", "how to join rows of tables", "--rerank", "./pairs", "--min-confidence", "0"], 0);
    assert!(answer["answer"]["statements"][0]["text"].is_string(), "{answer}");
}

#[test]
fn what_is_not_here_is_an_error_that_says_what_to_do() {
    let home = home();
    for (name, said) in [
        (
            "ms-marco-MiniLM-L-6-v2",
            &[
                "`ms-marco-MiniLM-L-6-v2` is not on this machine",
                "guidepost models pull ms-marco-MiniLM-L-6-v2",
            ][..],
        ),
        ("all-MiniLM-L6-v2", &["rerankers known by name: ms-marco-"]),
        ("nothing-of-the-kind", &["nothing-of-the-kind", "ms-marco-"]),
        ("./guides", &["guides"]),
    ] {
        for command in [&["search", "joins"][..], &["ask", "joins"], &["bench", "search", "--sizes", "10"]] {
            let run = home.run(&[command, &["--rerank", name]].concat());
            run.says(2, said);
            assert_eq!(run.stdout, "");
        }
    }
}

#[test]
fn none_is_used_unless_it_is_chosen() {
    let home = home();
    let is_reranked = |flags: &[&str], variable: Option<&str>| {
        let mut command = home.command(&[&SEARCH[..], &["--json"], flags].concat());
        let run = Run::of(command.envs(variable.map(|value| ("GUIDEPOST_RERANK", value))));
        run.says(0, &[]);
        run.stdout.contains("\"rerank\"")
    };
    assert!(!is_reranked(&[], None));
    // None of the registry's is here.
    assert!(!is_reranked(&["--rerank", "auto"], None));
    assert!(is_reranked(&[], Some("./pairs")));
    assert!(!is_reranked(&["--rerank", "off"], Some("./pairs")));
    home.write(".config/guidepost/guidepost.toml", "rerank = \"./pairs\"\n");
    assert!(is_reranked(&[], None));
    assert!(!is_reranked(&[], Some("off")));
    home.write(".config/guidepost/guidepost.toml", "");
    home.write("guides/guidepost.toml", "rerank = \"./pairs\"\n");
    assert!(!is_reranked(&[], None), "guides choose no model");
    tiny_model::write_reranker(&home.path("models/ms-marco-TinyBERT-L-2-v2"), 5);
    assert!(is_reranked(&["--rerank", "auto"], None));
    assert!(is_reranked(&["--rerank", "ms-marco-TinyBERT-L-2-v2"], None));
    assert!(!is_reranked(&[], None), "being here is not being chosen");
}

#[test]
fn it_is_measured_beside_the_others() {
    let home = home();
    let corpus = "{\"_id\": \"a\", \"text\": \"A join puts rows side by side.\"}\n{\"_id\": \"b\", \"text\": \"Bread.\"}\n";
    home.write("small/corpus.jsonl", corpus);
    home.write("small/queries.jsonl", "{\"_id\": \"1\", \"text\": \"join rows\"}\n");
    home.write("small/qrels.tsv", "query-id\tcorpus-id\tscore\n1\ta\t1\n");
    let eval = ["eval", "--collection", "small", "--run", "out.run", "--stage", "reranked"];
    home.run(&eval).says(2, &["`reranked` was not measured", "--rerank"]);
    let report = home.json(&[&eval[..], &["--rerank", "./pairs"]].concat(), 0);
    let stages = report["stages"].as_array().expect("stages");
    let last = stages.last().expect("stages");
    assert_eq!((&last["stage"], &last["ndcg@10"]["mean"]), (&Value::from("reranked"), &Value::from(1.0)));
    assert!(last["p50_ms"].as_f64() > stages[0]["p50_ms"].as_f64(), "{report}");
    let run = std::fs::read_to_string(home.path("out.run")).expect("it was written");
    assert!(run.starts_with("1 Q0 a 1 ") && run.contains("guidepost-reranked"), "{run}");
}
