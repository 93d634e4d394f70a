//! Tools: names that are known, wherever they stand, and names in lists that say they are of tools.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::entries::{Entry, Form, Style};
use super::expect;
use super::titles::pieces;

/// A tool in an entry's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mention {
    /// First byte in the entry's text.
    pub(super) start: usize,
    /// One past the last byte.
    pub(super) end: usize,
    /// The name by which all its spellings go.
    pub(super) name: String,
}

/// One line per tool: its name, then other spellings between `|`. With `?` in front it counts only as it is spelled, and
/// not where a sentence begins; with `??` it is a common word besides, and counts only where it stands as a name.
const NAMES: &str = include_str!("tools.txt");

struct Known {
    spelling: &'static str,
    name: &'static str,
    doubt: Doubt,
}

/// Whether a spelling may mean something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    None,
    /// In another case, or where a sentence begins.
    Case,
    /// Anywhere.
    Always,
}

/// Known spellings by their first word, lower case; longest first.
static KNOWN: LazyLock<HashMap<String, Vec<Known>>> = LazyLock::new(|| {
    let mut known: HashMap<String, Vec<Known>> = HashMap::new();
    for line in NAMES.lines().filter(|line| !line.is_empty() && !line.starts_with("//")) {
        let doubt = match line.len() - line.trim_start_matches('?').len() {
            0 => Doubt::None,
            1 => Doubt::Case,
            _ => Doubt::Always,
        };
        let mut spellings = line.trim_start_matches('?').split('|').map(str::trim);
        let name = spellings.next().unwrap_or_default();
        for spelling in std::iter::once(name).chain(spellings) {
            known.entry(first_word(spelling)).or_default().push(Known { spelling, name, doubt });
        }
    }
    known.values_mut().for_each(|list| list.sort_by_key(|known| std::cmp::Reverse(known.spelling.len())));
    known
});

fn first_word(text: &str) -> String {
    let word: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '.').collect();
    word.trim_end_matches('.').to_lowercase()
}

/// The name by which a tool goes, where it is known.
pub fn tool_name(spelling: &str) -> Option<&'static str> {
    let list = KNOWN.get(&first_word(spelling))?;
    list.iter().find(|known| known.spelling.eq_ignore_ascii_case(spelling)).map(|known| known.name)
}

/// The tools of an entry outside of `taken`, in order. Between the offsets of `lists`, its heading, label or column announces
/// tools.
pub(super) fn mentions(entry: &Entry, taken: &[(usize, usize)], lists: &[(usize, usize)]) -> Vec<Mention> {
    let mut found = known_mentions(entry);
    lists.iter().for_each(|&(start, end)| listed(entry, start, end, &mut found));
    in_code(entry, !lists.is_empty(), &mut found);
    found.retain(|mention| taken.iter().all(|&(start, end)| mention.end <= start || end <= mention.start));
    found.sort_by_key(|mention| mention.start);
    found
}

fn known_mentions(entry: &Entry) -> Vec<Mention> {
    let text = &entry.text;
    let mut found: Vec<(Mention, Doubt)> = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let Some((known, end)) = known_at(text, at) else {
            at = next_word(text, at);
            continue;
        };
        found.push((Mention { start: at, end, name: known.name.to_owned() }, known.doubt));
        at = end;
    }
    let sure = found.iter().filter(|(_, doubt)| *doubt != Doubt::Always).count();
    let keeps = |(mention, doubt): (Mention, Doubt)| {
        let stands = match doubt {
            Doubt::None => true,
            Doubt::Case => {
                !begins_sentence(&text[..mention.start]) || stands_as_name(entry, &mention, sure - 1)
            }
            Doubt::Always => stands_as_name(entry, &mention, sure),
        };
        stands.then_some(mention)
    };
    found.into_iter().filter_map(keeps).collect()
}

fn begins_sentence(before: &str) -> bool {
    before.trim_end().is_empty() || before.trim_end().ends_with(['.', '!', '?'])
}

/// The known name that begins at a byte, and where it ends.
fn known_at(text: &str, at: usize) -> Option<(&'static Known, usize)> {
    let rest = &text[at..];
    let before = text[..at].chars().next_back();
    if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '@' | '.' | '#' | '-')) {
        return None;
    }
    KNOWN.get(&first_word(rest))?.iter().find_map(|known| {
        let head = rest.get(..known.spelling.len())?;
        let same = match known.doubt {
            Doubt::None => head.eq_ignore_ascii_case(known.spelling),
            Doubt::Case | Doubt::Always => head == known.spelling,
        };
        let end = at + head.len();
        (same && ends_there(&text[end..]) && !is_of_a_role(&text[end..])).then_some((known, end))
    })
}

fn ends_there(rest: &str) -> bool {
    let mut rest = rest.chars();
    match rest.next() {
        Some('+' | '#' | '_' | '&') => false,
        Some('.' | '-') => rest.next().is_none_or(|c| !c.is_ascii_digit()),
        next => next.is_none_or(|c| !c.is_alphanumeric()),
    }
}

/// `Python developer` is no mention of Python.
fn is_of_a_role(rest: &str) -> bool {
    let word: String = rest.trim_start().chars().take_while(|c| c.is_alphabetic()).collect();
    let word = word.to_lowercase();
    ["developer", "engineer", "programmer", "specialist", "administrator"]
        .iter()
        .any(|role| word.trim_end_matches('s') == *role)
}

/// Whether a common word stands as a name here: set off, or between commas or slashes with tools beside it.
fn stands_as_name(entry: &Entry, mention: &Mention, sure: usize) -> bool {
    let text = &entry.text;
    let marked = entry.marks.iter().any(|mark| {
        mark.style != Style::Quoted
            && mark.start <= mention.start
            && mention.end <= mark.end
            && mark.end - mark.start <= mention.end - mention.start + 2
    });
    let before = text[..mention.start].trim_end_matches(' ');
    let after = text[mention.end..].trim_start_matches(' ');
    let opens = before.is_empty()
        || before.ends_with([',', '/', ':', '(', '+', ';', '&'])
        || before.ends_with(" and")
        || before.ends_with(" or");
    let closes = after.is_empty()
        || after.starts_with([',', '/', ')', ';', '+', '&', '.', ':', '('])
        || after.starts_with("and ")
        || after.starts_with("or ");
    let alone = matches!(entry.form, Form::Item { .. }) && before.is_empty() && closes;
    marked || alone || (sure > 0 && (opens || closes) && (opens || !before.is_empty()))
}

fn next_word(text: &str, at: usize) -> usize {
    let mut chars = text[at..].char_indices();
    let inside = chars.next().is_some_and(|(_, c)| c.is_alphanumeric());
    let mut ended = !inside;
    for (offset, c) in chars {
        ended |= !c.is_alphanumeric();
        if ended && (c.is_alphanumeric() || c == '.') {
            return at + offset;
        }
    }
    text.len()
}

/// The names in a list that is said to be of tools.
fn listed(entry: &Entry, from: usize, to: usize, found: &mut Vec<Mention>) {
    let text = &entry.text;
    for (start, end) in pieces(&text[..to], from) {
        for piece in text[start..end].split(" and ").flat_map(|piece| piece.split(" or ")) {
            let name = piece.split(['(', ':', '–']).next().unwrap_or_default();
            let name = name.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '+' | '#'));
            let begin = name.as_ptr() as usize - text.as_ptr() as usize;
            let free = found.iter().all(|m| m.end <= begin || begin + name.len() <= m.start);
            if free && is_name(name) {
                found.push(Mention { start: begin, end: begin + name.len(), name: name.to_owned() });
            }
        }
    }
}

/// Whether a piece of a list is a name: a few words, each of them capitalized, and more than initials.
fn is_name(name: &str) -> bool {
    let words: Vec<&str> = name.split(' ').collect();
    let capitalized =
        |word: &&str| word.chars().next().is_some_and(|c| c.is_uppercase() || c.is_ascii_digit());
    let initials = name.chars().all(|c| !c.is_lowercase());
    (1..=3).contains(&words.len())
        && words.iter().all(capitalized)
        && !initials
        && expect::announced(name).is_none()
}

/// Code in lists: names of commands and libraries, where tools are expected or where a list of code has a known tool in it.
fn in_code(entry: &Entry, expected: bool, found: &mut Vec<Mention>) {
    let spans: Vec<(usize, usize)> = entry
        .marks
        .iter()
        .filter(|mark| mark.style == Style::Code)
        .map(|mark| (mark.start, mark.end))
        .collect();
    let covered: usize = spans.iter().map(|(start, end)| end - start).sum();
    let list = entry.is_item() && covered * 2 > entry.text.len().saturating_sub(entry.label_length());
    let in_company = found.iter().any(|m| spans.iter().any(|&(start, end)| start <= m.start && m.end <= end));
    if !(expected || (list && in_company)) {
        return;
    }
    for (start, end) in spans {
        let name = &entry.text[start..end];
        let identifier =
            name.len() > 1 && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '.' | '+'));
        let free = found.iter().all(|m| m.end <= start || end <= m.start);
        if identifier && free {
            found.push(Mention { start, end, name: name.to_owned() });
        }
    }
}
