//! reStructuredText, by its headings. The lines of the file stay as they are.

use crate::Section;
use crate::line_outline::{Line, Mark, cut};

/// Cuts the text from byte `start` on.
pub(crate) fn sections(text: &str, start: usize) -> Vec<Section> {
    // A level is a style of lines below and above; the order in which styles turn up is the order of levels.
    let mut styles: Vec<(char, bool)> = Vec::new();
    cut(text, start, &mut |lines, at| {
        let Some((style, label, taken)) = heading(lines, at) else { return literal(lines, at) };
        let level = styles.iter().position(|known| *known == style).unwrap_or_else(|| {
            styles.push(style);
            styles.len() - 1
        });
        Mark::Heading { level: level + 1, label, lines: taken }
    })
}

/// A heading that begins at this line: its style, its text, and how many lines it takes.
fn heading(lines: &[Line], at: usize) -> Option<((char, bool), String, usize)> {
    let text = |at: usize| lines.get(at).map_or("", |line| line.text);
    let set_off = at == 0 || text(at - 1).is_empty() || adornment(text(at - 1)).is_some();
    if !set_off || text(at).is_empty() || lines[at].indent > 0 {
        return None;
    }
    let long_enough = |line: &str, title: &str| {
        // Writers forget to lengthen a line when they lengthen the title; the standard warns, and takes it.
        line.chars().count() + 3 >= title.chars().count()
    };
    if let Some(mark) = adornment(text(at)) {
        let (title, below) = (text(at + 1), text(at + 2));
        let closed = adornment(below) == Some(mark) && !title.is_empty() && adornment(title).is_none();
        return (closed && long_enough(below, title)).then(|| ((mark, true), title.to_owned(), 3));
    }
    let mark = adornment(text(at + 1)).filter(|_| lines[at + 1].indent == 0)?;
    long_enough(text(at + 1), text(at)).then(|| ((mark, false), text(at).to_owned(), 2))
}

/// The one punctuation mark that a line is made of.
fn adornment(line: &str) -> Option<char> {
    let mark = line.chars().next().filter(char::is_ascii_punctuation)?;
    (line.len() >= 2 && line.chars().all(|c| c == mark)).then_some(mark)
}

/// The indented lines below `.. code-block::`, or below a paragraph that ends with `::`, are taken as they are.
fn literal(lines: &[Line], at: usize) -> Mark {
    let line = &lines[at];
    if line.indent == 0 || line.text.is_empty() {
        return Mark::None;
    }
    let before = lines[..at].iter().rev().find(|line| !line.text.is_empty());
    let announced = before.is_some_and(|line| {
        line.text.ends_with("::") || (line.text.starts_with(".. ") && line.text.contains("code"))
    });
    if !announced {
        return Mark::None;
    }
    let inside = |line: &&Line| line.indent > 0 || line.text.is_empty();
    let count = lines[at..].iter().take_while(inside).count();
    let blank = lines[at..at + count].iter().rev().take_while(|line| line.text.is_empty()).count();
    Mark::Verbatim { lines: count - blank }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line_outline::draw;

    #[test]
    fn headings_are_told_by_the_lines_below_and_above() {
        let text = "=====\nGuide\n=====\n\nIntro.\n\nFirst\n-----\n\n- one\n- two\n\nDeep\n~~~~\n\nCode::\n\n    Title\n    -----\n\nSecond\n------\nend\n";
        assert_eq!(
            draw(text, &sections(text, 0)),
            [
                "Guide: Intro.",
                "Guide > First: - one | - two",
                "Guide > First > Deep: Code:: | Title\n    -----",
                "Guide > Second: end",
            ]
        );
    }

    #[test]
    fn lines_that_divide_are_no_headings() {
        let text = "A paragraph.\n\n----\n\nAnother.\n";
        assert_eq!(draw(text, &sections(text, 0)), [": A paragraph. | ---- | Another."]);
    }
}
