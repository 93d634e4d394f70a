//! Two rankings to one.
//!
//! A convex combination of normalized scores (Bruch, Gai and Ingber 2023, arXiv 2210.11934) rather than of ranks:
//! it keeps how much better the best one is. How it was chosen, and how it leans from question to question, is in
//! `benches/results/fusion.md`.

use std::collections::BTreeMap;

use guidepost_index::ChunkId;

use crate::rerank::Reranked;

/// One leg's candidates with their own scores, best first.
pub type Ranking = Vec<(ChunkId, f32)>;

/// Candidates each leg brings.
pub const CANDIDATES: usize = 100;

/// How the weight of the dense leg follows what the words found; BM25 has the rest. The more of the question BM25's best
/// passage holds, and the further it stands out, the more the words are trusted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lean {
    /// Weight where the words found nothing of the question.
    pub start: f32,
    /// What it loses where BM25's best passage holds all of the question's information.
    pub coverage: f32,
    /// What it loses where BM25's best passage stands alone.
    pub margin: f32,
}

/// How much each signal counts in a score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// Of the dense leg beside BM25.
    pub lean: Lean,
    /// Of late interaction, in [0, 1]; the legs have the rest.
    pub late: f32,
}

impl Weights {
    /// Chosen on the even-numbered queries of six collections, reported on the odd-numbered ones and on a seventh.
    pub const DEFAULT: Weights = Weights { lean: Lean { start: 1.1, coverage: 0.4, margin: 0.4 }, late: 0.4 };
}

/// Passage of BM25's ranking that its best one is compared with: neighbors of one section often say the same.
const RIVAL: usize = 5;

impl Lean {
    /// The same weight for every question.
    pub const fn fixed(dense_weight: f32) -> Lean {
        Lean { start: dense_weight, coverage: 0.0, margin: 0.0 }
    }

    /// Whether it is the same for every question.
    pub fn is_fixed(&self) -> bool {
        self.coverage == 0.0 && self.margin == 0.0
    }

    /// Weight of the dense leg in [0, 1], from BM25's ranking and the share of the question's information that its best
    /// passage holds, in [0, 1].
    pub fn dense_weight(&self, bm25: &Ranking, coverage: f32) -> f32 {
        (self.start - self.coverage * coverage - self.margin * standing_out(bm25)).clamp(0.0, 1.0)
    }
}

/// How far BM25's best passage stands out, in [0, 1]: 0 where the fifth scores as much, 1 where it stands alone.
pub fn standing_out(bm25: &Ranking) -> f32 {
    let score = |place: usize| bm25.get(place - 1).map_or(0.0, |&(_, score)| score);
    if score(1) > 0.0 { 1.0 - score(RIVAL) / score(1) } else { 1.0 }
}

/// A candidate of either leg.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fused {
    /// The chunk.
    pub id: ChunkId,
    /// BM25's score, 0 and up; `None` where BM25 did not bring it.
    pub bm25: Option<f32>,
    /// Cosine in [-1, 1]; `None` without vectors.
    pub dense: Option<f32>,
    /// `bm25` as a share of the best, in [0, 1]; 0 where there is none.
    pub bm25_normalized: f32,
    /// `dense` between the worst and the best candidate, in [0, 1].
    pub dense_normalized: f32,
    /// MaxSim, about in [-1, 1]; `None` without token vectors, and for candidates too far down.
    pub late: Option<f32>,
    /// `late` between the worst and the best candidate that has it, in [0, 1]; 0 for those that have none.
    pub late_normalized: f32,
    /// What the combination is multiplied by, in [0, 1]: less than 1 for a passage of another kind than the question asks for.
    pub fit: f32,
    /// Whether it belongs to the way to a role that the question asks for; then it is a candidate whatever the legs found.
    pub on_the_way: bool,
    /// What a reranker changed; `None` where none was asked.
    pub reranked: Option<Reranked>,
    /// The combination, in [0, 1]. Orders the hits of one question; says nothing across questions.
    pub score: f32,
}

impl Fused {
    /// A candidate that nothing speaks for yet.
    fn unfound(id: ChunkId) -> Self {
        Fused {
            id,
            bm25: None,
            dense: None,
            bm25_normalized: 0.0,
            dense_normalized: 0.0,
            late: None,
            late_normalized: 0.0,
            fit: 1.0,
            on_the_way: false,
            reranked: None,
            score: 0.0,
        }
    }

    /// The score without the reranker, in [0, 1].
    pub fn before_reranking(&self) -> f32 {
        self.reranked.map_or(self.score, |reranked| reranked.before)
    }
}

/// Fuses the legs, best first; ties by id. `cosine` fills in what the dense leg did not bring.
pub fn fuse(
    bm25: &Ranking,
    dense: &Ranking,
    dense_weight: f32,
    cosine: impl Fn(ChunkId) -> Option<f32>,
) -> Vec<Fused> {
    let mut merged: BTreeMap<ChunkId, (Option<f32>, Option<f32>)> = BTreeMap::new();
    for &(id, score) in bm25 {
        merged.entry(id).or_default().0 = Some(score);
    }
    for &(id, score) in dense {
        merged.entry(id).or_default().1 = Some(score);
    }
    if !dense.is_empty() {
        for (&id, scores) in &mut merged {
            scores.1 = scores.1.or_else(|| cosine(id));
        }
    }
    let best_bm25 = merged.values().filter_map(|scores| scores.0).fold(0.0f32, f32::max);
    let cosines = merged.values().filter_map(|scores| scores.1);
    let (low, high) =
        cosines.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), c| (low.min(c), high.max(c)));
    let combine = |(id, (bm25, dense)): (ChunkId, (Option<f32>, Option<f32>))| {
        let bm25_normalized = bm25.map_or(0.0, |score| share(score, 0.0, best_bm25));
        let dense_normalized = dense.map_or(0.0, |score| share(score, low, high));
        let score = dense_weight * dense_normalized + (1.0 - dense_weight) * bm25_normalized;
        Fused { bm25, bm25_normalized, dense, dense_normalized, score, ..Fused::unfound(id) }
    };
    let mut fused: Vec<Fused> = merged.into_iter().map(combine).collect();
    best_first(&mut fused);
    fused
}

/// Makes passages candidates that belong to the way the question asks for, and marks them.
pub(crate) fn invite(
    fused: &mut Vec<Fused>,
    way: &[ChunkId],
    dense_weight: f32,
    cosine: impl Fn(ChunkId) -> Option<f32>,
) {
    let cosines = fused.iter().filter_map(|candidate| candidate.dense);
    let (low, high) =
        cosines.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), c| (low.min(c), high.max(c)));
    for &id in way {
        if let Some(known) = fused.iter_mut().find(|candidate| candidate.id == id) {
            known.on_the_way = true;
            continue;
        }
        let dense = cosine(id);
        let dense_normalized = dense.map_or(0.0, |score| share(score, low, high));
        let score = dense_weight * dense_normalized;
        fused.push(Fused { dense, dense_normalized, score, on_the_way: true, ..Fused::unfound(id) });
    }
    best_first(fused);
}

/// Candidates that late interaction looks at. More cost time and gain nothing: the best of 30 is the best of 100.
const LATE_CANDIDATES: usize = 30;

/// Takes late interaction in as the third signal, for the best candidates of the other two and for the way asked for.
pub fn add_late(fused: &mut [Fused], weight: f32, mut max_sim: impl FnMut(ChunkId) -> Option<f32>) {
    let looked_at =
        fused.iter_mut().enumerate().filter(|(at, candidate)| *at < LATE_CANDIDATES || candidate.on_the_way);
    for (_, candidate) in looked_at {
        candidate.late = max_sim(candidate.id);
    }
    let known = fused.iter().filter_map(|candidate| candidate.late);
    let (low, high) =
        known.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), c| (low.min(c), high.max(c)));
    if low > high {
        return;
    }
    for candidate in fused.iter_mut() {
        candidate.late_normalized = candidate.late.map_or(0.0, |late| share(late, low, high));
        candidate.score = (1.0 - weight) * candidate.score + weight * candidate.late_normalized;
    }
    best_first(fused);
}

/// Ties by id.
pub(crate) fn best_first(fused: &mut [Fused]) {
    fused.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
}

/// Where a score lies between two others. A leg that cannot tell its candidates apart calls them all best.
pub(crate) fn share(score: f32, low: f32, high: f32) -> f32 {
    if high > low { ((score - low) / (high - low)).clamp(0.0, 1.0) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bm25: &[(u32, f32)], dense: &[(u32, f32)], expected: &[(u32, f32)]) {
        let ranking =
            |scores: &[(u32, f32)]| scores.iter().map(|&(id, score)| (ChunkId(id), score)).collect();
        let fused = fuse(&ranking(bm25), &ranking(dense), 0.75, |_| Some(0.0));
        let found: Vec<(u32, f32)> =
            fused.iter().map(|hit| (hit.id.0, (hit.score * 1000.0).round() / 1000.0)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn words_weigh_as_much_as_they_found() {
        let ranking = |scores: &[f32]| (1u32..).map(ChunkId).zip(scores.iter().copied()).collect::<Ranking>();
        let lean = Lean { start: 1.0, coverage: 0.5, margin: 0.25 };
        for (bm25, coverage, expected) in [
            (ranking(&[]), 0.0, 0.75),
            (ranking(&[8.0, 8.0, 8.0, 8.0, 8.0]), 0.0, 1.0),
            (ranking(&[8.0, 8.0, 8.0, 8.0, 4.0, 1.0]), 1.0, 0.375),
            (ranking(&[8.0]), 1.0, 0.25),
        ] {
            assert_eq!(lean.dense_weight(&bm25, coverage), expected, "{bm25:?}");
            assert_eq!(Lean::fixed(0.6).dense_weight(&bm25, coverage), 0.6);
        }
    }

    #[test]
    fn late_interaction_orders_the_best_and_only_them() {
        let ids = 0..2 * LATE_CANDIDATES as u32;
        let dense: Ranking = ids.map(|id| (ChunkId(id), 1.0 - 0.01 * id as f32)).collect();
        let mut fused = fuse(&Ranking::new(), &dense, 1.0, |_| None);
        let legs: Vec<f32> = fused.iter().map(|hit| hit.score).collect();
        // The second of the legs is the best by its tokens, and so would be one that nobody looks at.
        let best = [ChunkId(1), ChunkId(LATE_CANDIDATES as u32)];
        add_late(&mut fused, 0.5, |id| Some(if best.contains(&id) { 0.9 } else { 0.1 }));
        assert_eq!((fused[0].id, fused[1].id), (ChunkId(1), ChunkId(0)));
        assert_eq!((fused[0].late, fused[0].late_normalized), (Some(0.9), 1.0));
        assert_eq!(fused[0].score, 0.5 * legs[1] + 0.5);
        let far = fused.iter().find(|hit| hit.id == best[1]).expect("it stays");
        assert_eq!((far.late, far.score), (None, 0.5 * legs[LATE_CANDIDATES]));

        let before = fuse(&Ranking::new(), &dense, 1.0, |_| None);
        let mut after = before.clone();
        add_late(&mut after, 0.5, |_| None);
        assert_eq!(after, before, "without token vectors nothing changes");
    }

    #[test]
    fn scores_meet_on_one_scale() {
        check(&[], &[], &[]);
        check(&[(1, 8.0), (2, 4.0)], &[(2, 0.9), (1, 0.4)], &[(2, 0.875), (1, 0.25)]);
        check(&[(7, 3.0)], &[(7, 0.5)], &[(7, 1.0)]);
        check(&[], &[(1, 0.8), (2, 0.2)], &[(1, 0.75), (2, 0.0)]);
        check(&[(1, 2.0), (2, 2.0)], &[(1, 0.5), (2, 0.5)], &[(1, 1.0), (2, 1.0)]);
    }
}
