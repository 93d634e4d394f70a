//! What a question says beside its words: phrases that must be there, words that must not, and fields.
//!
//! `"error budget" -incident title:reliability tag:sre`. Whatever is not plainly one of these is text: a hyphen inside a word or
//! alone, a quotation mark without another, `note: ...`, `https://...`, `12:30`.

use guidepost_index::{Clause, TextField};

use crate::filter::Facet;

/// A question taken apart.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Parsed {
    /// What is sought, without operators. A question without any stays as it is.
    pub(crate) text: String,
    /// What a passage must hold and what not.
    pub(crate) clauses: Vec<Clause>,
    /// Facet and value of each filter.
    pub(crate) filters: Vec<(Facet, String)>,
}

pub(crate) fn parse(question: &str) -> Parsed {
    let mut parsed = Parsed::default();
    let mut rest = question;
    let mut at_start = true;
    while let Some(next) = rest.chars().next() {
        match Operator::parse(rest).filter(|_| at_start) {
            Some(operator) => {
                rest = &rest[operator.bytes..];
                parsed.take(operator);
                at_start = false;
            }
            None => {
                parsed.text.push(next);
                rest = &rest[next.len_utf8()..];
                at_start = next.is_whitespace() || next == '(';
            }
        }
    }
    parsed.text = parsed.text.trim().to_owned();
    parsed
}

/// What stands before a value, and the value.
struct Operator<'a> {
    /// `-` before it.
    is_excluded: bool,
    /// Before the colon.
    name: Option<&'a str>,
    value: &'a str,
    is_quoted: bool,
    /// Length of all of it.
    bytes: usize,
}

impl<'a> Operator<'a> {
    /// The operator that a text begins with.
    fn parse(text: &'a str) -> Option<Operator<'a>> {
        let after_sign = text.strip_prefix('-');
        let is_excluded = after_sign.is_some();
        let rest = after_sign.unwrap_or(text);
        let (name, value) = match rest.split_once(':').filter(|(name, _)| is_name(name)) {
            Some((name, value)) => (Some(name), value),
            None => (None, rest),
        };
        let (value, is_quoted, length) = match quoted(value) {
            Some(inner) => (inner, true, inner.len() + 2),
            None => {
                let word =
                    value.split_whitespace().next().filter(|_| !value.starts_with(char::is_whitespace))?;
                let word = word.trim_end_matches(['?', '!', ',', ';', ')']);
                (word, false, word.len())
            }
        };
        let bytes = text.len() - rest.len() + name.map_or(0, |name| name.len() + 1) + length;
        let operator = Operator { is_excluded, name, value, is_quoted, bytes };
        operator.is_meant().then_some(operator)
    }

    /// Whether it is an operator and no part of a sentence.
    fn is_meant(&self) -> bool {
        let is_filter = self.name.and_then(Facet::of_name).is_some();
        if is_filter {
            return !self.value.is_empty() && !self.is_excluded;
        }
        let letters = self.value.chars().filter(|c| c.is_alphanumeric()).count();
        let begins_a_word = self.value.starts_with(|c: char| c.is_alphabetic() || c == '.');
        // `-m` is a flag of some command.
        let excludes_a_word = self.is_excluded && begins_a_word && self.value.len() > 1;
        letters > 0 && (self.is_quoted || self.name.is_some() || excludes_a_word)
    }
}

/// Whether a field or a filter has this name.
fn is_name(name: &str) -> bool {
    Facet::of_name(name).is_some() || field(name).is_some()
}

fn field(name: &str) -> Option<TextField> {
    match name {
        "title" => Some(TextField::Title),
        "heading" => Some(TextField::Headings),
        "body" => Some(TextField::Body),
        _ => None,
    }
}

/// What stands between the quotation mark that a text begins with and the one that ends a word.
fn quoted(text: &str) -> Option<&str> {
    let inner =
        text.strip_prefix('"').filter(|inner| !inner.starts_with(|c: char| c == '"' || c.is_whitespace()))?;
    let closes = |&(at, _): &(usize, &str)| {
        let after = inner[at + 1..].chars().next();
        !inner[..at].ends_with(char::is_whitespace) && after.is_none_or(|c| !c.is_alphanumeric())
    };
    inner.match_indices('"').find(closes).map(|(at, _)| &inner[..at])
}

impl Parsed {
    fn take(&mut self, operator: Operator) {
        let Operator { is_excluded, name, value, .. } = operator;
        if let Some(facet) = name.and_then(Facet::of_name) {
            self.filters.push((facet, value.to_owned()));
            return;
        }
        if !is_excluded {
            self.text.push_str(value);
        }
        self.clauses.push(Clause { text: value.to_owned(), field: name.and_then(field), is_excluded });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The text, then `+` or `-` and the field before each clause, then the filters.
    #[track_caller]
    fn check(question: &str, expected: &str) {
        let parsed = parse(question);
        let clause = |clause: &Clause| {
            let sign = if clause.is_excluded { '-' } else { '+' };
            let field = clause.field.map_or(String::new(), |field| format!("{field:?}:"));
            format!(" | {sign}{field}{}", clause.text)
        };
        let clauses: String = parsed.clauses.iter().map(clause).collect();
        let filters: String =
            parsed.filters.iter().map(|(facet, value)| format!(" | {}={value}", facet.name())).collect();
        assert_eq!(format!("{}{clauses}{filters}", parsed.text), expected, "{question}");
    }

    #[test]
    fn operators_are_taken_out() {
        check("\"error budget\" -incident", "error budget | +error budget | -incident");
        check("what is an \"error budget\"?", "what is an error budget? | +error budget");
        check("containers -\"docker compose\" -podman", "containers | -docker compose | -podman");
        check("title:python heading:\"week one\"", "python week one | +Title:python | +Headings:week one");
        check("jobs -title:manager body:C++", "jobs  C++ | -Title:manager | +Body:C++");
        check(
            "salary tag:sql role:\"data analyst\" after:2024-01",
            "salary | tag=sql | role=data analyst | after=2024-01",
        );
        check("frameworks -.NET -C++", "frameworks | -.NET | -C++");
        check("which title:python?", "which python? | +Title:python");
    }

    #[test]
    fn plain_text_stays_as_it_is() {
        for text in [
            "scikit-learn or state-of-the-art",
            "a - b -- c - ",
            "-",
            "how tall is 5\" or 6\" of \"rain",
            "\"\" and \"?\"",
            "note: this, https://example.com/a?b=c at 12:30, C:\\guides",
            "Title: a book; tag : x; title: y",
            "git commit -m and -3 degrees, --force",
            "don't \"stop",
            "rock'n'roll -tag:sql",
        ] {
            check(text, text.trim());
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_taken_apart(text in "[ -~é\u{4e00}]{0,40}|([-\"a: ]|title|tag){0,12}") {
            let parsed = parse(&text);
            prop_assert!(parsed.text.len() <= text.len());
            if !text.contains('"') && !text.contains(':') && !text.contains('-') {
                prop_assert_eq!(parsed.text, text.trim());
            }
        }
    }
}
