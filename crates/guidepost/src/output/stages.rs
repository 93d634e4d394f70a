//! How far a search went within its budget.

use guidepost_query::{Climb, Step};
use schemars::JsonSchema;
use serde::Serialize;

/// A stage of a search, and what became of it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct StageView {
    /// `bm25`, `hybrid`, `late` or `rerank`.
    stage: &'static str,
    /// `ran`, `not needed` or `no time`.
    outcome: &'static str,
    /// How long it took, or would have been expected to; left out where it was not needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    ms: Option<f64>,
}

impl StageView {
    pub(crate) fn new(step: &Step) -> Self {
        let (outcome, time) = match step.climb {
            Climb::Ran(took) => ("ran", Some(took)),
            Climb::NotNeeded => ("not needed", None),
            Climb::NoTime(expected) => ("no time", Some(expected)),
        };
        let ms = time.map(|time| (time.as_secs_f64() * 1e5).round() / 100.0);
        StageView { stage: step.rung.name(), outcome, ms }
    }

    /// For people.
    pub(crate) fn line(&self) -> String {
        let ms = self.ms.map_or(String::new(), |ms| format!(" ({ms} ms)"));
        format!("{} {}{ms}", self.stage, self.outcome)
    }
}
