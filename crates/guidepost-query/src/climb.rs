//! A search up to the order of its hits, stage by stage, as far as the `ladder` lets it.

use std::collections::BTreeMap;

use guidepost_index::{ChunkId, Rows, Snapshot};
use guidepost_text::{Embed, Rerank};

use crate::fusion::{CANDIDATES, Fused};
use crate::ladder::{Budget, CONCLUSIVE, Ladder, Rung, Step, meaning_takes, pairs_take, tokens_take};
use crate::late::ask_model;
use crate::question::Question;
use crate::rerank::{Passage, best_passages, blend, logits};
use crate::search::{Mode, Retrieved, SearchError, SearchOptions, late_question, retrieve};
use crate::signals::{Signals, words_found};
use crate::way::way;

/// What a search may use.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// Embeds the question; without it, words alone search.
    pub embedder: Option<&'a dyn Embed>,
    /// Reads the best passages with the question; without it, the order stays.
    pub reranker: Option<&'a dyn Rerank>,
    /// How long it may take; without it, as long as it takes.
    pub budget: Option<Budget<'a>>,
}

impl<'a> Means<'a> {
    /// A model, no reranker, and all the time there is.
    pub fn of(embedder: Option<&'a dyn Embed>) -> Self {
        Means { embedder, reranker: None, budget: None }
    }
}

/// What a search found, before any of it is read for showing.
pub struct Climbed {
    /// What the legs found.
    pub retrieved: Retrieved,
    /// All of it, in the order of the hits.
    pub fused: Vec<Fused>,
    /// Weight of the dense leg, in [0, 1].
    pub dense_weight: f32,
    /// Stage by stage.
    pub steps: Vec<Step>,
    /// Of what the reranker read; `None` where none was asked.
    logits: Option<BTreeMap<ChunkId, f32>>,
}

impl Climbed {
    /// Everything that the legs found, fused.
    pub(crate) fn new(
        snapshot: &Snapshot,
        question: &Question,
        mut retrieved: Retrieved,
        options: SearchOptions,
    ) -> Result<Self, SearchError> {
        retrieved.way = way(snapshot, question, options.within)?;
        let signals = Signals::new(snapshot, question, &retrieved)?;
        let dense_weight = signals.dense_weight(options.weights.lean, options.mode);
        let fused = signals.rank(options.weights, options.mode)?;
        Ok(Climbed { retrieved, fused, dense_weight, steps: Vec::new(), logits: None })
    }

    /// Takes more candidates by the same stages. What the reranker has not read stays unread.
    pub(crate) fn widen(
        &mut self,
        snapshot: &Snapshot,
        question: &Question,
        options: SearchOptions,
        candidates: usize,
    ) -> Result<(), SearchError> {
        retrieve(snapshot, question, &mut self.retrieved, options, candidates)?;
        let signals = Signals::new(snapshot, question, &self.retrieved)?;
        self.fused = signals.rank(options.weights, options.mode)?;
        if let Some(logits) = &self.logits {
            blend(&mut self.fused, logits);
        }
        Ok(())
    }
}

/// Goes as far as there are models; with a budget, as far as is needed and there is time. The first stage always runs.
///
/// # Errors
/// A model that fails, a damaged index, or dense search without vectors.
pub fn climb(
    snapshot: &Snapshot,
    means: Means,
    question: &Question,
    options: SearchOptions,
) -> Result<Climbed, SearchError> {
    let embedder = means.embedder.filter(|_| snapshot.has_vectors() && options.mode != Mode::Bm25);
    if options.mode == Mode::Dense && embedder.is_none() {
        return Err(SearchError::NoVectors);
    }
    let mut search = Search { snapshot, question, options, ladder: Ladder::new(means.budget) };
    let mut retrieved = Retrieved::default();
    if options.mode != Mode::Dense {
        search.words(&mut retrieved)?;
    }
    if let Some(embedder) = embedder {
        search.meaning(embedder, &mut retrieved)?;
    }
    let mut climbed = search.tokens(retrieved)?;
    if let Some(reranker) = means.reranker {
        search.pairs(reranker, &mut climbed)?;
    }
    climbed.steps = search.ladder.steps;
    Ok(climbed)
}

/// A search on its way.
struct Search<'a> {
    snapshot: &'a Snapshot,
    question: &'a Question,
    options: SearchOptions<'a>,
    ladder: Ladder<'a>,
}

impl Search<'_> {
    fn words(&mut self, retrieved: &mut Retrieved) -> Result<(), SearchError> {
        let Search { snapshot, question, options, .. } = *self;
        let retrieve = || retrieve(snapshot, question, retrieved, options, CANDIDATES);
        self.ladder.run(Rung::Words, retrieve)?;
        let bm25 = &retrieved.bm25;
        self.ladder.conclude(|| Ok(CONCLUSIVE.holds(bm25, words_found(snapshot, question, bm25)?)))
    }

    fn meaning(&mut self, embedder: &dyn Embed, retrieved: &mut Retrieved) -> Result<(), SearchError> {
        let Search { snapshot, question, options, .. } = *self;
        let rows = options.within.map_or(snapshot.chunk_count(), Rows::len);
        let estimate = || {
            let tokens = embedder.count_tokens(&[&question.embedded]).into_iter().sum();
            meaning_takes(tokens, embedder.dimensions(), rows)
        };
        // Counting tokens makes a tokenizer ready; without a budget nobody asks.
        let expected = self.ladder.is_limited().then(estimate).unwrap_or_default();
        // There is nothing else where meaning alone was asked for.
        if options.mode != Mode::Dense && !self.ladder.may_run(Rung::Meaning, || expected) {
            return Ok(());
        }
        self.ladder.run(Rung::Meaning, || -> Result<(), SearchError> {
            let asked = ask_model(snapshot, embedder, question)?;
            retrieved.dense = snapshot.dense(&asked.vector, CANDIDATES, options.within);
            retrieved.asked = Some(asked);
            Ok(())
        })?;
        self.ladder.learn_pace(expected);
        self.ladder.conclude(|| Ok(legs_agree(retrieved)))
    }

    /// Late interaction, where there are tokens; then everything is fused.
    fn tokens(&mut self, mut retrieved: Retrieved) -> Result<Climbed, SearchError> {
        let Search { snapshot, question, options, .. } = *self;
        let tokens = late_question(&retrieved).map(|late| late.spans().len());
        let runs = tokens.map(|tokens| self.ladder.may_run(Rung::Tokens, || tokens_take(tokens)));
        if let (Some(false), Some(asked)) = (runs, &mut retrieved.asked) {
            asked.late = None;
        }
        let fuse = || Climbed::new(snapshot, question, retrieved, options);
        if runs == Some(true) { self.ladder.run(Rung::Tokens, fuse) } else { fuse() }
    }

    fn pairs(&mut self, reranker: &dyn Rerank, climbed: &mut Climbed) -> Result<(), SearchError> {
        let question = &self.question.embedded;
        let passages = best_passages(self.snapshot, &climbed.fused)?;
        if !self.ladder.may_run(Rung::Pairs, || pairs_take(tokens_of(question, &passages))) {
            return Ok(());
        }
        let logits = self.ladder.run(Rung::Pairs, || logits(reranker, question, &passages))?;
        blend(&mut climbed.fused, &logits);
        climbed.logits = Some(logits);
        Ok(())
    }
}

/// Whether both legs have the same passage first.
fn legs_agree(retrieved: &Retrieved) -> bool {
    let first = |ranking: &[(ChunkId, f32)]| ranking.first().map(|&(id, _)| id);
    first(&retrieved.bm25).is_some_and(|id| Some(id) == first(&retrieved.dense))
}

/// Bytes of a token of English, about: counting them exactly takes a tokenizer.
const TOKEN_BYTES: usize = 4;

/// Tokens of all pairs together, about.
fn tokens_of(question: &str, passages: &[Passage]) -> usize {
    passages.iter().map(|(_, text)| (question.len() + text.len()).div_ceil(TOKEN_BYTES)).sum()
}
