//! A segment: guides that were written together, and never change again. A generation names the segments whose guides it
//! still has.

use std::path::{Path, PathBuf};

use guidepost_text::Named;
use rayon::prelude::*;

use crate::abbreviations::{self, Abbreviation};
use crate::checked_file::{CheckedFile, SegmentFiles};
use crate::chunk_store::ChunkStore;
use crate::encoding::Encodings;
use crate::frozen_directory::FrozenDirectory;
use crate::generation_record::SegmentRecord;
use crate::graph::Graph;
use crate::keys::Keys;
use crate::manifest::{Made, Manifest};
use crate::names::NAMES;
use crate::postings::Postings;
use crate::tokens::{CODES, Tokens};
use crate::vectors::Vectors;
use crate::{DocumentRecord, IndexError, StoredChunk, documents, files, names};

/// Rows from which a segment has a graph; all of fewer are looked at in less time than a walk takes.
const GRAPH_FROM: usize = 1000;

/// A segment, open for reading.
pub(crate) struct Segment {
    pub(crate) folder: PathBuf,
    pub(crate) chunks: ChunkStore,
    pub(crate) keys: Keys,
    pub(crate) vectors: Option<Vectors>,
    pub(crate) graph: Option<Graph>,
    pub(crate) tokens: Option<Tokens>,
    pub(crate) names: CheckedFile,
    pub(crate) postings: FrozenDirectory,
}

/// What a segment is written from: its guides in their order, and the chunks of all of them.
pub(crate) struct SegmentContents<'a> {
    pub(crate) documents: &'a [DocumentRecord],
    pub(crate) names: &'a [Named],
    /// Each with the number of its guide among `documents`.
    pub(crate) chunks: &'a [StoredChunk],
    /// `None` without a model.
    pub(crate) encodings: Option<&'a Encodings<'a>>,
    /// Components of a vector; `None` without a model.
    pub(crate) dimensions: Option<usize>,
    /// Components of a token's vector.
    pub(crate) token_dimensions: usize,
    pub(crate) made: Made,
}

impl Segment {
    pub(crate) fn open(index: &Path, record: &SegmentRecord) -> Result<Segment, IndexError> {
        let folder = index.join(&record.name);
        let files = SegmentFiles::open(&folder, &record.manifest)?;
        Ok(Segment {
            chunks: ChunkStore::open(&files)?,
            keys: Keys::open(&files)?,
            vectors: record.manifest.dimensions.map(|_| Vectors::open(&files)).transpose()?,
            graph: Graph::open(&files)?,
            tokens: Tokens::open(&files)?,
            names: files.file(NAMES)?,
            postings: FrozenDirectory::open(&files)?,
            folder,
        })
    }

    /// Refuses what was read so far if any of it is not what was written. Reading what can say so itself has done so.
    pub(crate) fn sound(&self) -> Result<(), IndexError> {
        self.vectors.iter().try_for_each(Vectors::sound)?;
        self.graph.iter().try_for_each(Graph::sound)?;
        self.tokens.iter().try_for_each(Tokens::sound)?;
        self.postings.sound()
    }

    /// Writes all files of a segment into an empty folder. `progress` hears how many of how many steps of linking rows are done.
    pub(crate) fn write(
        folder: &Path,
        contents: &SegmentContents,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Manifest, IndexError> {
        let mut manifest = Manifest {
            chunks: contents.chunks.len() as u32,
            dimensions: contents.dimensions,
            made: contents.made.clone(),
            ..Manifest::default()
        };
        // Postings are made by one thread, which the others need not wait for.
        let (text, rows) =
            rayon::join(|| contents.write_text(folder), || contents.write_rows(folder, progress));
        let (text, rows) = (text?, rows?);
        manifest.token_codes = rows.token_codes;
        manifest.files = text.files.into_iter().chain(rows.files).collect();
        SegmentFiles::write_checksums(folder, &mut manifest)?;
        let path = folder.join(Manifest::NAME);
        files::write_json(&path, &manifest)?;
        files::sync_folder(folder).map_err(IndexError::io("write", folder))?;
        Ok(manifest)
    }
}

impl SegmentContents<'_> {
    /// Writes what is made of texts.
    fn write_text(&self, folder: &Path) -> Result<Manifest, IndexError> {
        let SegmentContents { documents, names, chunks, .. } = *self;
        let mut written = Manifest::default();
        documents::write(folder, documents, &mut written)?;
        names::write(folder, names, &mut written)?;
        abbreviations::write_definitions(folder, &definitions(documents, chunks), &mut written)?;
        ChunkStore::write(folder, chunks, &mut written)?;
        Keys::write(folder, chunks, &mut written)?;
        Postings::write(folder, chunks, documents, &mut written)?;
        Ok(written)
    }

    /// Writes what is made of vectors.
    fn write_rows(
        &self,
        folder: &Path,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Manifest, IndexError> {
        let mut written = Manifest { dimensions: self.dimensions, ..Manifest::default() };
        let Some(Encodings { vectors, tokens }) = self.encodings else { return Ok(written) };
        Vectors::write(folder, vectors, &mut written)?;
        if vectors.len() >= GRAPH_FROM {
            Graph::write(folder, vectors, progress, &mut written)?;
        }
        if let Some(tokens) = tokens {
            CODES.clone_into(&mut written.token_codes);
            let rows: Vec<&[u64]> = tokens.iter().map(AsRef::as_ref).collect();
            Tokens::write(folder, &rows, self.token_dimensions, &mut written)?;
        }
        Ok(written)
    }
}

/// What each guide defines, in their order.
fn definitions(documents: &[DocumentRecord], chunks: &[StoredChunk]) -> Vec<Vec<Abbreviation>> {
    let chunks_of = |document: &DocumentRecord| {
        let first = document.first_row as usize;
        chunks[first..first + document.chunks as usize].iter()
    };
    documents.par_iter().map(|document| abbreviations::find(chunks_of(document))).collect()
}
