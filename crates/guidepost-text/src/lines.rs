//! Byte offsets to line numbers, and back.

use crate::{Lines, Span};

/// Where every line of a text begins.
#[derive(Debug, Clone)]
pub struct LineIndex {
    starts: Vec<usize>,
    length: usize,
}

impl LineIndex {
    /// Reads the text once.
    pub fn new(text: &str) -> Self {
        let after_breaks = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(at, _)| at + 1);
        LineIndex { starts: std::iter::once(0).chain(after_breaks).collect(), length: text.len() }
    }

    /// The lines a span touches. An empty span lies on one line.
    pub fn lines(&self, span: Span) -> Lines {
        let last_byte = span.end.saturating_sub(1).max(span.start);
        Lines { first: self.line_of(span.start), last: self.line_of(last_byte) }
    }

    /// The bytes of whole lines, without the last line's break; `None` where a line does not exist.
    pub fn span(&self, lines: Lines) -> Option<Span> {
        let first = (lines.first as usize).checked_sub(1)?;
        let last = (lines.last as usize).checked_sub(1)?;
        if first > last || last >= self.count() {
            return None;
        }
        let end = self.starts.get(last + 1).map_or(self.length, |next| next - 1);
        Some(Span { start: self.starts[first], end })
    }

    /// Number of lines. A break at the very end does not begin another.
    pub fn count(&self) -> usize {
        let trailing = self.starts.len() > 1 && self.starts.last() == Some(&self.length);
        self.starts.len() - usize::from(trailing)
    }

    fn line_of(&self, offset: usize) -> u32 {
        self.starts.partition_point(|&start| start <= offset) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_and_lines_agree() {
        let text = "one\ntwo\n\nfour\n";
        let index = LineIndex::new(text);
        assert_eq!(index.count(), 4);
        for (first, last, expected) in
            [(1, 1, "one"), (2, 3, "two\n"), (4, 4, "four"), (1, 4, "one\ntwo\n\nfour")]
        {
            let span = index.span(Lines { first, last }).expect("the lines exist");
            assert_eq!(span.of(text), expected);
            if !expected.ends_with('\n') {
                assert_eq!(index.lines(span), Lines { first, last });
            }
        }
        for (first, last) in [(0, 1), (5, 5), (3, 2), (1, 5)] {
            assert_eq!(index.span(Lines { first, last }), None);
        }
    }
}
