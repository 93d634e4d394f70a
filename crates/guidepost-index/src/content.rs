//! What an index says, as one digest: the same guides and the same model give the same, however the index came to be.
//!
//! ```text
//! a guide    metadata, pages, and of each passage in order: text, headings, lines, span, key, vector, token codes
//! an index   fingerprint, and of each guide, by the name of its source and its path below: both, and the guide's digest
//! ```
//!
//! A guide's digest is made when its passages are written and travels in its record from then on, so that the hash of the index costs
//! no look at any passage. Left out are what is derived (postings, graph, names, abbreviations), in which segments passages
//! lie, where the folders are, and when anything was read or written. Vectors and codes are in it because a model run on the
//! processor makes them the same to the bit, whatever the number of threads and whatever is embedded beside them.

use blake3::Hasher;
use guidepost_text::passage_text;
use rayon::prelude::*;
use serde::Serialize;

use crate::encoding::Encodings;
use crate::{ChunkId, DocumentRecord, IndexError, Snapshot, StoredChunk};

/// Digest of a list of parts.
#[derive(Default)]
struct Parts(Hasher);

impl Parts {
    /// With its length before it, so that no two lists run together into the same bytes.
    fn add(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
    }

    /// Hexadecimal.
    fn finish(&self) -> String {
        self.0.finalize().to_hex().to_string()
    }
}

/// The digest of a guide, growing passage by passage.
pub(crate) struct GuideDigest(Parts);

impl GuideDigest {
    /// Of a guide without passages so far.
    pub(crate) fn new(document: &DocumentRecord) -> Self {
        let mut parts = Parts::default();
        parts.add(&json(&document.metadata));
        parts.add(&json(&document.pages));
        GuideDigest(parts)
    }

    /// Adds the guide's next passage: no vector without a model, no codes where none are kept.
    pub(crate) fn add(&mut self, chunk: &StoredChunk, vector: &[f32], codes: &[u64]) {
        self.0.add(&json(chunk));
        self.0.add(bytemuck::cast_slice(vector));
        self.0.add(bytemuck::cast_slice(codes));
    }

    /// Hexadecimal.
    pub(crate) fn finish(self) -> String {
        self.0.finish()
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("records of strings and numbers can be written as JSON")
}

/// The digest of each guide that is about to be written; `chunks` and `encodings` are those of all of them.
pub(crate) fn digests(
    documents: &[DocumentRecord],
    chunks: &[StoredChunk],
    encodings: Option<&Encodings>,
) -> Vec<String> {
    let vector = |row: usize| encodings.map_or(&[][..], |encodings| encodings.vectors[row].as_slice());
    let codes = |row: usize| {
        let tokens = encodings.and_then(|encodings| encodings.tokens.as_ref());
        tokens.map_or(&[][..], |tokens| &tokens[row])
    };
    let of_guide = |document: &DocumentRecord| {
        let mut digest = GuideDigest::new(document);
        let first = document.first_row as usize;
        for (row, chunk) in chunks.iter().enumerate().skip(first).take(document.chunks as usize) {
            digest.add(chunk, vector(row), codes(row));
        }
        digest.finish()
    };
    documents.par_iter().map(of_guide).collect()
}

impl Snapshot {
    /// The digest of all that the index says, hexadecimal; `None` where an earlier version wrote some of it without digests.
    pub fn content_hash(&self) -> Option<String> {
        let name = |document: &DocumentRecord| &*self.sources()[document.source].name;
        let mut guides: Vec<[&str; 3]> = self
            .documents()
            .iter()
            .map(|document| [name(document), &*document.relative, &*document.content])
            .collect();
        guides.sort_unstable();
        let mut parts = Parts::default();
        parts.add(self.fingerprint().as_bytes());
        guides.iter().flatten().for_each(|part| parts.add(part.as_bytes()));
        guides.iter().all(|[_, _, content]| !content.is_empty()).then(|| parts.finish())
    }

    /// Holds every passage against its key, and every guide against its digest.
    ///
    /// # Errors
    /// Damage.
    pub(crate) fn check_content(&self) -> Result<(), IndexError> {
        for document in self.documents() {
            let mut digest = GuideDigest::new(document);
            for id in (document.first_chunk..document.first_chunk + document.chunks).map(ChunkId) {
                let chunk = self.chunk(id)?;
                if chunk.key != blake3::hash(passage_text(&chunk.chunk).as_bytes()).to_hex().as_str() {
                    let reason = format!("passage {} has not the text of its key", id.0);
                    return Err(IndexError::damaged(self.index(), reason));
                }
                digest.add(&chunk, self.vector(id).unwrap_or_default(), self.token_codes(id));
            }
            if !document.content.is_empty() && digest.finish() != document.content {
                let reason = format!("what it holds of `{}` has not the digest of its record", document.path);
                return Err(IndexError::damaged(self.index(), reason));
            }
        }
        Ok(())
    }
}
