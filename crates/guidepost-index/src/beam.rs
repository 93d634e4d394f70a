//! The walk over the level of a graph that has all rows: best first, with a list of `ef` candidates.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::candidates::Candidate;
use crate::quantized::{Int8Query, Int8Rows};
use crate::{ChunkId, Rows};

/// Neighbors of every row, in as many words for each; what is no row ends a list.
#[derive(Clone, Copy)]
pub(crate) struct Links<'a> {
    pub(crate) words: &'a [u32],
    pub(crate) stride: usize,
}

/// Stands where a row has no more neighbors.
pub(crate) const NO_ROW: u32 = u32::MAX;

impl<'a> Links<'a> {
    /// Neighbors of a row, and [`NO_ROW`] behind the last.
    #[inline]
    pub(crate) fn of(&self, row: u32) -> &'a [u32] {
        &self.words[row as usize * self.stride..][..self.stride]
    }
}

/// Candidates `within` that a walk from `starts` over the `links` of rows finds, the nearest first: up to `ef`. Rows that are not let through are
/// walked over, since they lead to those that are.
pub(crate) fn walk<'a>(
    rows: &Int8Rows<'_>,
    links: impl Fn(u32) -> &'a [u32],
    query: &Int8Query<'_>,
    starts: &[Candidate],
    ef: usize,
    within: Option<&Rows>,
) -> Vec<Candidate> {
    let mut beam = Beam::new(rows.len(), ef, within);
    for &start in starts {
        if beam.seen.insert(start.row()) {
            beam.offer(start);
        }
    }
    let mut unseen = Vec::new();
    while let Some(row) = beam.next() {
        unseen.clear();
        unseen.extend(links(row).iter().copied().filter(|&row| beam.seen.insert(row)));
        rows.estimate_at(query, &unseen, |row, estimate| beam.offer(Candidate::new(estimate, row)));
    }
    beam.nearest.into_iter().map(Candidate::unmarked).collect()
}

struct Beam<'a> {
    ef: usize,
    within: Option<&'a Rows>,
    seen: Seen,
    /// The nearest so far of those let through, in order; marked once their neighbors were looked at.
    nearest: Vec<Candidate>,
    /// All before are marked.
    first_open: usize,
    /// Not let through, and not looked at yet.
    bridges: BinaryHeap<Reverse<Candidate>>,
}

impl<'a> Beam<'a> {
    fn new(rows: usize, ef: usize, within: Option<&'a Rows>) -> Self {
        let ef = ef.max(1);
        let nearest = Vec::with_capacity(ef.min(rows));
        Beam { ef, within, seen: Seen::new(rows), nearest, first_open: 0, bridges: BinaryHeap::new() }
    }

    #[inline]
    fn offer(&mut self, candidate: Candidate) {
        if self.nearest.len() >= self.ef && self.nearest.last().is_none_or(|worst| candidate > *worst) {
            return;
        }
        if self.within.is_some_and(|within| !within.contains(ChunkId(candidate.row()))) {
            self.bridges.push(Reverse(candidate));
            return;
        }
        let at = self.nearest.partition_point(|nearer| *nearer < candidate);
        self.nearest.truncate(self.ef - 1);
        self.nearest.insert(at, candidate);
        self.first_open = self.first_open.min(at);
    }

    /// The nearest row whose neighbors were not looked at; `None` where none can lead any nearer.
    #[inline]
    fn next(&mut self) -> Option<u32> {
        while self.nearest.get(self.first_open).is_some_and(|candidate| candidate.is_marked()) {
            self.first_open += 1;
        }
        let open = self.nearest.get(self.first_open).copied();
        let bar = open.or_else(|| self.nearest.last().copied().filter(|_| self.nearest.len() >= self.ef));
        let nearer = |bridge: &Reverse<Candidate>| bar.is_none_or(|bar| bridge.0 < bar);
        if let Some(Reverse(bridge)) = self.bridges.peek().filter(|bridge| nearer(bridge)).copied() {
            self.bridges.pop();
            return Some(bridge.row());
        }
        self.nearest.get_mut(self.first_open).map(|candidate| {
            candidate.mark();
            candidate.row()
        })
    }
}

/// The rows that were met, one bit each: small enough to stay in the first cache, and to start from nothing each time.
struct Seen {
    words: Vec<u64>,
    rows: u32,
}

impl Seen {
    fn new(rows: usize) -> Self {
        Seen { words: vec![0; rows.div_ceil(64)], rows: rows as u32 }
    }

    /// Whether the row is one, and was not met before.
    #[inline]
    fn insert(&mut self, row: u32) -> bool {
        if row >= self.rows {
            return false;
        }
        let (word, bit) = (&mut self.words[row as usize / 64], 1 << (row % 64));
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}
