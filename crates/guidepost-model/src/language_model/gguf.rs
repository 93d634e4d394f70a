//! A GGUF file: settings and tensors in one. Every error names the file and what is wrong with it.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use candle_core::Device;
use candle_core::quantized::QTensor;
use candle_core::quantized::gguf_file::{Content, Value};

use crate::ModelError;

/// An open file, its head read.
pub(crate) struct GgufFile {
    path: PathBuf,
    reader: BufReader<File>,
    content: Content,
}

impl GgufFile {
    /// Reads the head: settings, and where which tensor lies.
    ///
    /// # Errors
    /// A file that cannot be read, is no GGUF, or ends before its head does.
    pub(crate) fn open(path: &Path) -> Result<Self, ModelError> {
        let broken = |reason: String| ModelError::LanguageModel { path: path.to_owned(), reason };
        let unreadable = |error: std::io::Error| broken(format!("it cannot be read: {error}"));
        let mut reader = BufReader::new(File::open(path).map_err(unreadable)?);
        let mut magic = Vec::new();
        reader.by_ref().take(4).read_to_end(&mut magic).map_err(unreadable)?;
        if magic != b"GGUF" {
            return Err(broken("it is no GGUF file".into()));
        }
        reader.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        let content = Content::read(&mut reader)
            .map_err(|error| broken(format!("its head is damaged or cut short: {}", first_line(&error))))?;
        Ok(GgufFile { path: path.to_owned(), reader, content })
    }

    /// The error for this file.
    pub(crate) fn broken(&self, reason: impl Into<String>) -> ModelError {
        ModelError::LanguageModel { path: self.path.clone(), reason: reason.into() }
    }

    /// The error for a setting that is not there, or is something else.
    pub(crate) fn lacking(&self, key: &str, what: &str) -> ModelError {
        self.broken(format!("it lacks `{key}` ({what})"))
    }

    /// A setting that is text.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        text(self.content.metadata.get(key)?)
    }

    /// A setting that is a whole number from 0 up.
    pub(crate) fn number(&self, key: &str) -> Option<usize> {
        whole(self.content.metadata.get(key)?)
    }

    /// A setting that is any finite number.
    pub(crate) fn real(&self, key: &str) -> Option<f64> {
        self.content.metadata.get(key).and_then(real)
    }

    /// A setting that is yes or no.
    pub(crate) fn flag(&self, key: &str) -> Option<bool> {
        self.content.metadata.get(key)?.to_bool().ok()
    }

    /// A setting that is a list of texts.
    pub(crate) fn texts(&self, key: &str) -> Option<Vec<&str>> {
        self.list(key)?.iter().map(text).collect()
    }

    /// A setting that is a list of whole numbers from 0 up.
    pub(crate) fn numbers(&self, key: &str) -> Option<Vec<usize>> {
        self.list(key)?.iter().map(whole).collect()
    }

    /// A setting that is a list of numbers.
    pub(crate) fn reals(&self, key: &str) -> Option<Vec<f64>> {
        self.list(key)?.iter().map(real).collect()
    }

    fn list(&self, key: &str) -> Option<&[Value]> {
        match self.content.metadata.get(key) {
            Some(Value::Array(values)) => Some(values),
            _ => None,
        }
    }

    /// A setting that has to be there.
    ///
    /// # Errors
    /// It is not, or is no whole number above 0.
    pub(crate) fn count(&self, key: &str) -> Result<usize, ModelError> {
        let lacking = || self.lacking(key, "a whole number above 0");
        self.number(key).filter(|count| *count > 0).ok_or_else(lacking)
    }

    /// Shape of a tensor, rows first; `None` where there is no such tensor.
    pub(crate) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.content.tensor_infos.get(name).map(|tensor| tensor.shape.dims())
    }

    /// Reads a tensor onto a device.
    ///
    /// # Errors
    /// There is no such tensor, it has another shape, or the file ends before it does.
    pub(crate) fn tensor(
        &mut self,
        name: &str,
        shape: &[usize],
        device: &Device,
    ) -> Result<QTensor, ModelError> {
        let Some(found) = self.shape(name) else {
            return Err(self.broken(format!("it lacks the tensor `{name}`")));
        };
        if found != shape {
            return Err(self.broken(format!("tensor `{name}` is {found:?} large, expected {shape:?}")));
        }
        let read = self.content.tensor(&mut self.reader, name, device);
        read.map_err(|error| self.broken(format!("tensor `{name}` cannot be read: {}", first_line(&error))))
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn whole(value: &Value) -> Option<usize> {
    let number = match value {
        Value::I8(number) => i64::from(*number),
        Value::I16(number) => i64::from(*number),
        Value::I32(number) => i64::from(*number),
        Value::I64(number) => *number,
        Value::Bool(_) => return None,
        other => i64::try_from(other.to_u64().ok()?).ok()?,
    };
    usize::try_from(number).ok()
}

fn real(value: &Value) -> Option<f64> {
    let number = match value {
        Value::F32(number) => f64::from(*number),
        Value::F64(number) => *number,
        other => whole(other)? as f64,
    };
    number.is_finite().then_some(number)
}

/// What candle says, less the trace that may follow.
fn first_line(error: &candle_core::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
