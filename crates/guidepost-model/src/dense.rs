//! A linear layer over whole texts' vectors: sentence-transformers' `Dense` module, and the head of a cross-encoder. So small
//! beside the model that it is computed as written.

use crate::ModelError;
use crate::cpu::Weights;

/// Weights, and what follows them.
#[derive(Debug, Clone)]
pub(crate) struct Dense {
    /// Shape `[outputs, inputs]`.
    weights: Vec<f32>,
    /// One per output.
    bias: Vec<f32>,
    shape: DenseShape,
}

/// Sizes of a layer, and what follows its sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DenseShape {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) bias: bool,
    pub(crate) activation: DenseActivation,
}

/// What follows the sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DenseActivation {
    Identity,
    Tanh,
}

impl Dense {
    /// Reads `NAME.weight` and `NAME.bias`.
    ///
    /// # Errors
    /// A tensor that is missing or misshapen.
    pub(crate) fn load(weights: &Weights, name: &str, shape: DenseShape) -> Result<Self, ModelError> {
        let bias = match shape.bias {
            true => weights.read(&format!("{name}.bias"), &[shape.outputs])?.into_owned(),
            false => vec![0.0; shape.outputs],
        };
        let weights = weights.read(&format!("{name}.weight"), &[shape.outputs, shape.inputs])?.into_owned();
        Ok(Dense { weights, bias, shape })
    }

    /// What follows its sums, by name.
    pub(crate) fn activation(&self) -> &'static str {
        match self.shape.activation {
            DenseActivation::Identity => "identity",
            DenseActivation::Tanh => "tanh",
        }
    }

    /// The layer's output.
    pub(crate) fn apply(&self, vector: &[f32]) -> Vec<f32> {
        let output = |(row, bias): (&[f32], &f32)| {
            let products = row.iter().zip(vector).map(|(a, b)| f64::from(*a) * f64::from(*b));
            let sum = products.sum::<f64>() + f64::from(*bias);
            match self.shape.activation {
                DenseActivation::Identity => sum as f32,
                DenseActivation::Tanh => sum.tanh() as f32,
            }
        };
        self.weights.chunks_exact(self.shape.inputs).zip(&self.bias).map(output).collect()
    }
}
