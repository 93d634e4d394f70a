//! Searching resources: how often a right one is first, or among the first three, for each share of a resource's own
//! words in its score.
//!
//!     cargo run --release -p guidepost-benches --bin resource_search
//!
//! `--pool` prints instead what was found and is not among the resources that are judged to answer.

use guidepost_benches::shipped::Shipped;
use guidepost_benches::{load_model, percent_interval};
use guidepost_index::Snapshot;
use guidepost_model::SentenceTransformer;
use guidepost_query::{
    CatalogEntry, Means, Mode, Question, SearchOptions, Wanted, catalog, find_resources, kinds_asked, search,
};
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

impl Judged {
    fn is_answered_by(&self, entry: &CatalogEntry) -> bool {
        let titled = |title: &str| {
            entry.mentions.iter().any(|mention| mention.resource.title.to_lowercase() == title.to_lowercase())
        };
        self.expected.iter().any(|expected| expected.kind == entry.kind && titled(&expected.title))
    }
}

const SHARES: [f32; 9] = [0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

/// Results that are looked at.
const LIMIT: usize = 3;

#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn main() -> anyhow::Result<()> {
    let model = load_model()?;
    let shipped = Shipped::open(&model)?;
    let catalog = catalog(shipped.snapshot.names()?);
    let judged: Result<Vec<Judged>, _> = QUESTIONS.lines().map(serde_json::from_str).collect();
    let judged = judged?;
    if std::env::args().any(|argument| argument == "--pool") {
        for judged in &judged {
            print_pool(judged, &pool(judged, &shipped.snapshot, &model, &catalog)?);
        }
        return Ok(());
    }
    println!(
        "| share of own words | questions | first, 95 % interval | among the first three, 95 % interval |"
    );
    println!("|---|---|---|---|");
    for own_words in SHARES {
        let (mut first, mut third) = (Vec::new(), Vec::new());
        for judged in &judged {
            let found = find(judged, &shipped.snapshot, &model, &catalog, own_words)?;
            let right: Vec<bool> = found.iter().map(|entry| judged.is_answered_by(entry)).collect();
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

/// The first resources to a question, as the program finds them.
fn find<'a>(
    judged: &Judged,
    snapshot: &Snapshot,
    model: &SentenceTransformer,
    catalog: &'a [CatalogEntry],
    own_words: f32,
) -> anyhow::Result<Vec<&'a CatalogEntry>> {
    let (kinds, left) = kinds_asked(&Question::new(&judged.question)?);
    let left = match left {
        Some(left) => left,
        None => Question::new(&judged.question)?,
    };
    let options = SearchOptions::all(PASSAGES, Mode::Hybrid);
    let hits = search(snapshot, Means::of(Some(model)), &left, options)?.hits;
    let kinds = if kinds.is_empty() { ResourceKind::ALL[..4].to_vec() } else { kinds };
    let wanted = Wanted { kinds: &kinds, serves: None, question: Some((&left, &hits)), own_words };
    Ok(find_resources(snapshot, catalog, wanted).iter().take(LIMIT).map(|found| found.entry).collect())
}

/// What any share finds and nobody has judged to answer: to be looked at when guides were added.
fn pool<'a>(
    judged: &Judged,
    snapshot: &Snapshot,
    model: &SentenceTransformer,
    catalog: &'a [CatalogEntry],
) -> anyhow::Result<Vec<&'a CatalogEntry>> {
    let mut pool: Vec<&CatalogEntry> = Vec::new();
    for own_words in SHARES {
        for entry in find(judged, snapshot, model, catalog, own_words)? {
            if !judged.is_answered_by(entry) && !pool.contains(&entry) {
                pool.push(entry);
            }
        }
    }
    Ok(pool)
}

#[expect(clippy::print_stdout, reason = "what is to be judged")]
fn print_pool(judged: &Judged, pool: &[&CatalogEntry]) {
    println!("\n# {}", judged.question);
    for entry in pool {
        println!("- {} | {} | {}", entry.kind.name(), entry.title, entry.by.as_deref().unwrap_or_default());
        for mention in &entry.mentions {
            println!(
                "    {}: {}",
                mention.resource.serves,
                mention.resource.about.as_deref().unwrap_or_default()
            );
        }
    }
}
