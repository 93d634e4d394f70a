//! A test collection in BEIR's layout (Thakur and others 2021, arXiv 2104.08663): documents, queries, and which of the
//! documents are relevant to which query.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Documents, queries and judgments.
#[derive(Debug, Clone)]
pub struct Collection {
    /// In the order of the file.
    pub documents: Vec<CollectionDocument>,
    /// Those with judgments, in the order of the file.
    pub queries: Vec<CollectionQuery>,
    /// Grade by query and document; relevant from above 0.
    pub judged: HashMap<String, HashMap<String, f64>>,
}

/// A document of a collection.
#[derive(Debug, Clone, Deserialize)]
pub struct CollectionDocument {
    /// Identifier.
    #[serde(rename = "_id")]
    pub id: String,
    /// Title, often empty.
    #[serde(default)]
    pub title: String,
    /// Text.
    pub text: String,
}

/// A query of a collection.
#[derive(Debug, Clone, Deserialize)]
pub struct CollectionQuery {
    /// Identifier.
    #[serde(rename = "_id")]
    pub id: String,
    /// Text.
    pub text: String,
}

/// A collection that cannot be measured on.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CollectionError {
    /// A line that is not understood.
    #[error("{file}, line {line}: {reason}")]
    Line {
        /// Which of the three files.
        file: &'static str,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Two documents of one name.
    #[error("corpus.jsonl: two documents are called `{id}`")]
    Twice {
        /// Their name.
        id: String,
    },
    /// Nothing to measure.
    #[error("none of the queries has a judgment")]
    Unjudged,
}

impl Collection {
    /// Reads the contents of `corpus.jsonl`, `queries.jsonl` and a file of judgments: three columns with a header line (BEIR) or four
    /// without (TREC), parted by tabs, else by spaces.
    ///
    /// # Errors
    /// The first line that is not understood, two documents of one name, or no query with a judgment.
    pub fn parse(corpus: &str, queries: &str, judgments: &str) -> Result<Collection, CollectionError> {
        let documents: Vec<CollectionDocument> = read_lines("corpus.jsonl", corpus)?;
        let mut known = HashSet::new();
        if let Some(twice) = documents.iter().find(|document| !known.insert(document.id.as_str())) {
            return Err(CollectionError::Twice { id: twice.id.clone() });
        }
        let judged = read_judgments(judgments)?;
        let mut queries: Vec<CollectionQuery> = read_lines("queries.jsonl", queries)?;
        queries.retain(|query| judged.contains_key(&query.id));
        if queries.is_empty() {
            return Err(CollectionError::Unjudged);
        }
        Ok(Collection { documents, queries, judged })
    }
}

fn read_lines<T: DeserializeOwned>(file: &'static str, text: &str) -> Result<Vec<T>, CollectionError> {
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    let parse = |(text, line)| {
        serde_json::from_str(text).map_err(|error| CollectionError::Line {
            file,
            line,
            reason: error.to_string(),
        })
    };
    lines.map(parse).collect()
}

fn read_judgments(text: &str) -> Result<HashMap<String, HashMap<String, f64>>, CollectionError> {
    let mut judged: HashMap<String, HashMap<String, f64>> = HashMap::new();
    for (text, line) in text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty()) {
        // Identifiers may hold spaces where tabs part the columns.
        let columns: Vec<&str> = match text.contains('\t') {
            true => text.split('\t').map(str::trim).collect(),
            false => text.split_whitespace().collect(),
        };
        let (query, document, grade) = match columns[..] {
            [query, document, grade] | [query, _, document, grade] => (query, document, grade),
            _ => {
                return Err(unjudged(line, format!("{} columns; three or four are expected", columns.len())));
            }
        };
        match grade.parse::<f64>() {
            Ok(grade) if grade.is_finite() => {
                judged.entry(query.to_owned()).or_default().insert(document.to_owned(), grade);
            }
            // The header.
            _ if line == 1 => {}
            _ => return Err(unjudged(line, format!("`{grade}` is no grade"))),
        }
    }
    Ok(judged)
}

fn unjudged(line: usize, reason: String) -> CollectionError {
    CollectionError::Line { file: "the judgments", line, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORPUS: &str = "{\"_id\":\"a\",\"text\":\"A.\"}\n\n{\"_id\":\"b\",\"title\":\"B\",\"text\":\"\"}\n";
    const QUERIES: &str = "{\"_id\":\"1\",\"text\":\"q\"}\n{\"_id\":\"2\",\"text\":\"r\"}\n";

    #[test]
    fn both_layouts_of_judgments_are_read() {
        for judgments in ["query-id\tcorpus-id\tscore\n1\tb\t2\n", "1 0 b 2\n"] {
            let collection = Collection::parse(CORPUS, QUERIES, judgments).expect("a collection");
            assert_eq!(collection.documents.len(), 2);
            assert_eq!(collection.queries.iter().map(|query| query.id.as_str()).collect::<Vec<_>>(), ["1"]);
            assert_eq!(collection.judged["1"]["b"], 2.0);
        }
    }

    #[test]
    fn identifiers_may_hold_spaces() {
        let collection = Collection::parse("{\"_id\":\"a b\",\"text\":\"\"}", QUERIES, "1\ta b\t1\n");
        assert_eq!(collection.expect("a collection").judged["1"]["a b"], 1.0);
    }

    #[track_caller]
    fn check(corpus: &str, judgments: &str, expected: &str) {
        let error = Collection::parse(corpus, QUERIES, judgments).expect_err("it cannot be measured on");
        assert!(error.to_string().contains(expected), "{error}");
    }

    #[test]
    fn what_is_not_understood_is_named() {
        check("{\"_id\":1}\n", "1 0 b 2\n", "corpus.jsonl, line 1");
        check(&format!("{CORPUS}{CORPUS}"), "1 0 b 2\n", "two documents are called `a`");
        check(CORPUS, "1 b\n", "the judgments, line 1: 2 columns");
        check(CORPUS, "q d s\n1 b high\n", "the judgments, line 2: `high` is no grade");
        check(CORPUS, "9 0 b 2\n", "none of the queries");
    }
}
