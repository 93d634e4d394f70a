//! How much of what answers a question is in the chunks that are found, and how much else: the measures of Smith and
//! Troynikov 2024, "Evaluating Chunking Strategies for Retrieval".
//!
//! They speak of tokens; their program counts characters, and so does this one. Where a chunk is found twice over (windows that
//! overlap), precision and IoU count it twice, as theirs do.

use std::ops::Range;

/// Characters of a corpus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// Number of the corpus.
    pub corpus: usize,
    /// Characters, counted from 0.
    pub chars: Range<usize>,
}

/// What a chunker is worth for one question, each in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpanScores {
    /// Share of the references that was found.
    pub recall: f64,
    /// Share of what was found that is in the references.
    pub precision: f64,
    /// What was found of the references, by all that was found and all that was not.
    pub iou: f64,
}

/// Scores what was found for a question.
pub fn score(found: &[&Excerpt], references: &[Excerpt]) -> SpanScores {
    let hit = covered(found, references) as f64;
    let wanted: usize = references.iter().map(|reference| reference.chars.len()).sum();
    let all: usize = found.iter().map(|chunk| chunk.chars.len()).sum();
    let missed = union(references.to_vec()) as f64 - hit;
    let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    SpanScores {
        recall: share(hit, wanted as f64),
        precision: share(hit, all as f64),
        iou: share(hit, all as f64 + missed),
    }
}

/// Precision of a search that finds exactly the chunks with something of the references in them (precision omega), and
/// how many those are.
pub fn best_case(chunks: &[Excerpt], references: &[Excerpt]) -> (f64, usize) {
    let touches = |chunk: &&Excerpt| references.iter().any(|reference| overlap(chunk, reference).is_some());
    let found: Vec<&Excerpt> = chunks.iter().filter(touches).collect();
    let all: Vec<Excerpt> = found.iter().map(|&chunk| chunk.clone()).chain(references.to_vec()).collect();
    let whole = union(all);
    let precision = if whole > 0 { covered(&found, references) as f64 / whole as f64 } else { 0.0 };
    (precision, found.len())
}

/// Characters of the references that are in the chunks, each counted once.
fn covered(chunks: &[&Excerpt], references: &[Excerpt]) -> usize {
    let common = chunks.iter().flat_map(|chunk| references.iter().filter_map(|r| overlap(chunk, r)));
    union(common.collect())
}

fn overlap(a: &Excerpt, b: &Excerpt) -> Option<Excerpt> {
    let chars = a.chars.start.max(b.chars.start)..a.chars.end.min(b.chars.end);
    (a.corpus == b.corpus && chars.start < chars.end).then_some(Excerpt { corpus: a.corpus, chars })
}

/// Characters in any of the excerpts.
fn union(mut excerpts: Vec<Excerpt>) -> usize {
    excerpts.sort_by_key(|excerpt| (excerpt.corpus, excerpt.chars.start));
    let mut total = 0;
    let mut last: Option<(usize, usize)> = None;
    for Excerpt { corpus, chars } in excerpts {
        let from = match last {
            Some((same, end)) if same == corpus => chars.start.max(end),
            _ => chars.start,
        };
        total += chars.end.saturating_sub(from);
        let before = last.filter(|&(same, _)| same == corpus).map_or(0, |(_, end)| end);
        last = Some((corpus, chars.end.max(before)));
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(corpus: usize, start: usize, end: usize) -> Excerpt {
        Excerpt { corpus, chars: start..end }
    }

    #[test]
    fn scores_agree_with_the_definition() {
        let references = [excerpt(0, 10, 20), excerpt(0, 40, 50)];
        for (found, recall, precision, iou) in [
            (vec![excerpt(0, 10, 20), excerpt(0, 40, 50)], 1.0, 1.0, 1.0),
            (vec![excerpt(0, 0, 20)], 0.5, 0.5, 10.0 / 30.0),
            (vec![excerpt(0, 15, 45), excerpt(1, 0, 20)], 0.5, 0.2, 10.0 / 60.0),
            (vec![excerpt(0, 0, 30), excerpt(0, 10, 30)], 0.5, 0.2, 10.0 / 60.0),
            (vec![excerpt(0, 20, 40)], 0.0, 0.0, 0.0),
            (vec![], 0.0, 0.0, 0.0),
        ] {
            let scores = score(&found.iter().collect::<Vec<_>>(), &references);
            assert_eq!(scores, SpanScores { recall, precision, iou }, "{found:?}");
        }
    }

    #[test]
    fn the_best_case_takes_every_chunk_that_holds_something() {
        let chunks = [excerpt(0, 0, 20), excerpt(0, 20, 40), excerpt(0, 40, 60), excerpt(1, 0, 60)];
        assert_eq!(best_case(&chunks, &[excerpt(0, 10, 20), excerpt(0, 55, 65)]), (15.0 / 45.0, 2));
        assert_eq!(best_case(&chunks, &[excerpt(2, 0, 5)]), (0.0, 0));
    }
}
