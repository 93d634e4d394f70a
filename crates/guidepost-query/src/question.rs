//! A question, cut into the words that carry meaning, and understood as an index can.

use std::collections::HashSet;

use guidepost_index::{Clause, Form, IndexError, Snapshot, Token, analyze};
use guidepost_text::Embed;

use crate::filter::Facet;
use crate::query_language::parse;

/// Longest question in words. No model reads more than some hundreds, and a text index only slows down.
pub const MAX_WORDS: usize = 1000;

/// Longest question in bytes: what has no blanks is one word, and is cut into many.
pub const MAX_BYTES: usize = 16_384;

/// A question ready to be searched.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// As it was asked, without white space at either end.
    pub asked: String,
    /// What is sought: as it was asked, without operators.
    pub text: String,
    /// What is embedded: what is sought, with misspelled words put right.
    pub embedded: String,
    /// All words of what is embedded, in every form.
    pub spoken: Vec<Token>,
    /// Its telling words, each once, in order, and other ways to write them.
    pub words: Vec<Token>,
    /// What a passage must hold, and what not.
    pub clauses: Vec<Clause>,
    /// Facet and value of each filter, in order.
    pub filters: Vec<(Facet, String)>,
    /// Words that were taken for others.
    pub corrections: Vec<Correction>,
}

/// A word that no guide holds, and what it was taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// As it was asked.
    pub written: String,
    /// Words of the guides, the likeliest first; never empty.
    pub meant: Vec<String>,
}

/// A question that cannot be searched.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum QuestionError {
    /// Nothing, or nothing but signs.
    #[error("the question is empty; ask something, for example \"what is an error budget?\"")]
    Empty,
    /// Nothing but exclusions and filters.
    #[error(
        "the question says what to leave out or where to look, but not what to look for; add words, for example `containers -docker`"
    )]
    NothingSought,
    /// More than anybody asks.
    #[error(
        "the question has {words} words, at most {MAX_WORDS} can be searched; shorten it, or save the text as a guide and index it"
    )]
    TooLong {
        /// Number of its words.
        words: usize,
    },
    /// Few words that go on for ever.
    #[error(
        "the question has {bytes} bytes, at most {MAX_BYTES} can be searched; shorten it, or save the text as a guide and index it"
    )]
    TooLarge {
        /// Its length in UTF-8.
        bytes: usize,
    },
}

impl Question {
    /// Takes operators out of a question and cuts it into words.
    ///
    /// # Errors
    /// A question that is empty, looks for nothing, or has more than [`MAX_WORDS`] words or [`MAX_BYTES`] bytes.
    pub fn new(asked: &str) -> Result<Question, QuestionError> {
        let asked = asked.trim();
        if !asked.chars().any(char::is_alphanumeric) {
            return Err(QuestionError::Empty);
        }
        let count = asked.split_whitespace().count();
        if count > MAX_WORDS {
            return Err(QuestionError::TooLong { words: count });
        }
        if asked.len() > MAX_BYTES {
            return Err(QuestionError::TooLarge { bytes: asked.len() });
        }
        let parsed = parse(asked);
        if !parsed.text.chars().any(char::is_alphanumeric) {
            return Err(QuestionError::NothingSought);
        }
        let spoken = analyze(&parsed.text);
        Ok(Question {
            asked: asked.to_owned(),
            words: telling(&parsed.text, &spoken),
            spoken,
            embedded: parsed.text.clone(),
            text: parsed.text,
            clauses: parsed.clauses,
            filters: parsed.filters,
            corrections: Vec::new(),
        })
    }

    /// The question as an index understands it: words that neither a guide nor the model's tokenizer holds are taken for
    /// those they resemble, and abbreviations that guides define for what they stand for.
    ///
    /// # Errors
    /// tantivy's.
    pub fn understood_by(
        mut self,
        snapshot: &Snapshot,
        embedder: Option<&dyn Embed>,
    ) -> Result<Question, IndexError> {
        let words: Vec<Token> = self.words.iter().filter(|word| word.form == Form::Word).cloned().collect();
        // From the last to the first: what is replaced moves what follows.
        for word in words.iter().rev() {
            let written = &self.text[word.start..word.end];
            // In this order: the guides hold nearly every word, and asking the tokenizer takes longer.
            let is_right = snapshot.holds_word(written)
                || is_acronym(written)
                || embedder.is_some_and(|embedder| is_known(written, embedder));
            if is_right {
                continue;
            }
            let meant = snapshot.closest_words(written)?;
            let Some(likeliest) = meant.first() else { continue };
            self.embedded.replace_range(word.start..word.end, likeliest);
            let terms = meant.iter().flat_map(|meant| analyze(meant)).map(|token| token.term);
            self.words.extend(terms.map(|term| Token { term, form: Form::Correction, ..word.clone() }));
            self.corrections.insert(0, Correction { written: written.to_owned(), meant });
        }
        let expansions = self.expansions(snapshot);
        self.words.extend(expansions);
        if !self.corrections.is_empty() {
            self.spoken = analyze(&self.embedded);
        }
        snapshot.sound()?;
        Ok(self)
    }

    /// What the question's abbreviations stand for, and how what it says is abbreviated.
    fn expansions(&self, snapshot: &Snapshot) -> Vec<Token> {
        // Not yet put right: it stands in what is sought.
        let written: Vec<&Token> = self.spoken.iter().filter(|token| token.form == Form::Word).collect();
        let mut expansions = Vec::new();
        for abbreviation in snapshot.abbreviations() {
            let expansion = |term: &str, first: &Token, last: &Token| Token {
                term: term.to_owned(),
                start: first.start,
                end: last.end,
                form: Form::Expansion,
            };
            let is_short = |token: &&&Token| {
                let text = &self.text[token.start..token.end];
                token.term == abbreviation.short_term
                    && (text == abbreviation.short || !FUNCTION_WORDS.contains(&text.to_lowercase().as_str()))
            };
            if let Some(short) = written.iter().find(is_short) {
                expansions.push(expansion(&abbreviation.long_terms, short, short));
            }
            let long: Vec<&str> = abbreviation.long_terms.split(' ').collect();
            let is_long =
                |tokens: &&[&Token]| tokens.iter().map(|token| token.term.as_str()).eq(long.iter().copied());
            if let Some(long) = written.windows(long.len()).find(is_long) {
                expansions.push(expansion(&abbreviation.short_term, long[0], long[long.len() - 1]));
            }
        }
        expansions
    }

    /// Weighs the words by how telling each is in this index.
    pub(crate) fn weigh(&self, snapshot: &Snapshot) -> Weighed {
        let words = self.words.iter().filter(|word| word.form == Form::Word);
        Weighed { words: words.map(|word| self.weigh_word(word, snapshot)).collect() }
    }

    fn weigh_word(&self, word: &Token, snapshot: &Snapshot) -> WeighedWord {
        let with = |form: Form| self.words.iter().filter(move |token| token.form == form);
        let over = |form: Form| with(form).filter(|token| token.start <= word.start && word.end <= token.end);
        let split = |token: &Token| token.term.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let mut ways = vec![vec![word.term.clone()]];
        ways.extend([Form::Joined, Form::Correction, Form::Expansion].into_iter().flat_map(over).map(split));
        let inside = |token: &&Token| word.start <= token.start && token.end <= word.end;
        let parts: Vec<String> = with(Form::Part).filter(inside).map(|part| part.term.clone()).collect();
        if parts.len() > 1 {
            ways.push(parts);
        }
        let corrected = over(Form::Correction).map(|token| snapshot.idf(&token.term)).reduce(f32::max);
        WeighedWord { weight: corrected.unwrap_or_else(|| snapshot.idf(&word.term)), ways }
    }
}

/// Whether a word has capital letters in it: `MERN` and `SREs` are no words that somebody misspelled.
fn is_acronym(word: &str) -> bool {
    word.chars().skip(1).any(char::is_uppercase)
}

/// Whether the model's tokenizer has the word: that no guide holds `Swift` does not make it a misspelling of `shift`. A
/// tokenizer that cuts nothing apart knows no word from another.
fn is_known(word: &str, embedder: &dyn Embed) -> bool {
    match embedder.count_tokens(&["the", word, "zqxjvkw"])[..] {
        [one, of_word, of_nonsense] => of_word <= one && of_nonsense > one,
        _ => false,
    }
}

/// The telling ones of the words of a text, each once, in order; all of them where none is telling.
pub(crate) fn telling(text: &str, words: &[Token]) -> Vec<Token> {
    let mut seen = HashSet::new();
    let (words, variants): (Vec<&Token>, Vec<&Token>) =
        words.iter().partition(|token| token.form == Form::Word);
    let mut all: Vec<&Token> = words.into_iter().chain(variants).collect();
    all.retain(|token| seen.insert(token.term.as_str()));
    let is_telling =
        |token: &&&Token| !FUNCTION_WORDS.contains(&text[token.start..token.end].to_lowercase().as_str());
    let telling: Vec<Token> = all.iter().filter(is_telling).copied().cloned().collect();
    if telling.is_empty() { all.into_iter().cloned().collect() } else { telling }
}

/// A question's words with their weights in one index.
pub(crate) struct Weighed {
    words: Vec<WeighedWord>,
}

struct WeighedWord {
    weight: f32,
    /// The terms of each way to write the word, all of which a text that holds it has.
    ways: Vec<Vec<String>>,
}

impl Weighed {
    /// Share of the question's information that a text holds, in [0, 1]: each word counts by how telling it
    /// is in this index.
    pub(crate) fn coverage(&self, holds: impl Fn(&str) -> bool) -> f32 {
        let all: f32 = self.words.iter().map(|word| word.weight).sum();
        let is_held = |word: &&WeighedWord| word.ways.iter().any(|way| way.iter().all(|term| holds(term)));
        let held: f32 = self.words.iter().filter(is_held).map(|word| word.weight).sum();
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
