//! The text of a guide as it is now, for printing its lines and for checking citations.

use anyhow::Context;
use guidepost_index::{DocumentRecord, ShippedGuide, Snapshot};
use guidepost_text::{LineIndex, Lines, read_text};

/// Reads a guide again from where it came from.
pub(crate) fn read(
    snapshot: &Snapshot,
    document: &DocumentRecord,
    shipped: &[ShippedGuide],
) -> anyhow::Result<String> {
    let folder = snapshot.sources().get(document.source).and_then(|source| source.folder.as_deref());
    let bytes = match folder {
        Some(folder) => {
            let path = folder.join(&document.relative);
            std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?
        }
        None => {
            let guide = shipped.iter().find(|guide| guide.path == document.relative);
            guide.with_context(|| format!("`{}` does not ship any more", document.relative))?.bytes.to_vec()
        }
    };
    Ok(read_text(&document.path, &bytes).0)
}

/// Whole lines of a text; `None` where they do not exist.
pub(crate) fn lines(text: &str, lines: Lines) -> Option<&str> {
    LineIndex::new(text).span(lines).map(|span| span.of(text))
}
