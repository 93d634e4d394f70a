//! Numbers, names and titles of a sentence that stand in none of the sources.

use guidepost_index::{Form, analyze};

use super::Fault;
use super::evidence::Evidence;
use super::sentence::{Claim, is_name};

/// Words that stand in titles in small letters. Others, such as `and`, stand between names more often.
const TITLE_JOINS: [&str; 2] = ["of", "the"];

/// Words of the source between those of a name: initials, `exam`, `by`.
const BETWEEN: usize = 3;

/// All of them, as faults.
pub(super) fn unfounded(claim: &Claim<'_>, sources: &[&Evidence]) -> Vec<Fault> {
    let mut faults = numbers(claim, sources);
    let names = names(claim, sources);
    let titles = titles(claim, sources);
    let codes = codes(claim.text).into_iter().filter(|code| !is_held(code, sources) && !names.contains(code));
    faults.extend(names.iter().copied().chain(codes).map(|name| Fault::Name(name.to_owned())));
    faults.extend(titles.into_iter().map(Fault::Title));
    faults
}

fn numbers(claim: &Claim<'_>, sources: &[&Evidence]) -> Vec<Fault> {
    let known = || sources.iter().flat_map(|source| &source.numbers);
    let unknown = claim.numbers.iter().filter(|number| !known().any(|value| number.agrees(*value)));
    let written = |at: usize| claim.text[at..].split_whitespace().next().unwrap_or_default();
    let bare = |word: &str| word.trim_end_matches(['.', ',', ';', ':', ')', '!', '?', '"', '”']).to_owned();
    unknown.map(|number| Fault::Number(bare(written(number.at)))).collect()
}

/// Words that are written as names, of which no form stands in the sources.
fn names<'a>(claim: &Claim<'a>, sources: &[&Evidence]) -> Vec<&'a str> {
    let held = |term: &str| sources.iter().any(|source| source.terms.contains(term));
    let mut unknown = Vec::new();
    for (at, word) in claim.plain().enumerate() {
        let forms = claim.words.iter().filter(|form| word.start <= form.start && form.end <= word.end);
        let written = claim.written(word);
        let known = forms.map(|form| form.term.as_str()).any(held) || abbreviated(written).is_some_and(held);
        if is_name(written, at == 0) && !known {
            unknown.push(written);
        }
    }
    unknown
}

/// Names that end in a number, such as `GPT-4` and `AZ-104`: each half may well stand in the sources without the other.
fn codes(text: &str) -> Vec<&str> {
    let parts = text.split(|c: char| c.is_whitespace() || "/,()".contains(c));
    let bare = parts.map(|part| part.trim_matches(|c: char| !c.is_alphanumeric()));
    let is_code = |part: &&str| {
        let is_named = part.starts_with(char::is_uppercase);
        is_named && part.contains(['-', '_']) && part.contains(|c: char| c.is_ascii_digit())
    };
    bare.filter(is_code).collect()
}

fn is_held(code: &str, sources: &[&Evidence]) -> bool {
    let words: Vec<_> = analyze(code).into_iter().filter(|word| word.form == Form::Word).collect();
    let terms: Vec<&str> = words.iter().map(|word| word.term.as_str()).collect();
    sources.iter().any(|source| source.holds_together(&terms, 0))
}

/// A month as tables write it.
fn abbreviated(word: &str) -> Option<&'static str> {
    const MONTHS: [(&str, &str); 11] = [
        ("January", "jan"),
        ("February", "feb"),
        ("March", "mar"),
        ("April", "apr"),
        ("June", "jun"),
        ("July", "jul"),
        ("August", "aug"),
        ("September", "sep"),
        ("October", "oct"),
        ("November", "nov"),
        ("December", "dec"),
    ];
    MONTHS.iter().find(|(month, _)| *month == word).map(|(_, short)| *short)
}

/// Names of several words and quoted words that stand in the sources, but nowhere together.
fn titles(claim: &Claim<'_>, sources: &[&Evidence]) -> Vec<String> {
    let held = |term: &str| sources.iter().any(|source| source.terms.contains(term));
    let together = |terms: &[&str]| sources.iter().any(|source| source.holds_together(terms, BETWEEN));
    // Where a word of it stands nowhere, that word is told.
    let is_torn = |terms: &[&str]| terms.len() > 1 && terms.iter().all(|term| held(term)) && !together(terms);
    let names = claim.names(&TITLE_JOINS).into_iter().filter(|name| is_torn(&name.terms));
    let named = names.map(|name| name.span.of(claim.text).to_owned());
    let quoted = quotations(claim.text).into_iter().filter(|quoted| {
        let words: Vec<_> = analyze(quoted).into_iter().filter(|word| word.form == Form::Word).collect();
        words.len() > 1 && !together(&words.iter().map(|word| word.term.as_str()).collect::<Vec<_>>())
    });
    named.chain(quoted.map(str::to_owned)).collect()
}

/// What stands between marks of quotation or emphasis.
fn quotations(text: &str) -> Vec<&str> {
    const MARKS: [(char, char); 3] = [('"', '"'), ('“', '”'), ('*', '*')];
    let mut found = Vec::new();
    for (open, close) in MARKS {
        let mut rest = text;
        while let Some((_, after)) = rest.split_once(open)
            && let Some((quoted, after)) = after.split_once(close)
        {
            found.push(quoted);
            rest = after;
        }
    }
    found
}
