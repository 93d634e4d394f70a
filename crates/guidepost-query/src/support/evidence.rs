//! A source made ready once, so that many sentences can be held against it.

use std::collections::HashSet;

use guidepost_index::{Form, Token, analyze, terms};
use guidepost_text::{Embed, EmbedError, Embedding, Span, TextRole};

use super::pieces::Pieces;
use super::sentence::is_name;
use crate::instructions::{instructs, without_instructions};
use crate::late::embed_with_tokens;
use crate::numbers::{implied, numbers};
use crate::sources::Source;

/// A source, and all that is made of it.
pub(super) struct Evidence {
    pub(super) number: usize,
    /// Without markup; all spans are of it.
    pub(super) text: String,
    /// In order; empty for a model that has none.
    pub(super) tokens: Vec<(Span, Embedding)>,
    /// The words that stand there, in order.
    pub(super) words: Vec<Token>,
    /// Of its words, in every form.
    pub(super) terms: HashSet<String>,
    /// Values that stand there, each with its first byte.
    pub(super) values: Vec<(f64, usize)>,
    /// Values that stand there, and that follow from what stands there.
    pub(super) numbers: Vec<f64>,
    /// List items, rows, paragraphs.
    pub(super) blocks: Vec<Part>,
    /// Parts of sentences, and rows.
    pub(super) segments: Vec<Part>,
    /// Smaller ones: commas end them, too.
    pub(super) clauses: Vec<Part>,
}

/// A part of a source, and what stands in it.
pub(super) struct Part {
    pub(super) span: Span,
    pub(super) text: String,
    pub(super) terms: HashSet<String>,
    pub(super) numbers: Vec<f64>,
    /// Terms of words that are written as names.
    pub(super) names: Vec<String>,
}

impl Evidence {
    pub(super) fn new(embedder: &dyn Embed, source: &Source) -> Result<Evidence, EmbedError> {
        // What speaks to models is nothing that a guide says.
        let headings: Vec<String> =
            source.heading_path.iter().filter(|heading| !instructs(heading)).cloned().collect();
        let pieces = Pieces::of(&headings, &without_instructions(&source.text));
        let embedded = embed_with_tokens(embedder, &pieces.texts(), TextRole::Passage)?;
        let mut tokens = Vec::new();
        for ((_, of_piece), piece) in embedded.into_iter().zip(&pieces.pieces) {
            let Some(of_piece) = of_piece else { continue };
            let moved =
                |span: &Span| Span { start: span.start + piece.span.start, end: span.end + piece.span.start };
            let rows = of_piece.spans.iter().zip(of_piece.rows()).filter(|(span, _)| span.start < span.end);
            tokens.extend(rows.map(|(span, row)| (moved(span), Embedding::normalized(row.to_vec()))));
        }
        Ok(Evidence { tokens, ..Evidence::of_words(source.number, pieces) })
    }

    /// What needs no model.
    fn of_words(number: usize, pieces: Pieces) -> Evidence {
        let words = analyze(&pieces.text);
        let values = numbers(&pieces.text);
        let parts = |spans: Vec<Span>| {
            spans.into_iter().map(|span| Part::new(&pieces.text, span, &words, &values)).collect()
        };
        let implied = implied(&pieces.text).into_iter().chain(pieces.counts());
        Evidence {
            number,
            tokens: Vec::new(),
            terms: terms(&pieces.text),
            numbers: values.iter().map(|(value, _)| *value).chain(implied).collect(),
            blocks: parts(pieces.blocks()),
            segments: parts(pieces.segments(&['.', '!', '?', ';', ':'])),
            clauses: parts(pieces.segments(&['.', '!', '?', ';', ':', ','])),
            values,
            words: words.into_iter().filter(|word| word.form == Form::Word).collect(),
            text: pieces.text,
        }
    }

    /// Whether all of these stand together, with at most so many other words.
    pub(super) fn holds_together(&self, terms: &[&str], others: usize) -> bool {
        let window = |at: usize| &self.words[at..self.words.len().min(at + terms.len() + others)];
        let holds = |at: usize| terms.iter().all(|term| window(at).iter().any(|word| word.term == *term));
        (0..self.words.len()).any(holds)
    }

    /// The numbers that stand right before all of these words.
    pub(super) fn numbers_before(&self, terms: &[&str]) -> Vec<f64> {
        /// Words between the number and the last of them.
        const WITHIN: usize = 2;
        let follow = |at: usize| {
            let first = self.words.partition_point(|word| word.start <= at);
            let behind = &self.words[first..self.words.len().min(first + terms.len() + WITHIN)];
            terms.iter().all(|term| behind.iter().any(|word| word.term == *term))
        };
        self.values.iter().filter(|(_, at)| follow(*at)).map(|(value, _)| *value).collect()
    }

    /// Whether a word stands here with a capital letter only, also within sentences.
    pub(super) fn holds_name(&self, term: &str) -> bool {
        let is_small = |word: &Token| self.text[word.start..].starts_with(char::is_lowercase);
        self.segments.iter().any(|part| part.names.iter().any(|name| name == term))
            && !self.words.iter().any(|word| word.term == term && is_small(word))
    }
}

impl Part {
    fn new(text: &str, span: Span, words: &[Token], values: &[(f64, usize)]) -> Part {
        let inside = |word: &&Token| span.start <= word.start && word.end <= span.end;
        let name = |word: &&Token| is_name(&text[word.start..word.end], begins_sentence(&text[..word.start]));
        let words: Vec<&Token> = words.iter().filter(inside).collect();
        let names = words.iter().copied().filter(name).map(|word| word.term.clone());
        let within = |(value, at): &(f64, usize)| (span.start..span.end).contains(at).then_some(*value);
        Part {
            span,
            text: span.of(text).to_owned(),
            names: names.collect(),
            terms: words.iter().map(|word| word.term.clone()).collect(),
            numbers: values.iter().filter_map(within).collect(),
        }
    }
}

/// Whether a capital letter behind this text means nothing.
fn begins_sentence(before: &str) -> bool {
    let before = before.trim_end_matches([' ', '"', '“', '(', '-', '>', '#']);
    before.is_empty() || before.ends_with(['\n', '.', '!', '?', ':', ';'])
}
