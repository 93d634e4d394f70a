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

/// The guides of a segment as they were when it was written, if the file is what it was.
pub(crate) fn read(folder: &Path, manifest: &Manifest) -> Result<Vec<DocumentRecord>, IndexError> {
    let path = folder.join(DOCUMENTS);
    let missing = || IndexError::damaged(&path, "the manifest does not list it");
    let bytes = files::read_recorded(&path, manifest.files.get(DOCUMENTS).ok_or_else(missing)?)?;
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let documents: Result<_, _> = lines.map(serde_json::from_slice).collect();
    documents.map_err(|error| IndexError::damaged(&path, error.to_string()))
}
