//! Which rows hold what a question demands: phrases, words, and where they must stand.

use tantivy::query::{
    AllQuery, BooleanQuery, EmptyQuery, EnableScoring, Occur, PhraseQuery, Query, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, Term};

use super::{Fields, Form, Part, Postings, analyze, failed};
use crate::{IndexError, Rows};

/// Something that a passage must hold, or must not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// A word, or a phrase: its words must stand side by side, in any inflection.
    pub text: String,
    /// Where; `None` for anywhere.
    pub field: Option<TextField>,
    /// Whether it must not be there.
    pub is_excluded: bool,
}

/// A part of a passage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextField {
    /// The guide's title.
    Title,
    /// The headings above, the title included.
    Headings,
    /// The text.
    Body,
}

impl Postings {
    /// The rows, of so many, that fulfil all clauses; `None` where there are none to fulfil.
    pub(crate) fn rows_matching(&self, clauses: &[Clause], rows: usize) -> Result<Option<Rows>, IndexError> {
        if clauses.is_empty() {
            return Ok(None);
        }
        let occur = |clause: &Clause| if clause.is_excluded { Occur::MustNot } else { Occur::Must };
        let mut all: Vec<(Occur, Box<dyn Query>)> = vec![(Occur::Must, Box::new(AllQuery))];
        all.extend(clauses.iter().map(|clause| (occur(clause), self.fields.holding(clause))));
        let query = BooleanQuery::new(all);
        self.collect(&query, rows).map(Some).map_err(failed(&self.path))
    }

    fn collect(&self, query: &dyn Query, rows: usize) -> tantivy::Result<Rows> {
        let mut found = Rows::none(rows);
        for Part { searcher, placement } in &self.parts {
            let weight = query.weight(EnableScoring::disabled_from_searcher(searcher))?;
            for segment in searcher.segment_readers() {
                weight.for_each_no_score(segment, &mut |ids: &[DocId]| {
                    ids.iter().filter_map(|&row| placement.id(row)).for_each(|id| found.insert(id));
                })?;
            }
        }
        Ok(found)
    }
}

impl Fields {
    /// Where the words of a clause stand side by side.
    fn holding(&self, clause: &Clause) -> Box<dyn Query> {
        let words: Vec<String> = analyze(&clause.text)
            .into_iter()
            .filter(|token| token.form == Form::Word)
            .map(|token| token.term)
            .collect();
        // An index of an earlier version has no titles of their own; they begin the headings.
        let title = self.title.unwrap_or(self.headings);
        let fields = match clause.field {
            Some(TextField::Title) => vec![title],
            Some(TextField::Headings) => vec![self.headings],
            Some(TextField::Body) => vec![self.body],
            None => vec![title, self.headings, self.body],
        };
        let queries = fields.into_iter().map(|field| (Occur::Should, phrase(field, &words))).collect();
        Box::new(BooleanQuery::new(queries))
    }
}

fn phrase(field: Field, words: &[String]) -> Box<dyn Query> {
    let mut terms: Vec<Term> = words.iter().map(|word| Term::from_field_text(field, word)).collect();
    match terms.len() {
        0 => Box::new(EmptyQuery),
        1 => Box::new(TermQuery::new(terms.remove(0), IndexRecordOption::Basic)),
        _ => Box::new(PhraseQuery::new(terms)),
    }
}
