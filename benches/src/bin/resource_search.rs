//! Searching resources: how often a right one is first, or among the first three, for each share of a resource's own
//! words in its score.
//!
//!     cargo run --release -p guidepost-benches --bin resource_search

use guidepost_benches::{Shipped, load_model, percent_interval};
use guidepost_query::{Mode, Question, SearchOptions, Wanted, catalog, find_resources, kinds_asked, search};
use guidepost_text::ResourceKind;
use serde::Deserialize;

const QUESTIONS: &str = include_str!("../../resource_questions.jsonl");

/// Passages that are searched for resources, as the program does.
const PASSAGES: usize = 50;

#[derive(Deserialize)]
struct Judged {
    question: String,
    expected: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    kind: ResourceKind,
    title: String,
}

#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn main() -> anyhow::Result<()> {
    let model = load_model()?;
    let shipped = Shipped::open(&model)?;
    let snapshot = &shipped.snapshot;
    let catalog = catalog(&snapshot.names()?);
    let judged: Result<Vec<Judged>, _> = QUESTIONS.lines().map(serde_json::from_str).collect();
    let judged = judged?;
    println!(
        "| share of own words | questions | first, 95 % interval | among the first three, 95 % interval |"
    );
    println!("|---|---|---|---|");
    for own_words in [0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0] {
        let (mut first, mut third) = (Vec::new(), Vec::new());
        for judged in &judged {
            let (kinds, left) = kinds_asked(&Question::new(&judged.question)?);
            let left = match left {
                Some(left) => left,
                None => Question::new(&judged.question)?,
            };
            let options = SearchOptions { limit: PASSAGES, mode: Mode::Hybrid, min_confidence: 0.0 };
            let hits = search(snapshot, Some(&model), &left, options)?;
            let kinds = if kinds.is_empty() { ResourceKind::ALL[..4].to_vec() } else { kinds };
            let wanted = Wanted { kinds: &kinds, serves: None, question: Some((&left, &hits)), own_words };
            let found = find_resources(snapshot, &catalog, wanted);
            let right: Vec<bool> = found
                .iter()
                .take(3)
                .map(|found| {
                    let entry = found.entry;
                    judged.expected.iter().any(|expected| {
                        let titles =
                            entry.mentions.iter().map(|mention| mention.resource.title.to_lowercase());
                        expected.kind == entry.kind
                            && titles.into_iter().any(|title| title == expected.title.to_lowercase())
                    })
                })
                .collect();
            first.push(f64::from(u8::from(right.first() == Some(&true))));
            third.push(f64::from(u8::from(right.contains(&true))));
        }
        println!(
            "| {own_words:.1} | {} | {} | {} |",
            first.len(),
            percent_interval(&first),
            percent_interval(&third)
        );
    }
    Ok(())
}
