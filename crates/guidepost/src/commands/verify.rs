//! `guidepost verify` and `guidepost repair`: whether the index is what was written, and making it so again.

use std::io::Write;

use anyhow::bail;
use guidepost_index::{IndexError, Update, Verified, verify};
use serde_json::json;

use crate::cli::{RepairArgs, StatusArgs};
use crate::console::{Console, count};
use crate::engine::{Change, Engine};
use crate::settings::UserSettings;
use crate::{Outcome, interrupt};

/// Damages that are named on the way to an error; `--json` has all.
const NAMED: usize = 20;

pub(crate) fn run(args: &StatusArgs, console: &Console) -> anyhow::Result<Outcome> {
    let user = UserSettings::load(console)?;
    let engine = Engine::new(&args.place, None, &user, console)?;
    let Some(verified) = look(&engine, console)? else { return Ok(Outcome::NothingFound) };
    if args.output.json {
        print_json(&verified, &engine)?;
    } else if verified.damages.is_empty() {
        let generation =
            verified.generation.map_or_else(String::new, |number| format!(" of generation {number}"));
        let (files, megabytes) = (count(verified.files, "file"), verified.bytes as f64 / 1e6);
        let place = engine.index.display();
        writeln!(
            anstream::stdout().lock(),
            "`{place}` is sound: {files}{generation}, {megabytes:.1} MB, are what was written"
        )?;
    }
    if verified.damages.is_empty() {
        return Ok(Outcome::Found);
    }
    if !args.output.json {
        name_damages(&verified)?;
    }
    bail!(
        "the index is damaged in {}; mend it with `guidepost repair`",
        count(verified.damages.len(), "place")
    )
}

pub(crate) fn repair(args: &RepairArgs, console: &Console) -> anyhow::Result<Outcome> {
    let user = UserSettings::load(console)?;
    let engine = Engine::new(&args.place, Some(&args.model), &user, console)?;
    let Some(verified) = look(&engine, console)? else { return Ok(Outcome::NothingFound) };
    let mut out = anstream::stdout().lock();
    if verified.damages.is_empty() {
        writeln!(out, "`{}` is sound; there is nothing to mend", engine.index.display())?;
        return Ok(Outcome::Found);
    }
    name_damages(&verified)?;
    let embedder = engine.load_model(None)?;
    let stop = interrupt::catch(console)?;
    let change = Change { repair: true, wait: true, stop: Some(&stop), ..Change::NONE };
    let update = match engine.update(&change, embedder.as_deref()) {
        Err(IndexError::Interrupted { .. }) => return Ok(Outcome::Interrupted),
        update => update?,
    };
    let again = verify(&engine.index)?.unwrap_or_default();
    if let Some(damage) = again.damages.first() {
        bail!(
            "`{}` is still damaged: {}; make the index again with `guidepost index --rebuild`",
            damage.path.display(),
            damage.reason
        );
    }
    print_repaired(&update, &engine, &mut out)?;
    Ok(if update.lost.is_empty() { Outcome::Found } else { Outcome::NothingFound })
}

fn look(engine: &Engine, console: &Console) -> anyhow::Result<Option<Verified>> {
    let verified = verify(&engine.index)?;
    if verified.is_none() {
        console.note(&format!("no index in `{}`; there is nothing to verify", engine.index.display()));
    }
    Ok(verified)
}

fn name_damages(verified: &Verified) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    for damage in verified.damages.iter().take(NAMED) {
        let remedy = match damage.is_derived {
            true => "can be made again from the rest",
            false => "is made again from the guides, and embedded where need be",
        };
        writeln!(out, "{}: {}; {remedy}", damage.path.display(), damage.reason)?;
    }
    if let Some(more) = verified.damages.len().checked_sub(NAMED).filter(|&more| more > 0) {
        writeln!(out, "and {more} more; `guidepost verify --json` lists all")?;
    }
    Ok(())
}

fn print_repaired(update: &Update, engine: &Engine, out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(
        out,
        "mended: {}, {} in `{}`; {} had to be embedded again",
        count(update.documents, "guide"),
        count(update.chunks, "passage"),
        engine.index.display(),
        count(update.embedded, "passage"),
    )?;
    for path in &update.lost {
        writeln!(
            out,
            "lost: {path}; its folder is out of reach, and the index had the only copy of its text"
        )?;
    }
    Ok(())
}

fn print_json(verified: &Verified, engine: &Engine) -> anyhow::Result<()> {
    let damages = verified.damages.iter().map(|damage| {
        json!({"path": damage.path.display().to_string(), "reason": damage.reason, "derived": damage.is_derived})
    });
    let object = json!({
        "schema_version": 1,
        "index": engine.index.display().to_string(),
        "generation": verified.generation,
        "files": verified.files,
        "bytes": verified.bytes,
        "damages": damages.collect::<Vec<_>>(),
    });
    writeln!(anstream::stdout().lock(), "{object:#}")?;
    Ok(())
}
