//! `guidepost tune`: the weights of a search, chosen for the guides of an index without labels.
//!
//! ```text
//! guides --derive--> sections, questions --index aside--> snapshot --every setting--> verdict --> tuned.json, report
//! ```

mod report;

use std::path::Path;

use anyhow::{Context, bail};
use guidepost_index::{LateInteraction, Snapshot};
use guidepost_query::{Collection, LEAST_QUESTIONS, Measured, Verdict, derive};
use guidepost_text::{Document, Embed};

use super::eval::guides::Guides;
use crate::Outcome;
use crate::cli::TuneArgs;
use crate::console::{Console, count};
use crate::engine::{Change, Engine, Ready};
use crate::guide_text;
use crate::settings::UserSettings;
use crate::tuned::Tuned;

use report::Report;

pub(crate) fn run(args: &TuneArgs, console: &Console) -> anyhow::Result<Outcome> {
    let user = UserSettings::load(console)?;
    let engine = Engine::new(&args.guides.place, Some(&args.guides.model), &user, console)?;
    if args.reset {
        return reset(args, &engine.index);
    }
    let guides = args.guides.folder.clone().or_else(|| user.guides.clone());
    let Ready { snapshot, embedder } =
        engine.ready(Snapshot::open_for_update(&engine.index)?, guides.as_deref(), false)?;
    let Some(embedder) = embedder.filter(|_| snapshot.has_vectors()) else {
        bail!(
            "words alone search here, so there is nothing to weigh; fetch the model with `guidepost models pull`"
        );
    };
    let derived = derive(&documents(&snapshot, &engine, console));
    let mut report = Report::new(&derived);
    if report.questions < LEAST_QUESTIONS {
        let made = count(report.questions, "question");
        console.note(&format!(
            "{made} could be made from the headings and first sentences of these guides, and at least {LEAST_QUESTIONS} \
             are needed; nothing was changed"
        ));
        report.print(args.output.json)?;
        return Ok(Outcome::NothingFound);
    }
    console.note(&report.describe());
    let verdict = measure(&engine, &snapshot, embedder.as_ref(), &derived.collection, console)?;
    let wrote = !args.dry_run && keep(&verdict, &snapshot, report.questions)?;
    report.judge(&verdict, wrote);
    report.print(args.output.json)?;
    Ok(Outcome::Found)
}

fn reset(args: &TuneArgs, index: &Path) -> anyhow::Result<Outcome> {
    let removed = Tuned::remove(index)?;
    report::print_reset(index, removed, args.output.json)?;
    Ok(Outcome::Found)
}

/// The guides as they are now. One that cannot be read any more is left out.
fn documents(snapshot: &Snapshot, engine: &Engine, console: &Console) -> Vec<Document> {
    let read = |record| match guide_text::read(snapshot, record, &engine.shipped) {
        Ok(guide) => Some(guide.document()),
        Err(error) => {
            console.warn(&format!("{error:#}; it is left out"));
            None
        }
    };
    snapshot.documents().iter().filter_map(read).collect()
}

/// Tries every setting in an index of the sections, which is gone afterwards.
fn measure(
    engine: &Engine,
    snapshot: &Snapshot,
    embedder: &dyn Embed,
    collection: &Collection,
    console: &Console,
) -> anyhow::Result<Verdict> {
    let folder = tempfile::tempdir().context("no temporary folder to build an index in")?;
    let guides = Guides::write(&folder.path().join("guides"), collection)?;
    let engine = engine.aside(folder.path().join("index"));
    let kept = snapshot.has_token_codes();
    let change = Change {
        add: &[guides.folder.canonicalize()?],
        late_interaction: if kept { LateInteraction::Keep } else { LateInteraction::Drop },
        wait: true,
        ..Change::NONE
    };
    engine.update(&change, Some(embedder))?;
    let sections = engine.open()?;
    let numbers = guides.numbers(sections.documents())?;
    let ids: Vec<&str> = numbers.iter().map(|&at| collection.documents[at].id.as_str()).collect();
    let bar = console.steps(collection.queries.len() as u64);
    let measured = Measured::new(&sections, embedder, collection, &ids, || bar.inc(1))?;
    bar.finish_and_clear();
    Ok(measured.verdict())
}

/// Puts the choice where searches find it; whether there is something to find.
fn keep(verdict: &Verdict, snapshot: &Snapshot, questions: usize) -> anyhow::Result<bool> {
    let chosen = verdict.chosen.weights;
    if chosen == verdict.default.weights {
        Tuned::remove(snapshot.index())?;
        return Ok(false);
    }
    Tuned::new(snapshot, chosen, questions).write(snapshot.index())?;
    Ok(true)
}
