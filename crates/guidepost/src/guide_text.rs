//! Guides as they are now, for printing their lines, for checking citations, and for reading them again.

use std::path::{Path, PathBuf};

use anyhow::Context;
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
        Some(path) => std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?,
        None => {
            let guide = shipped.iter().find(|guide| guide.path == document.relative);
            guide.with_context(|| format!("`{}` does not ship any more", document.relative))?.bytes.to_vec()
        }
    };
    Ok(Guide { path: document.path.clone(), bytes })
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
    let documents = snapshot.documents();
    let cited = documents.iter().find(|document| document.path == name);
    let on_disk = || {
        let path = Path::new(name).canonicalize().ok()?;
        documents.iter().find(|document| file(snapshot, document).is_some_and(|file| file == path))
    };
    let below = || {
        let mut same = documents.iter().filter(|document| document.relative == name);
        same.next().filter(|_| same.next().is_none())
    };
    let document = cited.or_else(on_disk).or_else(below);
    document.map(|document| read(snapshot, document, &engine.shipped)).transpose()
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
