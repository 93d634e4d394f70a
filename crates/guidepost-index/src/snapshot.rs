//! Reading: one generation, whole, whatever writers do meanwhile.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use guidepost_text::{CHUNKER, Embed, Embedding, Named, TokenVectors, passage_text};

use crate::encoding::Known;
use crate::generation::{current, generation_name};
use crate::generation_record::{GenerationRecord, RECORD};
use crate::passage::{Memory, Passage};
use crate::placement::Placement;
use crate::plan::{Plan, Warning};
use crate::postings::{Postings, analyze};
use crate::segment::Segment;
use crate::tokens::{self, LateQuestion, Rotation};
use crate::{
    Abbreviation, Clause, DocumentRecord, IndexError, Rows, ShippedGuide, SourceRecord, StoredChunk,
    TermShare, Token, abbreviations, names,
};

/// A chunk's number within one generation, in the order of its guides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkId(pub u32);

/// Rows up to which every row is looked at. A walk that finds .99 of the hundred nearest, which is what a search asks for, takes as
/// long as the exact scan of 8,000 to 18,000: `benches/results/vector_search.md`.
const EXACT_UP_TO: usize = 18_000;

/// Candidates of a walk for so many rows: at this length it found .99 of a hundred and more of ten, in the same measurements.
fn candidates_of_walk(limit: usize) -> usize {
    2 * limit + 64
}

/// One generation of an index, open for reading.
pub struct Snapshot {
    folder: PathBuf,
    record: GenerationRecord,
    segments: Vec<Segment>,
    /// One for each segment.
    placements: Vec<Arc<Placement>>,
    postings: Postings,
    abbreviations: Vec<Abbreviation>,
    names: OnceLock<Vec<Named>>,
    /// The words of each guide's title, made when they are first asked for.
    title_words: Vec<OnceLock<Vec<Token>>>,
    memory: Option<Memory>,
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
    /// A format of another version, or damage: sizes and headers are checked, and the rest as it is read; see [`Snapshot::sound`].
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

    /// The same, but `None` also where an earlier version wrote the index: what an update can build on.
    ///
    /// # Errors
    /// Those of [`Snapshot::open`] but one.
    pub fn open_for_update(index: &Path) -> Result<Option<Snapshot>, IndexError> {
        match Snapshot::open(index) {
            Err(IndexError::EarlierFormat { .. }) => Ok(None),
            outcome => outcome,
        }
    }

    fn open_generation(index: &Path, generation: &str) -> Result<Snapshot, IndexError> {
        let folder = index.join(generation);
        let record = GenerationRecord::read(index, &folder)?;
        let abbreviations = abbreviations::read(&folder, record.files.get(abbreviations::ABBREVIATIONS))?;
        Ok(Snapshot { folder, abbreviations, ..Snapshot::of_record(index, record)? })
    }

    /// A generation that is nowhere written down.
    pub(crate) fn of_record(index: &Path, record: GenerationRecord) -> Result<Snapshot, IndexError> {
        let segments = record.segments.iter().map(|segment| Segment::open(index, segment));
        let segments: Vec<Segment> = segments.collect::<Result<_, _>>()?;
        let rows: Vec<u32> = record.segments.iter().map(|segment| segment.manifest.chunks).collect();
        let placements: Vec<Arc<Placement>> =
            Placement::of_segments(&rows, &record.documents).into_iter().map(Arc::new).collect();
        let parts = segments.iter().zip(&placements);
        let parts = parts.map(|(segment, placement)| (segment.postings.clone(), Arc::clone(placement)));
        let postings = Postings::open(index, parts)?;
        let folder = index.join(generation_name(record.generation));
        Ok(Snapshot {
            folder,
            title_words: record.documents.iter().map(|_| OnceLock::new()).collect(),
            record,
            segments,
            placements,
            postings,
            abbreviations: Vec::new(),
            names: OnceLock::new(),
            memory: None,
        })
    }

    /// Holds the disk against the index: a stat per file, and a look into those whose stat differs.
    ///
    /// # Errors
    /// None for a folder that is gone: its guides count as unchanged.
    pub fn changes(&self, shipped: &[ShippedGuide]) -> Result<(Changes, Vec<Warning>), IndexError> {
        let plan = Plan::new(self.sources(), shipped, Some(self.record()))?;
        Ok((plan.changes(), plan.warnings))
    }

    /// Number of the generation.
    pub fn generation(&self) -> u64 {
        self.record.generation
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
        &self.record.fingerprint
    }

    /// Seconds since 1970.
    pub fn written(&self) -> u64 {
        self.record.written
    }

    /// Number of chunks.
    pub fn chunk_count(&self) -> usize {
        self.record.chunks as usize
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> u64 {
        let of_segments = self.files().map(|(_, bytes)| bytes).sum::<u64>();
        let own = std::fs::metadata(self.folder.join(RECORD)).map_or(0, |metadata| metadata.len());
        own + of_segments + self.record.files.values().map(|file| file.bytes).sum::<u64>()
    }

    /// Name and bytes of every file of every segment.
    fn files(&self) -> impl Iterator<Item = (&str, u64)> {
        let files = self.record.segments.iter().flat_map(|segment| &segment.manifest.files);
        files.map(|(name, file)| (name.as_str(), file.bytes))
    }

    /// Number of segments, each written by one update.
    pub fn segment_count(&self) -> usize {
        self.segments.len()
    }

    /// Whether there are vectors, or BM25 alone.
    pub fn has_vectors(&self) -> bool {
        self.record.dimensions.is_some()
    }

    /// Whether token vectors are there, for late interaction.
    pub fn has_token_codes(&self) -> bool {
        self.has_vectors()
            && self.record.keeps_tokens
            && self.segments.iter().all(|segment| segment.tokens.is_some())
    }

    /// Bytes of the token vectors on disk.
    pub fn token_bytes(&self) -> u64 {
        self.files().filter(|(name, _)| *name == tokens::NAME).map(|(_, bytes)| bytes).sum()
    }

    /// Whether a neighbor graph is there.
    pub fn has_graph(&self) -> bool {
        self.segments.iter().any(|segment| segment.graph.is_some())
    }

    /// The sets of guides.
    pub fn sources(&self) -> &[SourceRecord] {
        &self.record.sources
    }

    /// All guides, in the order of their sources and paths.
    pub fn documents(&self) -> &[DocumentRecord] {
        &self.record.documents
    }

    /// The guide a chunk belongs to.
    ///
    /// # Errors
    /// Damage: a chunk that names a guide that is not there.
    pub fn document_of(&self, chunk: &StoredChunk) -> Result<&DocumentRecord, IndexError> {
        let record = self.record.documents.get(chunk.document as usize);
        record.ok_or_else(|| IndexError::damaged(&self.folder.join(RECORD), "a chunk's guide is missing"))
    }

    /// The words of a guide's title in every form; none where there is no such guide.
    pub fn title_words(&self, document: u32) -> &[Token] {
        let document = document as usize;
        let known = self.title_words.get(document).zip(self.record.documents.get(document));
        known.map_or(&[], |(words, document)| words.get_or_init(|| analyze(&document.metadata.title)))
    }

    /// Number of the guide a chunk belongs to; the chunk itself is not read.
    pub fn document_number(&self, id: ChunkId) -> usize {
        self.record.documents.partition_point(|document| document.first_chunk <= id.0).saturating_sub(1)
    }

    /// Reads a chunk.
    ///
    /// # Errors
    /// Damage.
    pub fn chunk(&self, id: ChunkId) -> Result<StoredChunk, IndexError> {
        let missing =
            || IndexError::damaged(&self.folder.join(RECORD), format!("it has no passage {}", id.0));
        let (segment, row) = self.place(id).ok_or_else(missing)?;
        let chunk = self.segments[segment].chunks.get(row)?;
        Ok(StoredChunk { document: self.document_number(id) as u32, ..chunk })
    }

    /// Reads a passage, or takes it from those that are remembered.
    ///
    /// # Errors
    /// Damage.
    pub fn passage(&self, id: ChunkId) -> Result<Arc<Passage>, IndexError> {
        match &self.memory {
            Some(memory) => memory.get(id, || self.chunk(id)),
            None => Ok(Arc::new(Passage::new(self.chunk(id)?))),
        }
    }

    /// Remembers so many passages that were read, some fifteen kilobytes each: for whoever asks again and again.
    pub fn remembering(self, passages: NonZeroUsize) -> Snapshot {
        Snapshot { memory: Some(Memory::new(passages)), ..self }
    }

    /// Segment and row of a chunk; `None` for a number that there is not.
    fn place(&self, id: ChunkId) -> Option<(usize, u32)> {
        let document = self.record.documents.get(self.document_number(id))?;
        let at = id.0.checked_sub(document.first_chunk).filter(|&at| at < document.chunks)?;
        Some((document.segment as usize, document.first_row + at))
    }

    /// What each guide names, in the order of the guides. Read when it is first asked for.
    ///
    /// # Errors
    /// Damage.
    pub fn names(&self) -> Result<&[Named], IndexError> {
        if let Some(names) = self.names.get() {
            return Ok(names);
        }
        let names = self.read_names()?;
        Ok(self.names.get_or_init(|| names))
    }

    fn read_names(&self) -> Result<Vec<Named>, IndexError> {
        let of_segments: Vec<Vec<Named>> =
            self.segments.iter().map(|segment| names::read(&segment.names)).collect::<Result<_, _>>()?;
        let of_guide = |document: &DocumentRecord| {
            let named = of_segments[document.segment as usize].get(document.number as usize);
            named.cloned().ok_or_else(|| {
                let folder = &self.segments[document.segment as usize].folder;
                IndexError::damaged(folder, format!("it does not hold `{}`", document.path))
            })
        };
        self.record.documents.iter().map(of_guide).collect()
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
        self.nearest(query, limit, within, EXACT_UP_TO)
    }

    /// As [`Snapshot::dense`], by the exact scan, whatever the size.
    pub fn dense_scan(&self, query: &Embedding, limit: usize, within: Option<&Rows>) -> Vec<(ChunkId, f32)> {
        self.nearest(query, limit, within, usize::MAX)
    }

    /// As [`Snapshot::dense`], by a walk over each graph, whatever the size; `None` where there is none.
    pub fn dense_walk(
        &self,
        query: &Embedding,
        limit: usize,
        within: Option<&Rows>,
    ) -> Option<Vec<(ChunkId, f32)>> {
        self.has_graph().then(|| self.nearest(query, limit, within, 0))
    }

    /// Segment by segment: up to so many rows to look at by the exact scan, above over the graph.
    fn nearest(
        &self,
        query: &Embedding,
        limit: usize,
        within: Option<&Rows>,
        exact_up_to: usize,
    ) -> Vec<(ChunkId, f32)> {
        let mut nearest: Vec<(ChunkId, f32)> = Vec::new();
        for (segment, placement) in self.segments.iter().zip(&self.placements) {
            let Some(vectors) = &segment.vectors else { continue };
            let rows = placement.rows_within(within);
            let looked_at = rows.as_ref().map_or(vectors.rows(), Rows::len);
            let found = match &segment.graph {
                Some(graph) if looked_at > exact_up_to => {
                    graph.search(vectors, query, limit, candidates_of_walk(limit), rows.as_ref())
                }
                _ => vectors.scan(query, limit, rows.as_ref()),
            };
            let placed = |(row, cosine): (ChunkId, f32)| Some((placement.id(row.0)?, cosine));
            nearest.extend(found.into_iter().filter_map(placed));
        }
        nearest.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        nearest.truncate(limit);
        nearest
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
        Some(crate::vectors::dot(query.as_slice(), self.vector(id)?))
    }

    /// Makes a question's tokens ready for [`Snapshot::max_sim`]. `weights` has one factor a token, 0 and up. `None` where
    /// the index keeps no token vectors.
    pub fn late_question(&self, tokens: &TokenVectors, weights: &[f32]) -> Option<LateQuestion> {
        self.has_token_codes().then_some(())?;
        Some(LateQuestion::new(&Rotation::new(tokens.dimensions), tokens, weights))
    }

    /// How well a chunk's tokens answer to the question's; see [`LateQuestion::max_sim`].
    pub fn max_sim(&self, question: &LateQuestion, id: ChunkId) -> Option<f32> {
        question.max_sim(self.token_codes(id))
    }

    /// The estimated cosines of each of the question's tokens with each of a chunk's. Shape `[question, chunk]`; empty
    /// where none are kept.
    pub fn token_cosines(&self, question: &LateQuestion, id: ChunkId) -> Vec<f32> {
        question.cosines(self.token_codes(id))
    }

    /// Codes of a chunk's tokens; none where none are kept.
    pub(crate) fn token_codes(&self, id: ChunkId) -> &[u64] {
        let place = self.place(id);
        let codes =
            place.and_then(|(segment, row)| Some(self.segments[segment].tokens.as_ref()?.row(ChunkId(row))));
        codes.unwrap_or_default()
    }

    /// A chunk's vector, of unit length; `None` without vectors.
    pub fn vector(&self, id: ChunkId) -> Option<&[f32]> {
        let (segment, row) = self.place(id)?;
        Some(self.segments[segment].vectors.as_ref()?.row(row as usize))
    }

    /// Vector and token codes that the model made of the text with this key, deleted or not; no codes where none are kept.
    ///
    /// # Errors
    /// Damage.
    pub(crate) fn encoding(&self, key: &str) -> Result<Option<Known<'_>>, IndexError> {
        for segment in &self.segments {
            let Some(vectors) = &segment.vectors else { continue };
            let Some(row) = segment.keys.row(key)?.filter(|&row| (row as usize) < vectors.rows()) else {
                continue;
            };
            let vector = vectors.row(row as usize);
            let codes = segment.tokens.as_ref().map_or(&[][..], |tokens| tokens.row(ChunkId(row)));
            segment.sound()?;
            return Ok(Some((vector, codes)));
        }
        Ok(None)
    }

    /// Refuses what was read of the index so far if any of it is not what was written. Searching cannot stop for damage that
    /// it meets, so that whoever has searched asks before anything of it is believed.
    ///
    /// # Errors
    /// Damage.
    pub fn sound(&self) -> Result<(), IndexError> {
        self.segments.iter().try_for_each(Segment::sound)
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
        let Some((segment, row)) = self.place(id) else { return Ok(Vec::new()) };
        self.postings.shares(words, segment, row)
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

    /// Whether every file of every segment has a row for each of its passages, and the graph names no others.
    pub(crate) fn check_rows(&self) -> Result<(), IndexError> {
        for (at, (segment, record)) in self.segments.iter().zip(&self.record.segments).enumerate() {
            let rows = record.manifest.chunks;
            if self.postings.rows(at) != rows {
                return Err(IndexError::damaged(&segment.folder, "its postings have another number of rows"));
            }
            if segment.graph.as_ref().is_some_and(|graph| !graph.is_closed()) {
                return Err(IndexError::damaged(&segment.folder, "its graph names rows that there are not"));
            }
        }
        Ok(())
    }

    pub(crate) fn record(&self) -> &GenerationRecord {
        &self.record
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
