//! Projects: what a guide proposes to build, as a heading, an item of a list or behind a label.

use super::entries::{Entry, Style};
use super::expect;

/// A proposal in an entry's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proposal {
    /// First byte in the entry's text.
    pub(super) start: usize,
    /// One past the last byte.
    pub(super) end: usize,
    pub(super) level: Option<&'static str>,
}

/// The proposal of an entry, from byte `from` on: without its level, up to where its description begins.
pub(super) fn proposal(entry: &Entry, from: usize, labeled: bool) -> Option<Proposal> {
    let text = &entry.text[from..];
    let (level, skipped) = match expect::level(text) {
        Some((level, skipped)) => (Some(level), skipped),
        None => {
            (None, text.len() - text.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '(').len())
        }
    };
    let start = from + skipped;
    let rest = &entry.text[start..];
    // What is bold up to its own full stop is the whole of it.
    let bold = entry
        .marks
        .iter()
        .find(|mark| mark.style == Style::Strong && mark.start <= start && mark.end > start);
    let closed = bold.filter(|mark| {
        entry.text[..mark.end].ends_with(['.', ':', '!', '?'])
            || entry.text[mark.end..].trim_start().starts_with([':', '–', '—'])
    });
    let length = match (closed, labeled) {
        (Some(mark), _) => mark.end - start,
        (None, true) => sentence_length(rest),
        (None, false) => sentence_length(rest).min(rest.find(": ").unwrap_or(rest.len())),
    };
    let end = start + rest[..length].trim_end_matches([' ', '.', ':']).len();
    let words = entry.text[start..end].split_whitespace().count();
    (words >= 2).then_some(Proposal { start, end, level })
}

/// Bytes of the first sentence.
fn sentence_length(text: &str) -> usize {
    let stop = text.match_indices(['.', '!', '?']).find(|&(at, _)| {
        let rest = &text[at + 1..];
        let next = rest.trim_start().chars().next();
        rest.is_empty() || rest.starts_with(' ') && next.is_none_or(char::is_uppercase)
    });
    stop.map_or(text.len(), |(at, _)| at)
}
