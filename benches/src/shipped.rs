//! The guides that ship, and the questions that come with them.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use guidepost_index::{ShippedGuide, Snapshot, terms};
use guidepost_query::Hit;
use guidepost_text::{Document, Embed, LineIndex, Lines, Section, Span, read_document};
use serde::Deserialize;

use crate::{index, read_lines};

/// The guides that ship, and the questions that come with them.
pub struct Shipped {
    /// The guides, indexed.
    pub snapshot: Snapshot,
    /// `corpus/questions.jsonl`.
    pub questions: Vec<ShippedQuestion>,
}

/// A question over the guides that ship.
pub struct ShippedQuestion {
    /// As a reader asks it.
    pub question: String,
    /// The sections that answer it; none where nothing does.
    pub answers: Vec<Answering>,
    /// What its writer had before the eyes; `None` where nothing answers.
    pub written_from: Option<WrittenFrom>,
    /// Share of the question's words that stand in those sections or above them, in [0, 1].
    pub words_shared: f64,
}

/// What the writer of a question had before the eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WrittenFrom {
    /// A guide's title alone; what answers was looked for afterwards.
    Title,
    /// The section that answers, put in other words.
    Section,
}

/// A section that answers a question, with those below it. Of a guide's title, only what stands before the first
/// heading below.
pub struct Answering {
    guide: String,
    lines: Vec<Lines>,
    /// Sentences and list items there that answer, in words alone.
    sentences: Vec<String>,
}

impl ShippedQuestion {
    /// Whether a hit lies in a section that answers, or holds it.
    pub fn is_answered_by(&self, hit: &Hit) -> bool {
        let chunk = hit.passage.stored.chunk.lines;
        let overlaps = |lines: &Lines| lines.first <= chunk.last && chunk.first <= lines.last;
        self.answers
            .iter()
            .any(|place| place.guide == hit.document.relative && place.lines.iter().any(overlaps))
    }

    /// Whether a statement says a sentence that answers, or most of one.
    pub fn is_answered_in(&self, hit: &Hit, statement: &str) -> bool {
        let said = words_alone(statement);
        let says = |sentence: &String| {
            said.contains(sentence.as_str()) || (sentence.contains(&said) && said.len() * 2 >= sentence.len())
        };
        let places = self.answers.iter().filter(|place| place.guide == hit.document.relative);
        places.flat_map(|place| &place.sentences).any(says)
    }
}

/// Small letters and digits, a space between words: marks and line breaks do not change what is said.
fn words_alone(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

/// A line of `corpus/questions.jsonl`.
#[derive(Deserialize)]
struct Record {
    question: String,
    answers: Vec<Place>,
    written_from: Option<WrittenFrom>,
}

#[derive(Deserialize)]
struct Place {
    guide: String,
    section: String,
    sentences: Vec<String>,
}

impl Shipped {
    /// Indexes `corpus/`; run from the root of the checkout.
    ///
    /// # Errors
    /// Another folder, a question that names a section which is not there, or a model that fails.
    pub fn open(embedder: &dyn Embed) -> anyhow::Result<Self> {
        let mut guides = Vec::new();
        for entry in fs::read_dir("corpus").context("run this from the root of the checkout")?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".md") && name != "README.md" {
                guides.push(ShippedGuide { path: name.leak(), bytes: fs::read(entry.path())?.leak() });
            }
        }
        guides.sort_by_key(|guide| guide.path);
        let documents: Vec<Document> =
            guides.iter().map(|guide| read_document(guide.path, guide.bytes)).collect();
        let records: Vec<Record> = read_lines(Path::new("corpus/questions.jsonl"))?;
        let questions =
            records.into_iter().map(|record| resolve(record, &documents)).collect::<Result<_, _>>()?;
        Ok(Shipped { snapshot: index("shipped", &guides, embedder)?, questions })
    }
}

fn resolve(record: Record, documents: &[Document]) -> anyhow::Result<ShippedQuestion> {
    let mut answers = Vec::new();
    let mut known = HashSet::new();
    for place in record.answers {
        let document = documents
            .iter()
            .find(|document| document.path == place.guide)
            .with_context(|| format!("no guide is `{}`", place.guide))?;
        let line_index = LineIndex::new(&document.text);
        let mut lines = Vec::new();
        let belongs = |section: &&Section| match place.section == document.metadata.title {
            true => section.heading_path.len() == 1,
            false => section.heading_path.contains(&place.section),
        };
        for section in document.sections.iter().filter(belongs) {
            let end = section.blocks.last().map_or(section.heading.end, |block| block.span.end);
            let span = Span { start: section.heading.start, end };
            lines.push(line_index.lines(span));
            known.extend(terms(&document.text[span.start..span.end]));
            known.extend(terms(&section.heading_path.join(" ")));
        }
        ensure!(!lines.is_empty(), "`{}` has no section `{}`", place.guide, place.section);
        let sentences = place.sentences.iter().map(|sentence| words_alone(sentence)).collect();
        answers.push(Answering { guide: place.guide, lines, sentences });
    }
    let asked = terms(&record.question);
    let shared = asked.intersection(&known).count() as f64 / asked.len().max(1) as f64;
    Ok(ShippedQuestion {
        question: record.question,
        answers,
        written_from: record.written_from,
        words_shared: shared,
    })
}
