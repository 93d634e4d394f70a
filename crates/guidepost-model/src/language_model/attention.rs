//! Attention of one layer, and what it remembers of the tokens before.

use candle_core::{DType, Device, Tensor};
use candle_nn::ops::{rms_norm, softmax_last_dim};

use crate::ModelError;

use super::gguf::GgufFile;
use super::matrix::{Matrix, Task};
use super::rotary::Angles;
use super::sizes::{Family, Sizes};

/// Weights of the attention of a layer, with its memory.
pub(crate) struct Attention {
    queries: Projection,
    keys: Projection,
    values: Projection,
    output: Matrix,
    /// Each head of queries is divided by its norm, then multiplied by these.
    query_scale: Option<Tensor>,
    key_scale: Option<Tensor>,
    memory: Option<Memory>,
    heads: usize,
    key_heads: usize,
    head: usize,
    epsilon: f32,
}

/// A matrix, and what is added to its product.
struct Projection {
    weight: Matrix,
    bias: Option<Tensor>,
}

/// Keys and values of tokens that were read: [key heads, room, head] each. How many are filled in is the caller's to know.
struct Memory {
    keys: Tensor,
    values: Tensor,
    /// Tokens that fit.
    room: usize,
}

impl Attention {
    /// Reads the weights of a layer.
    ///
    /// # Errors
    /// Tensors that are missing or have another shape.
    pub(crate) fn read(
        file: &mut GgufFile,
        sizes: &Sizes,
        layer: usize,
        device: &Device,
    ) -> Result<Self, ModelError> {
        let name = |part: &str| format!("blk.{layer}.attn_{part}");
        let (width, wide, narrow) = (sizes.width, sizes.heads * sizes.head, sizes.key_heads * sizes.head);
        let mut project = |part: &str, outputs| Projection::read(file, &name(part), outputs, sizes, device);
        let (queries, keys, values) = (project("q", wide)?, project("k", narrow)?, project("v", narrow)?);
        let output = Matrix::read(file, &name("output.weight"), [width, wide], device)?;
        let mut scale = |part: &str| match sizes.family {
            Family::Qwen3 => vector(file, &name(part), sizes.head, device).map(Some),
            Family::Llama | Family::Qwen2 => Ok(None),
        };
        let (query_scale, key_scale) = (scale("q_norm.weight")?, scale("k_norm.weight")?);
        let Sizes { heads, key_heads, head, epsilon, .. } = *sizes;
        let memory = None;
        Ok(Attention {
            queries,
            keys,
            values,
            output,
            query_scale,
            key_scale,
            memory,
            heads,
            key_heads,
            head,
            epsilon,
        })
    }

    /// What the tokens from position `start` on take from those before and from each other.
    ///
    /// `tokens` is [count, width], and so is what comes back. `mask` is [count, start + count], added to the scores; one
    /// token alone needs none. What was remembered from `start` on is overwritten.
    pub(crate) fn forward(
        &mut self,
        tokens: &Tensor,
        angles: &Angles,
        mask: Option<&Tensor>,
        start: usize,
        task: Task,
    ) -> candle_core::Result<Tensor> {
        let count = tokens.dim(0)?;
        let queries =
            self.split(&self.queries.forward(tokens, task)?, self.heads, self.query_scale.as_ref())?;
        let keys = self.split(&self.keys.forward(tokens, task)?, self.key_heads, self.key_scale.as_ref())?;
        let values = self.split(&self.values.forward(tokens, task)?, self.key_heads, None)?;
        let queries = (angles.rotate(&queries)? / (self.head as f64).sqrt())?;
        let (keys, values) = self.remember(&angles.rotate(&keys)?, &values, start)?;

        // Heads that share keys stand together, so that one product serves them all and no key is copied.
        let shared = (self.key_heads, self.heads / self.key_heads * count, self.head);
        let scores = queries.reshape(shared)?.matmul(&keys.transpose(1, 2)?)?;
        let scores = match mask {
            Some(mask) => scores
                .reshape((self.heads, count, start + count))?
                .broadcast_add(mask)?
                .reshape(scores.shape())?,
            None => scores,
        };
        let mixed = softmax_last_dim(&scores)?.matmul(&values)?;
        let mixed = mixed.reshape((self.heads, count, self.head))?.transpose(0, 1)?;
        self.output.forward(&mixed.reshape((count, self.heads * self.head))?, task)
    }

    /// From [count, heads * head] to [heads, count, head], each head normalized where it has a scale.
    fn split(&self, projected: &Tensor, heads: usize, scale: Option<&Tensor>) -> candle_core::Result<Tensor> {
        let split = projected.reshape((projected.dim(0)?, heads, self.head))?;
        let split = match scale {
            Some(scale) => rms_norm(&split, scale, self.epsilon)?,
            None => split,
        };
        split.transpose(0, 1)?.contiguous()
    }

    /// Writes down keys and values from position `start` on; gives all up to the last of them.
    fn remember(
        &mut self,
        keys: &Tensor,
        values: &Tensor,
        start: usize,
    ) -> candle_core::Result<(Tensor, Tensor)> {
        let end = start + keys.dim(1)?;
        let memory = match self.memory.take() {
            Some(memory) if memory.room >= end => memory,
            old => Memory::grown(old, keys, start, end)?,
        };
        memory.keys.slice_set(keys, 1, start)?;
        memory.values.slice_set(values, 1, start)?;
        let seen = (memory.keys.narrow(1, 0, end)?, memory.values.narrow(1, 0, end)?);
        self.memory = Some(memory);
        Ok(seen)
    }
}

impl Projection {
    fn read(
        file: &mut GgufFile,
        name: &str,
        outputs: usize,
        sizes: &Sizes,
        device: &Device,
    ) -> Result<Self, ModelError> {
        let weight = Matrix::read(file, &format!("{name}.weight"), [outputs, sizes.width], device)?;
        let bias = format!("{name}.bias");
        let has_bias = sizes.family == Family::Qwen2 || file.shape(&bias).is_some();
        let bias = has_bias.then(|| vector(file, &bias, outputs, device)).transpose()?;
        Ok(Projection { weight, bias })
    }

    /// From [count, inputs] to [count, outputs].
    fn forward(&self, tokens: &Tensor, task: Task) -> candle_core::Result<Tensor> {
        let product = self.weight.forward(tokens, task)?;
        self.bias.as_ref().map_or(Ok(product.clone()), |bias| product.broadcast_add(bias))
    }
}

impl Memory {
    /// Tokens that fit at first.
    const ROOM: usize = 256;

    /// Room for `end` tokens, with the first `start` from before.
    fn grown(old: Option<Memory>, keys: &Tensor, start: usize, end: usize) -> candle_core::Result<Self> {
        let (heads, _, head) = keys.dims3()?;
        let room = end.next_power_of_two().max(Memory::ROOM);
        let blank = || Tensor::zeros((heads, room, head), DType::F32, keys.device());
        let memory = Memory { keys: blank()?, values: blank()?, room };
        if let Some(old) = old.filter(|_| start > 0) {
            memory.keys.slice_set(&old.keys.narrow(1, 0, start)?.contiguous()?, 1, 0)?;
            memory.values.slice_set(&old.values.narrow(1, 0, start)?.contiguous()?, 1, 0)?;
        }
        Ok(memory)
    }
}

/// A tensor of one dimension as plain numbers.
///
/// # Errors
/// It is missing or has another length.
pub(crate) fn vector(
    file: &mut GgufFile,
    name: &str,
    length: usize,
    device: &Device,
) -> Result<Tensor, ModelError> {
    Ok(file.tensor(name, &[length], device)?.dequantize(device)?)
}

/// What hides later tokens from earlier ones: [count, start + count], 0 where a token may look, minus infinity where not.
pub(crate) fn causal_mask(start: usize, count: usize, device: &Device) -> candle_core::Result<Tensor> {
    let columns = start + count;
    let hide = |at: usize| if at % columns > start + at / columns { f32::NEG_INFINITY } else { 0.0 };
    let mask: Vec<f32> = (0..count * columns).map(hide).collect();
    Tensor::from_vec(mask, (count, columns), device)
}
