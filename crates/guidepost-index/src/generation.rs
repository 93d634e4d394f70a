//! Generations by name: which one answers, what the next one is called, and clearing the others away.

use std::path::Path;

use crate::{IndexError, SourceRecord, files};

/// The sets of guides of an index that may be damaged or of another format: all that making it again needs.
///
/// # Errors
/// A manifest that cannot be read.
pub fn recorded_sources(index: &Path) -> Result<Option<Vec<SourceRecord>>, IndexError> {
    #[derive(serde::Deserialize)]
    struct Sources {
        sources: Vec<SourceRecord>,
    }
    let Some(generation) = current(index)? else { return Ok(None) };
    let path = index.join(generation).join("manifest.json");
    let manifest: Result<Sources, _> = serde_json::from_slice(&files::read(&path)?);
    manifest
        .map(|manifest| Some(manifest.sources))
        .map_err(|error| IndexError::damaged(&path, error.to_string()))
}

/// Name of the generation that answers.
pub(crate) fn current(index: &Path) -> Result<Option<String>, IndexError> {
    let path = index.join("CURRENT");
    match std::fs::read_to_string(&path) {
        Ok(name) if is_generation(name.trim()) => Ok(Some(name.trim().to_owned())),
        Ok(_) => Err(IndexError::damaged(&path, "it names no generation")),
        Err(error)
            if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) =>
        {
            Ok(None)
        }
        Err(error) => Err(IndexError::io("read", &path)(error)),
    }
}

/// Name of a generation's folder.
pub(crate) fn generation_name(number: u64) -> String {
    format!("generation-{number:06}")
}

pub(crate) fn is_generation(name: &str) -> bool {
    name.strip_prefix("generation-")
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// Beginning of the name of a folder that a writer is still filling.
pub(crate) const UNFINISHED: &str = "unfinished-";

pub(crate) fn is_unfinished(name: &str) -> bool {
    name.starts_with(UNFINISHED)
}

/// One more than any generation there is, finished or not, so that no name is ever used twice.
pub(crate) fn next_generation(index: &Path) -> u64 {
    let names = index.read_dir().into_iter().flatten().flatten().map(|entry| entry.file_name());
    let number = |name: std::ffi::OsString| name.to_str()?.strip_prefix("generation-")?.parse::<u64>().ok();
    names.filter_map(number).max().unwrap_or(0) + 1
}

/// Clears away what a writer that was killed left behind. The lock is held, so nobody is at it.
pub(crate) fn clear_unfinished(index: &Path) {
    clear(index, is_unfinished);
    if let Ok(Some(name)) = current(index) {
        clear_others(index, &name);
    }
}

/// Clears away all generations but one. Readers that have them open keep what they have mapped.
pub(crate) fn clear_others(index: &Path, keep: &str) {
    clear(index, |name| is_generation(name) && name != keep);
}

fn clear(index: &Path, unwanted: impl Fn(&str) -> bool) {
    for entry in index.read_dir().into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(&unwanted) {
            // What cannot be removed now is tried again by the next writer.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
