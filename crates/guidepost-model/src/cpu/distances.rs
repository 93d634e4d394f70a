//! What MPNet adds to the scores of attention, by the distance between two tokens.

use candle_transformers::models::bert::Config;

use super::weights::Weights;
use crate::ModelError;
use crate::architecture::{MPNET_BUCKETS, mpnet_bucket};

/// For every head a number for each distance, the same in all layers.
pub(crate) struct DistanceBias {
    /// Shape `[heads, 2 * positions - 1]`; the distance 0 in the middle.
    numbers: Vec<f32>,
    positions: usize,
}

impl DistanceBias {
    /// # Errors
    /// A table that is missing or misshapen.
    pub(crate) fn load(weights: &Weights, sizes: &Config) -> Result<Self, ModelError> {
        let (heads, positions) = (sizes.num_attention_heads, sizes.max_position_embeddings);
        let table = weights.tensor("encoder.relative_attention_bias.weight", &[MPNET_BUCKETS, heads])?;
        let farthest = positions as isize - 1;
        let of_head = |head: usize| {
            let table = &table;
            (-farthest..=farthest).map(move |after| table[mpnet_bucket(after) * heads + head])
        };
        Ok(DistanceBias { numbers: (0..heads).flat_map(of_head).collect(), positions })
    }

    /// A head's numbers for a text of so many tokens, from the last query to the first key on.
    pub(crate) fn of(&self, head: usize, tokens: usize) -> &[f32] {
        let all = 2 * self.positions - 1;
        &self.numbers[head * all..][..all][self.positions - tokens..self.positions + tokens - 1]
    }
}
