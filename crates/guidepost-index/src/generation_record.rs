//! What a generation is made of: its guides, and the segments that hold them. JSON that a person can read.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::Path;

use guidepost_text::{CHUNKER, FINDER};
use serde::{Deserialize, Serialize};

use crate::manifest::{FileRecord, Manifest};
use crate::postings::ANALYZER;
use crate::{DocumentRecord, IndexError, SourceRecord, files};

/// The format that this version writes, and the only one it reads.
pub(crate) const FORMAT: u32 = 2;

/// Name of the record in a generation's folder.
pub(crate) const RECORD: &str = "generation.json";
/// Name of the file beside it that holds its BLAKE3 digest, hexadecimal.
pub(crate) const DIGEST: &str = "generation.blake3";
/// Its name in format 1.
pub(crate) const OLD_RECORD: &str = "manifest.json";

/// A generation's table of contents.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct GenerationRecord {
    pub(crate) format: u32,
    pub(crate) generation: u64,
    /// Everything that shapes a vector or a chunk.
    pub(crate) fingerprint: String,
    /// How resources were found.
    pub(crate) finder: String,
    /// Whether token vectors are to be kept, even if another version coded those that are.
    pub(crate) keeps_tokens: bool,
    /// How texts became words.
    pub(crate) analyzer: String,
    /// Components of a vector; `None` without vectors.
    pub(crate) dimensions: Option<usize>,
    /// Seconds since 1970.
    pub(crate) written: u64,
    /// When the guides were looked at, seconds since 1970; before any of them was read, so long before it was written where much had
    /// to be embedded. 0 where an earlier version wrote it: no stat is believed then.
    #[serde(default)]
    pub(crate) looked: u64,
    /// Number of chunks.
    pub(crate) chunks: u32,
    pub(crate) sources: Vec<SourceRecord>,
    /// In the order of their sources and paths; chunks are numbered in this order.
    pub(crate) documents: Vec<DocumentRecord>,
    /// In the order in which they were written.
    pub(crate) segments: Vec<SegmentRecord>,
    /// The files beside this one.
    pub(crate) files: BTreeMap<String, FileRecord>,
}

/// A segment of a generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SegmentRecord {
    /// Its folder in the index directory.
    pub(crate) name: String,
    pub(crate) manifest: Manifest,
}

/// Refuses a format that this version does not read, of what lies at `path`.
pub(crate) fn check_format(found: u32, path: &Path) -> Result<(), IndexError> {
    let path = path.to_owned();
    match found.cmp(&FORMAT) {
        Ordering::Less => Err(IndexError::EarlierFormat { path }),
        Ordering::Greater => Err(IndexError::LaterFormat { path, found, wanted: FORMAT }),
        Ordering::Equal => Ok(()),
    }
}

impl GenerationRecord {
    /// Reads the record of a generation folder.
    pub(crate) fn read(index: &Path, generation: &Path) -> Result<GenerationRecord, IndexError> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let path = generation.join(RECORD);
        let old = generation.join(OLD_RECORD);
        let path = if !path.exists() && old.exists() { old } else { path };
        if !path.exists() {
            return Err(IndexError::damaged(&path, "it is missing"));
        }
        let bytes = files::read(&path)?;
        let damaged = |error: serde_json::Error| IndexError::damaged(&path, error.to_string());
        let head: Head = serde_json::from_slice(&bytes).map_err(damaged)?;
        check_format(head.format, index)?;
        match std::fs::read(generation.join(DIGEST)) {
            Ok(digest) if digest.trim_ascii() != blake3::hash(&bytes).to_hex().as_bytes() => {
                return Err(IndexError::damaged(&path, "it has not the digest that is written beside it"));
            }
            // `verify` misses one that is not there.
            _ => {}
        }
        let record: GenerationRecord = serde_json::from_slice(&bytes).map_err(damaged)?;
        record.check().map_err(|reason| IndexError::damaged(&path, reason))?;
        Ok(record)
    }

    /// Writes the record and its digest.
    pub(crate) fn write(&self, generation: &Path) -> Result<(), IndexError> {
        let path = generation.join(RECORD);
        files::write_json(&path, self)?;
        let digest = FileRecord::of(&path)?.blake3;
        files::write(&generation.join(DIGEST), |file| std::io::Write::write_all(file, digest.as_bytes()))
    }

    /// Whether guides were cut and resources found the way this version does it.
    pub(crate) fn is_current(&self) -> bool {
        self.finder == FINDER && self.fingerprint.ends_with(&format!("; {CHUNKER}"))
    }

    /// Whether postings were made the way this version makes them.
    pub(crate) fn has_current_postings(&self) -> bool {
        self.analyzer == ANALYZER
    }

    /// The same with some of its segments, and with the guides that these hold.
    pub(crate) fn with_segments(mut self, is_kept: &[bool]) -> GenerationRecord {
        let kept: Vec<usize> = (0..self.segments.len()).filter(|&at| is_kept[at]).collect();
        self.documents.retain(|document| is_kept[document.segment as usize]);
        for document in &mut self.documents {
            let at = kept.iter().position(|&at| at == document.segment as usize);
            document.segment = at.map_or(0, |at| at as u32);
        }
        let mut at = 0;
        self.segments.retain(|_| {
            at += 1;
            is_kept[at - 1]
        });
        self.number();
        self
    }

    /// Gives every chunk its number, in the order of the guides.
    pub(crate) fn number(&mut self) {
        self.chunks = 0;
        for document in &mut self.documents {
            document.first_chunk = self.chunks;
            self.chunks += document.chunks;
        }
    }

    /// Holds the numbers against each other, so that nobody has to doubt them later.
    fn check(&self) -> Result<(), String> {
        let mut next = 0u32;
        for document in &self.documents {
            let path = &document.path;
            let Some(segment) = self.segments.get(document.segment as usize) else {
                return Err(format!("the segment of `{path}` is missing"));
            };
            let end = document.first_row.checked_add(document.chunks);
            if end.is_none_or(|end| end > segment.manifest.chunks) || document.first_chunk != next {
                return Err(format!("the passages of `{path}` are not where they should be"));
            }
            if document.source >= self.sources.len() {
                return Err(format!("the folder of `{path}` is missing"));
            }
            next += document.chunks;
        }
        if next != self.chunks {
            return Err("it has another number of passages than its guides".to_owned());
        }
        Ok(())
    }
}
