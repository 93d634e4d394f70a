//! The tensors of a `model.safetensors`, as f32.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use candle_core::safetensors::MmapedSafetensors;
use candle_core::{DType, Device};

use crate::ModelError;
use crate::architecture::Family;

/// A mapped weights file.
pub(crate) struct Weights {
    file: MmapedSafetensors,
    path: PathBuf,
    family: Family,
    /// Before every name: nothing, or the family's prefix where the model was saved with its head.
    prefix: &'static str,
}

impl Weights {
    /// Maps the file.
    ///
    /// # Errors
    /// [`ModelError::Damaged`] when it is no safetensors file.
    pub(crate) fn open(path: &Path, family: Family) -> Result<Self, ModelError> {
        // SAFETY: models are replaced by rename, never written in place, so the mapped bytes stay as they are.
        let file =
            unsafe { MmapedSafetensors::new(path) }.map_err(|error| ModelError::damaged(path, &error))?;
        let headed = format!("{}embeddings.word_embeddings.weight", family.prefix());
        let prefix = if file.get(&headed).is_ok() { family.prefix() } else { "" };
        Ok(Weights { file, path: path.to_owned(), family, prefix })
    }

    /// The numbers of a tensor, under the name that BERT's files give it, in row-major order; borrowed from the map where
    /// they are f32 already.
    ///
    /// # Errors
    /// [`ModelError::Damaged`] when it is missing or its shape is another.
    pub(crate) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Cow<'_, [f32]>, ModelError> {
        self.read(&self.written(&format!("{}{}", self.prefix, self.family.name(name))), shape)
    }

    /// The numbers of a tensor under the name that it has in the file.
    ///
    /// # Errors
    /// [`ModelError::Damaged`] when it is missing or its shape is another.
    pub(crate) fn read(&self, name: &str, shape: &[usize]) -> Result<Cow<'_, [f32]>, ModelError> {
        let view = self.file.get(name).map_err(|error| ModelError::damaged(&self.path, &error))?;
        if view.shape() != shape {
            let reason = format!("`{name}` has the shape {:?}, not {shape:?}", view.shape());
            return Err(ModelError::Damaged { path: self.path.clone(), reason });
        }
        if DType::try_from(view.dtype()).is_ok_and(|kind| kind == DType::F32)
            && let Ok(numbers) = bytemuck::try_cast_slice(view.data())
        {
            return Ok(Cow::Borrowed(numbers));
        }
        let convert = || {
            let tensor = self.file.load(name, &Device::Cpu)?;
            tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()
        };
        convert().map(Cow::Owned).map_err(|error| ModelError::damaged(&self.path, &error))
    }

    /// Older files call scale and shift of a normalization `gamma` and `beta`.
    fn written(&self, name: &str) -> String {
        let older = |part: &str, older: &str| {
            let name = format!("{}{older}", name.strip_suffix(part)?);
            self.file.get(&name).is_ok().then_some(name)
        };
        let found = older("LayerNorm.weight", "LayerNorm.gamma")
            .or_else(|| older("LayerNorm.bias", "LayerNorm.beta"));
        found.unwrap_or_else(|| name.to_owned())
    }
}
