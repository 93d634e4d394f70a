//! `guidepost status`: what the index holds.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use guidepost_index::{Changes, Snapshot};
use serde_json::json;

use crate::Outcome;
use crate::cli::StatusArgs;
use crate::console::{Console, count};
use crate::engine::Engine;
use crate::output::StatusView;
use crate::settings::UserSettings;
use crate::tuned::Tuned;

pub(crate) fn run(args: &StatusArgs, console: &Console) -> anyhow::Result<Outcome> {
    let user = UserSettings::load(console)?;
    let engine = Engine::new(&args.place, None, &user, console)?;
    let snapshot = Snapshot::open(&engine.index)?;
    if args.output.json {
        let view = StatusView::new(&engine.index, snapshot.as_ref(), &engine.shipped)?;
        writeln!(anstream::stdout().lock(), "{:#}", json!(view))?;
    } else if let Some(snapshot) = &snapshot {
        print_text(snapshot, &engine, console)?;
    }
    if snapshot.is_none() {
        let place = engine.index.display();
        console.note(&format!(
            "no index in `{place}`; `guidepost index DIR` builds one, and so does the first question"
        ));
        return Ok(Outcome::NothingFound);
    }
    Ok(Outcome::Found)
}

fn print_text(snapshot: &Snapshot, engine: &Engine, console: &Console) -> anyhow::Result<()> {
    let (changes, warnings) = snapshot.changes(&engine.shipped)?;
    warnings.iter().for_each(|warning| console.warn(&warning.message));
    let mut out = anstream::stdout().lock();
    let mut row = |name: &str, value: String| writeln!(out, "{name:<12} {value}");
    row("index", engine.index.display().to_string())?;
    for source in snapshot.sources() {
        let folder = source
            .folder
            .as_ref()
            .map_or("the guides that ship".into(), |folder| folder.display().to_string());
        row("folder", format!("{}: {folder}", source.name))?;
    }
    row("guides", snapshot.documents().len().to_string())?;
    row("passages", snapshot.chunk_count().to_string())?;
    row("size", format!("{:.1} MB", snapshot.bytes() as f64 / 1e6))?;
    row("tokens", describe_tokens(snapshot))?;
    row("model", snapshot.fingerprint().to_owned())?;
    row("content", describe_content(snapshot))?;
    row("weights", describe_weights(snapshot))?;
    row("generation", format!("{}, written {}", snapshot.generation(), age(snapshot.written())))?;
    let out_of_reach =
        if warnings.is_empty() { "" } else { "; not all of it could be looked at, see the warnings" };
    row("on disk", format!("{}{out_of_reach}", describe(changes)))?;
    let noticed = snapshot.documents().iter().filter(|document| !document.warnings.is_empty());
    for document in noticed {
        row("note", format!("{}: {}", document.path, document.warnings.join("; ")))?;
    }
    Ok(())
}

/// The digest of all that the index says.
pub(crate) fn describe_content(snapshot: &Snapshot) -> String {
    snapshot.content_hash().unwrap_or_else(|| {
        "not known, an earlier version wrote some of it; `guidepost index --rebuild` finds it".to_owned()
    })
}

/// Whether late interaction can be had, and what it costs.
fn describe_tokens(snapshot: &Snapshot) -> String {
    match snapshot.has_token_codes() {
        true => format!("{:.1} MB of the size, for late interaction", snapshot.token_bytes() as f64 / 1e6),
        false if snapshot.has_vectors() => {
            "none, so no late interaction; `guidepost index --late-interaction on` adds them".to_owned()
        }
        false => "none".to_owned(),
    }
}

/// How searches are weighed.
fn describe_weights(snapshot: &Snapshot) -> String {
    match Tuned::read(snapshot.index()) {
        Ok(None) => "those that ship; `guidepost tune` chooses them for these guides".to_owned(),
        Err(error) => format!("those that ship; {error:#}"),
        Ok(Some(tuned)) => match tuned.stale(snapshot) {
            Some(why) => format!("those that ship; tuned {why}, `guidepost tune` chooses anew"),
            None => {
                format!("tuned with {}: {}", count(tuned.questions, "question"), tuned.weights.describe())
            }
        },
    }
}

/// What differs on disk.
pub(crate) fn describe(changes: Changes) -> String {
    if !changes.any_text() {
        return "up to date".to_owned();
    }
    let parts = [(changes.added, "new"), (changes.changed, "changed"), (changes.removed, "gone")];
    let said =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect::<Vec<_>>();
    format!("{}; the next question takes them up", said.join(", "))
}

fn age(written: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(written, |now| now.as_secs());
    let seconds = now.saturating_sub(written) as usize;
    let (number, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{} ago", count(number, unit))
}
