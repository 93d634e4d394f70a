//! Whether sources support a sentence that a language model wrote.
//!
//! ```text
//! source --Pieces--> Evidence --+
//!                               +--Likeness--> score, then what speaks against it: Faults
//! sentence ----------> Claim ---+
//! ```
//!
//! Three looks, of which each finds what the others do not: whether the source says such a thing at all (cosines of the sentence,
//! and of each of its words); whether numbers, names and titles stand there as they are; and whether what stands there is said of
//! the same thing, and not denied. Weights and thresholds were chosen on half of labeled pairs and are reported on the other:
//! `benches/results/support.md`. Does not understand: a changed meaning in changed words passes where the subject is the same.

mod evidence;
mod likeness;
mod pieces;
mod places;
mod sentence;
mod standing;

use guidepost_index::Token;
use guidepost_text::{Embed, EmbedError};

use crate::opposites::opposed;
use crate::sources::Source;
use evidence::{Evidence, Part};
use likeness::{Likeness, mean_of};
use sentence::Claim;

/// What speaks against a sentence.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// It cites nothing.
    Uncited,
    /// It cites a source that there is not.
    NoSource(usize),
    /// What it cites does not say that.
    NotSaid,
    /// A number that stands in nothing that it cites, as it is written.
    Number(String),
    /// A name that stands in nothing that it cites, as it is written.
    Name(String),
    /// A name of several words, or quoted words, that stand nowhere together in what it cites.
    Title(String),
    /// A number or name that what it cites tells of something else, such as another row of a table.
    Misplaced(String),
    /// Two words that what it cites says of one thing, and the sentence of two.
    Swapped(String, String),
    /// What it cites says the opposite; the two words that tell, the sentence's first. Nothing for a side that denies nothing.
    Opposite(String, String),
}

/// How well a sentence is supported.
#[derive(Debug, Clone, PartialEq)]
pub struct Support {
    /// Chance that what it cites says such a thing, in [0, 1], whatever the faults are; 0 where it cites nothing.
    pub score: f32,
    /// From which that was made.
    pub signals: SupportSignals,
    /// Nothing for a sentence that is supported.
    pub faults: Vec<Fault>,
}

/// What a sentence and its sources have in common.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SupportSignals {
    /// Mean over the telling words of the best cosine with any token of the sources, in [-1, 1].
    pub words: f32,
    /// Mean of the least quarter of them: the words that the sources answer worst.
    pub weakest: f32,
    /// Share of the telling words that the sources hold, in [0, 1]. Weighs nothing: beside the others it brought nothing.
    pub coverage: f32,
}

/// Score from which a sentence counts as supported.
pub const SUPPORTED: f32 = 0.5;

/// Weights of a logistic regression, and its intercept last; see `benches/results/support.md`.
const WEIGHTS: [f32; 3] = [8.5, 9.2, -6.0];

/// How well a clause must fit a part of the sources that is to deny it, as a mean of cosines.
const SAME_MATTER: f32 = 0.65;

/// Sources, ready for sentences to be held against them.
pub struct Grounds<'a> {
    embedder: &'a dyn Embed,
    sources: Vec<Evidence>,
}

impl<'a> Grounds<'a> {
    /// Makes sources ready: a forward pass over all of them.
    ///
    /// # Errors
    /// A model that fails.
    pub fn new(embedder: &'a dyn Embed, sources: &[Source]) -> Result<Grounds<'a>, EmbedError> {
        let made = sources.iter().map(|source| Evidence::new(embedder, source));
        Ok(Grounds { embedder, sources: made.collect::<Result<_, _>>()? })
    }

    /// Holds a sentence, without its marks of citation, against the sources that it cites by number. Numbers, names and titles of
    /// one that cites none are held against all of them.
    ///
    /// # Errors
    /// A model that fails.
    pub fn check(&self, sentence: &str, cited: &[usize]) -> Result<Support, EmbedError> {
        let mut claim = Claim::new(self.embedder, sentence)?;
        let known = |number: &&usize| self.sources.iter().any(|source| source.number == **number);
        let missing = cited.iter().filter(|number| !known(number));
        let mut faults: Vec<Fault> = missing.map(|number| Fault::NoSource(*number)).collect();
        let all: Vec<&Evidence> = self.sources.iter().collect();
        let cited: Vec<&Evidence> =
            all.iter().copied().filter(|source| cited.contains(&source.number)).collect();
        if cited.is_empty() {
            faults.extend(faults.is_empty().then_some(Fault::Uncited));
            faults.extend(standing::unfounded(&claim, &all));
            return Ok(Support { score: 0.0, signals: SupportSignals::default(), faults });
        }
        let named = |word: &Token| cited.iter().any(|source| source.holds_name(&word.term));
        let begins_with_name = claim.plain().next().is_some_and(named);
        claim.begins_with_name = begins_with_name;
        let likeness = Likeness::new(&claim, &cited);
        let signals = SupportSignals::of(&claim, &cited, &likeness);
        let score = signals.score();
        faults.extend((score < SUPPORTED).then_some(Fault::NotSaid));
        faults.extend(standing::unfounded(&claim, &cited));
        faults.extend(places::misplaced(&claim, &likeness));
        faults.extend(swapped(&claim, &cited));
        faults.extend(opposite(&claim, &cited, &likeness));
        Ok(Support { score, signals, faults })
    }
}

impl SupportSignals {
    fn of(claim: &Claim<'_>, cited: &[&Evidence], likeness: &Likeness<'_>) -> SupportSignals {
        let held = |term: &str| cited.iter().any(|source| source.terms.contains(term));
        let covered = claim.telling.iter().filter(|word| held(&word.term)).count();
        let mut best = likeness.anywhere();
        best.sort_by(f32::total_cmp);
        let all: Vec<usize> = (0..best.len()).collect();
        SupportSignals {
            words: mean_of(&best, &all),
            weakest: mean_of(&best, &all[..(best.len() / 4).max(1).min(best.len())]),
            coverage: covered as f32 / claim.telling.len().max(1) as f32,
        }
    }

    fn score(&self) -> f32 {
        let [words, weakest, intercept] = WEIGHTS;
        let sum = words * self.words + weakest * self.weakest + intercept;
        1.0 / (1.0 + (-sum).exp())
    }
}

fn swapped(claim: &Claim<'_>, cited: &[&Evidence]) -> Option<Fault> {
    let kinds: [fn(&Evidence) -> &Vec<Part>; 2] = [|source| &source.clauses, |source| &source.segments];
    kinds.iter().find_map(|parts| {
        let parts: Vec<&Part> = cited.iter().flat_map(|source| parts(source)).collect();
        places::swapped(claim, &parts)
    })
}

/// A clause of which the part of the sources that is nearest to it says the opposite.
fn opposite(claim: &Claim<'_>, cited: &[&Evidence], likeness: &Likeness<'_>) -> Option<Fault> {
    /// Of fewer it cannot be said where they belong.
    const TELLING_WORDS: usize = 2;
    let segments = likeness.of_parts(|source| &source.segments);
    let elsewhere = cited.iter().map(|source| source.text.as_str()).collect::<Vec<_>>().join("\n");
    claim.clauses(&["and", "because", "but", "since", "whereas", "while"]).into_iter().find_map(|clause| {
        let words = claim.telling_in(clause);
        let near = segments.iter().map(|(part, best)| (*part, mean_of(best, &words)));
        let (part, fits) = near.max_by(|a, b| a.1.total_cmp(&b.1))?;
        if words.len() < TELLING_WORDS || fits < SAME_MATTER {
            return None;
        }
        let (one, other) = opposed(clause.of(claim.text), &part.text, &elsewhere)?;
        Some(Fault::Opposite(one, other))
    })
}

#[cfg(test)]
mod tests {
    use guidepost_text::{HashEmbedder, Lines};

    use super::*;

    fn source(number: usize, text: &str) -> Source {
        Source {
            number,
            hit: number - 1,
            lines: Lines { first: 1, last: 1 },
            heading_path: vec!["Roofer".to_owned()],
            text: text.to_owned(),
        }
    }

    #[track_caller]
    fn check(sentence: &str, cited: &[usize], expected: &[Fault]) {
        let sources = [
            source(
                1,
                "A roofer covers houses with slate. Training at Slate Academy takes three years and costs $1,200.",
            ),
            source(2, "A mason builds walls before the roof is laid."),
        ];
        let evidence = Grounds::new(&HashEmbedder, &sources).expect("it cannot fail");
        let support = evidence.check(sentence, cited).expect("it cannot fail");
        assert_eq!(support.faults, expected, "{sentence}: {support:?}");
    }

    #[test]
    fn what_stands_there_is_supported() {
        check("A roofer covers houses with slate.", &[1], &[]);
        check("Training at Slate Academy takes 3 years and costs 1200.", &[1], &[]);
        check("A mason builds walls, and a roofer covers houses.", &[1, 2], &[]);
    }

    #[test]
    fn what_stands_elsewhere_is_told() {
        let rows = [
            "Stone | Life | Seller",
            "--- | --- | ---",
            "Welsh slate | 90 years | Penrhyn Works",
            "Clay tile | 50 years | Dreadnought Works",
        ];
        let table = rows.map(|row| format!("| {row} |")).join("\n");
        let check = |sentence: &str, expected: &[Fault]| {
            let grounds = Grounds::new(&HashEmbedder, &[source(1, &table)]).expect("it cannot fail");
            let support = grounds.check(sentence, &[1]).expect("it cannot fail");
            assert_eq!(support.faults, expected, "{sentence}: {support:?}");
        };
        check("Welsh slate has a life of 90 years, its seller is Penrhyn Works.", &[]);
        check("Welsh slate has a life of 50 years.", &[Fault::Misplaced("50".to_owned())]);
        let title = Fault::Title("Penrhyn Dreadnought".to_owned());
        check("Welsh slate has a life of 90 years, its seller is Penrhyn Dreadnought.", &[title]);
    }

    #[test]
    fn what_does_not_is_told() {
        check("A roofer covers houses with slate.", &[], &[Fault::Uncited]);
        check("A roofer covers houses with slate.", &[3], &[Fault::NoSource(3)]);
        let (five, academy) = (Fault::Number("5".to_owned()), Fault::Name("Thatch".to_owned()));
        check("At Thatch Academy it takes 5 years.", &[], &[Fault::Uncited, five, academy]);
        check("Bakers knead dough at night in warm cellars.", &[1], &[Fault::NotSaid]);
        let four = Fault::Number("four".to_owned());
        check("Training at Slate Academy takes four years and costs $1,200.", &[1], &[four]);
        let academy = Fault::Name("Thatch".to_owned());
        check("Training at Thatch Academy takes three years and costs $1,200.", &[1], &[academy]);
        let opposite = Fault::Opposite("after".to_owned(), "before".to_owned());
        check("A mason builds walls after the roof is laid.", &[2], &[opposite]);
    }
}
