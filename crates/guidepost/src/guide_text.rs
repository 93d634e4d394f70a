//! Guides as they are now, for printing their lines, for checking citations, and for reading them again.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use guidepost_index::{DocumentRecord, ShippedGuide, Snapshot};
use guidepost_text::{Document, LineIndex, Lines, read_document, read_text};

use crate::engine::Engine;

/// A guide's file.
pub(crate) struct Guide {
    /// As citations give it.
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
}

impl Guide {
    /// The text whose lines citations count.
    pub(crate) fn text(&self) -> String {
        read_text(&self.path, &self.bytes).0
    }

    pub(crate) fn document(&self) -> Document {
        read_document(&self.path, &self.bytes)
    }
}

/// Reads a guide again from where it came from.
pub(crate) fn read(
    snapshot: &Snapshot,
    document: &DocumentRecord,
    shipped: &[ShippedGuide],
) -> anyhow::Result<Guide> {
    let bytes = match file(snapshot, document) {
        Some(path) => read_inside(snapshot, document, &path)
            .with_context(|| format!("cannot read `{}`", path.display()))?,
        None => {
            let guide = shipped.iter().find(|guide| guide.path == document.relative);
            guide.with_context(|| format!("`{}` does not ship any more", document.relative))?.bytes.to_vec()
        }
    };
    Ok(Guide { path: document.path.clone(), bytes })
}

/// Links are not indexed. What became one since, at any part of its path, may lead anywhere.
fn read_inside(snapshot: &Snapshot, document: &DocumentRecord, path: &Path) -> anyhow::Result<Vec<u8>> {
    let folder = snapshot.sources()[document.source].folder.as_ref().context("it lies in a folder")?;
    let inside = path.canonicalize()?;
    // The folder itself may have been replaced by a link to where it went.
    if inside != path && !inside.starts_with(folder.canonicalize()?) {
        bail!("it is a link that leads out of `{}`", folder.display());
    }
    Ok(std::fs::read(inside)?)
}

/// A guide of the index, or of those that ship when there is no index. It goes by its citation; where that names none, by
/// where it is on disk, or by its path below its folder if no other has the same.
pub(crate) fn find(
    name: &str,
    snapshot: Option<&Snapshot>,
    engine: &Engine,
) -> anyhow::Result<Option<Guide>> {
    let Some(snapshot) = snapshot else {
        let shipped = name.strip_prefix("corpus/");
        let guide = shipped.and_then(|path| engine.shipped.iter().find(|guide| guide.path == path));
        return Ok(guide.map(|guide| Guide { path: name.to_owned(), bytes: guide.bytes.to_vec() }));
    };
    let on_disk = || {
        let path = Path::new(name).canonicalize().ok()?;
        let is_it = |document: &&DocumentRecord| file(snapshot, document).is_some_and(|file| file == path);
        snapshot.documents().iter().find(is_it)
    };
    let document = named(name, snapshot).or_else(on_disk);
    document.map(|document| read(snapshot, document, &engine.shipped)).transpose()
}

/// A guide by its citation, or by its path below its folder if no other has the same. Does not look at the disk.
pub(crate) fn named<'s>(name: &str, snapshot: &'s Snapshot) -> Option<&'s DocumentRecord> {
    let documents = snapshot.documents();
    let cited = documents.iter().find(|document| document.path == name);
    cited.or_else(|| {
        let mut same = documents.iter().filter(|document| document.relative == name);
        same.next().filter(|_| same.next().is_none())
    })
}

/// Where a guide is on disk; `None` where it ships.
pub(crate) fn file(snapshot: &Snapshot, document: &DocumentRecord) -> Option<PathBuf> {
    let folder = snapshot.sources().get(document.source)?.folder.as_ref()?;
    Some(folder.join(&document.relative))
}

/// Whole lines of a text; `None` where they do not exist.
pub(crate) fn lines(text: &str, lines: Lines) -> Option<&str> {
    LineIndex::new(text).span(lines).map(|span| span.of(text))
}

/// What a citation names.
pub(crate) struct Quoted {
    /// As the citation names it.
    pub(crate) name: String,
    pub(crate) lines: Lines,
    /// Lines of the whole guide.
    pub(crate) count: u32,
    pub(crate) text: String,
    /// Whether the citation goes on after the guide's last line.
    pub(crate) clipped: bool,
}

/// A citation that names nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CitationError {
    #[error("`{0}` are no lines; write FILE:12 or FILE:12-20, counting from 1")]
    Malformed(String),
    #[error("no guide `{0}` in the index; `guidepost status --json` lists them")]
    NoGuide(String),
    #[error("`{name}` has {count} lines; {}-{} are not among them", lines.first, lines.last)]
    NoLines { name: String, count: u32, lines: Lines },
    #[error(transparent)]
    Unreadable(#[from] anyhow::Error),
}

/// The text that `FILE`, `FILE:LINE` or `FILE:FIRST-LAST` names; `find` finds a guide by its name.
pub(crate) fn quote(
    citation: &str,
    find: &dyn Fn(&str) -> anyhow::Result<Option<Guide>>,
) -> Result<Quoted, CitationError> {
    // A name may hold a colon: the whole is tried before it is split.
    let (name, guide, wanted) = match find(citation)? {
        Some(guide) => (citation, guide, None),
        None => {
            let (name, lines) = parse(citation)?;
            (name, find(name)?.ok_or_else(|| CitationError::NoGuide(name.to_owned()))?, lines)
        }
    };
    let text = guide.text();
    let count = LineIndex::new(&text).count() as u32;
    let wanted = wanted.unwrap_or(Lines { first: 1, last: count });
    let clipped = wanted.first <= count && wanted.last > count;
    let within = Lines { first: wanted.first, last: if clipped { count } else { wanted.last } };
    let name = name.to_owned();
    match lines(&text, within) {
        Some(found) => Ok(Quoted { name, lines: within, count, text: found.to_owned(), clipped }),
        None => Err(CitationError::NoLines { name, count, lines: within }),
    }
}

/// Splits `FILE`, `FILE:LINE` and `FILE:FIRST-LAST`.
fn parse(citation: &str) -> Result<(&str, Option<Lines>), CitationError> {
    let Some((name, lines)) = citation.rsplit_once(':') else { return Ok((citation, None)) };
    let (first, last) = lines.split_once('-').unwrap_or((lines, lines));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if 0 < first && first <= last => Ok((name, Some(Lines { first, last }))),
        _ => Err(CitationError::Malformed(lines.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn citations_are_split() {
        let lines = |first, last| Some(Lines { first, last });
        for (citation, expected) in [
            ("a/b.md", ("a/b.md", None)),
            ("b.md:7", ("b.md", lines(7, 7))),
            ("b.md:7-9", ("b.md", lines(7, 9))),
        ] {
            assert_eq!(parse(citation).expect("it is one"), expected);
        }
        for citation in ["b.md:", "b.md:0", "b.md:9-7", "b.md:x"] {
            assert!(parse(citation).is_err_and(|error| error.to_string().contains("FILE:12-20")));
        }
    }
}
