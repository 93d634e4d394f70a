//! The tensors of a `model.safetensors`, as f32.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use candle_core::safetensors::MmapedSafetensors;
use candle_core::{DType, Device};

use crate::ModelError;

/// A mapped weights file.
pub(crate) struct Weights {
    file: MmapedSafetensors,
    path: PathBuf,
    /// Before every name: nothing, or `bert.` where the model was saved with its head.
    prefix: &'static str,
}

impl Weights {
    /// Maps the file.
    ///
    /// # Errors
    /// [`ModelError::Damaged`] when it is no safetensors file.
    pub(crate) fn open(path: &Path) -> Result<Self, ModelError> {
        // SAFETY: models are replaced by rename, never written in place, so the mapped bytes stay as they are.
        let file =
            unsafe { MmapedSafetensors::new(path) }.map_err(|error| ModelError::damaged(path, &error))?;
        let prefix = if file.get("bert.embeddings.word_embeddings.weight").is_ok() { "bert." } else { "" };
        Ok(Weights { file, path: path.to_owned(), prefix })
    }

    /// A tensor's numbers in row-major order, borrowed from the map where they are f32 already.
    ///
    /// # Errors
    /// [`ModelError::Damaged`] when it is missing or its shape is another.
    pub(crate) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Cow<'_, [f32]>, ModelError> {
        let name = format!("{}{name}", self.prefix);
        let view = self.file.get(&name).map_err(|error| ModelError::damaged(&self.path, &error))?;
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
            let tensor = self.file.load(&name, &Device::Cpu)?;
            tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()
        };
        convert().map(Cow::Owned).map_err(|error| ModelError::damaged(&self.path, &error))
    }
}
