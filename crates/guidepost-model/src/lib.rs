//! Sentence transformers on candle: finding them, fetching and verifying them, and running them.
//!
//! ```text
//! name --registry--> ModelSpec --locate--> folder (fetched if need be, verified) --folder--> ModelFolder
//!                                                                                     |
//!                                                    device --> SentenceTransformer (implements Embed)
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

#[cfg(feature = "cuda")]
mod cuda;
mod device;
mod folder;

mod buckets;
mod sentence_transformer;
mod tensor_bert;
mod tensor_embedder;

#[cfg(test)]
mod random;
#[cfg(test)]
mod tiny_bert;

pub use buckets::Budget;
pub use device::{DeviceChoice, OpenDevice};
pub use error::ModelError;
pub use locate::{LocatedModel, ModelChoice, Places, Source, fetch, locate};
pub use progress::{FetchEvent, FetchProgress};
pub use registry::{ModelSpec, PackageSpec, PinnedFile, registry};
pub use sentence_transformer::SentenceTransformer;
pub use tensor_embedder::Phases;
