//! `guidepost eval` on small collections, with the weightless embedder.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::sandbox::{Run, Sandbox};

/// Three documents about three things, and a query for each of the first two.
fn collection(home: &Sandbox) -> PathBuf {
    let corpus = r#"{"_id": "a/b:c", "title": "Error budgets", "text": "How much failure a service may have in a month."}
{"_id": "joins", "text": "A join puts the rows of two tables side by side."}
{"_id": "JOINS", "text": "Sourdough rises overnight in a cold kitchen."}
"#;
    let queries = r#"{"_id": "1", "text": "what is an error budget"}
{"_id": "2", "text": "put rows of tables side by side"}
{"_id": "3", "text": "nobody judged this"}
"#;
    home.write("small/corpus.jsonl", corpus);
    home.write("small/queries.jsonl", queries);
    home.write("small/qrels/test.tsv", "query-id\tcorpus-id\tscore\n1\ta/b:c\t1\n2\tjoins\t1\n");
    home.path("small")
}

fn eval(home: &Sandbox, more: &[&str]) -> Run {
    let folder = collection(home);
    let mut args = vec!["eval", "--collection", folder.to_str().expect("a path of letters")];
    args.extend(more);
    home.run(&args)
}

#[test]
fn stages_stand_side_by_side() {
    let home = Sandbox::new();
    let run = eval(&home, &["--json"]);
    run.says(0, &["asking 2 queries"]);
    let report: Value = serde_json::from_str(&run.stdout).expect("valid JSON");
    assert_eq!((&report["queries"], &report["documents"]), (&Value::from(2), &Value::from(3)));
    let stages: Vec<&str> = report["stages"]
        .as_array()
        .expect("stages")
        .iter()
        .filter_map(|stage| stage["stage"].as_str())
        .collect();
    assert_eq!(stages, ["bm25", "dense", "fused", "late"]);
    for stage in report["stages"].as_array().expect("stages") {
        for measure in ["ndcg@10", "mrr@10", "recall@10", "recall@100"] {
            assert_eq!(stage[measure]["mean"], 1.0, "{measure} of {stage}");
        }
    }
    let text = eval(&home, &[]);
    text.says(0, &[]);
    assert!(text.stdout.contains("small: 2 queries, 3 documents"), "{}", text.stdout);
    assert!(text.stdout.contains("1.00 (1.00-1.00)"), "{}", text.stdout);
}

#[test]
fn a_run_is_what_trec_eval_reads() {
    let home = Sandbox::new();
    let path = home.path("bm25.run");
    eval(&home, &["--run", path.to_str().expect("a path of letters"), "--stage", "bm25"]).says(0, &[]);
    let run = fs::read_to_string(path).expect("the run was written");
    // The identifier is the collection's own, not the file's that the document was read from.
    assert!(run.starts_with("1 Q0 a/b:c 1 "), "{run}");
    assert!(run.lines().all(|line| line.ends_with(" guidepost-bm25")), "{run}");
    assert!(run.lines().any(|line| line.starts_with("2 Q0 joins 1 ")), "{run}");
    let folder = collection(&home);
    let corpus =
        fs::read_to_string(folder.join("corpus.jsonl")).expect("a corpus").replace("JOINS", "two joins");
    fs::write(folder.join("corpus.jsonl"), corpus).expect("the sandbox is writable");
    let run = home.run(&["eval", "--collection", "small", "--run", "fused.run"]);
    run.says(2, &["a TREC run cannot name `two joins`"]);
}

#[test]
fn a_gate_decides_the_exit_code() {
    let home = Sandbox::new();
    let gate = |text: &str| {
        let path = home.write("gate.json", text);
        eval(&home, &["--json", "--gate", path.to_str().expect("a path of letters")])
    };
    gate(r#"{"fused": {"ndcg@10": 0.9}, "bm25": {"mrr@10": 0.5}}"#).says(0, &[]);
    gate(r#"{"fused": {"ndcg@10": 1.1}}"#).says(3, &["ndcg@10 of fused is 1.0000, below 1.1"]);
    gate(r#"{"fused": {"ndcg@5": 0.1}}"#)
        .says(2, &["the gate asks for ndcg@5 of fused, which was not measured"]);
    gate(r#"{"polished": {"ndcg@10": 0.1}}"#).says(2, &["is no gate", "polished"]);
}

#[test]
fn a_collection_that_cannot_be_measured_on_is_named() {
    let home = Sandbox::new();
    home.run(&["eval", "--collection", "missing"]).says(2, &["cannot read", "missing"]);
    let folder = collection(&home);
    fs::write(folder.join("qrels/test.tsv"), "1\n").expect("the sandbox is writable");
    home.run(&["eval", "--collection", "small"]).says(2, &["small", "the judgments, line 1: 1 columns"]);
}

#[test]
fn documents_that_leave_a_collection_are_forgotten() {
    let home = Sandbox::new();
    eval(&home, &["--json"]).says(0, &[]);
    let folder = collection(&home);
    let corpus = fs::read_to_string(folder.join("corpus.jsonl")).expect("a corpus");
    let shorter: String = corpus.lines().take(2).map(|line| format!("{line}\n")).collect();
    fs::write(folder.join("corpus.jsonl"), shorter).expect("the sandbox is writable");
    let report = home.json(&["eval", "--collection", "small"], 0);
    assert_eq!(report["documents"], 2);
    assert_eq!(report["passages"], 2);
}
