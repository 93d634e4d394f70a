//! A model folder in sentence-transformers' layout. Everything that shapes a vector is read from it, nothing assumed.

use std::fs;
use std::path::{Path, PathBuf};

use candle_transformers::models::bert::Config;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::ModelError;

/// What the folder says.
#[derive(Debug, Clone)]
pub(crate) struct ModelFolder {
    pub(crate) path: PathBuf,
    pub(crate) bert: Config,
    pub(crate) pooling: Pooling,
    pub(crate) max_tokens: usize,
    pub(crate) prompts: Prompts,
}

/// How token vectors become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pooling {
    Mean,
    Cls,
}

/// What is put before a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Prompts {
    pub(crate) question: String,
    pub(crate) passage: String,
}

#[derive(Deserialize)]
struct ModuleEntry {
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct PoolingConfig {
    #[serde(default)]
    pooling_mode_cls_token: bool,
    #[serde(default)]
    pooling_mode_mean_tokens: bool,
    #[serde(default)]
    pooling_mode_max_tokens: bool,
    #[serde(default)]
    pooling_mode_mean_sqrt_len_tokens: bool,
}

#[derive(Deserialize)]
struct SequenceConfig {
    max_seq_length: Option<usize>,
}

#[derive(Deserialize, Default)]
struct PromptConfig {
    #[serde(default)]
    prompts: std::collections::BTreeMap<String, String>,
    default_prompt_name: Option<String>,
}

#[derive(Deserialize)]
struct Architecture {
    model_type: Option<String>,
    max_position_embeddings: Option<usize>,
}

impl ModelFolder {
    pub(crate) fn read(path: &Path) -> Result<Self, ModelError> {
        let unsupported = |reason: String| ModelError::Unsupported { path: path.to_owned(), reason };
        let architecture: Architecture = read_json(&path.join("config.json"))?;
        if architecture.model_type.as_deref() != Some("bert") {
            let found = architecture.model_type.unwrap_or_else(|| "none".into());
            return Err(unsupported(format!(
                "its architecture is `{found}`; so far only `bert` is supported"
            )));
        }
        let modules: Vec<ModuleEntry> = read_json(&path.join("modules.json"))?;
        let mut pooling = None;
        for module in &modules {
            match module.kind.rsplit('.').next().unwrap_or_default() {
                "Transformer" | "Normalize" => {}
                "Pooling" => pooling = Some(read_pooling(path, &module.path)?),
                other => {
                    return Err(unsupported(format!(
                        "it has a `{other}` module, which is not supported yet"
                    )));
                }
            }
        }
        let pooling = pooling.ok_or_else(|| unsupported("its modules.json names no pooling".into()))?;
        let sequence: SequenceConfig = read_json(&path.join("sentence_bert_config.json"))?;
        let positions = architecture.max_position_embeddings.unwrap_or(512);
        Ok(ModelFolder {
            path: path.to_owned(),
            bert: read_json(&path.join("config.json"))?,
            pooling,
            max_tokens: sequence.max_seq_length.unwrap_or(positions).min(positions),
            prompts: read_prompts(path)?,
        })
    }
}

fn read_pooling(folder: &Path, module: &str) -> Result<Pooling, ModelError> {
    let path = folder.join(module).join("config.json");
    let config: PoolingConfig = read_json(&path)?;
    let others = config.pooling_mode_max_tokens || config.pooling_mode_mean_sqrt_len_tokens;
    match (config.pooling_mode_mean_tokens, config.pooling_mode_cls_token, others) {
        (true, false, false) => Ok(Pooling::Mean),
        (false, true, false) => Ok(Pooling::Cls),
        _ => Err(ModelError::Unsupported {
            path: folder.to_owned(),
            reason: format!("`{}` asks for another pooling than mean or cls alone", path.display()),
        }),
    }
}

/// Names that models in use give to the two sides.
fn read_prompts(folder: &Path) -> Result<Prompts, ModelError> {
    let path = folder.join("config_sentence_transformers.json");
    let config: PromptConfig = if path.exists() { read_json(&path)? } else { PromptConfig::default() };
    let default = config.default_prompt_name.as_deref().and_then(|name| config.prompts.get(name));
    let prompt = |names: &[&str]| {
        let named = names.iter().find_map(|name| config.prompts.get(*name));
        named.or(default).cloned().unwrap_or_default()
    };
    Ok(Prompts {
        question: prompt(&["query", "question"]),
        passage: prompt(&["document", "passage", "corpus"]),
    })
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, ModelError> {
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
        check(&[("config.json", r#"{"model_type": "t5"}"#)], "`t5`");
        check(&[("config.json", BERT)], "modules.json");
        check(&[("config.json", BERT), ("modules.json", "[]")], "names no pooling");
        let dense = MODULES.replace("x.Transformer", "x.Dense");
        check(&[("config.json", BERT), ("modules.json", &dense)], "`Dense`");
        let both = r#"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true}"#;
        check(
            &[("config.json", BERT), ("modules.json", MODULES), ("1_Pooling/config.json", both)],
            "pooling",
        );
    }
}
