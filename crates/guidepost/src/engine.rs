//! Model and index, made ready for a command: found, fetched, built or brought up to date as needed.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::{Context, bail};
use bytesize::ByteSize;
use guidepost_index::{
    Changes, IndexError, LateInteraction, Request, ShippedGuide, Snapshot, Update, Warning, update,
};
use guidepost_model::{
    DeviceChoice, Execution, LanguageModel, LocatedModel, ModelChoice, ModelError, OpenDevice, Places,
    Precision, SentenceTransformer, default_language_model, fetch, locate, locate_language_model, registry,
};
use guidepost_text::{Embed, HashEmbedder};

use crate::cli::{IndexPlace, ModelArgs, ModelSource};
use crate::console::{Console, count};
use crate::settings::UserSettings;
use crate::{memory, places, shipped};

/// Where everything is, settled from flags, environment and settings.
#[derive(Clone)]
pub(crate) struct Engine<'a> {
    pub(crate) index: PathBuf,
    pub(crate) shipped: Vec<ShippedGuide>,
    model: String,
    device: DeviceChoice,
    /// Where nobody names one, an index keeps the one it was made with.
    precision: Option<Precision>,
    threads: Option<usize>,
    offline: bool,
    console: &'a Console,
}

/// An index to search, and the model for the question unless words alone must do.
pub(crate) struct Ready {
    pub(crate) snapshot: Snapshot,
    pub(crate) embedder: Option<Box<dyn Embed>>,
}

/// What an update shall change beside taking up what is new on disk.
pub(crate) struct Change<'a> {
    pub(crate) add: &'a [PathBuf],
    pub(crate) remove: &'a [PathBuf],
    pub(crate) rebuild: bool,
    /// Take over what is sound of a damaged index.
    pub(crate) repair: bool,
    pub(crate) late_interaction: LateInteraction,
    /// How much building may take in all.
    pub(crate) memory: Option<ByteSize>,
    /// Wait for another writer, or report it.
    pub(crate) wait: bool,
    /// Ends it where it can go on later.
    pub(crate) stop: Option<&'a AtomicBool>,
}

/// For updates that are ended with the program alone.
static NEVER: AtomicBool = AtomicBool::new(false);

impl Change<'_> {
    pub(crate) const NONE: Change<'static> = Change {
        add: &[],
        remove: &[],
        rebuild: false,
        repair: false,
        late_interaction: LateInteraction::AsBefore,
        memory: None,
        wait: false,
        stop: None,
    };
}

/// The model without weights.
const HASH: &str = "hash";

/// Warnings printed one by one; more are only counted.
const WARNINGS_SHOWN: usize = 10;

impl<'a> Engine<'a> {
    pub(crate) fn new(
        place: &IndexPlace,
        model: Option<&ModelArgs>,
        settings: &UserSettings,
        console: &'a Console,
    ) -> anyhow::Result<Self> {
        let index = match place.index.clone().or_else(|| settings.index.clone()) {
            Some(index) => index,
            None => places::default_index()?,
        };
        let device = model.and_then(|model| model.device).or(settings.device()?);
        let precision = model.and_then(|model| model.precision).or(settings.precision()?);
        let threads = model.and_then(|model| model.threads).or(settings.threads);
        if let Some(threads) = threads {
            // Reading and tokenizing keep to it as well. Only the first engine of a process can set it.
            let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
        }
        let source = model.map(|model| &model.source);
        Ok(Engine {
            index,
            shipped: shipped::guides(),
            model: model_name(source, settings),
            device: device.unwrap_or(DeviceChoice::Auto),
            precision,
            threads,
            offline: settings.offline || source.is_some_and(|source| source.offline),
            console,
        })
    }

    /// The same model for another index, in which no guides ship.
    pub(crate) fn aside(&self, index: PathBuf) -> Engine<'a> {
        Engine { index, shipped: Vec::new(), ..self.clone() }
    }

    /// Makes ready for a question: builds the index if there is none, takes up what changed on disk, loads the model.
    pub(crate) fn ready(
        &self,
        existing: Option<Snapshot>,
        guides: Option<&Path>,
        words_alone: bool,
    ) -> anyhow::Result<Ready> {
        match existing {
            None if matches!(Snapshot::open(&self.index), Err(IndexError::EarlierFormat { .. })) => {
                self.build_again(guides)
            }
            None => self.build(guides),
            Some(snapshot) => {
                self.check_guides(&snapshot, guides)?;
                self.refresh(snapshot, words_alone)
            }
        }
    }

    fn build(&self, guides: Option<&Path>) -> anyhow::Result<Ready> {
        let folders: Vec<PathBuf> = guides.map(folder).transpose()?.into_iter().collect();
        let what =
            guides.map_or("the guides that ship".to_owned(), |folder| format!("`{}`", folder.display()));
        self.console.note(&format!("no index yet; building one from {what} in `{}`", self.index.display()));
        let (ready, documents) = self.fill(&folders)?;
        if let Some(guides) = guides.filter(|_| documents == 0) {
            self.warn_empty(guides);
        }
        Ok(ready)
    }

    /// Makes an index of an earlier version again, from the folders that it holds.
    fn build_again(&self, guides: Option<&Path>) -> anyhow::Result<Ready> {
        let place = self.index.display();
        self.console.note(&format!(
            "the index in `{place}` was made by an earlier version of guidepost; making it again"
        ));
        let (ready, _) = self.fill(&[])?;
        self.check_guides(&ready.snapshot, guides)?;
        Ok(ready)
    }

    /// An index where none can be built on, and the number of its guides.
    fn fill(&self, folders: &[PathBuf]) -> anyhow::Result<(Ready, usize)> {
        let embedder = self.load_model(None)?;
        if embedder.is_none() {
            self.note_words_alone();
        }
        let change = Change { add: folders, wait: true, ..Change::NONE };
        let update = self.update(&change, embedder.as_deref())?;
        Ok((Ready { snapshot: self.open()?, embedder }, update.documents))
    }

    fn check_guides(&self, snapshot: &Snapshot, guides: Option<&Path>) -> anyhow::Result<()> {
        let Some(guides) = guides else { return Ok(()) };
        let wanted = folder(guides)?;
        if snapshot.sources().iter().all(|source| source.folder.as_ref() != Some(&wanted)) {
            bail!(
                "the index in `{}` does not hold `{}`; add it with `guidepost index {1}`, or give it an index of its own with --index",
                self.index.display(),
                guides.display()
            );
        }
        Ok(())
    }

    fn refresh(&self, snapshot: Snapshot, words_alone: bool) -> anyhow::Result<Ready> {
        let (changes, warnings) = snapshot.changes(&self.shipped)?;
        self.print_warnings(&warnings);
        let stale = changes != Changes::default();
        if words_alone && !stale {
            return Ok(Ready { snapshot, embedder: None });
        }
        if !snapshot.has_vectors() {
            return self.refresh_words(snapshot, changes, words_alone);
        }
        let Some(embedder) = self.load_model(Some(&snapshot))? else {
            self.note_words_alone();
            if changes.any_text() {
                self.console
                    .warn("guides have changed; the changes are not searched until the model is back");
            }
            return Ok(Ready { snapshot, embedder: None });
        };
        snapshot.check_fingerprint(Some(embedder.as_ref()))?;
        match stale {
            true => self.take_up(snapshot, Some(embedder), changes),
            false => Ok(Ready { snapshot, embedder: Some(embedder) }),
        }
    }

    /// An index without vectors. A model that has come since is put to use; none is fetched.
    fn refresh_words(
        &self,
        snapshot: Snapshot,
        changes: Changes,
        words_alone: bool,
    ) -> anyhow::Result<Ready> {
        let embedder = self.load_local_model(Some(&snapshot))?;
        if embedder.is_none() && !words_alone {
            self.console.note(
                "searching by words alone: the index has no vectors; `guidepost models pull` fetches the model",
            );
        }
        match changes != Changes::default() || embedder.is_some() {
            true => self.take_up(snapshot, embedder, changes),
            false => Ok(Ready { snapshot, embedder }),
        }
    }

    /// Brings the index up to date before it answers. Where that cannot be done now, it answers as it was.
    fn take_up(
        &self,
        snapshot: Snapshot,
        embedder: Option<Box<dyn Embed>>,
        changes: Changes,
    ) -> anyhow::Result<Ready> {
        match self.update(&Change::NONE, embedder.as_deref()) {
            Ok(_) => Ok(Ready { snapshot: self.open()?, embedder }),
            // Vectors for an index that has none are made of guides that can be reached.
            Err(
                error @ (IndexError::Locked { .. } | IndexError::Io { .. } | IndexError::NoFolder { .. }),
            ) => {
                if changes.any_text() {
                    self.console.warn(&format!("answering from the index as it was: {error}"));
                }
                Ok(Ready { snapshot, embedder })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Updates the index with the display on the console, and prints what there is to know.
    pub(crate) fn update(&self, change: &Change, embedder: Option<&dyn Embed>) -> Result<Update, IndexError> {
        let mut display = self.console.update();
        let outcome = update(&self.request(change, embedder), &mut |event| display.show(event));
        drop(display);
        let outcome = outcome?;
        self.print_warnings(&outcome.warnings);
        Ok(outcome)
    }

    /// What the index is asked for.
    pub(crate) fn request<'r>(&'r self, change: &Change<'r>, embedder: Option<&'r dyn Embed>) -> Request<'r> {
        Request {
            index: &self.index,
            add: change.add,
            remove: change.remove,
            shipped: &self.shipped,
            embedder,
            rebuild: change.rebuild,
            repair: change.repair,
            wait: change.wait,
            late_interaction: change.late_interaction,
            memory: memory::for_index(change.memory),
            stop: change.stop.unwrap_or(&NEVER),
        }
    }

    pub(crate) fn print_warnings(&self, warnings: &[Warning]) {
        for warning in warnings.iter().take(WARNINGS_SHOWN) {
            match &warning.path {
                Some(path) => self.console.warn(&format!("`{path}`: {}", warning.message)),
                None => self.console.warn(&warning.message),
            }
        }
        if let Some(more) = warnings.len().checked_sub(WARNINGS_SHOWN).filter(|&more| more > 0) {
            self.console.warn(&format!(
                "{} more; `guidepost status --json` lists them by guide",
                count(more, "warning")
            ));
        }
    }

    pub(crate) fn open(&self) -> anyhow::Result<Snapshot> {
        let snapshot = Snapshot::open(&self.index)?;
        snapshot.with_context(|| {
            format!("no index in `{}`; build one with `guidepost index DIR`", self.index.display())
        })
    }

    /// The model, as the index has it where there is one, fetched if need be; `None` when none is to be had, and why is
    /// then a note.
    pub(crate) fn load_model(&self, index: Option<&Snapshot>) -> anyhow::Result<Option<Box<dyn Embed>>> {
        if self.model == HASH {
            return Ok(Some(Box::new(HashEmbedder)));
        }
        self.find_model()?.map(|model| self.load(&model, index)).transpose()
    }

    /// The model, if it is on this machine.
    pub(crate) fn load_local_model(
        &self,
        index: Option<&Snapshot>,
    ) -> anyhow::Result<Option<Box<dyn Embed>>> {
        if self.model == HASH {
            return Ok(Some(Box::new(HashEmbedder)));
        }
        self.locate_model()?.map(|model| self.load(&model, index)).transpose()
    }

    /// Where the model lies, fetched if need be; `None` when none is to be had, and why is then a note.
    fn find_model(&self) -> anyhow::Result<Option<LocatedModel>> {
        if let Some(model) = self.locate_model()? {
            return Ok(Some(model));
        }
        if self.offline {
            self.console.detail(|| format!("the model `{}` is not on this machine (--offline)", self.model));
            return Ok(None);
        }
        let mut display = self.console.fetch();
        let fetched = fetch(&self.model, &places::models()?, &mut |event| display.show(event));
        drop(display);
        match fetched {
            Ok(model) => Ok(Some(model)),
            Err(
                error @ (ModelError::Unreachable { .. }
                | ModelError::Offline { .. }
                | ModelError::Write { .. }),
            ) => {
                self.console.note(&error.to_string());
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn locate_model(&self) -> anyhow::Result<Option<LocatedModel>> {
        let places: Places = places::models()?;
        Ok(locate(&ModelChoice::parse(&self.model), &places)?)
    }

    /// Where the model lies, for measuring it: one with weights, or an error.
    pub(crate) fn weights(&self) -> anyhow::Result<LocatedModel> {
        if self.model == HASH {
            bail!("the model `{HASH}` has no weights to measure; name another with --model");
        }
        self.find_model()?.context("no model to measure; fetch one with `guidepost models pull`")
    }

    fn load(&self, model: &LocatedModel, index: Option<&Snapshot>) -> anyhow::Result<Box<dyn Embed>> {
        self.console.note_trust(model);
        let device = OpenDevice::open(self.device)?;
        self.console.detail(|| format!("model: {} in `{}`", model.name, model.folder.display()));
        let chosen = self.device == DeviceChoice::Auto && OpenDevice::has_choice();
        let line = format!("device: {}", device.description);
        if chosen {
            self.console.note(&line)
        } else {
            self.console.detail(|| line)
        }
        let kept = || index.and_then(|index| Precision::of_fingerprint(index.fingerprint()));
        let precision = self.precision.or_else(kept).unwrap_or(Precision::Fast);
        let execution = Execution { device, precision, threads: self.threads, instructions: None };
        let model = SentenceTransformer::load(model, &execution)?;
        self.console.detail(|| format!("runs on: {}", model.description()));
        Ok(Box::new(model))
    }

    /// A language model that runs here: a file, or a name of the registry, fetched if need be; its default where none is named.
    pub(crate) fn language_model(&self, named: Option<&str>) -> anyhow::Result<LanguageModel> {
        let name = named.map_or_else(|| default_language_model().name, str::to_owned);
        let places = places::models()?;
        let model = match locate_language_model(&ModelChoice::parse(&name), &places)? {
            Some(model) => model,
            None if self.offline => return Err(ModelError::Offline { name }.into()),
            None => {
                let mut display = self.console.fetch();
                fetch(&name, &places, &mut |event| display.show(event))?
            }
        };
        self.console.note_trust(&model);
        Ok(LanguageModel::open(&model.weights, &OpenDevice::open(self.device)?)?)
    }

    /// How a model beside the one that embeds is run: on the same device and as many threads, in the precision asked for,
    /// else in the one given.
    pub(crate) fn execution(&self, precision: Precision) -> anyhow::Result<Execution> {
        let device = OpenDevice::open(self.device)?;
        let precision = self.precision.unwrap_or(precision);
        Ok(Execution { device, precision, threads: self.threads, instructions: None })
    }

    fn note_words_alone(&self) {
        self.console.note("no model available: searching by words alone (BM25)");
    }

    /// Says that a folder has nothing to read.
    pub(crate) fn warn_empty(&self, folder: &Path) {
        let folder = folder.display();
        self.console
            .warn(&format!("`{folder}` holds no guides; Markdown, plain text, HTML, PDF, DOCX, PPTX, ODT, EPUB, notebooks and CSV are read"));
    }
}

/// The model's name: by flag or variable, by the settings, or the first that is known.
fn model_name(source: Option<&ModelSource>, settings: &UserSettings) -> String {
    let named = source.and_then(|source| source.model.clone()).or_else(|| settings.model.clone());
    named.unwrap_or_else(|| registry()[0].name.clone())
}

/// A folder as the index records it.
pub(crate) fn folder(path: &Path) -> anyhow::Result<PathBuf> {
    let absolute = path.canonicalize();
    let absolute = absolute.map_err(|error| IndexError::NoFolder { path: path.to_owned(), error })?;
    if !absolute.is_dir() {
        bail!("`{}` is a file; give the folder it is in", path.display());
    }
    if absolute.to_str().is_none() {
        bail!("the path of `{}` is not UTF-8, so its guides could not be cited; rename it", path.display());
    }
    Ok(absolute)
}
