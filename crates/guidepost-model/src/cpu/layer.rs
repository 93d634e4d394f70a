//! One encoder layer: its sizes and its weights as the kernels want them.

use std::sync::Mutex;

use candle_transformers::models::bert::{Config, HiddenAct};

use super::kernels::Kernels;
use super::linear::{Linear, Output, Storage};
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
    /// All layers of a model, laid out by the whole team.
    ///
    /// # Errors
    /// A tensor that is missing or misshapen.
    pub(crate) fn load_all(
        weights: &Weights,
        config: &Config,
        storage: Storage,
        team: &Team,
    ) -> Result<Vec<Self>, ModelError> {
        let count = config.num_hidden_layers;
        let loaded: Vec<Mutex<Option<Result<Layer, ModelError>>>> =
            (0..count).map(|_| Mutex::default()).collect();
        team.run(team.size(), |member| {
            for at in (member.index..count).step_by(member.of) {
                let layer = Layer::load(weights, config, storage, at);
                *loaded[at].lock().expect("each layer is loaded once") = Some(layer);
            }
        });
        let layers = loaded.into_iter().map(|layer| layer.into_inner().expect("nobody panicked"));
        layers.map(|layer| layer.expect("every layer has its member")).collect()
    }

    fn load(weights: &Weights, config: &Config, storage: Storage, at: usize) -> Result<Self, ModelError> {
        let shape = Shape::of(config);
        let reader = Reader { weights, storage, layer: format!("encoder.layer.{at}") };
        let (width, inner) = (shape.width, shape.inner);
        let (heads, all, inner_all) = (shape.head_order(), every(width), every(inner));
        let softer = 1.0 / ((width / shape.heads) as f32).sqrt();
        let query = ("attention.self.query", softer);
        let parts = [query, ("attention.self.key", 1.0), ("attention.self.value", 1.0)];
        Ok(Layer {
            query_key_value: reader.linear(&parts, [width, width], &heads, &all)?,
            attention_out: reader.linear(&[("attention.output.dense", 1.0)], [width, width], &all, &heads)?,
            attention_norm: Norm::load(weights, &reader.name("attention.output.LayerNorm"), config)?,
            inner: reader.linear(&[("intermediate.dense", 1.0)], [inner, width], &inner_all, &all)?,
            out: reader.linear(&[("output.dense", 1.0)], [width, inner], &all, &inner_all)?,
            norm: Norm::load(weights, &reader.name("output.LayerNorm"), config)?,
        })
    }
}

fn every(count: usize) -> Vec<Option<usize>> {
    (0..count).map(Some).collect()
}

/// Reads the linear layers of one encoder layer.
struct Reader<'a> {
    weights: &'a Weights,
    storage: Storage,
    layer: String,
}

impl Reader<'_> {
    fn name(&self, part: &str) -> String {
        format!("{}.{part}", self.layer)
    }

    /// Parts of one shape `[outputs, inputs]`, each with its factor, one after the other.
    fn linear(
        &self,
        parts: &[(&str, f32)],
        shape: [usize; 2],
        outputs: &[Option<usize>],
        inputs: &[Option<usize>],
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
        Ok(Linear::new(&rows.collect::<Vec<_>>(), inputs, self.storage))
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
