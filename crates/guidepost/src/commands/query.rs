//! What `ask` and `search` share: the way from flags to hits.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use guidepost_index::{Rows, Snapshot, TermShare};
use guidepost_query::{
    Budget, Climb, CosineShares, Facet, Filter, Found, Hit, Means, Mode, Question, Rung, SearchOptions, Step,
    cosine_shares, newest, search,
};
use guidepost_text::{Embed, passage_text};

use crate::cli::{ModeArg, QueryArgs};
use crate::console::{Console, count};
use crate::engine::{Engine, Ready};
use crate::output::StageView;
use crate::reranker;
use crate::settings::{ResultSettings, UserSettings};
use crate::tuned;

/// A question that was searched.
pub(crate) struct Searched<'a> {
    pub(crate) engine: Engine<'a>,
    pub(crate) snapshot: Snapshot,
    pub(crate) question: Question,
    pub(crate) filter: Filter,
    pub(crate) hits: Vec<Hit>,
    /// The legs that really searched.
    pub(crate) mode: Mode,
    pub(crate) min_confidence: f32,
    /// Most passages to show.
    pub(crate) limit: usize,
    /// Whether each score is to be explained.
    pub(crate) explain: bool,
    /// The scores of each hit taken apart; empty where they are not to be explained.
    pub(crate) explained: Vec<Explained>,
    pub(crate) took_ms: f64,
    /// How far the search went, stage by stage; `None` without a budget.
    pub(crate) stages: Option<Vec<StageView>>,
}

/// What becomes of hits below the confidence that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Below {
    Drop,
    /// They can still be shown as the nearest. At least [`ANSWER_HITS`] hits are looked at, however few are shown.
    Keep,
}

/// Passages an answer is made from.
const ANSWER_HITS: usize = 8;

/// Most passages where nobody says otherwise.
const LIMIT: usize = 5;

impl<'a> Searched<'a> {
    /// Searches; `default_confidence` holds where neither flag nor settings say otherwise.
    pub(crate) fn run(
        args: &QueryArgs,
        default_confidence: f32,
        below: Below,
        console: &'a Console,
    ) -> anyhow::Result<Self> {
        let question = Question::new(&read_question(args)?)?;
        let mut filter = args.filter.filter()?;
        let user = UserSettings::load(console)?;
        let engine = Engine::new(&args.guides.place, Some(&args.guides.model), &user, console)?;
        let guides = args.guides.folder.clone().or_else(|| user.guides.clone());
        let existing = Snapshot::open_for_update(&engine.index)?;
        let flags =
            ResultSettings { limit: args.limit, mode: args.mode, min_confidence: args.min_confidence };
        let settings = flags
            .or(ResultSettings::beside(&folders(existing.as_ref(), guides.as_deref()), console))
            .or(user.results);
        let mode = match settings.mode.unwrap_or(ModeArg::Hybrid) {
            ModeArg::Hybrid => Mode::Hybrid,
            ModeArg::Dense => Mode::Dense,
            ModeArg::Bm25 => Mode::Bm25,
        };
        let reranker = reranker::load(args.rerank.choice(user.rerank.as_ref()), &engine, console)?;
        let Ready { snapshot, embedder } = engine.ready(existing, guides.as_deref(), mode == Mode::Bm25)?;
        for (facet, value) in &question.filters {
            filter.add(*facet, value)?;
        }
        let within = filter.rows(&snapshot)?;
        if within.as_ref().is_some_and(Rows::is_empty) {
            console.note(&nothing_fits(&filter, &snapshot));
        }
        let question = question.understood_by(&snapshot, embedder.as_deref())?;
        note_corrections(&question, console);
        let min_confidence = settings.min_confidence.unwrap_or(default_confidence);
        let limit = settings.limit.unwrap_or(LIMIT);
        let options = SearchOptions {
            limit: if below == Below::Drop { limit } else { limit.max(ANSWER_HITS) },
            mode,
            within: within.as_ref(),
            min_confidence: if below == Below::Drop { min_confidence } else { 0.0 },
            weights: tuned::weights(&snapshot, console),
        };
        let budget_ms = args.budget.budget_ms.or(user.budget_ms);
        let started = Instant::now();
        let clock = || started.elapsed();
        let budget = budget_ms.map(|ms| Budget { total: Duration::from_millis(ms), clock: &clock });
        let means = Means { embedder: embedder.as_deref(), reranker: reranker.as_deref(), budget };
        let Found { hits, steps } = search(&snapshot, means, &question, options)?;
        let took_ms = started.elapsed().as_secs_f64() * 1e3;
        let searched = within.as_ref().map_or(snapshot.chunk_count(), Rows::len);
        console.detail(|| format!("searched {} in {took_ms:.1} ms", count(searched, "passage")));
        let stages = budget.map(|_| steps.iter().map(StageView::new).collect::<Vec<_>>());
        for stage in stages.iter().flatten() {
            console.detail(|| format!("stage: {}", stage.line()));
        }
        let explain = args.explain;
        let used = if ran(&steps, Rung::Meaning) { mode } else { Mode::Bm25 };
        let model = embedder.as_deref().filter(|_| used != Mode::Bm25);
        let explained = if explain { take_apart(&snapshot, model, &question, &hits)? } else { Vec::new() };
        snapshot.sound()?;
        Ok(Searched {
            engine,
            snapshot,
            question,
            filter,
            hits,
            mode: used,
            min_confidence,
            limit,
            explain,
            explained,
            took_ms,
            stages,
        })
    }
}

fn ran(steps: &[Step], rung: Rung) -> bool {
    steps.iter().any(|step| step.rung == rung && matches!(step.climb, Climb::Ran(_)))
}

/// A hit's scores taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Explained {
    /// BM25's, by word and field.
    pub(crate) terms: Vec<TermShare>,
    /// By token; `None` without a model, and where it does not tell.
    pub(crate) cosine: Option<CosineShares>,
}

fn take_apart(
    snapshot: &Snapshot,
    embedder: Option<&dyn Embed>,
    question: &Question,
    hits: &[Hit],
) -> anyhow::Result<Vec<Explained>> {
    let passages: Vec<String> = hits.iter().map(|hit| passage_text(&hit.chunk.chunk)).collect();
    let passages: Vec<&str> = passages.iter().map(String::as_str).collect();
    let cosines = match embedder {
        Some(embedder) => cosine_shares(embedder, &question.embedded, &passages)?,
        None => vec![None; hits.len()],
    };
    let explained = |(hit, cosine): (&Hit, Option<CosineShares>)| {
        let found = hit.trace.fused.bm25.map(|_| snapshot.bm25_shares(&question.words, hit.trace.fused.id));
        Ok(Explained { terms: found.transpose()?.unwrap_or_default(), cosine })
    };
    hits.iter().zip(cosines).map(explained).collect()
}

/// Every value there is, and still no guide that has all that is asked for.
fn nothing_fits(filter: &Filter, snapshot: &Snapshot) -> String {
    let values = filter.values();
    let facet = |(facet, values): (&&str, &&[String])| format!("--{facet} {}", values.join(" or "));
    let asked: Vec<String> = values.iter().map(facet).collect();
    let newest = newest(snapshot).filter(|_| values.contains_key(Facet::After.name()));
    let newest = newest.map(|day| format!("; the newest is of {day}")).unwrap_or_default();
    format!("no guide here fits {}{newest}", asked.join(" and "))
}

/// Folders whose settings count: those of the index, or the one it is about to be built from.
fn folders(existing: Option<&Snapshot>, guides: Option<&Path>) -> Vec<PathBuf> {
    match existing {
        Some(snapshot) => snapshot.sources().iter().filter_map(|source| source.folder.clone()).collect(),
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
