//! `guidepost get`: lines of a guide, as cited.

use std::io::{IsTerminal, Write};

use anyhow::{Context, bail};
use guidepost_index::Snapshot;
use guidepost_text::{LineIndex, Lines};

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
    let whole = guide_text::find(&args.citation, snapshot.as_ref(), &engine)?;
    let (name, text, wanted) = match whole {
        Some(guide) => (args.citation.as_str(), guide.text(), None),
        None => {
            let (name, lines) = parse(&args.citation)?;
            let guide = guide_text::find(name, snapshot.as_ref(), &engine)?.with_context(|| {
                let place = engine.index.display();
                format!("no guide `{name}` in the index in `{place}`; `guidepost status --json` lists them")
            })?;
            (name, guide.text(), lines)
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
