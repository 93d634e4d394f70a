//! What runs a model on its device: kernels of our own on the processor where they know the model, else tensors.

use std::path::Path;

use candle_core::{DType, Device};
use candle_nn::VarBuilder;

use crate::architecture::{Architecture, BertConfig};
use crate::cpu::{CpuBert, Kernels, OnStates, Team, Weights};
use crate::folder::Pooling;
use crate::tensors::{Budget, Phases, TensorEmbedder};
use crate::token_row::TokenRow;
use crate::{ModelError, OpenDevice, Precision};

/// How a model is to be run.
#[derive(Debug, Clone)]
pub struct Execution {
    /// Where.
    pub device: OpenDevice,
    /// How exactly.
    pub precision: Precision,
    /// Threads on the processor; `None` takes `RAYON_NUM_THREADS` or as many as there are cores.
    pub threads: Option<usize>,
    /// Family of instructions on the processor, to measure others than the fastest: one of [`instruction_families`].
    pub instructions: Option<String>,
}

/// The families of instructions that the forward pass can use on this processor, fastest first.
pub fn instruction_families() -> Vec<&'static str> {
    Kernels::available().iter().map(|kernels| kernels.name).collect()
}

/// A model on its device, and how its token vectors become one.
pub(crate) enum Runner {
    Cpu { bert: Box<CpuBert>, pooling: Pooling },
    Tensors(TensorEmbedder),
}

impl Runner {
    /// Makes a model ready.
    ///
    /// # Errors
    /// Weights that are missing or damaged; a precision that the device does not offer.
    pub(crate) fn load(
        weights: &Path,
        architecture: &Architecture,
        pooling: Pooling,
        execution: &Execution,
    ) -> Result<Self, ModelError> {
        let device = &execution.device.device;
        if let (Architecture::Bert(config), true) = (architecture, device.is_cpu()) {
            let bert = Box::new(load_on_processor(weights, config, execution)?);
            return Ok(Runner::Cpu { bert, pooling });
        }
        let kind = number_format(execution.precision, device)?;
        // SAFETY: the file is mapped for reading and copied into tensors before this function returns; verified
        // models are replaced by rename, never written in place.
        let variables = unsafe { VarBuilder::from_mmaped_safetensors(&[weights], DType::F32, &Device::Cpu) };
        let load = |variables| TensorEmbedder::load(&variables, architecture, pooling, device, kind);
        variables.and_then(load).map(Runner::Tensors).map_err(|error| ModelError::damaged(weights, &error))
    }

    /// One vector per text, not normalized. `on_states` hears of each text's token vectors.
    ///
    /// # Errors
    /// [`ModelError::Tokens`] for tokens that the model does not know; what the device refuses.
    pub(crate) fn vectors(
        &self,
        texts: &[TokenRow<'_>],
        budget: Budget,
        on_states: Option<OnStates<'_>>,
        phases: Option<&mut Phases>,
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        match self {
            Runner::Cpu { bert, pooling } => {
                let (vectors, pool) = bert.forward(texts, *pooling, on_states)?;
                if let Some(phases) = phases {
                    phases.pool = pool;
                }
                Ok(vectors)
            }
            Runner::Tensors(embedder) => Ok(embedder.embed(texts, budget, on_states, phases)?),
        }
    }

    /// Texts that are tokenized before the model runs on them: enough to fill the device's batches, and often enough to
    /// show progress.
    pub(crate) fn window(&self) -> usize {
        match self {
            Runner::Tensors(embedder) if !embedder.on_processor() => 16_384,
            _ => 512,
        }
    }

    /// What a batch of the device may hold. The processor's own kernels know no batches.
    pub(crate) fn budget(&self) -> Budget {
        match self {
            Runner::Tensors(embedder) if embedder.on_processor() => Budget::PROCESSOR,
            _ => Budget::GPU,
        }
    }

    /// What really runs the model, for people.
    pub(crate) fn describe(&self, device: &OpenDevice) -> String {
        let threads = |count: usize| format!("{count} thread{}", if count == 1 { "" } else { "s" });
        match self {
            Runner::Cpu { bert, .. } => format!("cpu ({}, {})", bert.instructions(), threads(bert.threads())),
            Runner::Tensors(embedder) if embedder.on_processor() => {
                format!("cpu (tensors, {})", threads(rayon::current_num_threads()))
            }
            Runner::Tensors(_) => device.description.clone(),
        }
    }
}

fn load_on_processor(
    weights: &Path,
    config: &BertConfig,
    execution: &Execution,
) -> Result<CpuBert, ModelError> {
    let kernels = kernels(execution.instructions.as_deref())?;
    let threads = execution.threads.unwrap_or_else(rayon::current_num_threads);
    let (weights, team) = (Weights::open(weights, config.family)?, Team::new(threads)?);
    CpuBert::load(weights, config, execution.precision, kernels, team)
}

/// The type of tensors. On the processor, f32 is the fastest that tensors have.
fn number_format(precision: Precision, device: &Device) -> Result<DType, ModelError> {
    let refused = |device: &str, reason| {
        let (precision, device) = (precision.to_string(), device.to_owned());
        Err(ModelError::Precision { precision, device, reason })
    };
    match (precision, device.is_cpu()) {
        (Precision::F32, _) | (Precision::Fast, true) => Ok(DType::F32),
        (Precision::Fast, false) => Ok(DType::F16),
        (Precision::Bf16, false) => Ok(DType::BF16),
        (_, true) => {
            refused("the processor for a model of this architecture", "use f32 or fast, which is f32 there")
        }
        (Precision::Int8, false) => refused("a GPU", "use f32, fast (f16) or bf16"),
    }
}

/// The fastest kernels, or those that were asked for.
fn kernels(name: Option<&str>) -> Result<&'static Kernels, ModelError> {
    let Some(name) = name else { return Ok(Kernels::best()) };
    let named = Kernels::available().into_iter().find(|kernels| kernels.name == name);
    named.ok_or_else(|| ModelError::Instructions {
        name: name.into(),
        known: instruction_families().join(", "),
    })
}
