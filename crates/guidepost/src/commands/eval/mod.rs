//! `guidepost eval`: how well each stage of a search ranks a test collection.
//!
//! ```text
//! collection --guides--> files --index--> snapshot --stages--> rankings --report--> table, JSON, TREC run
//!                                                                   \--gate--> exit code
//! ```

mod gate;
pub(super) mod guides;
mod report;
mod stages;

use std::fs;
use std::path::Path;

use anyhow::Context;
use guidepost_index::LateInteraction;
use guidepost_query::Collection;

use crate::Outcome;
use crate::cli::{EvalArgs, IndexPlace};
use crate::console::Console;
use crate::engine::{Change, Engine};
use crate::places;
use crate::reranker;
use crate::settings::UserSettings;
use crate::tuned;

use gate::Gate;
use guides::Guides;
use report::Report;
use stages::{Models, Stages};

pub(crate) fn run(args: &EvalArgs, console: &Console) -> anyhow::Result<Outcome> {
    let gate = args.gate.as_deref().map(Gate::read).transpose()?;
    let collection = read(&args.collection)?;
    let name = name_of(&args.collection)?;
    let work = places::cache()?.join("eval").join(&name);
    let guides = Guides::write(&work.join("guides"), &collection)?;
    let user = UserSettings::load(console)?;
    let place = IndexPlace { index: Some(args.place.index.clone().unwrap_or_else(|| work.join("index"))) };
    let mut engine = Engine::new(&place, Some(&args.model), &user, console)?;
    engine.shipped.clear();
    let reranker = reranker::load(args.rerank.choice(user.rerank.as_ref()), &engine, console)?;
    let embedder = engine.load_model(None)?;
    if embedder.is_none() {
        console.note("no model available: measuring words alone (BM25)");
    }
    let change = Change {
        add: std::slice::from_ref(&guides.folder),
        late_interaction: LateInteraction::Keep,
        wait: true,
        ..Change::NONE
    };
    engine.update(&change, embedder.as_deref())?;
    let snapshot = engine.open()?;
    console.note(&format!("asking {} queries", collection.queries.len()));
    let models = Models { embedder: embedder.as_deref(), reranker: reranker.as_deref() };
    let weights = tuned::weights(&snapshot, console);
    let stages = Stages::measure(&snapshot, models, weights, &collection, &guides)?;
    if let Some(path) = &args.run {
        fs::write(path, stages.trec_run(args.stage, &collection)?)
            .with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    let report = Report::new(&name, &collection, &snapshot, &stages);
    report.print(args.json)?;
    let below = gate.map(|gate| gate.check(&report)).transpose()?.unwrap_or_default();
    for finding in &below {
        console.warn(finding);
    }
    Ok(if below.is_empty() { Outcome::Found } else { Outcome::BelowGate })
}

fn read(folder: &Path) -> anyhow::Result<Collection> {
    let read = |file: &str| {
        let path = folder.join(file);
        fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))
    };
    let layouts = ["qrels.tsv", "qrels/test.tsv"];
    let judgments = layouts.iter().find(|file| folder.join(file).is_file()).unwrap_or(&layouts[0]);
    Collection::parse(&read("corpus.jsonl")?, &read("queries.jsonl")?, &read(judgments)?)
        .with_context(|| format!("`{}` cannot be measured on", folder.display()))
}

/// The folder's own name, also where it is given as `.`.
fn name_of(folder: &Path) -> anyhow::Result<String> {
    let folder = folder.canonicalize().with_context(|| format!("cannot read `{}`", folder.display()))?;
    Ok(folder.file_name().context("a collection is a folder with a name")?.to_string_lossy().into_owned())
}
