//! Whether a passage is of the kind that a question asks for.
//!
//! Lists of books, courses and certifications name their subject in every line, and answer nothing about it: they wait until they
//! are asked for. A question that names a guide's whole title is asked of that guide first, and one that asks for the way to a
//! role, of its roadmap. Measured in `benches/results/shipped_questions.md`.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};

use guidepost_index::{ChunkId, Form, IndexError, Snapshot, StoredChunk, Token};
use guidepost_text::ResourceKind::{self, Book, Certification, Course};

use crate::Question;
use crate::fusion::{Fused, best_first};
use crate::question::telling;

/// Candidates that are looked at.
const LOOKED_AT: usize = 30;

/// What the score of a list of resources is multiplied by where the question asks for none.
const LIST_FIT: f32 = 0.8;

/// What the score of other guides' passages is multiplied by where the question names a guide.
const OTHER_GUIDE_FIT: f32 = 0.74;

/// What the score of all else is multiplied by where the question asks for the way to a role that a guide describes. By words and
/// meaning a roadmap scores about a third of what repeats the question.
const OFF_THE_WAY_FIT: f32 = 0.3;

/// A title of one word is a word like any other.
const TITLE_WORDS: usize = 2;

/// More words by which people ask for certifications and courses.
const EXAMS: [&str; 8] = ["badge", "certified", "class", "degree", "exam", "exams", "reading", "tutorial"];

/// How well passages fit one question; what is found out about a passage is kept.
pub(crate) struct Fit {
    wish: Wish,
    known: RefCell<BTreeMap<ChunkId, Kind>>,
    /// Guides, and whether the question names each.
    named: RefCell<BTreeMap<u32, bool>>,
}

/// What kind of passage it is for a question.
#[derive(Clone, Copy)]
struct Kind {
    /// Whether the question names its guide.
    named: bool,
    lists_resources: bool,
}

impl Fit {
    pub(crate) fn of(question: &Question) -> Fit {
        Fit { wish: Wish::of(question), known: RefCell::default(), named: RefCell::default() }
    }

    /// Multiplies the scores of the best candidates by how well each fits, and orders them anew.
    ///
    /// # Errors
    /// A damaged index.
    pub(crate) fn apply(&self, snapshot: &Snapshot, fused: &mut [Fused]) -> Result<(), IndexError> {
        let looked_at = LOOKED_AT.min(fused.len());
        let kinds = fused[..looked_at].iter().map(|candidate| self.kind(snapshot, candidate.id));
        let kinds: Vec<Kind> = kinds.collect::<Result<_, _>>()?;
        let any_named = kinds.iter().any(|kind| kind.named);
        for (candidate, kind) in fused.iter_mut().zip(kinds) {
            let mut fit = 1.0;
            if !self.wish.resources && kind.lists_resources {
                fit *= LIST_FIT;
            }
            if any_named && !kind.named {
                fit *= OTHER_GUIDE_FIT;
            }
            candidate.fit = fit;
        }
        let any_way = fused.iter().any(|candidate| candidate.on_the_way);
        for candidate in fused.iter_mut() {
            match candidate.on_the_way {
                true => candidate.fit = 1.0,
                false if any_way => candidate.fit *= OFF_THE_WAY_FIT,
                false => {}
            }
            candidate.score *= candidate.fit;
        }
        best_first(fused);
        Ok(())
    }

    fn kind(&self, snapshot: &Snapshot, id: ChunkId) -> Result<Kind, IndexError> {
        if let Some(&known) = self.known.borrow().get(&id) {
            return Ok(known);
        }
        let passage = snapshot.passage(id)?;
        let chunk = &passage.stored;
        let names = || {
            let guide = snapshot.documents().get(chunk.document as usize);
            let words = snapshot.title_words(chunk.document);
            guide.is_some_and(|guide| self.wish.names(&guide.metadata.title, words))
        };
        let named = *self.named.borrow_mut().entry(chunk.document).or_insert_with(names);
        let kind = Kind { named, lists_resources: lists_resources(chunk) };
        self.known.borrow_mut().insert(id, kind);
        Ok(kind)
    }
}

/// What a question asks for beyond its words.
struct Wish {
    /// Books, courses, certifications.
    resources: bool,
    /// Its words, and what its abbreviations stand for.
    terms: HashSet<String>,
}

impl Wish {
    fn of(question: &Question) -> Wish {
        let terms = question.words.iter().flat_map(|word| word.term.split(' ')).map(str::to_owned);
        Wish { resources: asks_for_resources(question), terms: terms.collect() }
    }

    /// Whether all telling words of a title, which has these words, stand in the question.
    fn names(&self, title: &str, words: &[Token]) -> bool {
        let words = telling(title, words);
        let mut words = words.iter().filter(|word| word.form == Form::Word).peekable();
        words.clone().count() >= TITLE_WORDS && words.all(|word| self.terms.contains(&word.term))
    }
}

/// Whether a question names a kind of resource.
fn asks_for_resources(question: &Question) -> bool {
    question.words.iter().filter(|word| word.form == Form::Word).any(|word| {
        let word = &question.text[word.start..word.end];
        ResourceKind::of_word(word).is_some() || EXAMS.contains(&word.to_lowercase().as_str())
    })
}

/// The headings above a passage, other than its guide's title, word by word.
fn heading_words(chunk: &StoredChunk) -> impl Iterator<Item = &str> {
    let headings = chunk.chunk.heading_path.iter().skip(1);
    headings.flat_map(|heading| heading.split(|c: char| !c.is_alphanumeric()))
}

fn lists_resources(chunk: &StoredChunk) -> bool {
    heading_words(chunk)
        .any(|word| matches!(ResourceKind::of_word(word), Some(Book | Course | Certification)))
}

#[cfg(test)]
mod tests {
    use guidepost_index::analyze;

    use super::*;

    #[test]
    fn questions_name_guides_by_their_whole_title() {
        for (asked, title, named) in [
            ("How do I become a machine learning engineer?", "Machine learning engineer", true),
            ("what do data analysts earn", "Data analyst", true),
            ("how do I learn machines", "Machine learning engineer", false),
            ("how do I learn SQL", "SQL", false),
        ] {
            let question = Question::new(asked).expect("it can be searched");
            assert_eq!(Wish::of(&question).names(title, &analyze(title)), named, "{asked}");
        }
    }
}
