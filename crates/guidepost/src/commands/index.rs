//! `guidepost index`: build, add folders, bring up to date.

use std::io::Write;
use std::path::PathBuf;

use anyhow::bail;
use guidepost_index::{Source, Update, recorded_sources};
use serde_json::json;

use crate::Outcome;
use crate::cli::IndexArgs;
use crate::console::{Console, count};
use crate::engine::{Engine, folder};
use crate::settings::UserSettings;

pub(crate) fn run(args: &IndexArgs, console: &Console) -> anyhow::Result<Outcome> {
    let user = UserSettings::load(console)?;
    let engine = Engine::new(&args.place, Some(&args.model), &user, console)?;
    let sources = sources(args, &engine)?;
    let embedder = engine.load_model()?;
    if embedder.is_none() {
        console.note("no model to be had: the index will answer by words alone (BM25)");
    }
    let update = engine.update(&sources, embedder.as_deref(), args.rebuild, true)?;
    if update.documents == 0 {
        engine.warn_empty(args.folders.first().map(PathBuf::as_path));
    }
    print(&update, &engine, args)?;
    Ok(if update.documents > 0 { Outcome::Found } else { Outcome::NothingFound })
}

/// The folders of before, those that were added, without those that were removed. The guides that ship are there
/// as long as nobody names a folder.
fn sources(args: &IndexArgs, engine: &Engine) -> anyhow::Result<Vec<Source>> {
    let recorded = match recorded_sources(&engine.index) {
        Err(_) if args.rebuild && !args.folders.is_empty() => None,
        recorded => recorded?,
    };
    let before = recorded.unwrap_or_default();
    let mut sources: Vec<Source> = before.iter().map(|record| record.source()).collect();
    for path in &args.folders {
        let added = folder(path)?;
        if !sources.contains(&added) {
            sources.push(added);
        }
    }
    for path in &args.remove {
        let gone = Source::Folder(path.canonicalize().unwrap_or_else(|_| path.clone()));
        let Some(at) = sources.iter().position(|source| *source == gone) else {
            bail!("`{}` is not in the index in `{}`", path.display(), engine.index.display());
        };
        sources.remove(at);
        if sources.is_empty() {
            bail!(
                "`{}` is all the index holds; to be rid of it, remove `{}`",
                path.display(),
                engine.index.display()
            );
        }
    }
    if !args.folders.is_empty() {
        sources.retain(|source| *source != Source::Shipped);
    }
    if sources.is_empty() {
        sources.push(Source::Shipped);
    }
    Ok(sources)
}

fn print(update: &Update, engine: &Engine, args: &IndexArgs) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    let other_kinds: usize = update.other_kinds.values().sum();
    if args.output.json {
        let object = json!({
            "schema_version": 1,
            "index": engine.index,
            "guides": update.documents,
            "passages": update.chunks,
            "embedded": update.embedded,
            "added": update.changes.added,
            "changed": update.changes.changed,
            "removed": update.changes.removed,
            "warnings": update.warnings.iter().map(|w| json!({"path": w.path, "message": w.message})).collect::<Vec<_>>(),
            "other_kinds": update.other_kinds,
        });
        writeln!(out, "{object:#}")?;
        return Ok(());
    }
    let state = if update.wrote { "" } else { " (up to date)" };
    writeln!(
        out,
        "{}, {} in `{}`{state}",
        count(update.documents, "guide"),
        count(update.chunks, "passage"),
        engine.index.display()
    )?;
    if update.wrote {
        let changes = &update.changes;
        writeln!(
            out,
            "{} added, {} changed, {} removed; {} embedded",
            changes.added, changes.changed, changes.removed, update.embedded
        )?;
    }
    if other_kinds > 0 {
        let kinds = update.other_kinds.iter().map(|(kind, n)| match kind.as_str() {
            "" => format!("{n} without an extension"),
            kind => format!("{n} .{kind}"),
        });
        let kinds = kinds.collect::<Vec<_>>().join(", ");
        writeln!(out, "{} of kinds that are not read: {kinds}", count(other_kinds, "file"))?;
    }
    Ok(())
}
