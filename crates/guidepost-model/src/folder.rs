//! A model folder in sentence-transformers' layout. Everything that shapes a vector is read from it, nothing assumed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::ModelError;
use crate::architecture::Architecture;
use crate::dense::{DenseActivation, DenseShape};

/// What the folder says.
#[derive(Debug, Clone)]
pub(crate) struct ModelFolder {
    pub(crate) path: PathBuf,
    pub(crate) architecture: Architecture,
    pub(crate) pooling: Pooling,
    /// What follows pooling, in order.
    pub(crate) steps: Vec<Step>,
    pub(crate) max_tokens: usize,
    /// Letters are made small before the tokenizer sees them.
    pub(crate) lowercase: bool,
    pub(crate) prompts: Prompts,
}

/// How token vectors become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pooling {
    Mean,
    Cls,
}

/// What is done to a text's vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Scaling to length 1.
    Normalize,
    /// A linear layer, whose weights are in a folder of that name.
    Dense { folder: String, shape: DenseShape },
}

/// What is put before a text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Prompts {
    #[serde(default)]
    pub(crate) question: String,
    #[serde(default)]
    pub(crate) passage: String,
}

#[derive(Deserialize)]
struct ModuleEntry {
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

/// The older form has a flag per mode, the newer one a name or a list of names.
#[derive(Deserialize)]
struct PoolingConfig {
    #[serde(flatten)]
    flags: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct DenseConfig {
    in_features: usize,
    out_features: usize,
    #[serde(default = "yes")]
    bias: bool,
    activation_function: Option<String>,
    #[serde(default)]
    use_residual: bool,
    module_input_name: Option<String>,
    module_output_name: Option<String>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize, Default)]
struct SequenceConfig {
    max_seq_length: Option<usize>,
    #[serde(default)]
    do_lower_case: bool,
}

#[derive(Deserialize, Default)]
struct TokenizerConfig {
    /// A number beyond all integers where there is no limit.
    model_max_length: Option<f64>,
}

#[derive(Deserialize, Default)]
struct PromptConfig {
    #[serde(default)]
    prompts: BTreeMap<String, Option<String>>,
    default_prompt_name: Option<String>,
}

/// Names that sentence-transformers gave to the file that now is the first.
const SEQUENCE_CONFIGS: [&str; 4] = [
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_xlm-roberta_config.json",
];

/// Names that models in use give to the prompts of the two sides.
const QUESTION_PROMPTS: [&str; 2] = ["query", "question"];
const PASSAGE_PROMPTS: [&str; 3] = ["document", "passage", "corpus"];

impl ModelFolder {
    pub(crate) fn read(path: &Path) -> Result<Self, ModelError> {
        let architecture = Architecture::read(path)?;
        let (pooling, steps) = read_modules(path, architecture.width())?;
        let (max_tokens, lowercase) = read_limit(path, architecture.positions())?;
        Ok(ModelFolder {
            path: path.to_owned(),
            architecture,
            pooling,
            steps,
            max_tokens,
            lowercase,
            prompts: read_prompts(path)?,
        })
    }

    /// Components of a text's vector.
    pub(crate) fn dimensions(&self) -> usize {
        let outputs = |step: &Step| match step {
            Step::Dense { shape, .. } => Some(shape.outputs),
            Step::Normalize => None,
        };
        self.steps.iter().rev().find_map(outputs).unwrap_or_else(|| self.architecture.width())
    }
}

/// The pooling, and what follows it.
fn read_modules(folder: &Path, mut width: usize) -> Result<(Pooling, Vec<Step>), ModelError> {
    let unsupported = |reason: String| ModelError::Unsupported { path: folder.to_owned(), reason };
    let path = folder.join("modules.json");
    if !path.exists() && has_head(folder) {
        return Err(unsupported("it is a classifier or reranker, and embeds nothing".into()));
    }
    let modules: Vec<ModuleEntry> = read_json(&path)?;
    let mut pooling = None;
    let mut steps = Vec::new();
    for module in &modules {
        match (module.kind.rsplit('.').next().unwrap_or_default(), pooling.is_some()) {
            ("Transformer", false) if module.path.is_empty() => {}
            ("Transformer", _) => {
                return Err(unsupported("its transformer is not in the folder itself".into()));
            }
            ("Pooling", false) => pooling = Some(read_pooling(folder, &module.path)?),
            ("Normalize", true) => steps.push(Step::Normalize),
            ("Dense", true) => {
                let shape = read_dense(folder, &module.path, width)?;
                width = shape.outputs;
                steps.push(Step::Dense { folder: module.path.clone(), shape });
            }
            (other, _) => {
                return Err(unsupported(format!(
                    "its modules.json has a `{other}` module there; supported are Transformer, Pooling, and after it Dense and Normalize"
                )));
            }
        }
    }
    let pooling = pooling.ok_or_else(|| unsupported("its modules.json names no pooling".into()))?;
    Ok((pooling, steps))
}

/// Whether `config.json` tells of a head that makes scores.
fn has_head(folder: &Path) -> bool {
    let config: Result<serde_json::Value, _> = read_json(&folder.join("config.json"));
    let kind = config.ok().and_then(|config| Some(config["architectures"][0].as_str()?.to_owned()));
    kind.is_some_and(|kind| kind.ends_with("ForSequenceClassification"))
}

fn read_pooling(folder: &Path, module: &str) -> Result<Pooling, ModelError> {
    let path = folder.join(module).join("config.json");
    let PoolingConfig { flags } = read_json(&path)?;
    let unsupported = |reason: &str| ModelError::Unsupported {
        path: folder.to_owned(),
        reason: format!("`{}` asks for {reason}", path.display()),
    };
    if flags.get("include_prompt") == Some(&false.into()) {
        return Err(unsupported("pooling without the prompt, which is not supported"));
    }
    let modes: Vec<&str> = match flags.get("pooling_mode") {
        Some(serde_json::Value::Array(names)) => names.iter().filter_map(|name| name.as_str()).collect(),
        Some(name) => name.as_str().into_iter().collect(),
        None => {
            let set = flags.iter().filter(|(_, value)| **value == true);
            set.filter_map(|(name, _)| name.strip_prefix("pooling_mode_")).collect()
        }
    };
    match modes[..] {
        ["mean" | "mean_tokens"] => Ok(Pooling::Mean),
        ["cls" | "cls_token"] => Ok(Pooling::Cls),
        _ => Err(unsupported("another pooling than mean or cls alone")),
    }
}

fn read_dense(folder: &Path, module: &str, width: usize) -> Result<DenseShape, ModelError> {
    let path = folder.join(module).join("config.json");
    let config: DenseConfig = read_json(&path)?;
    let unsupported = |reason: String| ModelError::Unsupported {
        path: folder.to_owned(),
        reason: format!("`{}` {reason}", path.display()),
    };
    let name = config.activation_function.as_deref().unwrap_or("Tanh");
    let activation = match name.rsplit('.').next().unwrap_or_default() {
        "Tanh" => DenseActivation::Tanh,
        "Identity" => DenseActivation::Identity,
        _ => {
            return Err(unsupported(format!("has the activation `{name}`; supported are Tanh and Identity")));
        }
    };
    if config.use_residual {
        return Err(unsupported("has a residual, which is not supported".into()));
    }
    let names = [config.module_input_name, config.module_output_name];
    if let Some(name) = names.into_iter().flatten().find(|name| name != "sentence_embedding") {
        return Err(unsupported(format!("works on `{name}`; supported is `sentence_embedding`")));
    }
    let inputs = config.in_features;
    if inputs != width {
        let reason = format!("it takes {inputs} components, but gets {width}");
        return Err(ModelError::Damaged { path, reason });
    }
    Ok(DenseShape { inputs, outputs: config.out_features, bias: config.bias, activation })
}

/// Tokens of the longest text, and whether letters are made small.
fn read_limit(folder: &Path, positions: usize) -> Result<(usize, bool), ModelError> {
    let written = SEQUENCE_CONFIGS.iter().map(|name| folder.join(name)).find(|path| path.exists());
    let sequence: SequenceConfig =
        written.map_or_else(|| Ok(SequenceConfig::default()), |path| read_json(&path))?;
    let limit = match sequence.max_seq_length {
        Some(limit) => limit,
        None => tokenizer_limit(folder)?.unwrap_or(positions),
    };
    Ok((limit.min(positions), sequence.do_lower_case))
}

/// What `tokenizer_config.json` says about the longest input, if it says anything.
pub(crate) fn tokenizer_limit(folder: &Path) -> Result<Option<usize>, ModelError> {
    let config: TokenizerConfig = read_if_there(&folder.join("tokenizer_config.json"))?;
    Ok(config.model_max_length.map(|limit| limit as usize))
}

/// The default prompt is for both sides, unless it is one side's own.
fn read_prompts(folder: &Path) -> Result<Prompts, ModelError> {
    let config: PromptConfig = read_if_there(&folder.join("config_sentence_transformers.json"))?;
    let text = |name: &str| config.prompts.get(name).cloned().flatten();
    let sided = |name: &&str| QUESTION_PROMPTS.contains(name) || PASSAGE_PROMPTS.contains(name);
    let default = config.default_prompt_name.as_deref().filter(|name| !sided(name)).and_then(text);
    // A prompt that is there and empty says nothing: sentence-transformers writes both names into every model.
    let prompt = |names: &[&str]| {
        let named = names.iter().filter_map(|name| text(name)).find(|prompt| !prompt.is_empty());
        named.or_else(|| default.clone()).unwrap_or_default()
    };
    Ok(Prompts { question: prompt(&QUESTION_PROMPTS), passage: prompt(&PASSAGE_PROMPTS) })
}

fn read_if_there<T: DeserializeOwned + Default>(path: &Path) -> Result<T, ModelError> {
    if path.exists() { read_json(path) } else { Ok(T::default()) }
}

pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, ModelError> {
    let bytes = fs::read(path).map_err(|error| ModelError::Missing { path: path.to_owned(), error })?;
    serde_json::from_slice(&bytes)
        .map_err(|error| ModelError::Damaged { path: path.to_owned(), reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BERT: &str = r#"{"model_type": "bert", "vocab_size": 8, "hidden_size": 4, "num_hidden_layers": 1,
        "num_attention_heads": 1, "intermediate_size": 4, "hidden_act": "gelu", "hidden_dropout_prob": 0.1,
        "max_position_embeddings": 64, "type_vocab_size": 2, "initializer_range": 0.02, "layer_norm_eps": 1e-12,
        "pad_token_id": 0}"#;
    const MODULES: &str =
        r#"[{"path": "", "type": "x.Transformer"}, {"path": "1_Pooling", "type": "x.Pooling"}]"#;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(root.path().join("1_Pooling")).expect("writable");
        for (name, text) in files {
            fs::write(root.path().join(name), text).expect("writable");
        }
        root
    }

    #[test]
    fn everything_is_read_from_the_folder() {
        let root = folder(&[
            ("config.json", BERT),
            ("modules.json", MODULES),
            ("1_Pooling/config.json", r#"{"pooling_mode_cls_token": true}"#),
            ("sentence_bert_config.json", r#"{"max_seq_length": 512}"#),
            (
                "config_sentence_transformers.json",
                r#"{"prompts": {"query": "query: ", "document": "text: "}}"#,
            ),
        ]);
        let read = ModelFolder::read(root.path()).expect("it is complete");
        assert_eq!((read.pooling, read.max_tokens), (Pooling::Cls, 64));
        assert_eq!(read.prompts, Prompts { question: "query: ".into(), passage: "text: ".into() });
    }

    #[test]
    fn what_is_missing_or_unknown_is_named() {
        #[track_caller]
        fn check(files: &[(&str, &str)], expected: &str) {
            let error = ModelFolder::read(folder(files).path()).expect_err("it cannot be run").to_string();
            assert!(error.contains(expected), "{error}");
        }
        check(&[], "config.json");
        check(&[("config.json", "{")], "damaged");
        check(&[("config.json", r#"{"model_type": "t5"}"#)], "`t5`; supported are bert, distilbert");
        check(&[("config.json", BERT)], "modules.json");
        check(&[("config.json", BERT), ("modules.json", "[]")], "names no pooling");
        let early = MODULES.replace("x.Transformer", "x.Dense");
        check(
            &[("config.json", BERT), ("modules.json", &early)],
            "`Dense` module there; supported are Transformer",
        );
        let other = MODULES.replace("x.Pooling", "x.WordWeights");
        check(&[("config.json", BERT), ("modules.json", &other)], "`WordWeights`");
        check(&[("config.json", &BERT.replace("\"gelu\"", "\"silu\""))], "supported are gelu");
        check(
            &[("config.json", &BERT.replace("\"num_attention_heads\": 1", "\"num_attention_heads\": 3"))],
            "3 heads",
        );
        let both = r#"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true}"#;
        check(
            &[("config.json", BERT), ("modules.json", MODULES), ("1_Pooling/config.json", both)],
            "pooling",
        );
        let without = r#"{"pooling_mode": "mean", "include_prompt": false}"#;
        check(
            &[("config.json", BERT), ("modules.json", MODULES), ("1_Pooling/config.json", without)],
            "without the prompt",
        );
    }

    #[test]
    fn dense_modules_are_read_or_refused() {
        const MODULES: &str = r#"[{"path": "", "type": "x.Transformer"}, {"path": "1_Pooling", "type": "x.Pooling"},
            {"path": "2_Dense", "type": "x.Dense"}, {"path": "3_Normalize", "type": "x.Normalize"}]"#;
        let read = |dense: &str| {
            let root = folder(&[
                ("config.json", BERT),
                ("modules.json", MODULES),
                ("1_Pooling/config.json", r#"{"pooling_mode": ["mean"]}"#),
            ]);
            fs::create_dir(root.path().join("2_Dense")).expect("writable");
            fs::write(root.path().join("2_Dense/config.json"), dense).expect("writable");
            ModelFolder::read(root.path())
        };
        let tanh = "torch.nn.modules.activation.Tanh";
        let sound = format!(r#"{{"in_features": 4, "out_features": 9, "activation_function": "{tanh}"}}"#);
        let sound = read(&sound).expect("it is sound");
        let shape = DenseShape { inputs: 4, outputs: 9, bias: true, activation: DenseActivation::Tanh };
        assert_eq!(sound.steps, [Step::Dense { folder: "2_Dense".into(), shape }, Step::Normalize]);
        assert_eq!(sound.dimensions(), 9);
        for (dense, expected) in [
            (r#"{"in_features": 5, "out_features": 9}"#, "takes 5 components, but gets 4"),
            (r#"{"in_features": 4, "out_features": 9, "use_residual": true}"#, "residual"),
            (r#"{"in_features": 4, "out_features": 9, "module_input_name": "x"}"#, "`x`"),
            (
                r#"{"in_features": 4, "out_features": 9, "activation_function": "torch.nn.GELU"}"#,
                "`torch.nn.GELU`; supported are Tanh and Identity",
            ),
        ] {
            let error = read(dense).expect_err("it is not supported").to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_default_prompt_is_for_both_sides_unless_it_is_one_sides_own() {
        #[track_caller]
        fn check(config: &str, question: &str, passage: &str) {
            let root = folder(&[("config_sentence_transformers.json", config)]);
            let expected = Prompts { question: question.into(), passage: passage.into() };
            assert_eq!(read_prompts(root.path()).expect("it is sound"), expected, "{config}");
        }
        check("{}", "", "");
        check(r#"{"prompts": {"query": "q: ", "passage": "p: ", "document": ""}}"#, "q: ", "p: ");
        check(r#"{"prompts": {"query": null, "both": "b: "}, "default_prompt_name": "both"}"#, "b: ", "b: ");
        check(r#"{"prompts": {"query": "q: "}, "default_prompt_name": "query"}"#, "q: ", "");
        check(r#"{"prompts": {"query": "q: "}, "default_prompt_name": null}"#, "q: ", "");
    }

    #[test]
    fn a_limit_is_found_where_it_is_written() {
        #[track_caller]
        fn check(files: &[(&str, &str)], limit: usize) {
            let found = read_limit(folder(files).path(), 128).expect("it is sound");
            assert_eq!(found.0, limit, "{files:?}");
        }
        let tokenizer = ("tokenizer_config.json", r#"{"model_max_length": 100}"#);
        check(&[], 128);
        check(&[tokenizer], 100);
        check(&[("tokenizer_config.json", r#"{"model_max_length": 1000000000000000019884624838656}"#)], 128);
        check(&[tokenizer, ("sentence_roberta_config.json", r#"{"max_seq_length": 64}"#)], 64);
        check(&[("sentence_bert_config.json", r#"{"max_seq_length": null}"#)], 128);
    }
}
