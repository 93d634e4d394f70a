//! Chunks on disk: one JSON line each, found by row through a table of offsets, parsed only when asked for.

use std::io::Write;
use std::path::Path;

use guidepost_text::Chunk;
use serde::{Deserialize, Serialize};

use crate::checked_file::{CheckedFile, SegmentFiles};
use crate::manifest::Manifest;
use crate::{IndexError, files};

/// A chunk as the index keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredChunk {
    /// Number of its document in this generation; not stored.
    #[serde(skip)]
    pub document: u32,
    /// BLAKE3 of what was embedded, hexadecimal: equal keys have equal vectors.
    pub key: String,
    /// The chunk.
    #[serde(flatten)]
    pub chunk: Chunk,
}

impl StoredChunk {
    /// A chunk of a guide without headings.
    #[cfg(test)]
    pub(crate) fn for_tests(text: &str) -> StoredChunk {
        StoredChunk {
            document: 0,
            key: String::new(),
            chunk: Chunk {
                heading_path: Vec::new(),
                context: String::new(),
                lines: guidepost_text::Lines { first: 1, last: 1 },
                span: guidepost_text::Span { start: 0, end: text.len() },
                text: text.to_owned(),
            },
        }
    }
}

pub(crate) const LINES: &str = "chunks.jsonl";
const OFFSETS: &str = "chunks.offsets";

pub(crate) struct ChunkStore {
    lines: CheckedFile,
    offsets: CheckedFile,
}

impl ChunkStore {
    /// Writes both files into a segment that is being built.
    pub(crate) fn write(
        folder: &Path,
        chunks: &[StoredChunk],
        manifest: &mut Manifest,
    ) -> Result<(), IndexError> {
        let mut offsets = vec![0u64];
        files::write(&folder.join(LINES), |file| {
            let mut end = 0;
            for chunk in chunks {
                let line = serde_json::to_vec(chunk)?;
                file.write_all(&line)?;
                file.write_all(b"\n")?;
                end += line.len() as u64 + 1;
                offsets.push(end);
            }
            Ok(())
        })?;
        files::write(&folder.join(OFFSETS), |file| {
            offsets.iter().try_for_each(|offset| file.write_all(&offset.to_le_bytes()))
        })?;
        manifest.add_file(folder, LINES)?;
        manifest.add_file(folder, OFFSETS)
    }

    pub(crate) fn open(files: &SegmentFiles) -> Result<Self, IndexError> {
        let (lines, offsets) = (files.file(LINES)?, files.file(OFFSETS)?);
        if offsets.len() != (files.manifest.chunks as usize + 1) * 8 {
            return Err(IndexError::damaged(offsets.path(), "it does not fit the number of chunks"));
        }
        Ok(ChunkStore { lines, offsets })
    }

    /// The chunk of a row; the number of its document is left open.
    pub(crate) fn get(&self, row: u32) -> Result<StoredChunk, IndexError> {
        let at = row as usize * 8;
        let (offsets, _) = self.offsets.bytes(at..at + 16)?.as_chunks::<8>();
        let line = u64::from_le_bytes(offsets[0]) as usize..u64::from_le_bytes(offsets[1]) as usize;
        serde_json::from_slice(self.lines.bytes(line)?)
            .map_err(|error| IndexError::damaged(self.lines.path(), format!("row {row}: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use guidepost_text::{Lines, Span};

    use super::*;

    #[test]
    fn chunks_are_found_by_row() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let chunk = |row: usize| StoredChunk {
            document: 0,
            key: format!("key {row}"),
            chunk: Chunk {
                heading_path: vec!["Title".into()],
                context: "Title".into(),
                lines: Lines { first: 1, last: 1 },
                span: Span { start: 0, end: 1 },
                text: "line\nbreak \u{2028} ".repeat(row),
            },
        };
        let chunks: Vec<StoredChunk> = (0..5).map(chunk).collect();
        let mut manifest = Manifest::for_tests(1, 5);
        let store = ChunkStore::write(folder.path(), &chunks, &mut manifest)
            .and_then(|()| ChunkStore::open(&SegmentFiles::unchecked(folder.path(), &manifest)))
            .expect("it was just written");
        for (row, chunk) in chunks.iter().enumerate() {
            assert_eq!(&store.get(row as u32).expect("it is there"), chunk);
        }
        assert!(matches!(store.get(5), Err(IndexError::Damaged { .. })));
    }
}
