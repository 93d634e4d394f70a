//! Titles in running text: where one begins and ends, and who stands behind it.

use super::entries::{Entry, Mark, Style};
use super::expect::{self, WordList};
use super::tools::tool_name;
use crate::ResourceKind;

/// A title in an entry's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Title {
    /// First byte in the entry's text.
    pub(super) start: usize,
    /// One past the last byte.
    pub(super) end: usize,
    /// Author or provider.
    pub(super) by: Option<String>,
    /// Where its author or provider ends; `end` where none is named.
    pub(super) until: usize,
    pub(super) url: Option<String>,
}

/// Books of an entry from byte `from` on. Where books are expected, whatever is set off is a title; elsewhere, what is in
/// italics, in quotation marks or linked, and says by which person it is.
pub(super) fn books(entry: &Entry, from: usize, expected: bool) -> Vec<Title> {
    let marks: Vec<&Mark> = title_marks(entry, from).collect();
    let mut titles = Vec::new();
    for mark in &marks {
        let title = title_at(entry, mark, |rest, _| byline(rest));
        let stands_alone = || mark.style != Style::Strong && is_by_a_person(entry, mark, &title);
        if begins_upper(&entry.text[mark.start..mark.end]) && (expected || stands_alone()) {
            titles.push(title);
        }
    }
    if expected && marks.is_empty() && entry.is_item() && from == 0 {
        titles.extend(plain(entry, from, entry.text.len()));
    } else if expected && marks.is_empty() {
        // Behind a label: `Books: A by B, C by D`.
        let listed =
            pieces(&entry.text, from).into_iter().filter_map(|(start, end)| plain(entry, start, end));
        titles.extend(listed.filter(|title| title.by.is_some()));
    }
    titles
}

/// Whether `by` and a name of at least two capitalized words follow a title.
fn is_by_a_person(entry: &Entry, mark: &Mark, title: &Title) -> bool {
    let rest = entry.text[mark.end..].trim_start_matches(['"', '”', '“', '»', ',', ' ']);
    let says_by = rest.starts_with("by ") || rest.starts_with("edited by ") || rest.starts_with("(by ");
    let capitalized = |by: &String| {
        by.split(' ').filter(|word| word.chars().next().is_some_and(char::is_uppercase)).count() >= 2
    };
    says_by && title.by.as_ref().is_some_and(capitalized)
}

/// Courses or certifications of an entry from byte `from` on, where they are expected.
pub(super) fn offers(entry: &Entry, from: usize, kind: ResourceKind, listed: bool) -> Vec<Title> {
    let marks: Vec<&Mark> = title_marks(entry, from).collect();
    let first = marks.first().filter(|mark| entry.text[from..mark.start].trim().is_empty());
    let titles: Vec<Title> = match first {
        Some(_) if entry.is_item() && !listed => side_by_side(entry, &marks),
        _ if !marks.is_empty() => marks.iter().map(|mark| title_at(entry, mark, provider)).collect(),
        _ if listed => pieces(&entry.text, from)
            .into_iter()
            .filter_map(|(start, end)| plain(entry, start, end))
            .collect(),
        _ if entry.is_item() => plain(entry, from, entry.text.len()).into_iter().collect(),
        _ if kind == ResourceKind::Certification => in_prose(entry, from),
        _ => Vec::new(),
    };
    let text = &entry.text;
    // `*Gone:* A Certified B closed.`
    let gone = |mark: &Mark| {
        let before = text.get(from..mark.start).is_some_and(|before| before.trim().is_empty());
        before && text[mark.start..mark.end].trim_end().ends_with(':')
    };
    let retired = expect::after(text[from..].trim_start(), &["retired"]).is_some()
        || entry.marks.iter().any(|mark| mark.style == Style::Emphasis && gone(mark));
    titles.into_iter().filter(|title| !retired && names_something(&text[title.start..title.end])).collect()
}

/// The kind that a title tells by itself: `.. Specialization`, `.. Certified ..`.
pub(super) fn kind_of_title(title: &str) -> Option<ResourceKind> {
    let words = expect::words(title);
    let kinds = [
        (ResourceKind::Certification, &CERTIFIED),
        (ResourceKind::Course, &TAUGHT),
        (ResourceKind::Book, &PRINTED),
    ];
    kinds.into_iter().find(|(_, telling)| words.iter().any(|word| telling.has(word))).map(|(kind, _)| kind)
}

static CERTIFIED: WordList = WordList::new("certified certificate certification comptia");
static TAUGHT: WordList = WordList::new(
    "course courses specialization nanodegree zoomcamp bootcamp micromasters mooc moocs tutorial tutorials masterclass",
);
static PRINTED: WordList = WordList::new("book handbook textbook");

/// What may be a title: set off, not as code, not inside another mark, and no label.
fn title_marks(entry: &Entry, from: usize) -> impl Iterator<Item = &Mark> {
    let mut until = from;
    entry.marks.iter().filter(move |mark| {
        let text = &entry.text[mark.start..mark.end];
        let label = text.trim_end().ends_with([':', '.'])
            || entry.text[mark.end..].starts_with(':') && expect::announced(text).is_some();
        let free = mark.start >= until && mark.style != Style::Code && !label;
        if free {
            until = mark.end;
        }
        free
    })
}

fn title_at(entry: &Entry, mark: &Mark, behind: fn(&str, &str) -> Option<(String, usize)>) -> Title {
    let text = &entry.text;
    let (start, end) = trimmed(text, mark.start, mark.end);
    let rest = text[mark.end..].strip_prefix(['"', '”', '“', '»']).unwrap_or(&text[mark.end..]);
    let skipped = text.len() - mark.end - rest.len();
    let by = behind(rest, &text[start..end]);
    let url = entry.url_within(mark.start, mark.end);
    let until = by.as_ref().map_or(mark.end + skipped, |(_, used)| mark.end + skipped + used);
    Title { start, end, by: by.map(|(by, _)| by), until, url }
}

/// The first title, and those that follow it with nothing but a comma or `and` between them; they share a provider.
fn side_by_side(entry: &Entry, marks: &[&Mark]) -> Vec<Title> {
    let mut titles: Vec<Title> = Vec::new();
    for (at, mark) in marks.iter().enumerate() {
        let between = at.checked_sub(1).map_or("", |before| &entry.text[marks[before].end..mark.start]);
        if !between.trim_matches(['"', '“', '”', ' ', ',']).is_empty() && between.trim() != "and" {
            break;
        }
        titles.push(title_at(entry, mark, provider));
    }
    let by = titles.last().and_then(|last| last.by.clone());
    titles.iter_mut().filter(|title| title.by.is_none()).for_each(|title| title.by.clone_from(&by));
    titles
}

/// A title that nothing sets off: up to its provider in parentheses, or to where a description begins.
fn plain(entry: &Entry, from: usize, to: usize) -> Option<Title> {
    let text = &entry.text[from..to];
    let (start, _) = trimmed(&entry.text, from, to);
    let lead = start - from;
    let end = lead + title_length(&text[lead..]);
    let (start, end) = trimmed(&entry.text, from + lead, from + end);
    let title = &entry.text[start..end];
    if !begins_upper(title) || !names_something(title) {
        return None;
    }
    let by = provider(&entry.text[end..to], title);
    let until = by.as_ref().map_or(end, |(_, used)| end + used);
    let url = entry.url_within(start, until);
    Some(Title { start, end, by: by.map(|(by, _)| by), until, url })
}

/// Bytes of the title at the beginning of a text.
fn title_length(text: &str) -> usize {
    let mut end = text.len();
    for (at, _) in text.match_indices([',', ':', ';', '(', '.', '–', '-', '—', 'b']) {
        let (before, rest) = (&text[..at], &text[at..]);
        let stops = match rest.chars().next() {
            Some('(' | ';') => true,
            Some('.') => rest[1..].is_empty() || rest[1..].starts_with(' ') && !is_initial(before),
            Some(',') => !next_is_upper(&rest[1..]) || provider(rest, before).is_some(),
            // `Microsoft Certified: ..` goes on.
            Some(':') => !before.ends_with("Certified"),
            Some('b') => before.ends_with(' ') && rest.starts_with("by ") && next_is_upper(&rest[2..]),
            Some(dash) => {
                before.ends_with(' ')
                    && rest[dash.len_utf8()..].starts_with(' ')
                    && !next_is_upper(&rest[dash.len_utf8()..])
            }
            None => true,
        };
        if stops && at > 0 {
            end = at;
            break;
        }
    }
    text[..end].trim_end_matches([' ', ',', '.', '-', '–']).len()
}

/// The parts of an inline list: `One (X), Two (Y) and Three`.
pub(super) fn pieces(text: &str, from: usize) -> Vec<(usize, usize)> {
    let mut pieces = Vec::new();
    let (mut start, mut depth) = (from, 0usize);
    for (at, c) in text.char_indices().filter(|&(at, _)| at >= from) {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' | ';' if depth == 0 => {
                pieces.push((start, at));
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces.push((start, text.len()));
    pieces
}

/// Where certifications are named in a sentence.
pub(super) fn certifications_in_prose(text: &str) -> Vec<(usize, usize)> {
    let telling = |run: &(usize, usize)| {
        let words = expect::words(&text[run.0..run.1]);
        words.len() > 1 && words.iter().any(|word| CERTIFYING.has(word))
    };
    capitalized_runs(text, 0).into_iter().filter(telling).collect()
}

/// Certifications in a sentence: runs of capitalized words with one that only certifications have, or the initials by
/// which they go.
fn in_prose(entry: &Entry, from: usize) -> Vec<Title> {
    let text = &entry.text;
    let mut found: Vec<(usize, usize)> = certifications_in_prose(text);
    found.retain(|&(start, _)| start >= from);
    if found.is_empty() {
        found = capitalized_runs(text, from);
        found.retain(|&(start, end)| {
            let run = &text[start..end];
            run.len() >= 4 && run.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        });
    }
    found
        .into_iter()
        .map(|(start, end)| {
            let end = end + abbreviation_length(&text[end..], &text[start..end]);
            let by = provider(&text[end..], &text[start..end]);
            let until = by.as_ref().map_or(end, |(_, used)| end + used);
            Title { start, end, by: by.map(|(by, _)| by), until, url: None }
        })
        .collect()
}

static CERTIFYING: WordList =
    WordList::new("certified certificate certification associate specialty comptia");

/// Bytes of the abbreviation of a title that follows it in parentheses.
fn abbreviation_length(rest: &str, title: &str) -> usize {
    let inside = rest.strip_prefix(" (").and_then(|rest| rest.split_once(')'));
    inside.filter(|(inside, _)| abbreviates(inside, title)).map_or(0, |(inside, _)| inside.len() + 3)
}

/// Runs of capitalized words with the small words between them.
fn capitalized_runs(text: &str, from: usize) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    let mut run: Option<(usize, usize)> = None;
    let mut at = from;
    for word in text[from..].split_inclusive(' ') {
        let (start, bare) = (at, word.trim_end());
        at += word.len();
        let core = bare.trim_end_matches([',', ';', ':', '.', ')']);
        let lead = core.len() - core.trim_start_matches('(').len();
        let upper = core[lead..].chars().next().is_some_and(char::is_uppercase);
        let joins = matches!(core, "of" | "for" | "in" | "on" | "&" | "–" | "-");
        match (&mut run, upper, joins) {
            (Some(open), true, _) if lead == 0 => open.1 = start + core.len(),
            (_, true, _) => {
                runs.extend(run.take());
                run = Some((start + lead, start + core.len()));
            }
            (_, false, true) => {}
            _ => runs.extend(run.take()),
        }
        // `Certified:` goes on; any other sign ends what it follows.
        if bare.len() > core.len() && !bare.ends_with("Certified:") {
            runs.extend(run.take());
        }
    }
    runs.extend(run);
    runs
}

/// Who wrote it, as it follows a title, and the bytes that takes: `, edited by A. B and C: ..`.
pub(super) fn byline(rest: &str) -> Option<(String, usize)> {
    let inner = rest.trim_start_matches([',', ' ']);
    let names = expect::after(inner, &["by ", "edited by ", "from ", "(by ", "— ", "– ", "- "])?;
    let names = names.strip_prefix("the ").unwrap_or(names);
    let length = names_length(names);
    let name = names[..length].trim_end_matches([',', ' ']);
    (!name.is_empty()).then(|| (name.to_owned(), rest.len() - names.len() + length))
}

/// Bytes of the names at the beginning of a text: capitalized words, initials, and what joins them.
fn names_length(text: &str) -> usize {
    let (mut end, mut at) = (0, 0);
    for word in text.split_inclusive(' ') {
        let bare = word.trim_end();
        let core = bare.trim_end_matches([',', ';', ':', '.', ')']);
        let joins =
            ["and", "&", "de", "der", "van", "von", "la", "da", "di", "del", "et", "al", "y", "of", "the"]
                .contains(&core);
        let upper = core.chars().next().is_some_and(char::is_uppercase) || core == "edX" || is_site(core);
        if !upper && !joins {
            break;
        }
        if upper || core == "al" {
            end = at + core.len();
        }
        at += word.len();
        let sign = &bare[core.len()..];
        if sign.starts_with([';', ':', ')'])
            || (sign.starts_with('.') && !is_initial(core) && core != "al" && core != "Jr")
        {
            break;
        }
    }
    end
}

/// Who offers what has a title, as it follows the title, and the bytes that takes: `(Harvard, on edX)`, `by A. B`, `, from
/// C`, `, D:`.
fn provider(rest: &str, title: &str) -> Option<(String, usize)> {
    let inner = rest.trim_start();
    let skipped = rest.len() - inner.len();
    if let Some(inside) = inner.strip_prefix('(') {
        let close = inside.find(')')?;
        let used = skipped + 1 + close + 1;
        return match within(&inside[..close], title) {
            Some(by) => Some((by, used)),
            // `(CKA), from X`.
            None => provider(&rest[used..], title).map(|(by, more)| (by, used + more)),
        };
    }
    if let Some((by, used)) = byline(rest).filter(|_| !inner.starts_with(['-', '–', '—'])) {
        return Some((by, used));
    }
    let names = inner.strip_prefix(", ")?;
    let names = names.strip_prefix("on ").or_else(|| names.strip_prefix("the ")).unwrap_or(names);
    let length = names_length(names);
    let behind = &names[length..];
    let ends = behind.is_empty() || behind.starts_with([':', ',', '.', ')']) || behind.starts_with(" on ");
    (length > 0 && ends).then(|| (names[..length].to_owned(), rest.len() - names.len() + length))
}

/// The providers among what stands in parentheses. Where a course is hosted counts if nothing else is said.
fn within(inside: &str, title: &str) -> Option<String> {
    let mut hosts = Vec::new();
    let mut providers = Vec::new();
    for part in inside.split([',', ';']).map(str::trim) {
        let host = part.strip_prefix("on ");
        let name =
            host.or_else(|| part.strip_prefix("by ")).or_else(|| part.strip_prefix("from ")).unwrap_or(part);
        let said = ["Free", "Paid", "Exam"].iter().any(|word| name.starts_with(word));
        if said || abbreviates(name, title) || !is_proper(name) {
            continue;
        }
        if host.is_some() || HOSTS.contains(&name) { hosts.push(name) } else { providers.push(name) }
    }
    let named = if providers.is_empty() { hosts } else { providers };
    (!named.is_empty()).then(|| named.join(", "))
}

/// Sites that host what others teach.
const HOSTS: [&str; 8] =
    ["Coursera", "edX", "Udemy", "Udacity", "Maven", "Pluralsight", "LinkedIn Learning", "YouTube"];

fn is_proper(name: &str) -> bool {
    // A maker's name may begin with its tool's: `dbt Labs`.
    let of_a_tool =
        name.split_once(' ').is_some_and(|(tool, rest)| tool_name(tool).is_some() && begins_upper(rest));
    begins_upper(name) || is_site(name) || of_a_tool
}

fn is_site(name: &str) -> bool {
    [".ai", ".com", ".org", ".dev", ".io"].iter().any(|end| name.ends_with(end))
}

/// Whether a name is made of the initials of a title's words, some of them left out.
fn abbreviates(name: &str, title: &str) -> bool {
    let initials: Vec<char> =
        title.split([' ', '-', '/']).filter_map(|word| word.chars().find(|c| c.is_alphanumeric())).collect();
    let mut left = initials.iter().map(|c| c.to_ascii_uppercase());
    name.chars().count() > 1
        && name.chars().all(|c| c.is_ascii_uppercase() && left.any(|initial| initial == c))
}

/// Not `None`, `None specific available`, `N/A`.
pub(super) fn names_something(title: &str) -> bool {
    let nothing = expect::after(title.trim(), &["none", "n/a", "no ", "not ", "tbd"]).is_some();
    !nothing && title.chars().filter(|c| c.is_alphanumeric()).count() >= 2
}

fn begins_upper(text: &str) -> bool {
    text.chars().find(|c| c.is_alphanumeric()).is_some_and(|c| c.is_uppercase() || c.is_numeric())
        || text.chars().take_while(|c| c.is_alphanumeric()).any(char::is_uppercase)
}

fn next_is_upper(rest: &str) -> bool {
    rest.trim_start().chars().next().is_some_and(char::is_uppercase)
}

/// Whether a text ends with a single capital, as before the full stop of an initial.
fn is_initial(text: &str) -> bool {
    let mut last = text.chars().rev();
    last.next().is_some_and(char::is_uppercase) && last.next().is_none_or(|c| c == ' ' || c == '.')
}

pub(super) fn trimmed(text: &str, start: usize, end: usize) -> (usize, usize) {
    let inner =
        text[start..end].trim_start_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '(' | '.'));
    let start = end - inner.len();
    let end = start + inner.trim_end_matches([' ', ',', '.', ':', ';', '"']).len();
    (start, end)
}
