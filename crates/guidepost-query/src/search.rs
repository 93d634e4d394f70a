//! The way from a question to hits.

use std::collections::HashSet;

use guidepost_index::{ChunkId, DocumentRecord, IndexError, Rows, Snapshot, StoredChunk, analyze};
use guidepost_text::{Embed, EmbedError, Embedding, TextRole};

use crate::confidence::{Evidence, confidence};
use crate::fit::{asks_for_resources, fit};
use crate::fusion::{CANDIDATES, Fused, LEAN, Ranking, best_first, fuse};
use crate::question::{Question, Weighed};

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
pub struct SearchOptions {
    /// Most hits.
    pub limit: usize,
    /// Which legs search.
    pub mode: Mode,
    /// Hits below are left out; in [0, 1].
    pub min_confidence: f32,
}

/// A passage that may answer.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The passage.
    pub chunk: StoredChunk,
    /// The guide it is in.
    pub document: DocumentRecord,
    /// Calibrated chance that it answers, in [0, 1]; means the same for every question and mode.
    pub confidence: f32,
    /// Why it is where it is.
    pub trace: Trace,
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
    /// Share of the question's information that the passage holds, in [0, 1].
    pub coverage: f32,
}

/// What the legs found for a question.
#[derive(Debug, Clone, Default)]
pub struct Retrieved {
    /// The question as a vector; `None` where words alone search.
    pub vector: Option<Embedding>,
    /// By words.
    pub bm25: Ranking,
    /// By meaning.
    pub dense: Ranking,
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
    embedder: Option<&dyn Embed>,
    question: &Question,
    options: SearchOptions,
) -> Result<Vec<Hit>, SearchError> {
    let embedder = embedder.filter(|_| snapshot.has_vectors() && options.mode != Mode::Bm25);
    if options.mode == Mode::Dense && embedder.is_none() {
        return Err(SearchError::NoVectors);
    }
    let vector = embedder.map(|embedder| embed_question(embedder, question)).transpose()?;
    let within = snapshot.rows_matching(&question.clauses)?;
    let bm25 = match options.mode {
        Mode::Dense => Ranking::new(),
        Mode::Hybrid | Mode::Bm25 => {
            kept(within.as_ref(), snapshot, |limit| snapshot.bm25(&question.words, limit))?
        }
    };
    let dense = match &vector {
        Some(vector) if within.is_some() => {
            kept(within.as_ref(), snapshot, |limit| Ok(snapshot.dense_scan(vector, limit)))?
        }
        Some(vector) => snapshot.dense(vector, CANDIDATES),
        None => Ranking::new(),
    };
    hits(snapshot, question, &Retrieved { vector, bm25, dense }, options)
}

/// The second half of [`search`]: fuses what the legs found, reads the best passages and weighs the evidence.
///
/// # Errors
/// A damaged index.
pub fn hits(
    snapshot: &Snapshot,
    question: &Question,
    retrieved: &Retrieved,
    options: SearchOptions,
) -> Result<Vec<Hit>, SearchError> {
    let weighed = question.weigh(snapshot);
    let dense_weight = dense_weight(snapshot, &weighed, retrieved, options.mode)?;
    let fused = rank_by(snapshot, question, retrieved, dense_weight)?;
    let mut hits = Vec::new();
    for fused in fused.into_iter().take(options.limit) {
        let chunk = snapshot.chunk(fused.id)?;
        let trace = Trace {
            fused,
            bm25_rank: place(&retrieved.bm25, fused.id),
            dense_rank: place(&retrieved.dense, fused.id),
            dense_weight,
            coverage: coverage(&weighed, &chunk),
        };
        let document = snapshot.document_of(&chunk)?.clone();
        let confidence = confidence(Evidence { cosine: fused.dense, coverage: trace.coverage });
        hits.push(Hit { chunk, document, confidence, trace });
    }
    hits.retain(|hit| hit.confidence >= options.min_confidence);
    Ok(hits)
}

/// The candidates of a leg that a question's clauses let through. Only a ranking of everything is sure to hold them.
fn kept(
    within: Option<&Rows>,
    snapshot: &Snapshot,
    leg: impl Fn(usize) -> Result<Ranking, IndexError>,
) -> Result<Ranking, IndexError> {
    let Some(within) = within else { return leg(CANDIDATES) };
    let mut ranking = leg(snapshot.chunk_count())?;
    ranking.retain(|(id, _)| within.contains(*id));
    ranking.truncate(CANDIDATES);
    Ok(ranking)
}

fn embed_question(embedder: &dyn Embed, question: &Question) -> Result<Embedding, EmbedError> {
    let mut embeddings = embedder.embed(&[&question.embedded], TextRole::Question, &|_| ())?;
    embeddings.pop().ok_or_else(|| EmbedError("it gave no embedding for the question".into()))
}

/// Everything that the legs found, in the order of the hits.
///
/// # Errors
/// A damaged index.
pub fn rank(
    snapshot: &Snapshot,
    question: &Question,
    retrieved: &Retrieved,
    mode: Mode,
) -> Result<Vec<Fused>, SearchError> {
    let dense_weight = dense_weight(snapshot, &question.weigh(snapshot), retrieved, mode)?;
    rank_by(snapshot, question, retrieved, dense_weight)
}

/// Candidates whose headings are looked at.
const LOOKED_AT: usize = 30;

fn rank_by(
    snapshot: &Snapshot,
    question: &Question,
    retrieved: &Retrieved,
    dense_weight: f32,
) -> Result<Vec<Fused>, SearchError> {
    let Retrieved { vector, bm25, dense } = retrieved;
    let cosine = |id| vector.as_ref().and_then(|vector| snapshot.cosine(vector, id));
    let mut fused = fuse(bm25, dense, dense_weight, cosine);
    if asks_for_resources(question) {
        return Ok(fused);
    }
    for candidate in fused.iter_mut().take(LOOKED_AT) {
        candidate.fit = fit(&snapshot.chunk(candidate.id)?);
        candidate.score *= candidate.fit;
    }
    best_first(&mut fused);
    Ok(fused)
}

/// The numbers of the documents of a ranking, in the order of their best passage and with its score; at most `limit`.
pub fn rank_documents(snapshot: &Snapshot, ranking: &Ranking, limit: usize) -> Vec<(usize, f32)> {
    let mut seen = HashSet::new();
    let scored = ranking.iter().map(|&(id, score)| (snapshot.document_number(id), score));
    scored.filter(|(document, _)| seen.insert(*document)).take(limit).collect()
}

/// How much of the question BM25's best passage holds, in [0, 1]; 0 where it found none.
///
/// # Errors
/// A damaged index.
pub fn words_found(snapshot: &Snapshot, question: &Question, bm25: &Ranking) -> Result<f32, SearchError> {
    best_coverage(snapshot, &question.weigh(snapshot), bm25)
}

fn best_coverage(snapshot: &Snapshot, weighed: &Weighed, bm25: &Ranking) -> Result<f32, SearchError> {
    Ok(match bm25.first() {
        Some(&(id, _)) => coverage(weighed, &snapshot.chunk(id)?),
        None => 0.0,
    })
}

fn dense_weight(
    snapshot: &Snapshot,
    weighed: &Weighed,
    retrieved: &Retrieved,
    mode: Mode,
) -> Result<f32, SearchError> {
    Ok(match (mode, retrieved.vector.is_some()) {
        (Mode::Dense, _) => 1.0,
        (_, true) => LEAN.dense_weight(&retrieved.bm25, best_coverage(snapshot, weighed, &retrieved.bm25)?),
        (_, false) => 0.0,
    })
}

/// Place in a ranking, 1-based.
fn place(ranking: &Ranking, id: ChunkId) -> Option<usize> {
    ranking.iter().position(|&(other, _)| other == id).map(|at| at + 1)
}

/// Share of the question's information that the passage and its headings hold.
fn coverage(weighed: &Weighed, chunk: &StoredChunk) -> f32 {
    let words = analyze(&chunk.chunk.context).into_iter().chain(analyze(&chunk.chunk.text));
    weighed.coverage(&words.map(|word| word.term).collect())
}
