//! Rows that are equal: one of them takes part in the graph, the others follow it in a chain.
//!
//! Guides repeat themselves (licenses, notes, navigation). A row with more copies than candidates would know only copies:
//! a walk that met one could not leave them, and could not find them all.

use crate::beam::NO_ROW;
use crate::row_distance::QuantizedRows;
use crate::{ChunkId, Rows};

pub(crate) struct Copies {
    /// The first of equal rows, and all that have no copies.
    pub(crate) distinct: Rows,
    /// Rows with the next of their copies, from the first on.
    chain: Vec<(u32, u32)>,
}

impl Copies {
    pub(crate) fn find(rows: &QuantizedRows) -> Self {
        let mut sorted: Vec<([u8; 8], u32)> =
            (0..rows.len() as u32).map(|row| (rows.digest(row), row)).collect();
        sorted.sort_unstable();
        let mut copies = Copies { distinct: Rows::none(rows.len()), chain: Vec::new() };
        for equal in sorted.chunk_by(|a, b| a.0 == b.0) {
            let first = equal[0].1;
            let mut last = first;
            copies.distinct.insert(ChunkId(first));
            for &(_, row) in &equal[1..] {
                // Different rows may have the same digest, if only by malice.
                if rows.are_equal(first, row) {
                    copies.chain.push((last, row));
                    last = row;
                } else {
                    copies.distinct.insert(ChunkId(row));
                }
            }
        }
        copies
    }

    /// Makes the next copy of a row a neighbor of it, in place of the last where the list is full.
    pub(crate) fn link(&self, words: &mut [u32], stride: usize) {
        for &(row, next) in &self.chain {
            let list = &mut words[row as usize * stride..][..stride];
            let free = list.iter().position(|&neighbor| neighbor == NO_ROW).unwrap_or(stride - 1);
            list[free] = next;
        }
    }
}
