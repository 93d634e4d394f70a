//! One encoder layer: its sizes and its weights as the kernels want them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use candle_transformers::models::bert::{Config, HiddenAct};

use super::kernels::Kernels;
use super::linear::{InputOrder, Linear, Output, Storage, panel_bytes};
use super::product::Activation;
use super::rows::NormWeights;
use super::slabs::{Matrix, PANEL, SLAB};
use super::team::Team;
use super::weights::Weights;
use crate::ModelError;

/// Sizes, in numbers.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) vocabulary: usize,
    pub(crate) width: usize,
    pub(crate) inner: usize,
    pub(crate) heads: usize,
    /// Components of a head as stored: padded so that no head crosses a slab.
    pub(crate) head: usize,
    pub(crate) activation: Activation,
}

impl Shape {
    pub(crate) fn of(config: &Config) -> Self {
        let head = config.hidden_size / config.num_attention_heads;
        Shape {
            vocabulary: config.vocab_size,
            width: config.hidden_size,
            inner: config.intermediate_size,
            heads: config.num_attention_heads,
            head: if head > SLAB { head.next_multiple_of(SLAB) } else { head.next_power_of_two().max(PANEL) },
            activation: match config.hidden_act {
                HiddenAct::Gelu => Activation::Gelu,
                HiddenAct::GeluApproximate => Activation::GeluTanh,
                HiddenAct::Relu => Activation::Relu,
            },
        }
    }

    /// `[outputs, inputs]` of a layer's products, as stored.
    fn linears(&self) -> [[usize; 2]; 4] {
        let heads = self.heads * self.head;
        [[3 * heads, self.width], [self.width, heads], [self.inner, self.width], [self.width, self.inner]]
    }

    /// Where the model's components of all heads stand when heads are padded.
    fn head_order(&self) -> Vec<Option<usize>> {
        let real = self.width / self.heads;
        let place = |at: usize| (at % self.head < real).then(|| at / self.head * real + at % self.head);
        (0..self.heads * self.head).map(place).collect()
    }
}

/// Weights of a layer.
pub(crate) struct Layer {
    pub(crate) query_key_value: Linear,
    pub(crate) attention_out: Linear,
    pub(crate) attention_norm: Norm,
    pub(crate) inner: Linear,
    pub(crate) out: Linear,
    pub(crate) norm: Norm,
}

impl Layer {
    /// Bytes of the panels of one layer.
    pub(crate) fn bytes(config: &Config, storage: Storage) -> usize {
        let shape = Shape::of(config);
        shape.linears().iter().map(|[outputs, inputs]| panel_bytes(*inputs, *outputs, storage)).sum()
    }

    /// All layers of a model, laid out by the whole team. `panels` is zeroed memory of [`Layer::bytes`] for each layer.
    ///
    /// # Errors
    /// A tensor that is missing or misshapen.
    pub(crate) fn load_all(
        weights: &Weights,
        config: &Config,
        storage: Storage,
        team: &Team,
        panels: &mut [u8],
    ) -> Result<Vec<Self>, ModelError> {
        let bytes = Layer::bytes(config, storage).max(1);
        let parts: Vec<Mutex<&mut [u8]>> = panels.chunks_exact_mut(bytes).map(Mutex::new).collect();
        let loaded: Vec<OnceLock<Result<Layer, ModelError>>> =
            parts.iter().map(|_| OnceLock::new()).collect();
        let next = AtomicUsize::new(0);
        team.run(|_| {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(part) = parts.get(at) else { break };
                let mut panels = part.lock().expect("each layer has one thread");
                let _ = loaded[at].set(Layer::load(weights, config, storage, at, &mut panels));
            }
        });
        loaded.into_iter().map(|layer| layer.into_inner().expect("every layer was loaded")).collect()
    }

    fn load(
        weights: &Weights,
        config: &Config,
        storage: Storage,
        at: usize,
        panels: &mut [u8],
    ) -> Result<Self, ModelError> {
        let shape = Shape::of(config);
        let place = at * Layer::bytes(config, storage);
        let mut reader = Reader { weights, storage, layer: format!("encoder.layer.{at}"), panels, place };
        let (width, inner) = (shape.width, shape.inner);
        let order = shape.head_order();
        let (heads, same) = (InputOrder::Mapped(&order), InputOrder::Same(width));
        let heads = if order.len() == width { same } else { heads };
        let softer = 1.0 / ((width / shape.heads) as f32).sqrt();
        let query = ("attention.self.query", softer);
        let parts = [query, ("attention.self.key", 1.0), ("attention.self.value", 1.0)];
        let square = [width, width];
        Ok(Layer {
            query_key_value: reader.linear(&parts, square, &order, same)?,
            attention_out: reader.linear(&[("attention.output.dense", 1.0)], square, &every(width), heads)?,
            attention_norm: Norm::load(weights, &reader.name("attention.output.LayerNorm"), config)?,
            inner: reader.linear(&[("intermediate.dense", 1.0)], [inner, width], &every(inner), same)?,
            out: reader.linear(
                &[("output.dense", 1.0)],
                [width, inner],
                &every(width),
                InputOrder::Same(inner),
            )?,
            norm: Norm::load(weights, &reader.name("output.LayerNorm"), config)?,
        })
    }
}

fn every(count: usize) -> Vec<Option<usize>> {
    (0..count).map(Some).collect()
}

/// Reads the linear layers of one encoder layer into its memory.
struct Reader<'a> {
    weights: &'a Weights,
    storage: Storage,
    layer: String,
    /// What is left of the layer's memory.
    panels: &'a mut [u8],
    /// Where that is in the model's memory.
    place: usize,
}

impl Reader<'_> {
    fn name(&self, part: &str) -> String {
        format!("{}.{part}", self.layer)
    }

    /// Parts of one shape `[outputs, inputs]`, each with its factor, one after the other.
    fn linear(
        &mut self,
        parts: &[(&str, f32)],
        shape: [usize; 2],
        outputs: &[Option<usize>],
        inputs: InputOrder<'_>,
    ) -> Result<Linear, ModelError> {
        let mut read = Vec::new();
        for (part, factor) in parts {
            let weights = self.weights.tensor(&self.name(&format!("{part}.weight")), &shape)?;
            let bias = self.weights.tensor(&self.name(&format!("{part}.bias")), &shape[..1])?;
            read.push((weights, bias, *factor));
        }
        let rows = read.iter().flat_map(|(weights, bias, factor)| {
            outputs.iter().map(move |at| {
                at.map(|at| Output {
                    weights: &weights[at * shape[1]..][..shape[1]],
                    bias: bias[at],
                    factor: *factor,
                })
            })
        });
        let rows: Vec<Option<Output<'_>>> = rows.collect();
        let bytes = panel_bytes(inputs.len(), rows.len(), self.storage);
        let (panels, rest) = std::mem::take(&mut self.panels).split_at_mut(bytes);
        let linear = Linear::new(&rows, inputs, self.storage, panels, self.place);
        self.panels = rest;
        self.place += bytes;
        Ok(linear)
    }
}

/// A layer normalization, padded to whole panels.
pub(crate) struct Norm {
    scale: Vec<f32>,
    shift: Vec<f32>,
    width: usize,
    epsilon: f32,
}

impl Norm {
    /// # Errors
    /// A tensor that is missing or misshapen.
    pub(crate) fn load(weights: &Weights, name: &str, config: &Config) -> Result<Self, ModelError> {
        let width = config.hidden_size;
        let read = |part: &str| {
            let mut numbers = weights.tensor(&format!("{name}.{part}"), &[width])?.into_owned();
            numbers.resize(width.next_multiple_of(PANEL), 0.0);
            Ok::<_, ModelError>(numbers)
        };
        Ok(Norm {
            scale: read("weight")?,
            shift: read("bias")?,
            width,
            epsilon: config.layer_norm_eps as f32,
        })
    }

    /// Normalizes the rows of `from` into `to`.
    ///
    /// # Safety
    /// The kernels suit the processor; both matrices have this width and the same rows, and are good for them.
    pub(crate) unsafe fn apply(&self, kernels: &Kernels, from: &Matrix<f32>, to: &Matrix<f32>) {
        let (scale, shift) = (&self.scale, &self.shift);
        let weights = NormWeights { scale, shift, width: self.width, epsilon: self.epsilon };
        // SAFETY: the caller's promise.
        unsafe { (kernels.layer_norm)(from, to, &weights) }
    }
}
