//! BM25 through tantivy: one segment whose document ids are the rows of the other files.
//!
//! A passage is searched in its guide's title, its headings, its text, and in the other ways to write the words of all three.

mod analyzer;
mod cut;
mod matching;
mod shares;
mod spelling;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use tantivy::directory::MmapDirectory;
use tantivy::query::{
    Bm25StatisticsProvider, BooleanQuery, BoostQuery, EnableScoring, Occur, PhraseQuery, Query, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::{Index, IndexReader, ReloadPolicy, Searcher, TantivyDocument, Term};

pub(crate) use analyzer::ANALYZER;
pub use analyzer::{Form, Token, analyze, terms};
use analyzer::{SPELLINGS, VARIANTS, WORDS, tokenizers};
pub use matching::{Clause, TextField};
pub use shares::TermShare;

use crate::frozen_directory::FrozenDirectory;
use crate::top_rows::top_rows;
use crate::{ChunkId, DocumentRecord, IndexError, Rows, StoredChunk};

const FOLDER: &str = "postings";
/// Memory for building the segment.
const MEMORY: usize = 256 << 20;

pub(crate) struct Postings {
    path: PathBuf,
    reader: IndexReader,
    fields: Fields,
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
    /// Writes the postings of all chunks; `documents` are the guides they belong to.
    pub(crate) fn write(
        folder: &Path,
        chunks: &[StoredChunk],
        documents: &[DocumentRecord],
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
        readable_like(&path, &folder.join("chunks.jsonl"))
    }

    pub(crate) fn open(folder: &Path) -> Result<Self, IndexError> {
        let path = folder.join(FOLDER);
        let work = || -> tantivy::Result<(IndexReader, Fields)> {
            let mut index = Index::open(FrozenDirectory(MmapDirectory::open(&path)?))?;
            index.set_tokenizers(tokenizers());
            let fields = Fields::of(&index.schema())?;
            let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
            Ok((reader, fields))
        };
        let (reader, fields) = work().map_err(failed(&path))?;
        Ok(Postings { path, reader, fields })
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
            let searcher = self.reader.searcher();
            let query = self.any_of(words, self.correction_scale(&searcher, words)?);
            self.best(&searcher, &query, limit, within)
        };
        work().map_err(failed(&self.path))
    }

    fn best(
        &self,
        searcher: &Searcher,
        query: &dyn Query,
        limit: usize,
        within: Option<&Rows>,
    ) -> tantivy::Result<Vec<(ChunkId, f32)>> {
        let statistics = Statistics { searcher, fields: &self.fields };
        top_rows(searcher, &statistics, query, limit, within)
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
    fn correction_scale(&self, searcher: &Searcher, words: &[Token]) -> tantivy::Result<f32> {
        let (corrections, certain): (Vec<Token>, Vec<Token>) =
            words.iter().cloned().partition(|word| word.form == Form::Correction);
        // A misspelled word is found nowhere.
        let held = certain.iter().filter(|word| word.form == Form::Word && self.holds(searcher, &word.term));
        let mut all: Vec<(Occur, Box<dyn Query>)> = held
            .map(|word| (Occur::Must, Box::new(self.any_of(std::slice::from_ref(word), 1.0)) as _))
            .collect();
        if corrections.is_empty() || all.is_empty() {
            return Ok(1.0);
        }
        let others: Vec<Token> = certain.into_iter().filter(|word| word.form != Form::Word).collect();
        all.push((Occur::Should, Box::new(self.any_of(&others, 1.0))));
        let highest = self.best(searcher, &self.any_of(&corrections, 1.0), 1, None)?;
        let lowest = self.lowest(searcher, &BooleanQuery::new(all))?;
        Ok(match (lowest, highest.first()) {
            // Just below, whatever rounding does.
            (Some(lowest), Some((_, highest))) => (0.999 * lowest / highest).min(1.0),
            _ => 1.0,
        })
    }

    fn holds(&self, searcher: &Searcher, term: &str) -> bool {
        self.fields.frequency(searcher, term) > 0
    }

    /// The lowest score that a query gives.
    fn lowest(&self, searcher: &Searcher, query: &dyn Query) -> tantivy::Result<Option<f32>> {
        let statistics = Statistics { searcher, fields: &self.fields };
        let weight = query.weight(EnableScoring::enabled_from_statistics_provider(&statistics, searcher))?;
        let mut lowest: Option<f32> = None;
        for segment in searcher.segment_readers() {
            weight.for_each(segment, &mut |_, score| {
                lowest = Some(lowest.map_or(score, |lowest| lowest.min(score)));
            })?;
        }
        Ok(lowest)
    }

    /// How telling a word is: BM25's inverse document frequency, natural logarithm. A word that no chunk holds is
    /// the most telling of all.
    pub(crate) fn idf(&self, term: &str) -> f32 {
        let searcher = self.reader.searcher();
        let holding = self.fields.frequency(&searcher, term) as f32;
        let all = searcher.num_docs() as f32;
        (1.0 + (all - holding + 0.5).max(0.0) / (holding + 0.5)).ln()
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

    /// Number of chunks that hold a word in the field where most do.
    fn frequency(&self, searcher: &Searcher, term: &str) -> u64 {
        let frequency = |field| searcher.doc_freq(&Term::from_field_text(field, term)).unwrap_or(0);
        [Some(self.headings), Some(self.body), self.variants]
            .into_iter()
            .flatten()
            .map(frequency)
            .max()
            .unwrap_or(0)
    }
}

/// Lets another way to write something be no more telling than the word itself: `java` in `JavaScript` is rare where Java
/// is not.
struct Statistics<'a> {
    searcher: &'a Searcher,
    fields: &'a Fields,
}

impl Bm25StatisticsProvider for Statistics<'_> {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        self.searcher.total_num_tokens(field)
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        self.searcher.total_num_docs()
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        if Some(term.field()) != self.fields.variants {
            return self.searcher.doc_freq(term);
        }
        let text = term.value();
        Ok(text.as_str().map_or(0, |text| self.fields.frequency(self.searcher, text)))
    }
}

/// tantivy's files are readable by their owner alone, whatever the user's umask says; an index that is shared has to be
/// readable as a whole.
fn readable_like(folder: &Path, model: &Path) -> Result<(), IndexError> {
    let work = || {
        let permissions = std::fs::metadata(model)?.permissions();
        for entry in folder.read_dir()? {
            std::fs::set_permissions(entry?.path(), permissions.clone())?;
        }
        Ok(())
    };
    work().map_err(IndexError::io("write", folder))
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
