//! Roles: what guides are about, sections that are headed by one, and names in lists of roles.

use super::entries::{Entry, Form, Style};
use super::expect::{WordList, after};
use super::{expect, serves};
use crate::resource::Role;
use crate::{Document, LineIndex, Lines, Section, Span};

/// The roles of a document, in reading order, each once.
pub(super) fn roles(document: &Document, entries: &[Entry]) -> Vec<Role> {
    let lines = LineIndex::new(&document.text);
    let mut found = Found::default();
    let whole = Lines { first: 1, last: lines.count().max(1) as u32 };
    let metadata = &document.metadata;
    for name in &metadata.roles {
        found.push(name, metadata.describes_its_roles(), whole);
    }
    if let Some(name) = role_of(&metadata.title) {
        found.push(&name, true, whole);
    }
    for (number, section) in document.sections.iter().enumerate() {
        let heading = section.heading_path.last().filter(|_| section.heading.start < section.heading.end);
        if let Some(name) = heading.and_then(|heading| role_of(heading)) {
            found.push(&name, true, lines.lines(reach(document, number)));
        }
    }
    // Certificates and courses are called after roles.
    let announces = |section: &Section| section.heading_path.iter().any(|h| expect::announced(h).is_some());
    let of_resources: Vec<bool> = document.sections.iter().map(announces).collect();
    for entry in entries.iter().filter(|entry| !of_resources[entry.section]) {
        listed(entry, &lines, &mut found);
    }
    found.roles
}

/// From a section's heading to the last text below it.
fn reach(document: &Document, number: usize) -> Span {
    let section = &document.sections[number];
    let depth = section.heading_path.len();
    let below = document.sections[number..].iter().take_while(|other| {
        other.heading_path.len() >= depth && other.heading_path[..depth] == section.heading_path[..]
    });
    let end = below
        .flat_map(|other| other.blocks.iter().map(|block| block.span.end).chain([other.heading.end]))
        .max();
    Span { start: section.heading.start, end: end.unwrap_or(section.heading.end) }
}

#[derive(Default)]
struct Found {
    roles: Vec<Role>,
}

impl Found {
    fn push(&mut self, name: &str, described: bool, lines: Lines) {
        let known = self.roles.iter().any(|role| role.name.to_lowercase() == name.to_lowercase());
        if !known {
            self.roles.push(Role { name: name.to_owned(), described, lines });
        }
    }
}

/// Names in bold, and behind a label that announces roles: `Job titles: A, B`.
fn listed(entry: &Entry, lines: &LineIndex, found: &mut Found) {
    if matches!(entry.form, Form::Heading | Form::Drawing) {
        return;
    }
    for mark in entry.marks.iter().filter(|mark| mark.style == Style::Strong) {
        if let Some(name) = role_of(&entry.text[mark.start..mark.end]) {
            let start = entry.place(mark.start);
            found.push(&name, false, lines.lines(Span { start, end: start + 1 }));
        }
    }
    let Some((label, rest)) = entry.text.split_once(':') else { return };
    let words = expect::words(label);
    let announces =
        words.iter().any(|word| matches!(word.as_str(), "roles" | "titles" | "jobs" | "positions"));
    if !announces || words.len() > 4 {
        return;
    }
    for piece in rest.split([',', ';']) {
        if let Some(name) = role_of(piece.trim().trim_end_matches('.')) {
            let start = entry.place(piece.as_ptr() as usize - entry.text.as_ptr() as usize);
            found.push(&name, false, lines.lines(Span { start, end: start + 1 }));
        }
    }
}

/// What the last word of a role is.
static NOUNS: WordList = WordList::new(
    "engineer developer analyst scientist architect specialist researcher consultant tester programmer strategist \
    quant statistician sre bioinformatician trainer",
);

/// What the last word of a role may be where the first says which field: programs have managers and designers, too.
static NOUNS_OF_FIELDS: WordList =
    WordList::new("administrator designer manager teacher technician officer writer auditor instructor");

/// Fields of such roles.
static FIELDS: WordList = WordList::new(
    "product project program engineering data database network system systems ux ui web graphic game technical \
    security it marketing school language science chief delivery community",
);

/// Words that may follow a role in a title.
static TAILS: WordList =
    WordList::new("roadmap guide career path handbook overview profile role track curriculum");

/// The role that a heading or a title names, if that is all it does.
pub(super) fn role_of(heading: &str) -> Option<String> {
    let subject = serves::subject_of(heading);
    let led_to = way_to(&subject);
    let subject = led_to.unwrap_or(&subject);
    let mut words: Vec<&str> = subject.split_whitespace().collect();
    while words.len() > 1 && is_tail(words[words.len() - 1]) {
        words.pop();
    }
    // An abbreviation in parentheses belongs to the name.
    let head: Vec<&str> = words.iter().copied().take_while(|word| !word.starts_with('(')).collect();
    let parts: Vec<&str> =
        head.iter().flat_map(|word| word.split('/')).filter(|part| !part.is_empty()).collect();
    let last = parts.last()?.to_lowercase();
    let last = last.trim_end_matches('s');
    let of_field = parts.first().is_some_and(|first| FIELDS.has(&first.to_lowercase()));
    let is_noun = NOUNS.has(last) || (of_field && NOUNS_OF_FIELDS.has(last));
    let ranked = ["junior", "mid", "mid-level", "senior", "lead", "staff", "principal", "entry-level"];
    let ranked = parts.first().is_some_and(|word| ranked.contains(&word.to_lowercase().as_str()));
    let fits =
        (2..=7).contains(&parts.len()) && is_noun && !ranked && (begins_upper(subject) || led_to.is_some());
    let sentence = head.iter().any(|word| {
        matches!(
            word.to_lowercase().as_str(),
            "a" | "an" | "the" | "and" | "what" | "how" | "your" | "for" | "to"
        )
    });
    (fits && !sentence).then(|| words.join(" "))
}

/// What a guide leads to: of `How to become a Cloud Engineer`, the engineer.
fn way_to(title: &str) -> Option<&str> {
    let rest = after(title, &["how to become ", "becoming ", "a career as ", "career as "])?;
    let rest = ["a ", "an "].iter().find_map(|article| rest.strip_prefix(article)).unwrap_or(rest);
    Some(rest.split_once(" in ").map_or(rest, |(role, _)| role))
}

fn is_tail(word: &str) -> bool {
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    TAILS.has(&bare) || (bare.len() == 4 && bare.chars().all(|c| c.is_ascii_digit()))
}

fn begins_upper(text: &str) -> bool {
    text.chars().next().is_some_and(char::is_uppercase)
}
