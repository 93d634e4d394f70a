//! ModernBERT over candle tensors (Warner et al. 2024, arXiv:2412.13663): normalized before each step, positions as rotations
//! of queries and keys, gated feed-forward layers, and in two of three layers a view of the nearest tokens alone.
//!
//! Not candle-transformers' own: that one adds masks of −∞, which leave no number where a token of padding sees nothing
//! but padding.

use candle_core::{DType, Device, IndexOp, Result, Tensor};
use candle_nn::rotary_emb::rope;
use candle_nn::{LayerNorm, Linear, Module, VarBuilder};
use candle_transformers::models::bert::HiddenAct;

use super::tensor_bert::activate;
use super::token_batch::TokenBatch;
use crate::architecture::ModernBertConfig;

/// ModernBERT without a head.
pub(crate) struct ModernBert {
    /// `[vocabulary, width]`.
    words: Tensor,
    norm: LayerNorm,
    layers: Vec<Layer>,
    final_norm: LayerNorm,
    global: Rotations,
    local: Rotations,
    reach: usize,
}

impl ModernBert {
    /// Reads the weights, whose best place is f32 on the processor.
    ///
    /// # Errors
    /// Missing or misshapen weights; a device without memory.
    pub(crate) fn load(
        variables: &VarBuilder,
        config: &ModernBertConfig,
        device: &Device,
        dtype: DType,
    ) -> Result<Self> {
        let bare = variables.contains_tensor("embeddings.tok_embeddings.weight");
        let root = if bare { variables.clone() } else { variables.pp("model") };
        let target = Target { config, device, dtype };
        let layer = |number| Layer::load(&root.pp(format!("layers.{number}")), number, &target);
        let words = root.get((config.vocabulary, config.width), "embeddings.tok_embeddings.weight")?;
        Ok(ModernBert {
            words: target.put(&words)?,
            norm: target.norm(&root.pp("embeddings.norm"))?,
            layers: (0..config.global.len()).map(layer).collect::<Result<_>>()?,
            final_norm: target.norm(&root.pp("final_norm"))?,
            global: Rotations::new(config.bases[0], &target)?,
            local: Rotations::new(config.bases[1], &target)?,
            reach: config.reach,
        })
    }

    /// Token vectors, `[batch, length, width]` in the type of the weights. Those of padding mean nothing.
    ///
    /// # Errors
    /// A text longer than the model's positions; what the device refuses.
    pub(crate) fn forward(&self, batch: &TokenBatch) -> Result<Tensor> {
        let shape = batch.ids.dims2()?;
        let mut hidden = self.norm.forward(&self.words.embedding(&batch.ids.flatten_all()?)?)?;
        let global = View { rotations: &self.global, mask: batch.score_mask(hidden.dtype())? };
        let local = View { rotations: &self.local, mask: batch.near_mask(self.reach, hidden.dtype())? };
        for layer in &self.layers {
            let view = if layer.global { &global } else { &local };
            hidden = layer.forward(&hidden, shape, view)?;
        }
        self.final_norm.forward(&hidden)?.reshape((shape.0, shape.1, ()))
    }
}

/// What the layers of a kind share.
struct View<'a> {
    rotations: &'a Rotations,
    /// Added to the scores: `[1 or batch, 1 or length, length]`.
    mask: Option<Tensor>,
}

/// Cosines and sines of every position: `[positions, head / 2]`.
struct Rotations {
    cosines: Tensor,
    sines: Tensor,
}

impl Rotations {
    fn new(base: f64, target: &Target) -> Result<Self> {
        let ModernBertConfig { width, heads, positions, .. } = *target.config;
        let head = width / heads;
        let speeds = (0..head / 2).map(|at| base.powf(-((2 * at) as f64) / head as f64));
        let speeds: Vec<f64> = speeds.collect();
        let table = |wave: fn(f64) -> f64| {
            let of_position =
                |position: usize| speeds.iter().map(move |speed| wave(position as f64 * speed) as f32);
            let numbers: Vec<f32> = (0..positions).flat_map(of_position).collect();
            target.put(&Tensor::from_vec(numbers, (positions, head / 2), &Device::Cpu)?)
        };
        Ok(Rotations { cosines: table(f64::cos)?, sines: table(f64::sin)? })
    }

    /// Turns queries or keys, `[batch, heads, length, head]`.
    fn apply(&self, heads: &Tensor) -> Result<Tensor> {
        let length = heads.dim(2)?;
        rope(heads, &self.cosines.narrow(0, 0, length)?, &self.sines.narrow(0, 0, length)?)
    }
}

/// Where the weights go, and as what.
struct Target<'a> {
    config: &'a ModernBertConfig,
    device: &'a Device,
    dtype: DType,
}

impl Target<'_> {
    fn put(&self, tensor: &Tensor) -> Result<Tensor> {
        tensor.to_dtype(self.dtype)?.to_device(self.device)
    }

    fn linear(&self, variables: &VarBuilder, input: usize, output: usize) -> Result<Linear> {
        Ok(Linear::new(self.put(&variables.get((output, input), "weight")?)?, None))
    }

    fn norm(&self, variables: &VarBuilder) -> Result<LayerNorm> {
        let scale = self.put(&variables.get(self.config.width, "weight")?)?;
        // candle's kernel is for a shift as well, and slower without.
        let shift = scale.zeros_like()?;
        Ok(LayerNorm::new(scale, shift, self.config.epsilon))
    }
}

struct Layer {
    global: bool,
    /// Nothing in the first layer, whose input is normalized.
    attention_norm: Option<LayerNorm>,
    attention: Attention,
    norm: LayerNorm,
    /// `[2 * inner, width]`: what is activated, then the gates.
    inner: Linear,
    activation: HiddenAct,
    outer: Linear,
}

impl Layer {
    fn load(variables: &VarBuilder, number: usize, target: &Target) -> Result<Self> {
        let ModernBertConfig { width, inner, activation, .. } = *target.config;
        let attention_norm = || target.norm(&variables.pp("attn_norm"));
        Ok(Layer {
            global: target.config.global[number],
            attention_norm: (number > 0).then(attention_norm).transpose()?,
            attention: Attention::load(&variables.pp("attn"), target)?,
            norm: target.norm(&variables.pp("mlp_norm"))?,
            inner: target.linear(&variables.pp("mlp.Wi"), width, 2 * inner)?,
            activation,
            outer: target.linear(&variables.pp("mlp.Wo"), inner, width)?,
        })
    }

    /// `[batch * length, width]` to the same; `shape` is (batch, length).
    fn forward(&self, hidden: &Tensor, shape: (usize, usize), view: &View) -> Result<Tensor> {
        let normed = match &self.attention_norm {
            Some(norm) => norm.forward(hidden)?,
            None => hidden.clone(),
        };
        let hidden = (hidden + self.attention.forward(&normed, shape, view)?)?;
        let halves = self.inner.forward(&self.norm.forward(&hidden)?)?.chunk(2, 1)?;
        let gated = (activate(self.activation, &halves[0].contiguous()?)? * halves[1].contiguous()?)?;
        hidden + self.outer.forward(&gated)?
    }
}

struct Attention {
    heads: usize,
    /// `[3 * width, width]`. The query's part is already divided by the root of a head's width.
    query_key_value: Linear,
    output: Linear,
}

impl Attention {
    fn load(variables: &VarBuilder, target: &Target) -> Result<Self> {
        let ModernBertConfig { width, heads, .. } = *target.config;
        let all = variables.get((3 * width, width), "Wqkv.weight")?;
        let query = (all.narrow(0, 0, width)? * ((width / heads) as f64).sqrt().recip())?;
        let weight = Tensor::cat(&[&query, &all.narrow(0, width, 2 * width)?], 0)?;
        Ok(Attention {
            heads,
            query_key_value: Linear::new(target.put(&weight)?, None),
            output: target.linear(&variables.pp("Wo"), width, width)?,
        })
    }

    /// `[batch * length, width]` to the same.
    fn forward(&self, hidden: &Tensor, shape: (usize, usize), view: &View) -> Result<Tensor> {
        let (batch, length) = shape;
        let projected = self.query_key_value.forward(hidden)?;
        let heads = projected.reshape((batch, length, 3, self.heads, ()))?.permute((2, 0, 3, 1, 4))?;
        let heads = heads.contiguous()?;
        let [query, key] = [view.rotations.apply(&heads.i(0)?)?, view.rotations.apply(&heads.i(1)?)?];
        let mut scores = query.matmul(&key.t()?)?;
        if let Some(mask) = &view.mask {
            scores = scores.broadcast_add(&mask.unsqueeze(1)?)?;
        }
        let context = candle_nn::ops::softmax_last_dim(&scores)?.matmul(&heads.i(2)?)?;
        self.output.forward(&context.transpose(1, 2)?.contiguous()?.reshape(hidden.shape())?)
    }
}
