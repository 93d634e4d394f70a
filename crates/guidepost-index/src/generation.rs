//! Generations by name: which one answers, what the next one is called, and clearing the others away.

use std::path::Path;

use crate::generation_record::{GenerationRecord, OLD_RECORD, RECORD};
use crate::manifest::Manifest;
use crate::writer_lock::LOCK;
use crate::{IndexError, SourceRecord, files, journal};

/// The sets of guides of an index that may be damaged or of another format: all that making it again needs. Taken from
/// any generation that still tells; `None` where there is no index.
///
/// # Errors
/// An index that does not tell any more.
pub(crate) fn recorded_sources(index: &Path) -> Result<Option<Vec<SourceRecord>>, IndexError> {
    #[derive(serde::Deserialize)]
    struct Sources {
        sources: Vec<SourceRecord>,
    }
    let read = |generation: &str| {
        let folder = index.join(generation);
        let bytes = files::read(&folder.join(RECORD)).or_else(|_| files::read(&folder.join(OLD_RECORD)));
        serde_json::from_slice::<Sources>(&bytes.ok()?).ok().map(|record| record.sources)
    };
    let named = current(index);
    if let Ok(None) = named {
        return Ok(None);
    }
    let others = generations(index).into_iter().rev();
    let sources = named.ok().flatten().into_iter().chain(others).find_map(|generation| read(&generation));
    let of_segment = |segment: String| {
        let bytes = files::read(&index.join(segment).join(Manifest::NAME)).ok()?;
        serde_json::from_slice::<Manifest>(&bytes).ok().map(|manifest| manifest.made.sources)
    };
    let sources = sources.or_else(|| segments_in(index).into_iter().rev().find_map(of_segment));
    sources.map(Some).ok_or_else(|| IndexError::SourcesLost { path: index.to_owned() })
}

/// The one file in an index directory that is not the index's own: how its searches are weighed. Writers let it be.
pub const TUNED: &str = "tuned.json";

/// Name of the file that names the generation that answers.
pub const CURRENT: &str = "CURRENT";

/// Name of the generation that answers. Without `CURRENT`, the newest: a generation is complete before it has its name.
pub(crate) fn current(index: &Path) -> Result<Option<String>, IndexError> {
    let path = index.join(CURRENT);
    match std::fs::read_to_string(&path) {
        Ok(text) => match text.strip_suffix('\n').filter(|name| is_generation(name)) {
            Some(name) => Ok(Some(name.to_owned())),
            None => Err(IndexError::damaged(&path, "it names no generation")),
        },
        Err(error)
            if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) =>
        {
            Ok(generations(index).pop())
        }
        Err(error) => Err(IndexError::io("read", &path)(error)),
    }
}

/// Name of a generation's folder.
pub(crate) fn generation_name(number: u64) -> String {
    format!("generation-{number:06}")
}

pub(crate) fn is_generation(name: &str) -> bool {
    is_number(name.strip_prefix("generation-"))
}

/// Name of a segment's folder.
pub(crate) fn segment_name(number: u64) -> String {
    format!("segment-{number:06}")
}

pub(crate) fn is_segment(name: &str) -> bool {
    is_number(name.strip_prefix("segment-"))
}

/// Name of the folder that this process fills.
pub(crate) fn unfinished_name() -> String {
    format!("{UNFINISHED}{}", std::process::id())
}

const UNFINISHED: &str = "unfinished-";

pub(crate) fn is_unfinished(name: &str) -> bool {
    is_number(name.strip_prefix(UNFINISHED))
}

fn is_number(text: Option<&str>) -> bool {
    text.is_some_and(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a directory may be written to as an index: it is one, or it holds nothing. Files that systems put
/// everywhere (`.DS_Store`) do not count.
pub(crate) fn may_hold_index(index: &Path) -> bool {
    let ours = |name: &str| {
        matches!(name, CURRENT | LOCK | TUNED | journal::NAME)
            || is_generation(name)
            || is_segment(name)
            || is_unfinished(name)
    };
    let foreign = names(index, |name| !name.starts_with('.') && !ours(name));
    foreign.is_empty() || matches!(current(index), Ok(Some(_)))
}

/// One more than any generation there is, finished or not, so that no name is ever used twice.
pub(crate) fn next_generation(index: &Path) -> u64 {
    next(index, "generation-", is_generation)
}

/// One more than any segment there is.
pub(crate) fn next_segment(index: &Path) -> u64 {
    next(index, "segment-", is_segment)
}

fn next(index: &Path, prefix: &str, wanted: fn(&str) -> bool) -> u64 {
    let number = |name: &String| name.strip_prefix(prefix)?.parse::<u64>().ok();
    names(index, wanted).iter().filter_map(number).max().unwrap_or(0) + 1
}

/// Clears away what a writer that was killed left behind. The lock is held, so nobody is at it.
pub(crate) fn clear_unfinished(index: &Path) {
    for name in names(index, is_unfinished) {
        // What cannot be removed now is tried again by the next writer.
        let _ = std::fs::remove_dir_all(index.join(name));
    }
    // Only a generation that is there makes the others superfluous.
    if let Ok(Some(name)) = current(index)
        && let Ok(record) = GenerationRecord::read(index, &index.join(&name))
    {
        clear_others(index, &name, &record);
    }
}

/// Clears away all generations but one, and the segments that it does not name. Readers that have them open keep what they have
/// mapped.
pub(crate) fn clear_others(index: &Path, keep: &str, record: &GenerationRecord) {
    for name in generations(index).iter().filter(|name| *name != keep) {
        clear(index, name, "8");
    }
    let is_kept = |name: &String| record.segments.iter().any(|segment| segment.name == *name);
    for name in segments_in(index).iter().filter(|name| !is_kept(name)) {
        clear(index, name, "9");
    }
}

/// Removes a folder under another name: whatever is left of it where this is interrupted is a leftover like any other. The name
/// begins with a digit that makes it longer than a process id.
fn clear(index: &Path, name: &str, digit: &str) {
    let number = name.rsplit('-').next().unwrap_or_default();
    let leftover = index.join(format!("{UNFINISHED}{digit}{number}"));
    // What cannot be removed now is tried again by the next writer.
    if std::fs::rename(index.join(name), &leftover).is_ok() {
        let _ = std::fs::remove_dir_all(leftover);
    }
}

/// The generations there are, the oldest first. A folder of that name without a record is somebody else's.
pub(crate) fn generations(index: &Path) -> Vec<String> {
    let has_record =
        |name: &String| [RECORD, OLD_RECORD].iter().any(|file| index.join(name).join(file).is_file());
    sorted(names(index, is_generation).into_iter().filter(has_record).collect())
}

/// The segments there are, the oldest first; those with a manifest.
pub(crate) fn segments_in(index: &Path) -> Vec<String> {
    let has_manifest = |name: &String| index.join(name).join(Manifest::NAME).is_file();
    sorted(names(index, is_segment).into_iter().filter(has_manifest).collect())
}

/// By number: the names of large ones have more digits.
fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort_by_key(|name| (name.len(), name.clone()));
    names
}

fn names(index: &Path, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let entries = index.read_dir().into_iter().flatten().flatten();
    let name = |entry: std::fs::DirEntry| entry.file_name().into_string().ok();
    entries.filter_map(name).filter(|name| wanted(name)).collect()
}
