//! A sentence transformer and a cross-encoder small enough to be made on the spot: one BERT layer of width 8 with weights
//! from a counter, in the layouts of sentence-transformers and of transformers.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;

const WIDTH: usize = 8;
const INTERMEDIATE: usize = 16;
/// Wide enough that a thousand passages take seconds.
const SLOW_INTERMEDIATE: usize = 4_096;
const SPECIAL: [&str; 4] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"];

/// Writes the model into a folder. Another `seed` gives other weights.
pub(crate) fn write(folder: &Path, seed: u32) {
    write_transformer(folder, seed, INTERMEDIATE);
}

/// The same with so much to compute that it can be interrupted.
pub(crate) fn write_slow(folder: &Path, seed: u32) {
    write_transformer(folder, seed, SLOW_INTERMEDIATE);
}

fn write_transformer(folder: &Path, seed: u32, intermediate: usize) {
    fs::create_dir_all(folder.join("1_Pooling")).expect("writable");
    let vocabulary = vocabulary();
    write_json(folder, "config.json", &config(vocabulary.len(), intermediate));
    let modules = json!([{"path": "", "type": "Transformer"}, {"path": "1_Pooling", "type": "Pooling"}]);
    write_json(folder, "modules.json", &modules);
    write_json(folder, "sentence_bert_config.json", &json!({"max_seq_length": 64}));
    write_json(folder, "1_Pooling/config.json", &json!({"pooling_mode_mean_tokens": true}));
    write_json(folder, "tokenizer.json", &tokenizer(&vocabulary));
    fs::write(folder.join("model.safetensors"), weights(bert(vocabulary.len(), intermediate), seed))
        .expect("writable");
}

/// Writes a cross-encoder into a folder.
pub(crate) fn write_reranker(folder: &Path, seed: u32) {
    fs::create_dir_all(folder).expect("writable");
    let vocabulary = vocabulary();
    let mut config = config(vocabulary.len(), INTERMEDIATE);
    config["architectures"] = json!(["BertForSequenceClassification"]);
    config["id2label"] = json!({"0": "LABEL_0"});
    write_json(folder, "config.json", &config);
    write_json(folder, "tokenizer_config.json", &json!({"model_max_length": 64}));
    write_json(folder, "tokenizer.json", &tokenizer(&vocabulary));
    let bert =
        bert(vocabulary.len(), INTERMEDIATE).into_iter().map(|(name, shape)| (format!("bert.{name}"), shape));
    let head = [("bert.pooler.dense", WIDTH), ("classifier", 1)].into_iter().flat_map(|(name, outputs)| {
        [(format!("{name}.weight"), vec![outputs, WIDTH]), (format!("{name}.bias"), vec![outputs])]
    });
    fs::write(folder.join("model.safetensors"), weights(bert.chain(head).collect(), seed)).expect("writable");
}

fn write_json(folder: &Path, name: &str, value: &serde_json::Value) {
    fs::write(folder.join(name), value.to_string()).expect("writable");
}

fn config(vocabulary: usize, intermediate: usize) -> serde_json::Value {
    json!({
        "model_type": "bert", "vocab_size": vocabulary, "hidden_size": WIDTH, "num_hidden_layers": 1,
        "num_attention_heads": 2, "intermediate_size": intermediate, "hidden_act": "gelu", "hidden_dropout_prob": 0.0,
        "max_position_embeddings": 64, "type_vocab_size": 2, "initializer_range": 0.02,
        "layer_norm_eps": 1e-12, "pad_token_id": 0
    })
}

/// The special tokens, letters and digits, alone and inside a word.
fn vocabulary() -> Vec<String> {
    let single: Vec<String> = ('a'..='z').chain('0'..='9').map(String::from).collect();
    let inside = single.iter().map(|token| format!("##{token}"));
    SPECIAL.iter().map(|token| (*token).to_owned()).chain(single.iter().cloned()).chain(inside).collect()
}

fn tokenizer(vocabulary: &[String]) -> serde_json::Value {
    let numbers: HashMap<&String, usize> = vocabulary.iter().zip(0..).collect();
    let added: Vec<_> = SPECIAL
        .iter()
        .zip(0..)
        .map(|(content, id)| {
            json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true})
        })
        .collect();
    json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": numbers}
    })
}

/// Name and shape of a tensor.
type Shape = (String, Vec<usize>);

fn bert(vocabulary: usize, intermediate: usize) -> Vec<Shape> {
    let mut shapes: Vec<Shape> = vec![
        ("embeddings.word_embeddings.weight".into(), vec![vocabulary, WIDTH]),
        ("embeddings.position_embeddings.weight".into(), vec![64, WIDTH]),
        ("embeddings.token_type_embeddings.weight".into(), vec![2, WIDTH]),
    ];
    let mut linear = |name: &str, output: usize, input: usize| {
        shapes.push((format!("{name}.weight"), vec![output, input]));
        shapes.push((format!("{name}.bias"), vec![output]));
    };
    let layer = "encoder.layer.0";
    for name in ["query", "key", "value"] {
        linear(&format!("{layer}.attention.self.{name}"), WIDTH, WIDTH);
    }
    linear(&format!("{layer}.attention.output.dense"), WIDTH, WIDTH);
    linear(&format!("{layer}.intermediate.dense"), intermediate, WIDTH);
    linear(&format!("{layer}.output.dense"), WIDTH, intermediate);
    for name in ["embeddings", "encoder.layer.0.attention.output", "encoder.layer.0.output"] {
        shapes.push((format!("{name}.LayerNorm.weight"), vec![WIDTH]));
        shapes.push((format!("{name}.LayerNorm.bias"), vec![WIDTH]));
    }
    shapes
}

fn weights(shapes: Vec<Shape>, seed: u32) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 - 0.5
    };
    let data: Vec<(String, Vec<usize>, Vec<u8>)> = shapes
        .into_iter()
        .map(|(name, shape)| {
            let count = shape.iter().product::<usize>();
            let bytes = (0..count).flat_map(|_| next().to_le_bytes()).collect();
            (name, shape, bytes)
        })
        .collect();
    let views = data.iter().map(|(name, shape, bytes)| {
        (name.clone(), TensorView::new(Dtype::F32, shape.clone(), bytes).expect("shape and bytes agree"))
    });
    safetensors::serialize(views, None).expect("the tensors are sound")
}
