//! Plain text to sections. Text scraped from a page has headings that lost their marks; what tells them is their
//! shape and what follows them.

use crate::line_outline::{Line, Mark, cut};
use crate::{Section, list_mark};

/// Cuts the text from byte `start` on. Spans count from the beginning of `text`.
pub(crate) fn sections(text: &str, start: usize) -> Vec<Section> {
    cut(text, start, &mut |lines, at| match heading_at(lines, at) {
        Some((level, label, lines)) => Mark::Heading { level, label, lines },
        None => Mark::None,
    })
}

/// Level, label and number of lines of a heading that begins at this line.
fn heading_at(lines: &[Line], at: usize) -> Option<(usize, String, usize)> {
    let line = lines[at].text;
    let next = lines.get(at + 1).map_or("", |line| line.text);
    if line.is_empty() {
        return None;
    }
    let marks = line.len() - line.trim_start_matches('#').len();
    if (1..=6).contains(&marks) && line[marks..].starts_with(' ') {
        return Some((marks, label(&line[marks..]), 1));
    }
    if let Some(level) = underline(next).filter(|_| list_mark(line).is_none()) {
        return Some((level, label(line), 2));
    }
    // Anchors of scraped pages leave a zero-width space behind their heading.
    if line.ends_with('\u{200b}') {
        return Some((2, label(line), 1));
    }
    // The first line that says something may be the title.
    let first = at == 0;
    let looks = looks_like_heading(line) && leads_somewhere(lines, at);
    (looks || (first && looks_like_heading(line))).then(|| (if first { 1 } else { 2 }, label(line), 1))
}

fn underline(line: &str) -> Option<usize> {
    let all = |mark: char| line.len() >= 3 && line.chars().all(|c| c == mark);
    if all('=') {
        Some(1)
    } else if all('-') {
        Some(2)
    } else {
        None
    }
}

/// Short, not a list item, no sentence, and most words that carry meaning begin with a capital.
fn looks_like_heading(line: &str) -> bool {
    let words: Vec<&str> =
        line.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).collect();
    let long = words.iter().filter(|word| word.chars().count() > 3).count();
    let capital =
        words.iter().filter(|word| word.chars().count() > 3 && word.chars().any(char::is_uppercase)).count();
    let starts = line.chars().find(|c| c.is_alphanumeric()).is_some_and(|c| !c.is_lowercase());
    list_mark(line).is_none()
        && !words.is_empty()
        && words.len() <= 9
        && line.chars().count() <= 80
        && !line.ends_with(['.', '!', ';', ',', ':'])
        && starts
        && capital * 2 >= long
}

/// A heading is followed by text: a list, or a line that is clearly no heading itself.
fn leads_somewhere(lines: &[Line], at: usize) -> bool {
    let set_off = at == 0 || lines[at - 1].text.is_empty() || list_mark(lines[at - 1].text).is_some();
    let next = lines[at + 1..].iter().map(|line| line.text).find(|text| !text.is_empty());
    set_off && next.is_some_and(|text| list_mark(text).is_some() || !looks_like_heading(text))
}

/// The heading without zero-width spaces, and without the symbols in front of it.
fn label(line: &str) -> String {
    let words = line.trim_matches(|c: char| c.is_whitespace() || c == '\u{200b}' || c == '#');
    let start = words.find(|c: char| c.is_alphanumeric() || c.is_ascii_punctuation()).unwrap_or(0);
    words[start..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line_outline::draw;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(draw(text, &sections(text, 0)), expected);
    }

    #[test]
    fn prose_has_no_headings() {
        check("", &[]);
        check("just a line of text, nothing else.", &[": just a line of text, nothing else."]);
        check("first line\nof a paragraph.\n\nSecond one.", &[": first line\nof a paragraph. | Second one."]);
        check("- a list item\n  that goes on\n- another", &[": - a list item\n  that goes on | - another"]);
    }

    #[test]
    fn headings_are_told_by_their_shape() {
        check(
            "The Title\n\nSkills You Need\n- SQL\n- Python\nReality Check\nIt is hard at first.\n",
            &[
                "The Title: ",
                "The Title > Skills You Need: - SQL | - Python",
                "The Title > Reality Check: It is hard at first.",
            ],
        );
        check(
            "🤖 AI: The Future\nWhat It Is\u{200b}\nText here.\nResources\u{200b}\nBooks\u{200b}\n- One",
            &[
                "AI: The Future: ",
                "AI: The Future > What It Is: Text here.",
                "AI: The Future > Resources: ",
                "AI: The Future > Books: - One",
            ],
        );
        check(
            "Title\n=====\ntext\n\nPart\n----\nmore\n# Marked\nend",
            &["Title: text", "Title > Part: more", "Marked: end"],
        );
    }
}
