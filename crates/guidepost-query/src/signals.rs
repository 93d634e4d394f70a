//! What a question's search found, kept so that it can be weighed in more than one way without searching again.

use std::cell::RefCell;
use std::collections::BTreeMap;

use guidepost_index::{ChunkId, Snapshot};

use crate::fit::Fit;
use crate::fusion::{Fused, Lean, Ranking, Weights, add_late, fuse, invite};
use crate::question::{Question, Weighed};
use crate::search::{Mode, Retrieved, SearchError, late_question};

/// The signals of one question.
pub struct Signals<'a> {
    snapshot: &'a Snapshot,
    retrieved: &'a Retrieved,
    /// Share of the question's information that BM25's best passage holds, in [0, 1].
    words_found: f32,
    fit: Fit,
    max_sims: RefCell<BTreeMap<ChunkId, Option<f32>>>,
}

impl<'a> Signals<'a> {
    /// Of what the legs found for a question.
    ///
    /// # Errors
    /// A damaged index.
    pub fn new(
        snapshot: &'a Snapshot,
        question: &Question,
        retrieved: &'a Retrieved,
    ) -> Result<Signals<'a>, SearchError> {
        let weighed = question.weigh(snapshot);
        let words_found = match &retrieved.asked {
            Some(_) => best_coverage(snapshot, &weighed, &retrieved.bm25)?,
            None => 0.0,
        };
        Ok(Signals { snapshot, retrieved, words_found, fit: Fit::of(question), max_sims: RefCell::default() })
    }

    /// Everything that the legs found, best first.
    ///
    /// # Errors
    /// A damaged index.
    pub fn rank(&self, weights: Weights, mode: Mode) -> Result<Vec<Fused>, SearchError> {
        let Retrieved { asked, bm25, dense, way } = self.retrieved;
        let cosine = |id| asked.as_ref().and_then(|asked| self.snapshot.cosine(&asked.vector, id));
        let dense_weight = self.dense_weight(weights.lean, mode);
        let mut fused = fuse(bm25, dense, dense_weight, cosine);
        if !way.is_empty() {
            invite(&mut fused, way, dense_weight, cosine);
        }
        if let Some(late) = late_question(self.retrieved) {
            let mut known = self.max_sims.borrow_mut();
            add_late(&mut fused, weights.late, |id| {
                *known.entry(id).or_insert_with(|| self.snapshot.max_sim(late, id))
            });
        }
        self.fit.apply(self.snapshot, &mut fused)?;
        Ok(fused)
    }

    /// Weight of the dense leg, in [0, 1].
    pub(crate) fn dense_weight(&self, lean: Lean, mode: Mode) -> f32 {
        match (mode, self.retrieved.asked.is_some()) {
            (Mode::Dense, _) => 1.0,
            (_, true) => lean.dense_weight(&self.retrieved.bm25, self.words_found),
            (_, false) => 0.0,
        }
    }
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
        Some(&(id, _)) => {
            let passage = snapshot.passage(id)?;
            weighed.coverage(|term| passage.words().hold(term))
        }
        None => 0.0,
    })
}
