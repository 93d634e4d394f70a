//! Chooses the neighbors of all rows anew, on the level that has all of them.
//!
//! hnsw_rs spends most of its time on bookkeeping (hash maps of visited points, a reference count for every candidate),
//! and where a list is full it drops the farthest neighbor, whatever direction was lost with it. So it builds with few
//! candidates, which is quick, and each row then is searched for in its graph by the walk that answers queries, which is
//! several times faster, and has all rows before it, not only those that were inserted earlier. From what that finds,
//! neighbors are chosen in diverse directions, for both ends of every link.

use rayon::prelude::*;

use crate::beam::{Links, NO_ROW, walk};
use crate::candidates::Candidate;
use crate::row_distance::QuantizedRows;
use crate::{ChunkId, Rows};

/// How neighbors are chosen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choice {
    /// Neighbors of a row at most.
    pub(crate) degree: usize,
    /// Candidates for them.
    pub(crate) ef: usize,
    /// A candidate is left out where a chosen neighbor is nearer to it than the row, by this factor of squared distances.
    pub(crate) slack: f32,
}

/// Neighbors for the `distinct` rows, and none for others, `choice.degree` words for each. `refined` hears of every row.
pub(crate) fn refine(
    rows: &QuantizedRows,
    distinct: &Rows,
    links: &Links<'_>,
    choice: Choice,
    refined: &(dyn Fn() + Sync),
) -> Vec<u32> {
    let mut chosen = vec![NO_ROW; rows.len() * choice.degree];
    let part = |row: &(usize, &mut [u32])| distinct.contains(ChunkId(row.0 as u32));
    chosen.par_chunks_mut(choice.degree).enumerate().filter(part).for_each(|(row, list)| {
        choose(rows, row as u32, candidates(rows, links, row as u32, choice.ef).into_iter(), choice, list);
        refined();
    });
    let backward = Backward::new(&chosen, choice.degree);
    let mut both = vec![NO_ROW; chosen.len()];
    both.par_chunks_mut(choice.degree).enumerate().for_each(|(row, list)| {
        let forward = Links { words: &chosen, stride: choice.degree }.of(row as u32);
        let mut candidates: Vec<u32> = forward.iter().copied().take_while(|&other| other != NO_ROW).collect();
        candidates.extend(backward.of(row));
        candidates.sort_unstable();
        candidates.dedup();
        if candidates.len() <= choice.degree {
            list[..candidates.len()].copy_from_slice(&candidates);
        } else {
            choose(rows, row as u32, candidates.into_iter(), choice, list);
        }
    });
    both
}

/// What a walk finds around a row, and the neighbors that it has: some of those are far away, from when the graph had few
/// rows, and without them walks do not get from one neighborhood to another.
fn candidates(rows: &QuantizedRows, links: &Links<'_>, row: u32, ef: usize) -> Vec<u32> {
    let int8 = rows.int8();
    let query = int8.as_query(row);
    let start = Candidate::new(int8.estimate(&query, row), row);
    let found = walk(&int8, |row| links.of(row), &query, &[start], ef, None);
    let mut candidates: Vec<u32> = found.iter().map(|candidate| candidate.row()).collect();
    candidates.extend(links.of(row).iter().filter(|&&other| other != NO_ROW));
    candidates.sort_unstable();
    candidates.dedup();
    candidates.retain(|&other| other != row);
    candidates
}

/// Fills a row's list with candidates in diverse directions, the nearest first.
fn choose(
    rows: &QuantizedRows,
    row: u32,
    candidates: impl Iterator<Item = u32>,
    choice: Choice,
    list: &mut [u32],
) {
    let mut sorted: Vec<(f32, u32)> = candidates.map(|other| (rows.distance(row, other), other)).collect();
    sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut chosen = 0;
    for (distance, other) in sorted {
        if chosen == list.len() {
            break;
        }
        let covered = |&neighbor: &u32| choice.slack * rows.distance(other, neighbor) < distance;
        if !list[..chosen].iter().any(covered) {
            list[chosen] = other;
            chosen += 1;
        }
    }
    list[chosen..].fill(NO_ROW);
}

/// The rows that have chosen a row.
struct Backward {
    /// Where the rows of each begin, and the end.
    starts: Vec<usize>,
    rows: Vec<u32>,
}

impl Backward {
    fn new(chosen: &[u32], degree: usize) -> Self {
        let mut starts = vec![0; chosen.len() / degree + 1];
        let links = || chosen.iter().enumerate().filter(|(_, to)| **to != NO_ROW);
        links().for_each(|(_, &to)| starts[to as usize + 1] += 1);
        let mut total = 0;
        starts.iter_mut().for_each(|start| {
            total += *start;
            *start = total;
        });
        let mut free = starts.clone();
        let mut rows = vec![0; total];
        for (at, &to) in links() {
            rows[free[to as usize]] = (at / degree) as u32;
            free[to as usize] += 1;
        }
        Backward { starts, rows }
    }

    fn of(&self, row: usize) -> &[u32] {
        &self.rows[self.starts[row]..self.starts[row + 1]]
    }
}
