//! The graph as hnsw_rs (Malkov and Yashunin 2016, arXiv 1603.09320) builds it, taken apart into flat tables.

use hnsw_rs::prelude::Hnsw;
use rayon::prelude::*;

use crate::Rows;
use crate::beam::NO_ROW;
use crate::row_distance::{QuantizedRows, RowDistance};

pub(crate) const MAX_LEVELS: usize = 16;

/// Below, one thread inserts: as fast, and the same graph every time.
const PARALLEL_FROM: usize = 4096;

pub(crate) struct FirstGraph {
    /// Where a walk begins, on the highest level.
    pub(crate) entry: u32,
    /// Neighbors on the level that has all rows, `stride` for each row.
    pub(crate) ground: Vec<u32>,
    pub(crate) stride: usize,
    /// The levels above, lowest first.
    pub(crate) upper: Vec<UpperLevel>,
}

/// Some rows, ascending, and the neighbors of each.
#[derive(Default)]
pub(crate) struct UpperLevel {
    pub(crate) rows: Vec<u32>,
    pub(crate) neighbors: Vec<Vec<u32>>,
}

/// Inserts the `distinct` rows, on all threads. `inserted` hears of every row.
pub(crate) fn build(
    rows: &QuantizedRows,
    distinct: &Rows,
    m: usize,
    ef: usize,
    inserted: &(dyn Fn() + Sync),
) -> FirstGraph {
    let distinct: Vec<u32> = distinct.iter().map(|id| id.0).collect();
    let hnsw = Hnsw::new(m, distinct.len(), MAX_LEVELS, ef, RowDistance(rows));
    let insert = |row: u32| {
        hnsw.insert_slice((&[row], row as usize));
        inserted();
    };
    if distinct.len() < PARALLEL_FROM {
        distinct.into_iter().for_each(insert);
    } else {
        distinct.into_par_iter().for_each(insert);
    }
    take_apart(&hnsw, rows.len(), 2 * m)
}

fn take_apart(hnsw: &Hnsw<'_, u32, RowDistance<'_>>, rows: usize, stride: usize) -> FirstGraph {
    let top = hnsw.get_max_level_observed() as usize;
    let mut ground = vec![NO_ROW; rows * stride];
    let mut levels: Vec<Vec<(u32, Vec<u32>)>> = vec![Vec::new(); top];
    let mut entry = (0, 0);
    for point in hnsw.get_point_indexation() {
        let (row, level) = (point.get_origin_id() as u32, point.get_point_id().0 as usize);
        entry = entry.max((level, row));
        for (at, found) in point.get_neighborhood_id().iter().enumerate().take(level + 1) {
            let ids = found.iter().map(|neighbor| neighbor.get_origin_id() as u32);
            match at.checked_sub(1) {
                None => ground[row as usize * stride..][..stride]
                    .iter_mut()
                    .zip(ids)
                    .for_each(|(to, id)| *to = id),
                Some(upper) => levels[upper].push((row, ids.collect())),
            }
        }
    }
    let sorted = |mut level: Vec<(u32, Vec<u32>)>| {
        level.sort_unstable_by_key(|(row, _)| *row);
        let (rows, neighbors) = level.into_iter().unzip();
        UpperLevel { rows, neighbors }
    };
    FirstGraph { entry: entry.1, ground, stride, upper: levels.into_iter().map(sorted).collect() }
}
