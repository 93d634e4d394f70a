//! `guidepost bench search`: how long each stage of a search takes, by the size of the index.

use std::time::Instant;

use anyhow::{Context, bail};
use guidepost_index::{ChunkId, LateQuestion, Snapshot};
use guidepost_query::{
    Asked, CANDIDATES, Fused, Mode, Question, Retrieved, SearchOptions, Weights, add_late, ask_model, hits,
    rank, rerank,
};
use guidepost_text::{Embed, Embedding, Random, Rerank};

use super::configuration::milliseconds;
use super::search_report::SearchReport;
use super::statistics::{NEIGHBORS, nearest, overlap};
use super::synthetic::Seeds;
use super::texts::MOST;
use super::{ROUNDS, publish};
use crate::Outcome;
use crate::cli::BenchSearchArgs;
use crate::console::{Console, count};
use crate::engine::{Engine, Ready};
use crate::settings::UserSettings;
use crate::{reranker, shipped};

/// Passages of the synthetic indexes where nobody says otherwise.
const SIZES: [usize; 2] = [1_000, 10_000];

/// As `search` asks by default.
const OPTIONS: SearchOptions = SearchOptions { min_confidence: 0.01, ..SearchOptions::all(5, Mode::Hybrid) };

pub(crate) fn run(args: &BenchSearchArgs, console: &Console) -> anyhow::Result<Outcome> {
    let user = UserSettings::load(console)?;
    let engine = Engine::new(&args.place, Some(&args.model), &user, console)?;
    let reranker = reranker::load(args.rerank.choice(user.rerank.as_ref()), &engine, console)?;
    let existing = Snapshot::open_for_update(&engine.index)?;
    let Ready { snapshot, embedder } = engine.ready(existing, user.guides.as_deref(), false)?;
    let Some(embedder) = embedder.filter(|_| snapshot.has_vectors()) else {
        bail!("no model to measure with; fetch one with `guidepost models pull`");
    };
    let models = Models { embedder: embedder.as_ref(), reranker: reranker.as_deref() };
    let folder = tempfile::tempdir().context("no temporary folder to build indexes in")?;
    let synthetic = build(args, &snapshot, embedder.as_ref(), folder.path(), console)?;
    let mut subjects = vec![Subject::new("this index", snapshot)];
    subjects.extend(synthetic);
    let questions = shipped::questions();
    let questions: Vec<Question> =
        questions.iter().map(|text| Question::new(text)).collect::<Result<_, _>>()?;
    let rounds = args.rounds.unwrap_or(ROUNDS);
    measure(&mut subjects, models, &questions, rounds, console)?;
    let report = SearchReport::new(&subjects, embedder.fingerprint(), questions.len(), rounds);
    publish(&report, &args.output)
}

/// What questions go through.
#[derive(Clone, Copy)]
struct Models<'a> {
    embedder: &'a dyn Embed,
    reranker: Option<&'a dyn Rerank>,
}

/// An index with all of its measurements.
pub(super) struct Subject {
    pub(super) name: &'static str,
    pub(super) snapshot: Snapshot,
    /// Of every question of every round.
    pub(super) samples: Vec<Sample>,
    /// Of every question: the exact scan over all f32 rows.
    pub(super) exact_ms: Vec<f64>,
    /// Of every question: share of the ten truly nearest among the first ten of the dense leg.
    pub(super) recalls: Vec<f64>,
}

/// How long one search took; milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    /// The question to tokens and through the model.
    pub(super) embed: f64,
    pub(super) bm25: f64,
    pub(super) dense: f64,
    /// Late interaction over the best candidates; `None` where the index keeps no token vectors.
    pub(super) late: Option<f64>,
    /// The cross-encoder over the best candidates, the time to read them included; `None` without one.
    pub(super) rerank: Option<f64>,
    /// Fusion, reading the passages, confidence.
    pub(super) rest: f64,
}

impl Sample {
    pub(super) fn total(&self) -> f64 {
        let further = self.late.into_iter().chain(self.rerank).sum::<f64>();
        self.embed + self.bm25 + self.dense + further + self.rest
    }
}

impl Subject {
    fn new(name: &'static str, snapshot: Snapshot) -> Self {
        Subject { name, snapshot, samples: Vec::new(), exact_ms: Vec::new(), recalls: Vec::new() }
    }

    /// What `search` does, stage after stage. What orders the candidates anew is timed by itself, and the rest without it.
    fn ask(&self, question: &Question, models: Models) -> anyhow::Result<Sample> {
        let (asked, embed) = timed(|| Ok(ask_model(&self.snapshot, models.embedder, question)?))?;
        let (bm25, bm25_ms) = timed(|| Ok(self.snapshot.bm25(&question.words, CANDIDATES, None)?))?;
        let (dense, dense_ms) = timed(|| Ok(self.snapshot.dense(&asked.vector, CANDIDATES, None)))?;
        let Asked { vector, late } = asked;
        let retrieved =
            Retrieved { asked: Some(Asked { vector, late: None }), bm25, dense, ..Retrieved::default() };
        let mut fused = rank(&self.snapshot, question, &retrieved, Weights::DEFAULT, OPTIONS.mode)?;
        let late = late.as_ref().map(|late| timed(|| self.match_tokens(late, &mut fused)));
        let late = late.transpose()?.map(|(_, ms)| ms);
        let read = |reranker| timed(|| Ok(rerank(&self.snapshot, reranker, &question.text, &mut fused)?));
        let rerank = models.reranker.map(read).transpose()?.map(|(_, ms)| ms);
        let (_, rest) = timed(|| Ok(hits(&self.snapshot, question, retrieved, OPTIONS)?))?;
        Ok(Sample { embed, bm25: bm25_ms, dense: dense_ms, late, rerank, rest })
    }

    fn match_tokens(&self, late: &LateQuestion, fused: &mut [Fused]) -> anyhow::Result<()> {
        add_late(fused, Weights::DEFAULT.late, |id| self.snapshot.max_sim(late, id));
        Ok(())
    }

    fn compare_with_exact(&mut self, question: &Question, embedder: &dyn Embed) -> anyhow::Result<()> {
        let vector = ask_model(&self.snapshot, embedder, question)?.vector;
        let (exact, took) = timed(|| Ok(exact(&self.snapshot, &vector)))?;
        let found = self.snapshot.dense(&vector, CANDIDATES, None);
        let found: Vec<ChunkId> = found.into_iter().take(NEIGHBORS).map(|(id, _)| id).collect();
        self.recalls.push(overlap(&exact, &found));
        self.exact_ms.push(took);
        Ok(())
    }
}

fn build(
    args: &BenchSearchArgs,
    snapshot: &Snapshot,
    embedder: &dyn Embed,
    folder: &std::path::Path,
    console: &Console,
) -> anyhow::Result<Vec<Subject>> {
    let sizes = if args.sizes.is_empty() { &SIZES[..] } else { &args.sizes };
    let mut passages = snapshot.passages()?;
    Random(1).shuffle(&mut passages);
    passages.truncate(MOST);
    anyhow::ensure!(!passages.is_empty(), "the index is empty; index guides with `guidepost index DIR`");
    let seeds = Seeds::new(&passages, embedder)?;
    let one = |&size: &usize| {
        console.note(&format!("building an index of {}", count(size, "synthetic passage")));
        Ok(Subject::new("synthetic", seeds.build(&folder.join(size.to_string()), size)?))
    };
    sizes.iter().map(one).collect()
}

/// All rounds; the first, which warms up, does not count. Indexes take turns in every question.
fn measure(
    subjects: &mut [Subject],
    models: Models,
    questions: &[Question],
    rounds: usize,
    console: &Console,
) -> anyhow::Result<()> {
    console.note(&format!("asking {}, {}", count(questions.len(), "question"), count(rounds, "round")));
    let progress = console.steps(((rounds + 1) * questions.len()) as u64);
    for question in questions {
        for subject in &mut *subjects {
            subject.compare_with_exact(question, models.embedder)?;
            subject.ask(question, models)?;
        }
        progress.inc(1);
    }
    for _ in 0..rounds {
        for question in questions {
            for subject in &mut *subjects {
                let sample = subject.ask(question, models)?;
                subject.samples.push(sample);
            }
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    Ok(())
}

/// The nearest passages by the f32 rows, all of them looked at.
fn exact(snapshot: &Snapshot, query: &Embedding) -> Vec<ChunkId> {
    let ids = (0..snapshot.chunk_count() as u32).map(ChunkId);
    nearest(ids.filter_map(|id| Some((id, snapshot.cosine(query, id)?))))
}

/// What came out, and milliseconds.
fn timed<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, f64)> {
    let start = Instant::now();
    let done = work()?;
    Ok((done, milliseconds(start)))
}
