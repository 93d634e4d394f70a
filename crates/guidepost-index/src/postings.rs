//! BM25 through tantivy: for each segment of the index one of tantivy's, whose document ids are the rows of the other files.
//!
//! Words are counted over all that the generation holds and nothing else, so that scores do not depend on how it is cut into
//! segments, nor on what was deleted since.
//!
//! A passage is searched in its guide's title, its headings, its text, and in the other ways to write the words of all three.

mod analyzer;
mod cut;
mod matching;
mod shares;
mod spelling;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use tantivy::directory::MmapDirectory;
use tantivy::query::{
    Bm25StatisticsProvider, BooleanQuery, BoostQuery, EnableScoring, Occur, PhraseQuery, Query, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::{DocSet, Index, ReloadPolicy, Searcher, TERMINATED, TantivyDocument, Term};

pub(crate) use analyzer::ANALYZER;
pub use analyzer::{Form, Token, analyze, terms};
use analyzer::{SPELLINGS, VARIANTS, WORDS, tokenizers};
pub use matching::{Clause, TextField};
pub use shares::TermShare;

use crate::chunk_store::LINES;
use crate::frozen_directory::FrozenDirectory;
use crate::manifest::Manifest;
use crate::placement::Placement;
use crate::top_rows::top_rows;
use crate::{ChunkId, DocumentRecord, IndexError, Rows, StoredChunk};

pub(crate) const FOLDER: &str = "postings";
/// Memory for building the segment.
const MEMORY: usize = 256 << 20;

pub(crate) struct Postings {
    /// For errors: the index directory.
    path: PathBuf,
    parts: Vec<Part>,
    fields: Fields,
    /// Words in all chunks, by field; counted when first asked for.
    lengths: OnceLock<HashMap<Field, u64>>,
}

/// A segment's postings.
struct Part {
    searcher: Searcher,
    placement: Arc<Placement>,
}

/// Where a word can stand. An index that an earlier version wrote has headings and bodies alone.
struct Fields {
    title: Option<Field>,
    headings: Field,
    body: Field,
    /// Other ways to write the words of all three; without positions.
    variants: Option<Field>,
    /// The words of all three, not stemmed: what a misspelled word can have meant.
    spellings: Option<Field>,
}

impl Fields {
    fn of(schema: &Schema) -> tantivy::Result<Fields> {
        Ok(Fields {
            title: schema.get_field("title").ok(),
            headings: schema.get_field("headings")?,
            body: schema.get_field("body")?,
            variants: schema.get_field("variants").ok(),
            spellings: schema.get_field("spellings").ok(),
        })
    }

    /// The fields that are scored, with the weight of a word in each. Titles are not: they begin the headings, and
    /// counting them twice gained nothing.
    fn weighted(&self) -> impl Iterator<Item = (Field, f32)> {
        let written = [(self.headings, HEADING_WEIGHT), (self.body, 1.0)];
        written.into_iter().chain(self.variants.map(|field| (field, VARIANT_WEIGHT)))
    }
}

/// Weight of a word in the heading path; one in the text counts 1. Of .3, .6, 1, 1.5, 2 and 3, the best for BM25 on
/// the collections with titles and on the guides that ship; see `benches/results/fusion.md`.
const HEADING_WEIGHT: f32 = 0.6;
/// Weight of another way to write what stands there. Of .1, .25 and .5; this and what follows is in
/// `benches/results/words.md`.
const VARIANT_WEIGHT: f32 = 0.25;

/// Weight of a term of a question.
fn form_weight(form: Form) -> f32 {
    match form {
        Form::Word => 1.0,
        Form::Joined | Form::Part => 0.1,
        Form::Expansion => 0.1,
        Form::Correction => 0.5,
    }
}

impl Postings {
    /// Writes the postings of a segment's chunks; `documents` are the guides they belong to.
    pub(crate) fn write(
        folder: &Path,
        chunks: &[StoredChunk],
        documents: &[DocumentRecord],
        manifest: &mut Manifest,
    ) -> Result<(), IndexError> {
        let path = folder.join(FOLDER);
        std::fs::create_dir(&path).map_err(IndexError::io("write", &path))?;
        let work = || -> tantivy::Result<()> {
            let schema = schema();
            let fields = Fields::of(&schema)?;
            let directory = MmapDirectory::open(&path)?;
            // One segment, one thread, no merge: only so is a document's id its row.
            let mut writer = Index::builder()
                .schema(schema)
                .tokenizers(tokenizers())
                .single_segment_index_writer(directory, MEMORY)?;
            for chunk in chunks {
                let title = documents.get(chunk.document as usize).map_or("", |guide| &guide.metadata.title);
                writer.add_document(fields.document(title, chunk))?;
            }
            writer.finalize()?;
            Ok(())
        };
        work().map_err(failed(&path))?;
        finish(&path, &folder.join(LINES))?;
        for name in names_in(&path)? {
            manifest.add_file(folder, &format!("{FOLDER}/{name}"))?;
        }
        Ok(())
    }

    /// Opens the postings of segments, each with its place in the generation.
    pub(crate) fn open(
        index: &Path,
        segments: impl Iterator<Item = (FrozenDirectory, Arc<Placement>)>,
    ) -> Result<Self, IndexError> {
        let parts = segments.map(|(directory, placement)| Part::open(directory, placement));
        let parts: Vec<Part> = parts.collect::<Result<_, _>>()?;
        let schema = parts.first().map_or_else(schema, |part| part.searcher.schema().clone());
        let fields = Fields::of(&schema).map_err(failed(index))?;
        Ok(Postings { path: index.to_owned(), parts, fields, lengths: OnceLock::new() })
    }

    /// The `limit` best rows for any of the words, of those `within`, best first; ties by row. Scores are BM25's: from 0
    /// up, without an upper end, comparable within one question only; a filter does not change them.
    pub(crate) fn search(
        &self,
        words: &[Token],
        limit: usize,
        within: Option<&Rows>,
    ) -> Result<Vec<(ChunkId, f32)>, IndexError> {
        if words.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let work = || {
            let statistics = self.statistics();
            let query = self.any_of(words, self.correction_scale(&statistics, words)?);
            self.best(&statistics, &query, limit, within)
        };
        work().map_err(failed(&self.path))
    }

    fn statistics(&self) -> Statistics<'_> {
        Statistics { postings: self, frequencies: RefCell::default() }
    }

    fn best(
        &self,
        statistics: &Statistics,
        query: &dyn Query,
        limit: usize,
        within: Option<&Rows>,
    ) -> tantivy::Result<Vec<(ChunkId, f32)>> {
        let parts = self.parts.iter().map(|part| (&part.searcher, &*part.placement));
        top_rows(parts, statistics, query, limit, within)
    }

    fn any_of(&self, words: &[Token], correction_scale: f32) -> BooleanQuery {
        let clauses = words.iter().flat_map(|word| self.clauses(word, correction_scale));
        BooleanQuery::new(clauses.map(|(_, query)| (Occur::Should, query)).collect())
    }

    /// A word in every field, each with its weight.
    fn clauses(&self, word: &Token, correction_scale: f32) -> Vec<(Field, Box<dyn Query>)> {
        let weight = match word.form {
            Form::Correction => form_weight(word.form) * correction_scale,
            form => form_weight(form),
        };
        let clause = |(field, field_weight)| -> Option<(Field, Box<dyn Query>)> {
            let terms: Vec<Term> =
                word.term.split(' ').map(|term| Term::from_field_text(field, term)).collect();
            let query: Box<dyn Query> = match <[Term; 1]>::try_from(terms) {
                Ok([term]) => Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs)),
                // Variants have no positions.
                Err(_) if Some(field) == self.fields.variants => return None,
                Err(terms) => Box::new(PhraseQuery::new(terms)),
            };
            Some((field, Box::new(BoostQuery::new(query, weight * field_weight))))
        };
        self.fields.weighted().filter_map(clause).collect()
    }

    /// What the weight of corrections is multiplied by, in [0, 1], so that no chunk that holds them alone comes before one
    /// that holds all the words that need none.
    fn correction_scale(&self, statistics: &Statistics, words: &[Token]) -> tantivy::Result<f32> {
        let (corrections, certain): (Vec<Token>, Vec<Token>) =
            words.iter().cloned().partition(|word| word.form == Form::Correction);
        // A misspelled word is found nowhere.
        let held = certain.iter().filter(|word| word.form == Form::Word && self.holds(&word.term));
        let mut all: Vec<(Occur, Box<dyn Query>)> = held
            .map(|word| (Occur::Must, Box::new(self.any_of(std::slice::from_ref(word), 1.0)) as _))
            .collect();
        if corrections.is_empty() || all.is_empty() {
            return Ok(1.0);
        }
        let others: Vec<Token> = certain.into_iter().filter(|word| word.form != Form::Word).collect();
        all.push((Occur::Should, Box::new(self.any_of(&others, 1.0))));
        let highest = self.best(statistics, &self.any_of(&corrections, 1.0), 1, None)?;
        let lowest = self.lowest(statistics, &BooleanQuery::new(all))?;
        Ok(match (lowest, highest.first()) {
            // Just below, whatever rounding does.
            (Some(lowest), Some((_, highest))) => (0.999 * lowest / highest).min(1.0),
            _ => 1.0,
        })
    }

    fn holds(&self, term: &str) -> bool {
        self.frequency(term) > 0
    }

    /// Number of chunks that hold a word in the field where most do.
    fn frequency(&self, term: &str) -> u64 {
        let frequency = |field| self.frequency_in(&Term::from_field_text(field, term)).unwrap_or(0);
        [Some(self.fields.headings), Some(self.fields.body), self.fields.variants]
            .into_iter()
            .flatten()
            .map(frequency)
            .max()
            .unwrap_or(0)
    }

    /// Number of chunks that hold a word in its field.
    fn frequency_in(&self, term: &Term) -> tantivy::Result<u64> {
        self.parts.iter().map(|part| part.frequency(term)).sum()
    }

    /// Words in a field of all chunks together.
    fn length(&self, field: Field) -> u64 {
        let lengths = self.lengths.get_or_init(|| {
            let scored = self.fields.weighted().map(|(field, _)| field);
            scored
                .map(|field| (field, self.parts.iter().map(|part| part.length(field)).sum::<u64>()))
                .collect()
        });
        lengths.get(&field).copied().unwrap_or(0)
    }

    /// Number of rows of a segment's postings.
    pub(crate) fn rows(&self, segment: usize) -> u32 {
        self.parts.get(segment).map_or(0, |part| part.searcher.num_docs() as u32)
    }

    fn chunk_count(&self) -> u64 {
        self.parts.iter().map(|part| part.placement.live() as u64).sum()
    }

    /// The lowest score that a query gives.
    fn lowest(&self, statistics: &Statistics, query: &dyn Query) -> tantivy::Result<Option<f32>> {
        let mut lowest: Option<f32> = None;
        for Part { searcher, placement } in &self.parts {
            let weight =
                query.weight(EnableScoring::enabled_from_statistics_provider(statistics, searcher))?;
            for segment in searcher.segment_readers() {
                weight.for_each(segment, &mut |row, score| {
                    if placement.id(row).is_some() {
                        lowest = Some(lowest.map_or(score, |lowest| lowest.min(score)));
                    }
                })?;
            }
        }
        Ok(lowest)
    }

    /// How telling a word is: BM25's inverse document frequency, natural logarithm. A word that no chunk holds is
    /// the most telling of all.
    pub(crate) fn idf(&self, term: &str) -> f32 {
        let holding = self.frequency(term) as f32;
        let all = self.chunk_count() as f32;
        (1.0 + (all - holding + 0.5).max(0.0) / (holding + 0.5)).ln()
    }
}

impl Part {
    fn open(directory: FrozenDirectory, placement: Arc<Placement>) -> Result<Part, IndexError> {
        let work = || -> tantivy::Result<Searcher> {
            let mut index = Index::open(directory.clone())?;
            index.set_tokenizers(tokenizers());
            let reader: tantivy::IndexReader =
                index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
            Ok(reader.searcher())
        };
        let searcher = work();
        // It tells better than tantivy what is wrong.
        directory.sound()?;
        Ok(Part { searcher: searcher.map_err(failed(directory.path()))?, placement })
    }

    /// Number of chunks here that hold a word in its field, deleted ones left out.
    fn frequency(&self, term: &Term) -> tantivy::Result<u64> {
        let with_deleted = self.searcher.doc_freq(term)?;
        let deleted = self.placement.deleted();
        if deleted.is_empty() || with_deleted == 0 {
            return Ok(with_deleted);
        }
        let mut frequency = with_deleted;
        for segment in self.searcher.segment_readers() {
            let index = segment.inverted_index(term.field())?;
            let Some(mut postings) = index.read_postings(term, IndexRecordOption::Basic)? else { continue };
            if (deleted.len() as u64) < with_deleted {
                for &row in deleted {
                    let at = if postings.doc() < row { postings.seek(row) } else { postings.doc() };
                    frequency -= u64::from(at == row);
                }
            } else {
                while postings.doc() != TERMINATED {
                    frequency -= u64::from(self.placement.id(postings.doc()).is_none());
                    postings.advance();
                }
            }
        }
        Ok(frequency)
    }

    /// Words in a field of the chunks here, as coarsely as tantivy keeps them.
    fn length(&self, field: Field) -> u64 {
        let of_segment = |segment: &tantivy::SegmentReader| {
            let Ok(lengths) = segment.get_fieldnorms_reader(field) else { return 0 };
            let rows = (0..segment.max_doc()).filter(|&row| self.placement.id(row).is_some());
            rows.map(|row| u64::from(lengths.fieldnorm(row))).sum()
        };
        self.searcher.segment_readers().iter().map(of_segment).sum()
    }
}

impl Fields {
    fn document(&self, title: &str, chunk: &StoredChunk) -> TantivyDocument {
        let (headings, body) = (&chunk.chunk.context, &chunk.chunk.text);
        let mut document = TantivyDocument::default();
        document.add_text(self.headings, headings);
        document.add_text(self.body, body);
        if let Some(field) = self.title {
            document.add_text(field, title);
        }
        // The title is the first of the headings.
        for field in [self.variants, self.spellings].into_iter().flatten() {
            document.add_text(field, headings);
            document.add_text(field, body);
        }
        document
    }
}

/// Lets another way to write something be no more telling than the word itself: `java` in `JavaScript` is rare where Java
/// is not.
struct Statistics<'a> {
    postings: &'a Postings,
    /// Of the words that were asked for: each is asked for once a segment.
    frequencies: RefCell<HashMap<Term, u64>>,
}

impl Bm25StatisticsProvider for Statistics<'_> {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        Ok(self.postings.length(field))
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.postings.chunk_count())
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        if let Some(&known) = self.frequencies.borrow().get(term) {
            return Ok(known);
        }
        let frequency = if Some(term.field()) == self.postings.fields.variants {
            let text = term.value();
            text.as_str().map_or(0, |text| self.postings.frequency(text))
        } else {
            self.postings.frequency_in(term)?
        };
        self.frequencies.borrow_mut().insert(term.clone(), frequency);
        Ok(frequency)
    }
}

/// tantivy's files are readable by their owner alone, whatever the user's umask says, and not all are forced to disk; an index
/// that is shared has to be readable as a whole, and one that is committed has to be there.
fn finish(folder: &Path, model: &Path) -> Result<(), IndexError> {
    let work = || {
        let permissions = std::fs::metadata(model)?.permissions();
        for entry in folder.read_dir()? {
            let path = entry?.path();
            std::fs::set_permissions(&path, permissions.clone())?;
            std::fs::File::open(&path)?.sync_all()?;
        }
        crate::files::sync_folder(folder)
    };
    work().map_err(IndexError::io("write", folder))
}

/// Names of the files in a folder, in order.
fn names_in(folder: &Path) -> Result<Vec<String>, IndexError> {
    let names = || -> std::io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in folder.read_dir()? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    };
    names().map_err(IndexError::io("read", folder))
}

fn failed(path: &Path) -> impl Fn(tantivy::TantivyError) -> IndexError {
    let path = path.to_owned();
    move |error| IndexError::Postings { path: path.clone(), reason: error.to_string() }
}

fn schema() -> Schema {
    let mut builder = Schema::builder();
    let mut add = |name: &str, tokenizer: &str, option: IndexRecordOption| {
        let indexing = TextFieldIndexing::default().set_tokenizer(tokenizer).set_index_option(option);
        builder.add_text_field(name, TextOptions::default().set_indexing_options(indexing));
    };
    for field in ["title", "headings", "body"] {
        add(field, WORDS, IndexRecordOption::WithFreqsAndPositions);
    }
    add("variants", VARIANTS, IndexRecordOption::WithFreqs);
    add("spellings", SPELLINGS, IndexRecordOption::Basic);
    builder.build()
}

#[cfg(test)]
impl Postings {
    /// Of chunks that are all of a generation.
    pub(crate) fn for_tests(folder: &Path, chunks: &[StoredChunk], documents: &[DocumentRecord]) -> Postings {
        std::fs::write(folder.join(LINES), "").expect("writable");
        let mut manifest = Manifest::for_tests(1, chunks.len() as u32);
        Postings::write(folder, chunks, documents, &mut manifest).expect("writable");
        let placement = Arc::new(Placement::whole(chunks.len() as u32));
        let directory =
            FrozenDirectory::open(&crate::checked_file::SegmentFiles::unchecked(folder, &manifest));
        let directory = directory.expect("it was just written");
        Postings::open(folder, std::iter::once((directory, placement))).expect("it was just written")
    }
}
