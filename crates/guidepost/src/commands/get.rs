//! `guidepost get`: lines of a guide, as cited.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use guidepost_index::{DocumentRecord, Snapshot};
use guidepost_text::{LineIndex, Lines, read_text};

use crate::cli::GetArgs;
use crate::console::Console;
use crate::engine::Engine;
use crate::settings::UserSettings;
use crate::{Outcome, guide_text};

pub(crate) fn run(args: &GetArgs, console: &Console) -> anyhow::Result<Outcome> {
    let user = UserSettings::load(console)?;
    let engine = Engine::new(&args.place, None, &user, console)?;
    let (name, wanted) = parse(&args.citation)?;
    let text = find(name, &engine)?;
    let count = LineIndex::new(&text).count() as u32;
    let lines = wanted.unwrap_or(Lines { first: 1, last: count });
    let Some(found) = guide_text::lines(&text, lines) else {
        bail!("`{name}` has {count} lines; {}-{} are not among them", lines.first, lines.last);
    };
    writeln!(std::io::stdout().lock(), "{found}")?;
    Ok(Outcome::Found)
}

/// Splits `FILE`, `FILE:LINE` and `FILE:FIRST-LAST`.
fn parse(citation: &str) -> anyhow::Result<(&str, Option<Lines>)> {
    let Some((name, lines)) = citation.rsplit_once(':') else { return Ok((citation, None)) };
    let (first, last) = lines.split_once('-').unwrap_or((lines, lines));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if 0 < first && first <= last => Ok((name, Some(Lines { first, last }))),
        _ => bail!("`{lines}` are no lines; write FILE:12 or FILE:12-20, counting from 1"),
    }
}

/// The text of a guide: of the index, or of those that ship when there is no index.
fn find(name: &str, engine: &Engine) -> anyhow::Result<String> {
    let snapshot = Snapshot::open(&engine.index)?;
    if let Some(snapshot) = &snapshot
        && let Some(document) =
            snapshot.documents().iter().find(|document| is_named(snapshot, document, name))
    {
        return guide_text::read(snapshot, document, &engine.shipped);
    }
    let shipped =
        name.strip_prefix("corpus/").and_then(|path| engine.shipped.iter().find(|guide| guide.path == path));
    let guide = shipped.with_context(|| {
        format!(
            "no guide `{name}` in the index in `{}`; `guidepost status --json` lists them",
            engine.index.display()
        )
    })?;
    Ok(read_text(guide.bytes).0)
}

/// Guides go by their citation, by their path below their folder, and by where they are on disk.
fn is_named(snapshot: &Snapshot, document: &DocumentRecord, name: &str) -> bool {
    let folder = snapshot.sources().get(document.source).and_then(|source| source.folder.as_deref());
    let on_disk = || {
        folder.is_some_and(|folder| {
            Path::new(name).canonicalize().is_ok_and(|p| p == folder.join(&document.relative))
        })
    };
    document.path == name || document.relative == name || on_disk()
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
