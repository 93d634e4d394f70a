//! What a language model writes, sentence by sentence, with what each cites; taken apart while it comes.

use guidepost_text::{Span, sentences};

use crate::prompt::on_one_line;

/// A sentence that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Without its citations.
    pub text: String,
    /// The numbers that it cites, each once, in order.
    pub cited: Vec<usize>,
    /// What stands before it: nothing, a space, or the end of a paragraph.
    pub before: String,
}

/// A text that is being written.
#[derive(Debug, Default)]
pub struct Draft {
    text: String,
    /// Bytes of it that were given out.
    taken: usize,
}

impl Draft {
    /// Adds a piece, and gives out what is complete: a sentence is where another one has begun, whose first words are no
    /// citation.
    pub fn push(&mut self, piece: &str) -> Vec<Written> {
        self.text.push_str(piece);
        let spans = self.spans();
        let complete = spans.len().saturating_sub(1);
        self.take(&spans[..complete])
    }

    /// Gives out the rest.
    pub fn finish(mut self) -> Vec<Written> {
        let spans = self.spans();
        self.take(&spans)
    }

    /// The sentences that were not given out yet, each with the citations behind it.
    fn spans(&self) -> Vec<Span> {
        let rest = &self.text[self.taken..];
        let mut spans: Vec<Span> = Vec::new();
        for span in sentences(rest) {
            // `... on time. [1] Then ...`: what cites belongs to the sentence before.
            let own = span.of(rest);
            let marks = own.len() - after_marks(own).len();
            if marks > 0
                && let Some(before) = spans.last_mut()
            {
                before.end = span.start + marks;
            }
            let start = span.start + if spans.is_empty() { 0 } else { marks };
            let begun = &own[start - span.start..];
            if begun.chars().any(char::is_alphanumeric) && !is_unfinished_mark(begun) {
                spans.push(Span { start, end: span.end });
            }
        }
        spans
    }

    fn take(&mut self, spans: &[Span]) -> Vec<Written> {
        let rest = self.text[self.taken..].to_owned();
        let mut end = 0;
        let mut written = Vec::new();
        for span in spans {
            let gap = &rest[end..span.start];
            let before = match () {
                () if self.taken + end == 0 => "",
                () if gap.contains('\n') => "\n\n",
                () => " ",
            };
            let (text, cited) = without_marks(span.of(&rest));
            if text.chars().any(char::is_alphanumeric) {
                written.push(Written { text, cited, before: before.to_owned() });
            }
            end = span.end;
        }
        self.taken += end;
        written
    }
}

/// The text behind citations that it begins with.
fn after_marks(text: &str) -> &str {
    let mut rest = text;
    while let Some((_, _, after)) = next_mark(rest).filter(|(before, ..)| before.trim().is_empty()) {
        rest = after;
    }
    if rest.len() == text.len() { text } else { rest.trim_start_matches(['.', ' ']) }
}

/// Whether a text could become a citation: it belongs to the sentence before then.
fn is_unfinished_mark(text: &str) -> bool {
    let inside = text.trim().strip_prefix('[');
    inside.is_some_and(|inside| inside.chars().all(|c| c.is_ascii_digit() || [',', ';', ' '].contains(&c)))
}

/// A sentence without its citations, and their numbers.
fn without_marks(sentence: &str) -> (String, Vec<usize>) {
    let (mut text, mut cited, mut rest) = (String::new(), Vec::new(), sentence);
    while let Some((before, numbers, after)) = next_mark(rest) {
        text.push_str(before.trim_end());
        cited.extend(numbers.into_iter().filter(|number| !cited.contains(number)).collect::<Vec<_>>());
        rest = after;
    }
    text.push_str(rest);
    (on_one_line(&text), cited)
}

/// The text before the next citation, its numbers, and the text behind it: `[1]`, `[1, 2]`.
fn next_mark(text: &str) -> Option<(&str, Vec<usize>, &str)> {
    for (open, _) in text.match_indices('[') {
        let length = text[open..].find(']')?;
        let numbers =
            text[open + 1..open + length].split([',', ';']).map(|number| number.trim().parse().ok());
        if let Some(numbers) = numbers.collect::<Option<Vec<usize>>>() {
            return Some((&text[..open], numbers, &text[open + length + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However it is cut, the same comes out.
    #[track_caller]
    fn check(text: &str, expected: &[(&str, &[usize])]) {
        for size in [1, 3, 7, text.len().max(1)] {
            let mut draft = Draft::default();
            let pieces: Vec<char> = text.chars().collect();
            let mut written: Vec<Written> = Vec::new();
            for piece in pieces.chunks(size) {
                written.extend(draft.push(&piece.iter().collect::<String>()));
            }
            written.extend(draft.finish());
            let shown: Vec<(&str, &[usize])> =
                written.iter().map(|written| (written.text.as_str(), &written.cited[..])).collect();
            assert_eq!(shown, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn sentences_keep_what_they_cite() {
        check(
            "Roofs are slate [1]. Walls are brick [1][2].",
            &[("Roofs are slate.", &[1]), ("Walls are brick.", &[1, 2])],
        );
        check(
            "Roofs are slate. [1] Walls are brick. [2, 3]",
            &[("Roofs are slate.", &[1]), ("Walls are brick.", &[2, 3])],
        );
        check(
            "It takes 3.5 years [2].\n\nThe guides do not say.",
            &[("It takes 3.5 years.", &[2]), ("The guides do not say.", &[])],
        );
        check("See [the list] first [4].", &[("See [the list] first.", &[4])]);
        check("", &[]);
        check("[1]", &[]);
        check("No end", &[("No end", &[])]);
        check("Cut off within a citation. [1", &[("Cut off within a citation.", &[])]);
    }

    #[test]
    fn what_is_complete_is_given_out_at_once() {
        let mut draft = Draft::default();
        assert!(draft.push("Roofs are slate [1].").is_empty(), "a citation could follow");
        assert_eq!(draft.push(" Walls").len(), 1);
        assert_eq!(draft.push(" are brick [2].\n\nNext").len(), 1);
        let last = draft.finish();
        assert_eq!((last[0].text.as_str(), last[0].before.as_str()), ("Next", "\n\n"));
    }
}
