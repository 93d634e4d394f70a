//! What is served: the generation that answers, and the models.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::SystemTime;

use guidepost_index::{CURRENT, ShippedGuide, Snapshot, TUNED};
use guidepost_query::{CatalogEntry, RoleEntry, Weights, catalog, roles};
use guidepost_text::{Embed, Generate, Rerank};

use super::batching::{Asker, Batcher};
use super::map::MapView;
use super::metrics::Metrics;
use crate::console::Console;
use crate::search::Models;
use crate::settings::ResultSettings;
use crate::tuned;
use crate::writing::Reading;

/// What every request can reach. Nothing in it writes.
pub(super) struct Library {
    pub(super) index: PathBuf,
    pub(super) shipped: Vec<ShippedGuide>,
    pub(super) model: Option<Arc<Batcher>>,
    pub(super) reranker: Option<Box<dyn Rerank>>,
    pub(super) writer: Option<Writer>,
    /// What holds where a request does not say.
    pub(super) settings: ResultSettings,
    pub(super) budget_ms: Option<u64>,
    shelf: RwLock<Arc<Shelf>>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) console: Console,
}

/// The language model that writes answers.
pub(super) struct Writer {
    pub(super) model: Arc<dyn Generate>,
    pub(super) reading: Reading,
}

/// The library, as one request has it.
pub(super) struct Desk {
    pub(super) library: Arc<Library>,
    /// Gone with the client.
    pub(super) caller: Weak<()>,
    /// The model; what is asked of it is not done for a client that has left.
    pub(super) asker: Option<Asker>,
}

impl Desk {
    pub(super) fn new(library: Arc<Library>, caller: Weak<()>) -> Desk {
        let asker = library.model.as_ref().map(|model| Asker::new(Arc::clone(model), caller.clone()));
        Desk { library, caller, asker }
    }

    pub(super) fn models(&self) -> Models<'_> {
        Models {
            embedder: self.asker.as_ref().map(|asker| asker as &dyn Embed),
            reranker: self.library.reranker.as_deref(),
        }
    }
}

/// One generation, and what is made of it once.
pub(super) struct Shelf {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) weights: Weights,
    pub(super) catalog: Vec<CatalogEntry>,
    pub(super) roles: Vec<RoleEntry>,
    map: Mutex<Option<Arc<MapView>>>,
}

/// Passages that are remembered as they were read and cut into words: some sixty megabytes.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(4096).expect("it is not 0");

impl Shelf {
    pub(super) fn new(snapshot: Snapshot, console: &Console) -> anyhow::Result<Shelf> {
        let snapshot = snapshot.remembering(REMEMBERED);
        let names = snapshot.names()?;
        snapshot.sound()?;
        Ok(Shelf {
            weights: tuned::weights(&snapshot, console),
            catalog: catalog(names),
            roles: roles(names),
            snapshot: Arc::new(snapshot),
            map: Mutex::new(None),
        })
    }

    /// The map, made when it is first asked for.
    pub(super) fn map(&self) -> anyhow::Result<Arc<MapView>> {
        let mut made = self.map.lock().unwrap_or_else(PoisonError::into_inner);
        match &*made {
            Some(map) => Ok(Arc::clone(map)),
            None => Ok(Arc::clone(made.insert(Arc::new(MapView::new(&self.snapshot)?)))),
        }
    }
}

/// What tells that there is something new: when `CURRENT` was last replaced, and when weights were last chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen([Option<(SystemTime, u64)>; 2]);

impl Seen {
    /// What there is on disk now.
    pub(super) fn of(index: &Path) -> Seen {
        Seen([CURRENT, TUNED].map(|name| {
            let file = std::fs::metadata(index.join(name)).ok()?;
            Some((file.modified().ok()?, inode(&file)))
        }))
    }
}

impl Library {
    pub(super) fn new(
        shelf: Shelf,
        model: Option<Arc<Batcher>>,
        reranker: Option<Box<dyn Rerank>>,
        served: Served,
    ) -> Library {
        served.metrics.generation.set(shelf.snapshot.generation() as i64);
        let Served { writer, index, shipped, settings, budget_ms, metrics, console } = served;
        let shelf = RwLock::new(Arc::new(shelf));
        Library { index, shipped, model, reranker, writer, settings, budget_ms, shelf, metrics, console }
    }

    /// The generation that answers now. Whoever holds it keeps it whole, whatever is written meanwhile.
    pub(super) fn shelf(&self) -> Arc<Shelf> {
        Arc::clone(&self.shelf.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The model that embeds, for what is to be known of it.
    pub(super) fn embedder(&self) -> Option<&dyn Embed> {
        self.model.as_deref().map(Batcher::model)
    }

    /// Takes up what is new, and says whether it could. Where it cannot, the generation before goes on answering.
    pub(super) fn reload(&self) -> bool {
        match self.open() {
            Ok(shelf) => {
                self.metrics.generation.set(shelf.snapshot.generation() as i64);
                self.metrics.reloads.inc();
                self.console.detail(|| format!("generation {} answers now", shelf.snapshot.generation()));
                *self.shelf.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(shelf);
                true
            }
            Err(error) => {
                self.console.warn(&format!("answering from the index as it was: {error:#}"));
                false
            }
        }
    }

    fn open(&self) -> anyhow::Result<Shelf> {
        let snapshot = Snapshot::open(&self.index)?;
        let Some(snapshot) = snapshot else {
            anyhow::bail!("the index in `{}` is gone", self.index.display())
        };
        if snapshot.has_vectors() && self.model.is_some() {
            snapshot.check_fingerprint(self.embedder())?;
        }
        Shelf::new(snapshot, &self.console)
    }
}

/// Tells two files of one name apart that were written within one tick of the clock; 0 where the system has no such number.
#[cfg(unix)]
fn inode(file: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(file)
}

#[cfg(not(unix))]
fn inode(_: &std::fs::Metadata) -> u64 {
    0
}

/// What a library is of, beside models and index.
pub(super) struct Served {
    pub(super) writer: Option<Writer>,
    pub(super) index: PathBuf,
    pub(super) shipped: Vec<ShippedGuide>,
    pub(super) settings: ResultSettings,
    pub(super) budget_ms: Option<u64>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) console: Console,
}
