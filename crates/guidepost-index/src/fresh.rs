//! What an update is about to write as one segment, and how much memory that takes.

use guidepost_text::Named;

use crate::prepare::Prepared;
use crate::{DocumentRecord, StoredChunk};

/// Guides and chunks in the order of their rows.
#[derive(Default)]
pub(crate) struct Fresh {
    pub(crate) documents: Vec<DocumentRecord>,
    pub(crate) names: Vec<Named>,
    /// Each with the number of its guide among `documents`.
    pub(crate) chunks: Vec<StoredChunk>,
    bytes: u64,
}

/// Bytes that a segment takes while it is written, by its text and its rows. Of text: itself, as it is embedded, as postings,
/// and the codes of its tokens, of which there is one for four or five characters. Of a row:
/// its 384 components in f32, in int8 and as the graph copies them while it is built, and what hnsw_rs keeps of it. `benches/results/updating.md` holds what a
/// build really takes against it.
const OF_TEXT: u64 = 14;
const OF_ROW: u64 = 5_000;

/// Rows of about so many bytes of text: what a bound on memory amounts to where the texts are not known yet.
const TYPICAL_TEXT: u64 = 700;

fn bytes_of(text: u64, rows: u64) -> u64 {
    text * OF_TEXT + rows * OF_ROW
}

/// Rows that a segment has about when it takes so much memory.
pub(crate) fn rows_in(memory: u64) -> usize {
    usize::try_from(memory / bytes_of(TYPICAL_TEXT, 1)).unwrap_or(usize::MAX)
}

impl Fresh {
    /// Adds a guide; its record as the generation has it, but for the number of the segment.
    pub(crate) fn add(&mut self, mut made: Prepared) -> DocumentRecord {
        made.record.number = self.documents.len() as u32;
        made.record.first_row = self.chunks.len() as u32;
        made.record.chunks = made.chunks.len() as u32;
        made.chunks.iter_mut().for_each(|chunk| chunk.document = made.record.number);
        self.bytes += weight(&made.chunks);
        self.documents.push(made.record.clone());
        self.names.push(made.named);
        self.chunks.append(&mut made.chunks);
        made.record
    }

    /// Whether these chunks have room beside those that are there; where there is nothing, everything has.
    pub(crate) fn has_room_for(&self, chunks: &[StoredChunk], memory: u64) -> bool {
        self.documents.is_empty() || self.bytes + weight(chunks) <= memory
    }
}

fn weight(chunks: &[StoredChunk]) -> u64 {
    let text: usize = chunks.iter().map(|chunk| chunk.chunk.text.len() + chunk.chunk.context.len()).sum();
    bytes_of(text as u64, chunks.len() as u64)
}
