//! Sentence transformers on candle: finding them, fetching and verifying them, and running them.
//!
//! ```text
//! name --registry--> ModelSpec --locate--> folder (fetched if need be, verified) --folder--> ModelFolder
//!                                                                                     |
//!                                       device, precision --> SentenceTransformer (implements Embed)
//!                                                                  |                  |
//!                                                                 cpu                gpu
//! ```
//!
//! Knows weights, tokenizers and devices. Does not know the index, nor where its caller prints.

mod error;
mod registry;

mod digest;
mod fetch_hub;
mod fetch_package;
mod locate;
mod progress;

mod device;
mod folder;
mod precision;
mod tokenizer;

mod cpu;
mod gpu;
mod sentence_transformer;

#[cfg(test)]
mod random;

pub use cpu::measured_peak;
pub use device::{DeviceChoice, OpenDevice};
pub use error::ModelError;
pub use gpu::Budget;
pub use locate::{LocatedModel, ModelChoice, Places, Source, fetch, locate};
pub use precision::Precision;
pub use progress::{FetchEvent, FetchProgress};
pub use registry::{ModelSpec, PackageSpec, PinnedFile, registry};
pub use sentence_transformer::{Execution, Measured, SentenceTransformer, instruction_families};
