//! Small BERTs with random weights, and texts for them: what the fast paths are tested on.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{Config, HiddenAct};

use crate::token_row::TokenRow;
use guidepost_text::Random;

const VOCABULARY: usize = 50;

/// Weights under the names that files give them.
pub(crate) struct TinyBert {
    pub(crate) seed: u64,
    pub(crate) config: Config,
    pub(crate) tensors: HashMap<String, Tensor>,
}

impl TinyBert {
    pub(crate) fn new(seed: u64, layers: usize, hidden: usize, heads: usize, activation: HiddenAct) -> Self {
        let config = Config {
            vocab_size: VOCABULARY,
            hidden_size: hidden,
            num_hidden_layers: layers,
            num_attention_heads: heads,
            intermediate_size: 4 * hidden,
            hidden_act: activation,
            max_position_embeddings: 64,
            type_vocab_size: 2,
            ..Config::default()
        };
        let mut random = Random(seed);
        let tensors = names(&config).into_iter().map(|(name, shape)| {
            let tensor = weights(&mut random, &name, &shape);
            (name, tensor)
        });
        TinyBert { seed, tensors: tensors.collect(), config }
    }

    pub(crate) fn variables(&self) -> VarBuilder<'static> {
        VarBuilder::from_tensors(self.tensors.clone(), DType::F32, &Device::Cpu)
    }
}

/// Large enough to make attention choose, small enough to stay far from what f16 can hold.
fn weights(random: &mut Random, name: &str, shape: &[usize]) -> Tensor {
    let around = if name.ends_with("LayerNorm.weight") { 1.0 } else { 0.0 };
    let mut value = || (around + 0.6 * (random.unit() - 0.5)) as f32;
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| value()).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).expect("as many values as the shape says")
}

fn names(config: &Config) -> Vec<(String, Vec<usize>)> {
    let (hidden, wide) = (config.hidden_size, config.intermediate_size);
    let mut names = vec![
        ("embeddings.word_embeddings.weight".to_owned(), vec![config.vocab_size, hidden]),
        ("embeddings.position_embeddings.weight".to_owned(), vec![config.max_position_embeddings, hidden]),
        ("embeddings.token_type_embeddings.weight".to_owned(), vec![config.type_vocab_size, hidden]),
    ];
    let mut pair = |name: String, shape: Vec<usize>| {
        names.push((format!("{name}.bias"), vec![shape[0]]));
        names.push((format!("{name}.weight"), shape));
    };
    pair("embeddings.LayerNorm".to_owned(), vec![hidden]);
    for layer in 0..config.num_hidden_layers {
        for (name, shape) in [
            ("attention.self.query", vec![hidden, hidden]),
            ("attention.self.key", vec![hidden, hidden]),
            ("attention.self.value", vec![hidden, hidden]),
            ("attention.output.dense", vec![hidden, hidden]),
            ("attention.output.LayerNorm", vec![hidden]),
            ("intermediate.dense", vec![wide, hidden]),
            ("output.dense", vec![hidden, wide]),
            ("output.LayerNorm", vec![hidden]),
        ] {
            pair(format!("encoder.layer.{layer}.{name}"), shape);
        }
    }
    names
}

/// Random tokens.
pub(crate) struct Texts(Vec<(Vec<u32>, Vec<u32>)>);

impl Texts {
    /// Texts of these lengths, with this many token types.
    pub(crate) fn new(seed: u64, lengths: &[usize], types: usize) -> Self {
        let mut random = Random(seed ^ 0x7e57);
        let mut tokens = |length: usize, end: usize| -> Vec<u32> {
            (0..length).map(|_| random.below(end) as u32).collect()
        };
        Texts(lengths.iter().map(|&length| (tokens(length, VOCABULARY), tokens(length, types))).collect())
    }

    pub(crate) fn rows(&self) -> Vec<TokenRow<'_>> {
        self.0.iter().map(|(ids, types)| TokenRow { ids, types }).collect()
    }

    pub(crate) fn lengths(&self) -> Vec<usize> {
        self.0.iter().map(|(ids, _)| ids.len()).collect()
    }
}
