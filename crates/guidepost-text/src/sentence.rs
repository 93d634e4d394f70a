//! Sentences and words: what answers are made of, and what lexical evidence is counted in.

use unicode_segmentation::UnicodeSegmentation;

use crate::Span;

/// Nothing inside bold text ends a sentence, unless a mark is missing: then it is not bold for longer than this, in bytes.
const LONGEST_BOLD: usize = 500;

/// The sentences of a text as byte spans, trimmed, in order. Every list item and every line of a table begins a
/// sentence of its own; a hard-wrapped paragraph does not.
pub fn sentences(text: &str) -> Vec<Span> {
    let mut found = Vec::new();
    for paragraph in paragraphs(text) {
        let mut pending: Option<Span> = None;
        let mut bold = false;
        // Unicode's rules end a sentence at every line break; in a hard-wrapped paragraph it is a space.
        let flowing = paragraph.of(text).replace('\n', " ");
        for (offset, piece) in flowing.split_sentence_bound_indices() {
            let start = paragraph.start + offset;
            let span = Span { start, end: start + piece.len() };
            let joined = pending.take().map_or(span, |before| before.join(span));
            bold ^= piece.matches("**").count() % 2 == 1;
            if (bold && joined.end - joined.start < LONGEST_BOLD) || ends_early(joined.of(text)) {
                pending = Some(joined);
            } else {
                found.push(joined.trim(text));
                bold = false;
            }
        }
        found.extend(pending.map(|span| span.trim(text)));
    }
    found.retain(|span| span.of(text).chars().any(char::is_alphanumeric));
    found
}

/// Runs of lines that flow into each other.
fn paragraphs(text: &str) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut at = 0;
    let mut flows = false;
    let mut quoted = false;
    for line in text.split_inclusive('\n') {
        let span = Span { start: at, end: at + line.len() };
        at += line.len();
        let content = line.trim();
        match spans.last_mut() {
            // A quotation marks every line of its paragraph.
            Some(last)
                if flows
                    && !content.is_empty()
                    && (!begins_anew(content) || (quoted && is_quoted(content))) =>
            {
                last.end = span.end;
            }
            _ => spans.push(span),
        }
        quoted = is_quoted(content);
        flows = !content.is_empty() && !content.starts_with('|') && !content.starts_with("```");
    }
    spans
}

/// Whether a line begins a list item, a table row, a quotation, a heading or a fence: none of them goes on a sentence of
/// the line above.
pub fn begins_anew(line: &str) -> bool {
    let line = line.trim_start();
    let marked = ["|", "> ", "#", "```", "~~~"].iter().any(|mark| line.starts_with(mark));
    marked || list_mark(line).is_some()
}

/// Bytes of the list mark at the beginning of a line, with the space behind it: `- `, `* `, `• `, `12. `, `3) `.
pub fn list_mark(line: &str) -> Option<usize> {
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let mark = if digits > 0 && digits < 4 {
        digits + usize::from(line[digits..].starts_with(['.', ')']))
    } else {
        line.chars().next().filter(|c| "-*+•‣–·".contains(*c)).map_or(0, char::len_utf8)
    };
    let marked = mark > digits || (digits == 0 && mark > 0);
    (marked && line[mark..].starts_with([' ', '\t'])).then_some(mark + 1)
}

fn is_quoted(line: &str) -> bool {
    line.starts_with("> ")
}

/// A full stop behind an abbreviation, an initial or a list number ends no sentence.
fn ends_early(sentence: &str) -> bool {
    let Some(body) = sentence.trim_end().strip_suffix('.') else { return false };
    let last = body.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or(body);
    let initial = last.chars().count() == 1 && last.chars().all(char::is_uppercase);
    let numbered = body.trim() == last && last.chars().all(|c| c.is_ascii_digit());
    let known = ["e.g", "i.e", "etc", "vs", "Dr", "Mr", "Mrs", "Ms", "St", "No", "cf", "approx", "resp"];
    initial || numbered || known.contains(&last)
}

/// The words of a text, lower case, in order, by Unicode's word boundaries.
pub fn words(text: &str) -> Vec<String> {
    text.unicode_words().map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<&str> = sentences(text).into_iter().map(|span| span.of(text)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn sentences_end_where_a_reader_ends_them() {
        check("", &[]);
        check("One. Two! Three?", &["One.", "Two!", "Three?"]);
        check("A line\nthat goes on. Next.", &["A line\nthat goes on.", "Next."]);
        check("Use tools, e.g. Git. Then ship.", &["Use tools, e.g. Git.", "Then ship."]);
        check("By J. Smith and A. Lee. Good.", &["By J. Smith and A. Lee.", "Good."]);
        check(
            "- one\n- two\n  goes on\n\n1. three\n2. four",
            &["- one", "- two\n  goes on", "1. three", "2. four"],
        );
        check("Learn\n**bold** words\n-5 degrees.", &["Learn\n**bold** words\n-5 degrees."]);
        check("> **A**: quoted\n> over two lines. Next.", &["> **A**: quoted\n> over two lines.", "Next."]);
        check("- **First: plan.** Then do. Rest.", &["- **First: plan.** Then do.", "Rest."]);
        check("| a | b |\n|---|---|\n| c | d |", &["| a | b |", "| c | d |"]);
    }
}
