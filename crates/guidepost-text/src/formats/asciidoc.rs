//! AsciiDoc, by its headings. The lines of the file stay as they are.

use crate::Section;
use crate::line_outline::{Line, Mark, cut};

/// Cuts the text from byte `start` on.
pub(crate) fn sections(text: &str, start: usize) -> Vec<Section> {
    cut(text, start, &mut mark)
}

/// Longest block in lines between two delimiters. A delimiter that nothing closes must not be looked for in all that
/// follows: there may be thousands of them.
const MAX_BLOCK: usize = 10_000;

/// `= Title` to `====== Deepest`; between two lines `----`, `....` or `++++` stands text that is taken as it is.
fn mark(lines: &[Line], at: usize) -> Mark {
    let line = lines[at].text;
    let level = line.len() - line.trim_start_matches('=').len();
    if (1..=6).contains(&level) && line[level..].starts_with(' ') {
        let label = line[level..].trim().trim_end_matches(&"=".repeat(level)).trim_end();
        return Mark::Heading { level, label: label.to_owned(), lines: 1 };
    }
    if is_delimiter(line) {
        let end = lines[at + 1..].iter().take(MAX_BLOCK).position(|other| other.text == line);
        return Mark::Verbatim { lines: end.map_or(1, |end| end + 2) };
    }
    Mark::None
}

fn is_delimiter(line: &str) -> bool {
    let fence = |mark: char| line.len() >= 4 && line.chars().all(|c| c == mark);
    line == "|===" || ['-', '.', '+', '/'].into_iter().any(fence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line_outline::draw;

    #[test]
    fn headings_are_told_by_their_marks() {
        let text = "= Guide\n:author: Ada\n\nIntro.\n\n== First ==\n\n* one\n* two\n\n----\n== no heading\n----\n\n=== Deep\nend\n\n== Second\n";
        assert_eq!(
            draw(text, &sections(text, 0)),
            [
                "Guide: :author: Ada | Intro.",
                "Guide > First: * one | * two | ----\n== no heading\n----",
                "Guide > First > Deep: end",
                "Guide > Second: ",
            ]
        );
        let open = "== A\n----\nnever closed\n== B\n";
        assert_eq!(draw(open, &sections(open, 0)), ["A: ---- | never closed", "B: "]);
    }
}
