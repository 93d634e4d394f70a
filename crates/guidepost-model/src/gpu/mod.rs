//! The forward pass on a GPU, through candle's tensors: `cuda` opens the device, `buckets` cuts batches by length, `tensor_bert`
//! is the model, `tensor_embedder` pools and brings the vectors back.

mod buckets;
#[cfg(feature = "cuda")]
pub(crate) mod cuda;
mod tensor_bert;
mod tensor_embedder;

#[cfg(test)]
mod tiny_bert;

pub use buckets::Budget;
pub(crate) use tensor_bert::TokenRow;
pub(crate) use tensor_embedder::{Phases, TensorEmbedder};
