//! GGUF files made from others: read, changed, written again.

use std::fs::File;
use std::path::{Path, PathBuf};

use candle_core::quantized::gguf_file::{Content, Value, write};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};

/// Settings and tensors of a file, to be changed.
pub(crate) struct Gguf {
    settings: Vec<(String, Value)>,
    tensors: Vec<(String, QTensor)>,
}

/// Where the tiny models lie.
pub(crate) fn fixture(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/language_models");
    Path::new(folder).join(format!("{name}.gguf"))
}

impl Gguf {
    pub(crate) fn read(name: &str) -> Self {
        let mut file = File::open(fixture(name)).expect("the fixture is there");
        let content = Content::read(&mut file).expect("the fixture is sound");
        let mut names: Vec<String> = content.tensor_infos.keys().cloned().collect();
        names.sort();
        let tensor = |name: String| {
            let tensor = content.tensor(&mut file, &name, &Device::Cpu).expect("the fixture is whole");
            (name, tensor)
        };
        let tensors = names.into_iter().map(tensor).collect();
        let mut settings: Vec<(String, Value)> = content.metadata.into_iter().collect();
        settings.sort_by(|(one, _), (other, _)| one.cmp(other));
        Gguf { settings, tensors }
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        let before = self.settings.len() + self.tensors.len();
        self.settings.retain(|(key, _)| key != name);
        self.tensors.retain(|(key, _)| key != name);
        assert_eq!(self.settings.len() + self.tensors.len(), before - 1, "there is one `{name}`");
        self
    }

    pub(crate) fn with(mut self, key: &str, value: Value) -> Self {
        self.settings.retain(|(other, _)| other != key);
        self.settings.push((key.to_owned(), value));
        self
    }

    pub(crate) fn with_text(self, key: &str, text: &str) -> Self {
        self.with(key, Value::String(text.to_owned()))
    }

    pub(crate) fn with_number(self, key: &str, number: u32) -> Self {
        self.with(key, Value::U32(number))
    }

    pub(crate) fn with_vector(mut self, name: &str, numbers: &[f32]) -> Self {
        let tensor = Tensor::new(numbers, &Device::Cpu).expect("it is small");
        self.tensors.push((name.to_owned(), QTensor::quantize(&tensor, GgmlDType::F32).expect("it fits")));
        self
    }

    /// Every matrix in another precision.
    pub(crate) fn quantized(mut self, kind: GgmlDType) -> Self {
        for (_, tensor) in &mut self.tensors {
            if tensor.rank() == 2 {
                let numbers = tensor.dequantize(&Device::Cpu).expect("it is plain numbers");
                *tensor = QTensor::quantize(&numbers, kind).expect("rows are whole blocks");
            }
        }
        self
    }

    pub(crate) fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join("model.gguf");
        let mut file = File::create(&path).expect("the folder is ours");
        let settings: Vec<_> = self.settings.iter().map(|(key, value)| (key.as_str(), value)).collect();
        let tensors: Vec<_> = self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
        write(&mut file, &settings, &tensors).expect("the disk has room");
        path
    }
}
