//! BERT and its relatives over candle tensors, for GPUs: few, large operations, and as few strided ones as possible. The
//! processor has a forward pass of its own; here it serves the tests.
//!
//! Not here: which texts make a batch (`buckets`), pooling (`tensor_embedder`).

use candle_core::{D, DType, Device, IndexOp, Result, Tensor};
use candle_nn::{LayerNorm, Linear, Module, VarBuilder};
use candle_transformers::models::bert::{Config, HiddenAct};

use super::token_batch::TokenBatch;
use crate::architecture::{BertConfig, Family, MPNET_BUCKETS, mpnet_bucket};

/// BERT without its pooler.
pub(crate) struct TensorBert {
    embeddings: Embeddings,
    layers: Vec<Layer>,
    /// MPNet's table: `[buckets, heads]`.
    distances: Option<Tensor>,
}

impl TensorBert {
    /// Reads the weights, whose best place is f32 on the processor; what is precomputed is computed there, then
    /// rounded to `dtype` and copied to `device`.
    ///
    /// # Errors
    /// Missing or misshapen weights; a device without memory.
    pub(crate) fn load(
        variables: &VarBuilder,
        config: &BertConfig,
        device: &Device,
        dtype: DType,
    ) -> Result<Self> {
        let family = config.family;
        let bare = variables.contains_tensor("embeddings.word_embeddings.weight");
        let prefix = if bare { "" } else { family.prefix() };
        let root = variables.clone().rename_f(move |name| format!("{prefix}{}", family.name(name)));
        let sizes = &config.sizes;
        let target = Target { config: sizes, device, dtype };
        let layer = |number| Layer::load(&root.pp(format!("encoder.layer.{number}")), &target);
        let table = [MPNET_BUCKETS, sizes.num_attention_heads];
        let distances = || target.put(&root.get(&table, "encoder.relative_attention_bias.weight")?);
        Ok(TensorBert {
            embeddings: Embeddings::load(&root.pp("embeddings"), &target)?,
            layers: (0..sizes.num_hidden_layers).map(layer).collect::<Result<_>>()?,
            distances: (family == Family::Mpnet).then(distances).transpose()?,
        })
    }

    /// Token vectors, `[batch, length, hidden]` in the type of the weights. Those of padding mean nothing.
    ///
    /// # Errors
    /// A text longer than the model's positions; what the device refuses. An id that is no token is an error on the
    /// processor, but stops a CUDA device for good.
    pub(crate) fn forward(&self, batch: &TokenBatch) -> Result<Tensor> {
        let shape = batch.ids.dims2()?;
        let mut hidden = self.embeddings.forward(batch)?;
        let added = Added { padding: batch.score_mask(hidden.dtype())?, distances: self.distances(shape.1)? };
        for layer in &self.layers {
            hidden = layer.forward(&hidden, shape, &added)?;
        }
        hidden.reshape((shape.0, shape.1, ()))
    }

    /// What MPNet adds to the scores of a text of so many tokens: `[heads, length * length]`.
    fn distances(&self, length: usize) -> Result<Option<Tensor>> {
        let Some(table) = &self.distances else { return Ok(None) };
        let of_query = |query| (0..length as isize).map(move |key| mpnet_bucket(key - query) as u32);
        let buckets: Vec<u32> = (0..length as isize).flat_map(of_query).collect();
        let buckets = Tensor::from_vec(buckets, length * length, table.device())?;
        table.embedding(&buckets)?.t()?.contiguous().map(Some)
    }
}

/// What is added to the scores of every layer.
struct Added {
    /// `[batch, 1, length]`.
    padding: Option<Tensor>,
    /// `[heads, length * length]`.
    distances: Option<Tensor>,
}

/// Where the weights go, and as what.
struct Target<'a> {
    config: &'a Config,
    device: &'a Device,
    dtype: DType,
}

impl Target<'_> {
    /// Rounded first: half the bytes to copy.
    fn put(&self, tensor: &Tensor) -> Result<Tensor> {
        tensor.to_dtype(self.dtype)?.to_device(self.device)
    }

    /// Weight `[output, input]` as published: cuBLAS reads it transposed in place, which is the order its tensor
    /// cores like best (both operands run along the summed dimension).
    fn linear(&self, variables: &VarBuilder, input: usize, output: usize) -> Result<Linear> {
        let weight = self.put(&variables.get((output, input), "weight")?)?;
        Ok(Linear::new(weight, Some(self.put(&variables.get(output, "bias")?)?)))
    }

    /// candle's kernel sums in f32 whatever the type.
    fn norm(&self, variables: &VarBuilder) -> Result<LayerNorm> {
        let eps = self.config.layer_norm_eps;
        let norm = candle_nn::layer_norm(self.config.hidden_size, eps, variables.clone())?;
        let bias = norm.bias().map_or_else(|| norm.weight().zeros_like(), |bias| Ok(bias.clone()))?;
        Ok(LayerNorm::new(self.put(norm.weight())?, self.put(&bias)?, eps))
    }
}

struct Embeddings {
    /// `[vocabulary, hidden]`.
    words: Tensor,
    /// `[longest text, hidden]`, token type 0 added: most texts know no other.
    positions: Tensor,
    /// `[types, hidden]`, less token type 0; nothing where the model knows no types.
    types: Option<Tensor>,
    norm: LayerNorm,
}

impl Embeddings {
    fn load(variables: &VarBuilder, target: &Target) -> Result<Self> {
        let (config, hidden) = (target.config, target.config.hidden_size);
        let table = |rows, name: &str| variables.get((rows, hidden), &format!("{name}_embeddings.weight"));
        let mut positions = table(config.max_position_embeddings, "position")?;
        let mut types = None;
        if config.type_vocab_size > 0 {
            let all = table(config.type_vocab_size, "token_type")?;
            let first = all.i(0)?;
            positions = positions.broadcast_add(&first)?;
            types = Some(target.put(&all.broadcast_sub(&first)?)?);
        }
        Ok(Embeddings {
            words: target.put(&table(config.vocab_size, "word")?)?,
            positions: target.put(&positions)?,
            types,
            norm: target.norm(&variables.pp("LayerNorm"))?,
        })
    }

    /// `[batch * length, hidden]`.
    fn forward(&self, batch: &TokenBatch) -> Result<Tensor> {
        let (rows, length) = batch.ids.dims2()?;
        let words = self.words.embedding(&batch.ids.flatten_all()?)?;
        let shape = words.shape().clone();
        let mut sum = match &batch.positions {
            // A text per row and two dimensions: a broadcast divides once per dimension for every number.
            None => {
                let positions = self.positions.narrow(0, 0, length)?.flatten_all()?;
                words.reshape((rows, ()))?.broadcast_add(&positions)?.reshape(&shape)?
            }
            Some(positions) => (words + self.positions.embedding(&positions.flatten_all()?)?)?,
        };
        match (&batch.types, &self.types) {
            (Some(types), Some(table)) => sum = (sum + table.embedding(&types.flatten_all()?)?)?,
            (Some(_), None) => {
                candle_core::bail!("the tokenizer makes token types, but the model knows none")
            }
            (None, _) => {}
        }
        self.norm.forward(&sum)
    }
}

struct Layer {
    attention: Attention,
    attention_norm: LayerNorm,
    intermediate: Linear,
    activation: HiddenAct,
    output: Linear,
    output_norm: LayerNorm,
}

impl Layer {
    fn load(variables: &VarBuilder, target: &Target) -> Result<Self> {
        let Config { hidden_size: hidden, intermediate_size: wide, .. } = *target.config;
        Ok(Layer {
            attention: Attention::load(&variables.pp("attention"), target)?,
            attention_norm: target.norm(&variables.pp("attention.output.LayerNorm"))?,
            intermediate: target.linear(&variables.pp("intermediate.dense"), hidden, wide)?,
            activation: target.config.hidden_act,
            output: target.linear(&variables.pp("output.dense"), wide, hidden)?,
            output_norm: target.norm(&variables.pp("output.LayerNorm"))?,
        })
    }

    /// `[batch * length, hidden]` to the same; `shape` is (batch, length).
    fn forward(&self, hidden: &Tensor, shape: (usize, usize), added: &Added) -> Result<Tensor> {
        let attended = self.attention.forward(hidden, shape, added)?;
        let hidden = self.attention_norm.forward(&(attended + hidden)?)?;
        let wide = activate(self.activation, &self.intermediate.forward(&hidden)?)?;
        self.output_norm.forward(&(self.output.forward(&wide)? + hidden)?)
    }
}

/// The activation function, number by number.
pub(crate) fn activate(activation: HiddenAct, wide: &Tensor) -> Result<Tensor> {
    match activation {
        HiddenAct::Gelu => wide.gelu_erf(),
        HiddenAct::GeluApproximate => wide.gelu(),
        HiddenAct::Relu => wide.relu(),
    }
}

struct Attention {
    heads: usize,
    /// `[3 * hidden, hidden]`: one multiplication instead of three. The query's part is already divided by the root
    /// of a head's width.
    query_key_value: Linear,
    output: Linear,
}

impl Attention {
    fn load(variables: &VarBuilder, target: &Target) -> Result<Self> {
        let Config { hidden_size: hidden, num_attention_heads: heads, .. } = *target.config;
        let scale = ((hidden / heads) as f64).sqrt().recip();
        let stacked = |name: &str, shape: &[usize]| {
            let part = |owner: &str| variables.get(shape, &format!("self.{owner}.{name}"));
            target.put(&Tensor::cat(&[(part("query")? * scale)?, part("key")?, part("value")?], 0)?)
        };
        Ok(Attention {
            heads,
            query_key_value: Linear::new(
                stacked("weight", &[hidden, hidden])?,
                Some(stacked("bias", &[hidden])?),
            ),
            output: target.linear(&variables.pp("output.dense"), hidden, hidden)?,
        })
    }

    /// `[batch * length, hidden]` to the same.
    fn forward(&self, hidden: &Tensor, shape: (usize, usize), added: &Added) -> Result<Tensor> {
        let (batch, length) = shape;
        let projected = self.query_key_value.forward(hidden)?;
        // One copy for all three: cuBLAS wants every head's matrix in one piece.
        let heads = projected.reshape((batch, length, 3, self.heads, ()))?.permute((2, 0, 3, 1, 4))?;
        let heads = heads.contiguous()?.reshape((3, batch * self.heads, length, ()))?;
        let shares = self.shares(&heads.i(0)?, &heads.i(1)?, added)?;
        let context = shares.matmul(&heads.i(2)?)?.reshape((batch, self.heads, length, ()))?;
        self.output.forward(&context.transpose(1, 2)?.contiguous()?.reshape(hidden.shape())?)
    }

    /// How much every token takes from every other: `[batch * heads, length, length]`, rows that sum to 1. Query and
    /// key are `[batch * heads, length, head]`.
    fn shares(&self, query: &Tensor, key: &Tensor, added: &Added) -> Result<Tensor> {
        let mut scores = query.matmul(&key.t()?)?;
        if let Some(distances) = &added.distances {
            let by_head = scores.reshape(((), self.heads, distances.dim(1)?))?;
            scores = by_head.broadcast_add(distances)?.reshape(scores.shape())?;
        }
        let Some(mask) = &added.padding else { return candle_nn::ops::softmax_last_dim(&scores) };
        let by_text = scores.reshape((mask.dim(0)?, (), mask.dim(D::Minus1)?))?;
        candle_nn::ops::softmax_last_dim(&by_text.broadcast_add(mask)?)?.reshape(scores.shape())
    }
}

#[cfg(test)]
mod tests {
    use candle_transformers::models::bert::BertModel;

    use super::*;
    use crate::tensors::tiny_bert::{Texts, TinyBert};
    use crate::tensors::token_batch::Padding;
    use crate::token_row::TokenRow;

    const PADDING: Padding = Padding { token: 0, before: None };

    fn load(tiny: &TinyBert, variables: &VarBuilder, dtype: DType) -> Result<TensorBert> {
        TensorBert::load(variables, &BertConfig::bert(&tiny.config), &Device::Cpu, dtype)
    }

    /// Vectors of the tokens, padding left out: text by text, token by token.
    fn kept(tokens: &Tensor, texts: &Texts) -> Vec<f32> {
        let tokens: Vec<Vec<Vec<f32>>> =
            tokens.to_dtype(DType::F32).and_then(|t| t.to_vec3()).expect("numbers");
        let rows = tokens.iter().zip(texts.rows());
        rows.flat_map(|(row, text)| row[..text.ids.len()].concat()).collect()
    }

    /// What candle's own model says, every text alone.
    fn expected(bert: &BertModel, texts: &Texts) -> Vec<f32> {
        let alone = |row: TokenRow| -> Result<Vec<f32>> {
            let put = |values: &[u32]| Tensor::new(values, &Device::Cpu)?.unsqueeze(0);
            bert.forward(&put(row.ids)?, &put(row.types)?, None)?.flatten_all()?.to_vec1()
        };
        texts.rows().iter().flat_map(|&row| alone(row).expect("the model runs")).collect()
    }

    #[track_caller]
    fn check(tiny: &TinyBert, texts: &Texts, dtype: DType, close: impl Fn(&[f32], &[f32]) -> bool) {
        let bert = BertModel::load(tiny.variables(), &tiny.config).expect("all weights are there");
        let ours = load(tiny, &tiny.variables(), dtype).expect("all weights are there");
        let batch = TokenBatch::upload(&texts.rows(), PADDING, &Device::Cpu).expect("there is memory");
        let found = ours.forward(&batch).expect("the model runs");
        assert_eq!(found.dtype(), dtype);
        let (found, expected) = (kept(&found, texts), expected(&bert, texts));
        assert_eq!(found.len(), expected.len());
        assert!(close(&found, &expected), "{dtype:?}, seed {}, lengths {:?}", tiny.seed, texts.lengths());
    }

    fn within(limit: f32) -> impl Fn(&[f32], &[f32]) -> bool {
        move |a, b| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= limit)
    }

    /// For every token of `hidden` numbers.
    fn cosine_of(hidden: usize, least: f32) -> impl Fn(&[f32], &[f32]) -> bool {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        move |a, b| {
            let mut pairs = a.chunks_exact(hidden).zip(b.chunks_exact(hidden));
            pairs.all(|(a, b)| dot(a, b) / (dot(a, a) * dot(b, b)).sqrt() >= least)
        }
    }

    const SHAPES: [(usize, usize, usize, HiddenAct); 4] = [
        (2, 32, 4, HiddenAct::Gelu),
        (1, 24, 3, HiddenAct::Relu),
        (3, 16, 1, HiddenAct::GeluApproximate),
        (2, 64, 2, HiddenAct::Gelu),
    ];
    const LENGTHS: [&[usize]; 5] = [&[7], &[9, 9, 9], &[12, 5, 1], &[3, 40, 17, 40], &[2, 2]];

    #[test]
    fn it_equals_candles_own_model() {
        for (seed, &(layers, hidden, heads, activation)) in (1..).zip(&SHAPES) {
            let tiny = TinyBert::new(seed, layers, hidden, heads, activation);
            for lengths in LENGTHS {
                check(&tiny, &Texts::new(seed, lengths, 1), DType::F32, within(1e-5));
                check(&tiny, &Texts::new(seed, lengths, 2), DType::F32, within(1e-5));
            }
        }
    }

    #[test]
    fn half_precision_comes_close() {
        for (seed, &(layers, hidden, heads, activation)) in (11..).zip(&SHAPES) {
            let tiny = TinyBert::new(seed, layers, hidden, heads, activation);
            for lengths in LENGTHS {
                let texts = Texts::new(seed, lengths, 1);
                check(&tiny, &texts, DType::F16, cosine_of(hidden, 0.999));
                check(&tiny, &texts, DType::BF16, cosine_of(hidden, 0.999));
            }
        }
    }

    #[test]
    fn names_of_older_files_are_understood() {
        let tiny = TinyBert::new(5, 1, 16, 2, HiddenAct::Gelu);
        let older = |name: &str| {
            let name = name.replace("LayerNorm.weight", "LayerNorm.gamma");
            format!("bert.{}", name.replace("LayerNorm.bias", "LayerNorm.beta"))
        };
        let tensors = tiny.tensors.iter().map(|(name, tensor)| (older(name), tensor.clone())).collect();
        let older = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
        let texts = Texts::new(5, &[4, 6], 1);
        let batch = TokenBatch::upload(&texts.rows(), PADDING, &Device::Cpu).expect("there is memory");
        let [found, expected] = [older, tiny.variables()].map(|variables| {
            let bert = load(&tiny, &variables, DType::F32);
            kept(&bert.and_then(|bert| bert.forward(&batch)).expect("all weights are there"), &texts)
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let tiny = TinyBert::new(3, 1, 16, 2, HiddenAct::Gelu);
        let bert = load(&tiny, &tiny.variables(), DType::F32).expect("all weights are there");
        for (ids, length) in [(0, 65), (99, 3)] {
            let row = TokenRow { ids: &vec![ids; length], types: &vec![0; length] };
            let batch = TokenBatch::upload(&[row], PADDING, &Device::Cpu).expect("there is memory");
            assert!(bert.forward(&batch).is_err(), "{length} tokens of id {ids}");
        }
        let variables = tiny.variables();
        let mut wider = tiny;
        wider.config.hidden_size = 32;
        assert!(load(&wider, &variables, DType::F32).is_err());
    }
}
