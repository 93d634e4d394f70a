//! The manifest: what a generation is made of. Small enough to be JSON that a person can read.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use guidepost_text::{CHUNKER, FINDER, Metadata};
use serde::{Deserialize, Serialize};

use crate::postings::ANALYZER;
use crate::{IndexError, Source, files};

/// The format that this version writes, and the only one it reads.
pub(crate) const FORMAT: u32 = 1;

/// A generation's table of contents.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) format: u32,
    pub(crate) generation: u64,
    /// Everything that shapes a vector or a chunk.
    pub(crate) fingerprint: String,
    /// How resources were found; empty where an earlier version looked for none.
    #[serde(default)]
    pub(crate) finder: String,
    /// How token vectors are coded; empty where none are kept.
    #[serde(default)]
    pub(crate) token_codes: String,
    /// How texts became words; empty where an earlier version wrote the postings.
    #[serde(default)]
    pub(crate) analyzer: String,
    /// Components of a vector; `None` without vectors.
    pub(crate) dimensions: Option<usize>,
    /// Seconds since 1970.
    pub(crate) written: u64,
    pub(crate) chunks: u32,
    pub(crate) sources: Vec<SourceRecord>,
    pub(crate) documents: Vec<DocumentRecord>,
    pub(crate) files: BTreeMap<String, FileRecord>,
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
    /// Time of the last change when it was read, nanoseconds since 1970; 0 for guides that ship.
    pub modified_ns: u64,
    /// BLAKE3 of the file, hexadecimal; empty where it could not be read.
    pub hash: String,
    /// What the guide says of itself.
    pub metadata: Metadata,
    /// First row of its chunks.
    pub first_chunk: u32,
    /// Number of its chunks.
    pub chunks: u32,
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
    /// Reads the manifest of a generation folder.
    pub(crate) fn read(index: &Path, generation: &Path) -> Result<Manifest, IndexError> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let path = generation.join("manifest.json");
        if !path.exists() {
            return Err(IndexError::damaged(&path, "it is missing"));
        }
        let bytes = files::read(&path)?;
        let damaged = |error: serde_json::Error| IndexError::damaged(&path, error.to_string());
        let head: Head = serde_json::from_slice(&bytes).map_err(damaged)?;
        if head.format != FORMAT {
            return Err(IndexError::Format { path: index.to_owned(), found: head.format, wanted: FORMAT });
        }
        serde_json::from_slice(&bytes).map_err(damaged)
    }

    /// Whether guides were cut and resources found the way this version does it.
    pub(crate) fn is_current(&self) -> bool {
        self.finder == FINDER && self.fingerprint.ends_with(&format!("; {CHUNKER}"))
    }

    /// Whether token vectors are to be kept, even if another version coded those that are.
    pub(crate) fn keeps_tokens(&self) -> bool {
        !self.token_codes.is_empty()
    }

    /// Whether postings were made the way this version makes them.
    pub(crate) fn has_current_postings(&self) -> bool {
        self.analyzer == ANALYZER
    }

    /// Records size and digest of a finished file.
    pub(crate) fn add_file(&mut self, folder: &Path, name: &str) -> Result<(), IndexError> {
        let path = folder.join(name);
        let work = || {
            let file = File::open(&path)?;
            let mut hasher = blake3::Hasher::new();
            let bytes = std::io::copy(&mut &file, &mut hasher)?;
            std::io::Result::Ok(FileRecord { bytes, blake3: hasher.finalize().to_hex().to_string() })
        };
        let record = work().map_err(IndexError::io("read", &path))?;
        self.files.insert(name.to_owned(), record);
        Ok(())
    }

    /// An empty manifest for files of so many rows.
    #[cfg(test)]
    pub(crate) fn for_tests(dimensions: usize, chunks: u32) -> Manifest {
        Manifest {
            format: FORMAT,
            generation: 1,
            fingerprint: String::new(),
            finder: String::new(),
            token_codes: String::new(),
            analyzer: String::new(),
            dimensions: Some(dimensions),
            written: 0,
            chunks,
            sources: Vec::new(),
            documents: Vec::new(),
            files: BTreeMap::new(),
        }
    }

    pub(crate) fn bytes_of(&self, folder: &Path, name: &str) -> Result<u64, IndexError> {
        let record = self.files.get(name).map(|file| file.bytes);
        record.ok_or_else(|| IndexError::damaged(&folder.join(name), "the manifest does not list it"))
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
