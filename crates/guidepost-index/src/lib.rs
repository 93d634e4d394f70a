//! The index directory: what was read, its vectors, its neighbor graph and its postings, under one commit.
//!
//! ```text
//! INDEX/
//!   CURRENT                  name of the generation that answers; replaced by rename, the one commit point
//!   LOCK                     held by the one writer; holds its process id
//!   unfinished.embeddings    what an update that is not finished has embedded so far; see `journal`
//!   tuned.json               how searches of it are weighed, where somebody said so; no generation's, and not read here
//!   generation-000007/       never changed once CURRENT names it
//!     generation.blake3      digest of the next
//!     generation.json        format, fingerprint, sources, guides, and its segments with the BLAKE3 digests of their files
//!     abbreviations.json     derived: the abbreviations that guides define
//!   segment-000003/          guides that were written together; never changed, shared by generations
//!     manifest.json          the digests again, for when a generation is lost
//!     checksums              of every block of the other files, held against it when it is first read; see `checked_file`
//!     documents.jsonl        ground state: the guides, one a line
//!     chunks.jsonl           ground state: one chunk a line, in row order
//!     chunks.offsets         where each line begins
//!     vectors                ground state: f32 rows, and derived from them int8 rows for fast scans
//!     tokens                 ground state, optional: a code per token, for late interaction
//!     keys                   derived: rows by the key of their text, so that no text is embedded twice
//!     definitions.jsonl      derived: the abbreviations that each guide defines
//!     names.jsonl            derived: the resources and roles that each guide names
//!     graph                  derived, in large ones: hnsw_rs's graph, frozen flat
//!     postings/              derived: one tantivy segment whose document ids are rows
//! ```
//!
//! A row is a chunk's number within its segment, the same in every file; a [`ChunkId`] is its number within a generation. Reading goes through [`Snapshot`],
//! which sees one generation whole; writing through [`update`]. Knows files, hnsw_rs and tantivy; does not know
//! which model made a vector, nor how results are combined.

mod error;

mod source;
mod walk;

mod abbreviations;
mod beam;
mod candidates;
mod checked_file;
mod chunk_store;
mod copies;
mod documents;
mod files;
mod first_graph;
mod frozen_directory;
mod graph;
mod int8;
mod keys;
mod manifest;
mod names;
mod passage;
mod placement;
mod postings;
mod quantized;
mod refine;
mod row_distance;
mod rows;
mod tokens;
mod top_rows;
mod vector_index;
mod vectors;

mod compaction;
mod content;
mod encoding;
mod follow;
mod fresh;
mod generation;
mod generation_record;
mod journal;
mod model_run;
mod pack;
mod plan;
mod prepare;
mod preview;
mod salvage;
mod segment;
mod snapshot;
mod unpack;
mod update;
#[cfg(test)]
mod update_tests;
mod verify;
mod writer;
mod writer_lock;

pub use abbreviations::Abbreviation;
pub use chunk_store::StoredChunk;
pub use error::IndexError;
pub use follow::{Follower, Following, Wake};
pub use generation::{CURRENT, TUNED};
pub use manifest::{DocumentRecord, SourceRecord};
pub use pack::{Existing, Packed, pack};
pub use passage::{Passage, Words};
pub use plan::Warning;
pub use postings::{Clause, Form, TermShare, TextField, Token, analyze, terms};
pub use preview::{Preview, preview};
pub use rows::Rows;
pub use snapshot::{Changes, ChunkId, Snapshot};
pub use source::ShippedGuide;
use source::Source;
pub use tokens::LateQuestion;
pub use unpack::unpack;
pub use update::{Event, LateInteraction, Request, Update, update};
pub use vector_index::VectorIndex;
pub use verify::{Damage, Verified, verify};
