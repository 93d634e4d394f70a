//! What a guide says of a role: the skills it takes and the steps of its roadmap, as far as headings and labels tell.

use super::entries::{Entry, Field, Form, Style, entries};
use super::{expect, roles, titles};
use crate::{Document, LineIndex, Lines, Span};

/// Words of a guide, and where they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cited {
    /// Without markup.
    pub text: String,
    /// 1-based.
    pub lines: Lines,
}

/// What a guide says of a role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// In reading order.
    pub skills: Vec<Cited>,
    /// In reading order.
    pub roadmap: Vec<Cited>,
}

/// Reads the lines of a guide that are about one role.
pub fn profile(document: &Document, about: Lines) -> Profile {
    let lines = LineIndex::new(&document.text);
    let within = |entry: &&Entry| {
        let at = entry.place(0);
        let line = lines.lines(Span { start: at, end: at }).first;
        about.first <= line && line <= about.last
    };
    let entries = entries(document);
    let entries: Vec<&Entry> = entries.iter().filter(within).collect();
    let mut reader = Reader { document, lines, profile: Profile::default() };
    for entry in &entries {
        reader.read(entry);
    }
    if reader.profile.skills.is_empty() {
        reader.leaves(&entries);
    }
    reader.profile
}

struct Reader<'a> {
    document: &'a Document,
    lines: LineIndex,
    profile: Profile,
}

/// Longer leads are sentences, not names.
const MAX_WORDS: usize = 8;

impl Reader<'_> {
    fn read(&mut self, entry: &Entry) {
        let path = &self.document.sections[entry.section].heading_path;
        let depth_of =
            |words: &[&str]| path.iter().skip(1).position(|heading| has(heading, words)).map(|at| at + 2);
        if let Some((label, _)) = entry
            .text
            .split_once(':')
            .filter(|(label, _)| has(label, &SKILLS) && expect::words(label).len() <= 4)
        {
            self.inline(entry, label.len() + 1);
        } else if let Some(depth) = depth_of(&ROADMAP) {
            self.step(entry, path.len(), depth);
        } else if let Some(depth) = depth_of(&SKILLS) {
            self.skill(entry, path.len(), depth);
        }
    }

    /// A phase is a heading right below the roadmap's, or an item of its list.
    fn step(&mut self, entry: &Entry, depth: usize, roadmap: usize) {
        let heading = entry.form == Form::Heading && depth == roadmap + 1;
        let item = entry.form == Form::Item { depth: 0 } && depth == roadmap;
        if heading || item {
            let end = if heading { entry.text.len() } else { lead(entry) };
            let cited = self.cite(entry, 0, end);
            self.profile.roadmap.push(cited);
        }
    }

    fn skill(&mut self, entry: &Entry, depth: usize, skills: usize) {
        let path = &self.document.sections[entry.section].heading_path;
        let below_order = path.get(skills).is_some_and(|heading| expect::orders_only(heading));
        let named = match &entry.form {
            // An outline may have the role itself at its root.
            Form::Heading => {
                depth == skills + 1
                    && !expect::orders_only(&entry.text)
                    && roles::role_of(&entry.text).is_none()
            }
            Form::Item { depth: 0 } => depth == skills || (depth == skills + 1 && below_order),
            Form::Row => return self.row(entry),
            _ => false,
        };
        let end = lead(entry);
        if named && expect::words(&entry.text[..end]).len() <= MAX_WORDS {
            let cited = self.cite(entry, 0, end);
            if self.profile.skills.iter().all(|known| known.text.to_lowercase() != cited.text.to_lowercase())
            {
                self.profile.skills.push(cited);
            }
        }
    }

    /// The cell of the column that names skills.
    fn row(&mut self, entry: &Entry) {
        let names_skills = |field: &&Field| has(&field.name, &SKILLS) || has(&field.name, &["topic", "area"]);
        if let Some(field) = entry.fields.iter().find(names_skills) {
            let cell = &entry.text[field.start..field.end];
            let end = field.start + cell.find([':', '(', ';']).filter(|at| *at > 0).unwrap_or(cell.len());
            let cited = self.cite(entry, field.start, end);
            self.profile.skills.push(cited);
        }
    }

    /// A list behind a label.
    fn inline(&mut self, entry: &Entry, from: usize) {
        for (start, end) in titles::pieces(&entry.text, from) {
            let cited = self.cite(entry, start, end);
            if !cited.text.is_empty() {
                self.profile.skills.push(cited);
            }
        }
    }

    /// Of an outline, the leaves right below the role.
    fn leaves(&mut self, entries: &[&Entry]) {
        let Some(section) = entries.first().map(|entry| entry.section) else { return };
        let leaves = entries
            .iter()
            .filter(|entry| entry.section == section && matches!(entry.form, Form::Item { .. }));
        for entry in leaves.filter(|entry| expect::words(&entry.text).len() <= MAX_WORDS) {
            let cited = self.cite(entry, 0, entry.text.len());
            self.profile.skills.push(cited);
        }
    }

    fn cite(&self, entry: &Entry, start: usize, end: usize) -> Cited {
        let text = entry.text[start..end]
            .trim_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '.' | ',' | ';'));
        let text = text.trim_start_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '(' | '.' | '"'));
        let span = Span { start: entry.place(start), end: entry.place(end.max(start + 1) - 1) + 1 };
        Cited { text: text.to_owned(), lines: self.lines.lines(span) }
    }
}

const SKILLS: [&str; 3] = ["skills", "skill", "competencies"];
const ROADMAP: [&str; 3] = ["roadmap", "phases", "plan"];

fn has(label: &str, wanted: &[&str]) -> bool {
    expect::words(label).iter().any(|word| wanted.contains(&word.as_str()))
}

/// Bytes of what an entry begins with: what is bold, or what stands before the first sign that ends a name.
fn lead(entry: &Entry) -> usize {
    let bold = entry
        .marks
        .iter()
        .find(|mark| mark.style == Style::Strong && entry.text[..mark.start].trim().is_empty());
    let stop = || entry.text.find([':', ',', '(', '.', ';', '–']).filter(|at| *at > 0);
    bold.map(|mark| mark.end).or_else(stop).unwrap_or(entry.text.len())
}
