//! What `ask` and `search` share: the way from flags to hits.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use guidepost_index::Snapshot;
use guidepost_query::{Mode, Question};

use crate::cli::{ModeArg, QueryArgs};
use crate::console::{Console, count};
use crate::engine::{Engine, Ready};
use crate::reranker;
use crate::search::{Below, LIMIT, Models, Searched, Wish};
use crate::settings::{ResultSettings, UserSettings, folders_of};
use crate::tuned;

/// Searches as the flags say; `default_confidence` holds where neither they nor settings say otherwise.
pub(crate) fn run(
    args: &QueryArgs,
    default_confidence: f32,
    below: Below,
    console: &Console,
) -> anyhow::Result<Searched> {
    let question = Question::new(&read_question(args)?)?;
    let filter = args.filter.filter()?;
    let user = UserSettings::load(console)?;
    let engine = Engine::new(&args.guides.place, Some(&args.guides.model), &user, console)?;
    let guides = args.guides.folder.clone().or_else(|| user.guides.clone());
    let existing = Snapshot::open_for_update(&engine.index)?;
    let flags = ResultSettings { limit: args.limit, mode: args.mode, min_confidence: args.min_confidence };
    let settings = flags
        .or(ResultSettings::beside(&folders(existing.as_ref(), guides.as_deref()), console))
        .or(user.results);
    let mode = settings.mode.unwrap_or(ModeArg::Hybrid).mode();
    let reranker = reranker::load(args.rerank.choice(user.rerank.as_ref()), &engine, console)?;
    let Ready { snapshot, embedder } = engine.ready(existing, guides.as_deref(), mode == Mode::Bm25)?;
    let wish = Wish {
        question,
        filter,
        mode,
        limit: settings.limit.unwrap_or(LIMIT),
        min_confidence: settings.min_confidence.unwrap_or(default_confidence),
        below,
        explain: args.explain,
        budget: args.budget.budget_ms.or(user.budget_ms).map(Duration::from_millis),
        weights: tuned::weights(&snapshot, console),
    };
    let models = Models { embedder: embedder.as_deref(), reranker: reranker.as_deref() };
    let searched = Searched::run(Arc::new(snapshot), models, wish)?;
    searched.nothing_fits().iter().for_each(|note| console.note(note));
    note_corrections(&searched.question, console);
    console
        .detail(|| format!("searched {} in {:.1} ms", count(searched.passages, "passage"), searched.took_ms));
    for stage in searched.stages().iter().flatten() {
        console.detail(|| format!("stage: {}", stage.line()));
    }
    Ok(searched)
}

/// Folders whose settings count: those of the index, or the one it is about to be built from.
fn folders(existing: Option<&Snapshot>, guides: Option<&Path>) -> Vec<PathBuf> {
    match existing {
        Some(snapshot) => folders_of(snapshot),
        None => guides.map(Path::to_owned).into_iter().collect(),
    }
}

fn note_corrections(question: &Question, console: &Console) {
    for correction in &question.corrections {
        let meant: Vec<String> = correction.meant.iter().map(|word| format!("`{word}`")).collect();
        console.note(&format!("searched for {} instead of `{}`", meant.join(", "), correction.written));
    }
}

fn read_question(args: &QueryArgs) -> anyhow::Result<String> {
    if args.question != ["-"] {
        return Ok(args.question.join(" "));
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("the question cannot be read from standard input")?;
    Ok(text)
}
