//! Every stage asked every query: what it ranks, and how long that takes.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Instant;

use anyhow::bail;
use clap::ValueEnum;
use guidepost_index::Snapshot;
use guidepost_query::{
    Asked, CANDIDATES, Collection, Fused, Mode, Question, Ranking, Retrieved, Weights, ask_model, rank,
    rank_documents, rerank,
};
use guidepost_text::{Embed, Rerank};

use super::guides::Guides;
use crate::cli::Stage;
use crate::commands::bench::configuration::milliseconds;

/// Documents of a ranking, as many as recall@100 looks at.
const DEPTH: usize = 100;

/// The rankings of one stage.
#[derive(Default)]
pub(super) struct StageRankings {
    /// Numbers of documents with their scores, best first, by query.
    pub(super) rankings: Vec<Vec<(usize, f32)>>,
    /// Milliseconds of each query, the question's way through the model included where the stage needs it.
    pub(super) all_ms: Vec<f64>,
}

/// The models that there are.
#[derive(Clone, Copy)]
pub(super) struct Models<'a> {
    pub(super) embedder: Option<&'a dyn Embed>,
    pub(super) reranker: Option<&'a dyn Rerank>,
}

/// All stages that could be measured.
pub(super) struct Stages(pub(super) BTreeMap<Stage, StageRankings>);

impl Stages {
    pub(super) fn measure(
        snapshot: &Snapshot,
        models: Models,
        weights: Weights,
        collection: &Collection,
        guides: &Guides,
    ) -> anyhow::Result<Stages> {
        let embedder = models.embedder.filter(|_| snapshot.has_vectors());
        let models = Models { embedder, ..models };
        let mut stages: BTreeMap<Stage, StageRankings> = BTreeMap::new();
        let numbers = guides.numbers(snapshot.documents())?;
        for query in &collection.queries {
            for (stage, ranking, ms) in ask(snapshot, models, weights, &query.text)? {
                let stage = stages.entry(stage).or_default();
                let documents = rank_documents(snapshot, &ranking, DEPTH).into_iter();
                stage.rankings.push(documents.map(|(at, score)| (numbers[at], score)).collect());
                stage.all_ms.push(ms);
            }
        }
        Ok(Stages(stages))
    }

    /// A stage's rankings in the format of trec_eval. Scores fall from line to line, by the least that a number can where
    /// they are equal, so that nobody who sorts them again finds another order.
    ///
    /// An error where the stage was not measured, or where an identifier holds a space: columns are parted by them.
    pub(super) fn trec_run(&self, stage: Stage, collection: &Collection) -> anyhow::Result<String> {
        let Some(measured) = self.0.get(&stage) else {
            let missing = if stage == Stage::Reranked { "reranker; name one with --rerank" } else { "model" };
            bail!("the stage `{}` was not measured: there is no {missing}", stage.name());
        };
        let ids = collection.queries.iter().map(|query| &query.id);
        let mut ids = ids.chain(collection.documents.iter().map(|document| &document.id));
        if let Some(id) = ids.find(|id| id.contains(char::is_whitespace)) {
            bail!("a TREC run cannot name `{id}`: it holds a space");
        }
        let mut run = String::new();
        for (query, ranking) in collection.queries.iter().zip(&measured.rankings) {
            let mut above = f64::INFINITY;
            for (&(document, score), rank) in ranking.iter().zip(1..) {
                above = f64::from(score).min(above.next_down());
                let id = &collection.documents[document].id;
                let _ = writeln!(run, "{} Q0 {id} {rank} {above} guidepost-{}", query.id, stage.name());
            }
        }
        Ok(run)
    }
}

/// Asks every stage one query. What cannot be searched, signs alone, finds nothing.
fn ask(
    snapshot: &Snapshot,
    Models { embedder, reranker }: Models,
    weights: Weights,
    text: &str,
) -> anyhow::Result<Vec<(Stage, Ranking, f64)>> {
    let Ok(question) = Question::new(text) else {
        let measured = |stage: &&Stage| match stage {
            Stage::Bm25 => true,
            Stage::Hnsw => embedder.is_some() && snapshot.has_graph(),
            Stage::Dense | Stage::Fused => embedder.is_some(),
            Stage::Late => embedder.is_some() && snapshot.has_token_codes(),
            Stage::Reranked => reranker.is_some(),
        };
        let stages = Stage::value_variants().iter().filter(measured);
        return Ok(stages.map(|&stage| (stage, Ranking::new(), 0.0)).collect());
    };
    let question = question.understood_by(snapshot, embedder)?;
    let (bm25, bm25_ms) = timed(|| snapshot.bm25(&question.words, CANDIDATES, None));
    let bm25 = bm25?;
    let Some(embedder) = embedder else {
        let retrieved = Retrieved { bm25: bm25.clone(), ..Retrieved::default() };
        let fused = rank(snapshot, &question, &retrieved, weights, Mode::Bm25)?;
        let reranked = reranked(snapshot, reranker, &question, fused, bm25_ms)?;
        return Ok([(Stage::Bm25, bm25, bm25_ms)].into_iter().chain(reranked).collect());
    };
    let (asked, embed_ms) = timed(|| ask_model(snapshot, embedder, &question));
    let Asked { vector, late } = asked?;
    let (dense, dense_ms) = timed(|| snapshot.dense_scan(&vector, CANDIDATES, None));
    let (walked, walk_ms) = timed(|| snapshot.dense_walk(&vector, CANDIDATES, None));
    let mut stages =
        vec![(Stage::Bm25, bm25.clone(), bm25_ms), (Stage::Dense, dense.clone(), embed_ms + dense_ms)];
    stages.extend(walked.map(|walked| (Stage::Hnsw, walked, embed_ms + walk_ms)));
    let mut retrieved =
        Retrieved { asked: Some(Asked { vector, late: None }), bm25, dense, ..Retrieved::default() };
    let mut fuse = |stage, late| -> anyhow::Result<(Vec<Fused>, f64)> {
        if let Some(asked) = &mut retrieved.asked {
            asked.late = late;
        }
        let (fused, fuse_ms) = timed(|| rank(snapshot, &question, &retrieved, weights, Mode::Hybrid));
        let (fused, ms) = (fused?, embed_ms + bm25_ms + dense_ms + fuse_ms);
        stages.push((stage, ranking(&fused), ms));
        Ok((fused, ms))
    };
    let mut last = fuse(Stage::Fused, None)?;
    if late.is_some() {
        last = fuse(Stage::Late, late)?;
    }
    stages.extend(reranked(snapshot, reranker, &question, last.0, last.1)?);
    Ok(stages)
}

/// The last stage, on top of what took so many milliseconds; nothing without a reranker.
fn reranked(
    snapshot: &Snapshot,
    reranker: Option<&dyn Rerank>,
    question: &Question,
    mut fused: Vec<Fused>,
    before_ms: f64,
) -> anyhow::Result<Option<(Stage, Ranking, f64)>> {
    let Some(reranker) = reranker else { return Ok(None) };
    let (outcome, ms) = timed(|| rerank(snapshot, reranker, &question.text, &mut fused));
    outcome?;
    Ok(Some((Stage::Reranked, ranking(&fused), before_ms + ms)))
}

fn ranking(fused: &[Fused]) -> Ranking {
    fused.iter().map(|fused| (fused.id, fused.score)).collect()
}

/// What something gives, and how many milliseconds it takes.
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let started = Instant::now();
    let result = work();
    (result, milliseconds(started))
}
