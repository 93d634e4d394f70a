//! What the query side asks of a model that reads question and passage together.

use std::fmt;

/// Scores passages for a question.
pub trait Rerank: Send + Sync {
    /// Everything that shapes a score, in one line that a person can read. Equal fingerprints: equal scores.
    fn fingerprint(&self) -> &str;

    /// One score per passage, in the order of the passages: the model's logit, unbounded, higher for a better answer.
    /// Comparable between passages of one question; between questions or models only after calibration. What is
    /// too long for the model is cut.
    fn score(&self, question: &str, passages: &[&str]) -> Result<Vec<f32>, RerankError>;
}

/// A reranker that could not run.
#[derive(Debug)]
pub struct RerankError(pub Box<dyn std::error::Error + Send + Sync>);

impl fmt::Display for RerankError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the reranker failed: {}", self.0)
    }
}

impl std::error::Error for RerankError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}
