//! Models with random weights, in the shapes that `architectures.json` and `cross_encoders.json` in
//! `tests/fixtures/architectures/` list. `make_reference.py` beside them holds the same formula; the digests it left in the
//! reference tell whether both sides still agree.
//!
//! Loads and runs nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, TensorView};
use serde::Deserialize;
use serde_json::{Value, json};

/// A model that embeds: one entry of `architectures.json`.
#[derive(Deserialize)]
pub(crate) struct Architecture {
    /// Seeds the weights, too.
    pub(crate) name: String,
    tokenizer: String,
    pooling: String,
    /// Folders of the modules after pooling.
    steps: Vec<String>,
    dense: Option<Value>,
    #[serde(default)]
    prompts: Value,
    /// Longest input in tokens, special tokens included.
    pub(crate) limit: usize,
    config: Value,
}

/// A cross-encoder: one entry of `cross_encoders.json`.
#[derive(Deserialize)]
pub(crate) struct PairModel {
    pub(crate) name: String,
    tokenizer: String,
    /// Longest pair in tokens, special tokens included.
    pub(crate) limit: usize,
    config: Value,
}

/// Name and shape of tensors.
type Shapes = BTreeMap<String, Vec<usize>>;

impl Architecture {
    /// The entry of that name.
    pub(crate) fn named(name: &str) -> Self {
        let all: Vec<Architecture> = read_fixture("architectures.json");
        all.into_iter().find(|architecture| architecture.name == name).expect("an architecture of that name")
    }

    /// Components of every embedding.
    pub(crate) fn dimensions(&self) -> usize {
        let size = |value: &Value| value.as_u64().map(|size| size as usize);
        let dense = self.dense.as_ref().and_then(|dense| size(&dense["out_features"]));
        let width = size(&self.config["hidden_size"]).or_else(|| size(&self.config["dim"]));
        dense.or(width).expect("a number in the config")
    }

    /// What is put before a passage.
    pub(crate) fn passage_prompt(&self) -> &str {
        let prompts = &self.prompts["prompts"];
        let default = self.prompts["default_prompt_name"].as_str().and_then(|name| prompts[name].as_str());
        prompts["document"].as_str().or(default).unwrap_or_default()
    }

    /// Writes the model into a folder, in sentence-transformers' layout.
    pub(crate) fn write(&self, folder: &Path) {
        fs::create_dir_all(folder.join("1_Pooling")).expect("writable");
        write_json(folder, "config.json", &self.config);
        write_json(folder, "modules.json", &self.modules());
        let cls = self.pooling == "cls";
        let pooling = json!({"pooling_mode_cls_token": cls, "pooling_mode_mean_tokens": !cls});
        write_json(folder, "1_Pooling/config.json", &pooling);
        write_json(folder, "sentence_bert_config.json", &json!({"max_seq_length": self.limit}));
        if self.prompts.is_object() {
            write_json(folder, "config_sentence_transformers.json", &self.prompts);
        }
        for step in self.steps.iter().filter(|step| step.ends_with("Dense")) {
            self.write_dense(folder, step);
        }
        copy_tokenizer(&self.tokenizer, folder);
        write_weights(&self.name, &shapes_of(&self.name), folder);
    }

    fn modules(&self) -> Value {
        let steps = self.steps.iter().map(|step| (step.as_str(), &step[2..]));
        let modules = [("", "Transformer"), ("1_Pooling", "Pooling")].into_iter().chain(steps);
        let entry = |(path, kind): (&str, &str)| {
            let kind = format!("sentence_transformers.models.{kind}");
            json!({"path": path, "type": kind})
        };
        modules.map(entry).collect()
    }

    fn write_dense(&self, folder: &Path, step: &str) {
        fs::create_dir_all(folder.join(step)).expect("writable");
        let dense = self.dense.as_ref().expect("an entry with the step has the layer");
        write_json(folder, &format!("{step}/config.json"), dense);
        let size = |key: &str| dense[key].as_u64().expect("a number") as usize;
        let (inputs, outputs) = (size("in_features"), size("out_features"));
        let mut shapes = Shapes::from([("linear.weight".to_owned(), vec![outputs, inputs])]);
        if dense["bias"] == true {
            shapes.insert("linear.bias".to_owned(), vec![outputs]);
        }
        write_weights(&format!("{}/{step}", self.name), &shapes, &folder.join(step));
    }
}

impl PairModel {
    /// The entry of that name.
    pub(crate) fn named(name: &str) -> Self {
        let all: Vec<PairModel> = read_fixture("cross_encoders.json");
        all.into_iter().find(|model| model.name == name).expect("a cross-encoder of that name")
    }

    /// Writes the model into a folder, as transformers does.
    pub(crate) fn write(&self, folder: &Path) {
        fs::create_dir_all(folder).expect("writable");
        let mut config = self.config.clone();
        config["architectures"] = json!(["BertForSequenceClassification"]);
        config["id2label"] = json!({"0": "LABEL_0"});
        write_json(folder, "config.json", &config);
        write_json(folder, "tokenizer_config.json", &json!({"model_max_length": self.limit}));
        copy_tokenizer(&self.tokenizer, folder);
        write_weights(&self.name, &shapes_of(&self.name), folder);
    }
}

fn read_fixture<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let text = fs::read(fixtures().join(name)).expect("the fixture is there");
    serde_json::from_slice(&text).expect("the fixture is sound")
}

fn shapes_of(model: &str) -> Shapes {
    let mut all: BTreeMap<String, Shapes> = read_fixture("shapes.json");
    all.remove(model).expect("the model's shapes")
}

fn write_json(folder: &Path, name: &str, value: &Value) {
    fs::write(folder.join(name), value.to_string()).expect("writable");
}

fn copy_tokenizer(kind: &str, folder: &Path) {
    let from = fixtures().join(format!("tokenizer-{kind}.json"));
    fs::copy(from, folder.join("tokenizer.json")).expect("writable");
}

fn write_weights(seed: &str, shapes: &Shapes, folder: &Path) {
    let values = |(name, shape): (&String, &Vec<usize>)| {
        let bytes = weights(&format!("{seed}/{name}"), offset_and_scale(name, shape), shape);
        (name.clone(), shape.clone(), bytes)
    };
    let data: Vec<(String, Vec<usize>, Vec<u8>)> = shapes.iter().map(values).collect();
    let views = data.iter().map(|(name, shape, bytes)| {
        (name, TensorView::new(Dtype::F32, shape.clone(), bytes).expect("shape and bytes agree"))
    });
    safetensors::serialize_to_file(views, None, &folder.join("model.safetensors")).expect("writable");
}

/// Where the architectures, their texts and the reference are.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/architectures")
}

/// Weights that decide what a token looks at.
const CHOOSING: [&str; 7] = [
    "query.weight",
    "key.weight",
    "q_lin.weight",
    "k_lin.weight",
    "attn.q.weight",
    "attn.k.weight",
    "Wqkv.weight",
];

/// A weight is offset + scale * uniform. Chosen so that activations look like a real model's: words outweigh positions,
/// attention has favorites, and the residual stream stays of order one.
fn offset_and_scale(name: &str, shape: &[usize]) -> (f32, f32) {
    let by_inputs = |factor: f64| (factor / (shape[1] as f64).sqrt()) as f32;
    match name {
        _ if name.to_lowercase().ends_with("norm.weight") => (1.0, 0.2),
        _ if name.ends_with(".bias") => (0.0, 0.2),
        _ if name.ends_with("word_embeddings.weight") || name.ends_with("tok_embeddings.weight") => {
            (0.0, 1.0)
        }
        _ if name.ends_with("position_embeddings.weight") => (0.0, 0.5),
        _ if name.ends_with("token_type_embeddings.weight") => (0.0, 0.2),
        _ if name.ends_with("relative_attention_bias.weight") => (0.0, 4.0),
        _ if CHOOSING.iter().any(|end| name.ends_with(end)) => (0.0, by_inputs(5.0)),
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
