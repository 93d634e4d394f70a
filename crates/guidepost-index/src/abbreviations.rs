//! Abbreviations that guides define: `Site Reliability Engineering (SRE)`, `SRE (site reliability engineering)`.
//!
//! Found after the idea of Schwartz and Hearst (2003): the letters of the short form are looked for in the words beside it from
//! the last to the first, and the first letter has to begin a word. Derived from the chunks' texts, like postings: a segment keeps
//! what each of its guides defines, a generation what all of them make of it.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::checked_file::SegmentFiles;
use crate::manifest::{FileRecord, Manifest};
use crate::postings::{Form, analyze};
use crate::{IndexError, StoredChunk, files};

/// What all guides of a generation define.
pub(crate) const ABBREVIATIONS: &str = "abbreviations.json";
/// What each guide of a segment defines, one JSON line per guide.
const DEFINITIONS: &str = "definitions.jsonl";

/// An abbreviation and what it stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abbreviation {
    /// As the guides write it: `SRE`.
    pub short: String,
    /// What it stands for, as first written: `site reliability engineering`.
    pub long: String,
    /// The short form as the text index sees it.
    pub short_term: String,
    /// The words of the long form as the text index sees them, with a space between them.
    pub long_terms: String,
    /// Chunks that define it so.
    pub chunks: u32,
}

/// Longest short form in characters.
const LONGEST_SHORT: usize = 10;

/// What the chunks of a guide define; a short form may have several meanings.
pub(crate) fn find<'a>(chunks: impl Iterator<Item = &'a StoredChunk>) -> Vec<Abbreviation> {
    let mut meanings = Meanings::new();
    for chunk in chunks {
        for (short, long) in
            definitions(&chunk.chunk.text).into_iter().chain(definitions(&chunk.chunk.context))
        {
            let (short_term, long_terms) = (words(&short), words(&long));
            let is_telling = !short_term.is_empty() && !short_term.contains(' ') && long_terms.contains(' ');
            if is_telling && long_terms.split(' ').all(|term| term != short_term) {
                add(&mut meanings, Abbreviation { short, long, short_term, long_terms, chunks: 1 });
            }
        }
    }
    meanings.into_values().collect()
}

/// What guides define together, by short form; of several meanings the one that most chunks give.
pub(crate) fn merge(guides: impl Iterator<Item = Vec<Abbreviation>>) -> Vec<Abbreviation> {
    let mut meanings = Meanings::new();
    guides.flatten().for_each(|meaning| add(&mut meanings, meaning));
    let mut best: BTreeMap<String, Abbreviation> = BTreeMap::new();
    for meaning in meanings.into_values() {
        let known = best.entry(meaning.short_term.clone()).or_insert_with(|| meaning.clone());
        if meaning.chunks > known.chunks {
            *known = meaning;
        }
    }
    best.into_values().collect()
}

/// By short and long form.
type Meanings = BTreeMap<(String, String), Abbreviation>;

/// Written as it was first.
fn add(meanings: &mut Meanings, meaning: Abbreviation) {
    let key = (meaning.short_term.clone(), meaning.long_terms.clone());
    match meanings.entry(key) {
        std::collections::btree_map::Entry::Occupied(mut known) => known.get_mut().chunks += meaning.chunks,
        std::collections::btree_map::Entry::Vacant(new) => {
            new.insert(meaning);
        }
    }
}

/// The words of a text as the index sees them.
fn words(text: &str) -> String {
    let words = analyze(text).into_iter().filter(|token| token.form == Form::Word);
    words.map(|token| token.term).collect::<Vec<_>>().join(" ")
}

/// Writes what each guide of a segment defines, in their order.
pub(crate) fn write_definitions(
    folder: &Path,
    guides: &[Vec<Abbreviation>],
    manifest: &mut Manifest,
) -> Result<(), IndexError> {
    files::write(&folder.join(DEFINITIONS), |file| {
        for guide in guides {
            serde_json::to_writer(&mut *file, guide)?;
            file.write_all(b"\n")?;
        }
        Ok(())
    })?;
    manifest.add_file(folder, DEFINITIONS)
}

/// What each guide of a segment defines, in their order.
pub(crate) fn read_definitions(files: &SegmentFiles) -> Result<Vec<Vec<Abbreviation>>, IndexError> {
    let file = files.file(DEFINITIONS)?;
    let lines = file.all()?.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let guides: Result<_, _> = lines.map(serde_json::from_slice).collect();
    guides.map_err(|error| IndexError::damaged(file.path(), error.to_string()))
}

/// Writes what all guides of a generation define.
pub(crate) fn write(folder: &Path, found: &[Abbreviation]) -> Result<FileRecord, IndexError> {
    let path = folder.join(ABBREVIATIONS);
    files::write(&path, |file| Ok(serde_json::to_writer(file, found)?))?;
    FileRecord::of(&path)
}

/// What all guides of a generation define.
pub(crate) fn read(folder: &Path, file: Option<&FileRecord>) -> Result<Vec<Abbreviation>, IndexError> {
    let path = folder.join(ABBREVIATIONS);
    let missing = || IndexError::damaged(&path, "the generation does not list it");
    let bytes = files::read_recorded(&path, file.ok_or_else(missing)?)?;
    serde_json::from_slice(&bytes).map_err(|error| IndexError::damaged(&path, error.to_string()))
}

/// Short and long form of each definition in a text.
fn definitions(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (open, _) in text.match_indices('(') {
        let inside = &text[open + 1..];
        let Some(close) = inside.find([')', '(', '\n']).filter(|&close| inside[close..].starts_with(')'))
        else {
            continue;
        };
        let (before, inside) = (last_clause(&text[..open]), inside[..close].trim());
        // `(SRE, or on-call)`: what follows a comma is another thought.
        let first = inside.split([',', ';']).next().unwrap_or(inside).trim();
        let definition = match is_short(first) {
            true => long_form(first, before).map(|long| (first, long)),
            false => {
                let short = before.rsplit(char::is_whitespace).next().unwrap_or(before);
                let short = short.trim_matches(|c: char| !c.is_alphanumeric());
                is_short(short)
                    .then(|| long_form(short, inside))
                    .flatten()
                    .filter(|long| long.len() + 2 >= inside.len())
                    .map(|long| (short, long))
            }
        };
        found.extend(definition.map(|(short, long)| (singular(short), long.to_owned())));
    }
    found
}

/// What stands before an opening parenthesis in the same sentence.
fn last_clause(text: &str) -> &str {
    let start = text.rfind(['\n', '(', ')', ';', ':', '|']).map_or(0, |at| at + 1);
    text[start..].trim()
}

/// Whether a text looks like an abbreviation: one word with a capital letter or two at least, most of its letters capital.
fn is_short(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let capitals = text.chars().filter(|c| c.is_uppercase()).count();
    (2..=LONGEST_SHORT).contains(&text.chars().count())
        && text.chars().all(|c| c.is_alphanumeric() || "-/&".contains(c))
        && text.starts_with(char::is_alphanumeric)
        && capitals >= 2
        && capitals * 2 >= letters
}

/// `SLO` of `SLOs`.
fn singular(short: &str) -> String {
    match short.strip_suffix('s') {
        Some(stem) if stem.ends_with(char::is_uppercase) => stem.to_owned(),
        _ => short.to_owned(),
    }
}

/// The last words of a text that a short form abbreviates.
fn long_form<'a>(short: &str, text: &'a str) -> Option<&'a str> {
    let short: Vec<char> =
        singular(short).chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let begins_word = |at: usize| at == 0 || !chars[at - 1].1.is_alphanumeric();
    let mut at = chars.len();
    for (place, &letter) in short.iter().enumerate().rev() {
        loop {
            at = at.checked_sub(1)?;
            let is_letter = chars[at].1.to_lowercase().eq([letter]);
            if is_letter && (place > 0 || begins_word(at)) {
                break;
            }
        }
    }
    let long = text[chars.get(at)?.0..].trim_matches(|c: char| !c.is_alphanumeric());
    let words = long.split(|c: char| c.is_whitespace() || c == '-').count();
    // min(|A| + 5, |A| * 2) words, as in the paper.
    let fits = words > 1 && words <= (short.len() + 5).min(short.len() * 2) && long.len() > short.len() + 2;
    fits.then_some(long)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let found = definitions(text);
        let found: Vec<(&str, &str)> =
            found.iter().map(|(short, long)| (short.as_str(), long.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn definitions_are_found_both_ways() {
        check(
            "Teams of Site Reliability Engineering (SRE) carry pagers.",
            &[("SRE", "Site Reliability Engineering")],
        );
        check("An SRE (site reliability engineer) does.", &[("SRE", "site reliability engineer")]);
        check(
            "service level objectives (SLOs) and SLIs (service level indicators)",
            &[("SLO", "service level objectives"), ("SLI", "service level indicators")],
        );
        check("extract, transform, load (ETL)", &[("ETL", "extract, transform, load")]);
        check("natural-language processing (NLP, for short)", &[("NLP", "natural-language processing")]);
        check("Continuous Integration and Delivery (CI/CD)", &[]);
    }

    #[test]
    fn what_is_no_definition_is_left_alone() {
        check("the United States (more or less) and tools (SQL)", &[]);
        check("learn it (AWS) or not (yet)", &[]);
        check("SQL (the language of tables)", &[]);
        check("a (", &[]);
        check("()", &[]);
        check("(ABC)", &[]);
    }
}
