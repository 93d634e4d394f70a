//! What guides name: resources and roles, taken from headings, lists, labels, tables and running text.
//!
//! ```text
//! sections --entries--> running text with marks --expect--> what is announced there
//!                                  |
//!              titles, projects, tools: what is named, and where  --serves--> for whom
//! ```
//!
//! Books, courses, certifications and projects are taken where a heading or a label announces them, or where they say
//! themselves what they are; tools wherever they are named. What guides have in common is another crate's to find.

mod entries;
mod expect;
mod profile;
mod projects;
mod records;
mod roles;
mod serves;
mod titles;
mod tools;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use entries::{Entry, Form};
use expect::Expect;
pub use profile::{Cited, Profile, profile};
use projects::Proposal;
use titles::Title;
pub use tools::tool_name;

use crate::resource::{Named, Resource, ResourceKind};
use crate::{Document, LineIndex, Span, sentences};

/// Names the way resources are found. An index made another way finds them again when it is brought up to date.
pub const FINDER: &str = "resources 2";

/// Everything that a guide names.
pub fn named(document: &Document) -> Named {
    let entries = entries::entries(document);
    let mut finder = Finder {
        document,
        lines: LineIndex::new(&document.text),
        found: Vec::new(),
        seen: HashSet::new(),
        around: Around::default(),
    };
    for entry in &entries {
        finder.read(entry);
    }
    Named { resources: finder.found, roles: roles::roles(document, &entries) }
}

struct Finder<'a> {
    document: &'a Document,
    lines: LineIndex,
    found: Vec<Resource>,
    /// Kind and title of what was found, lower case.
    seen: HashSet<(ResourceKind, String)>,
    around: Around,
}

/// What the entries before an entry announce for it.
#[derive(Default)]
struct Around {
    section: Option<usize>,
    /// By the headings of the section.
    heading: Expect,
    /// The section's own heading is a resource of this kind, and what is below describes it.
    described: Option<ResourceKind>,
    /// By a label that stands before a list.
    label: Option<Expect>,
    /// By the items that an item stands in, outermost first.
    items: Vec<Option<Expect>>,
}

/// What is expected of one entry, and from which byte on.
#[derive(Clone, Copy)]
struct Expected {
    kind: Expect,
    from: usize,
    /// It is a list behind a label of its own.
    labeled: bool,
}

impl Finder<'_> {
    fn read(&mut self, entry: &Entry) {
        if self.around.section != Some(entry.section) {
            self.enter(entry.section);
        }
        let expected = self.expected(entry);
        let mut taken = match entry.form {
            Form::Heading => self.heading(entry),
            Form::Drawing => Vec::new(),
            _ => match self.record(entry) {
                Some(taken) => taken,
                // A row that is no record names what its cells name by themselves.
                None if entry.form == Form::Row => Vec::new(),
                None => self.titles(entry, expected),
            },
        };
        taken.extend(self.links(entry, &taken));
        // What a certification is called says nothing of the tools in its name.
        taken.extend(titles::certifications_in_prose(&entry.text));
        let lists = entry.is_item() || expected.labeled;
        let all = (expected.kind == Expect::Only(ResourceKind::Tool) && lists && entry.form != Form::Row)
            .then_some((expected.from, entry.text.len()));
        let tools: Vec<(usize, usize)> = records::tool_fields(entry).chain(all).collect();
        for mention in tools::mentions(entry, &taken, &tools) {
            if !self.is_known(ResourceKind::Tool, &mention.name) {
                let resource = self.resource(entry, ResourceKind::Tool, (mention.start, mention.end));
                // A level is the step's that uses the tool, not the tool's.
                self.push(Resource { title: mention.name, level: None, ..resource });
            }
        }
    }

    fn enter(&mut self, section: usize) {
        let path = &self.document.sections[section].heading_path;
        let announced: Vec<Option<Expect>> = path.iter().map(|heading| expect::announced(heading)).collect();
        let tool = Some(Expect::Only(ResourceKind::Tool));
        // A heading on tools says it of what is right below it: further down, things have headings of their own.
        let last = announced.len().saturating_sub(1);
        let holds = |&(at, expect): &(usize, &Option<Expect>)| at == last || *expect != tool;
        let heading = announced
            .iter()
            .enumerate()
            .filter(holds)
            .rev()
            .find_map(|(_, expect)| *expect)
            .unwrap_or_default();
        let orders = path.last().is_none_or(|heading| expect::orders_only(heading));
        let described = match announced[..] {
            [.., Some(Expect::Only(kind)), None] if !orders && kind != ResourceKind::Tool => Some(kind),
            _ => None,
        };
        let heading = if described.is_some() { Expect::Nothing } else { heading };
        self.around = Around { section: Some(section), heading, described, ..Around::default() };
    }

    /// What an entry is expected to hold: by its own label, the items around it, a label before the list, or the headings.
    fn expected(&mut self, entry: &Entry) -> Expected {
        let own = expect::label(&entry.text);
        if let Form::Item { depth } = entry.form {
            self.around.items.truncate(depth);
        }
        let around = match &entry.form {
            Form::Item { .. } => {
                let outer = self.around.items.iter().rev().find_map(|expect| *expect);
                let own = own.map(|(kind, _)| kind).or_else(|| expect::announced(&entry.text));
                self.around.items.push(own);
                outer.or(self.around.label).unwrap_or(self.around.heading)
            }
            Form::Paragraph => {
                self.around.label = own.filter(|&(_, from)| from == entry.text.len()).map(|(kind, _)| kind);
                self.around.heading
            }
            _ => self.around.heading,
        };
        match own {
            Some((kind, from)) if from < entry.text.len() => Expected { kind, from, labeled: true },
            // It announces what follows, and names nothing itself.
            Some((_, from)) => Expected { kind: Expect::Nothing, from, labeled: true },
            None => Expected { kind: around, from: 0, labeled: false },
        }
    }

    /// A heading may be the name of what the heading above it announces.
    fn heading(&mut self, entry: &Entry) -> Vec<(usize, usize)> {
        let named = self.around.described.and_then(|kind| Some((kind, projects::proposal(entry, 0, false)?)));
        let Some((kind, found)) = named else { return Vec::new() };
        let section = &self.document.sections[entry.section];
        let body = section.blocks.first().map_or("", |block| block.span.of(&self.document.text));
        let serves = serves::serves(self.document, &section.heading_path, true);
        let resource = Resource { serves, ..self.proposed(entry, kind, &found, &body.replace('\n', " ")) };
        self.push(resource);
        vec![(found.start, found.end)]
    }

    fn proposed(&self, entry: &Entry, kind: ResourceKind, found: &Proposal, described: &str) -> Resource {
        let resource = self.resource(entry, kind, (found.start, found.end));
        let level = found.level.map(str::to_owned).or(resource.level);
        Resource { level, about: about(described), ..resource }
    }

    /// The one resource of a record, and where its name stands.
    fn record(&mut self, entry: &Entry) -> Option<Vec<(usize, usize)>> {
        let record = records::record(entry, self.around.heading)?;
        let place = (record.start, record.end);
        let resource = self.resource(entry, record.kind, place);
        self.push(Resource {
            by: record.by,
            url: record.url,
            price: record.price,
            level: record.level.or(resource.level),
            about: record.about,
            ..resource
        });
        Some(vec![place])
    }

    /// Books, courses, certifications and projects of an entry, and where their names stand.
    fn titles(&mut self, entry: &Entry, expected: Expected) -> Vec<(usize, usize)> {
        let Expected { kind, from, labeled } = expected;
        let (kind, titles) = match kind {
            Expect::Only(ResourceKind::Project) => return self.project(entry, from, labeled),
            Expect::Only(ResourceKind::Book) => (ResourceKind::Book, titles::books(entry, from, true)),
            Expect::Only(kind @ (ResourceKind::Course | ResourceKind::Certification)) => {
                (kind, titles::offers(entry, from, kind, labeled))
            }
            _ => (ResourceKind::Book, titles::books(entry, from, false)),
        };
        self.push_titles(entry, kind, titles)
    }

    fn push_titles(&mut self, entry: &Entry, kind: ResourceKind, titles: Vec<Title>) -> Vec<(usize, usize)> {
        let mut taken = Vec::new();
        let ends: Vec<usize> =
            titles.iter().skip(1).map(|next| next.start).chain([entry.text.len()]).collect();
        for (title, end) in titles.into_iter().zip(ends) {
            let price = price(&entry.text[title.end..end.max(title.end)]);
            let about = about(&entry.text[title.until..end.max(title.until)]);
            let resource = self.resource(entry, kind, (title.start, title.end));
            taken.push((title.start, title.until));
            self.push(Resource { by: title.by, url: title.url, price, about, ..resource });
        }
        taken
    }

    fn project(&mut self, entry: &Entry, from: usize, labeled: bool) -> Vec<(usize, usize)> {
        let outermost = matches!(entry.form, Form::Item { depth: 0 });
        if !(outermost || labeled) {
            return Vec::new();
        }
        let Some(found) = projects::proposal(entry, from, labeled) else { return Vec::new() };
        self.push(self.proposed(entry, ResourceKind::Project, &found, &entry.text[found.end..]));
        vec![(found.start, found.end)]
    }

    /// Addresses outside the guides that belong to nothing named so far.
    fn links(&mut self, entry: &Entry, taken: &[(usize, usize)]) -> Vec<(usize, usize)> {
        let mut places = Vec::new();
        for mark in &entry.marks {
            let free = taken.iter().all(|&(start, end)| mark.end <= start || end <= mark.start);
            let Some(url) = mark.address().filter(|_| free) else { continue };
            let title = &entry.text[mark.start..mark.end];
            let kind = match tool_name(title) {
                Some(_) => ResourceKind::Tool,
                None => titles::kind_of_title(title).unwrap_or(ResourceKind::Link),
            };
            let place = (mark.start, mark.end);
            let resource = Resource { url: Some(url.to_owned()), ..self.resource(entry, kind, place) };
            self.push(resource);
            places.push(place);
        }
        places
    }

    fn resource(&self, entry: &Entry, kind: ResourceKind, (start, end): (usize, usize)) -> Resource {
        let section = &self.document.sections[entry.section];
        let level = expect::level(&entry.text).map(|(level, _)| level);
        let level = level.or_else(|| {
            section.heading_path.iter().rev().find_map(|heading| expect::level_of_heading(heading))
        });
        let span = Span { start: entry.place(start), end: entry.place(end.saturating_sub(1).max(start)) + 1 };
        Resource {
            kind,
            title: entry.text[start..end].trim().to_owned(),
            by: None,
            url: None,
            price: None,
            about: None,
            level: level.map(str::to_owned),
            serves: serves::serves(self.document, &section.heading_path, false),
            heading_path: section.heading_path.clone(),
            lines: self.lines.lines(span),
        }
    }

    fn is_known(&self, kind: ResourceKind, title: &str) -> bool {
        self.seen.contains(&(kind, title.to_lowercase()))
    }

    fn push(&mut self, resource: Resource) {
        if self.seen.insert((resource.kind, resource.title.to_lowercase())) {
            self.found.push(resource);
        }
    }
}

/// Longest description that is kept, in bytes.
const MAX_ABOUT: usize = 240;

/// What follows a name, without the signs between them; whole sentences as far as there is room.
fn about(text: &str) -> Option<String> {
    let text =
        text.trim_start_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '(' | '"' | '“')).trim_end();
    let fits =
        sentences(text).into_iter().map(|sentence| sentence.end).take_while(|end| *end <= MAX_ABOUT).last();
    let end = fits.unwrap_or_else(|| text.floor_char_boundary(MAX_ABOUT));
    let said = text[..end].split_whitespace().collect::<Vec<_>>().join(" ");
    let said = said.trim_end_matches([' ', ',']).to_owned();
    (said.split(' ').count() > 1).then_some(said)
}

/// A price as it is stated behind a title.
fn price(text: &str) -> Option<String> {
    let money = text.match_indices(['$', '€', '£']).find_map(|(at, _)| {
        let rest = &text[at..];
        let sign = rest.chars().next()?.len_utf8();
        let amount: String =
            rest[sign..].chars().take_while(|c| c.is_ascii_digit() || matches!(c, '.' | ',')).collect();
        let amount = amount.trim_end_matches(['.', ',']);
        (!amount.is_empty()).then(|| rest[..sign + amount.len()].to_owned())
    });
    let lower = text.to_lowercase();
    let free = expect::words(text).first().is_some_and(|word| word == "free")
        || ["for free", "(free"].iter().any(|said| lower.contains(said));
    money.or_else(|| free.then(|| "free".to_owned()))
}
