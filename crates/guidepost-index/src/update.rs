//! Writing: a new generation from what is on disk now, taking over whatever has not changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use guidepost_text::{Embed, FINDER, Format, HashEmbedder, Named};
use rayon::prelude::*;

use crate::chunk_store::ChunkStore;
use crate::encoding::{Encodings, encode};
use crate::generation::{
    clear_others, clear_unfinished, generation_name, may_hold_index, next_generation, recorded_sources,
    unfinished_name,
};
use crate::graph::Graph;
use crate::manifest::{self, DocumentRecord, FORMAT, Manifest, SourceRecord};
use crate::plan::{Entry, Origin, Plan, State, Warning, now};
use crate::postings::{ANALYZER, Postings};
use crate::prepare::{Contents, Prepared, number, read_entry, take_over};
use crate::snapshot::fingerprint;
use crate::tokens::{CODES, Tokens};
use crate::vectors::Vectors;
use crate::writer_lock::{Patience, WriterLock};
use crate::{
    Changes, ChunkId, IndexError, ShippedGuide, Snapshot, Source, StoredChunk, abbreviations, files, names,
};

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
    /// Wait for another writer, or report it.
    pub wait: bool,
    /// What becomes of token vectors.
    pub late_interaction: LateInteraction,
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
    /// Passages are embedded.
    Embedding {
        /// So far.
        done: usize,
        /// In all.
        total: usize,
    },
    /// Files are written.
    Writing,
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
    /// What differed on disk.
    pub changes: Changes,
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
/// A folder that is not there, an index of another model or format, a disk that refuses, a model that fails.
pub fn update(request: &Request, listener: &mut dyn FnMut(Event)) -> Result<Update, IndexError> {
    if !may_hold_index(request.index) {
        return Err(IndexError::NotAnIndex { path: request.index.to_owned() });
    }
    std::fs::create_dir_all(request.index).map_err(IndexError::io("write", request.index))?;
    let patience = if request.wait { Patience::Wait } else { Patience::GiveUp };
    let on_wait = |holder: &str| listener(Event::Waiting { holder: holder.to_owned() });
    let _lock = WriterLock::take(request.index, patience, on_wait)?;
    clear_unfinished(request.index);
    let old = if request.rebuild { None } else { Snapshot::open(request.index)? };
    let old = old.map(|old| compatible(request, old)).transpose()?.flatten();
    let sources = sources(request)?;
    let plan = Plan::new(&sources, request.shipped, old.as_ref().map(Snapshot::manifest))?;
    let mut writer = Writer { request, old, sources };
    writer.run(plan, listener)
}

/// The sets of guides that the index shall hold. Settled under the writer's lock: another writer may have added some.
fn sources(request: &Request) -> Result<Vec<SourceRecord>, IndexError> {
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

struct Writer<'a> {
    request: &'a Request<'a>,
    old: Option<Snapshot>,
    sources: Vec<SourceRecord>,
}

impl Writer<'_> {
    fn run(&mut self, plan: Plan, listener: &mut dyn FnMut(Event)) -> Result<Update, IndexError> {
        let changes = plan.changes();
        let as_wanted = |old: &&Snapshot| {
            old.sources() == self.sources
                && (!old.has_vectors() || old.has_token_codes() == self.keeps_tokens())
        };
        if let Some(old) = self.old.as_ref().filter(as_wanted).filter(|_| changes == Changes::default()) {
            return Ok(Update {
                formats: formats(old.documents()),
                documents: old.documents().len(),
                chunks: old.chunk_count(),
                warnings: plan.warnings,
                other_kinds: plan.other_kinds,
                ..Update::default()
            });
        }
        listener(Event::Reading { guides: changes.added + changes.changed });
        let (prepared, mut warnings) = self.prepare(&plan)?;
        warnings.extend(plan.warnings);
        let contents = number(prepared);
        let encodings = match self.request.embedder {
            Some(embedder) => {
                let old = self.old.as_ref();
                Some(encode(&contents.chunks, old, embedder, self.keeps_tokens(), listener)?)
            }
            None => None,
        };
        listener(Event::Writing);
        let update = Update {
            wrote: true,
            formats: formats(&contents.documents),
            documents: contents.documents.len(),
            chunks: contents.chunks.len(),
            embedded: encodings.as_ref().map_or(0, |encodings| encodings.embedded),
            changes,
            warnings,
            other_kinds: plan.other_kinds,
        };
        self.commit(contents, encodings.as_ref())?;
        Ok(update)
    }

    /// Takes over what has not changed, reads and cuts the rest.
    fn prepare(&self, plan: &Plan) -> Result<(Vec<Prepared>, Vec<Warning>), IndexError> {
        // Cutting a guide in memory needs nothing but the tokenizer, so guides are cut side by side.
        let names = self.old_names()?;
        let outcomes: Vec<Result<Prepared, IndexError>> = plan
            .entries
            .par_iter()
            .map(|entry| match (entry.state, entry.known, &self.old) {
                (State::Same | State::Touched, Some(known), Some(old)) if keeps(entry, old) => {
                    take_over(entry, known, old, &names[known])
                }
                _ => Ok(read_entry(entry, self.request.embedder.unwrap_or(&HashEmbedder))),
            })
            .collect();
        let mut prepared = Vec::new();
        let mut warnings = Vec::new();
        for (entry, outcome) in plan.entries.iter().zip(outcomes) {
            let guide = outcome?;
            if entry.state == State::Changed {
                let warning =
                    |message: &String| Warning { path: Some(entry.path.clone()), message: message.clone() };
                warnings.extend(guide.record.warnings.iter().map(warning));
            }
            prepared.push(guide);
        }
        Ok((prepared, warnings))
    }

    fn old_names(&self) -> Result<Vec<Named>, IndexError> {
        self.old.as_ref().map_or(Ok(Vec::new()), Snapshot::names)
    }

    /// Whether the new generation keeps token codes.
    fn keeps_tokens(&self) -> bool {
        match self.request.late_interaction {
            LateInteraction::Keep => true,
            LateInteraction::Drop => false,
            LateInteraction::AsBefore => self.old.as_ref().is_none_or(|old| old.manifest().keeps_tokens()),
        }
    }

    /// Writes the generation beside the old one, then names it in `CURRENT`: the one moment at which it counts.
    fn commit(&self, contents: Contents, encodings: Option<&Encodings>) -> Result<(), IndexError> {
        let index = self.request.index;
        let generation = next_generation(index);
        let folder = index.join(unfinished_name());
        std::fs::create_dir(&folder).map_err(IndexError::io("write", &folder))?;
        let mut manifest = Manifest {
            format: FORMAT,
            generation,
            fingerprint: fingerprint(self.request.embedder),
            finder: FINDER.to_owned(),
            token_codes: if self.keeps_tokens() { CODES.to_owned() } else { String::new() },
            analyzer: ANALYZER.to_owned(),
            dimensions: self.request.embedder.map(Embed::dimensions),
            written: now(),
            chunks: contents.chunks.len() as u32,
            sources: self.sources.clone(),
            documents: contents.documents,
            files: BTreeMap::new(),
        };
        let written = names::write(&folder, &contents.names, &mut manifest)
            .and_then(|()| self.write_files(&folder, &contents.chunks, encodings, &mut manifest));
        if written.is_err() {
            let _ = std::fs::remove_dir_all(&folder);
        }
        written?;
        let name = generation_name(generation);
        std::fs::rename(&folder, index.join(&name)).map_err(IndexError::io("write", &folder))?;
        files::sync_folder(index).map_err(IndexError::io("write", index))?;
        files::replace(&index.join("CURRENT"), format!("{name}\n").as_bytes())?;
        clear_others(index, &name);
        Ok(())
    }

    fn write_files(
        &self,
        folder: &Path,
        chunks: &[StoredChunk],
        encodings: Option<&Encodings>,
        manifest: &mut Manifest,
    ) -> Result<(), IndexError> {
        let only_touched = self.old.as_ref().filter(|old| {
            let same =
                |(at, chunk): (usize, &StoredChunk)| old.chunk(ChunkId(at as u32)).is_ok_and(|c| &c == chunk);
            old.manifest().token_codes == manifest.token_codes
                && old.chunk_count() == chunks.len()
                && chunks.iter().enumerate().all(same)
        });
        match only_touched {
            Some(old) => {
                link_files(old, folder, manifest)?;
                match old.manifest().has_current_postings() {
                    true => link_postings(old, folder)?,
                    false => write_postings(folder, chunks, manifest)?,
                }
            }
            None => {
                ChunkStore::write(folder, chunks, manifest)?;
                if let Some(Encodings { vectors, tokens, .. }) = encodings {
                    Vectors::write(folder, vectors, manifest)?;
                    Graph::write(folder, vectors, manifest)?;
                    if let Some(tokens) = tokens {
                        let rows: Vec<&[u64]> = tokens.iter().map(AsRef::as_ref).collect();
                        let dimensions = self.request.embedder.map_or(0, Embed::token_dimensions);
                        Tokens::write(folder, &rows, dimensions, manifest)?;
                    }
                }
                write_postings(folder, chunks, manifest)?;
            }
        }
        let path = folder.join("manifest.json");
        let bytes = serde_json::to_vec_pretty(manifest)
            .map_err(|error| IndexError::damaged(&path, error.to_string()))?;
        files::write(&path, |file| std::io::Write::write_all(file, &bytes))?;
        files::sync_folder(folder).map_err(IndexError::io("write", folder))
    }
}

/// Writes what is derived from the texts of the chunks.
fn write_postings(folder: &Path, chunks: &[StoredChunk], manifest: &mut Manifest) -> Result<(), IndexError> {
    abbreviations::write(folder, &abbreviations::find(chunks), manifest)?;
    Postings::write(folder, chunks, &manifest.documents)
}

/// Whether what the index holds of an unchanged guide is what this version would find in it.
fn keeps(entry: &Entry, old: &Snapshot) -> bool {
    old.manifest().is_current() || matches!(entry.origin, Origin::OutOfReach)
}

fn formats(documents: &[DocumentRecord]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for format in documents.iter().filter_map(|document| Format::of(&document.path)) {
        *counts.entry(format.name().to_owned()).or_default() += 1;
    }
    counts
}

/// Takes all files over from a generation with the same chunks, without copying a byte where links can be made.
fn link_files(old: &Snapshot, folder: &Path, manifest: &mut Manifest) -> Result<(), IndexError> {
    for (name, record) in old.manifest().files.iter().filter(|(name, _)| *name != names::NAMES) {
        link(old.folder().join(name), folder.join(name))?;
        manifest.files.insert(name.clone(), record.clone());
    }
    Ok(())
}

fn link_postings(old: &Snapshot, folder: &Path) -> Result<(), IndexError> {
    let (from, to) = (old.folder().join("postings"), folder.join("postings"));
    std::fs::create_dir(&to).map_err(IndexError::io("write", &to))?;
    for entry in from.read_dir().map_err(IndexError::io("read", &from))?.flatten() {
        link(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

fn link(from: PathBuf, to: PathBuf) -> Result<(), IndexError> {
    let linked = std::fs::hard_link(&from, &to).or_else(|_| std::fs::copy(&from, &to).map(|_| ()));
    linked.map_err(IndexError::io("write", &to))
}
