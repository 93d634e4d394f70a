//! `guidepost index --dry-run`: what an update would do.

use std::io::Write;

use guidepost_index::{Preview, Request, preview};
use serde_json::json;

use super::report;
use crate::Outcome;
use crate::cli::StatusFormat;
use crate::console::{count, printable};
use crate::engine::Engine;

/// Guides of a kind that are listed; more are only counted. Programs get all of them.
const LISTED: usize = 20;

pub(super) fn run(request: &Request, engine: &Engine, output: StatusFormat) -> anyhow::Result<Outcome> {
    let preview = preview(request)?;
    match output.json {
        true => print_json(&preview, engine)?,
        false => {
            engine.print_warnings(&preview.warnings);
            print_text(&preview, engine)?;
        }
    }
    Ok(Outcome::Found)
}

fn print_json(preview: &Preview, engine: &Engine) -> anyhow::Result<()> {
    let object = json!({
        "schema_version": 1,
        "index": engine.index.display().to_string(),
        "dry_run": true,
        "writes": preview.writes,
        "added": preview.added,
        "changed": preview.changed,
        "removed": preview.removed,
        "touched": preview.touched,
        "unchanged": preview.unchanged,
        "warnings": report::warnings(&preview.warnings),
        "other_kinds": preview.other_kinds,
    });
    writeln!(anstream::stdout().lock(), "{object:#}")?;
    Ok(())
}

fn print_text(preview: &Preview, engine: &Engine) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    let state = if preview.writes { "would be updated" } else { "is up to date" };
    writeln!(out, "the index in `{}` {state}; nothing was written", engine.index.display())?;
    let kinds = [
        ("new", &preview.added),
        ("changed", &preview.changed),
        ("removed", &preview.removed),
        ("touched", &preview.touched),
    ];
    for (kind, guides) in kinds.iter().filter(|(_, guides)| !guides.is_empty()) {
        writeln!(out, "{}, {kind}:", count(guides.len(), "guide"))?;
        for guide in guides.iter().take(LISTED) {
            writeln!(out, "  {}", printable(guide))?;
        }
        if let Some(more) = guides.len().checked_sub(LISTED).filter(|&more| more > 0) {
            writeln!(out, "  and {more} more; --json lists all")?;
        }
    }
    writeln!(out, "{} unchanged", count(preview.unchanged, "guide"))?;
    report::print_other_kinds(&mut out, &preview.other_kinds)
}
