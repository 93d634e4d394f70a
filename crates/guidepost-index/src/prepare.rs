//! Guides on their way into a new generation: taken over as they are, or read and cut anew.

use guidepost_text::{Document, Embed, Named, chunk_document, named, passage_text, read_document};

use crate::manifest::DocumentRecord;
use crate::plan::{Entry, Origin};
use crate::{ChunkId, IndexError, Snapshot, StoredChunk};

/// A guide on its way into the new generation.
pub(crate) struct Prepared {
    pub(crate) record: DocumentRecord,
    pub(crate) chunks: Vec<StoredChunk>,
    pub(crate) named: Named,
}

/// The record of a guide that has not changed, as it stands on disk now.
pub(crate) fn keep(entry: &Entry, before: &DocumentRecord) -> DocumentRecord {
    DocumentRecord {
        source: entry.source,
        path: entry.path.clone(),
        bytes: entry.bytes,
        modified_ns: entry.modified_ns,
        ..before.clone()
    }
}

/// What the index holds of a guide, which is `record` now; `named` is what it names.
pub(crate) fn take_over(
    record: DocumentRecord,
    old: &Snapshot,
    named: &Named,
) -> Result<Prepared, IndexError> {
    let rows = record.first_chunk..record.first_chunk + record.chunks;
    let chunks = rows.map(|row| old.chunk(ChunkId(row))).collect::<Result<_, _>>()?;
    Ok(Prepared { record, chunks, named: named.clone() })
}

/// Reads and cuts a guide. One that cannot be read is recorded without text, so that it is known and tried again.
pub(crate) fn read_entry(entry: &Entry, ruler: &dyn Embed) -> Prepared {
    let read = match &entry.origin {
        Origin::File(path) => std::fs::read(path),
        Origin::Shipped(bytes) => Ok(bytes.to_vec()),
        Origin::OutOfReach => Err(std::io::ErrorKind::NotFound.into()),
    };
    let hash = read.as_ref().map_or_else(|_| String::new(), |bytes| blake3::hash(bytes).to_hex().to_string());
    let mut document: Document = read_document(&entry.path, read.as_deref().unwrap_or_default());
    if let Err(error) = read {
        document.warnings.push(format!("cannot be read ({error})"));
    }
    let store = |chunk| {
        let key = blake3::hash(passage_text(&chunk).as_bytes()).to_hex().to_string();
        StoredChunk { document: 0, key, chunk }
    };
    let chunks: Vec<StoredChunk> = chunk_document(&document, ruler).into_iter().map(store).collect();
    let named = named(&document);
    let mut warnings = document.warnings;
    if chunks.is_empty() && warnings.is_empty() {
        warnings.push("holds no text".to_owned());
    }
    let record = DocumentRecord {
        source: entry.source,
        relative: entry.relative.clone(),
        path: entry.path.clone(),
        bytes: entry.bytes,
        modified_ns: entry.modified_ns,
        hash,
        content: String::new(),
        metadata: document.metadata,
        first_chunk: 0,
        chunks: 0,
        segment: 0,
        first_row: 0,
        number: 0,
        pages: document.pages,
        warnings,
    };
    Prepared { record, chunks, named }
}
