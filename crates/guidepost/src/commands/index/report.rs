//! What an update did, for people and for programs.

use std::collections::BTreeMap;
use std::io::Write;

use guidepost_index::{Update, Warning};
use serde_json::{Value, json};

use crate::cli::StatusFormat;
use crate::console::count;
use crate::engine::Engine;

pub(super) fn print(update: &Update, engine: &Engine, output: StatusFormat) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    if output.json {
        let object = json!({
            "schema_version": 1,
            "index": engine.index.display().to_string(),
            "guides": update.documents,
            "passages": update.chunks,
            "embedded": update.embedded,
            "resumed": update.resumed,
            "embedding_seconds": update.embedding.as_secs_f64(),
            "added": update.changes.added,
            "changed": update.changes.changed,
            "removed": update.changes.removed,
            "warnings": warnings(&update.warnings),
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
            "{} added, {} changed, {} removed; {}",
            changes.added,
            changes.changed,
            changes.removed,
            embedded(update)
        )?;
    }
    print_other_kinds(&mut out, &update.other_kinds)
}

/// How many passages went through the model, and how many need not have.
pub(super) fn embedded(update: &Update) -> String {
    match update.resumed {
        0 => format!("{} embedded", update.embedded),
        resumed => format!("{} embedded, {resumed} before it was interrupted", update.embedded),
    }
}

pub(super) fn warnings(warnings: &[Warning]) -> Vec<Value> {
    warnings.iter().map(|warning| json!({"path": warning.path, "message": warning.message})).collect()
}

pub(super) fn print_other_kinds(
    out: &mut impl Write,
    other_kinds: &BTreeMap<String, usize>,
) -> anyhow::Result<()> {
    let files: usize = other_kinds.values().sum();
    if files > 0 {
        let kinds = other_kinds.iter().map(|(kind, n)| match kind.as_str() {
            "" => format!("{n} without an extension"),
            kind => format!("{n} .{kind}"),
        });
        let kinds = kinds.collect::<Vec<_>>().join(", ");
        writeln!(out, "{} of kinds that are not read: {kinds}", count(files, "file"))?;
    }
    Ok(())
}
