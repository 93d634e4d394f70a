//! Numbers and names that stand in the sources, but with something else than in the sentence: in another row of a table, in
//! another item of a list, on the other side of a comparison.

use guidepost_text::Span;

use super::Fault;
use super::evidence::Part;
use super::likeness::{Likeness, mean_of};
use super::sentence::Claim;

/// How much better the rest of the sentence must fit a part without the name than any part with it, as a mean of cosines.
const MISPLACED: f32 = 0.2;

/// By how much less a clause leaves open where it belongs.
const UNDECIDED: f32 = 0.05;

/// How well it must fit there.
const FITS: f32 = 0.6;

/// A number or name of the sentence.
struct Anchor<'a> {
    span: Span,
    standing: Standing<'a>,
}

enum Standing<'a> {
    Value(f64),
    Terms(Vec<&'a str>),
}

impl Standing<'_> {
    fn stands_in(&self, part: &Part) -> bool {
        match self {
            Standing::Value(value) => part.numbers.contains(value),
            Standing::Terms(terms) => terms.iter().all(|term| part.terms.contains(*term)),
        }
    }

    /// Whether a part names another one of its kind, of which the sentence knows nothing.
    fn has_rival_in(&self, part: &Part, claim: &Claim<'_>) -> bool {
        match self {
            Standing::Value(_) => {
                part.numbers.iter().any(|value| claim.numbers.iter().all(|number| !number.agrees(*value)))
            }
            Standing::Terms(_) => {
                part.names.iter().any(|name| claim.words.iter().all(|word| word.term != *name))
            }
        }
    }
}

/// Numbers and names of which the sources say something else than the sentence does.
pub(super) fn misplaced(claim: &Claim<'_>, likeness: &Likeness<'_>) -> Vec<Fault> {
    let stands = |value: f64| {
        likeness.sources().iter().flat_map(|source| &source.values).any(|(known, _)| *known == value)
    };
    let known = claim.numbers.iter().filter(|number| stands(number.value));
    let numbers = known.map(|number| Anchor {
        span: Span {
            start: number.at,
            end: claim.text[number.at..].find(' ').map_or(claim.text.len(), |l| number.at + l),
        },
        standing: Standing::Value(number.value),
    });
    let names = claim.names(&[]);
    let names =
        names.iter().map(|name| Anchor { span: name.span, standing: Standing::Terms(name.terms.clone()) });
    let kinds = [likeness.of_parts(|source| &source.blocks), likeness.of_parts(|source| &source.segments)];
    let is_misplaced = |anchor: &Anchor<'_>| {
        kinds.iter().any(|parts| is_elsewhere(claim, anchor, parts))
            || has_rival_before(claim, anchor, likeness)
    };
    let faults = names.chain(numbers).filter(is_misplaced);
    let bare =
        |span: Span| span.of(claim.text).trim_end_matches(['.', ',', ';', ':', ')', '!', '?']).to_owned();
    faults.map(|anchor| Fault::Misplaced(bare(anchor.span))).collect()
}

/// Whether what the sentence says of an anchor stands in one part, and the anchor in others only.
fn is_elsewhere(claim: &Claim<'_>, anchor: &Anchor<'_>, parts: &[(&Part, Vec<f32>)]) -> bool {
    let around = words_around(claim, anchor.span);
    let clause = claim.clauses(&["and", "but", "whereas", "while"]);
    let clause =
        clause.into_iter().find(|clause| clause.start <= anchor.span.start && anchor.span.start < clause.end);
    let near: Vec<usize> = clause.map_or_else(Vec::new, |clause| claim.telling_in(clause));
    let near: Vec<usize> = near.into_iter().filter(|word| around.contains(word)).collect();
    let near = if near.is_empty() { around.clone() } else { near };
    // Of two clauses each may come from another part of the source: the clause must not speak for the anchor where it stands.
    let whole = fit(anchor, parts, &around);
    let clause = fit(anchor, parts, &near);
    whole.zip(clause).is_some_and(|(whole, clause)| {
        let is_rival = whole.without >= FITS && anchor.standing.has_rival_in(whole.best_without, claim);
        whole.margin > MISPLACED && clause.margin > -UNDECIDED && is_rival
    })
}

/// How words fit the parts with and without an anchor.
struct Fit<'a> {
    best_without: &'a Part,
    /// Mean of cosines with that part.
    without: f32,
    /// How much better that is than the best with the anchor.
    margin: f32,
}

/// `None` where the anchor stands in all parts or in none.
fn fit<'a>(anchor: &Anchor<'_>, parts: &[(&'a Part, Vec<f32>)], words: &[usize]) -> Option<Fit<'a>> {
    let scored = parts.iter().map(|(part, best)| (*part, mean_of(best, words)));
    let (with, without): (Vec<_>, Vec<_>) = scored.partition(|(part, _)| anchor.standing.stands_in(part));
    let best = |of: Vec<(&'a Part, f32)>| of.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
    let (best_without, without) = best(without)?;
    let (_, with) = best(with)?;
    Some(Fit { best_without, without, margin: without - with })
}

/// Whether the words behind a number stand, in the sources, behind another number, and nowhere behind this one: `60 percent fewer
/// parameters` of `40 percent fewer parameters and 60 percent more speed`.
fn has_rival_before(claim: &Claim<'_>, anchor: &Anchor<'_>, likeness: &Likeness<'_>) -> bool {
    /// Words behind a number that tell what it counts.
    const COUNTED: usize = 2;
    let Standing::Value(value) = anchor.standing else { return false };
    let behind = claim.telling.iter().filter(|word| word.start >= anchor.span.end).take(COUNTED);
    let counted: Vec<&str> = behind.map(|word| word.term.as_str()).collect();
    let numbers = || likeness.sources().iter().flat_map(|source| source.numbers_before(&counted));
    counted.len() == COUNTED && numbers().next().is_some() && numbers().all(|number| number != value)
}

/// The telling words other than the anchor's.
fn words_around(claim: &Claim<'_>, span: Span) -> Vec<usize> {
    let outside = |at: &usize| {
        let word = &claim.telling[*at];
        word.end <= span.start || span.end <= word.start
    };
    (0..claim.telling.len()).filter(outside).collect()
}

/// Two words that the sources say of one thing, and the sentence of two: of the words of two clauses, each stands in one place of the
/// sources only, and both clauses take from the same two places.
pub(super) fn swapped(claim: &Claim<'_>, parts: &[&Part]) -> Option<Fault> {
    let home = |word: &usize| {
        let term = &claim.telling[*word].term;
        let mut homes = (0..parts.len()).filter(|at| parts[*at].terms.contains(term));
        homes.next().filter(|_| homes.next().is_none())
    };
    let clauses: Vec<Vec<(usize, usize)>> = claim
        .clauses(&["but", "whereas", "while"])
        .into_iter()
        .map(|clause| {
            claim.telling_in(clause).into_iter().filter_map(|word| Some((home(&word)?, word))).collect()
        })
        .collect();
    for (at, one) in clauses.iter().enumerate() {
        for other in &clauses[at + 1..] {
            let shared = |(home, word): &(usize, usize)| {
                other.iter().find(|(place, _)| place == home).map(|(_, other)| (*home, *word, *other))
            };
            let mut shared = one.iter().filter_map(shared);
            let Some((place, word, with)) = shared.next() else { continue };
            if shared.any(|(other, ..)| other != place) {
                let written = |word: usize| claim.written(&claim.telling[word]).to_owned();
                return Some(Fault::Swapped(written(word), written(with)));
            }
        }
    }
    None
}
