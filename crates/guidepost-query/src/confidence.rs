//! How sure a hit is: the chance that it answers, from what both legs and the tokens saw.
//!
//! A logistic model, one for each set of signals that a search can have, so that a confidence means the same whatever
//! was searched with. Coefficients are fitted by the program `confidence` in `benches/` on every other question of
//! collections with known answers, and checked on the rest: `benches/results/confidence.md`.

/// What is known about a hit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// Cosine of question and passage, in [-1, 1]; `None` without vectors.
    pub cosine: Option<f32>,
    /// MaxSim of question and passage, about in [-1, 1]; `None` without token vectors.
    pub late: Option<f32>,
    /// Whether BM25 searched too.
    pub by_words: bool,
    /// Share of the question's information, in words, that the passage and its headings hold, in [0, 1].
    pub coverage: f32,
    /// By how much its score lies above that of the [`RIVAL`]th hit, in [-1, 1].
    pub margin: f32,
    /// Place in each leg's ranking, 1-based; `None` where a leg did not bring it.
    pub places: [Option<usize>; 2],
    /// Telling words in the question. Of one or two words, everything about them is near.
    pub words: usize,
    /// Whether it belongs to the way to a role that the question asks for.
    pub on_the_way: bool,
}

/// The hit whose score the others' are compared with: neighbors of one section often say the same.
pub(crate) const RIVAL: usize = 5;

/// Features of [`Evidence::features`].
pub const FEATURES: usize = 6;

impl Evidence {
    /// What the models look at: cosine, MaxSim, coverage, margin, how high the legs place it (from .02 to 2), and the number
    /// of words in tens, at most 1.2. Signals that there are not are 0.
    pub fn features(&self) -> [f32; FEATURES] {
        let height = |place: &Option<usize>| 1.0 / place.unwrap_or(100) as f32;
        [
            self.cosine.unwrap_or(0.0),
            self.late.unwrap_or(0.0),
            self.coverage,
            self.margin,
            self.places.iter().map(height).sum(),
            self.words.min(12) as f32 / 10.0,
        ]
    }

    fn model(&self) -> &'static Logistic {
        match (self.cosine.is_some(), self.late.is_some(), self.by_words) {
            (true, true, true) => &ALL,
            (true, false, true) => &WITHOUT_TOKENS,
            (true, true, false) => &VECTORS_AND_TOKENS,
            (true, false, false) => &VECTORS_ALONE,
            (false, ..) => &WORDS_ALONE,
        }
    }
}

/// Below, a question counts as not answered. On the odd-numbered questions over the guides that ship, 82 in 100 of the
/// answerable come this far, 12 in 100 of those near their topics that nothing answers, and 18 in 100 of foreign ones
/// (`benches/results/confidence.md`).
pub const MIN_ANSWER_CONFIDENCE: f32 = 0.07;

/// Intercept, then weights in the order of the features.
struct Logistic(f32, [f32; FEATURES]);

const ALL: Logistic = Logistic(-11.21, [0.0, 9.97, 0.0, 4.73, 0.73, 3.37]);
const WITHOUT_TOKENS: Logistic = Logistic(-9.12, [4.21, 0.0, 3.20, 5.60, 0.73, 3.42]);
const VECTORS_AND_TOKENS: Logistic = Logistic(-11.46, [0.0, 9.82, 0.98, 5.20, 0.11, 3.58]);
const VECTORS_ALONE: Logistic = Logistic(-9.02, [3.73, 0.0, 4.34, 5.04, 0.07, 3.41]);
const WORDS_ALONE: Logistic = Logistic(-9.69, [0.0, 0.0, 6.40, 6.58, 0.0, 4.50]);

/// What a passage on the way asked for has at least. No fit: few labeled questions ask for a way, and of those that are derived
/// from the roles that guides describe (`benches/results/shipped_questions.md`) all are answered by it.
pub const ON_THE_WAY_CONFIDENCE: f32 = 0.8;

/// The chance in [0, 1] that a hit answers its question.
pub fn confidence(evidence: Evidence) -> f32 {
    let Logistic(intercept, weights) = evidence.model();
    let logit =
        intercept + evidence.features().iter().zip(weights).map(|(x, weight)| x * weight).sum::<f32>();
    let chance = 1.0 / (1.0 + (-logit).exp());
    if evidence.on_the_way { chance.max(ON_THE_WAY_CONFIDENCE) } else { chance }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_evidence_is_more_confidence() {
        let legs = [
            (None, None, true),
            (Some(0.5), None, true),
            (Some(0.5), Some(0.6), true),
            (Some(0.5), Some(0.6), false),
            (Some(0.5), None, false),
        ];
        for (cosine, late, by_words) in legs {
            let evidence = Evidence {
                cosine,
                late,
                by_words,
                coverage: 0.5,
                margin: 0.2,
                places: [Some(2), Some(1)],
                words: 4,
                on_the_way: false,
            };
            let more = [
                Evidence {
                    cosine: cosine.map(|c| c + 0.2),
                    late: late.map(|l| l + 0.2),
                    coverage: 0.8,
                    ..evidence
                },
                Evidence { margin: 0.4, ..evidence },
                Evidence { places: [Some(1), Some(1)], ..evidence },
                Evidence { on_the_way: true, ..evidence },
            ];
            let base = confidence(evidence);
            assert!((0.0..=1.0).contains(&base), "{evidence:?}");
            for more in more {
                assert!(confidence(more) >= base, "{more:?} is more than {evidence:?}");
            }
        }
    }
}
