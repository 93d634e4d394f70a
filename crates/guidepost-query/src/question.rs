//! A question, cut into the words that carry meaning.

use std::collections::HashSet;

use guidepost_index::{Snapshot, Token, analyze};

/// Longest question in words. No model reads more than some hundreds, and a text index only slows down.
pub const MAX_WORDS: usize = 1000;

/// A question ready to be searched.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// As it was asked, without white space at either end.
    pub text: String,
    /// Its telling words, each once, in order.
    pub words: Vec<Token>,
}

/// A question that cannot be searched.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum QuestionError {
    /// Nothing, or nothing but signs.
    #[error("the question is empty; ask something, for example \"what is an error budget?\"")]
    Empty,
    /// More than anybody asks.
    #[error(
        "the question has {words} words, at most {MAX_WORDS} can be searched; shorten it, or save the text as a guide and index it"
    )]
    TooLong {
        /// Number of its words.
        words: usize,
    },
}

impl Question {
    /// Cuts a question into words.
    ///
    /// # Errors
    /// An empty question and one of more than [`MAX_WORDS`] words.
    pub fn new(text: &str) -> Result<Question, QuestionError> {
        let text = text.trim();
        if !text.chars().any(char::is_alphanumeric) {
            return Err(QuestionError::Empty);
        }
        let count = text.split_whitespace().count();
        if count > MAX_WORDS {
            return Err(QuestionError::TooLong { words: count });
        }
        let mut seen = HashSet::new();
        let all: Vec<Token> =
            analyze(text).into_iter().filter(|token| seen.insert(token.term.clone())).collect();
        let is_telling =
            |token: &&Token| !FUNCTION_WORDS.contains(&text[token.start..token.end].to_lowercase().as_str());
        let telling: Vec<Token> = all.iter().filter(is_telling).cloned().collect();
        let words = if telling.is_empty() { all } else { telling };
        Ok(Question { text: text.to_owned(), words })
    }

    /// Weighs the words by how telling each is in this index.
    pub(crate) fn weigh(&self, snapshot: &Snapshot) -> Weighed {
        Weighed {
            words: self.words.iter().map(|word| (word.term.clone(), snapshot.idf(&word.term))).collect(),
        }
    }
}

/// A question's words with their weights in one index.
pub(crate) struct Weighed {
    words: Vec<(String, f32)>,
}

impl Weighed {
    /// Share of the question's information that a set of terms holds, in [0, 1]: each word counts by how telling it
    /// is in this index.
    pub(crate) fn coverage(&self, terms: &HashSet<String>) -> f32 {
        let all: f32 = self.words.iter().map(|(_, weight)| weight).sum();
        let held: f32 =
            self.words.iter().filter(|(term, _)| terms.contains(term)).map(|(_, weight)| weight).sum();
        if all > 0.0 { held / all } else { 0.0 }
    }
}

/// English words that build questions and say nothing of what is asked.
const FUNCTION_WORDS: &[&str] = &[
    "a", "about", "after", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "because",
    "been", "before", "being", "but", "by", "can", "could", "d", "did", "do", "does", "doing", "don", "for",
    "from", "get", "had", "has", "have", "having", "he", "her", "here", "his", "how", "i", "if", "in",
    "into", "is", "it", "its", "just", "ll", "m", "may", "me", "might", "more", "most", "my", "no", "not",
    "of", "on", "or", "other", "our", "out", "re", "s", "she", "should", "so", "some", "such", "t", "than",
    "that", "the", "their", "them", "then", "there", "these", "they", "this", "those", "to", "too", "us",
    "ve", "very", "was", "we", "were", "what", "when", "where", "which", "while", "who", "whom", "whose",
    "why", "will", "with", "would", "you", "your",
    // Verbs that carry a question, not its subject.
    "become", "describe", "explain", "find", "give", "know", "like", "need", "please", "show", "tell", "want",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let question = Question::new(text).expect("it can be searched");
        assert_eq!(question.words.iter().map(|word| word.term.as_str()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn telling_words_remain() {
        check("How do I become a machine learning engineer?", &["machin", "learn", "engin"]);
        check("  SQL, sql and SQL ", &["sql"]);
        check("what is it?", &["what", "is", "it"]);
        check("ROI of a CS degree", &["roi", "cs", "degre"]);
    }

    #[test]
    fn what_cannot_be_searched_is_said() {
        for text in ["", "   ", "?!", "\n"] {
            assert_eq!(Question::new(text), Err(QuestionError::Empty));
        }
        assert_eq!(Question::new(&"word ".repeat(100_000)), Err(QuestionError::TooLong { words: 100_000 }));
    }
}
