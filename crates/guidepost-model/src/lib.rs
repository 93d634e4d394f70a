//! Sentence transformers, cross-encoders and language models: finding them, fetching and verifying them, and running them.
//!
//! ```text
//! name --registry--> ModelSpec --locate--> folder (fetched if need be, verified) --folder, architecture--> ModelFolder
//!                                                                                          |
//!                        device, precision --> SentenceTransformer (implements Embed), CrossEncoder (implements Rerank)
//!                                                                       |
//!                                                                    runner
//!                                                                   |      |
//!                                                                  cpu  tensors
//!
//! name --the same way--> GGUF file --language_model--> LanguageModel (implements Generate)
//! ```
//!
//! Knows weights, tokenizers and devices. Does not know the index, nor where its caller prints.

mod error;
mod registry;

mod digest;
mod digest_record;
mod fetch_hub;
mod fetch_package;
mod locate;
mod progress;

mod architecture;
mod device;
mod folder;
mod precision;
mod token_counts;
mod token_row;
mod tokenizer;

mod cpu;
mod dense;
mod runner;
mod tensors;

mod cross_encoder;
mod language_model;
mod sentence_transformer;

pub use cpu::measured_peak;
pub use cross_encoder::CrossEncoder;
pub use device::{DeviceChoice, OpenDevice};
pub use error::ModelError;
pub use language_model::LanguageModel;
pub use locate::{
    LocatedModel, ModelChoice, Places, Source, Trust, any_reranker, fetch, locate, locate_language_model,
    locate_registered, locate_reranker,
};
pub use precision::Precision;
pub use progress::{FetchEvent, FetchProgress};
pub use registry::{
    ModelKind, ModelSpec, PackageSpec, PinnedFile, default_language_model, registered, registry,
};
pub use runner::{Execution, instruction_families};
pub use sentence_transformer::{Measured, SentenceTransformer};
pub use tensors::Budget;
