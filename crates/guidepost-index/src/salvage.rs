//! What is left of a damaged index: the segments that are sound, and of the others what can be believed.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use guidepost_text::Named;

use crate::checked_file::SegmentFiles;
use crate::chunk_store::LINES;
use crate::encoding::Known;
use crate::generation::{current, generations, segments_in};
use crate::generation_record::{FORMAT, GenerationRecord, SegmentRecord};
use crate::manifest::Manifest;
use crate::prepare::Prepared;
use crate::tokens::Tokens;
use crate::vectors::Vectors;
use crate::verify::damaged_files;
use crate::{
    ChunkId, DocumentRecord, IndexError, Snapshot, StoredChunk, documents, files, names, tokens, vectors,
};

/// What can be taken out of the damaged segments of an index.
#[derive(Default)]
pub(crate) struct Salvage {
    segments: Vec<Salvaged>,
}

/// A damaged segment.
struct Salvaged {
    /// Those of its guides that the generation has.
    documents: Vec<DocumentRecord>,
    /// By row; `None` where the file is damaged.
    chunks: Option<Vec<StoredChunk>>,
    /// By number of the guide; `None` where the file is damaged.
    names: Option<Vec<Named>>,
    /// Rows by the key of their text.
    rows: HashMap<String, u32>,
    /// `None` where the file is damaged.
    vectors: Option<Vectors>,
    tokens: Option<Tokens>,
}

/// The sound part of an index as a generation of its own, and what else there is; `None` where nothing tells what it held.
pub(crate) fn salvage(index: &Path) -> Result<Option<(Snapshot, Salvage)>, IndexError> {
    let Some(record) = last_record(index)? else { return Ok(None) };
    let damaged: Vec<BTreeSet<String>> =
        record.segments.iter().map(|segment| damaged_files(index, segment)).collect::<Result<_, _>>()?;
    let mut salvage = Salvage::default();
    for (at, (segment, damaged)) in record.segments.iter().zip(&damaged).enumerate() {
        if !damaged.is_empty() {
            let mine = record.documents.iter().filter(|document| document.segment as usize == at);
            salvage.segments.push(Salvaged::open(index, segment, damaged, mine.cloned().collect())?);
        }
    }
    let is_sound: Vec<bool> = damaged.iter().map(BTreeSet::is_empty).collect();
    Ok(Some((Snapshot::of_record(index, record.with_segments(&is_sound))?, salvage)))
}

/// What the last generation held: its own record, that of an earlier one, or what the segments tell.
fn last_record(index: &Path) -> Result<Option<GenerationRecord>, IndexError> {
    let named = current(index).ok().flatten();
    for generation in named.into_iter().chain(generations(index).into_iter().rev()) {
        match GenerationRecord::read(index, &index.join(generation)) {
            Ok(record) => return Ok(Some(record)),
            Err(error @ (IndexError::EarlierFormat { .. } | IndexError::LaterFormat { .. })) => {
                return Err(error);
            }
            Err(_) => {}
        }
    }
    Ok(from_segments(index))
}

/// A generation of all segments, the newest of which tells how they were made. Of guides that several hold the newest counts.
fn from_segments(index: &Path) -> Option<GenerationRecord> {
    let mut segments: Vec<(SegmentRecord, Vec<DocumentRecord>)> = Vec::new();
    for name in segments_in(index) {
        let folder = index.join(&name);
        let manifest = files::read(&folder.join(Manifest::NAME)).ok();
        let manifest: Option<Manifest> = manifest.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let documents = manifest.as_ref().and_then(|manifest| documents::read(&folder, manifest).ok());
        segments.extend(
            manifest
                .zip(documents)
                .map(|(manifest, documents)| (SegmentRecord { name, manifest }, documents)),
        );
    }
    let made = segments.last()?.0.manifest.made.clone();
    segments.retain(|(segment, _)| segment.manifest.made == made);
    let mut seen = BTreeSet::new();
    let mut documents: Vec<DocumentRecord> = Vec::new();
    for (at, (_, of_segment)) in segments.iter().enumerate().rev() {
        let fresh =
            of_segment.iter().filter(|document| seen.insert((document.source, document.relative.clone())));
        documents.extend(fresh.map(|document| DocumentRecord { segment: at as u32, ..document.clone() }));
    }
    documents.sort_by(|a, b| (a.source, &a.relative).cmp(&(b.source, &b.relative)));
    let newest = &segments.last()?.0.manifest;
    let mut record = GenerationRecord {
        format: FORMAT,
        generation: 0,
        fingerprint: made.fingerprint,
        finder: made.finder,
        keeps_tokens: !newest.token_codes.is_empty(),
        analyzer: made.analyzer,
        dimensions: newest.dimensions,
        written: 0,
        looked: 0,
        chunks: 0,
        sources: made.sources,
        documents,
        segments: segments.into_iter().map(|(segment, _)| segment).collect(),
        files: std::collections::BTreeMap::new(),
    };
    record.number();
    Some(record)
}

impl Salvaged {
    fn open(
        index: &Path,
        segment: &SegmentRecord,
        damaged: &BTreeSet<String>,
        documents: Vec<DocumentRecord>,
    ) -> Result<Salvaged, IndexError> {
        let (folder, manifest) = (index.join(&segment.name), &segment.manifest);
        let is_sound = |name: &str| !damaged.contains(name) && manifest.files.contains_key(name);
        let chunks = is_sound(LINES).then(|| read_chunks(&folder, manifest)).transpose()?;
        let rows = (0..).zip(chunks.iter().flatten()).map(|(row, chunk)| (chunk.key.clone(), row)).collect();
        // Every byte of what is sound has just been read.
        let files = SegmentFiles::unchecked(&folder, manifest);
        let names = is_sound(names::NAMES).then(|| names::read(&files.file(names::NAMES)?)).transpose()?;
        Ok(Salvaged {
            documents,
            rows,
            chunks,
            names,
            vectors: is_sound(vectors::NAME).then(|| Vectors::open(&files)).transpose()?,
            tokens: match is_sound(tokens::NAME) {
                true => Tokens::open(&files)?,
                false => None,
            },
        })
    }

    /// A guide as it was when it was read last; `None` where its text is lost.
    fn guide(&self, document: &DocumentRecord) -> Option<Prepared> {
        let first = document.first_row as usize;
        let chunks = self.chunks.as_ref()?.get(first..first + document.chunks as usize)?.to_vec();
        let named = self.names.as_ref().and_then(|names| names.get(document.number as usize)).cloned();
        Some(Prepared { record: document.clone(), chunks, named: named.unwrap_or_default() })
    }
}

fn read_chunks(folder: &Path, manifest: &Manifest) -> Result<Vec<StoredChunk>, IndexError> {
    let path = folder.join(LINES);
    let map = files::map(&path, manifest.bytes_of(folder, LINES)?)?;
    let lines = map.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let chunks: Result<Vec<StoredChunk>, _> = lines.map(serde_json::from_slice).collect();
    chunks.map_err(|error| IndexError::damaged(&path, error.to_string()))
}

impl Salvage {
    /// Vector and token codes of the text with this key; no codes where none are left.
    pub(crate) fn encoding(&self, key: &str) -> Option<Known<'_>> {
        self.segments.iter().find_map(|segment| {
            let row = *segment.rows.get(key)?;
            let vector = segment.vectors.as_ref()?.row(row as usize);
            Some((vector, segment.tokens.as_ref().map_or(&[][..], |tokens| tokens.row(ChunkId(row)))))
        })
    }

    /// The guides of a source that are nowhere else any more, each as it was or, where its text is lost, by its path.
    pub(crate) fn guides(&self, source: usize) -> impl Iterator<Item = Result<Prepared, String>> {
        let of_segment = move |segment: &'_ Salvaged| {
            let mine = segment.documents.iter().filter(|document| document.source == source);
            mine.map(|document| segment.guide(document).ok_or_else(|| document.path.clone()))
                .collect::<Vec<_>>()
        };
        self.segments.iter().flat_map(of_segment)
    }
}
