//! Records: the rows of tables, and list items that name their fields as rows of data do (`Title: A; Author: B`). One
//! record is one resource; its columns say what is known of it.

use super::entries::{Entry, Field};
use super::expect::{self, Expect, WordList};
use super::titles;
use crate::ResourceKind;

/// A resource as a record tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) kind: ResourceKind,
    /// First byte of its title in the entry's text.
    pub(super) start: usize,
    /// One past the last byte.
    pub(super) end: usize,
    pub(super) by: Option<String>,
    pub(super) url: Option<String>,
    pub(super) price: Option<String>,
    pub(super) level: Option<String>,
    pub(super) about: Option<String>,
}

/// What columns are called that hold a title, whoever stands behind it, and so on.
static TITLES: WordList = WordList::new("title name resource");
static KINDS: WordList = WordList::new("kind type category");
static AUTHORS: WordList = WordList::new(
    "author authors writer provider by platform school university publisher issuer vendor organization",
);
static PRICES: WordList = WordList::new("price cost fee");
static LEVELS: WordList = WordList::new("level difficulty");
static ADDRESSES: WordList = WordList::new("url link address website");
static REMARKS: WordList = WordList::new("description why notes note about for summary comment");

/// The resource that a record tells, if it does: tools and links apart, which are found wherever they stand. `around` is
/// what the headings above announce.
pub(super) fn record(entry: &Entry, around: Expect) -> Option<Record> {
    let announces = |field: &&Field| telling(expect::announced(&field.name).unwrap_or_default()).is_some();
    let titled = entry.fields.iter().find(announces).or_else(|| field(entry, &TITLES));
    let title = titled.or_else(|| telling(around).and(entry.fields.first()))?;
    let said = field(entry, &KINDS).and_then(|field| ResourceKind::of_word(value(entry, field)));
    let kind = telling(expect::announced(&title.name).unwrap_or_default()).or(said).or(telling(around))?;
    let (start, end) = titles::trimmed(&entry.text, title.start, title.end);
    let known = |names: &WordList| field(entry, names).map(|field| value(entry, field).to_owned());
    let named = titles::names_something(&entry.text[start..end])
        && !matches!(kind, ResourceKind::Tool | ResourceKind::Link);
    named.then(|| Record {
        kind,
        start,
        end,
        by: known(&AUTHORS),
        url: known(&ADDRESSES)
            .filter(|url| url.contains("://"))
            .or_else(|| entry.url_within(title.start, title.end)),
        price: known(&PRICES),
        level: known(&LEVELS).map(|level| level.to_lowercase()),
        about: known(&REMARKS),
    })
}

/// Where tools are listed: the fields whose columns announce them.
pub(super) fn tool_fields(entry: &Entry) -> impl Iterator<Item = (usize, usize)> {
    let announces = |field: &&Field| expect::announced(&field.name) == Some(Expect::Only(ResourceKind::Tool));
    entry.fields.iter().filter(announces).map(|field| (field.start, field.end))
}

/// The fields that a list item names, if it is a record; empty where it is running text.
pub(super) fn fields_of_item(text: &str) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut at = 0;
    for part in text.split("; ") {
        let named = part.split_once(": ").filter(|(name, _)| is_field(name));
        if let Some((name, value)) = named {
            let start = at + part.len() - value.len();
            fields.push(Field { name: name.trim().to_owned(), start, end: at + part.len() });
        }
        at += part.len() + "; ".len();
    }
    let titled = fields.first().is_some_and(|first| is_title(&first.name));
    if titled && fields.len() > 1 { fields } else { Vec::new() }
}

fn is_title(name: &str) -> bool {
    let kind = telling(expect::announced(name).unwrap_or_default());
    kind.is_some() || TITLES.has(&name.to_lowercase())
}

fn is_field(name: &str) -> bool {
    let lower = name.trim().to_lowercase();
    let known = [&TITLES, &KINDS, &AUTHORS, &PRICES, &LEVELS, &ADDRESSES, &REMARKS];
    is_title(&lower) || known.iter().any(|names| names.has(&lower))
}

/// The one kind that is announced.
fn telling(expect: Expect) -> Option<ResourceKind> {
    match expect {
        Expect::Only(kind) => Some(kind),
        _ => None,
    }
}

/// The first field that goes by one of these names.
fn field<'a>(entry: &'a Entry, names: &WordList) -> Option<&'a Field> {
    let goes_by = |field: &&Field| expect::words(&field.name).iter().any(|word| names.has(word));
    entry.fields.iter().find(goes_by).filter(|field| !value(entry, field).is_empty())
}

fn value<'a>(entry: &'a Entry, field: &Field) -> &'a str {
    entry.text[field.start..field.end].trim()
}
