//! Digests of models whose digests the registry does not know: recorded when a model is first found, checked ever after.
//!
//! What this guards against is a change later on, by accident or by somebody else. That the first files were the right
//! ones rests on the pinned commit and on the connection they came through.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use crate::{ModelError, ModelSpec, Places, Trust, digest};

/// Compares a folder with the record of its model, or makes the record. It has the format of `sha256sum`.
///
/// # Errors
/// A file of the model that is missing; one that differs from the record; a record that cannot be read or written.
pub(crate) fn check(folder: &Path, spec: &ModelSpec, places: &Places) -> Result<Trust, ModelError> {
    let record = places.fetched.join(format!("{}.sha256", spec.name));
    let now = !record.exists();
    let recorded = if now { BTreeMap::new() } else { read(&record)? };
    let mut lines = String::new();
    for file in &spec.files {
        let path = folder.join(&file.path);
        let got = digest::sha256(&path, &places.stamps)?;
        match recorded.get(&file.path) {
            Some(expected) if *expected != got => {
                return Err(ModelError::Changed { path, got, expected: expected.clone(), record });
            }
            None if !now => {
                let reason = format!("it has no line for `{}`; remove it to have it made anew", file.path);
                return Err(ModelError::Damaged { path: record, reason });
            }
            _ => lines.push_str(&format!("{got}  {}\n", file.path)),
        }
    }
    if now {
        write(&record, &lines)?;
    }
    Ok(Trust::Recorded { record, now })
}

/// Digests by path inside the model folder.
fn read(record: &Path) -> Result<BTreeMap<String, String>, ModelError> {
    let text =
        fs::read_to_string(record).map_err(|error| ModelError::Missing { path: record.to_owned(), error })?;
    let pairs = text.lines().filter_map(|line| line.split_once("  "));
    Ok(pairs.map(|(digest, path)| (path.to_owned(), digest.to_owned())).collect())
}

fn write(record: &Path, lines: &str) -> Result<(), ModelError> {
    let failed = |error| ModelError::Write { path: record.to_owned(), error };
    let folder = record.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(lines.as_bytes()).map_err(failed)?;
    file.persist(record).map_err(|error| failed(error.error))?;
    Ok(())
}
