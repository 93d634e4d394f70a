//! BM25 through tantivy: one segment whose document ids are the rows of the other files.

use std::collections::HashSet;
use std::path::Path;

use tantivy::directory::MmapDirectory;
use tantivy::query::{BooleanQuery, BoostQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, Stemmer, TextAnalyzer,
};
use tantivy::{Index, IndexReader, ReloadPolicy, TantivyDocument, Term};

use crate::frozen_directory::FrozenDirectory;
use crate::top_rows::top_rows;
use crate::{ChunkId, IndexError, Rows, StoredChunk};

const FOLDER: &str = "postings";
const ANALYZER: &str = "guide";
/// Memory for building the segment.
const MEMORY: usize = 256 << 20;

/// Weight of a word in the heading path; one in the text counts 1. Of .3, .6, 1, 1.5, 2 and 3, the best for BM25 on
/// the collections with titles and on the guides that ship; see `benches/results/fusion.md`.
const HEADING_WEIGHT: f32 = 0.6;

pub(crate) struct Postings {
    path: std::path::PathBuf,
    reader: IndexReader,
    headings: Field,
    body: Field,
}

impl Postings {
    pub(crate) fn write(folder: &Path, chunks: &[StoredChunk]) -> Result<(), IndexError> {
        let path = folder.join(FOLDER);
        std::fs::create_dir(&path).map_err(IndexError::io("write", &path))?;
        let work = || -> tantivy::Result<()> {
            let (schema, headings, body) = schema();
            let directory = MmapDirectory::open(&path)?;
            // One segment, one thread, no merge: only so is a document's id its row.
            let mut writer = Index::builder()
                .schema(schema)
                .tokenizers(tokenizers())
                .single_segment_index_writer(directory, MEMORY)?;
            for chunk in chunks {
                let mut document = TantivyDocument::default();
                document.add_text(headings, &chunk.chunk.context);
                document.add_text(body, &chunk.chunk.text);
                writer.add_document(document)?;
            }
            writer.finalize()?;
            Ok(())
        };
        work().map_err(failed(&path))?;
        readable_like(&path, &folder.join("chunks.jsonl"))
    }

    pub(crate) fn open(folder: &Path) -> Result<Self, IndexError> {
        let path = folder.join(FOLDER);
        let work = || -> tantivy::Result<(IndexReader, Field, Field)> {
            let mut index = Index::open(FrozenDirectory(MmapDirectory::open(&path)?))?;
            index.set_tokenizers(tokenizers());
            let (headings, body) = (index.schema().get_field("headings")?, index.schema().get_field("body")?);
            let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
            Ok((reader, headings, body))
        };
        let (reader, headings, body) = work().map_err(failed(&path))?;
        Ok(Postings { path, reader, headings, body })
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
        let clause = |field: Field, word: &str, weight: f32| -> (Occur, Box<dyn Query>) {
            let term = TermQuery::new(Term::from_field_text(field, word), IndexRecordOption::WithFreqs);
            (Occur::Should, Box::new(BoostQuery::new(Box::new(term), weight)))
        };
        let both = |word: &Token| {
            [clause(self.headings, &word.term, HEADING_WEIGHT), clause(self.body, &word.term, 1.0)]
        };
        let query = BooleanQuery::new(words.iter().flat_map(both).collect());
        top_rows(&self.reader.searcher(), &query, limit, within).map_err(failed(&self.path))
    }

    /// How telling a word is: BM25's inverse document frequency, natural logarithm. A word that no chunk holds is
    /// the most telling of all.
    pub(crate) fn idf(&self, term: &str) -> f32 {
        let searcher = self.reader.searcher();
        let frequency = |field| searcher.doc_freq(&Term::from_field_text(field, term)).unwrap_or(0);
        let holding = frequency(self.body).max(frequency(self.headings)) as f32;
        let all = searcher.num_docs() as f32;
        (1.0 + (all - holding + 0.5).max(0.0) / (holding + 0.5)).ln()
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

fn schema() -> (Schema, Field, Field) {
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(ANALYZER)
        .set_index_option(IndexRecordOption::WithFreqsAndPositions);
    let options = TextOptions::default().set_indexing_options(indexing);
    let mut builder = Schema::builder();
    let headings = builder.add_text_field("headings", options.clone());
    let body = builder.add_text_field("body", options);
    (builder.build(), headings, body)
}

fn tokenizers() -> tantivy::tokenizer::TokenizerManager {
    let manager = tantivy::tokenizer::TokenizerManager::new();
    manager.register(ANALYZER, analyzer());
    manager
}

fn analyzer() -> TextAnalyzer {
    TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(64))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .filter(Stemmer::new(Language::English))
        .build()
}

/// A word as the text index sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Lower case, without accents, stemmed.
    pub term: String,
    /// First byte of the word in the text.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
}

/// Cuts a text into words exactly as the index does, so that what matches can be found again in a text.
pub fn analyze(text: &str) -> Vec<Token> {
    let mut analyzer = analyzer();
    let mut stream = analyzer.token_stream(text);
    let mut tokens = Vec::new();
    while stream.advance() {
        let token = stream.token();
        tokens.push(Token { term: token.text.clone(), start: token.offset_from, end: token.offset_to });
    }
    tokens
}

/// The distinct words of a text as the index sees them.
pub fn terms(text: &str) -> HashSet<String> {
    analyze(text).into_iter().map(|word| word.term).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_as_they_are_indexed() {
        let text = "Learning Résumés, quickly: CI/CD";
        let tokens = analyze(text);
        let terms: Vec<&str> = tokens.iter().map(|token| token.term.as_str()).collect();
        assert_eq!(terms, ["learn", "resum", "quick", "ci", "cd"]);
        assert_eq!(&text[tokens[1].start..tokens[1].end], "Résumés");
    }
}
