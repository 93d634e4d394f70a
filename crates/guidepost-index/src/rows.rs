//! A set of rows: what a filter lets through.

use crate::ChunkId;

/// Some of a generation's chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// One bit a row, lowest first.
    words: Vec<u64>,
}

impl Rows {
    /// None of so many rows.
    pub fn none(rows: usize) -> Self {
        Rows { words: vec![0; rows.div_ceil(64)] }
    }

    /// Adds a row. One beyond the number of rows is left out.
    pub fn insert(&mut self, id: ChunkId) {
        if let Some(word) = self.words.get_mut(id.0 as usize / 64) {
            *word |= 1 << (id.0 % 64);
        }
    }

    /// Whether a row is in the set.
    pub fn contains(&self, id: ChunkId) -> bool {
        self.words.get(id.0 as usize / 64).is_some_and(|word| word >> (id.0 % 64) & 1 == 1)
    }

    /// Number of rows in the set.
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether no row is in the set.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// Keeps the rows that are in the other set too.
    pub fn intersect(&mut self, other: &Rows) {
        let others = other.words.iter().copied().chain(std::iter::repeat(0));
        self.words.iter_mut().zip(others).for_each(|(word, other)| *word &= other);
    }

    /// The rows, lowest first.
    pub fn iter(&self) -> impl Iterator<Item = ChunkId> + '_ {
        let of_word = |(at, &word): (usize, &u64)| {
            (0..64u32).filter(move |bit| word >> bit & 1 == 1).map(move |bit| ChunkId(at as u32 * 64 + bit))
        };
        self.words.iter().enumerate().flat_map(of_word)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_set_of_rows_is_a_set(some in proptest::collection::btree_set(0u32..200, 0..80), others in proptest::collection::btree_set(0u32..200, 0..80)) {
            let rows = |ids: &BTreeSet<u32>| {
                let mut rows = Rows::none(200);
                ids.iter().for_each(|&id| rows.insert(ChunkId(id)));
                rows
            };
            let mut both = rows(&some);
            prop_assert_eq!((both.len(), both.is_empty()), (some.len(), some.is_empty()));
            both.intersect(&rows(&others));
            let expected: Vec<ChunkId> = some.intersection(&others).map(|&id| ChunkId(id)).collect();
            prop_assert_eq!(both.iter().collect::<Vec<_>>(), expected);
            prop_assert!((0..200).all(|id| both.contains(ChunkId(id)) == (some.contains(&id) && others.contains(&id))));
        }
    }
}
