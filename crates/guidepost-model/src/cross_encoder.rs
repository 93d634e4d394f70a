//! A cross-encoder: question and passage go through a BERT together, and a head makes one number of what it says.

use std::collections::BTreeMap;
use std::path::Path;

use guidepost_text::{Rerank, RerankError};
use rayon::prelude::*;
use serde::Deserialize;
use tokenizers::{Encoding, Tokenizer};

use crate::architecture::{Architecture, BertConfig, Family};
use crate::cpu::Weights;
use crate::dense::{Dense, DenseActivation, DenseShape};
use crate::folder::{Pooling, read_json, tokenizer_limit};
use crate::registry::WEIGHTS;
use crate::runner::Runner;
use crate::token_row::TokenRow;
use crate::tokenizer::read_tokenizer;
use crate::{Execution, LocatedModel, ModelError};

/// A loaded reranker. Implements [`Rerank`].
pub struct CrossEncoder {
    runner: Runner,
    /// Cuts pairs at the model's limit, the longer of the two first.
    tokenizer: Tokenizer,
    pooler: Dense,
    classifier: Dense,
    max_tokens: usize,
    fingerprint: String,
    description: String,
}

/// What `config.json` says about the head.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    architectures: Vec<String>,
    #[serde(default)]
    id2label: BTreeMap<String, serde_json::Value>,
}

impl CrossEncoder {
    /// Makes a reranker ready to run.
    ///
    /// # Errors
    /// Missing or damaged files, each named; an architecture or a head that is not supported; a precision that the device
    /// does not offer.
    pub fn load(model: &LocatedModel, execution: &Execution) -> Result<Self, ModelError> {
        let folder = &model.folder;
        let config = read_config(folder)?;
        let width = config.sizes.hidden_size;
        let architecture = Architecture::Bert(config);
        let positions = architecture.positions();
        let max_tokens = tokenizer_limit(folder)?.unwrap_or(positions).min(positions);
        let weights = folder.join(WEIGHTS);
        let head = Weights::open(&weights, Family::Bert)?;
        let layer = |outputs, activation| DenseShape { inputs: width, outputs, bias: true, activation };
        let runner = Runner::load(&weights, &architecture, Pooling::Cls, execution)?;
        let mut fingerprint = format!(
            "{}: weights {}, cross-encoder, {max_tokens} tokens, {}",
            model.name,
            &model.weights_sha256[..12],
            execution.precision
        );
        if let Some(settings) = &model.settings_sha256 {
            fingerprint.push_str(&format!(", settings {}", &settings[..12]));
        }
        Ok(CrossEncoder {
            tokenizer: read_tokenizer(&folder.join("tokenizer.json"), max_tokens, false)?,
            pooler: Dense::load(&head, "bert.pooler.dense", layer(width, DenseActivation::Tanh))?,
            classifier: Dense::load(&head, "classifier", layer(1, DenseActivation::Identity))?,
            max_tokens,
            fingerprint,
            description: format!("{}, {}", runner.describe(&execution.device), execution.precision),
            runner,
        })
    }

    /// What really runs the model, for people.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Longest pair in tokens, special tokens included. What is longer is cut.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    fn scores(&self, question: &str, passages: &[&str]) -> Result<Vec<f32>, ModelError> {
        let encode = |passage: &&str| self.tokenizer.encode_fast((question, *passage), true);
        let pairs: tokenizers::Result<Vec<Encoding>> = passages.par_iter().map(encode).collect();
        let pairs = pairs?;
        let rows: Vec<TokenRow<'_>> = pairs.iter().map(TokenRow::from).collect();
        let vectors = self.runner.vectors(&rows, self.runner.budget(), None, None)?;
        let score = |vector: Vec<f32>| self.classifier.apply(&self.pooler.apply(&vector))[0];
        Ok(vectors.into_par_iter().map(score).collect())
    }
}

impl Rerank for CrossEncoder {
    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn score(&self, question: &str, passages: &[&str]) -> Result<Vec<f32>, RerankError> {
        let failed = |error: ModelError| RerankError(Box::new(error));
        let mut scores = Vec::with_capacity(passages.len());
        for window in passages.chunks(self.runner.window()) {
            scores.extend(self.scores(question, window).map_err(failed)?);
        }
        Ok(scores)
    }
}

/// The BERT below a head that makes one number.
fn read_config(folder: &Path) -> Result<BertConfig, ModelError> {
    let unsupported = |reason: String| ModelError::Unsupported { path: folder.to_owned(), reason };
    let head: Head = read_json(&folder.join("config.json"))?;
    let kind = head.architectures.first().map_or("none", String::as_str);
    if kind != "BertForSequenceClassification" {
        return Err(unsupported(format!(
            "as a reranker: its head is `{kind}`; supported is BertForSequenceClassification"
        )));
    }
    let labels = head.id2label.len();
    if labels != 1 {
        return Err(unsupported(format!("as a reranker: it gives {labels} numbers for a pair, not one")));
    }
    match Architecture::read(folder)? {
        Architecture::Bert(config) if config.family == Family::Bert => Ok(config),
        _ => Err(unsupported("as a reranker: its architecture is not `bert`".into())),
    }
}
