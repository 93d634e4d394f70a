//! Everything that can go wrong with a model, each with what to do next.

use std::path::{Path, PathBuf};

use crate::ModelKind;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The registry has no such model.
    #[error(
        "no model is called `{name}`; known models: {known}. A folder is given by its path, such as `./{name}`"
    )]
    Unknown {
        /// What was asked for.
        name: String,
        /// Names in the registry.
        known: String,
    },
    /// A model folder lacks a file, or the folder itself is missing.
    #[error(
        "`{path}` cannot be read: {error}; a model folder has sentence-transformers' layout (modules.json, tokenizer.json, model.safetensors, ...), that of a language model one GGUF file"
    )]
    Missing {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A file that was read and not understood.
    #[error(
        "`{path}` is damaged or not what it should be: {reason}; replace it, or fetch the model again with `guidepost models pull`"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file whose digest differs from the pinned one.
    #[error(
        "`{path}` is damaged: its SHA-256 is {got}, expected {expected}; fetch the model again with `guidepost models pull`, or remove the file"
    )]
    Digest {
        /// The file.
        path: PathBuf,
        /// Digest of the file, hexadecimal.
        got: String,
        /// Pinned digest, hexadecimal.
        expected: String,
    },
    /// A file that differs from what was recorded when the model was first found.
    #[error(
        "`{path}` has changed: its SHA-256 is {got}, and was {expected} when the model was first found; fetch the model again with `guidepost models pull`, or, if the new file is to be trusted, remove `{record}`"
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// Digest of the file, hexadecimal.
        got: String,
        /// Recorded digest, hexadecimal.
        expected: String,
        /// Where it was recorded.
        record: PathBuf,
    },
    /// A model for something else.
    #[error("`{name}` is a {kind}; {wanted}s known by name: {known}")]
    Kind {
        /// Name in the registry.
        name: String,
        /// What it is.
        kind: ModelKind,
        /// What was needed.
        wanted: ModelKind,
        /// Names of those.
        known: String,
    },
    /// A kind of model that is not implemented.
    #[error("the model in `{path}` cannot be run: {reason}")]
    Unsupported {
        /// The model folder.
        path: PathBuf,
        /// What it has that we do not.
        reason: String,
    },
    /// No source had the model.
    #[error("the model `{name}` could not be fetched: {reasons}")]
    Unreachable {
        /// Name in the registry.
        name: String,
        /// One reason per source that was tried.
        reasons: String,
    },
    /// Fetching was not allowed and nothing was on disk.
    #[error(
        "the model `{name}` is not on this machine and fetching is switched off (--offline or HF_HUB_OFFLINE)"
    )]
    Offline {
        /// Name in the registry.
        name: String,
    },
    /// The disk.
    #[error("`{path}` cannot be written: {error}")]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// Why it was not.
        error: std::io::Error,
    },
    /// A device that was asked for by name.
    #[error("device `{device}` cannot be used: {reason}")]
    Device {
        /// As it was asked for.
        device: String,
        /// Why not.
        reason: String,
    },
    /// Texts that the model has no numbers for; its tokenizer is another model's.
    #[error("tokenizer and weights do not belong together: {0}")]
    Tokens(String),
    /// The system refused memory.
    #[error("no memory for the model's weights: {0}")]
    Memory(std::io::Error),
    /// The system refused threads.
    #[error("no threads to run the model: {0}")]
    Threads(rayon::ThreadPoolBuildError),
    /// Instructions that this processor does not have.
    #[error("this processor cannot run `{name}`; it can run {known}")]
    Instructions {
        /// As they were asked for.
        name: String,
        /// Families that can be had.
        known: String,
    },
    /// A precision that the device does not offer.
    #[error("precision `{precision}` cannot be had on {device}: {reason}")]
    Precision {
        /// As it was asked for.
        precision: String,
        /// The device.
        device: String,
        /// What can.
        reason: &'static str,
    },
    /// A file that is no language model that can be run.
    #[error("`{path}` cannot be used as a language model: {reason}")]
    LanguageModel {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A conversation that the language model's template does not take.
    #[error("the language model's chat template does not take these messages: {0}")]
    ChatTemplate(String),
    /// A conversation that leaves no room for an answer.
    #[error(
        "the prompt has {tokens} tokens, and the language model takes {context}, prompt and answer together"
    )]
    PromptTooLong {
        /// Tokens of the conversation.
        tokens: usize,
        /// Tokens that the model takes.
        context: usize,
    },
    /// candle or the tokenizer failed while running.
    #[error("{0}")]
    Run(String),
}

impl ModelError {
    /// A weights file that candle does not understand.
    pub(crate) fn damaged(path: &Path, error: &candle_core::Error) -> Self {
        let reason = error.to_string().lines().next().unwrap_or_default().to_owned();
        ModelError::Damaged { path: path.to_owned(), reason }
    }
}

impl From<tokenizers::Error> for ModelError {
    fn from(error: tokenizers::Error) -> Self {
        ModelError::Run(error.to_string())
    }
}

impl From<candle_core::Error> for ModelError {
    fn from(error: candle_core::Error) -> Self {
        ModelError::Run(error.to_string())
    }
}
