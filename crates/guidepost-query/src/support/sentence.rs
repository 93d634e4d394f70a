//! A sentence that was written, made ready to be held against sources.

use guidepost_index::{Form, Token, analyze};
use guidepost_text::{Embed, EmbedError, Embedding, Span, TextRole, TokenVectors};

use super::pieces::segments;
use crate::late::embed_with_tokens;
use crate::numbers::{Number, claimed};
use crate::question::telling;

/// A sentence, and all that is made of it.
pub(super) struct Claim<'a> {
    pub(super) text: &'a str,
    /// In every form.
    pub(super) words: Vec<Token>,
    pub(super) telling: Vec<Token>,
    /// Of each telling word, those of its pieces; empty for a model that has none.
    pub(super) rows: Vec<Vec<Embedding>>,
    pub(super) numbers: Vec<Number>,
    /// Whether its first word is a name, for its capital letter says nothing.
    pub(super) begins_with_name: bool,
}

/// A run of words that are written as names.
pub(super) struct Name<'a> {
    pub(super) span: Span,
    /// Of its words, in every form.
    pub(super) terms: Vec<&'a str>,
}

impl<'a> Claim<'a> {
    pub(super) fn new(embedder: &dyn Embed, text: &'a str) -> Result<Claim<'a>, EmbedError> {
        let words = analyze(text);
        let telling: Vec<Token> =
            telling(text, &words).into_iter().filter(|word| word.form == Form::Word).collect();
        let embedded = embed_with_tokens(embedder, &[text], TextRole::Passage)?.pop();
        let (_, tokens) = embedded.ok_or_else(|| EmbedError("it gave no embedding for a sentence".into()))?;
        let rows = tokens.map(|tokens| telling.iter().map(|word| rows_of(word, &tokens)).collect());
        let (rows, numbers) = (rows.unwrap_or_default(), claimed(text));
        Ok(Claim { text, words, telling, rows, numbers, begins_with_name: false })
    }

    /// The words that stand there.
    pub(super) fn plain(&self) -> impl Iterator<Item = &Token> {
        self.words.iter().filter(|word| word.form == Form::Word)
    }

    pub(super) fn written(&self, word: &Token) -> &'a str {
        &self.text[word.start..word.end]
    }

    /// Which telling words stand in a part of it.
    pub(super) fn telling_in(&self, span: Span) -> Vec<usize> {
        let inside = |at: &usize| (span.start..span.end).contains(&self.telling[*at].start);
        (0..self.telling.len()).filter(inside).collect()
    }

    /// Its parts between commas and these words.
    pub(super) fn clauses(&self, breaks: &[&str]) -> Vec<Span> {
        let whole = Span { start: 0, end: self.text.len() };
        let mut spans: Vec<Span> = Vec::new();
        for part in segments(self.text, whole, &[',', ';', ':']) {
            let mut start = part.start;
            for word in self.plain().filter(|word| part.start < word.start && word.end <= part.end) {
                if breaks.contains(&self.written(word)) {
                    spans.push(Span { start, end: word.start });
                    start = word.start;
                }
            }
            spans.push(Span { start, end: part.end });
        }
        spans
    }

    /// Its names: words with capital letters that follow one another, and the numbers and `joins` between them.
    pub(super) fn names(&self, joins: &[&str]) -> Vec<Name<'_>> {
        let mut runs: Vec<Vec<&Token>> = vec![Vec::new()];
        let mut is_first = !self.begins_with_name;
        for word in self.plain() {
            let written = self.written(word);
            let follows = |last: &&Token| self.text[last.end..word.start].trim_matches([' ', '-']).is_empty();
            let goes_on = runs.last().and_then(|run| run.last()).is_some_and(follows);
            let begins = is_name(written, is_first);
            is_first = false;
            let joined = goes_on && (joins.contains(&written) || written.bytes().all(|b| b.is_ascii_digit()));
            if (begins && !goes_on) || (!begins && !joined) {
                runs.push(Vec::new());
            }
            if let Some(run) = runs.last_mut().filter(|_| begins || joined) {
                run.push(word);
            }
        }
        runs.into_iter().filter_map(|run| self.name(run, joins)).collect()
    }

    fn name<'s>(&'s self, mut run: Vec<&'s Token>, joins: &[&str]) -> Option<Name<'s>> {
        while run.last().is_some_and(|word| joins.contains(&self.written(word))) {
            run.pop();
        }
        let span = Span { start: run.first()?.start, end: run.last()?.end };
        let told = run.into_iter().filter(|word| !joins.contains(&self.written(word)));
        Some(Name { span, terms: told.map(|word| word.term.as_str()).collect() })
    }
}

fn rows_of(word: &Token, tokens: &TokenVectors) -> Vec<Embedding> {
    let overlaps = |span: &Span| word.start < span.end && span.start < word.end;
    let rows = tokens.rows().zip(&tokens.spans).filter(|(_, span)| overlaps(span));
    rows.map(|(row, _)| Embedding::normalized(row.to_vec())).collect()
}

/// A word with a capital letter; at the beginning of a sentence one within it, or with a digit.
pub(super) fn is_name(word: &str, is_first: bool) -> bool {
    let mut letters = word.chars().filter(|c| c.is_alphabetic());
    let begins = letters.next().is_some_and(char::is_uppercase);
    let within = letters.any(char::is_uppercase) || begins && word.contains(|c: char| c.is_ascii_digit());
    within || begins && !is_first && word != "I"
}
