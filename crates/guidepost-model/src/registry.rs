//! The models known by name, from the TOML files in `models/`, which travel inside the binary.

use std::fmt;

use serde::Deserialize;

use crate::ModelError;
use crate::folder::Prompts;

/// One model of the registry.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSpec {
    /// Short name, as given to `--model`.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub kind: ModelKind,
    /// SPDX expression.
    pub licence: String,
    /// Repository on the hub.
    pub repository: String,
    /// Commit of that repository.
    pub revision: String,
    /// Files to fetch; those with a digest are verified.
    pub files: Vec<PinnedFile>,
    /// What its makers want put before texts, where its files do not say so.
    #[serde(default)]
    pub(crate) prompts: Prompts,
    /// A Python package with the same files, for when the hub cannot be reached.
    pub package: Option<PackageSpec>,
}

/// What a model is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelKind {
    /// Turns a text into a vector.
    #[default]
    Embedder,
    /// Scores a passage for a question.
    Reranker,
    /// Writes text.
    LanguageModel,
}

impl fmt::Display for ModelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ModelKind::Embedder => "embedder",
            ModelKind::Reranker => "reranker",
            ModelKind::LanguageModel => "language model",
        })
    }
}

impl ModelSpec {
    /// Whether the digests of weights and tokenizer are known, whoever brings them. Where they are not, the commit is, and
    /// the digests of what first comes are recorded. A language model has both in one file, whose digest is always known.
    pub fn is_pinned(&self) -> bool {
        let pinned = |path| self.files.iter().any(|file| file.path == path && file.sha256.is_some());
        pinned(self.weights()) && (self.kind == ModelKind::LanguageModel || pinned("tokenizer.json"))
    }

    /// Path of the file with the weights, inside the model folder.
    pub fn weights(&self) -> &str {
        match (self.kind, self.files.first()) {
            (ModelKind::LanguageModel, Some(only)) => &only.path,
            _ => WEIGHTS,
        }
    }
}

/// The file with the weights of a model that embeds or reranks.
pub(crate) const WEIGHTS: &str = "model.safetensors";

/// A file of a model.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedFile {
    /// Path inside the model folder.
    pub path: String,
    /// Size, where it is known.
    pub bytes: Option<u64>,
    /// SHA-256, lower-case hexadecimal, where a public source gives it.
    pub sha256: Option<String>,
}

/// A Python package that holds a model folder.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageSpec {
    /// Name of the package.
    pub name: String,
    /// Exact version.
    pub version: String,
    /// The model folder inside the wheel.
    pub folder: String,
    /// Size of the wheel.
    pub bytes: u64,
}

const FILES: &[&str] = &[
    include_str!("../../../models/all-MiniLM-L6-v2.toml"),
    include_str!("../../../models/all-MiniLM-L12-v2.toml"),
    include_str!("../../../models/all-mpnet-base-v2.toml"),
    include_str!("../../../models/multi-qa-MiniLM-L6-cos-v1.toml"),
    include_str!("../../../models/bge-small-en-v1.5.toml"),
    include_str!("../../../models/gte-small.toml"),
    include_str!("../../../models/e5-small-v2.toml"),
    include_str!("../../../models/snowflake-arctic-embed-xs.toml"),
    include_str!("../../../models/snowflake-arctic-embed-s.toml"),
    include_str!("../../../models/granite-embedding-small-english-r2.toml"),
    include_str!("../../../models/ms-marco-MiniLM-L-6-v2.toml"),
    include_str!("../../../models/ms-marco-MiniLM-L-12-v2.toml"),
    include_str!("../../../models/ms-marco-TinyBERT-L-2-v2.toml"),
    include_str!("../../../models/Qwen2.5-1.5B-Instruct.toml"),
    include_str!("../../../models/Qwen2.5-0.5B-Instruct.toml"),
    include_str!("../../../models/Qwen3-1.7B.toml"),
    include_str!("../../../models/Llama-3.2-1B-Instruct.toml"),
];

/// Every model known by name; the first of a kind is its default.
pub fn registry() -> Vec<ModelSpec> {
    FILES.iter().map(|file| toml::from_str(file).expect("the registry is checked by a test")).collect()
}

/// The language model that is taken where none is named: small enough for a laptop's processor, and free to use.
pub fn default_language_model() -> ModelSpec {
    let found = registry().into_iter().find(|model| model.kind == ModelKind::LanguageModel);
    found.expect("the registry is checked by a test")
}

/// The model of that name.
///
/// # Errors
/// [`ModelError::Unknown`], with the names that are known.
pub fn registered(name: &str) -> Result<ModelSpec, ModelError> {
    let models = registry();
    let known = models.iter().map(|model| model.name.clone()).collect::<Vec<_>>().join(", ");
    let found = models.into_iter().find(|model| model.name.eq_ignore_ascii_case(name));
    found.ok_or_else(|| ModelError::Unknown { name: name.to_owned(), known })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_models_are_one_file_each_of_which_all_is_known() {
        let models = registry().into_iter().filter(|model| model.kind == ModelKind::LanguageModel);
        for model in models {
            let [file] = &model.files[..] else { panic!("{} has {:?}", model.name, model.files) };
            assert!(model.weights().ends_with(".gguf") && model.weights() == file.path, "{}", model.name);
            assert!(model.is_pinned() && file.bytes.is_some(), "{}", model.name);
        }
        assert_eq!(default_language_model().licence, "Apache-2.0");
    }

    #[test]
    fn every_model_pins_its_commit_and_the_default_its_bytes() {
        let models = registry();
        for model in &models {
            assert_eq!(model.revision.len(), 40, "{}: a revision is a whole commit", model.name);
            let needed: &[&str] = match model.kind {
                ModelKind::LanguageModel => &[],
                ModelKind::Embedder | ModelKind::Reranker => &[WEIGHTS, "tokenizer.json", "config.json"],
            };
            for path in needed {
                assert!(model.files.iter().any(|file| file.path == *path), "{}: {path}", model.name);
            }
            let digests = model.files.iter().filter_map(|file| file.sha256.as_ref());
            assert!(digests.into_iter().all(|digest| digest.len() == 64), "{}", model.name);
            let names = models.iter().filter(|other| other.name.eq_ignore_ascii_case(&model.name)).count();
            assert_eq!(names, 1, "{}: named once", model.name);
        }
        assert!(models[0].is_pinned() && models[0].kind == ModelKind::Embedder);
        assert!(registered("ALL-minilm-l6-v2").is_ok());
        assert!(registered("other").is_err_and(|error| error.to_string().contains("all-MiniLM-L6-v2")));
    }
}
