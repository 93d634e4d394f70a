//! Texts to vectors through tensors: batches, the forward pass, pooling, and the way there and back.
//!
//! The device runs behind: the batches of a window are copied at once, then everything is queued, and the only wait
//! is for the vectors of the whole window. A copy between two batches could make the queue wait for it.

use std::time::{Duration, Instant};

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::VarBuilder;

use super::buckets::{Budget, bucketed};
use super::modern_bert::ModernBert;
use super::tensor_bert::TensorBert;
use super::token_batch::{Padding, TokenBatch};
use crate::architecture::Architecture;
use crate::cpu::OnStates;
use crate::folder::Pooling;
use crate::token_row::TokenRow;

/// Batches that are queued before the vectors are waited for: bounds what lies on the device, and at 16,384 tokens a
/// batch the wait is a small part of the work.
const WINDOW: usize = 16;

/// Where the time went on the device. Measuring it waits for the device after every phase, which costs some speed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Phases {
    /// Tokens to the device and vectors from it.
    pub(crate) copy: Duration,
    /// The model.
    pub(crate) forward: Duration,
    /// Token vectors to text vectors.
    pub(crate) pool: Duration,
}

/// A model and how its token vectors become one.
pub(crate) struct TensorEmbedder {
    model: Model,
    device: Device,
    pooling: Pooling,
    padding: Padding,
}

/// What makes token vectors.
enum Model {
    Bert(TensorBert),
    ModernBert(ModernBert),
}

impl Model {
    fn forward(&self, batch: &TokenBatch) -> Result<Tensor> {
        match self {
            Model::Bert(bert) => bert.forward(batch),
            Model::ModernBert(modern) => modern.forward(batch),
        }
    }
}

impl TensorEmbedder {
    /// See [`TensorBert::load`].
    ///
    /// # Errors
    /// Its own.
    pub(crate) fn load(
        variables: &VarBuilder,
        architecture: &Architecture,
        pooling: Pooling,
        device: &Device,
        dtype: DType,
    ) -> Result<Self> {
        let (model, padding) = match architecture {
            Architecture::Bert(config) => {
                let bert = TensorBert::load(variables, config, device, dtype)?;
                let token = config.sizes.pad_token_id as u32;
                (Model::Bert(bert), Padding { token, before: config.padding_before() })
            }
            Architecture::ModernBert(config) => {
                let modern = ModernBert::load(variables, config, device, dtype)?;
                (Model::ModernBert(modern), Padding { token: config.padding, before: None })
            }
        };
        Ok(TensorEmbedder { model, device: device.clone(), pooling, padding })
    }

    /// Whether the tensors are the processor's.
    pub(crate) fn on_processor(&self) -> bool {
        self.device.is_cpu()
    }

    /// One vector per row, in the order of the rows, not normalized. `on_states` hears of each row's states; `phases` are
    /// measured if they are given.
    ///
    /// # Errors
    /// See [`TensorBert::forward`].
    pub(crate) fn embed(
        &self,
        rows: &[TokenRow],
        budget: Budget,
        on_states: Option<OnStates<'_>>,
        phases: Option<&mut Phases>,
    ) -> Result<Vec<Vec<f32>>> {
        let lengths: Vec<usize> = rows.iter().map(|row| row.ids.len()).collect();
        let mut clock = Clock { device: &self.device, phases };
        let mut vectors = vec![Vec::new(); rows.len()];
        for window in bucketed(&lengths, budget).chunks(WINDOW) {
            let computed = self.window(rows, window, on_states, &mut clock)?;
            for (&at, vector) in window.iter().flatten().zip(computed) {
                vectors[at] = vector;
            }
        }
        Ok(vectors)
    }

    /// The vectors of all rows that the window's batches name, in their order.
    fn window(
        &self,
        rows: &[TokenRow],
        window: &[Vec<usize>],
        on_states: Option<OnStates<'_>>,
        clock: &mut Clock,
    ) -> Result<Vec<Vec<f32>>> {
        let upload = |batch: &Vec<usize>| {
            let rows: Vec<TokenRow> = batch.iter().map(|&at| rows[at]).collect();
            TokenBatch::upload(&rows, self.padding, &self.device)
        };
        let copied: Result<Vec<TokenBatch>> =
            clock.time(|phases| &mut phases.copy, || window.iter().map(upload).collect());
        let mut pooled = Vec::with_capacity(window.len());
        for (batch, rows_of_batch) in copied?.into_iter().zip(window) {
            let tokens = clock.time(|phases| &mut phases.forward, || self.model.forward(&batch))?;
            if let Some(on_states) = on_states {
                let states = tokens.to_dtype(DType::F32)?.to_vec3()?;
                for (&at, states) in rows_of_batch.iter().zip(states) {
                    on_states(at, states[..rows[at].ids.len()].concat());
                }
            }
            pooled.push(clock.time(|phases| &mut phases.pool, || self.pool(&tokens, &batch))?);
        }
        clock.time(|phases| &mut phases.copy, || Tensor::cat(&pooled, 0)?.to_vec2())
    }

    /// Vectors `[batch, hidden]`, f32, from token vectors `[batch, length, hidden]` of any type.
    fn pool(&self, tokens: &Tensor, batch: &TokenBatch) -> Result<Tensor> {
        match self.pooling {
            Pooling::Mean => {
                let kept = batch.kept()?;
                let sums = kept.unsqueeze(1)?.matmul(&tokens.to_dtype(DType::F32)?)?.squeeze(1)?;
                // A text without tokens keeps its zeros.
                sums.broadcast_div(&kept.sum_keepdim(1)?.maximum(1.0)?)
            }
            Pooling::Cls => tokens.narrow(1, 0, 1)?.squeeze(1)?.to_dtype(DType::F32),
        }
    }
}

/// Adds up phases, or only runs them.
struct Clock<'a> {
    device: &'a Device,
    phases: Option<&'a mut Phases>,
}

impl Clock<'_> {
    /// Every phase ends by waiting, so that none begins with what another left to do.
    fn time<T>(
        &mut self,
        phase: fn(&mut Phases) -> &mut Duration,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let Some(phases) = self.phases.as_deref_mut() else { return work() };
        let start = Instant::now();
        let value = work()?;
        self.device.synchronize()?;
        *phase(phases) += start.elapsed();
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::path::Path;
    use std::sync::Mutex;

    use candle_transformers::models::bert::{BertModel, Config, HiddenAct};
    use guidepost_text::Embedding;

    use super::*;
    use crate::Precision;
    use crate::architecture::{BertConfig, Family, MPNET_BUCKETS};
    use crate::cpu::{CpuBert, Kernels, Team, Weights};
    use crate::tensors::tiny_bert::{Texts, TinyBert};
    use guidepost_text::Random;

    fn embedder(tiny: &TinyBert, pooling: Pooling) -> TensorEmbedder {
        let architecture = Architecture::Bert(BertConfig::bert(&tiny.config));
        TensorEmbedder::load(&tiny.variables(), &architecture, pooling, &Device::Cpu, DType::F32)
            .expect("all weights are there")
    }

    /// candle's own model, one text alone, pooled number by number.
    fn obvious(bert: &BertModel, row: TokenRow, pooling: Pooling) -> Vec<f32> {
        let put =
            |values: &[u32]| Tensor::new(values, &Device::Cpu).and_then(|t| t.unsqueeze(0)).expect("memory");
        let tokens = bert.forward(&put(row.ids), &put(row.types), None).expect("the model runs");
        let tokens: Vec<Vec<f32>> = tokens.squeeze(0).and_then(|t| t.to_vec2()).expect("numbers");
        let taken = match pooling {
            Pooling::Mean => &tokens[..],
            Pooling::Cls => &tokens[..1],
        };
        let column = |at| taken.iter().map(|token: &Vec<f32>| token[at]).sum::<f32>() / taken.len() as f32;
        (0..tokens[0].len()).map(column).collect()
    }

    #[test]
    fn vectors_equal_the_obvious_ones() {
        for (seed, pooling) in [(1, Pooling::Mean), (2, Pooling::Cls), (3, Pooling::Mean)] {
            let tiny = TinyBert::new(seed, 2, 32, 4, HiddenAct::Gelu);
            let bert = BertModel::load(tiny.variables(), &tiny.config).expect("all weights are there");
            let mut random = Random(seed);
            let lengths: Vec<usize> = (0..60).map(|_| 1 + random.below(40)).collect();
            let texts = Texts::new(seed, &lengths, 2);
            let rows = texts.rows();
            // Some batches with padding and some without, in more than one window.
            let budget = Budget { tokens: 100, batch_cost: 10 };
            let mut phases = Phases::default();
            let embedder = embedder(&tiny, pooling);
            let found = embedder.embed(&rows, budget, None, Some(&mut phases)).expect("the model runs");
            assert!(
                [phases.copy, phases.forward, phases.pool].iter().all(|&p| p > Duration::ZERO),
                "{phases:?}"
            );
            for (at, (found, &row)) in found.iter().zip(&rows).enumerate() {
                let expected = obvious(&bert, row, pooling);
                let close = found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5);
                assert!(close && found.len() == 32, "seed {seed}, text {at}");
            }
            let states = Mutex::new(vec![Vec::new(); rows.len()]);
            let keep = |at: usize, rows| states.lock().expect("nobody panicked")[at] = rows;
            let unmeasured = embedder.embed(&rows, budget, Some(&keep), None).expect("the model runs");
            assert_eq!(unmeasured, found, "seed {seed}");
            for (at, states) in states.into_inner().expect("nobody panicked").iter().enumerate() {
                assert_eq!(states.len(), lengths[at] * 32);
                let taken = if pooling == Pooling::Mean { lengths[at] } else { 1 };
                let sum = (0..32).map(|at| states.chunks(32).take(taken).map(|row| row[at]).sum()).collect();
                let pooled = Embedding::normalized(sum);
                let same = pooled.precise_cosine(&Embedding::normalized(found[at].clone()));
                assert!(same > 0.999_999, "seed {seed}, text {at}: the states pool to another vector");
            }
        }
    }

    /// Writes a BERT as one of its relatives, under that one's names.
    fn write_relative(tiny: &TinyBert, family: Family, path: &Path) {
        let typed = matches!(family, Family::Bert | Family::Roberta);
        let kept = tiny.tensors.iter().filter(|(name, _)| typed || !name.contains("token_type"));
        let own =
            kept.map(|(name, tensor)| (format!("{}{}", family.prefix(), family.name(name)), tensor.clone()));
        let mut tensors: HashMap<String, Tensor> = own.collect();
        let mut random = Random(tiny.seed);
        let heads = tiny.config.num_attention_heads;
        let table: Vec<f32> = (0..MPNET_BUCKETS * heads).map(|_| 4.0 * random.unit() as f32).collect();
        let table =
            Tensor::from_vec(table, (MPNET_BUCKETS, heads), &Device::Cpu).expect("the shape's numbers");
        tensors.insert("mpnet.encoder.relative_attention_bias.weight".into(), table);
        candle_core::safetensors::save(&tensors, path).expect("writable");
    }

    #[test]
    fn tensors_and_the_processors_own_kernels_agree_on_every_family() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("model.safetensors");
        for (seed, family) in (21..).zip([Family::Bert, Family::DistilBert, Family::Roberta, Family::Mpnet]) {
            let tiny = TinyBert::new(seed, 2, 32, 4, HiddenAct::Gelu);
            write_relative(&tiny, family, &path);
            let types = if matches!(family, Family::Bert | Family::Roberta) { 2 } else { 0 };
            let sizes = Config { type_vocab_size: types, pad_token_id: 1, ..tiny.config.clone() };
            let config = BertConfig { family, sizes };
            let weights = Weights::open(&path, family).expect("it was written");
            let team = Team::new(2).expect("there are threads");
            let kernels = CpuBert::load(weights, &config, Precision::F32, Kernels::best(), team);
            let kernels = kernels.expect("all weights are there");
            // Among the tokens are some of padding, which have no position of their own in RoBERTa and MPNet.
            let texts = Texts::new(seed, &[60, 1, 17, 33, 33, 5], types.max(1));
            let (expected, _) = kernels.forward(&texts.rows(), Pooling::Mean, None).expect("the model runs");
            // SAFETY: nobody writes to the file.
            let variables =
                unsafe { VarBuilder::from_mmaped_safetensors(&[&path], DType::F32, &Device::Cpu) };
            let variables = variables.expect("it was written");
            let architecture = Architecture::Bert(config);
            let tensors =
                TensorEmbedder::load(&variables, &architecture, Pooling::Mean, &Device::Cpu, DType::F32);
            let found = tensors.and_then(|model| model.embed(&texts.rows(), Budget::PROCESSOR, None, None));
            for (at, (found, expected)) in found.expect("the model runs").iter().zip(&expected).enumerate() {
                let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(apart < 1e-5, "{family:?}, seed {seed}, text {at}: {apart}");
            }
        }
    }

    #[test]
    fn nothing_yields_nothing() {
        let embedder = embedder(&TinyBert::new(1, 1, 16, 2, HiddenAct::Gelu), Pooling::Mean);
        assert!(embedder.embed(&[], Budget::GPU, None, None).is_ok_and(|vectors| vectors.is_empty()));
    }
}
