//! `guidepost get`: lines of a guide, as cited.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use guidepost_index::{DocumentRecord, Snapshot};
use guidepost_text::{LineIndex, Lines, read_text};

use crate::cli::GetArgs;
use crate::console::{Console, printable};
use crate::engine::Engine;
use crate::settings::UserSettings;
use crate::{Outcome, guide_text};

pub(crate) fn run(args: &GetArgs, console: &Console) -> anyhow::Result<Outcome> {
    let user = UserSettings::load(console)?;
    let engine = Engine::new(&args.place, None, &user, console)?;
    let snapshot = Snapshot::open(&engine.index)?;
    // A name may hold a colon: the whole is tried before it is split.
    let whole = find(&args.citation, snapshot.as_ref(), &engine)?;
    let (name, text, wanted) = match whole {
        Some(text) => (args.citation.as_str(), text, None),
        None => {
            let (name, lines) = parse(&args.citation)?;
            let text = find(name, snapshot.as_ref(), &engine)?.with_context(|| {
                let place = engine.index.display();
                format!("no guide `{name}` in the index in `{place}`; `guidepost status --json` lists them")
            })?;
            (name, text, lines)
        }
    };
    let count = LineIndex::new(&text).count() as u32;
    let mut lines = wanted.unwrap_or(Lines { first: 1, last: count });
    if lines.first <= count && lines.last > count {
        console.note(&format!("`{name}` ends with line {count}"));
        lines.last = count;
    }
    let Some(found) = guide_text::lines(&text, lines) else {
        bail!("`{name}` has {count} lines; {}-{} are not among them", lines.first, lines.last);
    };
    let mut out = std::io::stdout().lock();
    match out.is_terminal() {
        true => writeln!(out, "{}", printable(found))?,
        false => writeln!(out, "{found}")?,
    }
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

/// The text of a guide: of the index, or of those that ship when there is no index. A guide goes by its citation;
/// where that names none, by where it is on disk, or by its path below its folder if no other has the same.
fn find(name: &str, snapshot: Option<&Snapshot>, engine: &Engine) -> anyhow::Result<Option<String>> {
    let Some(snapshot) = snapshot else {
        let shipped = name.strip_prefix("corpus/");
        let guide = shipped.and_then(|path| engine.shipped.iter().find(|guide| guide.path == path));
        return Ok(guide.map(|guide| read_text(guide.path, guide.bytes).0));
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
    document.map(|document| guide_text::read(snapshot, document, &engine.shipped)).transpose()
}

fn file(snapshot: &Snapshot, document: &DocumentRecord) -> Option<PathBuf> {
    let folder = snapshot.sources().get(document.source)?.folder.as_ref()?;
    Some(folder.join(&document.relative))
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
