//! `guidepost bench`: everything is there, finite and where it belongs. Nothing here looks at how long anything took.

use serde_json::Value;

use crate::sandbox::{Run, Sandbox};
use crate::tiny_model;

/// A home with a tiny model and a few guides.
fn home() -> Sandbox {
    let home = Sandbox::new();
    tiny_model::write(&home.path("tiny"), 7);
    for name in ["apples", "pears", "plums"] {
        let text = format!("# On {name}\n\n{}\n", format!("A text on {name}, of many words. ").repeat(20));
        home.write(&format!("guides/{name}.md"), text);
    }
    home
}

const EMBED: [&str; 7] = ["bench", "embed", "--quick", "--model", "./tiny", "--texts", "guides"];

/// Every number in the value is finite: others would be `null` in JSON. Only the keys given may be `null`.
#[track_caller]
fn check_numbers(value: &Value, may_be_null: &[&str]) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                assert!(!value.is_null() || may_be_null.contains(&key.as_str()), "`{key}` is null");
                check_numbers(value, may_be_null);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| check_numbers(value, may_be_null)),
        Value::Null if may_be_null.is_empty() => panic!("null in a list"),
        _ => {}
    }
}

/// Elements close in the order in which they opened, and these texts are there.
#[track_caller]
fn check_svg(text: &str, labels: &[&str]) {
    let mut open = Vec::new();
    for tag in text.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').expect("every tag ends");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        let name = tag.split([' ', '\n', '/']).find(|part| !part.is_empty()).expect("a tag has a name");
        match (tag.starts_with('/'), tag.ends_with('/')) {
            (true, _) => assert_eq!(open.pop(), Some(name)),
            (false, false) => open.push(name),
            (false, true) => {}
        }
    }
    assert_eq!(open, Vec::<&str>::new());
    assert!(text.starts_with("<svg"), "{text}");
    for label in labels {
        assert!(text.contains(label), "no `{label}` in: {text}");
    }
}

#[track_caller]
fn check_table(text: &str, titles: &[&str]) {
    for title in titles {
        assert!(text.contains(title), "no `{title}` in: {text}");
    }
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "{line}");
        assert!(!line.contains('\u{1b}'), "{line}");
    }
}

#[test]
fn embedding_is_measured_in_full() {
    let home = home();
    let report = home.json(&[&EMBED[..], &["--threads", "1,2", "--batch", "1,4"]].concat(), 0);
    check_numbers(&report, &["processor", "peak_resident_bytes"]);
    assert_eq!(report["schema_version"], 1);
    assert_eq!(report["command"], "bench embed");
    for key in ["processor", "cores", "instructions", "system", "guidepost"] {
        assert!(report["machine"].get(key).is_some(), "{report}");
    }
    let rows = report["configurations"].as_array().expect("a list");
    assert_eq!(rows.len(), 6, "three precisions, two numbers of threads");
    for row in rows {
        let (precision, threads) = (row["precision"].as_str().expect("text"), row["threads"].as_u64());
        let description = row["description"].as_str().expect("text");
        let plural = if threads == Some(1) { "" } else { "s" };
        let used = format!("{} thread{plural}), {precision}", threads.expect("a number"));
        assert!(description.starts_with("cpu (") && description.ends_with(&used), "{description}");
        assert!(
            row["fingerprint"].as_str().is_some_and(|line| line.contains(&format!(" tokens, {precision}"))),
            "{row}"
        );
        for speed in [&row["natural"], &row["batches"][0], &row["batches"][1], &row["lengths"][0]] {
            assert!(speed["tokens_per_second"].as_f64().is_some_and(|rate| rate > 0.0), "{speed}");
            assert!(speed["share_of_peak"].as_f64().is_some_and(|share| share > 0.0), "{speed}");
            assert_eq!(speed["seconds"].as_array().map(Vec::len), Some(1));
        }
        assert_eq!(row["lengths"].as_array().map(Vec::len), Some(1), "the model takes 64 tokens: {row}");
        assert_eq!(row["lengths"][0]["length"], 32);
        assert!(row["question"]["all_ms"].as_array().is_some_and(|all| all.len() >= 100));
        assert_eq!(row["phases"]["padding"], 0.0);
        let parity = &row["parity"];
        let least = if precision == "f32" { 1.0 } else { 0.9 };
        assert!(parity["cosine_min"].as_f64().is_some_and(|cosine| cosine >= least - 1e-9), "{row}");
        if precision == "f32" {
            assert!(parity["top10_overlap"].as_f64().is_some_and(|share| share >= 0.99), "{row}");
        }
    }
    assert_eq!(report["overtaking"].as_array().map(Vec::len), Some(0));
}

#[test]
fn what_is_named_is_measured_or_is_an_error() {
    let home = home();
    let built_with_cuda = cfg!(feature = "cuda");
    for (flags, said) in [
        (&["--device", "cpu,cuda"][..], "built without CUDA"),
        (&["--device", "cpu", "--precision", "f32,bf16"], "precision `bf16` cannot be had on cpu"),
        (&["--precision", "f64"], "use f32, fast, int8"),
        (&["--instructions", "mmx"], "cannot run `mmx`"),
        (&["--batch", "0"], "a whole number from 1"),
        (&["--model", "hash"], "no weights to measure"),
        (&["--texts", "nowhere"], "no folder of guides"),
    ] {
        if said.contains("CUDA") && built_with_cuda {
            continue;
        }
        let base: Vec<&str> = match flags[0] {
            "--model" => vec!["bench", "embed", "--quick"],
            "--texts" => EMBED[..5].to_vec(),
            _ => EMBED.to_vec(),
        };
        let run = home.run(&[&base[..], flags].concat());
        run.says(2, &[said]);
        assert_eq!(run.stdout, "");
    }
    home.write("empty/readme", "nothing");
    let empty = ["bench", "embed", "--quick", "--model", "./tiny", "--texts", "empty"];
    home.run(&empty).says(2, &["no guides to measure with in `empty`"]);
}

#[test]
fn tables_fit_and_plots_are_drawn() {
    let home = home();
    let run = home.ok(&[&EMBED[..], &["--precision", "f32,fast", "--svg", "embed.svg"]].concat());
    let titles = ["What really ran", "Throughput", "One question", "Where the time goes", "How close"];
    check_table(&run.stdout, &titles);
    let picture = std::fs::read_to_string(home.path("embed.svg")).expect("it is there");
    check_svg(&picture, &["texts per call", "tokens per second", "tiny on cpu", "cpu fast, "]);
    home.run(&[&EMBED[..], &["--svg", "nowhere/embed.svg"]].concat()).says(2, &["cannot be written"]);
}

#[test]
fn searching_is_measured_in_full() {
    let home = home();
    home.ok(&["index", "guides", "--model", "./tiny"]);
    let search = ["bench", "search", "--model", "./tiny", "--sizes", "200", "--rounds", "1"];
    let report = home.json(&[&search[..], &["--svg", "search.svg"]].concat(), 0);
    check_numbers(&report, &["processor", "peak_resident_bytes", "rerank"]);
    let rows = report["indexes"].as_array().expect("a list");
    let names: Vec<_> = rows.iter().map(|row| row["name"].as_str().expect("text")).collect();
    assert_eq!(names, ["this index", "synthetic"]);
    assert_eq!(rows[1]["passages"], 200);
    let questions = report["questions"].as_u64().map(|number| number as usize);
    for row in rows {
        assert!(row["rerank"].is_null(), "{row}");
        for stage in ["embed", "bm25", "dense", "late", "rest", "total", "exact_scan"] {
            assert_eq!(row[stage]["all_ms"].as_array().map(Vec::len), questions, "{stage}");
        }
        assert_eq!(row["recall_at_10"], 1.0, "so few are all looked at");
    }
    let picture = std::fs::read_to_string(home.path("search.svg")).expect("it is there");
    check_svg(&picture, &["passages in the index", "milliseconds", "whole search"]);
    let run = home.ok(&search);
    check_table(&run.stdout, &["A whole search", "Stage by stage", "200 passages"]);
    assert!(!run.stdout.contains("pairs"), "{}", run.stdout);
    tiny_model::write_reranker(&home.path("pairs"), 3);
    let with_pairs = [&search[..], &["--rerank", "./pairs"]].concat();
    let report = home.json(&with_pairs, 0);
    for row in report["indexes"].as_array().expect("a list") {
        assert_eq!(row["rerank"]["all_ms"].as_array().map(Vec::len), questions, "{row}");
    }
    check_table(&home.ok(&with_pairs).stdout, &["pairs"]);
}

#[test]
fn searching_without_a_model_cannot_be_measured() {
    let home = home();
    let mut command = home.command(&["bench", "search", "--offline", "--model", "all-MiniLM-L6-v2"]);
    command.env("HF_HOME", home.path("hub"));
    Run::of(&mut command).says(2, &["no model to measure with"]);
}
