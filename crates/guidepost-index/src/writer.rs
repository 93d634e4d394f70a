//! Writing a new generation: what has not changed stays where it is, the rest is written beside it, in one segment or, where memory
//! is bounded, in several.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use guidepost_text::{Embed, FINDER, Format, HashEmbedder, Named};
use rayon::prelude::*;

use crate::checked_file::SegmentFiles;
use crate::compaction::{SegmentSize, absorbed};
use crate::encoding::{Known, encode};
use crate::fresh::{Fresh, rows_in};
use crate::generation::{
    CURRENT, clear_others, generation_name, next_generation, next_segment, segment_name, unfinished_name,
};
use crate::generation_record::{FORMAT, GenerationRecord, SegmentRecord};
use crate::journal::Journal;
use crate::manifest::{Made, Manifest};
use crate::model_run::ModelRun;
use crate::plan::{Entry, Origin, Plan, State, Warning, now};
use crate::postings::ANALYZER;
use crate::prepare::{Prepared, keep, read_entry, take_over};
use crate::salvage::Salvage;
use crate::segment::{Segment, SegmentContents};
use crate::snapshot::fingerprint;
use crate::update::{Event, Request, Update};
use crate::{
    Abbreviation, Changes, DocumentRecord, IndexError, Snapshot, SourceRecord, abbreviations, content, files,
};

pub(crate) struct Writer<'a> {
    pub(crate) request: &'a Request<'a>,
    pub(crate) old: Option<Snapshot>,
    /// Of the damaged segments, in a repair.
    pub(crate) salvage: Salvage,
    pub(crate) sources: Vec<SourceRecord>,
    /// When the disk was looked at, seconds since 1970.
    pub(crate) looked: u64,
}

impl<'a> Writer<'a> {
    pub(crate) fn run(&self, plan: Plan, listener: &mut dyn FnMut(Event)) -> Result<Update, IndexError> {
        let changes = plan.changes();
        let as_wanted =
            |old: &&Snapshot| old.sources() == self.sources && self.request.late_interaction.is_as_in(old);
        if let Some(old) = self
            .old
            .as_ref()
            .filter(as_wanted)
            .filter(|_| changes == Changes::default() && !self.request.repair)
        {
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
        let mut written = Written::default();
        let mut warnings = Vec::new();
        let ways = self.ways()?;
        for entries in portions(&plan.entries) {
            for (entry, guide) in entries.iter().zip(self.prepare(entries, &ways)?) {
                if let (State::Changed, NewGuide::Made(made)) = (entry.state, &guide) {
                    let path = Some(entry.path.clone());
                    let warning = |message: &String| Warning { path: path.clone(), message: message.clone() };
                    warnings.extend(made.record.warnings.iter().map(warning));
                }
                self.add(guide, &mut written, listener)?;
            }
        }
        warnings.extend(plan.warnings);
        let lost = self.save(&mut written, listener)?;
        self.compact(&mut written, listener)?;
        self.flush(&mut written, listener)?;
        let Written { run, .. } = &written;
        let refusal = run.as_ref().and_then(|run| run.journal.refusal());
        warnings.extend(refusal.map(|message| Warning { path: None, message }));
        let mut update = Update {
            wrote: true,
            embedded: run.as_ref().map_or(0, |run| run.embedded),
            resumed: run.as_ref().map_or(0, |run| run.resumed),
            embedding: run.as_ref().map_or(Duration::ZERO, |run| run.took),
            changes,
            lost,
            warnings,
            other_kinds: plan.other_kinds,
            ..Update::default()
        };
        let journal = written.run.take().map(|run| run.journal);
        let (documents, segments) = self.number(written);
        update.formats = formats(&documents);
        update.documents = documents.len();
        update.chunks = documents.iter().map(|document| document.chunks as usize).sum();
        self.commit(documents, segments)?;
        journal.into_iter().for_each(Journal::finish);
        Ok(update)
    }

    /// How guides that have not changed are taken over.
    fn ways(&self) -> Result<Ways, IndexError> {
        // Segments stay as they are unless this version or this request wants other files in them.
        let keeps_segments = self.old.as_ref().is_some_and(|old| {
            old.record().has_current_postings() && self.request.late_interaction.is_as_in(old)
        });
        let names = match &self.old {
            Some(old) if !keeps_segments => old.names()?.to_vec(),
            _ => Vec::new(),
        };
        Ok(Ways { keeps_segments, names })
    }

    /// Keeps what has not changed where it is, reads and cuts the rest.
    fn prepare(&self, entries: &[Entry], ways: &Ways) -> Result<Vec<NewGuide>, IndexError> {
        // Cutting a guide in memory needs nothing but the tokenizer, so guides are cut side by side.
        let prepared = entries.par_iter().map(|entry| match (entry.state, entry.known, &self.old) {
            (State::Same | State::Touched, Some(known), Some(old)) if keeps(entry, old) => {
                let record = keep(entry, &old.documents()[known]);
                match ways.keeps_segments {
                    true => Ok(NewGuide::Kept(record)),
                    false => take_over(record, old, &ways.names[known]).map(NewGuide::Made),
                }
            }
            _ if self.request.stop.load(Ordering::Relaxed) => Err(IndexError::Interrupted { kept: None }),
            _ => Ok(NewGuide::Made(read_entry(entry, self.request.embedder.unwrap_or(&HashEmbedder)))),
        });
        prepared.collect()
    }

    /// Takes a guide up. Where it has no room in memory beside those that are to be written, these are written first.
    fn add(
        &self,
        guide: NewGuide,
        written: &mut Written<'a>,
        listener: &mut dyn FnMut(Event),
    ) -> Result<(), IndexError> {
        let guide = match guide {
            NewGuide::Kept(record) => Guide { record, place: Place::Kept },
            NewGuide::Made(made) => self.add_made(made, written, listener)?,
        };
        written.guides.push(guide);
        Ok(())
    }

    fn add_made(
        &self,
        made: Prepared,
        written: &mut Written<'a>,
        listener: &mut dyn FnMut(Event),
    ) -> Result<Guide, IndexError> {
        if !written.fresh.has_room_for(&made.chunks, self.request.memory) {
            self.flush(written, listener)?;
        }
        let place = Place::Written(written.segments.len());
        Ok(Guide { record: written.fresh.add(made), place })
    }

    /// Writes a segment of what was taken up since the last.
    fn flush(&self, written: &mut Written<'a>, listener: &mut dyn FnMut(Event)) -> Result<(), IndexError> {
        let Request { index, embedder, stop, .. } = *self.request;
        let mut fresh = std::mem::take(&mut written.fresh);
        if fresh.documents.is_empty() {
            return Ok(());
        }
        if let (Some(embedder), None) = (embedder, &written.run) {
            written.run = Some(ModelRun::new(index, embedder, self.keeps_tokens(), stop)?);
        }
        let encodings = written
            .run
            .as_mut()
            .map(|run| encode(&fresh.chunks, |key| self.known(key), run, listener))
            .transpose()?;
        let digests = content::digests(&fresh.documents, &fresh.chunks, encodings.as_ref());
        for (document, digest) in fresh.documents.iter_mut().zip(&digests) {
            document.content.clone_from(digest);
        }
        let place = Place::Written(written.segments.len());
        for guide in written.guides.iter_mut().filter(|guide| guide.place == place) {
            guide.record.content.clone_from(&digests[guide.record.number as usize]);
        }
        listener(Event::Writing);
        let contents = SegmentContents {
            documents: &fresh.documents,
            names: &fresh.names,
            chunks: &fresh.chunks,
            encodings: encodings.as_ref(),
            dimensions: embedder.map(Embed::dimensions),
            token_dimensions: embedder.map_or(0, Embed::token_dimensions),
            made: Made {
                fingerprint: fingerprint(embedder),
                finder: FINDER.to_owned(),
                analyzer: ANALYZER.to_owned(),
                sources: self.sources.clone(),
            },
        };
        let name = segment_name(next_segment(index));
        let manifest = build(index, &name, |folder| write_segment(folder, &contents, listener))?;
        written.segments.push(SegmentRecord { name, manifest });
        Ok(())
    }

    /// Adds the guides of damaged segments whose folder is out of reach. Those of folders that can be reached were read again.
    fn save(
        &self,
        written: &mut Written<'a>,
        listener: &mut dyn FnMut(Event),
    ) -> Result<Vec<String>, IndexError> {
        let mut lost = Vec::new();
        let Some(old) = &self.old else { return Ok(lost) };
        for (at, source) in old.sources().iter().enumerate() {
            let place = self.sources.iter().position(|now| now.folder == source.folder);
            let is_out_of_reach = source.folder.as_ref().is_some_and(|folder| !folder.is_dir());
            let Some(place) = place.filter(|_| is_out_of_reach) else { continue };
            for guide in self.salvage.guides(at) {
                match guide {
                    Ok(mut made) => {
                        made.record.source = place;
                        self.add(NewGuide::Made(made), written, listener)?;
                    }
                    Err(path) => lost.push(path),
                }
            }
        }
        written.guides.sort_by_key(|guide| guide.record.source);
        Ok(lost)
    }

    /// Vector and token codes of a text that the index has them of, wherever they are.
    fn known(&self, key: &str) -> Result<Option<Known<'_>>, IndexError> {
        let old = self.old.as_ref().map(|old| old.encoding(key)).transpose()?.flatten();
        let known = old.or_else(|| self.salvage.encoding(key));
        Ok(known.filter(|(_, codes)| !codes.is_empty() || !self.keeps_tokens()))
    }

    /// Takes guides out of segments that are small, or mostly deleted, so that they are written anew with the others.
    fn compact(&self, written: &mut Written<'a>, listener: &mut dyn FnMut(Event)) -> Result<(), IndexError> {
        let Some(old) = &self.old else { return Ok(()) };
        let mut sizes: Vec<SegmentSize> = old
            .record()
            .segments
            .iter()
            .map(|segment| SegmentSize { rows: segment.manifest.chunks as usize, live: 0 })
            .collect();
        for guide in written.guides.iter().filter(|guide| guide.place == Place::Kept) {
            sizes[guide.record.segment as usize].live += guide.record.chunks as usize;
        }
        let absorbed = absorbed(&sizes, written.fresh.chunks.len(), rows_in(self.request.memory));
        if absorbed.is_empty() {
            return Ok(());
        }
        let names = old.names()?;
        let place = |record: &DocumentRecord| (record.segment, record.number);
        let known: HashMap<(u32, u32), &Named> = old.documents().iter().map(place).zip(names).collect();
        for at in 0..written.guides.len() {
            let Guide { record, place: Place::Kept } = &written.guides[at] else { continue };
            if !absorbed.contains(&(record.segment as usize)) {
                continue;
            }
            let named = known.get(&place(record)).copied().cloned().unwrap_or_default();
            let made = take_over(record.clone(), old, &named)?;
            written.guides[at] = self.add_made(made, written, listener)?;
        }
        Ok(())
    }

    /// Gives every guide its segment, and every chunk its number.
    fn number(&self, written: Written) -> (Vec<DocumentRecord>, Vec<SegmentRecord>) {
        let Written { guides, segments: new, .. } = written;
        let is_used = |at: usize| {
            guides.iter().any(|guide| guide.place == Place::Kept && guide.record.segment as usize == at)
        };
        let old = self.old.as_ref().map_or(&[][..], |old| &old.record().segments);
        let used: Vec<usize> = (0..old.len()).filter(|&at| is_used(at)).collect();
        let mut segments: Vec<SegmentRecord> = used.iter().map(|&at| old[at].clone()).collect();
        segments.extend(new);
        let mut next = 0;
        let mut documents = Vec::with_capacity(guides.len());
        for Guide { mut record, place } in guides {
            let at = match place {
                Place::Kept => used.iter().position(|&at| at == record.segment as usize).unwrap_or(0),
                Place::Written(at) => used.len() + at,
            };
            record.segment = at as u32;
            record.first_chunk = next;
            next += record.chunks;
            documents.push(record);
        }
        (documents, segments)
    }

    /// Whether the new generation keeps token codes.
    fn keeps_tokens(&self) -> bool {
        self.request.late_interaction.keeps_tokens(self.old.as_ref())
    }

    /// Writes the generation beside the old one, then names it in `CURRENT`: the one moment at which it counts.
    fn commit(&self, documents: Vec<DocumentRecord>, segments: Vec<SegmentRecord>) -> Result<(), IndexError> {
        let Request { index, embedder, .. } = *self.request;
        let generation = next_generation(index);
        let mut record = GenerationRecord {
            format: FORMAT,
            generation,
            fingerprint: fingerprint(embedder),
            finder: FINDER.to_owned(),
            keeps_tokens: self.keeps_tokens(),
            analyzer: ANALYZER.to_owned(),
            dimensions: embedder.map(Embed::dimensions),
            written: now(),
            looked: self.looked,
            chunks: documents.iter().map(|document| document.chunks).sum(),
            sources: self.sources.clone(),
            documents,
            segments,
            files: BTreeMap::new(),
        };
        let abbreviations = self.abbreviations(&record)?;
        let name = generation_name(generation);
        build(index, &name, |folder| {
            let file = abbreviations::write(folder, &abbreviations)?;
            record.files.insert(abbreviations::ABBREVIATIONS.to_owned(), file);
            record.write(folder)?;
            files::sync_folder(folder).map_err(IndexError::io("write", folder))
        })?;
        files::replace(&index.join(CURRENT), format!("{name}\n").as_bytes())?;
        clear_others(index, &name, &record);
        Ok(())
    }

    /// What all guides of the new generation define together.
    fn abbreviations(&self, record: &GenerationRecord) -> Result<Vec<Abbreviation>, IndexError> {
        let definitions = |segment: &SegmentRecord| {
            let folder = self.request.index.join(&segment.name);
            abbreviations::read_definitions(&SegmentFiles::open(&folder, &segment.manifest)?)
        };
        let of_segments: Vec<Vec<Vec<Abbreviation>>> =
            record.segments.iter().map(definitions).collect::<Result<_, _>>()?;
        let of_guide = |document: &DocumentRecord| {
            of_segments[document.segment as usize].get(document.number as usize).cloned().unwrap_or_default()
        };
        Ok(abbreviations::merge(record.documents.iter().map(of_guide)))
    }
}

/// What taking guides over needs to know.
struct Ways {
    /// Whether segments stay as they are.
    keeps_segments: bool,
    /// What each guide of the old generation names, where they do not.
    names: Vec<Named>,
}

/// A guide on its way into the new generation.
enum NewGuide {
    /// As it is in a segment of the old one.
    Kept(DocumentRecord),
    /// To be written.
    Made(Prepared),
}

/// A guide of the new generation.
struct Guide {
    record: DocumentRecord,
    place: Place,
}

/// Where a guide is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the segment of the old generation that its record says.
    Kept,
    /// In this one of the new segments.
    Written(usize),
}

/// A new generation as far as it is made.
#[derive(Default)]
struct Written<'a> {
    /// In the order of their sources and paths.
    guides: Vec<Guide>,
    segments: Vec<SegmentRecord>,
    /// The next segment.
    fresh: Fresh,
    /// The model, once there is work for it.
    run: Option<ModelRun<'a>>,
}

/// Bytes of guides that are read side by side.
const READ_AT_ONCE: u64 = 64 << 20;

/// Guides in portions that are read side by side.
fn portions(mut entries: &[Entry]) -> impl Iterator<Item = &[Entry]> {
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let end = entries.iter().position(|entry| {
            bytes += entry.bytes;
            bytes > READ_AT_ONCE
        });
        let (portion, rest) = entries.split_at(end.unwrap_or(entries.len()).max(1).min(entries.len()));
        entries = rest;
        (!portion.is_empty()).then_some(portion)
    })
}

/// How often is said how far the neighbors are.
const SAY_EVERY: Duration = Duration::from_millis(250);

/// Writes a segment, and says how far it is: linking each row to its neighbors takes minutes where there are many.
fn write_segment(
    folder: &Path,
    contents: &SegmentContents,
    listener: &mut dyn FnMut(Event),
) -> Result<Manifest, IndexError> {
    let (done, total) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let progress = |now: usize, all: usize| {
        done.fetch_max(now, Ordering::Relaxed);
        total.store(all, Ordering::Relaxed);
    };
    std::thread::scope(|scope| {
        let (finished, is_finished) = mpsc::channel();
        let work = scope.spawn(move || {
            let outcome = Segment::write(folder, contents, &progress);
            // Nobody listens any more only where the other thread has panicked.
            let _ = finished.send(());
            outcome
        });
        while is_finished.recv_timeout(SAY_EVERY) == Err(mpsc::RecvTimeoutError::Timeout) {
            let (done, total) = (done.load(Ordering::Relaxed), total.load(Ordering::Relaxed));
            if total > 0 {
                listener(Event::Linking { done, total });
            }
        }
        let total = total.load(Ordering::Relaxed);
        if total > 0 {
            listener(Event::Linking { done: total, total });
        }
        work.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Fills a folder under another name, and gives it its own when it is complete and on disk.
fn build<T>(
    index: &Path,
    name: &str,
    fill: impl FnOnce(&Path) -> Result<T, IndexError>,
) -> Result<T, IndexError> {
    let folder = index.join(unfinished_name());
    std::fs::create_dir(&folder).map_err(IndexError::io("write", &folder))?;
    let filled = fill(&folder);
    if filled.is_err() {
        let _ = std::fs::remove_dir_all(&folder);
    }
    let filled = filled?;
    std::fs::rename(&folder, index.join(name)).map_err(IndexError::io("write", &folder))?;
    files::sync_folder(index).map_err(IndexError::io("write", index))?;
    Ok(filled)
}

/// Whether what the index holds of an unchanged guide is what this version would find in it.
fn keeps(entry: &Entry, old: &Snapshot) -> bool {
    old.record().is_current() || matches!(entry.origin, Origin::OutOfReach)
}

fn formats(documents: &[DocumentRecord]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for format in documents.iter().filter_map(|document| Format::of(&document.path)) {
        *counts.entry(format.name().to_owned()).or_default() += 1;
    }
    counts
}
