//! How sure a hit is: the chance that it answers, from what both legs saw.
//!
//! A logistic model over the cosine and over the share of the question's information that the passage holds. Its
//! coefficients are fitted by the program `confidence` in `benches/` on collections with known answers, and checked on
//! others: `benches/results/confidence.md`.

/// What is known about a hit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// Cosine of question and passage, in [-1, 1]; `None` without vectors.
    pub cosine: Option<f32>,
    /// Share of the question's information, in words, that the passage and its headings hold, in [0, 1].
    pub coverage: f32,
}

/// Below, a question counts as not answered. On the guides that ship, three quarters of the answerable questions come this
/// far with vectors, three in ten of those near their topics that nothing answers, and 5 in 100 of a foreign collection
/// (`benches/results/confidence.md`).
pub const MIN_ANSWER_CONFIDENCE: f32 = 0.05;

/// Intercept, then weights.
struct Logistic {
    intercept: f32,
    cosine: f32,
    coverage: f32,
}

const WITH_VECTORS: Logistic = Logistic { intercept: -5.93, cosine: 4.83, coverage: 4.01 };
const WORDS_ALONE: Logistic = Logistic { intercept: -4.87, cosine: 0.0, coverage: 6.07 };

/// The chance in [0, 1] that a hit answers its question.
pub fn confidence(evidence: Evidence) -> f32 {
    let model = if evidence.cosine.is_some() { WITH_VECTORS } else { WORDS_ALONE };
    let logit =
        model.intercept + model.cosine * evidence.cosine.unwrap_or(0.0) + model.coverage * evidence.coverage;
    1.0 / (1.0 + (-logit).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_evidence_is_more_confidence() {
        for cosine in [None, Some(0.2), Some(0.9)] {
            let at = |coverage| confidence(Evidence { cosine, coverage });
            assert!((0.0..=1.0).contains(&at(0.0)) && at(0.0) < at(0.5) && at(0.5) < at(1.0));
        }
        let at = |cosine| confidence(Evidence { cosine: Some(cosine), coverage: 0.5 });
        assert!(at(-1.0) < at(0.3) && at(0.3) < at(0.8));
    }
}
