//! Sentences for people, one after the other as they come, wrapped to the terminal.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use textwrap::core::display_width;

use super::text::{PLACE, width};
use super::written::SentenceView;
use crate::console::printable;

const DOUBT: Style = AnsiColor::Yellow.on_default();

/// Where sentences begin, in columns.
const INDENT: usize = 2;

/// A text that grows.
pub(crate) struct Prose<W> {
    out: W,
    width: usize,
    /// Columns of the line that were written.
    column: usize,
}

impl<W: Write> Prose<W> {
    /// One that wraps where the terminal does.
    pub(crate) fn new(out: W) -> Self {
        Prose { out, width: width(), column: 0 }
    }

    /// Adds a sentence, what it cites, and what speaks against it.
    pub(crate) fn sentence(&mut self, sentence: &SentenceView) -> io::Result<()> {
        if sentence.new_paragraph && self.column > 0 {
            self.out.write_all(b"\n\n")?;
            self.column = 0;
        }
        self.words(&sentence.text, Style::new())?;
        let numbers: String = sentence.citations.iter().map(|number| format!("[{number}]")).collect();
        self.words(&numbers, PLACE)?;
        self.words(&sentence.mark().unwrap_or_default(), DOUBT)?;
        self.out.flush()
    }

    /// Ends the last line, if one was begun.
    pub(crate) fn end(mut self) -> io::Result<()> {
        if self.column > 0 {
            writeln!(self.out)?;
        }
        self.out.flush()
    }

    fn words(&mut self, text: &str, style: Style) -> io::Result<()> {
        printable(text).split_whitespace().try_for_each(|word| {
            let columns = display_width(word);
            if self.column > 0 && self.column + 1 + columns > self.width {
                writeln!(self.out)?;
                self.column = 0;
            }
            let space = if self.column == 0 { INDENT } else { 1 };
            self.column += space + columns;
            write!(self.out, "{:space$}{style}{word}{style:#}", "")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::written::MarkView;

    #[test]
    fn sentences_flow_with_their_marks() {
        let sentence = |text: &str, new_paragraph| SentenceView {
            text: text.to_owned(),
            citations: vec![1, 2],
            supported: false,
            support: 0.1,
            marks: vec![MarkView { kind: "not_said", text: None, says: "not there".to_owned() }],
            new_paragraph,
        };
        let mut out = Vec::new();
        let mut prose = Prose { out: &mut out, width: 24, column: 0 };
        prose.sentence(&sentence("Roofs are\u{1b} slate.", false)).expect("memory");
        prose.sentence(&sentence("Walls are brick.", true)).expect("memory");
        prose.end().expect("memory");
        let text = anstream::adapter::strip_bytes(&out).into_vec();
        assert_eq!(
            String::from_utf8(text).expect("text"),
            "  Roofs are\u{fffd} slate.\n  [1][2] (? not there)\n\n  Walls are brick.\n  [1][2] (? not there)\n"
        );
    }
}
