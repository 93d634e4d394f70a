//! Why a passage is where it is, in numbers that add up.

use std::collections::HashSet;

use guidepost_index::{TermShare, Token};
use guidepost_query::{Hit, Question, RERANK_WEIGHT, Reranked, TokenMatch, TokenShare};
use guidepost_text::{Span, passage_text};
use schemars::JsonSchema;
use serde::Serialize;

use crate::search::{Explained, Searched};

/// A score taken apart: `legs = dense_weight * cosine_normalized + (1 - dense_weight) * bm25_normalized`, and
/// `score = fit * ((1 - late_weight) * legs + late_weight * late_normalized)`. With a reranker that is
/// `rerank.before`, and `score = (1 - rerank.weight) * rerank.before_normalized + rerank.weight * rerank.normalized`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Explain {
    pub(crate) dense_weight: f32,
    pub(crate) cosine: Option<f32>,
    pub(crate) cosine_normalized: f32,
    pub(crate) cosine_rank: Option<usize>,
    pub(crate) bm25: Option<f32>,
    pub(crate) bm25_normalized: f32,
    pub(crate) bm25_rank: Option<usize>,
    /// What each word in each field adds to `bm25`; they add up to it.
    pub(crate) bm25_terms: Vec<TermView>,
    /// 0 without token vectors.
    pub(crate) late_weight: f32,
    /// MaxSim; `null` for passages too far down to be looked at.
    pub(crate) late: Option<f32>,
    pub(crate) late_normalized: f32,
    /// Less than 1 for a passage of another kind, or of another guide, than the question asks for.
    pub(crate) fit: f32,
    /// Whether it belongs to the way to a role that the question asks for. Such passages come first, in reading order.
    pub(crate) on_the_way: bool,
    /// Left out without a reranker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rerank: Option<RerankView>,
    /// Share of the question's information that the passage holds, 0 to 1.
    pub(crate) coverage: f32,
    /// What each token of the question adds to `cosine`; they add up to it. `null` where the model does not tell.
    pub(crate) cosine_of_question: Option<Vec<ShareView>>,
    /// The same by the tokens of the passage, its headings first.
    pub(crate) cosine_of_passage: Option<Vec<ShareView>>,
    /// For each token of the question what answers best; `late` is the sum of `weight` times `cosine`.
    pub(crate) late_tokens: Vec<LateView>,
}

/// A word in a field, and its part of the BM25 score.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct TermView {
    pub(crate) term: String,
    /// `title`, `headings`, `body`, or `variants`: other ways to write what stands in them.
    pub(crate) field: String,
    pub(crate) score: f32,
}

/// What the reranker made of a passage.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct RerankView {
    /// `null` for passages too far down to be read.
    pub(crate) logit: Option<f32>,
    pub(crate) normalized: f32,
    pub(crate) weight: f32,
    pub(crate) before: f32,
    pub(crate) before_normalized: f32,
}

impl From<Reranked> for RerankView {
    fn from(Reranked { logit, normalized, before, before_normalized }: Reranked) -> Self {
        RerankView { logit, normalized, weight: RERANK_WEIGHT, before, before_normalized }
    }
}

/// A token and its part of the cosine.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ShareView {
    /// Empty for tokens that the model adds.
    pub(crate) text: String,
    pub(crate) share: f32,
}

/// A token of the question, and what answers best to it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct LateView {
    pub(crate) question: String,
    pub(crate) weight: f32,
    pub(crate) cosine: f32,
    /// Empty where it stands in a heading.
    pub(crate) passage: String,
}

impl Explain {
    pub(super) fn new(hit: &Hit, searched: &Searched, explained: Option<&Explained>) -> Self {
        let (trace, fused) = (&hit.trace, hit.trace.fused);
        let shares = explained.and_then(|explained| explained.cosine.as_ref());
        let question = searched.question.embedded.as_str();
        Explain {
            dense_weight: trace.dense_weight,
            cosine: fused.dense,
            cosine_normalized: fused.dense_normalized,
            cosine_rank: trace.dense_rank,
            bm25: fused.bm25,
            bm25_normalized: fused.bm25_normalized,
            bm25_rank: trace.bm25_rank,
            bm25_terms: explained.map(|explained| terms(&explained.terms)).unwrap_or_default(),
            late_weight: trace.late_weight,
            late: fused.late,
            late_normalized: fused.late_normalized,
            fit: fused.fit,
            on_the_way: fused.on_the_way,
            rerank: fused.reranked.map(RerankView::from),
            coverage: trace.coverage,
            cosine_of_question: shares.map(|shares| views(question, &shares.question)),
            cosine_of_passage: shares
                .map(|shares| views(&passage_text(&hit.passage.stored.chunk), &shares.passage)),
            late_tokens: hit.tokens.iter().flat_map(|tokens| late_views(question, hit, tokens)).collect(),
        }
    }
}

fn terms(shares: &[TermShare]) -> Vec<TermView> {
    let view = |share: &TermShare| TermView {
        term: share.term.clone(),
        field: share.field.clone(),
        score: share.score,
    };
    shares.iter().map(view).collect()
}

fn views(text: &str, shares: &[TokenShare]) -> Vec<ShareView> {
    let view = |token: &TokenShare| ShareView { text: token.span.of(text).to_owned(), share: token.share };
    shares.iter().map(view).collect()
}

fn late_views(question: &str, hit: &Hit, tokens: &TokenMatch) -> Vec<LateView> {
    let views = tokens.best().map(|best| LateView {
        question: best.question.of(question).to_owned(),
        weight: best.weight,
        cosine: best.cosine,
        passage: best.passage.of(&hit.passage.stored.chunk.text).to_owned(),
    });
    views.collect()
}

/// Estimated cosine from which two tokens say nearly the same: of those that have nothing to do with each other, few come
/// this far, and forms of one word nearly always do.
const NEAR: f32 = 0.6;

/// Words of the passage that stand in the question, and those that answer to one of its words, in the passage's order.
pub(super) fn matched(question: &Question, hit: &Hit) -> Vec<String> {
    let text = &hit.passage.stored.chunk.text;
    let asked: HashSet<&str> = question.words.iter().map(|word| word.term.as_str()).collect();
    let best = hit.tokens.iter().flat_map(TokenMatch::best);
    let telling: Vec<&Token> =
        question.spoken.iter().filter(|word| asked.contains(word.term.as_str())).collect();
    let tells = |at: &Span| telling.iter().any(|word| word.start < at.end && at.start < word.end);
    let near: Vec<Span> =
        best.filter(|best| best.cosine >= NEAR && tells(&best.question)).map(|best| best.passage).collect();
    let is_near = |word: &Span| near.iter().any(|span| word.start < span.end && span.start < word.end);
    let mut seen = HashSet::new();
    let words = hit.passage.words().in_text(asked.iter().copied());
    let words = words.filter(|(word, is_asked)| *is_asked || is_near(word));
    let words = words.map(|(word, _)| word.of(text).to_owned());
    words.filter(|word| seen.insert(word.to_lowercase())).collect()
}
