//! `guidepost index`: build, add folders, bring up to date.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::bail;
use guidepost_index::{LateInteraction, Snapshot, Update};
use serde_json::json;

use crate::Outcome;
use crate::cli::{IndexArgs, Switch};
use crate::console::{Console, count};
use crate::engine::{Change, Engine, folder};
use crate::settings::UserSettings;

pub(crate) fn run(args: &IndexArgs, console: &Console) -> anyhow::Result<Outcome> {
    let user = UserSettings::load(console)?;
    let engine = Engine::new(&args.place, Some(&args.model), &user, console)?;
    let add = args.folders.iter().map(|path| folder(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let remove: Vec<PathBuf> = args.remove.iter().map(|path| removed(path)).collect();
    if let Some(both) = add.iter().find(|folder| remove.contains(folder)) {
        bail!("`{}` cannot be added and removed at once", both.display());
    }
    let kept = if args.rebuild { None } else { Snapshot::open(&engine.index)? };
    let embedder = engine.load_model(kept.as_ref())?;
    if embedder.is_none() {
        refuse_to_lose_vectors(kept.as_ref())?;
        console.note("no model available: the index will answer by words alone (BM25)");
    }
    let late_interaction = match args.late_interaction {
        None => LateInteraction::AsBefore,
        Some(Switch::On) => LateInteraction::Keep,
        Some(Switch::Off) => LateInteraction::Drop,
    };
    let change = Change { add: &add, remove: &remove, rebuild: args.rebuild, late_interaction, wait: true };
    let update = engine.update(&change, embedder.as_deref())?;
    let snapshot = engine.open()?;
    for (given, added) in args.folders.iter().zip(&add) {
        let source = snapshot.sources().iter().position(|source| source.folder.as_ref() == Some(added));
        if !snapshot.documents().iter().any(|document| Some(document.source) == source) {
            engine.warn_empty(given);
        }
    }
    print(&update, &engine, args)?;
    let asked_for_guides = args.remove.is_empty() || !args.folders.is_empty();
    Ok(if update.documents == 0 && asked_for_guides { Outcome::NothingFound } else { Outcome::Found })
}

/// A folder that may be gone already: by its place if it can be told, else as it was given, which may be the name that
/// `status` shows.
fn removed(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// Without a model, an index with vectors cannot be updated, only lost.
fn refuse_to_lose_vectors(kept: Option<&Snapshot>) -> anyhow::Result<()> {
    if kept.is_some_and(Snapshot::has_vectors) {
        bail!(
            "the model is not on this machine, and without it the index cannot be updated; fetch it with `guidepost models pull`"
        );
    }
    Ok(())
}

fn print(update: &Update, engine: &Engine, args: &IndexArgs) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    let other_kinds: usize = update.other_kinds.values().sum();
    if args.output.json {
        let object = json!({
            "schema_version": 1,
            "index": engine.index.display().to_string(),
            "guides": update.documents,
            "passages": update.chunks,
            "embedded": update.embedded,
            "added": update.changes.added,
            "changed": update.changes.changed,
            "removed": update.changes.removed,
            "warnings": update.warnings.iter().map(|w| json!({"path": w.path, "message": w.message})).collect::<Vec<_>>(),
            "formats": update.formats,
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
    let formats = update.formats.iter().map(|(name, n)| format!("{n} {name}")).collect::<Vec<_>>();
    if formats.len() > 1 {
        writeln!(out, "{}", formats.join(", "))?;
    }
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
