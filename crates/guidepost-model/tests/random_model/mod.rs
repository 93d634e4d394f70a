//! Sentence transformers with random weights, in the shapes that `tests/fixtures/architectures/architectures.json`
//! lists. `make_reference.py` beside that file holds the same formula; the digests it left in the reference tell
//! whether both sides still agree.
//!
//! Loads and runs nothing.

use std::fs;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, TensorView};
use serde::Deserialize;
use serde_json::{Value, json};

/// One entry of `architectures.json`.
#[derive(Deserialize)]
pub(crate) struct Architecture {
    /// Seeds the weights, too.
    pub(crate) name: String,
    pooling: String,
    normalize: bool,
    /// Longest input in tokens, special tokens included.
    pub(crate) limit: usize,
    config: Value,
}

impl Architecture {
    /// The entry of that name.
    pub(crate) fn named(name: &str) -> Self {
        let text = fs::read(fixtures().join("architectures.json")).expect("the fixture is there");
        let all: Vec<Architecture> = serde_json::from_slice(&text).expect("a list of architectures");
        all.into_iter().find(|architecture| architecture.name == name).expect("an architecture of that name")
    }

    /// Components of every embedding.
    pub(crate) fn width(&self) -> usize {
        self.size("hidden_size")
    }

    /// Writes the model into a folder, in sentence-transformers' layout.
    pub(crate) fn write(&self, folder: &Path) {
        fs::create_dir_all(folder.join("1_Pooling")).expect("writable");
        let write = |name: &str, value: &Value| {
            fs::write(folder.join(name), value.to_string()).expect("writable");
        };
        write("config.json", &self.config);
        write("modules.json", &self.modules());
        let cls = self.pooling == "cls";
        write(
            "1_Pooling/config.json",
            &json!({"pooling_mode_cls_token": cls, "pooling_mode_mean_tokens": !cls}),
        );
        write("sentence_bert_config.json", &json!({"max_seq_length": self.limit}));
        fs::copy(fixtures().join("tokenizer.json"), folder.join("tokenizer.json")).expect("writable");
        self.write_weights(&folder.join("model.safetensors"));
    }

    fn modules(&self) -> Value {
        let mut modules = vec![("", "Transformer"), ("1_Pooling", "Pooling")];
        modules.extend(self.normalize.then_some(("2_Normalize", "Normalize")));
        let entry = |(path, kind): (&str, &str)| {
            let kind = format!("sentence_transformers.models.{kind}");
            json!({"path": path, "type": kind})
        };
        modules.into_iter().map(entry).collect()
    }

    fn write_weights(&self, path: &Path) {
        let values = |(name, shape): (String, Vec<usize>)| {
            let bytes = weights(&format!("{}/{name}", self.name), offset_and_scale(&name, &shape), &shape);
            (name, shape, bytes)
        };
        let data: Vec<(String, Vec<usize>, Vec<u8>)> = self.shapes().into_iter().map(values).collect();
        let views = data.iter().map(|(name, shape, bytes)| {
            (name, TensorView::new(Dtype::F32, shape.clone(), bytes).expect("shape and bytes agree"))
        });
        safetensors::serialize_to_file(views, None, path).expect("writable");
    }

    /// Name and shape of every tensor of a BERT.
    fn shapes(&self) -> Vec<(String, Vec<usize>)> {
        let (width, inner) = (self.width(), self.size("intermediate_size"));
        let mut shapes = Vec::new();
        for (table, rows) in [
            ("word", "vocab_size"),
            ("position", "max_position_embeddings"),
            ("token_type", "type_vocab_size"),
        ] {
            shapes.push((format!("embeddings.{table}_embeddings.weight"), vec![self.size(rows), width]));
        }
        push_norm(&mut shapes, "embeddings", width);
        for number in 0..self.size("num_hidden_layers") {
            let layer = format!("encoder.layer.{number}");
            for part in ["query", "key", "value"] {
                push_linear(&mut shapes, &format!("{layer}.attention.self.{part}"), width, width);
            }
            push_linear(&mut shapes, &format!("{layer}.attention.output.dense"), width, width);
            push_norm(&mut shapes, &format!("{layer}.attention.output"), width);
            push_linear(&mut shapes, &format!("{layer}.intermediate.dense"), inner, width);
            push_linear(&mut shapes, &format!("{layer}.output.dense"), width, inner);
            push_norm(&mut shapes, &format!("{layer}.output"), width);
        }
        push_linear(&mut shapes, "pooler.dense", width, width);
        shapes
    }

    fn size(&self, key: &str) -> usize {
        self.config[key].as_u64().expect("a number in the config") as usize
    }
}

/// Where the architectures, their texts and the reference are.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/architectures")
}

fn push_linear(shapes: &mut Vec<(String, Vec<usize>)>, name: &str, output: usize, input: usize) {
    shapes.push((format!("{name}.weight"), vec![output, input]));
    shapes.push((format!("{name}.bias"), vec![output]));
}

fn push_norm(shapes: &mut Vec<(String, Vec<usize>)>, name: &str, width: usize) {
    shapes.push((format!("{name}.LayerNorm.weight"), vec![width]));
    shapes.push((format!("{name}.LayerNorm.bias"), vec![width]));
}

/// A weight is offset + scale * uniform. Chosen so that activations look like a real BERT's: words outweigh
/// positions, attention has favorites, and the residual stream stays of order one.
fn offset_and_scale(name: &str, shape: &[usize]) -> (f32, f32) {
    let by_inputs = |factor: f64| (factor / (shape[1] as f64).sqrt()) as f32;
    match name {
        _ if name.ends_with("LayerNorm.weight") => (1.0, 0.2),
        _ if name.ends_with(".bias") => (0.0, 0.2),
        "embeddings.word_embeddings.weight" => (0.0, 1.0),
        "embeddings.position_embeddings.weight" => (0.0, 0.5),
        "embeddings.token_type_embeddings.weight" => (0.0, 0.2),
        _ if name.ends_with("query.weight") || name.ends_with("key.weight") => (0.0, by_inputs(5.0)),
        _ => (0.0, by_inputs(2.5)),
    }
}

/// Little-endian bytes of the tensor that `seed` names. Every step is exact or rounded once, so that numpy gives the
/// same bits.
fn weights(seed: &str, (offset, scale): (f32, f32), shape: &[usize]) -> Vec<u8> {
    let seed = fnv1a(seed);
    let count = shape.iter().product::<usize>();
    let mut bytes = Vec::with_capacity(count * 4);
    for step in 1..=count as u64 {
        bytes.extend_from_slice(&(offset + scale * uniform(seed, step)).to_le_bytes());
    }
    bytes
}

/// A number in [-0.5, 0.5): the top 24 bits of SplitMix64's output number `step`, exact in f32.
fn uniform(seed: u64, step: u64) -> f32 {
    let mut bits = seed.wrapping_add(step.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^= bits >> 31;
    (bits >> 40) as f32 / (1 << 24) as f32 - 0.5
}

/// The 64-bit FNV-1a hash.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}
