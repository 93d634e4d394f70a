//! Questions that guides answer, derived from the guides: a section is the answer to its own heading, or to its own first
//! sentence, which is taken off so that it is not found by it.

use std::collections::HashMap;

use guidepost_text::{Document, Section, sentences, words};

use crate::collection::{Collection, CollectionDocument, CollectionQuery};
use crate::question::Question;

/// What questions are made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The headings of sections.
    Headings,
    /// The first sentences of sections.
    Sentences,
}

impl Source {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Source::Headings => "headings",
            Source::Sentences => "first sentences",
        }
    }
}

/// A test collection that nobody had to label.
#[derive(Debug, Clone)]
pub struct Derived {
    /// What the questions were made from.
    pub source: Source,
    /// The sections without what their questions are made from, and the questions.
    pub collection: Collection,
    /// Sections there were, of which no more than 2,000 are in the collection.
    pub sections: usize,
    /// Questions there were, of which no more than 1,000 are in the collection.
    pub questions: usize,
}

/// Fewer questions say nothing.
pub const LEAST_QUESTIONS: usize = 30;

/// Most sections: each has to be embedded. So many take a minute or two.
const MOST_SECTIONS: usize = 2000;
/// Most questions.
const MOST_QUESTIONS: usize = 1000;

/// Fewest words of a section that answers anything.
const LEAST_WORDS: usize = 8;

/// Fewest words of a first sentence that asks for anything.
const LEAST_ASKED: usize = 4;

/// Derives questions from guides: from headings, or where they are too few, from first sentences. What is too much is
/// sampled evenly.
pub fn derive(documents: &[Document]) -> Derived {
    let parts: Vec<Part> = documents.iter().flat_map(parts).collect();
    let sections = parts.len();
    let parts = sample(parts, MOST_SECTIONS);
    let asked = by_headings(&parts);
    let answers = answers(&asked);
    if answers.len() >= LEAST_QUESTIONS {
        return derived(Source::Headings, sections, asked, answers);
    }
    let asked: Vec<Asked> = parts.iter().map(by_sentence).collect();
    let answers = self::answers(&asked);
    derived(Source::Sentences, sections, asked, answers)
}

fn derived(
    source: Source,
    sections: usize,
    asked: Vec<Asked>,
    answers: Vec<(String, Vec<usize>)>,
) -> Derived {
    let questions = answers.len();
    let document = |(at, Asked { title, text, .. })| CollectionDocument { id: id(at), title, text };
    let mut collection = Collection {
        documents: (0..).zip(asked).map(document).collect(),
        queries: Vec::new(),
        judged: HashMap::new(),
    };
    for (at, (text, right)) in (0..).zip(sample(answers, MOST_QUESTIONS)) {
        collection.queries.push(CollectionQuery { id: id(at), text });
        collection.judged.insert(id(at), right.into_iter().map(|at| (id(at), 1.0)).collect());
    }
    Derived { source, collection, sections, questions }
}

fn id(at: usize) -> String {
    at.to_string()
}

/// A section with its question.
struct Asked {
    question: Option<String>,
    title: String,
    text: String,
}

/// Every question once, in order, with the numbers of the sections that answer it.
fn answers(asked: &[Asked]) -> Vec<(String, Vec<usize>)> {
    let mut answers: Vec<(String, Vec<usize>)> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for (at, Asked { question, .. }) in asked.iter().enumerate() {
        let Some(question) = question else { continue };
        let number = *known.entry(question.to_lowercase()).or_insert(answers.len());
        match answers.get_mut(number) {
            Some((_, sections)) => sections.push(at),
            None => answers.push((question.clone(), vec![at])),
        }
    }
    answers
}

/// A section as far as it matters here.
struct Part {
    title: String,
    /// `None` for text before any heading.
    heading: Option<String>,
    /// All headings above, as one line.
    path: String,
    body: String,
}

/// The sections of a guide that hold enough to answer anything.
fn parts(document: &Document) -> Vec<Part> {
    let part = |section: &Section| {
        let (first, last) = (section.blocks.first()?, section.blocks.last()?);
        let heading = (section.heading.start < section.heading.end)
            .then(|| section.heading_path.last().cloned())
            .flatten();
        let body = document.text[first.span.start..last.span.end].trim();
        let body = heading.as_deref().map_or(body, |heading| without(body, heading));
        let enough = words(body).len() >= LEAST_WORDS;
        enough.then(|| Part {
            title: document.metadata.title.clone(),
            path: heading.as_ref().map_or_else(String::new, |_| section.heading_path.join(" > ")),
            heading,
            body: body.to_owned(),
        })
    };
    document.sections.iter().filter_map(part).collect()
}

/// A text without the heading that it begins with once more, as scraped pages do.
fn without<'a>(body: &'a str, heading: &str) -> &'a str {
    match body.split_once('\n') {
        Some((line, rest)) if line.trim().eq_ignore_ascii_case(heading.trim()) => rest.trim_start(),
        _ => body,
    }
}

/// Every section with the question that its heading is. A heading that says little, a single word or one that other
/// sections have as well, is asked with the guide's title.
fn by_headings(parts: &[Part]) -> Vec<Asked> {
    let mut same: HashMap<String, usize> = HashMap::new();
    for heading in parts.iter().filter_map(|part| part.heading.as_ref()) {
        *same.entry(heading.to_lowercase()).or_default() += 1;
    }
    let ask = |part: &Part| {
        let heading = part.heading.as_ref()?;
        let telling = Question::new(heading).ok()?.words.len();
        let alone = telling > 1 && same[&heading.to_lowercase()] == 1;
        let whole = alone || heading.eq_ignore_ascii_case(&part.title);
        Some(if whole { heading.clone() } else { format!("{}: {heading}", part.title) })
    };
    let take_off = |part: &Part| Asked { question: ask(part), title: String::new(), text: part.body.clone() };
    parts.iter().map(take_off).collect()
}

/// A section with the question that its first sentence is, where enough follows. It keeps its headings, as in a search: on
/// one collection it told far more about searches so (`benches/results/tune.md`).
fn by_sentence(part: &Part) -> Asked {
    let asked = |question: Option<String>, text: &str| Asked {
        question,
        title: part.path.clone(),
        text: text.to_owned(),
    };
    let spans = sentences(&part.body);
    let [first, second, ..] = spans[..] else { return asked(None, &part.body) };
    let (question, rest) = (first.of(&part.body), &part.body[second.start..]);
    match words(question).len() >= LEAST_ASKED && words(rest).len() >= LEAST_WORDS {
        true => asked(Some(question.to_owned()), rest),
        false => asked(None, &part.body),
    }
}

/// As many as `most`, evenly spaced and in order.
fn sample<T>(all: Vec<T>, most: usize) -> Vec<T> {
    let total = all.len();
    let chosen = |at: usize| total <= most || (at + 1) * most / total > at * most / total;
    all.into_iter().enumerate().filter(|(at, _)| chosen(*at)).map(|(_, one)| one).collect()
}

#[cfg(test)]
mod tests {
    use guidepost_text::read_document;

    use super::*;

    const BODY: &str =
        "It takes one to three years to get there. Begin with the basics and go on from day to day.";

    /// Question, title and text of every section; the numbers of the sections that answer each question.
    #[track_caller]
    fn check(asked: &[Asked], questions: &[Option<&str>], right: &[&[usize]]) {
        let found: Vec<Option<&str>> = asked.iter().map(|asked| asked.question.as_deref()).collect();
        assert_eq!(found, questions);
        let answers = answers(asked);
        assert_eq!(answers.iter().map(|(_, right)| &right[..]).collect::<Vec<_>>(), right);
    }

    fn parts_of(texts: &[String]) -> Vec<Part> {
        let read = |text: &String| read_document("guide.md", text.as_bytes());
        texts.iter().flat_map(|text| parts(&read(text))).collect()
    }

    #[test]
    fn a_heading_that_says_little_is_asked_with_the_title() {
        let guide = |title: &str| {
            format!(
                "# {title}\n\n## Overview\n\n{BODY}\n\n## First week of {title}\n\n{BODY}\n\n## Empty\n\nNothing.\n"
            )
        };
        let asked = by_headings(&parts_of(&[guide("Baker"), guide("Smith"), guide("Smith")]));
        let smith = [Some("Smith: Overview"), Some("Smith: First week of Smith")];
        let baker = [Some("Baker: Overview"), Some("First week of Baker")];
        check(&asked, &[baker, smith, smith].concat(), &[&[0], &[1], &[2, 4], &[3, 5]]);
        assert!(asked.iter().all(|asked| asked.text == BODY && asked.title.is_empty()));
    }

    #[test]
    fn a_heading_that_is_said_twice_is_taken_off_twice() {
        let asked = by_headings(&parts_of(&[format!("# Make good bread\n\nMake good bread\n\n{BODY}\n")]));
        check(&asked, &[Some("Make good bread")], &[&[0]]);
        assert_eq!(asked[0].text, BODY);
    }

    #[test]
    fn a_first_sentence_is_taken_off_and_headings_stay() {
        let asked: Vec<Asked> =
            parts_of(&[format!("# Baker\n\n## Path\n\n{BODY}\n"), "Too little. ".repeat(4)])
                .iter()
                .map(by_sentence)
                .collect();
        check(&asked, &[Some("It takes one to three years to get there."), None], &[&[0]]);
        assert_eq!(asked[0].title, "Baker > Path");
        assert_eq!(asked[0].text, "Begin with the basics and go on from day to day.");
    }

    #[test]
    fn samples_are_even_and_in_order() {
        for (total, most, expected) in
            [(3, 5, vec![0, 1, 2]), (6, 3, vec![1, 3, 5]), (5, 2, vec![2, 4]), (0, 3, vec![])]
        {
            assert_eq!(sample((0..total).collect::<Vec<usize>>(), most), expected, "{most} of {total}");
        }
    }
}
