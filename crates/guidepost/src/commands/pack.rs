//! `guidepost pack` and `guidepost unpack`: an index in one file, and out of it.

use std::io::Write;
use std::path::Path;

use anyhow::bail;
use guidepost_index::{Existing, Snapshot, SourceRecord, pack, unpack};
use serde_json::{Value, json};

use super::status::{describe, describe_content};
use crate::Outcome;
use crate::cli::{PackArgs, UnpackArgs};
use crate::console::{Console, printable};
use crate::engine::Engine;
use crate::settings::UserSettings;

pub(crate) fn run(args: &PackArgs, console: &Console) -> anyhow::Result<Outcome> {
    let user = UserSettings::load(console)?;
    let engine = Engine::new(&args.place, None, &user, console)?;
    if args.file == Path::new("-") {
        bail!("a pack is written to a file, not to standard output; name one");
    }
    let existing = if args.force { Existing::Replace } else { Existing::Keep };
    let Some(packed) = pack(&engine.index, &args.file, existing)? else {
        console.note(&format!("no index in `{}`; there is nothing to pack", engine.index.display()));
        return Ok(Outcome::NothingFound);
    };
    match args.output.json {
        true => print_json(&packed.snapshot, &args.file, packed.bytes)?,
        false => print_text(&packed.snapshot, &args.file, packed.bytes)?,
    }
    Ok(Outcome::Found)
}

pub(crate) fn restore(args: &UnpackArgs, console: &Console) -> anyhow::Result<Outcome> {
    let user = UserSettings::load(console)?;
    let engine = Engine::new(&args.place, None, &user, console)?;
    unpack(&args.file, &engine.index)?;
    let snapshot = engine.open()?;
    match args.output.json {
        true => print_json(&snapshot, &args.file, snapshot.bytes())?,
        false => {
            print_text(&snapshot, &engine.index, snapshot.bytes())?;
            print_folders(&snapshot)?;
            let (changes, _) = snapshot.changes(&engine.shipped)?;
            writeln!(anstream::stdout().lock(), "{:<12} {}", "on disk", describe(changes))?;
        }
    }
    Ok(Outcome::Found)
}

/// What lies there now: a pack or an index.
fn print_text(snapshot: &Snapshot, place: &Path, bytes: u64) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    let mut row = |name: &str, value: String| writeln!(out, "{name:<12} {value}");
    row("written", place.display().to_string())?;
    row("size", format!("{:.1} MB", bytes as f64 / 1e6))?;
    row("guides", snapshot.documents().len().to_string())?;
    row("passages", snapshot.chunk_count().to_string())?;
    row("model", printable(snapshot.fingerprint()))?;
    row("content", describe_content(snapshot))?;
    Ok(())
}

/// Where the guides of a restored index are read from, if they are there.
fn print_folders(snapshot: &Snapshot) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    for source in snapshot.sources() {
        let place = match &source.folder {
            None => "the guides that ship".to_owned(),
            Some(folder) if is_here(source) => folder.display().to_string(),
            Some(folder) => {
                format!("{}, which is not on this machine; its guides answer all the same", folder.display())
            }
        };
        writeln!(out, "{:<12} {}", "folder", printable(&format!("{}: {place}", source.name)))?;
    }
    Ok(())
}

fn print_json(snapshot: &Snapshot, pack: &Path, bytes: u64) -> anyhow::Result<()> {
    let source = |source: &SourceRecord| -> Value {
        json!({"name": source.name, "folder": source.folder, "here": is_here(source)})
    };
    let object = json!({
        "schema_version": 1,
        "pack": pack.display().to_string(),
        "index": snapshot.index().display().to_string(),
        "bytes": bytes,
        "guides": snapshot.documents().len(),
        "passages": snapshot.chunk_count(),
        "fingerprint": snapshot.fingerprint(),
        "content": snapshot.content_hash(),
        "sources": snapshot.sources().iter().map(source).collect::<Vec<_>>(),
    });
    writeln!(anstream::stdout().lock(), "{object:#}")?;
    Ok(())
}

/// Whether the guides of a source are at hand.
fn is_here(source: &SourceRecord) -> bool {
    source.folder.as_ref().is_none_or(|folder| folder.is_dir())
}
