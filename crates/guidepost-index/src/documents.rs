//! The guides of a segment as they were when it was written: ground state, from which a lost generation is made again.

use std::io::Write;
use std::path::Path;

use crate::manifest::Manifest;
use crate::{DocumentRecord, IndexError, files};

pub(crate) const DOCUMENTS: &str = "documents.jsonl";

/// Writes one JSON line per guide.
pub(crate) fn write(
    folder: &Path,
    documents: &[DocumentRecord],
    manifest: &mut Manifest,
) -> Result<(), IndexError> {
    files::write(&folder.join(DOCUMENTS), |file| {
        for document in documents {
            serde_json::to_writer(&mut *file, document)?;
            file.write_all(b"\n")?;
        }
        Ok(())
    })?;
    manifest.add_file(folder, DOCUMENTS)
}
