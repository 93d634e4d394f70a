//! Which weights suit an index: many settings tried on the same questions, each searched once.

use guidepost_index::Snapshot;
use guidepost_text::Embed;

use crate::collection::{Collection, CollectionQuery};
use crate::fusion::{CANDIDATES, Lean, Ranking, Weights};
use crate::late::ask_model;
use crate::metrics::{Interval, bootstrap, ndcg_at};
use crate::question::Question;
use crate::search::{Mode, Retrieved, SearchError, rank_documents};
use crate::signals::Signals;

/// Fixed weights of the dense leg, in tenths.
const FIXED: std::ops::RangeInclusive<u8> = 0..=10;
/// What leaning weights are made from.
const STARTS: [f32; 4] = [0.9, 1.0, 1.1, 1.2];
const COVERAGES: [f32; 3] = [0.2, 0.4, 0.6];
const MARGINS: [f32; 3] = [0.0, 0.2, 0.4];
/// Weights of late interaction.
const LATE: [f32; 4] = [0.0, 0.2, 0.4, 0.6];

/// All settings that are tried, what ships first. Without token vectors the weight of late interaction means
/// nothing and stays as it is.
fn settings(late: bool) -> Vec<Weights> {
    let fixed = FIXED.map(|tenths| Lean::fixed(f32::from(tenths) / 10.0));
    let leaning = STARTS.iter().flat_map(|&start| {
        let of = move |coverage| MARGINS.map(|margin| Lean { start, coverage, margin });
        COVERAGES.into_iter().flat_map(of)
    });
    let lates = if late { &LATE[..] } else { std::slice::from_ref(&Weights::DEFAULT.late) };
    let leans: Vec<Lean> = fixed.chain(leaning).collect();
    let tried = leans.iter().flat_map(|&lean| lates.iter().map(move |&late| Weights { lean, late }));
    let others = tried.filter(|weights| *weights != Weights::DEFAULT);
    std::iter::once(Weights::DEFAULT).chain(others).collect()
}

/// How well each setting ranks.
#[derive(Debug, Clone)]
pub struct Measured {
    /// What was tried.
    pub settings: Vec<Weights>,
    /// nDCG@10 by setting and question.
    pub ndcg: Vec<Vec<f64>>,
}

impl Measured {
    /// Asks every question of a collection once and weighs what is found in every way. `ids` has the collection's
    /// document that each guide of the index is.
    ///
    /// # Errors
    /// A model that fails, or a damaged index.
    pub fn new(
        snapshot: &Snapshot,
        embedder: &dyn Embed,
        collection: &Collection,
        ids: &[&str],
        mut asked: impl FnMut(),
    ) -> Result<Measured, SearchError> {
        let settings = settings(snapshot.has_token_codes());
        let mut ndcg = vec![Vec::with_capacity(collection.queries.len()); settings.len()];
        for query in &collection.queries {
            let measured = measure(snapshot, embedder, collection, ids, query, &settings)?;
            ndcg.iter_mut().zip(measured).for_each(|(column, value)| column.push(value));
            asked();
        }
        Ok(Measured { settings, ndcg })
    }
}

/// nDCG@10 of one question in every setting; 0 for what cannot be searched, signs alone.
fn measure(
    snapshot: &Snapshot,
    embedder: &dyn Embed,
    collection: &Collection,
    ids: &[&str],
    query: &CollectionQuery,
    settings: &[Weights],
) -> Result<Vec<f64>, SearchError> {
    let Ok(question) = Question::new(&query.text) else { return Ok(vec![0.0; settings.len()]) };
    let question = question.understood_by(snapshot, Some(embedder))?;
    let asked = ask_model(snapshot, embedder, &question)?;
    let retrieved = Retrieved {
        bm25: snapshot.bm25(&question.words, CANDIDATES, None)?,
        dense: snapshot.dense(&asked.vector, CANDIDATES, None),
        asked: Some(asked),
        ..Retrieved::default()
    };
    let signals = Signals::new(snapshot, &question, &retrieved)?;
    let value = |weights: &Weights| {
        let ranked = signals.rank(*weights, Mode::Hybrid)?;
        let ranking: Ranking = ranked.into_iter().map(|fused| (fused.id, fused.score)).collect();
        let documents = rank_documents(snapshot, &ranking, 10).into_iter();
        let ranked: Vec<&str> = documents.map(|(at, _)| ids[at]).collect();
        Ok(ndcg_at(10, &ranked, &collection.judged[&query.id]))
    };
    settings.iter().map(value).collect()
}

/// A setting with what it measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rated {
    /// The setting.
    pub weights: Weights,
    /// nDCG@10 on the even-numbered questions, which settings are chosen on.
    pub chosen_on: f64,
    /// nDCG@10 on the odd-numbered questions.
    pub held_out: f64,
    /// By how much `held_out` lies below the best fixed setting's; negative where it lies above.
    pub regret: f64,
}

/// Which setting to take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// What ships.
    pub default: Rated,
    /// The best on the even-numbered questions.
    pub best: Rated,
    /// The best, where the odd-numbered questions confirm that it is better than what ships; else what ships.
    pub chosen: Rated,
    /// The same weight for every question: the best of those on the odd-numbered questions, known only in hindsight.
    pub best_fixed: Rated,
    /// By how much the best is ahead of what ships on the odd-numbered questions, which had no say in what is best.
    pub gain: Interval,
}

impl Measured {
    /// Chooses on the even-numbered questions, confirms and reports on the odd-numbered. Ties go to what ships.
    ///
    /// The best of so many settings is ahead on the questions that it was chosen on by chance alone: confirmed on them,
    /// three of seven collections would have taken weights that their labels call worse (`benches/results/tune.md`).
    pub fn verdict(&self) -> Verdict {
        let all: Vec<usize> = (0..self.settings.len()).collect();
        let fixed: Vec<usize> = all.iter().copied().filter(|&at| self.settings[at].lean.is_fixed()).collect();
        let best = self.best(&all, EVEN);
        let gains: Vec<f64> =
            half(&self.ndcg[best], ODD).zip(half(&self.ndcg[DEFAULT], ODD)).map(|(a, b)| a - b).collect();
        let gain = bootstrap(&gains);
        let best_fixed = self.best(&fixed, ODD);
        let most = mean(half(&self.ndcg[best_fixed], ODD));
        let rate = |at: usize| {
            let held_out = mean(half(&self.ndcg[at], ODD));
            let chosen_on = mean(half(&self.ndcg[at], EVEN));
            Rated { weights: self.settings[at], chosen_on, held_out, regret: most - held_out }
        };
        let chosen = if gain.low > 0.0 { best } else { DEFAULT };
        Verdict {
            default: rate(DEFAULT),
            best: rate(best),
            chosen: rate(chosen),
            best_fixed: rate(best_fixed),
            gain,
        }
    }

    /// The best of some settings on a half of the questions, the first of equals.
    fn best(&self, among: &[usize], from: usize) -> usize {
        let rated = among.iter().map(|&at| (at, mean(half(&self.ndcg[at], from))));
        let best = rated.reduce(|best, other| if other.1 > best.1 { other } else { best });
        best.map_or(DEFAULT, |(at, _)| at)
    }
}

/// Where what ships stands among the settings.
const DEFAULT: usize = 0;
const EVEN: usize = 0;
const ODD: usize = 1;

/// Every other value.
fn half(values: &[f64], from: usize) -> impl Iterator<Item = f64> + '_ {
    values.iter().copied().skip(from).step_by(2)
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, number) = values.fold((0.0, 0), |(sum, number), value| (sum + value, number + 1));
    sum / f64::from(number.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The default finds every question half, one setting more on the even-numbered, another on the odd-numbered.
    fn measured(gain: impl Fn(usize) -> f64) -> Measured {
        let settings = settings(true);
        let mut ndcg = vec![vec![0.0; 100]; settings.len()];
        ndcg[DEFAULT] = vec![0.5; 100];
        ndcg[1] = (0..100).map(|at| 0.5 + gain(at)).collect();
        ndcg[2] = (0..100).map(|at| if at % 2 == 1 { 0.9 } else { 0.0 }).collect();
        Measured { settings, ndcg }
    }

    #[test]
    fn only_what_is_surely_better_is_chosen() {
        for (name, gain, chosen) in [
            ("always", (|_| 0.2) as fn(usize) -> f64, 1),
            ("never", |_| -0.1, DEFAULT),
            ("no difference", |_| 0.0, DEFAULT),
            ("by chance", |at| if at == 4 { 0.5 } else { 0.0 }, DEFAULT),
            ("only where it is chosen", |at| if at % 2 == 0 { 0.2 } else { 0.0 }, DEFAULT),
            ("only where it is confirmed", |at| if at % 2 == 1 { 0.2 } else { -0.1 }, DEFAULT),
        ] {
            let measured = measured(gain);
            let verdict = measured.verdict();
            assert_eq!(verdict.chosen.weights, measured.settings[chosen], "{name}");
            assert_eq!(verdict.best_fixed.weights, measured.settings[2], "{name}");
            assert!((verdict.default.regret - 0.4).abs() < 1e-9, "{name}: {verdict:?}");
        }
    }

    #[test]
    fn what_ships_is_tried_first_and_once() {
        for (late, expected) in [(true, 188), (false, 47)] {
            let settings = settings(late);
            assert_eq!(settings.len(), expected);
            let defaults = settings.iter().enumerate().filter(|(_, weights)| **weights == Weights::DEFAULT);
            assert_eq!(defaults.map(|(at, _)| at).collect::<Vec<_>>(), [DEFAULT]);
        }
    }
}
