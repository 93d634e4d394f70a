//! The models known by name, from the TOML files in `models/`, which travel inside the binary.

use serde::Deserialize;

use crate::ModelError;

/// One model of the registry.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSpec {
    /// Short name, as given to `--model`.
    pub name: String,
    /// SPDX expression.
    pub licence: String,
    /// Repository on the hub.
    pub repository: String,
    /// Commit of that repository.
    pub revision: String,
    /// Files to fetch; those with a digest are verified.
    pub files: Vec<PinnedFile>,
    /// A Python package with the same files, for when the hub cannot be reached.
    pub package: Option<PackageSpec>,
}

/// A file of a model.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedFile {
    /// Path inside the model folder.
    pub path: String,
    /// Size, where it is known.
    pub bytes: Option<u64>,
    /// SHA-256, lower-case hexadecimal. Files that shape a vector have one.
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

const FILES: &[&str] = &[include_str!("../../../models/all-MiniLM-L6-v2.toml")];

/// Every model known by name; the first is the default.
pub fn registry() -> Vec<ModelSpec> {
    FILES.iter().map(|file| toml::from_str(file).expect("the registry is checked by a test")).collect()
}

/// The model of that name.
pub(crate) fn find(name: &str) -> Result<ModelSpec, ModelError> {
    let models = registry();
    let known = models.iter().map(|model| model.name.clone()).collect::<Vec<_>>().join(", ");
    let found = models.into_iter().find(|model| model.name.eq_ignore_ascii_case(name));
    found.ok_or_else(|| ModelError::Unknown { name: name.to_owned(), known })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_pins_what_shapes_its_vectors() {
        for model in registry() {
            assert_eq!(model.revision.len(), 40, "{}: a revision is a whole commit", model.name);
            for path in ["model.safetensors", "tokenizer.json"] {
                let pinned =
                    model.files.iter().find(|file| file.path == path).and_then(|file| file.sha256.as_ref());
                assert_eq!(pinned.map(String::len), Some(64), "{}: {path} has no digest", model.name);
            }
        }
        assert!(find("ALL-minilm-l6-v2").is_ok());
        assert!(find("other").is_err_and(|error| error.to_string().contains("all-MiniLM-L6-v2")));
    }
}
