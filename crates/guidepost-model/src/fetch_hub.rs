//! Models from the Hugging Face hub, through hf-hub and into the cache that every other program shares.
//!
//! hf-hub waits for ever on a network that does not answer, and reads neither `HF_HUB_OFFLINE` nor `HF_HUB_CACHE`
//! nor `HF_TOKEN`. All four are seen to here.

use std::env;
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use etcetera::BaseStrategy;
use hf_hub::api::Progress;
use hf_hub::api::sync::{ApiBuilder, ApiRepo};
use hf_hub::{Cache, Repo, RepoType};

use crate::{FetchEvent, FetchProgress, ModelError, ModelSpec};

/// How long the hub may take to answer at all.
const ANSWER: Duration = Duration::from_secs(4);
/// How long a download may stand still.
const STALL: Duration = Duration::from_secs(30);

/// The hub as the environment describes it; the variables mean what they mean to `huggingface_hub`.
#[derive(Debug, Clone)]
pub(crate) struct Hub {
    cache: PathBuf,
    endpoint: String,
    token: Option<String>,
    pub(crate) offline: bool,
}

impl Hub {
    pub(crate) fn from_env() -> Self {
        let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let base = set("HF_HOME").map(PathBuf::from).unwrap_or_else(|| {
            let caches = etcetera::choose_base_strategy().map(|base| base.cache_dir());
            caches.unwrap_or_else(|_| PathBuf::from(".cache")).join("huggingface")
        });
        let cache = set("HF_HUB_CACHE").map_or_else(|| base.join("hub"), PathBuf::from);
        let endpoint = set("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".into());
        let token = set("HF_TOKEN").or_else(|| Cache::new(base.join("hub")).token());
        let switch =
            |value: String| matches!(value.to_ascii_uppercase().as_str(), "1" | "ON" | "YES" | "TRUE");
        let offline = set("HF_HUB_OFFLINE").is_some_and(switch);
        Hub { cache, endpoint: endpoint.trim_end_matches('/').to_owned(), token, offline }
    }
}

/// Folders of the cache that hold a revision of the model: any where digests decide, the pinned one first; else that one
/// alone.
pub(crate) fn cached(spec: &ModelSpec, hub: &Hub) -> Vec<PathBuf> {
    let repository = format!("models--{}", spec.repository.replace('/', "--"));
    let snapshots = hub.cache.join(repository).join("snapshots");
    let entries = snapshots.read_dir().into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.retain(|folder| spec.is_pinned() || folder.ends_with(&spec.revision));
    folders.sort_by_key(|folder| (!folder.ends_with(&spec.revision), folder.clone()));
    folders
}

/// Downloads the pinned revision into the cache.
pub(crate) fn fetch(spec: &ModelSpec, hub: &Hub, progress: FetchProgress) -> Result<(), ModelError> {
    progress(FetchEvent::Trying { source: &hub.endpoint });
    answers(spec, hub)?;
    let (events, arrived) = mpsc::channel();
    let (worker_spec, worker_hub) = (spec.clone(), hub.clone());
    // A thread of its own, left behind if the network stops in mid-air.
    std::thread::spawn(move || {
        let outcome = download(&worker_spec, &worker_hub, &events);
        let _ = events.send(Event::Finished(outcome));
    });
    let total: u64 = spec.files.iter().filter_map(|file| file.bytes).sum();
    let mut done = 0;
    loop {
        match arrived.recv_timeout(STALL) {
            Ok(Event::Bytes(bytes)) => {
                done += bytes;
                progress(FetchEvent::Bytes { done, total: total.max(done) });
            }
            Ok(Event::Finished(outcome)) => return outcome.map_err(ModelError::Run),
            Err(RecvTimeoutError::Timeout) => {
                return Err(ModelError::Run(format!("no byte arrived for {} seconds", STALL.as_secs())));
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(ModelError::Run("the download broke off".into()));
            }
        }
    }
}

/// Asks whether there is a file, with time-outs. That the hub sends on to where its bytes are is an answer.
fn answers(spec: &ModelSpec, hub: &Hub) -> Result<(), ModelError> {
    let (repository, revision, file) = (&spec.repository, &spec.revision, spec.weights());
    let url = format!("{}/{repository}/resolve/{revision}/{file}", hub.endpoint);
    let config = ureq::Agent::config_builder()
        .timeout_connect(Some(ANSWER))
        .timeout_global(Some(2 * ANSWER))
        .max_redirects(0)
        .max_redirects_will_error(false);
    let agent: ureq::Agent = config.build().into();
    let mut request = agent.head(&url);
    if let Some(token) = &hub.token {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    request
        .call()
        .map(|_| ())
        .map_err(|error| ModelError::Run(format!("{} does not answer: {error}", hub.endpoint)))
}

enum Event {
    Bytes(u64),
    Finished(Result<(), String>),
}

fn download(spec: &ModelSpec, hub: &Hub, events: &mpsc::Sender<Event>) -> Result<(), String> {
    let builder = ApiBuilder::from_cache(Cache::new(hub.cache.clone()))
        .with_endpoint(hub.endpoint.clone())
        .with_token(hub.token.clone())
        .with_progress(false)
        .with_retries(2);
    let api = builder.build().map_err(|error| error.to_string())?;
    let repo: ApiRepo =
        api.repo(Repo::with_revision(spec.repository.clone(), RepoType::Model, spec.revision.clone()));
    for file in &spec.files {
        repo.download_with_progress(&file.path, Meter { events: events.clone() })
            .map_err(|error| format!("{}: {error}", file.path))?;
    }
    Ok(())
}

struct Meter {
    events: mpsc::Sender<Event>,
}

impl Progress for Meter {
    fn init(&mut self, _size: usize, _filename: &str) {}

    fn update(&mut self, size: usize) {
        let _ = self.events.send(Event::Bytes(size as u64));
    }

    fn finish(&mut self) {}
}
