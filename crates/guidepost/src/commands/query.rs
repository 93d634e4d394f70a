//! What commands that ask questions share: from flags to an index and models, and from a question to hits.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use guidepost_index::Snapshot;
use guidepost_query::{Filter, Mode, Question, Weights};
use guidepost_text::{Embed, Rerank};

use crate::cli::{HowArgs, ModeArg, QueryArgs};
use crate::console::{Console, count};
use crate::engine::{Engine, Ready};
use crate::reranker;
use crate::search::{Below, LIMIT, Models, Searched, Wish};
use crate::settings::{ResultSettings, UserSettings, folders_of};
use crate::tuned;

/// Index and models, ready for questions.
pub(crate) struct Session<'a> {
    pub(crate) engine: Engine<'a>,
    pub(crate) embedder: Option<Arc<dyn Embed>>,
    snapshot: Arc<Snapshot>,
    reranker: Option<Box<dyn Rerank>>,
    mode: Mode,
    settings: ResultSettings,
    budget: Option<Duration>,
    weights: Weights,
    console: &'a Console,
}

/// A question for a session.
pub(crate) struct Asked {
    pub(crate) question: Question,
    pub(crate) filter: Filter,
    /// Holds where neither flags nor settings say otherwise.
    pub(crate) default_confidence: f32,
    pub(crate) below: Below,
    pub(crate) explain: bool,
}

impl<'a> Session<'a> {
    /// Makes ready what the flags name.
    pub(crate) fn open(
        how: &HowArgs,
        limit: Option<usize>,
        user: &UserSettings,
        console: &'a Console,
    ) -> anyhow::Result<Session<'a>> {
        let engine = Engine::new(&how.guides.place, Some(&how.guides.model), user, console)?;
        let guides = how.guides.folder.clone().or_else(|| user.guides.clone());
        let existing = Snapshot::open_for_update(&engine.index)?;
        let flags = ResultSettings { limit, mode: how.mode, min_confidence: how.min_confidence };
        let settings = flags
            .or(ResultSettings::beside(&folders(existing.as_ref(), guides.as_deref()), console))
            .or(user.results);
        let mode = settings.mode.unwrap_or(ModeArg::Hybrid).mode();
        let reranker = reranker::load(how.rerank.choice(user.rerank.as_ref()), &engine, console)?;
        let Ready { snapshot, embedder } = engine.ready(existing, guides.as_deref(), mode == Mode::Bm25)?;
        Ok(Session {
            engine,
            embedder: embedder.map(Arc::from),
            weights: tuned::weights(&snapshot, console),
            snapshot: Arc::new(snapshot),
            reranker,
            mode,
            settings,
            budget: how.budget.budget_ms.or(user.budget_ms).map(Duration::from_millis),
            console,
        })
    }

    /// Searches, and says on the console what there is to know of it.
    pub(crate) fn search(&self, asked: Asked) -> anyhow::Result<Searched> {
        let wish = Wish {
            question: asked.question,
            filter: asked.filter,
            mode: self.mode,
            limit: self.settings.limit.unwrap_or(LIMIT),
            min_confidence: self.settings.min_confidence.unwrap_or(asked.default_confidence),
            below: asked.below,
            explain: asked.explain,
            budget: self.budget,
            weights: self.weights,
        };
        let models = Models { embedder: self.embedder.as_deref(), reranker: self.reranker.as_deref() };
        let searched = Searched::run(Arc::clone(&self.snapshot), models, wish)?;
        searched.nothing_fits().iter().for_each(|note| self.console.note(note));
        note_corrections(&searched.question, self.console);
        self.console.detail(|| {
            format!("searched {} in {:.1} ms", count(searched.passages, "passage"), searched.took_ms)
        });
        for stage in searched.stages().iter().flatten() {
            self.console.detail(|| format!("stage: {}", stage.line()));
        }
        Ok(searched)
    }
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

/// The question of the command line.
pub(crate) fn read_question(args: &QueryArgs) -> anyhow::Result<String> {
    if args.question != ["-"] {
        return Ok(args.question.join(" "));
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("the question cannot be read from standard input")?;
    Ok(text)
}
