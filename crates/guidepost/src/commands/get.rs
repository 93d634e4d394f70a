//! `guidepost get`: lines of a guide, as cited.

use std::io::{IsTerminal, Write};

use anyhow::anyhow;
use guidepost_index::Snapshot;

use crate::Outcome;
use crate::cli::GetArgs;
use crate::console::{Console, printable};
use crate::engine::Engine;
use crate::guide_text::{self, CitationError};
use crate::settings::UserSettings;

pub(crate) fn run(args: &GetArgs, console: &Console) -> anyhow::Result<Outcome> {
    let user = UserSettings::load(console)?;
    let engine = Engine::new(&args.place, None, &user, console)?;
    let snapshot = Snapshot::open(&engine.index)?;
    let find = |name: &str| guide_text::find(name, snapshot.as_ref(), &engine);
    let quoted = guide_text::quote(&args.citation, &find).map_err(|error| match error {
        CitationError::NoGuide(name) => anyhow!(
            "no guide `{name}` in the index in `{}`; `guidepost status --json` lists them",
            engine.index.display()
        ),
        error => error.into(),
    })?;
    if quoted.clipped {
        console.note(&format!("`{}` ends with line {}", quoted.name, quoted.count));
    }
    let found = quoted.text.as_str();
    let mut out = std::io::stdout().lock();
    match out.is_terminal() {
        true => writeln!(out, "{}", printable(found))?,
        false => writeln!(out, "{found}")?,
    }
    Ok(Outcome::Found)
}
