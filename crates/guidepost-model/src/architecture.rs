//! What `config.json` says about the computation: which architecture, how large, and under which names the weights lie.
//!
//! BERT, DistilBERT, RoBERTa, XLM-RoBERTa and MPNet are one computation here: they differ in the names of their weights, in
//! where positions begin, in token types, and MPNet in what it adds to the scores of attention. ModernBERT is another.

use std::path::Path;

use candle_transformers::models::bert::{Config, HiddenAct};
use serde::Deserialize;

use crate::ModelError;
use crate::folder::read_json;

/// What a model computes.
#[derive(Debug, Clone)]
pub(crate) enum Architecture {
    Bert(BertConfig),
    ModernBert(ModernBertConfig),
}

/// BERT and its relatives.
#[derive(Debug, Clone)]
pub(crate) struct BertConfig {
    pub(crate) family: Family,
    /// Sizes. Token types are 0 where the family knows none.
    pub(crate) sizes: Config,
}

/// Relatives of BERT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Bert,
    DistilBert,
    /// XLM-RoBERTa is the same with another tokenizer.
    Roberta,
    Mpnet,
}

/// Sizes and constants of a ModernBERT.
#[derive(Debug, Clone)]
pub(crate) struct ModernBertConfig {
    pub(crate) vocabulary: usize,
    pub(crate) width: usize,
    pub(crate) inner: usize,
    pub(crate) heads: usize,
    /// Tokens of the longest text.
    pub(crate) positions: usize,
    pub(crate) activation: HiddenAct,
    pub(crate) epsilon: f64,
    pub(crate) padding: u32,
    /// For each layer whether its tokens see all others, or those nearby alone.
    pub(crate) global: Vec<bool>,
    /// How far a token of a local layer sees to each side.
    pub(crate) reach: usize,
    /// Base of the rotations of global and of local layers.
    pub(crate) bases: [f64; 2],
}

/// What can be run.
const SUPPORTED: &str = "bert, distilbert, roberta, xlm-roberta, mpnet and modernbert";

/// Tokens of the longest text where a model could take thousands. As many as BERTs take: what is found shall be a passage
/// to cite, and the scores of attention grow with the square of its length.
const LONGEST: usize = 512;

/// Buckets of distances in MPNet, fixed in its published code whatever its config says.
pub(crate) const MPNET_BUCKETS: usize = 32;

impl Architecture {
    /// Reads a folder's `config.json`.
    ///
    /// # Errors
    /// An architecture, activation or variant that is not implemented; a file that is missing or not understood.
    pub(crate) fn read(folder: &Path) -> Result<Self, ModelError> {
        let path = folder.join("config.json");
        let unsupported = |reason: String| ModelError::Unsupported { path: folder.to_owned(), reason };
        let kind: Kind = read_json(&path)?;
        let family = match kind.model_type.as_deref() {
            Some("bert") => Family::Bert,
            Some("distilbert") => Family::DistilBert,
            Some("roberta" | "xlm-roberta") => Family::Roberta,
            Some("mpnet") => Family::Mpnet,
            Some("modernbert") => {
                let written: WrittenModernBert = read_json(&path)?;
                return written.config().map(Architecture::ModernBert).map_err(unsupported);
            }
            other => {
                let found = other.unwrap_or("none");
                return Err(unsupported(format!("its architecture is `{found}`; supported are {SUPPORTED}")));
            }
        };
        let written: WrittenBert = read_json(&path)?;
        written.config(family).map(Architecture::Bert).map_err(unsupported)
    }

    /// Components of a token's vector.
    pub(crate) fn width(&self) -> usize {
        match self {
            Architecture::Bert(bert) => bert.sizes.hidden_size,
            Architecture::ModernBert(modern) => modern.width,
        }
    }

    /// Tokens of the longest text.
    pub(crate) fn positions(&self) -> usize {
        match self {
            Architecture::Bert(bert) => {
                let before = bert.padding_before().map_or(0, |padding| padding as usize + 1);
                bert.sizes.max_position_embeddings.saturating_sub(before)
            }
            Architecture::ModernBert(modern) => modern.positions,
        }
    }

    /// Multiplications and additions (two operations each) for a text of so many tokens.
    pub(crate) fn operations(&self, tokens: usize) -> usize {
        match self {
            Architecture::Bert(BertConfig { sizes, .. }) => {
                let (width, inner) = (sizes.hidden_size, sizes.intermediate_size);
                let linear = 4 * width * width + 2 * width * inner;
                2 * sizes.num_hidden_layers * (tokens * linear + 2 * tokens * tokens * width)
            }
            Architecture::ModernBert(modern) => {
                let linear = 4 * modern.width * modern.width + 3 * modern.width * modern.inner;
                // Local layers compute all scores and mask those far away.
                2 * modern.global.len() * (tokens * linear + 2 * tokens * tokens * modern.width)
            }
        }
    }
}

impl BertConfig {
    /// A BERT of these sizes.
    #[cfg(test)]
    pub(crate) fn bert(sizes: &Config) -> Self {
        BertConfig { family: Family::Bert, sizes: sizes.clone() }
    }

    /// The token that stands for padding, where a text's positions begin after its number.
    pub(crate) fn padding_before(&self) -> Option<u32> {
        match self.family {
            Family::Bert | Family::DistilBert => None,
            // Fixed in the published code, whatever its config says.
            Family::Mpnet => Some(1),
            Family::Roberta => Some(self.sizes.pad_token_id as u32),
        }
    }
}

impl Family {
    /// What may stand before every name: the model was saved with a head.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Family::Bert => "bert.",
            Family::DistilBert => "distilbert.",
            Family::Roberta => "roberta.",
            Family::Mpnet => "mpnet.",
        }
    }

    /// The name that the family's files give to the tensor that BERT's call `name`.
    pub(crate) fn name(self, name: &str) -> String {
        let renamed = |start: (&str, &str), parts: &[(&str, &str)]| match name.strip_prefix(start.0) {
            None => name.to_owned(),
            Some(rest) => {
                let found = parts.iter().find_map(|(bert, own)| Some(rest.split_once(bert)?).zip(Some(own)));
                let rest = found.map_or_else(|| rest.to_owned(), |((a, b), own)| format!("{a}{own}{b}"));
                format!("{}{rest}", start.1)
            }
        };
        match self {
            Family::Bert | Family::Roberta => name.to_owned(),
            Family::DistilBert => renamed(("encoder.layer.", "transformer.layer."), DISTILBERT_PARTS),
            Family::Mpnet => renamed(("encoder.layer.", "encoder.layer."), MPNET_PARTS),
        }
    }
}

/// Parts of a layer, BERT's name and the other's; those that contain others come first.
const DISTILBERT_PARTS: &[(&str, &str)] = &[
    (".attention.self.query", ".attention.q_lin"),
    (".attention.self.key", ".attention.k_lin"),
    (".attention.self.value", ".attention.v_lin"),
    (".attention.output.dense", ".attention.out_lin"),
    (".attention.output.LayerNorm", ".sa_layer_norm"),
    (".intermediate.dense", ".ffn.lin1"),
    (".output.dense", ".ffn.lin2"),
    (".output.LayerNorm", ".output_layer_norm"),
];

const MPNET_PARTS: &[(&str, &str)] = &[
    (".attention.self.query", ".attention.attn.q"),
    (".attention.self.key", ".attention.attn.k"),
    (".attention.self.value", ".attention.attn.v"),
    (".attention.output.dense", ".attention.attn.o"),
    (".attention.output.LayerNorm", ".attention.LayerNorm"),
];

/// The bucket of MPNet's table for a key so many tokens after the query: small distances have one each, larger ones share,
/// half an octave each. The published code takes logarithms; these are where their whole part steps.
pub(crate) fn mpnet_bucket(after: isize) -> usize {
    const STEPS: [usize; 7] = [12, 16, 23, 32, 46, 64, 91];
    let distance = after.unsigned_abs();
    let side = if after > 0 { MPNET_BUCKETS / 2 } else { 0 };
    let bucket = match distance {
        0..8 => distance,
        _ => 8 + STEPS.iter().filter(|&&step| distance >= step).count(),
    };
    side + bucket
}

#[derive(Deserialize)]
struct Kind {
    model_type: Option<String>,
}

/// The `config.json` of a BERT or a relative. DistilBERT has names of its own.
#[derive(Deserialize)]
struct WrittenBert {
    vocab_size: usize,
    #[serde(alias = "dim")]
    hidden_size: usize,
    #[serde(alias = "n_layers")]
    num_hidden_layers: usize,
    #[serde(alias = "n_heads")]
    num_attention_heads: usize,
    #[serde(alias = "hidden_dim")]
    intermediate_size: usize,
    #[serde(alias = "activation")]
    hidden_act: String,
    #[serde(default = "default_positions")]
    max_position_embeddings: usize,
    type_vocab_size: Option<usize>,
    layer_norm_eps: Option<f64>,
    pad_token_id: Option<usize>,
    position_embedding_type: Option<String>,
    relative_attention_num_buckets: Option<usize>,
}

fn default_positions() -> usize {
    512
}

impl WrittenBert {
    fn config(self, family: Family) -> Result<BertConfig, String> {
        check_heads(self.hidden_size, self.num_attention_heads)?;
        if let Some(kind) = self.position_embedding_type.filter(|kind| kind != "absolute") {
            return Err(format!("its positions are `{kind}`; supported are absolute ones"));
        }
        if self.relative_attention_num_buckets.is_some_and(|buckets| buckets != MPNET_BUCKETS) {
            return Err(format!("its relative positions have other than {MPNET_BUCKETS} buckets"));
        }
        let types = match family {
            Family::Bert => self.type_vocab_size.unwrap_or(2),
            Family::Roberta => self.type_vocab_size.unwrap_or(1),
            Family::DistilBert | Family::Mpnet => 0,
        };
        let padding = if family == Family::Bert || family == Family::DistilBert { 0 } else { 1 };
        let sizes = Config {
            vocab_size: self.vocab_size,
            hidden_size: self.hidden_size,
            num_hidden_layers: self.num_hidden_layers,
            num_attention_heads: self.num_attention_heads,
            intermediate_size: self.intermediate_size,
            hidden_act: activation(&self.hidden_act)?,
            max_position_embeddings: self.max_position_embeddings,
            type_vocab_size: types,
            layer_norm_eps: self.layer_norm_eps.unwrap_or(1e-12),
            pad_token_id: self.pad_token_id.unwrap_or(padding),
            ..Config::default()
        };
        Ok(BertConfig { family, sizes })
    }
}

/// The `config.json` of a ModernBERT, of transformers 4 or of transformers 5, which names layers and rotations one by one.
#[derive(Deserialize)]
struct WrittenModernBert {
    vocab_size: usize,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    hidden_activation: String,
    max_position_embeddings: usize,
    #[serde(default = "default_epsilon")]
    norm_eps: f64,
    pad_token_id: u32,
    #[serde(default)]
    norm_bias: bool,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    mlp_bias: bool,
    local_attention: usize,
    global_attn_every_n_layers: Option<usize>,
    layer_types: Option<Vec<String>>,
    global_rope_theta: Option<f64>,
    local_rope_theta: Option<f64>,
    rope_parameters: Option<WrittenRotations>,
}

#[derive(Deserialize)]
struct WrittenRotations {
    full_attention: Option<WrittenRotation>,
    sliding_attention: Option<WrittenRotation>,
}

#[derive(Deserialize)]
struct WrittenRotation {
    rope_theta: Option<f64>,
    rope_type: Option<String>,
}

fn default_epsilon() -> f64 {
    1e-5
}

impl WrittenModernBert {
    fn config(self) -> Result<ModernBertConfig, String> {
        check_heads(self.hidden_size, self.num_attention_heads)?;
        if self.norm_bias || self.attention_bias || self.mlp_bias {
            return Err("it has biases; supported is ModernBERT without them".into());
        }
        let (full, sliding) = match &self.rope_parameters {
            Some(rotations) => (rotations.full_attention.as_ref(), rotations.sliding_attention.as_ref()),
            None => (None, None),
        };
        let kinds =
            [full, sliding].into_iter().flatten().filter_map(|rotation| rotation.rope_type.as_deref());
        if let Some(kind) = kinds.into_iter().find(|kind| *kind != "default") {
            return Err(format!("its rotations are of type `{kind}`; supported is `default`"));
        }
        let base = |rotation: Option<&WrittenRotation>, older: Option<f64>, default: f64| {
            rotation.and_then(|rotation| rotation.rope_theta).or(older).unwrap_or(default)
        };
        // Defaults of the published code.
        let bases =
            [base(full, self.global_rope_theta, 160_000.0), base(sliding, self.local_rope_theta, 10_000.0)];
        Ok(ModernBertConfig {
            vocabulary: self.vocab_size,
            width: self.hidden_size,
            inner: self.intermediate_size,
            heads: self.num_attention_heads,
            positions: self.max_position_embeddings.min(LONGEST),
            activation: activation(&self.hidden_activation)?,
            epsilon: self.norm_eps,
            padding: self.pad_token_id,
            global: self.layers()?,
            reach: self.local_attention / 2,
            bases,
        })
    }

    fn layers(&self) -> Result<Vec<bool>, String> {
        let Some(types) = &self.layer_types else {
            let every = self.global_attn_every_n_layers.unwrap_or(3).max(1);
            return Ok((0..self.num_hidden_layers).map(|layer| layer % every == 0).collect());
        };
        if types.len() != self.num_hidden_layers {
            return Err(format!("it names {} layers and has {}", types.len(), self.num_hidden_layers));
        }
        let global = |kind: &String| match kind.as_str() {
            "full_attention" => Ok(true),
            "sliding_attention" => Ok(false),
            other => {
                Err(format!("it has a layer of type `{other}`; supported are full and sliding attention"))
            }
        };
        types.iter().map(global).collect()
    }
}

fn check_heads(width: usize, heads: usize) -> Result<(), String> {
    match heads > 0 && width.is_multiple_of(heads) {
        true => Ok(()),
        false => Err(format!("its width of {width} is no multiple of its {heads} heads")),
    }
}

/// The function behind a name of transformers.
fn activation(name: &str) -> Result<HiddenAct, String> {
    match name {
        "gelu" => Ok(HiddenAct::Gelu),
        "gelu_new" | "gelu_fast" | "gelu_pytorch_tanh" => Ok(HiddenAct::GeluApproximate),
        "relu" => Ok(HiddenAct::Relu),
        other => Err(format!(
            "its activation is `{other}`; supported are gelu, gelu_new, gelu_fast, gelu_pytorch_tanh and relu"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_each_family() {
        #[track_caller]
        fn check(family: Family, name: &str, expected: &str) {
            assert_eq!(family.name(name), expected);
        }
        let words = "embeddings.word_embeddings.weight";
        for family in [Family::Bert, Family::DistilBert, Family::Roberta, Family::Mpnet] {
            check(family, words, words);
            check(family, "embeddings.LayerNorm.bias", "embeddings.LayerNorm.bias");
        }
        for (name, distilbert, mpnet) in [
            ("attention.self.query.weight", "attention.q_lin.weight", "attention.attn.q.weight"),
            ("attention.output.dense.bias", "attention.out_lin.bias", "attention.attn.o.bias"),
            ("attention.output.LayerNorm.bias", "sa_layer_norm.bias", "attention.LayerNorm.bias"),
            ("intermediate.dense.weight", "ffn.lin1.weight", "intermediate.dense.weight"),
            ("output.dense.weight", "ffn.lin2.weight", "output.dense.weight"),
            ("output.LayerNorm.weight", "output_layer_norm.weight", "output.LayerNorm.weight"),
        ] {
            let bert = format!("encoder.layer.3.{name}");
            check(Family::Roberta, &bert, &bert);
            check(Family::DistilBert, &bert, &format!("transformer.layer.3.{distilbert}"));
            check(Family::Mpnet, &bert, &format!("encoder.layer.3.{mpnet}"));
        }
    }

    #[test]
    fn buckets_step_where_the_logarithms_do() {
        let logarithm = |distance: usize| {
            let octaves = (distance as f64 / 8.0).ln() / 16.0_f64.ln();
            (8 + (octaves * 8.0 + 1e-9) as usize).min(15)
        };
        for distance in 0..700_usize {
            let expected = if distance < 8 { distance } else { logarithm(distance) };
            assert_eq!(mpnet_bucket(-(distance as isize)), expected, "{distance} before");
            let after = if distance == 0 { 0 } else { 16 + expected };
            assert_eq!(mpnet_bucket(distance as isize), after, "{distance} after");
        }
    }
}
