//! The best rows of a query over the postings, of all rows or of some.
//!
//! The filter works while tantivy walks: a row that is not let through never raises the bar below which whole blocks of
//! postings are skipped, so the best of the others are all found.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use tantivy::query::{Bm25StatisticsProvider, EnableScoring, Query};
use tantivy::{Score, Searcher};

use crate::placement::Placement;
use crate::{ChunkId, Rows};

/// The `limit` best chunks of those `within`, best first; ties by number. `parts` are the segments, each with its place in the
/// generation.
pub(crate) fn top_rows<'a>(
    parts: impl Iterator<Item = (&'a Searcher, &'a Placement)>,
    statistics: &dyn Bm25StatisticsProvider,
    query: &dyn Query,
    limit: usize,
    within: Option<&Rows>,
) -> tantivy::Result<Vec<(ChunkId, Score)>> {
    let mut best = Best { limit, heap: BinaryHeap::with_capacity(limit.min(1024) + 1) };
    for (searcher, placement) in parts {
        let weight = query.weight(EnableScoring::enabled_from_statistics_provider(statistics, searcher))?;
        for segment in searcher.segment_readers() {
            weight.for_each_pruning(best.bar(), segment, &mut |row, score| {
                if let Some(id) = placement.id_within(row, within) {
                    best.offer(Ranked { score, id });
                }
                best.bar()
            })?;
        }
    }
    let ranked = best.heap.into_sorted_vec();
    Ok(ranked.into_iter().map(|Reverse(ranked)| (ranked.id, ranked.score)).collect())
}

/// The best so far, the worst of them on top.
struct Best {
    limit: usize,
    heap: BinaryHeap<Reverse<Ranked>>,
}

impl Best {
    fn offer(&mut self, ranked: Ranked) {
        self.heap.push(Reverse(ranked));
        if self.heap.len() > self.limit {
            self.heap.pop();
        }
    }

    /// Only scores above can still matter. Equals can: the next segment may hold a chunk of a lower number.
    fn bar(&self) -> Score {
        match self.heap.peek() {
            Some(Reverse(worst)) if self.heap.len() >= self.limit => worst.score.next_down(),
            _ => Score::MIN,
        }
    }
}

/// A row with its score: higher is better, then the lower row.
#[derive(Clone, Copy, PartialEq)]
struct Ranked {
    score: Score,
    id: ChunkId,
}

impl Eq for Ranked {}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.score.total_cmp(&other.score).then(other.id.cmp(&self.id))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use crate::postings::Postings;
    use crate::{ChunkId, Rows, StoredChunk, analyze};

    const WORDS: [&str; 12] = [
        "loom", "warp", "weft", "dye", "madder", "indigo", "wool", "silk", "spindle", "shuttle", "bobbin",
        "thread",
    ];

    /// A chunk whose words follow from its row; those of low number are frequent, and rows repeat after a while.
    fn chunk(row: usize) -> StoredChunk {
        let repeated = row % 1900;
        let word = |at: usize| WORDS[(repeated * 7 + at * at * 5 + repeated / 11) % WORDS.len().min(at + 3)];
        let text = (0..5 + repeated % 17).map(word).collect::<Vec<_>>().join(" ");
        let mut chunk = StoredChunk::for_tests(&text);
        word(repeated % 5).clone_into(&mut chunk.chunk.context);
        chunk
    }

    #[test]
    fn a_filter_within_the_search_finds_what_filtering_all_rows_finds() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // More rows than a block of postings holds, so that blocks are skipped.
        let chunks: Vec<StoredChunk> = (0..2500).map(chunk).collect();
        let postings = Postings::for_tests(folder.path(), &chunks, &[]);
        let asked = proptest::collection::btree_set(0..WORDS.len(), 1..5);
        let allowed = prop_oneof![
            proptest::collection::btree_set(0u32..2500, 0..40),
            proptest::collection::btree_set(0u32..2500, 0..2500),
        ];
        proptest!(|(asked in asked, allowed in allowed, limit in 1usize..30)| {
            let words = analyze(&asked.iter().map(|&word| WORDS[word]).collect::<Vec<_>>().join(" "));
            let mut within = Rows::none(chunks.len());
            allowed.iter().for_each(|&row| within.insert(ChunkId(row)));
            let all = postings.search(&words, chunks.len(), None).expect("sound");
            let of_all = |limit: usize| {
                let allowed = all.iter().filter(|(id, _)| within.contains(*id));
                allowed.take(limit).copied().collect::<Vec<_>>()
            };
            check(&postings.search(&words, limit, Some(&within)).expect("sound"), &of_all(limit), &of_all(2500))?;
            check(&postings.search(&words, limit, None).expect("sound"), &all[..limit.min(all.len())], &all)?;
        });
    }

    /// Scores are sums of as many numbers as there are words, in an order that tantivy chooses.
    fn check(
        found: &[(ChunkId, f32)],
        expected: &[(ChunkId, f32)],
        all: &[(ChunkId, f32)],
    ) -> Result<(), TestCaseError> {
        let near = |a: f32, b: f32| (a - b).abs() < 1e-4;
        prop_assert_eq!(found.len(), expected.len());
        let ids: BTreeSet<ChunkId> = found.iter().map(|(id, _)| *id).collect();
        prop_assert_eq!(ids.len(), found.len());
        for (found, expected) in found.iter().zip(expected) {
            prop_assert!(near(found.1, expected.1), "{:?} {:?}", found, expected);
            prop_assert!(
                all.iter().any(|(id, score)| *id == found.0 && near(*score, found.1)),
                "{:?}",
                found
            );
        }
        Ok(())
    }
}
