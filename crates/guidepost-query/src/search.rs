//! The way from a question to hits.

use std::collections::HashSet;
use std::sync::Arc;

use guidepost_index::{ChunkId, DocumentRecord, Form, IndexError, LateQuestion, Passage, Rows, Snapshot};
use guidepost_text::{EmbedError, RerankError};

use crate::climb::{Climbed, Means, climb};
use crate::confidence::{Evidence, RIVAL, confidence};
use crate::distinct::{Distinct, Elsewhere, distinct};
use crate::fusion::{CANDIDATES, Fused, Ranking, Weights};
use crate::ladder::Step;
use crate::late::{Asked, TokenMatch};
use crate::question::Question;
use crate::signals::Signals;
use crate::spread::spread;

/// Which legs search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Both, fused.
    Hybrid,
    /// Vectors alone.
    Dense,
    /// Words alone.
    Bm25,
}

/// What a search shall do.
#[derive(Debug, Clone, Copy)]
pub struct SearchOptions<'a> {
    /// Most hits.
    pub limit: usize,
    /// Which legs search.
    pub mode: Mode,
    /// Chunks that may be found; all without it.
    pub within: Option<&'a Rows>,
    /// Hits below are left out; in [0, 1].
    pub min_confidence: f32,
    /// How much each signal counts.
    pub weights: Weights,
}

impl SearchOptions<'_> {
    /// Everything may be found, however unsure, by the default weights.
    pub const fn all(limit: usize, mode: Mode) -> Self {
        SearchOptions { limit, mode, within: None, min_confidence: 0.0, weights: Weights::DEFAULT }
    }
}

/// A passage that may answer.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The passage.
    pub passage: Arc<Passage>,
    /// The guide it is in.
    pub document: DocumentRecord,
    /// Other places that say the same in the same words, best first.
    pub also_in: Vec<Elsewhere>,
    /// Calibrated chance that it answers, in [0, 1]; means the same for every question and mode.
    pub confidence: f32,
    /// Why it is where it is.
    pub trace: Trace,
    /// How its tokens answer to the question's; `None` without token vectors.
    pub tokens: Option<TokenMatch>,
}

/// A hit's score taken apart.
#[derive(Debug, Clone, Copy)]
pub struct Trace {
    /// Both legs and their combination.
    pub fused: Fused,
    /// Place in BM25's ranking, 1-based.
    pub bm25_rank: Option<usize>,
    /// Place in the dense ranking, 1-based.
    pub dense_rank: Option<usize>,
    /// Weight of the dense leg, in [0, 1].
    pub dense_weight: f32,
    /// By how much the score lies above the fifth hit's, in [-1, 1], both before reranking.
    pub margin: f32,
    /// Weight of late interaction, in [0, 1]; the legs share the rest. 0 without token vectors.
    pub late_weight: f32,
    /// Share of the question's information that the passage holds, in [0, 1].
    pub coverage: f32,
}

impl Trace {
    /// What confidence is made from.
    pub fn evidence(&self, question: &Question, mode: Mode) -> Evidence {
        Evidence {
            cosine: self.fused.dense,
            late: self.fused.late,
            by_words: mode != Mode::Dense,
            coverage: self.coverage,
            margin: self.margin,
            places: [self.bm25_rank, self.dense_rank],
            words: question.words.iter().filter(|word| word.form == Form::Word).count(),
            on_the_way: self.fused.on_the_way,
        }
    }
}

/// What the legs found for a question.
#[derive(Default)]
pub struct Retrieved {
    /// The question as the model sees it; `None` where words alone search.
    pub asked: Option<Asked>,
    /// By words.
    pub bm25: Ranking,
    /// By meaning.
    pub dense: Ranking,
    /// On the way to the role that the question wants to become, in reading order; mostly empty.
    pub way: Vec<ChunkId>,
}

/// What a search found.
pub struct Found {
    /// Best first.
    pub hits: Vec<Hit>,
    /// How far it went, stage by stage.
    pub steps: Vec<Step>,
}

/// A search that could not be done.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The index.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The model.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// The reranker.
    #[error(transparent)]
    Rerank(#[from] RerankError),
    /// Vectors were asked for and there are none.
    #[error(
        "--mode dense needs a model and vectors, and there are none; fetch the model with `guidepost models pull`, then run `guidepost index`"
    )]
    NoVectors,
}

/// Searches one snapshot. Without a model, or without vectors, hybrid is BM25 alone.
///
/// # Errors
/// A model that fails, a damaged index, or dense search without vectors.
pub fn search(
    snapshot: &Snapshot,
    means: Means,
    question: &Question,
    options: SearchOptions,
) -> Result<Found, SearchError> {
    let within = let_through(snapshot, question, options.within)?;
    let options = SearchOptions { within: within.as_ref(), ..options };
    let mut climbed = climb(snapshot, means, question, options)?;
    let mut candidates = CANDIDATES;
    let mut hits = loop {
        let hits = show(snapshot, question, &climbed, options)?;
        let exhausted = climbed.retrieved.bm25.len().max(climbed.retrieved.dense.len()) < candidates;
        if hits.len() >= options.limit || exhausted {
            break hits;
        }
        // Copies of a few passages fill both rankings.
        candidates *= 4;
        climbed.widen(snapshot, question, options, candidates)?;
    };
    hits.retain(|hit| hit.confidence >= options.min_confidence);
    if let (Some(embedder), Some(late)) = (means.embedder, late_question(&climbed.retrieved)) {
        for hit in &mut hits {
            hit.tokens = TokenMatch::new(snapshot, embedder, late, hit.trace.fused.id)?;
        }
    }
    snapshot.sound()?;
    Ok(Found { hits, steps: climbed.steps })
}

/// The rows that a filter and the question's own clauses let through; `None` where all are.
fn let_through(
    snapshot: &Snapshot,
    question: &Question,
    filter: Option<&Rows>,
) -> Result<Option<Rows>, IndexError> {
    let Some(mut rows) = snapshot.rows_matching(&question.clauses)? else { return Ok(filter.cloned()) };
    if let Some(filter) = filter {
        rows.intersect(filter);
    }
    Ok(Some(rows))
}

/// Asks the legs; that of meaning only where the model was asked.
pub(crate) fn retrieve(
    snapshot: &Snapshot,
    question: &Question,
    retrieved: &mut Retrieved,
    options: SearchOptions,
    candidates: usize,
) -> Result<(), SearchError> {
    if options.mode != Mode::Dense {
        retrieved.bm25 = snapshot.bm25(&question.words, candidates, options.within)?;
    }
    if let Some(asked) = &retrieved.asked {
        retrieved.dense = snapshot.dense(&asked.vector, candidates, options.within);
    }
    Ok(())
}

/// Fuses what the legs found, reads the best passages, weighs the evidence, and orders what is shown. Leaves out no hit for
/// its confidence.
///
/// # Errors
/// A damaged index.
pub fn hits(
    snapshot: &Snapshot,
    question: &Question,
    retrieved: Retrieved,
    options: SearchOptions,
) -> Result<Vec<Hit>, SearchError> {
    show(snapshot, question, &Climbed::new(snapshot, question, retrieved, options)?, options)
}

fn show(
    snapshot: &Snapshot,
    question: &Question,
    climbed: &Climbed,
    options: SearchOptions,
) -> Result<Vec<Hit>, SearchError> {
    let Climbed { retrieved, fused, dense_weight, .. } = climbed;
    let weighed = question.weigh(snapshot);
    let rival = rival(fused);
    let rank = |distinct: Distinct| {
        let Distinct { fused, passage, .. } = &distinct;
        let trace = Trace {
            fused: *fused,
            bm25_rank: place(&retrieved.bm25, fused.id),
            dense_rank: place(&retrieved.dense, fused.id),
            dense_weight: *dense_weight,
            late_weight: if late_question(retrieved).is_some() { options.weights.late } else { 0.0 },
            margin: fused.before_reranking() - rival,
            coverage: weighed.coverage(|term| passage.words().hold(term)),
        };
        Ranked { confidence: confidence(trace.evidence(question, options.mode)), trace, distinct }
    };
    let mut ranked: Vec<Ranked> = distinct(snapshot, fused, options.limit)?.into_iter().map(rank).collect();
    in_reading_order(&mut ranked);
    spread(&mut ranked);
    ranked.truncate(options.limit);
    ranked.into_iter().map(|ranked| ranked.hit(snapshot)).collect()
}

/// A hit on its way to its place.
pub(crate) struct Ranked {
    distinct: Distinct,
    pub(crate) confidence: f32,
    trace: Trace,
}

impl Ranked {
    /// Number of the guide it is in.
    pub(crate) fn guide(&self) -> u32 {
        self.distinct.passage.stored.document
    }

    fn hit(self, snapshot: &Snapshot) -> Result<Hit, SearchError> {
        let Ranked { distinct: Distinct { passage, also_in, .. }, confidence, trace } = self;
        let document = snapshot.document_of(&passage.stored)?.clone();
        Ok(Hit { passage, document, also_in, confidence, trace, tokens: None })
    }
}

/// A way is gone from its beginning: its passages come first, as they stand in their guides, the best guide first.
fn in_reading_order(hits: &mut [Ranked]) {
    let mut guides: Vec<u32> = Vec::new();
    for hit in hits.iter().filter(|hit| hit.trace.fused.on_the_way) {
        if !guides.contains(&hit.guide()) {
            guides.push(hit.guide());
        }
    }
    // The others stay among themselves as they are.
    hits.sort_by_key(|hit| match hit.trace.fused.on_the_way {
        true => (guides.iter().position(|&guide| guide == hit.guide()), hit.trace.fused.id),
        false => (Some(usize::MAX), ChunkId(0)),
    });
}

/// The score that the others' are compared with, as it was before reranking: confidence was fitted without.
fn rival(fused: &[Fused]) -> f32 {
    let mut scores: Vec<f32> = fused.iter().map(Fused::before_reranking).collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    scores.get(RIVAL - 1).or(scores.last()).copied().unwrap_or(0.0)
}

/// Everything that the legs found, in the order of the hits.
///
/// # Errors
/// A damaged index.
pub fn rank(
    snapshot: &Snapshot,
    question: &Question,
    retrieved: &Retrieved,
    weights: Weights,
    mode: Mode,
) -> Result<Vec<Fused>, SearchError> {
    Signals::new(snapshot, question, retrieved)?.rank(weights, mode)
}

pub(crate) fn late_question(retrieved: &Retrieved) -> Option<&LateQuestion> {
    retrieved.asked.as_ref()?.late.as_ref()
}

/// The numbers of the documents of a ranking, in the order of their best passage and with its score; at most `limit`.
pub fn rank_documents(snapshot: &Snapshot, ranking: &Ranking, limit: usize) -> Vec<(usize, f32)> {
    let mut seen = HashSet::new();
    let scored = ranking.iter().map(|&(id, score)| (snapshot.document_number(id), score));
    scored.filter(|(document, _)| seen.insert(*document)).take(limit).collect()
}

/// Place in a ranking, 1-based.
fn place(ranking: &Ranking, id: ChunkId) -> Option<usize> {
    ranking.iter().position(|&(other, _)| other == id).map(|at| at + 1)
}
