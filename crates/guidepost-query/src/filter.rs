//! Filters: which guides and sections may answer. They hold before anything is ranked.
//!
//! Several values of one facet are alternatives, several facets hold at once; letter case does not matter.

use std::collections::BTreeMap;

use globset::GlobBuilder;
use guidepost_index::{ChunkId, DocumentRecord, IndexError, Rows, Snapshot};

use crate::day::Day;
use crate::{RolePlace, find_roles, roles};

/// What a filter looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Facet {
    /// A tag of the guide, or one that it is part of: `town` also stands for `town/roof`.
    Tag,
    /// The guide's kind: `role`, `skill`, `path`, or whatever its front matter says.
    Kind,
    /// A role that the guide, or a section of it, is about; found as [`find_roles`] does.
    Role,
    /// The guide's path in citations, below its folder, or on disk: a file, a folder with all below it, or a pattern in
    /// which `*` and `?` stand for any characters.
    Path,
    /// The day from which on the guide is dated: by its front matter, else by its file's last change. A guide that
    /// ships has no such change.
    After,
}

impl Facet {
    /// All of them.
    pub const ALL: [Facet; 5] = [Facet::Tag, Facet::Kind, Facet::Role, Facet::Path, Facet::After];

    /// Lower case.
    pub fn name(self) -> &'static str {
        match self {
            Facet::Tag => "tag",
            Facet::Kind => "kind",
            Facet::Role => "role",
            Facet::Path => "path",
            Facet::After => "after",
        }
    }

    /// The facet of that name.
    pub(crate) fn of_name(name: &str) -> Option<Facet> {
        Facet::ALL.into_iter().find(|facet| facet.name() == name)
    }

    /// What it would take for a guide to have any.
    fn none_here(self) -> &'static str {
        match self {
            Facet::Tag => {
                "no guide here has tags; write them into its front matter: `tags: [python, career]`"
            }
            Facet::Kind => "no guide here says its kind; write it into its front matter: `kind: role`",
            Facet::Role => "no guide here is about a role",
            Facet::Path | Facet::After => "the index holds no guides",
        }
    }
}

/// Which guides and sections may answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Values by facet, in the order in which they were given.
    values: BTreeMap<Facet, Vec<String>>,
}

/// A filter that cannot hold.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    /// Nothing to filter by.
    #[error("the {} to filter by is empty", .0.name())]
    Empty(Facet),
    /// Not a date.
    #[error("`{0}` is no date to filter by; write it as 2026-11-21, 2026-11 or 2026")]
    Date(String),
    /// Not a pattern.
    #[error("`{value}` is no pattern of a path: {reason}")]
    Pattern {
        /// As it was given.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No guide has it.
    #[error("{}", unknown(*.facet, .value, .closest, *.all))]
    Unknown {
        /// Of what.
        facet: Facet,
        /// As it was given.
        value: String,
        /// Those that guides have, closest first; not all of them.
        closest: Vec<String>,
        /// How many there are.
        all: usize,
    },
    /// The index.
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl Filter {
    /// Lets through what has these values of each facet.
    ///
    /// # Errors
    /// A value that can never hold: an empty one, no date, no pattern.
    pub fn of<'v>(values: impl Fn(Facet) -> &'v [String]) -> Result<Filter, FilterError> {
        let mut filter = Filter::default();
        for facet in Facet::ALL {
            values(facet).iter().try_for_each(|value| filter.add(facet, value))?;
        }
        Ok(filter)
    }

    /// Lets through what has this value, beside what other values of the same facet let through.
    ///
    /// # Errors
    /// A value that can never hold: an empty one, no date, no pattern.
    pub fn add(&mut self, facet: Facet, value: &str) -> Result<(), FilterError> {
        let value = value.trim();
        if value.is_empty() {
            return Err(FilterError::Empty(facet));
        }
        match facet {
            Facet::After => drop(day(value)?),
            Facet::Path => drop(PathTest::new(value)?),
            Facet::Tag | Facet::Kind | Facet::Role => {}
        }
        self.values.entry(facet).or_default().push(value.to_owned());
        Ok(())
    }

    /// Values by the names of their facets, as they were given.
    pub fn values(&self) -> BTreeMap<&'static str, &[String]> {
        self.values.iter().map(|(facet, values)| (facet.name(), &values[..])).collect()
    }

    /// The chunks that are let through; `None` where there is nothing to filter by.
    ///
    /// # Errors
    /// A value that no guide has, except a date: none may be that new, and then nothing is let through.
    pub fn rows(&self, snapshot: &Snapshot) -> Result<Option<Rows>, FilterError> {
        let mut allowed: Option<Rows> = None;
        for (&facet, values) in &self.values {
            let mut any = Rows::none(snapshot.chunk_count());
            for value in values {
                insert(snapshot, facet, value, &mut any)?;
            }
            match &mut allowed {
                Some(allowed) => allowed.intersect(&any),
                None => allowed = Some(any),
            }
        }
        Ok(allowed)
    }
}

/// The day of the newest guide; `None` where none has one.
pub fn newest(snapshot: &Snapshot) -> Option<String> {
    snapshot.documents().iter().filter_map(day_of).max().map(|day| day.to_string())
}

/// Adds the rows that a value lets through.
fn insert(snapshot: &Snapshot, facet: Facet, value: &str, rows: &mut Rows) -> Result<(), FilterError> {
    let documents = snapshot.documents();
    let of_guides = |rows: &mut Rows, holds: &dyn Fn(&DocumentRecord) -> bool| {
        let fitting = documents.iter().filter(|document| holds(document));
        let ids =
            fitting.clone().flat_map(|document| document.first_chunk..document.first_chunk + document.chunks);
        ids.for_each(|row| rows.insert(ChunkId(row)));
        fitting.count()
    };
    let found = match facet {
        Facet::Tag => {
            of_guides(rows, &|document| document.metadata.tags.iter().any(|tag| is_tag(tag, value)))
        }
        Facet::Kind => of_guides(rows, &|document| {
            document.metadata.kind.as_deref().is_some_and(|kind| same(kind, value))
        }),
        Facet::Path => {
            let test = PathTest::new(value)?;
            of_guides(rows, &|document| paths(snapshot, document).iter().any(|path| test.fits(path)))
        }
        Facet::After => {
            let first = day(value)?;
            of_guides(rows, &|document| day_of(document).is_some_and(|day| day >= first));
            return Ok(());
        }
        Facet::Role => insert_role(snapshot, value, rows)?,
    };
    if found == 0 { Err(unknown_value(snapshot, facet, value)?) } else { Ok(()) }
}

/// Adds the passages of the guides and sections about a role, and counts those.
fn insert_role(snapshot: &Snapshot, wanted: &str, rows: &mut Rows) -> Result<usize, IndexError> {
    let roles = roles(snapshot.names()?);
    let places: Vec<RolePlace> =
        find_roles(&roles, wanted).into_iter().flat_map(|role| role.described.clone()).collect();
    for place in &places {
        let document = &snapshot.documents()[place.document];
        for id in (document.first_chunk..document.first_chunk + document.chunks).map(ChunkId) {
            let lines = snapshot.chunk(id)?.chunk.lines;
            if lines.first <= place.lines.last && place.lines.first <= lines.last {
                rows.insert(id);
            }
        }
    }
    Ok(places.len())
}

fn day(value: &str) -> Result<Day, FilterError> {
    Day::parse(value).ok_or_else(|| FilterError::Date(value.to_owned()))
}

/// When a guide was written, as far as anything tells.
fn day_of(document: &DocumentRecord) -> Option<Day> {
    let written = document.metadata.date.as_deref().and_then(Day::parse);
    let changed = || (document.modified_ns > 0).then(|| Day::of_nanoseconds(document.modified_ns));
    written.or_else(changed)
}

fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Whether a tag is the wanted one, or lies below it as Obsidian nests them.
fn is_tag(tag: &str, wanted: &str) -> bool {
    let (tag, wanted) = (tag.to_lowercase(), wanted.trim_start_matches('#').to_lowercase());
    tag.strip_prefix(&wanted).is_some_and(|below| below.is_empty() || below.starts_with('/'))
}

/// All the ways to call a guide.
fn paths(snapshot: &Snapshot, document: &DocumentRecord) -> Vec<String> {
    let folder = snapshot.sources().get(document.source).and_then(|source| source.folder.as_ref());
    let file = folder.map(|folder| folder.join(&document.relative).to_string_lossy().into_owned());
    let named = [document.path.clone(), document.relative.clone()];
    named.into_iter().chain(file).map(|path| path.to_lowercase()).collect()
}

/// Which paths are meant.
enum PathTest {
    /// A file, or a folder with all below it.
    Whole(String),
    Pattern(globset::GlobMatcher),
}

impl PathTest {
    fn new(value: &str) -> Result<PathTest, FilterError> {
        let path = value.strip_prefix("./").unwrap_or(value).to_lowercase();
        if !path.contains(['*', '?', '[', '{']) {
            return Ok(PathTest::Whole(path.trim_end_matches('/').to_owned()));
        }
        match GlobBuilder::new(&path).build() {
            Ok(pattern) => Ok(PathTest::Pattern(pattern.compile_matcher())),
            Err(error) => {
                Err(FilterError::Pattern { value: value.to_owned(), reason: error.kind().to_string() })
            }
        }
    }

    fn fits(&self, path: &str) -> bool {
        match self {
            PathTest::Whole(whole) => {
                path.strip_prefix(whole.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
            PathTest::Pattern(pattern) => pattern.is_match(path),
        }
    }
}

/// Values that are named where none fits.
const SUGGESTIONS: usize = 5;

fn unknown_value(snapshot: &Snapshot, facet: Facet, value: &str) -> Result<FilterError, IndexError> {
    let documents = snapshot.documents().iter();
    let values: Vec<String> = match facet {
        Facet::Tag => documents.flat_map(|document| document.metadata.tags.clone()).collect(),
        Facet::Kind => documents.filter_map(|document| document.metadata.kind.clone()).collect(),
        Facet::Role => {
            let roles = roles(snapshot.names()?).into_iter();
            roles.filter(|role| !role.described.is_empty()).map(|role| role.name).collect()
        }
        Facet::Path | Facet::After => documents.map(|document| document.path.clone()).collect(),
    };
    // By lower case: however many guides spell it, it is one value.
    let values: BTreeMap<String, String> =
        values.into_iter().rev().map(|value| (value.to_lowercase(), value)).collect();
    let all = values.len();
    let wanted = value.to_lowercase();
    let mut closest: Vec<(String, String)> = values.into_iter().collect();
    closest.sort_by_cached_key(|(value, _)| {
        (!value.contains(&wanted), strsim::damerau_levenshtein(value, &wanted), value.clone())
    });
    let closest = closest.into_iter().take(SUGGESTIONS).map(|(_, value)| value).collect();
    Ok(FilterError::Unknown { facet, value: value.to_owned(), closest, all })
}

fn unknown(facet: Facet, value: &str, closest: &[String], all: usize) -> String {
    if closest.is_empty() {
        return facet.none_here().to_owned();
    }
    let missing = match facet {
        Facet::Tag => format!("no guide here has the tag `{value}`"),
        Facet::Kind => format!("no guide here is of the kind `{value}`"),
        Facet::Role => format!("no guide here is about the role `{value}`"),
        Facet::Path | Facet::After => format!("no guide here has a path like `{value}`"),
    };
    let quoted: Vec<String> = closest.iter().map(|value| format!("`{value}`")).collect();
    let those = if all > closest.len() { format!("the closest of {all}") } else { "there are".to_owned() };
    format!("{missing}; {those}: {}", quoted.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_meant_whole_or_by_pattern() {
        for (value, path, expected) in [
            ("guides/sql.md", "guides/sql.md", true),
            ("guides/", "guides/deep/sql.md", true),
            ("./Guides", "guides/sql.md", true),
            ("guide", "guides/sql.md", false),
            ("*.md", "guides/deep/sql.md", true),
            ("*.pdf", "guides/deep/sql.md", false),
            ("guides/*/SQL.*", "guides/deep/sql.md", true),
            ("guides/s?l.md", "guides/sql.md", true),
        ] {
            let test = PathTest::new(value).expect("a sound path");
            assert_eq!(test.fits(path), expected, "{value} {path}");
        }
        assert!(matches!(PathTest::new("[a"), Err(FilterError::Pattern { .. })));
    }

    #[test]
    fn tags_are_meant_with_those_below() {
        for (tag, wanted, expected) in [
            ("Python", "python", true),
            ("python", "#Python", true),
            ("town/roof", "town", true),
            ("townhall", "town", false),
            ("town", "town/roof", false),
        ] {
            assert_eq!(is_tag(tag, wanted), expected, "{tag} {wanted}");
        }
    }
}
