//! The forward pass through candle's tensors: on a GPU for every model, on the processor for ModernBERT, which `cpu` does not
//! know. `cuda` opens the device, `buckets` cuts batches by length, `token_batch` copies one, `tensor_bert` and
//! `modern_bert` are the models, `tensor_embedder` pools and brings the vectors back.

mod buckets;
#[cfg(feature = "cuda")]
pub(crate) mod cuda;
mod modern_bert;
mod tensor_bert;
mod tensor_embedder;
mod token_batch;

#[cfg(test)]
mod tiny_bert;

pub use buckets::Budget;
pub(crate) use tensor_embedder::{Phases, TensorEmbedder};
