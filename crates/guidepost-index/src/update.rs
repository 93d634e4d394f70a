//! Bringing an index up to date with what is on disk now: what is asked for, what is reported, and what has to hold before anything
//! is written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use guidepost_text::Embed;

use crate::generation::{clear_unfinished, may_hold_index, recorded_sources};
use crate::manifest;
use crate::plan::{Plan, Warning};
use crate::salvage::{Salvage, salvage};
use crate::writer::Writer;
use crate::writer_lock::{Patience, WriterLock};
use crate::{Changes, IndexError, ShippedGuide, Snapshot, Source, SourceRecord};

/// What an update shall do.
pub struct Request<'a> {
    /// The index directory; made if it is not there.
    pub index: &'a Path,
    /// Folders to add to those the index holds. With the first, the guides that ship step aside.
    pub add: &'a [PathBuf],
    /// Folders to take out.
    pub remove: &'a [PathBuf],
    /// The guides that ship: what an index holds as long as nobody names a folder.
    pub shipped: &'a [ShippedGuide],
    /// The model; `None` makes an index that answers by BM25 alone.
    pub embedder: Option<&'a dyn Embed>,
    /// Take nothing over from the index that is there.
    pub rebuild: bool,
    /// Take over what is sound of an index that is not.
    pub repair: bool,
    /// Wait for another writer, or report it.
    pub wait: bool,
    /// What becomes of token vectors.
    pub late_interaction: LateInteraction,
    /// Bytes of memory that what is being written may take, beside the model and what is mapped of the index: what takes more is
    /// written in several segments.
    pub memory: u64,
    /// Whoever sets it, from another thread, ends the update with [`IndexError::Interrupted`] as soon as what is being embedded
    /// is embedded. An update that is being written is finished.
    pub stop: &'a AtomicBool,
}

/// Whether an index keeps the vectors of tokens, which rank better and take several times the space of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LateInteraction {
    /// As the index has it; a new one keeps them.
    AsBefore,
    /// Keep them.
    Keep,
    /// Leave them out.
    Drop,
}

impl LateInteraction {
    /// Whether the generation after this one keeps token codes.
    pub(crate) fn keeps_tokens(self, old: Option<&Snapshot>) -> bool {
        match self {
            LateInteraction::Keep => true,
            LateInteraction::Drop => false,
            LateInteraction::AsBefore => old.is_none_or(|old| old.record().keeps_tokens),
        }
    }

    /// Whether a generation has the token codes that the one after it is to have.
    pub(crate) fn is_as_in(self, old: &Snapshot) -> bool {
        !old.has_vectors() || old.has_token_codes() == self.keeps_tokens(Some(old))
    }
}

/// A step of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Another process writes; this one waits.
    Waiting {
        /// Whom for.
        holder: String,
    },
    /// Guides are read and cut.
    Reading {
        /// Guides with another text than before.
        guides: usize,
    },
    /// Passages that an update which was interrupted had embedded are taken up.
    Resumed {
        /// How many.
        passages: usize,
    },
    /// Passages are embedded.
    Embedding {
        /// So far.
        done: usize,
        /// In all.
        total: usize,
    },
    /// Files are written.
    Writing,
    /// While they are: rows are linked to their neighbors, in several rounds.
    Linking {
        /// Steps so far.
        done: usize,
        /// Steps in all.
        total: usize,
    },
}

/// What an update did.
#[derive(Debug, Clone, Default)]
pub struct Update {
    /// Whether a new generation was written.
    pub wrote: bool,
    /// Guides in the index now.
    pub documents: usize,
    /// Chunks in the index now.
    pub chunks: usize,
    /// Passages that went through the model.
    pub embedded: usize,
    /// Passages that an interrupted update had embedded, and that did not have to be embedded again.
    pub resumed: usize,
    /// How long the model took.
    pub embedding: Duration,
    /// What differed on disk.
    pub changes: Changes,
    /// Guides that a repair could not save: their text is damaged in the index and out of reach on disk.
    pub lost: Vec<String>,
    /// What could not be read as it stands, of the guides that were read this time.
    pub warnings: Vec<Warning>,
    /// Files of kinds that are not read, by extension.
    pub other_kinds: BTreeMap<String, usize>,
    /// Guides in the index now, by the name of their format.
    pub formats: BTreeMap<String, usize>,
}

/// Brings the index up to date. The index that was there answers until the new generation is complete, and stays if
/// anything fails.
///
/// # Errors
/// A folder that is not there, an index of another model or format, a disk that refuses, a model that fails; a
/// [`Request::stop`].
pub fn update(request: &Request, listener: &mut dyn FnMut(Event)) -> Result<Update, IndexError> {
    if !may_hold_index(request.index) {
        return Err(IndexError::NotAnIndex { path: request.index.to_owned() });
    }
    std::fs::create_dir_all(request.index).map_err(IndexError::io("write", request.index))?;
    let patience = if request.wait { Patience::Wait(request.stop) } else { Patience::GiveUp };
    let on_wait = |holder: &str| listener(Event::Waiting { holder: holder.to_owned() });
    let _lock = WriterLock::take(request.index, patience, on_wait)?;
    clear_unfinished(request.index);
    let (old, salvage) = match (request.rebuild, request.repair) {
        (true, _) => (None, Salvage::default()),
        (_, false) => (Snapshot::open_for_update(request.index)?, Salvage::default()),
        (_, true) => {
            salvage(request.index)?.map_or((None, Salvage::default()), |(old, rest)| (Some(old), rest))
        }
    };
    let old = old.map(|old| compatible(request, old)).transpose()?.flatten();
    let sources = sources(request)?;
    let plan = Plan::new(&sources, request.shipped, old.as_ref().map(Snapshot::record))?;
    let writer = Writer { request, old, salvage, sources, looked: plan.looked };
    writer.run(plan, listener)
}

/// The sets of guides that the index shall hold. Settled under the writer's lock: another writer may have added some.
pub(crate) fn sources(request: &Request) -> Result<Vec<SourceRecord>, IndexError> {
    let recorded = match recorded_sources(request.index) {
        Err(IndexError::SourcesLost { .. }) if request.rebuild && !request.add.is_empty() => None,
        recorded => recorded?,
    };
    let recorded = recorded.unwrap_or_default();
    let mut folders: Vec<PathBuf> = recorded.iter().filter_map(|source| source.folder.clone()).collect();
    for added in request.add {
        if folders.contains(added) {
            continue;
        }
        if let Some(other) = folders.iter().find(|other| other.starts_with(added) || added.starts_with(other))
        {
            let (inner, outer) = if added.starts_with(other) { (added, other) } else { (other, added) };
            return Err(IndexError::Overlap { inner: inner.clone(), outer: outer.clone() });
        }
        folders.push(added.clone());
    }
    for folder in request.remove {
        let named = |at: &PathBuf| {
            recorded.iter().any(|s| s.folder.as_ref() == Some(at) && Path::new(&s.name) == folder)
        };
        let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
        let at = folders.iter().position(|other| *other == absolute || named(other));
        let not_here = || IndexError::NotInIndex { path: request.index.to_owned(), folder: folder.clone() };
        folders.remove(at.ok_or_else(not_here)?);
        if folders.is_empty() {
            return Err(IndexError::NothingLeft { path: request.index.to_owned() });
        }
    }
    let sources: Vec<Source> = match folders.is_empty() {
        true => vec![Source::Shipped],
        false => folders.into_iter().map(Source::Folder).collect(),
    };
    Ok(manifest::name_sources(&sources))
}

/// The index there, if it can be built on. One without vectors gives way to one with; anything else that differs
/// is the reader's to decide.
fn compatible(request: &Request, old: Snapshot) -> Result<Option<Snapshot>, IndexError> {
    match old.check_fingerprint(request.embedder) {
        Ok(()) => Ok(Some(old)),
        Err(_) if !old.has_vectors() && request.embedder.is_some() => Ok(None),
        Err(error) => Err(error),
    }
}
