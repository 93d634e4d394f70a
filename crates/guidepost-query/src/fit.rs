//! Whether a passage is of the kind that a question asks for.
//!
//! Lists of books, courses and certifications name their subject in every line, and answer nothing about it: they wait until they
//! are asked for. Measured in `benches/results/shipped_questions.md`.

use guidepost_index::StoredChunk;
use guidepost_text::ResourceKind::{self, Book, Certification, Course};

use crate::Question;

/// What the score of such a list is multiplied by where the question asks for none.
const LIST_FIT: f32 = 0.8;

/// More words by which people ask for certifications and courses.
const EXAMS: [&str; 8] = ["badge", "certified", "class", "degree", "exam", "exams", "reading", "tutorial"];

/// Whether a question names a kind of resource.
pub(crate) fn asks_for_resources(question: &Question) -> bool {
    question.words.iter().any(|word| {
        let word = &question.text[word.start..word.end];
        ResourceKind::of_word(word).is_some() || EXAMS.contains(&word.to_lowercase().as_str())
    })
}

/// How well a passage fits a question that asks for no resources, in [0, 1].
pub(crate) fn fit(chunk: &StoredChunk) -> f32 {
    if lists_resources(chunk) { LIST_FIT } else { 1.0 }
}

/// Whether a heading above the passage, other than its guide's title, announces books, courses or certifications.
fn lists_resources(chunk: &StoredChunk) -> bool {
    let headings = chunk.chunk.heading_path.iter().skip(1);
    let mut words = headings.flat_map(|heading| heading.split(|c: char| !c.is_alphanumeric()));
    words.any(|word| matches!(ResourceKind::of_word(word), Some(Book | Course | Certification)))
}
