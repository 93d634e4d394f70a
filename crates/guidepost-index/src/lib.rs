//! The index directory: what was read, its vectors, its neighbor graph and its postings, under one commit.
//!
//! ```text
//! INDEX/
//!   CURRENT                  name of the generation that answers; replaced by rename, the one commit point
//!   LOCK                     held by the one writer; holds its process id
//!   tuned.json               how searches of it are weighed, where somebody said so; no generation's, and not read here
//!   generation-000007/       never changed once CURRENT names it
//!     manifest.json          format, fingerprint, sources, documents, sizes and BLAKE3 digests of the files below
//!     chunks.jsonl           ground state: one chunk a line, in row order
//!     chunks.offsets         where each line begins
//!     abbreviations.json       derived: the abbreviations that guides define
//!     names.jsonl            derived: the resources and roles that each guide names
//!     vectors                ground state: f32 rows, and derived from them int8 rows for fast scans
//!     tokens                 ground state, optional: a code per token, for late interaction
//!     graph                  derived: hnsw_rs's graph, frozen flat
//!     postings/              derived: one tantivy segment whose document ids are rows
//! ```
//!
//! A row is a chunk's number within its generation, the same in every file. Reading goes through [`Snapshot`],
//! which sees one generation whole; writing through [`update`]. Knows files, hnsw_rs and tantivy; does not know
//! which model made a vector, nor how results are combined.

mod error;

mod source;
mod walk;

mod abbreviations;
mod chunk_store;
mod files;
mod frozen_directory;
mod graph;
mod manifest;
mod names;
mod postings;
mod rows;
mod tokens;
mod top_rows;
mod vectors;

mod encoding;
mod generation;
mod plan;
mod prepare;
mod snapshot;
mod update;
mod writer_lock;

pub use abbreviations::Abbreviation;
pub use chunk_store::StoredChunk;
pub use error::IndexError;
pub use generation::TUNED;
pub use manifest::{DocumentRecord, SourceRecord};
pub use plan::Warning;
pub use postings::{Clause, Form, TermShare, TextField, Token, analyze, terms};
pub use rows::Rows;
pub use snapshot::{Changes, ChunkId, Snapshot};
pub use source::ShippedGuide;
use source::Source;
pub use tokens::LateQuestion;
pub use update::{Event, LateInteraction, Request, Update, update};
