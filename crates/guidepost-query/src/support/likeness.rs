//! How well each word of a sentence is answered by the words of a part of its sources.

use guidepost_index::Token;
use guidepost_text::Embedding;

use super::evidence::{Evidence, Part};
use super::sentence::Claim;

/// The cosines of a sentence's words with those of the sources that it cites.
pub(super) struct Likeness<'a> {
    claim: &'a Claim<'a>,
    sources: &'a [&'a Evidence],
    /// By source, telling word, piece of the word and token of the source.
    cosines: Vec<Vec<Vec<Vec<f32>>>>,
}

impl<'a> Likeness<'a> {
    pub(super) fn new(claim: &'a Claim<'a>, sources: &'a [&'a Evidence]) -> Likeness<'a> {
        let of_source = |source: &&Evidence| {
            let of_row = |row: &Embedding| source.tokens.iter().map(|(_, token)| token.cosine(row)).collect();
            let of_word = |rows: &Vec<Embedding>| rows.iter().map(of_row).collect();
            claim.rows.iter().map(of_word).collect()
        };
        Likeness { claim, sources, cosines: sources.iter().map(of_source).collect() }
    }

    pub(super) fn sources(&self) -> &[&Evidence] {
        self.sources
    }

    /// Of each telling word, with all sources.
    pub(super) fn anywhere(&self) -> Vec<f32> {
        let of_source = |at: usize| {
            let source = self.sources[at];
            self.best(at, 0..source.tokens.len(), |term| source.terms.contains(term))
        };
        let of_sources: Vec<Vec<f32>> = (0..self.sources.len()).map(of_source).collect();
        let best = |word: usize| of_sources.iter().map(|best| best[word]).reduce(f32::max).unwrap_or(0.0);
        (0..self.claim.telling.len()).map(best).collect()
    }

    /// Of each telling word, with each part of one kind.
    pub(super) fn of_parts(&self, parts: impl Fn(&'a Evidence) -> &'a [Part]) -> Vec<(&'a Part, Vec<f32>)> {
        let mut found = Vec::new();
        for (at, source) in self.sources.iter().enumerate() {
            for part in parts(source) {
                let tokens = &source.tokens;
                let first = tokens.partition_point(|(span, _)| span.start < part.span.start);
                let end = tokens.partition_point(|(span, _)| span.start < part.span.end);
                found.push((part, self.best(at, first..end, |term| part.terms.contains(term))));
            }
        }
        found
    }

    /// The best cosine of each telling word with some tokens, the mean over its pieces. Without tokens it is 1 or 0: the term
    /// stands there or not.
    fn best(&self, source: usize, tokens: std::ops::Range<usize>, holds: impl Fn(&str) -> bool) -> Vec<f32> {
        let best = |row: &Vec<f32>| row[tokens.clone()].iter().copied().reduce(f32::max).unwrap_or(0.0);
        let of_word = |(at, word): (usize, &Token)| match self.cosines[source]
            .get(at)
            .filter(|rows| !rows.is_empty())
        {
            Some(rows) => rows.iter().map(best).sum::<f32>() / rows.len() as f32,
            None => f32::from(u8::from(holds(&word.term))),
        };
        self.claim.telling.iter().enumerate().map(of_word).collect()
    }
}

/// The mean over some words; 0 over none.
pub(super) fn mean_of(best: &[f32], words: &[usize]) -> f32 {
    words.iter().map(|at| best[*at]).sum::<f32>() / words.len().max(1) as f32
}
