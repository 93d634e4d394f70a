//! What five scraped guides name, against the guide and section of ours that covers it. The table stands in
//! `benches/results/coverage.md`; `GUIDEPOST_WRITE_REPORTS=1` writes it anew.

use std::collections::BTreeSet;
use std::fmt::Write;

use guidepost_text::{Document, Resource, Section, named, words};
use serde::Deserialize;

use crate::corpus::guides;
use crate::sandbox::{checkout, is_committed, read_lines};

#[derive(Debug, Deserialize)]
struct Topic {
    kind: String,
    topic: String,
    /// Other names that the scraped guides have for it.
    #[serde(default)]
    named: Vec<String>,
    /// Ours.
    guide: String,
    /// A section that covers it holds one of these.
    words: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Label {
    kind: String,
    title: String,
}

#[test]
fn every_topic_of_the_scraped_guides_is_covered() {
    let guides = guides();
    let mut table = HEAD.to_owned();
    let mut missing = String::new();
    for topic in read_lines::<Topic>("tests/fixtures/scraped/topics.jsonl") {
        let guide = guides.iter().find(|guide| guide.path == topic.guide);
        match guide.and_then(|guide| covering(guide, &topic)) {
            Some(section) => {
                let heading = section.heading_path.last().map_or("", String::as_str);
                let _ = writeln!(table, "| {} | {} | {} | {heading} |", topic.kind, topic.topic, topic.guide);
            }
            None => {
                let _ = writeln!(missing, "{} does not name the {} {}", topic.guide, topic.kind, topic.topic);
            }
        }
    }
    assert!(missing.is_empty(), "\n{missing}");
    assert!(
        is_committed(&checkout().join("benches/results/coverage.md"), &table),
        "the committed table is another: GUIDEPOST_WRITE_REPORTS=1 writes it"
    );
}

const HEAD: &str = "# What scraped guides name, and where ours cover it

Every role, skill, tool, project, book, course, certification and link that five career guides found on the web name
(`tests/fixtures/scraped/topics.jsonl`), and the section of ours that says most of it. Some of their courses and certifications never
existed under that name or are gone: there the section says so and names what there is.

```sh
GUIDEPOST_WRITE_REPORTS=1 cargo test --release --test guidepost -- coverage
```

| kind | named there | guide | section |
|---|---|---|---|
";

/// The section that names one of the words: among those where a topic of its kind belongs if there are any, the one that does so
/// in its heading, else most often; the first of those that do equally well.
fn covering<'a>(guide: &'a Document, topic: &Topic) -> Option<&'a Section> {
    let wanted: Vec<Vec<String>> = topic.words.iter().map(|wanted| words(wanted)).collect();
    let count = |text: &str| -> usize {
        let text = words(text);
        wanted
            .iter()
            .map(|wanted| text.windows(wanted.len()).filter(|place| names(place, wanted)).count())
            .sum()
    };
    let resources = named(guide).resources;
    let mut best: Option<((bool, usize, usize), &Section)> = None;
    for section in &guide.sections {
        let texts = section.blocks.iter().map(|block| &guide.text[block.span.start..block.span.end]);
        let in_heading = count(&guide.text[section.heading.start..section.heading.end]);
        let in_text: usize = texts.map(count).sum();
        let score = (belongs(topic, section, &resources), in_heading, in_text);
        if in_heading + in_text > 0 && best.is_none_or(|(best, _)| score > best) {
            best = Some((score, section));
        }
    }
    best.map(|(_, section)| section)
}

/// Books, courses, certifications and projects belong where such are listed; everything else where none are.
fn belongs(topic: &Topic, section: &Section, resources: &[Resource]) -> bool {
    let mut kinds = resources
        .iter()
        .filter(|resource| resource.heading_path == section.heading_path)
        .map(|r| r.kind.name());
    match topic.kind.as_str() {
        kind @ ("book" | "course" | "certification" | "project") => kinds.any(|listed| listed == kind),
        _ => !kinds.any(|listed| ["book", "course", "certification", "project"].contains(&listed)),
    }
}

/// Whether the words stand there; the last one may be inflected.
fn names(place: &[String], wanted: &[String]) -> bool {
    let last = wanted.len() - 1;
    place[..last] == wanted[..last]
        && place[last]
            .strip_prefix(wanted[last].as_str())
            .is_some_and(|rest| wanted[last].len() > 2 || rest.is_empty())
}

#[test]
fn every_resource_labeled_in_the_scraped_guides_is_a_topic() {
    let topics = read_lines::<Topic>("tests/fixtures/scraped/topics.jsonl");
    let known: BTreeSet<String> = topics
        .iter()
        .flat_map(|topic| topic.named.iter().chain([&topic.topic]))
        .map(|name| name.to_lowercase())
        .collect();
    let labels = read_lines::<Label>("tests/fixtures/resources/labels-shared.jsonl");
    assert!(labels.len() > 200, "{} labels", labels.len());
    let unknown: BTreeSet<String> = labels
        .iter()
        .filter(|label| !known.contains(&label.title.to_lowercase()))
        .map(|label| format!("{} {}", label.kind, label.title))
        .collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
}
