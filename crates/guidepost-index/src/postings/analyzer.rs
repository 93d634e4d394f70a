//! Words as the text index sees them: one way to cut and fold them, for guides, questions and highlighting alike.

use std::collections::HashSet;

use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RemoveLongFilter, Stemmer, TextAnalyzer, TextAnalyzerBuilder,
    Token as IndexToken, TokenFilter, TokenStream, Tokenizer, TokenizerManager,
};

use super::cut::{Cut, cut, is_accent};

/// Names how texts become words. An index whose postings were made in another way gets new ones with its next update.
pub(crate) const ANALYZER: &str = "words 2";

/// The words of a text, stemmed, in order.
pub(super) const WORDS: &str = "words";
/// Other ways to write them, stemmed.
pub(super) const VARIANTS: &str = "variants";
/// The words, not stemmed.
pub(super) const SPELLINGS: &str = "spellings";

/// Longest word in bytes; what is longer was no word.
const LONGEST: usize = 64;

/// A word as the text index sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Lower case, without accents, stemmed.
    pub term: String,
    /// First byte of the word in the text.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// Whether it stands there, or could.
    pub form: Form,
}

/// How a term relates to the text it was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// A word that stands there.
    Word,
    /// Words that stand there, written as one: `nodejs` for `Node.js`.
    Joined,
    /// A part of a word that stands there: `camel` of `camelCase`.
    Part,
    /// What a misspelled word of a question can have meant. Never from [`analyze`].
    Correction,
    /// What an abbreviation of a question stands for, or the abbreviation of what it says; several words with a space
    /// between them are a phrase. Never from [`analyze`].
    Expansion,
}

/// Cuts a text into words exactly as the index does, so that what matches can be found again in a text. In order; of
/// those that begin together the longest comes first.
pub fn analyze(text: &str) -> Vec<Token> {
    let cuts = cut(text);
    let forms: Vec<Form> = cuts.iter().map(|cut| cut.form).collect();
    // The same steps as those of the index, without a box around each: this runs many times for every question.
    let steps = AsciiFoldingFilter.transform(LowerCaser.transform(too_long().transform(Given(cuts))));
    let mut analyzer = stemmer().transform(steps);
    let mut stream = analyzer.token_stream(text);
    let mut tokens = Vec::with_capacity(forms.len());
    while stream.advance() {
        let token = stream.token_mut();
        let (term, form) = (std::mem::take(&mut token.text), forms[token.position]);
        tokens.push(Token { term, start: token.offset_from, end: token.offset_to, form });
    }
    tokens.sort_by_key(|token| (token.start, std::cmp::Reverse(token.end), token.form));
    tokens
}

/// The distinct words of a text as the index sees them, in every form.
pub fn terms(text: &str) -> HashSet<String> {
    analyze(text).into_iter().map(|word| word.term).collect()
}

/// A word in lower case and without accents, not stemmed.
pub(super) fn fold(word: &str) -> String {
    let mut analyzer = folded(|form| form == Form::Word).build();
    let mut stream = analyzer.token_stream(word);
    stream.next().map(|token| token.text.clone()).unwrap_or_default()
}

pub(super) fn tokenizers() -> TokenizerManager {
    let manager = TokenizerManager::new();
    manager.register(WORDS, stemmed(|form| form == Form::Word));
    manager.register(VARIANTS, stemmed(|form| form != Form::Word));
    manager.register(SPELLINGS, folded(|form| form == Form::Word).build());
    manager
}

fn stemmed(takes: fn(Form) -> bool) -> TextAnalyzer {
    folded(takes).filter_dynamic(stemmer()).build()
}

fn folded(takes: fn(Form) -> bool) -> TextAnalyzerBuilder {
    TextAnalyzer::builder(Cutter { takes })
        .filter_dynamic(too_long())
        .filter_dynamic(LowerCaser)
        .filter_dynamic(AsciiFoldingFilter)
}

fn too_long() -> RemoveLongFilter {
    RemoveLongFilter::limit(LONGEST)
}

fn stemmer() -> Stemmer {
    Stemmer::new(Language::English)
}

/// A text that was cut already.
#[derive(Clone)]
struct Given(Vec<Cut>);

impl Tokenizer for Given {
    type TokenStream<'a> = Cuts;

    fn token_stream<'a>(&'a mut self, _: &'a str) -> Cuts {
        Cuts { left: std::mem::take(&mut self.0).into_iter(), token: IndexToken::default() }
    }
}

/// Cuts a text and gives the forms that are wanted; their positions count them.
#[derive(Clone)]
struct Cutter {
    takes: fn(Form) -> bool,
}

impl Tokenizer for Cutter {
    type TokenStream<'a> = Cuts;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Cuts {
        let takes = self.takes;
        let cuts: Vec<Cut> = cut(text).into_iter().filter(|cut| takes(cut.form)).collect();
        Cuts { left: cuts.into_iter(), token: IndexToken::default() }
    }
}

/// What was cut, one by one.
struct Cuts {
    left: std::vec::IntoIter<Cut>,
    token: IndexToken,
}

impl TokenStream for Cuts {
    fn advance(&mut self) -> bool {
        let Some(cut) = self.left.next() else { return false };
        self.token.position = self.token.position.wrapping_add(1);
        (self.token.offset_from, self.token.offset_to) = (cut.start, cut.end);
        // tantivy folds letters that carry their accent; one that follows its letter is left out here.
        self.token.text.clear();
        self.token.text.extend(cut.text.chars().filter(|&c| !is_accent(c)));
        true
    }

    fn token(&self) -> &IndexToken {
        &self.token
    }

    fn token_mut(&mut self) -> &mut IndexToken {
        &mut self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let tokens = analyze(text);
        let shown = tokens.iter().map(|token| (token.term.as_str(), &text[token.start..token.end]));
        assert_eq!(shown.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn words_are_cut_as_they_are_indexed() {
        check(
            "Learning Résumés, quickly: CI/CD",
            &[
                ("learn", "Learning"),
                ("resum", "Résumés"),
                ("quick", "quickly"),
                ("cicd", "CI/CD"),
                ("ci", "CI"),
                ("cd", "CD"),
            ],
        );
        check("re\u{301}sume\u{301}s", &[("resum", "re\u{301}sume\u{301}s")]);
        check("Node.js", &[("nodej", "Node.js"), ("node", "Node"), ("js", "js")]);
    }

    #[test]
    fn names_are_the_same_however_they_are_written() {
        for spellings in [
            &["Node.js", "NodeJS", "nodejs"][..],
            &["scikit-learn", "scikit_learn", "ScikitLearn"],
            &["CI/CD", "CICD"],
            &["GPT-4", "GPT4"],
            &["Müller", "MUELLER"],
        ] {
            let common = spellings.iter().map(|text| terms(text)).reduce(|a, b| &a & &b);
            assert!(common.is_some_and(|common| !common.is_empty()), "{spellings:?}");
        }
        assert!(terms("C").is_disjoint(&terms("C++, C#")) && terms("C++").is_disjoint(&terms("C#")));
    }
}
