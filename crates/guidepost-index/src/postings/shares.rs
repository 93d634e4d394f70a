//! BM25 taken apart: what each word in each field adds to a chunk's score.

use tantivy::query::{Bm25StatisticsProvider, EnableScoring, Query};
use tantivy::{DocSet, Searcher, TERMINATED};

use super::{Postings, Token, failed};
use crate::IndexError;

/// What a word in a field adds to a chunk's BM25 score.
#[derive(Debug, Clone, PartialEq)]
pub struct TermShare {
    /// The word, as the index sees it.
    pub term: String,
    /// `title`, `headings`, `body`, or `variants`: other ways to write what stands in them.
    pub field: String,
    /// More than 0; all shares of a chunk add up to its score.
    pub score: f32,
}

impl Postings {
    /// What each word in each field adds to the score of a chunk, which is a row of a segment, in the order of the words; what adds
    /// nothing is left out.
    pub(crate) fn shares(
        &self,
        words: &[Token],
        segment: usize,
        row: u32,
    ) -> Result<Vec<TermShare>, IndexError> {
        let Some(part) = self.parts.get(segment) else { return Ok(Vec::new()) };
        let work = || -> tantivy::Result<Vec<TermShare>> {
            let statistics = self.statistics();
            let scale = self.correction_scale(&statistics, words)?;
            let mut shares = Vec::new();
            for word in words {
                for (field, query) in self.clauses(word, scale) {
                    if let Some(score) = score(&part.searcher, &statistics, query.as_ref(), row)? {
                        let field = part.searcher.schema().get_field_name(field).to_owned();
                        shares.push(TermShare { term: word.term.clone(), field, score });
                    }
                }
            }
            Ok(shares)
        };
        work().map_err(failed(&self.path))
    }
}

/// What a query gives one row; `None` where it does not match.
fn score(
    searcher: &Searcher,
    statistics: &dyn Bm25StatisticsProvider,
    query: &dyn Query,
    row: u32,
) -> tantivy::Result<Option<f32>> {
    let weight = query.weight(EnableScoring::enabled_from_statistics_provider(statistics, searcher))?;
    // One segment, by how postings are written.
    let Some(segment) = searcher.segment_readers().first() else { return Ok(None) };
    let mut scorer = weight.scorer(segment, 1.0)?;
    let at = if scorer.doc() < row { scorer.seek(row) } else { scorer.doc() };
    Ok((at != TERMINATED && at == row).then(|| scorer.score()))
}
