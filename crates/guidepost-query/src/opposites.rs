//! Whether two clauses that otherwise agree stand on different sides: one denies what the other says, or takes the other word
//! of a pair of opposites.
//!
//! Knows words, not meanings: `hard to find` against `plentiful` it does not see.

use std::collections::BTreeSet;

use guidepost_index::{Form, analyze};

/// Words that turn a statement round.
const NEGATIONS: [&str; 13] = [
    "cannot", "hardly", "neither", "never", "no", "nobody", "none", "nor", "not", "nothing", "rarely",
    "seldom", "without",
];

/// Words that stand between a negation and what it denies.
const BETWEEN: [&str; 28] = [
    "a", "an", "any", "are", "as", "at", "be", "been", "by", "for", "has", "have", "in", "is", "it", "its",
    "of", "on", "so", "that", "the", "their", "this", "to", "was", "were", "will", "your",
];

/// Words behind a negation that make it none: `not only`.
const NO_DENIAL: [&str; 4] = ["just", "least", "only", "longer"];

/// Words that a negation reaches, those between included.
const REACH: usize = 4;

/// Share of the other words of a clause that the denied one must hold.
const AGREE: f32 = 0.6;

/// Pairs of which a statement is one or the other.
const OPPOSITES: [(&str, &str); 42] = [
    ("above", "below"),
    ("after", "before"),
    ("all", "some"),
    ("always", "never"),
    ("always", "sometimes"),
    ("allowed", "forbidden"),
    ("best", "worst"),
    ("better", "worse"),
    ("bigger", "smaller"),
    ("bottom", "top"),
    ("cheap", "expensive"),
    ("cheaper", "dearer"),
    ("common", "rare"),
    ("decrease", "increase"),
    ("decreases", "increases"),
    ("earlier", "later"),
    ("early", "late"),
    ("easier", "harder"),
    ("easy", "hard"),
    ("external", "internal"),
    ("faster", "slower"),
    ("fewer", "more"),
    ("first", "last"),
    ("free", "paid"),
    ("high", "low"),
    ("higher", "lower"),
    ("highest", "lowest"),
    ("inside", "outside"),
    ("larger", "smaller"),
    ("least", "most"),
    ("less", "more"),
    ("long", "short"),
    ("longer", "shorter"),
    ("mandatory", "optional"),
    ("maximum", "minimum"),
    ("often", "rarely"),
    ("often", "seldom"),
    ("optional", "required"),
    ("private", "public"),
    ("quick", "slow"),
    ("quicker", "slower"),
    ("stronger", "weaker"),
];

/// The words that tell that a clause says the opposite of another, the clause's own first; nothing stands for the one that does not
/// deny. What `elsewhere` says in the clause's way is not its opposite.
pub(crate) fn opposed(clause: &str, other: &str, elsewhere: &str) -> Option<(String, String)> {
    let (here, there) = (words(clause), words(other));
    let has = |words: &[Word], word: &str| words.iter().any(|held| held.written == word);
    let one_way = |a: &str, b: &str| has(&here, a) && !has(&there, a) && has(&there, b) && !has(&here, b);
    let pair = OPPOSITES.iter().find_map(|&(a, b)| match () {
        () if one_way(a, b) => Some((a, b)),
        () if one_way(b, a) => Some((b, a)),
        () => None,
    });
    if let Some((a, b)) = pair {
        return Some((a.to_owned(), b.to_owned()));
    }
    let whole = words(elsewhere);
    let denied =
        |word: &&Word| sides(&there, &word.term) == Some(word.denial.is_none()) && agree(&here, &there, word);
    let contrary =
        here.iter().filter(|word| sides(&here, &word.term) == Some(word.denial.is_some())).find(|word| {
            let said_so = whole
                .iter()
                .any(|held| held.term == word.term && held.denial.is_some() == word.denial.is_some());
            denied(word) && !said_so
        })?;
    let their = there.iter().find(|word| word.term == contrary.term).and_then(|word| word.denial.clone());
    Some((contrary.denial.clone().unwrap_or_default(), their.unwrap_or_default()))
}

/// Whether a term is denied in a clause, where it stands and always on one side.
fn sides(words: &[Word], term: &str) -> Option<bool> {
    let sides: BTreeSet<bool> =
        words.iter().filter(|word| word.term == term).map(|word| word.denial.is_some()).collect();
    sides.first().copied().filter(|_| sides.len() == 1)
}

/// Whether a clause holds most other words of another.
fn agree(here: &[Word], there: &[Word], but: &Word) -> bool {
    let told = |word: &&Word| word.term != but.term && !BETWEEN.contains(&word.written.as_str());
    let rest: Vec<&Word> = here.iter().filter(told).collect();
    let held = rest.iter().filter(|word| there.iter().any(|held| held.term == word.term)).count();
    !rest.is_empty() && held as f32 >= AGREE * rest.len() as f32
}

/// A word that is no negation.
struct Word {
    /// In lower case.
    written: String,
    term: String,
    /// What denies it.
    denial: Option<String>,
}

fn words(text: &str) -> Vec<Word> {
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '\'' | '’');
    let split = text.split(|c: char| !inside(c)).filter(|word| !word.is_empty());
    let written: Vec<String> = split.map(str::to_lowercase).collect();
    let (mut found, mut denial) = (Vec::new(), None);
    for (at, word) in written.iter().enumerate() {
        if is_negation(word) {
            let denies = written.get(at + 1).is_none_or(|next| !NO_DENIAL.contains(&next.as_str()));
            denial = denies.then_some((word.clone(), at));
            continue;
        }
        let skipped = BETWEEN.contains(&word.as_str());
        let by = denial.take_if(|_| !skipped).filter(|(_, from)| at - from <= REACH).map(|(by, _)| by);
        let term = analyze(word).into_iter().find(|token| token.form == Form::Word);
        let term = term.map_or_else(|| word.clone(), |token| token.term);
        found.push(Word { written: word.clone(), term, denial: by });
    }
    found
}

fn is_negation(word: &str) -> bool {
    NEGATIONS.contains(&word) || word.ends_with("n't") || word.ends_with("n’t")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sentence: &str, other: &str, expected: Option<(&str, &str)>) {
        let expected = expected.map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(opposed(sentence, other, other), expected, "{sentence} / {other}");
    }

    #[test]
    fn opposites_are_told() {
        check("Learn SQL after Python.", "Learn SQL before Python.", Some(("after", "before")));
        check("A degree is optional.", "A degree is required.", Some(("optional", "required")));
        check("A degree is not needed here.", "A degree is needed here.", Some(("not", "")));
        check("You need one.", "You don't need one.", Some(("", "don't")));
        check("The license sets no conditions.", "The license sets conditions.", Some(("no", "")));
    }

    #[test]
    fn what_says_the_same_is_none() {
        check("It is never free.", "It is not free.", None);
        check("More or less the same.", "Less than that, and more.", None);
        check("Learn SQL.", "Learn SQL before Python.", None);
        check("It is not only free.", "It is free.", None);
        check("Few want certificates.", "There is no certificate that teams want.", None);
        check("Roofs are not slate.", "Roofs are no slate, and walls of slate are not roofs.", None);
    }
}
