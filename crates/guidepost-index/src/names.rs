//! What guides name, on disk: one JSON line per guide, read as a whole and only when asked for.

use std::io::Write;
use std::path::Path;

use guidepost_text::Named;

use crate::checked_file::CheckedFile;
use crate::manifest::Manifest;
use crate::{IndexError, files};

pub(crate) const NAMES: &str = "names.jsonl";

/// Writes the file into a segment that is being built, in the order of its guides.
pub(crate) fn write(folder: &Path, names: &[Named], manifest: &mut Manifest) -> Result<(), IndexError> {
    files::write(&folder.join(NAMES), |file| {
        for named in names {
            serde_json::to_writer(&mut *file, named)?;
            file.write_all(b"\n")?;
        }
        Ok(())
    })?;
    manifest.add_file(folder, NAMES)
}

/// What every guide of a segment names, in their order.
pub(crate) fn read(file: &CheckedFile) -> Result<Vec<Named>, IndexError> {
    let lines = file.all()?.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let names: Result<Vec<Named>, _> = lines.map(serde_json::from_slice).collect();
    names.map_err(|error| IndexError::damaged(file.path(), error.to_string()))
}
