//! The manifest of a segment, and the records of what an index holds.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use guidepost_text::Metadata;
use serde::{Deserialize, Serialize};

use crate::{IndexError, Source};

/// A segment's table of contents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// Number of its rows, of which later generations may have deleted some.
    pub(crate) chunks: u32,
    /// Components of a vector; `None` without vectors.
    pub(crate) dimensions: Option<usize>,
    /// How token vectors are coded; empty where none are kept.
    pub(crate) token_codes: String,
    /// What the generation says that it was written for, for when that is lost.
    pub(crate) made: Made,
    /// Every file below the segment's folder, by its path there.
    pub(crate) files: BTreeMap<String, FileRecord>,
}

/// How a segment was made, and from what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Made {
    pub(crate) fingerprint: String,
    pub(crate) finder: String,
    pub(crate) analyzer: String,
    pub(crate) sources: Vec<SourceRecord>,
}

/// A set of guides in the index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// First part of every citation: the folder's name, or more of its path where two folders share it.
    pub name: String,
    /// The folder, absolute; `None` for the guides that ship.
    pub folder: Option<PathBuf>,
}

/// A guide in the index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentRecord {
    /// Number of its source.
    pub source: usize,
    /// Path below the source.
    pub relative: String,
    /// Path as citations give it: the source's name, then the path below it.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Time of the last change when it was read, nanoseconds since 1970; 0 for guides that ship, and where it is unknown.
    pub modified_ns: u64,
    /// BLAKE3 of the file, hexadecimal; empty where it could not be read.
    pub hash: String,
    /// Digest of all that the index holds of it; see `content`. Empty until it is written, and where an earlier version wrote it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) content: String,
    /// What the guide says of itself.
    pub metadata: Metadata,
    /// Number of its first chunk in this generation; the others follow.
    pub first_chunk: u32,
    /// Number of its chunks.
    pub chunks: u32,
    /// The segment that holds it.
    pub(crate) segment: u32,
    /// Row of its first chunk in that segment.
    pub(crate) first_row: u32,
    /// Its number among the guides that the segment was written with.
    pub(crate) number: u32,
    /// First line of every page, 1-based; empty where its format has no pages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<u32>,
    /// What could not be read as it stands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A file of the generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileRecord {
    pub(crate) bytes: u64,
    pub(crate) blake3: String,
}

impl DocumentRecord {
    /// The page that a line stands on, 1-based; `None` where the guide has no pages.
    pub fn page_of(&self, line: u32) -> Option<u32> {
        let page = self.pages.partition_point(|&first| first <= line) as u32;
        (page > 0).then_some(page)
    }

    /// Whether the guide could be read; one that could not is tried again every time.
    pub(crate) fn was_read(&self) -> bool {
        !self.hash.is_empty()
    }
}

impl Manifest {
    /// Name of the file in the segment's folder.
    pub(crate) const NAME: &str = "manifest.json";

    /// Records size and digest of a finished file; `name` is its path below the segment's folder.
    pub(crate) fn add_file(&mut self, folder: &Path, name: &str) -> Result<(), IndexError> {
        self.files.insert(name.to_owned(), FileRecord::of(&folder.join(name))?);
        Ok(())
    }

    /// Size that a file must have.
    pub(crate) fn bytes_of(&self, folder: &Path, name: &str) -> Result<u64, IndexError> {
        let record = self.files.get(name).map(|file| file.bytes);
        record.ok_or_else(|| IndexError::damaged(&folder.join(name), "the manifest does not list it"))
    }

    /// An empty manifest for files of so many rows.
    #[cfg(test)]
    pub(crate) fn for_tests(dimensions: usize, chunks: u32) -> Manifest {
        Manifest { chunks, dimensions: Some(dimensions), ..Manifest::default() }
    }
}

impl FileRecord {
    /// Size and digest of a finished file.
    pub(crate) fn of(path: &Path) -> Result<FileRecord, IndexError> {
        let work = || {
            let file = File::open(path)?;
            let mut hasher = blake3::Hasher::new();
            let bytes = std::io::copy(&mut &file, &mut hasher)?;
            std::io::Result::Ok(FileRecord { bytes, blake3: hasher.finalize().to_hex().to_string() })
        };
        work().map_err(IndexError::io("read", path))
    }
}

/// A name for each folder: its last part, or as many more as it takes to tell it from the others.
pub(crate) fn name_sources(sources: &[Source]) -> Vec<SourceRecord> {
    let tail = |source: &Source, parts: usize| match source {
        Source::Shipped => "corpus".to_owned(),
        Source::Folder(folder) => {
            let all: Vec<_> =
                folder.iter().map(|part| part.to_string_lossy()).filter(|part| part != "/").collect();
            all[all.len().saturating_sub(parts)..].join("/")
        }
    };
    let name = |source: &Source| {
        let unique = |parts: &usize| {
            sources
                .iter()
                .filter(|other| *other != source)
                .all(|other| tail(other, *parts) != tail(source, *parts))
        };
        let parts = (1..32).find(unique).unwrap_or(32);
        tail(source, parts)
    };
    let folder = |source: &Source| match source {
        Source::Folder(folder) => Some(folder.clone()),
        Source::Shipped => None,
    };
    sources.iter().map(|source| SourceRecord { name: name(source), folder: folder(source) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_have_names_that_tell_them_apart() {
        let folder = |path: &str| Source::Folder(PathBuf::from(path));
        let names =
            |sources: &[Source]| name_sources(sources).into_iter().map(|s| s.name).collect::<Vec<_>>();
        assert_eq!(names(&[folder("/a/guides"), Source::Shipped]), ["guides", "corpus"]);
        assert_eq!(names(&[folder("/a/guides"), folder("/b/guides")]), ["a/guides", "b/guides"]);
        assert_eq!(names(&[folder("/x/corpus"), Source::Shipped]), ["x/corpus", "corpus"]);
    }
}
