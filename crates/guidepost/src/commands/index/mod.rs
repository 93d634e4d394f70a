//! `guidepost index`: build, add folders, bring up to date, and stay so.

mod dry_run;
mod report;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::bail;
use guidepost_index::{Following, IndexError, LateInteraction, Snapshot, Update};
use guidepost_text::Embed;

use self::watch::Watch;
use crate::cli::{IndexArgs, Switch};
use crate::console::{Console, count};
use crate::engine::{Change, Engine, folder};
use crate::settings::UserSettings;
use crate::{Outcome, interrupt};

pub(crate) fn run(args: &IndexArgs, console: &Console) -> anyhow::Result<Outcome> {
    let user = UserSettings::load(console)?;
    let engine = Engine::new(&args.place, Some(&args.model), &user, console)?;
    let add = args.folders.iter().map(|path| folder(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let remove: Vec<PathBuf> = args.remove.iter().map(|path| removed(path)).collect();
    if let Some(both) = add.iter().find(|folder| remove.contains(folder)) {
        bail!("`{}` cannot be added and removed at once", both.display());
    }
    let late_interaction = match args.late_interaction {
        None => LateInteraction::AsBefore,
        Some(Switch::On) => LateInteraction::Keep,
        Some(Switch::Off) => LateInteraction::Drop,
    };
    let rebuild = args.rebuild;
    let change = Change {
        add: &add,
        remove: &remove,
        rebuild,
        late_interaction,
        memory: args.memory,
        wait: true,
        ..Change::NONE
    };
    if args.dry_run {
        return dry_run::run(&engine.request(&change, None), &engine, args.output);
    }
    let embedder = load_model(&engine, args, console)?;
    // Not before: a model that is being fetched goes on by itself the next time.
    let stop = interrupt::catch(console)?;
    let change = Change { stop: Some(&stop), ..change };
    let update = match engine.update(&change, embedder.as_deref()) {
        Err(IndexError::Interrupted { kept }) => return Ok(interrupted(kept, args, console)),
        update => update?,
    };
    warn_of_empty(&add, args, &engine)?;
    report::print(&update, &engine, args.output)?;
    match args.watch {
        true => watch(&engine, embedder.as_deref(), args, &stop, console),
        false => Ok(outcome(&update, args)),
    }
}

fn watch(
    engine: &Engine,
    embedder: Option<&dyn Embed>,
    args: &IndexArgs,
    stop: &AtomicBool,
    console: &Console,
) -> anyhow::Result<Outcome> {
    if engine.open()?.sources().iter().all(|source| source.folder.is_none()) {
        bail!("the guides that ship do not change; name a folder of yours to watch");
    }
    let following = if args.poll { Following::Polled } else { Following::Notified };
    Watch::new(engine, embedder, stop, console).run(following)
}

/// A folder that may be gone already: by its place if it can be told, else as it was given, which may be the name that
/// `status` shows.
fn removed(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn load_model(
    engine: &Engine,
    args: &IndexArgs,
    console: &Console,
) -> anyhow::Result<Option<Box<dyn Embed>>> {
    let kept = if args.rebuild { None } else { Snapshot::open_for_update(&engine.index)? };
    let embedder = engine.load_model(kept.as_ref())?;
    if embedder.is_none() {
        refuse_to_lose_vectors(kept.as_ref())?;
        console.note("no model available: the index will answer by words alone (BM25)");
    }
    Ok(embedder)
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

fn interrupted(kept: Option<usize>, args: &IndexArgs, console: &Console) -> Outcome {
    let command = command_again(args);
    console.note(&match kept {
        Some(passages) => what_is_kept(passages, &command),
        None => format!("stopped before anything was embedded; `{command}` starts again"),
    });
    Outcome::Interrupted
}

fn what_is_kept(passages: usize, command: &str) -> String {
    let passages = count(passages, "embedded passage");
    format!("stopped: {passages} kept; the next `{command}` goes on from there")
}

/// The command that goes on: a folder that was to be added is not in the index yet.
fn command_again(args: &IndexArgs) -> String {
    let folders = args.folders.iter().map(|folder| folder.display().to_string());
    let removed = args.remove.iter().map(|folder| format!("--remove {}", folder.display()));
    let rebuild = args.rebuild.then(|| "--rebuild".to_owned());
    let words = rebuild.into_iter().chain(folders).chain(removed);
    words.fold("guidepost index".to_owned(), |command, word| format!("{command} {word}"))
}

fn warn_of_empty(add: &[PathBuf], args: &IndexArgs, engine: &Engine) -> anyhow::Result<()> {
    let snapshot = engine.open()?;
    for (given, added) in args.folders.iter().zip(add) {
        let source = snapshot.sources().iter().position(|source| source.folder.as_ref() == Some(added));
        if !snapshot.documents().iter().any(|document| Some(document.source) == source) {
            engine.warn_empty(given);
        }
    }
    Ok(())
}

fn outcome(update: &Update, args: &IndexArgs) -> Outcome {
    let asked_for_guides = args.remove.is_empty() || !args.folders.is_empty();
    if update.documents == 0 && asked_for_guides { Outcome::NothingFound } else { Outcome::Found }
}
