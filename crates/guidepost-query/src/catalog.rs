//! The catalog: what all guides name, each thing once however many guides name it and however they spell it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use guidepost_text::{Named, Resource, ResourceKind, tool_name};

/// A resource, and every place that names it.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogEntry {
    /// What it is.
    pub kind: ResourceKind,
    /// Its title, as most places write it.
    pub title: String,
    /// Author or provider: the fullest that is stated.
    pub by: Option<String>,
    /// Where it is on the web.
    pub url: Option<String>,
    /// Its price, as stated.
    pub price: Option<String>,
    /// Its level, as stated.
    pub level: Option<String>,
    /// In the order of the guides; never empty.
    pub mentions: Vec<Mention>,
}

/// A place that names a resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Mention {
    /// Number of the guide.
    pub document: usize,
    /// What is said there.
    pub resource: Resource,
}

impl CatalogEntry {
    /// Number of guides that name it.
    pub fn guides(&self) -> usize {
        self.mentions.iter().map(|mention| mention.document).collect::<BTreeSet<_>>().len()
    }

    fn new(mentions: Vec<Mention>) -> CatalogEntry {
        let resources = || mentions.iter().map(|mention| &mention.resource);
        let kind = mentions[0].resource.kind;
        let title = match tool_name(&mentions[0].resource.title).filter(|_| kind == ResourceKind::Tool) {
            Some(name) => name.to_owned(),
            None => most_frequent(resources().map(|resource| resource.title.as_str())),
        };
        CatalogEntry {
            kind,
            title,
            by: resources().filter_map(|resource| resource.by.clone()).max_by_key(String::len),
            url: resources().find_map(|resource| resource.url.clone()),
            price: resources().find_map(|resource| resource.price.clone()),
            level: resources().find_map(|resource| resource.level.clone()),
            mentions,
        }
    }
}

/// Brings together what guides name; ordered by kind, then by how many guides name it, then by title.
pub fn catalog(names: &[Named]) -> Vec<CatalogEntry> {
    let abbreviations = abbreviations(names);
    let mut groups: BTreeMap<(ResourceKind, String), Vec<Group>> = BTreeMap::new();
    for (document, named) in names.iter().enumerate() {
        for resource in &named.resources {
            let key = key(resource);
            let key = abbreviations.get(&(resource.kind, key.clone())).cloned().unwrap_or(key);
            let alike = groups.entry((resource.kind, key)).or_default();
            let mention = Mention { document, resource: resource.clone() };
            match alike.iter_mut().find(|group| group.may_hold(resource)) {
                Some(group) => group.push(mention),
                None => alike.push(Group { by: resource.by.clone(), mentions: vec![mention] }),
            }
        }
    }
    let mut entries: Vec<CatalogEntry> =
        groups.into_values().flatten().map(|group| CatalogEntry::new(group.mentions)).collect();
    let place = |entry: &CatalogEntry| (entry.mentions[0].document, entry.mentions[0].resource.lines.first);
    entries.sort_by_cached_key(|entry| {
        (entry.kind, Reverse(entry.guides()), entry.title.to_lowercase(), place(entry))
    });
    entries
}

/// What two spellings of one title have in common.
fn key(resource: &Resource) -> String {
    match resource.kind {
        ResourceKind::Tool => tool_name(&resource.title).unwrap_or(&resource.title).to_lowercase(),
        ResourceKind::Link => {
            let url = resource.url.as_deref().unwrap_or(&resource.title);
            let bare =
                url.trim_start_matches("https://").trim_start_matches("http://").trim_start_matches("www.");
            bare.trim_end_matches('/').to_lowercase()
        }
        ResourceKind::Book => words(main_title(&resource.title)),
        _ => words(&resource.title),
    }
}

/// A book's title without its subtitle.
fn main_title(title: &str) -> &str {
    title.split_once(": ").map_or(title, |(main, _)| main)
}

/// The telling words of a title: without case, articles, editions, and what stands in parentheses.
fn words(title: &str) -> String {
    let mut depth = 0usize;
    let mut outside = String::new();
    for c in title.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '&' if depth == 0 => outside.push_str(" and "),
            c if depth == 0 => outside.push(c),
            _ => {}
        }
    }
    let parts = outside.split(|c: char| !c.is_alphanumeric() && !matches!(c, '+' | '#'));
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).map(str::to_lowercase).collect();
    let edition = parts.iter().position(|part| part == "edition").map(|at| at.saturating_sub(1));
    let kept = parts.iter().enumerate().filter(|(at, part)| {
        let skipped = edition.is_some_and(|edition| (edition..=edition + 1).contains(at));
        !skipped && !matches!(part.as_str(), "a" | "an" | "the")
    });
    kept.map(|(_, part)| part.as_str()).collect::<Vec<_>>().join(" ")
}

/// Keys by the abbreviations that some title gives in parentheses: `Certified Kubernetes Administrator (CKA)`.
fn abbreviations(names: &[Named]) -> HashMap<(ResourceKind, String), String> {
    let resources = names.iter().flat_map(|named| &named.resources);
    let offered = resources.filter(|r| matches!(r.kind, ResourceKind::Course | ResourceKind::Certification));
    let abbreviated = offered.filter_map(|resource| {
        let inside = resource.title.split_once('(')?.1.split_once(')')?.0;
        let initials =
            inside.len() > 1 && inside.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        initials.then(|| ((resource.kind, words(inside)), key(resource)))
    });
    abbreviated.collect()
}

/// Mentions of one title that nothing tells apart.
struct Group {
    /// The first author or provider that is stated.
    by: Option<String>,
    mentions: Vec<Mention>,
}

impl Group {
    fn push(&mut self, mention: Mention) {
        if self.by.is_none() {
            self.by.clone_from(&mention.resource.by);
        }
        self.mentions.push(mention);
    }

    /// Whether a resource of this title is the same: a name in common with its author or provider, or none stated.
    fn may_hold(&self, resource: &Resource) -> bool {
        let (Some(by), Some(other)) = (&self.by, &resource.by) else { return true };
        let same_title = self.mentions[0].resource.title == resource.title;
        // Sites, universities and teachers stand behind one and the same course.
        same_title && resource.kind != ResourceKind::Book || !names(by).is_disjoint(&names(other))
    }
}

fn names(by: &str) -> BTreeSet<String> {
    let words = by.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| word.chars().count() > 2).map(str::to_lowercase).collect()
}

/// The text that occurs most; the first of those that occur equally often.
fn most_frequent<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut counts: BTreeMap<&str, (usize, Reverse<usize>)> = BTreeMap::new();
    for (at, text) in texts.enumerate() {
        counts.entry(text).or_insert((0, Reverse(at))).0 += 1;
    }
    let best = counts.into_iter().max_by_key(|(_, place)| *place);
    best.map_or_else(String::new, |(text, _)| text.to_owned())
}

#[cfg(test)]
mod tests {
    use guidepost_text::Lines;

    use super::*;

    fn resource(kind: ResourceKind, title: &str, by: Option<&str>) -> Resource {
        Resource {
            kind,
            title: title.to_owned(),
            by: by.map(str::to_owned),
            url: None,
            price: None,
            about: None,
            level: None,
            serves: "Anyone".to_owned(),
            heading_path: vec!["Title".to_owned()],
            lines: Lines { first: 1, last: 1 },
        }
    }

    /// Each guide names one resource; the titles of the catalog with the number of guides that name each.
    #[track_caller]
    fn check(kind: ResourceKind, guides: &[(&str, Option<&str>)], expected: &[(&str, usize)]) {
        let named = |&(title, by): &(&str, Option<&str>)| Named {
            resources: vec![resource(kind, title, by)],
            roles: Vec::new(),
        };
        let names: Vec<Named> = guides.iter().map(named).collect();
        let entries = catalog(&names);
        let found: Vec<(&str, usize)> =
            entries.iter().map(|entry| (entry.title.as_str(), entry.guides())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn one_thing_is_one_entry_however_it_is_spelled() {
        let by = Some("Aurélien Géron");
        check(
            ResourceKind::Book,
            &[
                ("Hands-On Machine Learning with Scikit-Learn, Keras, and TensorFlow", by),
                (
                    "Hands-On Machine Learning with Scikit-Learn, Keras & TensorFlow, 3rd Edition",
                    Some("A. Géron"),
                ),
                ("Hands-On Machine Learning with Scikit-Learn, Keras, and TensorFlow", None),
            ],
            &[("Hands-On Machine Learning with Scikit-Learn, Keras, and TensorFlow", 3)],
        );
        check(
            ResourceKind::Book,
            &[("Deep Learning", Some("Ian Goodfellow")), ("Deep Learning", Some("John Kelleher"))],
            &[("Deep Learning", 1), ("Deep Learning", 1)],
        );
        check(
            ResourceKind::Certification,
            &[("Certified Kubernetes Administrator (CKA)", None), ("CKA", None)],
            &[("Certified Kubernetes Administrator (CKA)", 2)],
        );
        check(ResourceKind::Tool, &[("sklearn", None), ("Scikit-learn", None)], &[("scikit-learn", 2)]);
        check(ResourceKind::Tool, &[("Postgres", None), ("MySQL", None)], &[("MySQL", 1), ("PostgreSQL", 1)]);
    }
}
