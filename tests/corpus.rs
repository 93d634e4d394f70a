//! The guides that ship, and the questions about them: complete, linked, in words of their own, readable, spelled right.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::ops::RangeInclusive;

use guidepost_text::{BlockKind, Document, ResourceKind, Section, named, read_document, sentences, words};
use pulldown_cmark::{Event, Parser, Tag};
use serde::Deserialize;

use crate::sandbox::{checkout, read_lines};

/// Words of a guide's body, without code.
const LENGTH: RangeInclusive<usize> = 700..=1_500;

/// School grade by the Coleman-Liau index: 0.0588 L - 0.296 S - 15.8, with L letters and S sentences in 100 words.
const GRADE: RangeInclusive<f64> = 6.0..=12.0;

/// Words from which two equal sentences are no accident.
const TELLING: usize = 8;

/// Links to other guides, at least.
const SIBLINGS: usize = 3;

/// Every guide, in the order of their names.
pub(crate) fn guides() -> Vec<Document> {
    let mut guides: Vec<Document> = fs::read_dir(checkout().join("corpus"))
        .expect("the guides are there")
        .flatten()
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .filter(|(name, _)| name.ends_with(".md") && name != "README.md")
        .map(|(name, path)| read_document(&name, &fs::read(path).expect("a guide")))
        .collect();
    guides.sort_by(|a, b| a.path.cmp(&b.path));
    guides
}

/// Checks every guide, and fails with all that is wrong.
#[track_caller]
fn check(findings: impl Fn(&Document) -> Vec<String>) {
    let mut all = String::new();
    for guide in guides() {
        for finding in findings(&guide) {
            let _ = writeln!(all, "{}: {finding}", guide.path);
        }
    }
    assert!(all.is_empty(), "\n{all}");
}

/// The text of all blocks of some kinds, each with the words in it.
fn blocks<'a>(guide: &'a Document, kinds: &'a [BlockKind]) -> impl Iterator<Item = &'a str> {
    let blocks = guide.sections.iter().flat_map(|section| &section.blocks);
    blocks
        .filter(|block| kinds.contains(&block.kind))
        .map(|block| &guide.text[block.span.start..block.span.end])
}

const PROSE: [BlockKind; 3] = [BlockKind::Text, BlockKind::ListItem, BlockKind::Table];

#[test]
fn there_are_about_sixty_guides_and_every_one_is_read_without_a_warning() {
    assert!(guides().len() >= 50, "{}", guides().len());
    check(|guide| guide.warnings.clone());
}

#[test]
fn front_matter_is_complete() {
    check(|guide| {
        let about = &guide.metadata;
        let kind = about.kind.as_deref().is_some_and(|kind| ["role", "skill", "path"].contains(&kind));
        let levels = ["beginner", "intermediate", "advanced", "senior"];
        let level =
            about.level.as_deref().is_some_and(|level| level.split(" to ").all(|l| levels.contains(&l)));
        let digits = |part: &str, count| part.len() == count && part.bytes().all(|b| b.is_ascii_digit());
        let updated = about.date.as_deref().is_some_and(|date| {
            let parts: Vec<&str> = date.split('-').collect();
            parts.len() == 3 && digits(parts[0], 4) && digits(parts[1], 2) && digits(parts[2], 2)
        });
        let first = guide.sections.iter().find(|section| section.level == 1);
        let headed = first.and_then(|section| section.heading_path.last()).is_some();
        [
            ("kind", kind),
            ("roles", !about.roles.is_empty()),
            ("skills", about.skills.len() >= 3),
            ("tags", about.tags.len() >= 3),
            ("level", level),
            ("updated", updated && guide.text.contains("\nupdated: ")),
            ("title as a heading", headed),
        ]
        .iter()
        .filter(|(_, complete)| !complete)
        .map(|(field, _)| (*field).to_owned())
        .collect()
    });
}

#[test]
fn links_lead_to_guides_and_every_guide_is_linked() {
    let all = guides();
    let names: BTreeSet<&str> = all.iter().map(|guide| guide.path.as_str()).collect();
    let mut linked = BTreeMap::new();
    for guide in &all {
        linked.insert(guide.path.as_str(), siblings(guide));
    }
    check(|guide| {
        let links = &linked[guide.path.as_str()];
        let mut findings: Vec<String> = links
            .iter()
            .filter(|link| !names.contains(link.as_str()))
            .map(|link| format!("leads to {link}"))
            .collect();
        if links.len() < SIBLINGS {
            findings.push(format!("{} siblings", links.len()));
        }
        let reached = linked.iter().any(|(from, links)| *from != guide.path && links.contains(&guide.path));
        if !reached {
            findings.push("no other guide leads here".to_owned());
        }
        findings
    });
}

/// Where the relative links of a guide lead.
fn siblings(guide: &Document) -> BTreeSet<String> {
    let links = Parser::new(&guide.text).filter_map(|event| match event {
        Event::Start(Tag::Link { dest_url, .. }) => Some(dest_url.into_string()),
        _ => None,
    });
    links.filter(|link| !link.contains("://")).collect()
}

/// Providers that stand in the name of what they certify or teach.
const PROVIDERS: [&str; 14] = [
    "AWS",
    "Azure",
    "Cisco",
    "CompTIA",
    "Confluent",
    "Databricks",
    "GitHub",
    "Google",
    "IBM",
    "Microsoft",
    "MongoDB",
    "NVIDIA",
    "Salesforce",
    "HashiCorp",
];

#[test]
fn every_resource_says_who_made_it() {
    check(|guide| {
        let resources = named(guide).resources;
        let made =
            |kind| matches!(kind, ResourceKind::Book | ResourceKind::Course | ResourceKind::Certification);
        let anonymous = resources.iter().filter(|resource| {
            let in_its_name = PROVIDERS.iter().any(|provider| resource.title.contains(provider));
            made(resource.kind) && resource.by.is_none() && !in_its_name
        });
        let mut findings: Vec<String> = anonymous
            .map(|r| format!("line {}: {:?} `{}` is nobody's", r.lines.first, r.kind, r.title))
            .collect();
        for (kind, least) in [(ResourceKind::Project, 3), (ResourceKind::Book, 2), (ResourceKind::Course, 1)]
        {
            let count = resources.iter().filter(|resource| resource.kind == kind).count();
            if count < least {
                findings.push(format!("{count} of {kind:?}"));
            }
        }
        findings
    });
}

#[test]
fn no_two_guides_share_a_paragraph_or_a_sentence() {
    let mut seen: BTreeMap<Vec<String>, String> = BTreeMap::new();
    let mut shared = String::new();
    for guide in guides() {
        let mut here = BTreeSet::new();
        for block in blocks(&guide, &PROSE) {
            here.insert(words(block));
            here.extend(sentences(block).iter().map(|span| words(&block[span.start..span.end])));
        }
        for text in here.into_iter().filter(|text| text.len() >= TELLING) {
            if let Some(other) = seen.insert(text.clone(), guide.path.clone()) {
                let _ = writeln!(shared, "{other} and {}: {}", guide.path, text.join(" "));
            }
        }
    }
    assert!(shared.is_empty(), "\n{shared}");
}

#[test]
fn guides_are_neither_short_nor_long_nor_hard_to_read() {
    check(|guide| {
        let length = blocks(guide, &PROSE).map(|block| words(block).len()).sum();
        let grade = coleman_liau(guide);
        let mut findings = Vec::new();
        if !LENGTH.contains(&length) {
            findings.push(format!("{length} words"));
        }
        if !GRADE.contains(&grade) {
            findings.push(format!("grade {grade:.1}"));
        }
        findings
    });
}

/// Of the running text: lists and tables are not made of sentences.
fn coleman_liau(guide: &Document) -> f64 {
    let (mut letters, mut counted, mut ends) = (0, 0, 0);
    for block in blocks(guide, &[BlockKind::Text]) {
        let words = words(block);
        letters += words.iter().map(|word| word.chars().count()).sum::<usize>();
        counted += words.len();
        ends += sentences(block).len();
    }
    #[expect(clippy::cast_precision_loss, reason = "a guide has thousands of letters, not quadrillions")]
    let in_100_words = |count: usize| count as f64 * 100.0 / counted as f64;
    0.0588 * in_100_words(letters) - 0.296 * in_100_words(ends) - 15.8
}

/// Names that look like misspellings: people, products, a measure, a court case, words of other languages.
const NAMES: [&str; 8] = ["aks", "ende", "ines", "mape", "mata", "mitre", "scheule", "sentance"];

#[test]
fn words_are_spelled_as_americans_spell_them() {
    assert!(better_spelling("recieve").is_some() && better_spelling("colour").is_some());
    check(|guide| {
        let prose = blocks(guide, &PROSE)
            .chain(guide.sections.iter().filter_map(|s| Some(s.heading_path.last()?.as_str())));
        let words: BTreeSet<String> =
            prose.flat_map(words).filter(|word| !NAMES.contains(&word.as_str())).collect();
        words.iter().filter_map(|word| better_spelling(word)).collect()
    });
}

fn better_spelling(word: &str) -> Option<String> {
    let key = unicase::UniCase::new(word);
    if let Some(better) = typos_dict::WORD.find(&key) {
        return Some(format!("`{word}`: {}", better.join(", ")));
    }
    let variants = typos_vars::VARS.find(&key)?;
    let american = |kinds: &u8| kinds & typos_vars::Category::American as u8 != 0;
    let better = variants.iter().all(|(kinds, _)| !american(kinds)).then(|| variants.first())??;
    Some(format!(
        "`{word}`: {}",
        typos_vars::corrections(typos_vars::Category::American, *better.1).join(", ")
    ))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    question: String,
    answers: Vec<Place>,
    /// `title`: from the title of a guide alone; `section`: from the section that answers, put in other words.
    written_from: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Place {
    guide: String,
    section: String,
    /// Sentences and list items that answer, word for word.
    sentences: Vec<String>,
}

/// A section with those below it; of the guide's title, what stands before the next heading.
fn section_text(guide: &Document, heading: &String) -> String {
    let of_title = guide.metadata.title == *heading;
    let belongs = |section: &&Section| match of_title {
        true => section.heading_path.len() == 1,
        false => section.heading_path.contains(heading),
    };
    let blocks = guide.sections.iter().filter(belongs).filter_map(|section| {
        let first = section.blocks.first().map(|block| block.span.start)?;
        let last = section.blocks.last().map(|block| block.span.end)?;
        Some(&guide.text[first..last])
    });
    blocks.collect::<Vec<_>>().join("\n")
}

#[test]
fn questions_are_answered_by_sections_that_are_there() {
    let questions: Vec<Question> = read_lines("corpus/questions.jsonl");
    let guides = guides();
    let unanswered = questions.iter().filter(|question| question.answers.is_empty()).count();
    assert!(unanswered >= 40, "{unanswered} questions that nothing answers");
    let distinct: BTreeSet<&str> = questions.iter().map(|question| question.question.as_str()).collect();
    assert_eq!(distinct.len(), questions.len(), "a question stands there twice");
    let mut asked: BTreeMap<&str, usize> = guides.iter().map(|guide| (guide.path.as_str(), 0)).collect();
    for question in &questions {
        let known = question.written_from.as_deref().is_some_and(|from| ["title", "section"].contains(&from));
        assert_eq!(known, !question.answers.is_empty(), "{question:?}");
    }
    for place in questions.iter().flat_map(|question| &question.answers) {
        let guide = guides.iter().find(|guide| guide.path == place.guide);
        let text = guide.map_or(String::new(), |guide| section_text(guide, &place.section));
        let stands = |sentence: &String| sentence.len() >= 10 && text.contains(sentence.as_str());
        assert!(!place.sentences.is_empty() && place.sentences.iter().all(stands), "{place:?}");
        *asked.entry(place.guide.as_str()).or_default() += 1;
    }
    let few: Vec<_> = asked.iter().filter(|(_, questions)| **questions < 3).collect();
    assert!(few.is_empty(), "fewer than three questions: {few:?}");
}
