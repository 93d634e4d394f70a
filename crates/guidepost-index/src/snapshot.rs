//! Reading: one generation, whole, whatever writers do meanwhile.

use std::path::{Path, PathBuf};

use guidepost_text::{CHUNKER, Embed, Embedding, Named, TokenVectors, passage_text};

use crate::chunk_store::ChunkStore;
use crate::generation::current;
use crate::graph::Graph;
use crate::manifest::Manifest;
use crate::plan::{Plan, Warning};
use crate::postings::Postings;
use crate::tokens::{self, LateQuestion, Rotation, Tokens};
use crate::vectors::Vectors;
use crate::{
    Abbreviation, Clause, DocumentRecord, IndexError, Rows, ShippedGuide, SourceRecord, StoredChunk,
    TermShare, Token, abbreviations, names,
};

/// A chunk's number within one generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkId(pub u32);

/// Rows up to which every row is looked at: measured on embeddings of this kind, the exact scan beats the walk at
/// recall .99 up to about here.
const EXACT_UP_TO: usize = 50_000;
const EF_SEARCH: usize = 128;

/// One generation of an index, open for reading.
pub struct Snapshot {
    folder: PathBuf,
    manifest: Manifest,
    chunks: ChunkStore,
    vectors: Option<Vectors>,
    graph: Option<Graph>,
    tokens: Option<Tokens>,
    postings: Postings,
    abbreviations: Vec<Abbreviation>,
}

/// What differs on disk from what the index holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// Guides that are new.
    pub added: usize,
    /// Guides whose text differs.
    pub changed: usize,
    /// Guides that are gone.
    pub removed: usize,
    /// Guides with a new time of change and the same text.
    pub touched: usize,
}

impl Changes {
    /// Whether an update would change any answer.
    pub fn any_text(&self) -> bool {
        self.added + self.changed + self.removed > 0
    }
}

impl Snapshot {
    /// Opens the current generation; `None` where there is no index.
    ///
    /// # Errors
    /// A format of another version, or damage: sizes and headers are checked, digests are not.
    pub fn open(index: &Path) -> Result<Option<Snapshot>, IndexError> {
        let mut attempts = 0;
        loop {
            let Some(generation) = current(index)? else { return Ok(None) };
            match Snapshot::open_generation(index, &generation) {
                // A writer may have committed and cleared the generation away in between.
                Err(_) if attempts < 5 && current(index)?.as_ref() != Some(&generation) => attempts += 1,
                outcome => return outcome.map(Some),
            }
        }
    }

    fn open_generation(index: &Path, generation: &str) -> Result<Snapshot, IndexError> {
        let folder = index.join(generation);
        let manifest = Manifest::read(index, &folder)?;
        let vectors = manifest.dimensions.map(|_| Vectors::open(&folder, &manifest)).transpose()?;
        Ok(Snapshot {
            chunks: ChunkStore::open(&folder, &manifest)?,
            vectors,
            graph: Graph::open(&folder, &manifest)?,
            tokens: Tokens::open(&folder, &manifest)?,
            postings: Postings::open(&folder)?,
            abbreviations: abbreviations::read(&folder, &manifest)?,
            manifest,
            folder,
        })
    }

    /// Holds the disk against the index: a stat per file, and a look into those whose stat differs.
    ///
    /// # Errors
    /// None for a folder that is gone: its guides count as unchanged.
    pub fn changes(&self, shipped: &[ShippedGuide]) -> Result<(Changes, Vec<Warning>), IndexError> {
        let plan = Plan::new(self.sources(), shipped, Some(self.manifest()))?;
        Ok((plan.changes(), plan.warnings))
    }

    /// Number of the generation.
    pub fn generation(&self) -> u64 {
        self.manifest.generation
    }

    /// The index directory.
    pub fn index(&self) -> &Path {
        self.folder.parent().unwrap_or(&self.folder)
    }

    /// The model that made the vectors, in one line.
    pub fn model(&self) -> &str {
        model_of(self.fingerprint())
    }

    /// Everything that shapes a vector or a chunk, in one line.
    pub fn fingerprint(&self) -> &str {
        &self.manifest.fingerprint
    }

    /// Seconds since 1970.
    pub fn written(&self) -> u64 {
        self.manifest.written
    }

    /// Number of chunks.
    pub fn chunk_count(&self) -> usize {
        self.manifest.chunks as usize
    }

    /// Bytes on disk, postings included.
    pub fn bytes(&self) -> u64 {
        let postings = bytes_in(&self.folder.join("postings"));
        postings + self.manifest.files.values().map(|file| file.bytes).sum::<u64>()
    }

    /// Whether there are vectors, or BM25 alone.
    pub fn has_vectors(&self) -> bool {
        self.vectors.is_some()
    }

    /// Whether token vectors are there, for late interaction.
    pub fn has_token_codes(&self) -> bool {
        self.tokens.is_some()
    }

    /// Bytes of the token vectors on disk.
    pub fn token_bytes(&self) -> u64 {
        self.manifest.files.get(tokens::NAME).map_or(0, |file| file.bytes)
    }

    /// Whether a neighbor graph is there.
    pub fn has_graph(&self) -> bool {
        self.graph.is_some()
    }

    /// The sets of guides.
    pub fn sources(&self) -> &[SourceRecord] {
        &self.manifest.sources
    }

    /// All guides, in the order of their sources and paths.
    pub fn documents(&self) -> &[DocumentRecord] {
        &self.manifest.documents
    }

    /// The guide a chunk belongs to.
    ///
    /// # Errors
    /// Damage: a chunk that names a guide that is not there.
    pub fn document_of(&self, chunk: &StoredChunk) -> Result<&DocumentRecord, IndexError> {
        let record = self.manifest.documents.get(chunk.document as usize);
        record.ok_or_else(|| {
            IndexError::damaged(&self.folder.join("manifest.json"), "a chunk's guide is missing")
        })
    }

    /// Number of the guide a chunk belongs to; the chunk itself is not read.
    pub fn document_number(&self, id: ChunkId) -> usize {
        self.manifest.documents.partition_point(|document| document.first_chunk <= id.0).saturating_sub(1)
    }

    /// Reads a chunk.
    ///
    /// # Errors
    /// Damage.
    pub fn chunk(&self, id: ChunkId) -> Result<StoredChunk, IndexError> {
        self.chunks.get(id)
    }

    /// What each guide names, in the order of the guides.
    ///
    /// # Errors
    /// Damage.
    pub fn names(&self) -> Result<Vec<Named>, IndexError> {
        names::read(&self.folder, &self.manifest)
    }

    /// The text of every chunk as it is embedded, by id.
    ///
    /// # Errors
    /// Damage.
    pub fn passages(&self) -> Result<Vec<String>, IndexError> {
        let ids = (0..self.chunk_count() as u32).map(ChunkId);
        ids.map(|id| Ok(passage_text(&self.chunk(id)?.chunk))).collect()
    }

    /// The nearest chunks by cosine in [-1, 1], of those `within`, best first; ties by id. Empty without vectors. Exact
    /// up to so many chunks to look at that the graph is faster, a walk over the graph above.
    pub fn dense(&self, query: &Embedding, limit: usize, within: Option<&Rows>) -> Vec<(ChunkId, f32)> {
        let looked_at = within.map_or(self.chunk_count(), Rows::len);
        let walked = (looked_at > EXACT_UP_TO).then(|| self.dense_walk(query, limit, within)).flatten();
        walked.unwrap_or_else(|| self.dense_scan(query, limit, within))
    }

    /// As [`Snapshot::dense`], by the exact scan, whatever the size.
    pub fn dense_scan(&self, query: &Embedding, limit: usize, within: Option<&Rows>) -> Vec<(ChunkId, f32)> {
        self.vectors.as_ref().map_or_else(Vec::new, |vectors| vectors.scan(query, limit, within))
    }

    /// As [`Snapshot::dense`], by a walk over the graph, whatever the size; `None` where there is none.
    pub fn dense_walk(
        &self,
        query: &Embedding,
        limit: usize,
        within: Option<&Rows>,
    ) -> Option<Vec<(ChunkId, f32)>> {
        let (graph, vectors) = (self.graph.as_ref()?, self.vectors.as_ref()?);
        Some(graph.search(vectors, query, limit, EF_SEARCH, within))
    }

    /// Whether this model made the vectors. Guides may have been cut by an earlier version: the next update cuts them anew.
    ///
    /// # Errors
    /// [`IndexError::Fingerprint`] where another model did.
    pub fn check_fingerprint(&self, embedder: Option<&dyn Embed>) -> Result<(), IndexError> {
        let (found, wanted) = (self.fingerprint(), fingerprint(embedder));
        if model_of(found) == model_of(&wanted) {
            return Ok(());
        }
        let path = self.index().to_owned();
        Err(IndexError::Fingerprint { path, found: found.to_owned(), wanted })
    }

    /// Cosine of one chunk with the query; `None` without vectors.
    pub fn cosine(&self, query: &Embedding, id: ChunkId) -> Option<f32> {
        let vectors = self.vectors.as_ref().filter(|vectors| (id.0 as usize) < vectors.rows())?;
        Some(crate::vectors::dot(query.as_slice(), vectors.row(id.0 as usize)))
    }

    /// Makes a question's tokens ready for [`Snapshot::max_sim`]. `weights` has one factor a token, 0 and up. `None` where
    /// the index keeps no token vectors.
    pub fn late_question(&self, tokens: &TokenVectors, weights: &[f32]) -> Option<LateQuestion> {
        self.tokens.as_ref()?;
        Some(LateQuestion::new(&Rotation::new(tokens.dimensions), tokens, weights))
    }

    /// How well a chunk's tokens answer to the question's; see [`LateQuestion::max_sim`].
    pub fn max_sim(&self, question: &LateQuestion, id: ChunkId) -> Option<f32> {
        question.max_sim(self.token_codes(id))
    }

    /// The estimated cosines of each of a chunk's tokens with each of the question's. Shape `[chunk, question]`; empty
    /// where none are kept.
    pub fn token_cosines(&self, question: &LateQuestion, id: ChunkId) -> Vec<f32> {
        question.cosines(self.token_codes(id))
    }

    /// Codes of a chunk's tokens; none where none are kept.
    pub(crate) fn token_codes(&self, id: ChunkId) -> &[u64] {
        self.tokens.as_ref().map_or(&[], |tokens| tokens.row(id))
    }

    /// A chunk's vector; `None` without vectors.
    pub(crate) fn vector(&self, id: ChunkId) -> Option<&[f32]> {
        let vectors = self.vectors.as_ref().filter(|vectors| (id.0 as usize) < vectors.rows())?;
        Some(vectors.row(id.0 as usize))
    }

    /// The best chunks by BM25 (0 and up), of those `within`, best first; ties by id.
    ///
    /// # Errors
    /// tantivy's.
    pub fn bm25(
        &self,
        words: &[Token],
        limit: usize,
        within: Option<&Rows>,
    ) -> Result<Vec<(ChunkId, f32)>, IndexError> {
        self.postings.search(words, limit, within)
    }

    /// The chunks that fulfil all clauses; `None` where there are none to fulfil.
    ///
    /// # Errors
    /// tantivy's.
    pub fn rows_matching(&self, clauses: &[Clause]) -> Result<Option<Rows>, IndexError> {
        self.postings.rows_matching(clauses, self.chunk_count())
    }

    /// What each word in each field adds to a chunk's score in [`Snapshot::bm25`]; all of it adds up to the score.
    ///
    /// # Errors
    /// tantivy's.
    pub fn bm25_shares(&self, words: &[Token], id: ChunkId) -> Result<Vec<TermShare>, IndexError> {
        self.postings.shares(words, id)
    }

    /// Whether a guide holds a word, in any inflection; so it is with what is no word.
    pub fn holds_word(&self, word: &str) -> bool {
        self.postings.holds_word(word)
    }

    /// Words of the guides that one which none of them holds can have meant, the likeliest first. None where a guide
    /// holds it in any inflection, where nothing is near, and in an index that an earlier version wrote.
    ///
    /// # Errors
    /// tantivy's.
    pub fn closest_words(&self, word: &str) -> Result<Vec<String>, IndexError> {
        self.postings.closest_words(word)
    }

    /// The abbreviations that guides define, by short form.
    pub fn abbreviations(&self) -> &[Abbreviation] {
        &self.abbreviations
    }

    /// How telling a word is here: BM25's inverse document frequency.
    pub fn idf(&self, term: &str) -> f32 {
        self.postings.idf(term)
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// What must be equal for vectors and chunks of two indexes to mean the same.
pub(crate) fn fingerprint(embedder: Option<&dyn Embed>) -> String {
    let model = embedder.map_or("no model, BM25 alone", |embedder| embedder.fingerprint());
    format!("{model}; {CHUNKER}")
}

/// The part of a fingerprint that says which model, without the way of cutting.
fn model_of(fingerprint: &str) -> &str {
    fingerprint.rsplit_once("; ").map_or(fingerprint, |(model, _)| model)
}

fn bytes_in(folder: &Path) -> u64 {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}
