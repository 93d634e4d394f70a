//! The forward pass: from tokens to how likely each token is next.
//!
//! Of our own, on candle's tensors, since the ones that candle-transformers has cannot cut back what they remember,
//! see at most 4,096 tokens (Llama), leave out Llama 3's own angles, or round angles to 16 bits (Qwen3).

use std::sync::Arc;

use candle_core::quantized::QTensor;
use candle_core::{Device, Tensor};
use candle_nn::ops::{rms_norm, silu};

use crate::ModelError;

use super::attention::{Attention, causal_mask, vector};
use super::gguf::GgufFile;
use super::matrix::{Matrix, Task, read_codes};
use super::rotary::Rotary;
use super::sizes::Sizes;

/// Weights, with what they remember of the tokens before.
pub(crate) struct Transformer {
    /// A row per token, on the processor, in whatever precision the file has: only few are needed at a time.
    embeddings: Arc<QTensor>,
    layers: Vec<Layer>,
    scale: Tensor,
    output: Matrix,
    rotary: Rotary,
    epsilon: f32,
    device: Device,
}

struct Layer {
    attention_scale: Tensor,
    attention: Attention,
    inner_scale: Tensor,
    gate: Matrix,
    up: Matrix,
    down: Matrix,
}

impl Transformer {
    /// Reads the weights onto a device. `tokens` is how many the vocabulary has.
    ///
    /// # Errors
    /// Tensors that are missing, too few, or have another shape.
    pub(crate) fn read(
        file: &mut GgufFile,
        sizes: &Sizes,
        tokens: usize,
        device: &Device,
    ) -> Result<Self, ModelError> {
        let name = "token_embd.weight";
        let rows = file.shape(name).and_then(|shape| shape.first().copied()).unwrap_or(tokens);
        if rows < tokens {
            return Err(file.broken(format!("its vocabulary has {tokens} tokens and `{name}` only {rows}")));
        }
        let shape = [rows, sizes.width];
        let embeddings = Arc::new(read_codes(file, name, shape, &Device::Cpu)?);
        let output = match file.shape("output.weight") {
            Some(_) => Arc::new(read_codes(file, "output.weight", shape, device)?),
            None if device.is_cpu() => Arc::clone(&embeddings),
            None => Arc::new(read_codes(file, name, shape, device)?),
        };
        let layers = (0..sizes.layers).map(|layer| Layer::read(file, sizes, layer, device));
        Ok(Transformer {
            embeddings,
            layers: layers.collect::<Result<_, _>>()?,
            scale: vector(file, "output_norm.weight", sizes.width, device)?,
            output: Matrix::new(output)?,
            rotary: Rotary::read(file, sizes, device)?,
            epsilon: sizes.epsilon,
            device: device.clone(),
        })
    }

    /// Reads tokens, at least one, that stand at position `start` and after; gives what the layers make of the last of them:
    /// [1, width]. All before `start` must have been read; what was read from there on is forgotten. The scores of attention
    /// take heads * tokens * positions numbers, so that a long text is read in pieces.
    ///
    /// # Errors
    /// candle's, such as a lack of memory on the device.
    pub(crate) fn read_tokens(
        &mut self,
        tokens: &[u32],
        start: usize,
        task: Task,
    ) -> Result<Tensor, ModelError> {
        let count = tokens.len();
        let numbers = Tensor::new(tokens, &Device::Cpu)?;
        let mut rows = self.embeddings.embedding(&numbers)?.to_device(&self.device)?;
        let angles = self.rotary.angles(start, count)?;
        let mask = (count > 1).then(|| causal_mask(start, count, &self.device)).transpose()?;
        for layer in &mut self.layers {
            let normed = rms_norm(&rows, &layer.attention_scale, self.epsilon)?;
            rows = (rows + layer.attention.forward(&normed, &angles, mask.as_ref(), start, task)?)?;
            let normed = rms_norm(&rows, &layer.inner_scale, self.epsilon)?;
            rows = (rows + layer.feed_forward(&normed, task)?)?;
        }
        Ok(rows.narrow(0, count - 1, 1)?.contiguous()?)
    }

    /// A number per token of the vocabulary, the higher the likelier that it comes next, after the token of which this is what
    /// the layers make.
    ///
    /// # Errors
    /// candle's.
    pub(crate) fn scores(&self, last: &Tensor) -> Result<Tensor, ModelError> {
        let last = rms_norm(last, &self.scale, self.epsilon)?;
        Ok(self.output.forward(&last, Task::Write)?.squeeze(0)?)
    }
}

impl Layer {
    fn read(file: &mut GgufFile, sizes: &Sizes, layer: usize, device: &Device) -> Result<Self, ModelError> {
        let name = |part: &str| format!("blk.{layer}.{part}.weight");
        let (width, inner) = (sizes.width, sizes.inner);
        let mut matrix = |part: &str, shape: [usize; 2]| Matrix::read(file, &name(part), shape, device);
        let (gate, up) = (matrix("ffn_gate", [inner, width])?, matrix("ffn_up", [inner, width])?);
        let down = matrix("ffn_down", [width, inner])?;
        Ok(Layer {
            attention_scale: vector(file, &name("attn_norm"), width, device)?,
            attention: Attention::read(file, sizes, layer, device)?,
            inner_scale: vector(file, &name("ffn_norm"), width, device)?,
            gate,
            up,
            down,
        })
    }

    /// From [count, width] to [count, width], token by token.
    fn feed_forward(&self, tokens: &Tensor, task: Task) -> candle_core::Result<Tensor> {
        let gated = (silu(&self.gate.forward(tokens, task)?)? * self.up.forward(tokens, task)?)?;
        self.down.forward(&gated, task)
    }
}
