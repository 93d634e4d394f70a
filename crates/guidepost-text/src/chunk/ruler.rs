//! The model's own measure, and what is left of its limit below a heading path.

use crate::{Embed, Span};

pub(super) struct Ruler<'a> {
    /// The document's text, which every span is a part of.
    pub(super) text: &'a str,
    embedder: &'a dyn Embed,
    /// Special tokens the model adds to every input.
    special: usize,
}

impl<'a> Ruler<'a> {
    pub(super) fn new(text: &'a str, embedder: &'a dyn Embed) -> Self {
        Ruler { text, embedder, special: embedder.count_tokens(&[""])[0] }
    }

    /// Longest input in tokens, special tokens included.
    pub(super) fn limit(&self) -> usize {
        self.embedder.max_tokens()
    }

    /// Tokens of whole inputs, special tokens included.
    pub(super) fn count(&self, texts: &[&str]) -> Vec<usize> {
        if texts.is_empty() { Vec::new() } else { self.embedder.count_tokens(texts) }
    }

    /// Tokens of parts of an input, without special tokens.
    pub(super) fn measure(&self, spans: &[Span]) -> Vec<usize> {
        let texts: Vec<&str> = spans.iter().map(|span| span.of(self.text)).collect();
        self.count(&texts).into_iter().map(|n| n.saturating_sub(self.special)).collect()
    }

    /// The heading path as one line. Outer headings go first when it would take more than half of the limit.
    pub(super) fn context(&self, heading_path: &[String]) -> String {
        let half = self.limit() / 2;
        let labels: Vec<&str> = heading_path.iter().map(String::as_str).collect();
        let mut used = self.special;
        let mut from = labels.len();
        for count in self.count(&labels).into_iter().rev() {
            // One more for the sign that sets headings apart.
            used += count.saturating_sub(self.special) + 1;
            if used > half {
                break;
            }
            from -= 1;
        }
        match labels.last() {
            // A character is four tokens at most in the byte-level tokenizers of today.
            Some(last) if from == labels.len() => last.chars().take(half / 4).collect(),
            _ => labels[from..].join(" > "),
        }
    }

    /// Tokens left for the text below a context, which ends with a line break.
    pub(super) fn budget(&self, context: &str) -> usize {
        let used = self.count(&[&format!("{context}\n")])[0];
        self.limit().saturating_sub(used).max(8)
    }
}
