//! A cross-encoder as the last stage: it reads question and passage together, and blends its judgment into the order.
//!
//! Blended, never overriding: on passages unlike those it was trained on, a small cross-encoder's order alone is worse than
//! the one it was given.

use std::collections::BTreeMap;

use guidepost_index::{ChunkId, Snapshot};
use guidepost_text::{Rerank, passage_text};

use crate::fusion::{Fused, best_first, share};
use crate::search::SearchError;

/// Weight of the cross-encoder; the order that it was given has the rest.
///
/// Not measured here: no cross-encoder's weights could be had. Others who blend a MiniLM trained on MS MARCO give it .3 to
/// .4 and report that more, or its order alone, loses outside of web search; this is the milder of the two.
pub const RERANK_WEIGHT: f32 = 0.3;

/// Candidates that it reads. Not measured here either: 20 to 100 are usual, late interaction looks at 30 as well, and
/// every one of them costs a forward pass.
pub const RERANK_CANDIDATES: usize = 30;

/// What a reranker made of a candidate: `score = (1 - RERANK_WEIGHT) * before_normalized + RERANK_WEIGHT * normalized`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reranked {
    /// The model's logit, unbounded; `None` for candidates too far down to be read.
    pub logit: Option<f32>,
    /// The logit's sigmoid, in [0, 1]; 0 where there is none. Not relative to the other candidates: where nothing
    /// answers, nothing rises.
    pub normalized: f32,
    /// The score that it had, in [0, 1].
    pub before: f32,
    /// `before` between the worst and the best candidate, in [0, 1].
    pub before_normalized: f32,
}

/// Has a reranker read the best candidates, and brings all into their new order.
///
/// # Errors
/// A reranker that fails, or a damaged index.
pub fn rerank(
    snapshot: &Snapshot,
    reranker: &dyn Rerank,
    question: &str,
    fused: &mut [Fused],
) -> Result<(), SearchError> {
    let passages = best_passages(snapshot, fused)?;
    blend(fused, &logits(reranker, question, &passages)?);
    Ok(())
}

/// A candidate with its text as it is embedded, headings first.
pub(crate) type Passage = (ChunkId, String);

/// Those that a reranker would read, best first.
pub(crate) fn best_passages(snapshot: &Snapshot, fused: &[Fused]) -> Result<Vec<Passage>, SearchError> {
    let read = |candidate: &Fused| Ok((candidate.id, passage_text(&snapshot.chunk(candidate.id)?.chunk)));
    fused.iter().take(RERANK_CANDIDATES).map(read).collect()
}

/// The reranker's logits.
pub(crate) fn logits(
    reranker: &dyn Rerank,
    question: &str,
    passages: &[Passage],
) -> Result<BTreeMap<ChunkId, f32>, SearchError> {
    let texts: Vec<&str> = passages.iter().map(|(_, text)| text.as_str()).collect();
    let scores = reranker.score(question, &texts)?;
    Ok(passages.iter().map(|(id, _)| *id).zip(scores).collect())
}

/// Blends logits in; candidates that have none keep their order among themselves, below those that were above them.
pub(crate) fn blend(fused: &mut [Fused], logits: &BTreeMap<ChunkId, f32>) {
    let scores = fused.iter().map(|candidate| candidate.score);
    let (low, high) =
        scores.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), s| (low.min(s), high.max(s)));
    for candidate in fused.iter_mut() {
        // A logit that is no number says nothing.
        let logit = logits.get(&candidate.id).copied().filter(|logit| logit.is_finite());
        let reranked = Reranked {
            logit,
            normalized: logit.map_or(0.0, sigmoid),
            before: candidate.score,
            before_normalized: share(candidate.score, low, high),
        };
        candidate.score =
            (1.0 - RERANK_WEIGHT) * reranked.before_normalized + RERANK_WEIGHT * reranked.normalized;
        candidate.reranked = Some(reranked);
    }
    best_first(fused);
}

fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fusion::{Ranking, fuse};

    /// Candidates with scores from 1 down to 0.
    fn candidates(count: u32) -> Vec<Fused> {
        let score = |id: u32| 1.0 - id as f32 / (count - 1) as f32;
        let dense: Ranking = (0..count).map(|id| (ChunkId(id), score(id))).collect();
        fuse(&Ranking::new(), &dense, 1.0, |_| None)
    }

    #[track_caller]
    fn check(logits: &[(u32, f32)], expected: &[u32]) {
        let mut fused = candidates(5);
        blend(&mut fused, &logits.iter().map(|&(id, logit)| (ChunkId(id), logit)).collect());
        assert_eq!(fused.iter().map(|candidate| candidate.id.0).collect::<Vec<_>>(), expected, "{logits:?}");
    }

    #[test]
    fn neighbors_change_places_and_the_far_stay_far() {
        check(&[], &[0, 1, 2, 3, 4]);
        check(&[(0, -9.0), (1, 9.0)], &[1, 0, 2, 3, 4]);
        check(&[(0, -9.0), (1, -9.0), (2, -9.0), (3, -9.0), (4, 9.0)], &[0, 1, 2, 4, 3]);
        check(&[(0, f32::NAN), (1, f32::INFINITY)], &[0, 1, 2, 3, 4]);
        check(&[(0, -90.0), (1, -80.0), (2, -70.0)], &[0, 1, 2, 3, 4]);
    }

    #[test]
    fn the_parts_add_up() {
        let mut fused = candidates(5);
        fused.iter_mut().for_each(|candidate| candidate.score = 0.5 + candidate.score / 4.0);
        blend(&mut fused, &BTreeMap::from([(ChunkId(1), 0.0)]));
        let second = fused.iter().find(|candidate| candidate.id.0 == 1).expect("it stays");
        let expected =
            Reranked { logit: Some(0.0), normalized: 0.5, before: 0.6875, before_normalized: 0.75 };
        assert_eq!(second.reranked, Some(expected));
        assert_eq!(second.score, (1.0 - RERANK_WEIGHT) * 0.75 + RERANK_WEIGHT * 0.5);
        assert_eq!(second.before_reranking(), 0.6875);
    }
}
