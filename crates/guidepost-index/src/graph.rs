//! The neighbor graph: built by hnsw_rs, frozen into a flat file of our own, walked over int8 rows.
//!
//! hnsw_rs (Malkov and Yashunin 2016, arXiv 1603.09320) is good at building and at nothing else we need: its own
//! files are trusted blindly when read, and its search is several times slower than a walk over flat memory.
//!
//! ```text
//! 0   magic "GPHNSW01"     8  rows u32    12  levels u32    16  entry row u32    20..64  zero
//! 64  level 0:             offsets[rows + 1], neighbors[..]
//!     level 1, 2, ...:     count, rows[count] ascending, offsets[count + 1], neighbors[..]        all u32, little endian
//! ```

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::Write;
use std::ops::Range;
use std::path::Path;

use guidepost_text::Embedding;
use hnsw_rs::prelude::{Distance, Hnsw};
use memmap2::Mmap;

use crate::manifest::Manifest;
use crate::vectors::{QuantizedQuery, Vectors, candidates_for, dot};
use crate::{ChunkId, IndexError, Rows, files};

const NAME: &str = "graph";
const MAGIC: &[u8; 8] = b"GPHNSW01";
const HEADER: usize = 64;

/// Neighbors per row and level (twice as many on level 0), and candidates while building: the values that the
/// literature and the peers settle on for this kind of vector.
const M: usize = 16;
const EF_CONSTRUCTION: usize = 200;
const MAX_LEVELS: usize = 16;
/// Below, one thread inserts: as fast, and the same graph every time.
const PARALLEL_FROM: usize = 4096;

/// Smallest set that has a graph.
const MIN_ROWS: usize = 2;

/// 1 - cosine, never negative: `DistDot` of hnsw_rs panics where rounding lifts the dot product of two equal vectors
/// above 1.
#[derive(Clone, Copy, Default)]
struct CosineDistance;

impl Distance<f32> for CosineDistance {
    fn eval(&self, a: &[f32], b: &[f32]) -> f32 {
        1.0 - dot(a, b)
    }
}

pub(crate) struct Graph {
    map: Mmap,
    entry: u32,
    /// Level 0 first.
    levels: Vec<Level>,
}

/// Where a level lies, in words of four bytes.
struct Level {
    /// Rows on the level, ascending; `None` on level 0, which has all.
    rows: Option<Range<usize>>,
    offsets: Range<usize>,
    neighbors: Range<usize>,
}

impl Graph {
    /// Builds and freezes the graph of all vectors. Writes nothing where there is nothing to walk.
    pub(crate) fn write(
        folder: &Path,
        rows: &[Embedding],
        manifest: &mut Manifest,
    ) -> Result<(), IndexError> {
        if rows.len() < MIN_ROWS {
            return Ok(());
        }
        let frozen = freeze(&build(rows), rows.len());
        files::write(&folder.join(NAME), |file| {
            file.write_all(MAGIC)?;
            for number in [rows.len() as u32, frozen.levels, frozen.entry] {
                file.write_all(&number.to_le_bytes())?;
            }
            file.write_all(&[0; HEADER - 20])?;
            frozen.words.iter().try_for_each(|word| file.write_all(&word.to_le_bytes()))
        })?;
        manifest.add_file(folder, NAME)
    }

    /// Maps the graph; every table is checked to lie inside the file.
    pub(crate) fn open(folder: &Path, manifest: &Manifest) -> Result<Option<Self>, IndexError> {
        if !manifest.files.contains_key(NAME) {
            return Ok(None);
        }
        let path = folder.join(NAME);
        let map = files::map(&path, manifest.bytes_of(folder, NAME)?)?;
        let damaged = |reason: &str| IndexError::damaged(&path, reason);
        if map.get(..8) != Some(MAGIC) || map.len() < HEADER || map.len() % 4 != 0 {
            return Err(damaged("it is no graph"));
        }
        let head: &[u32] = bytemuck::cast_slice(&map[8..20]);
        let (rows, levels, entry) = (head[0], head[1], head[2]);
        if rows != manifest.chunks || entry >= rows || levels as usize > MAX_LEVELS {
            return Err(damaged("its header does not fit the manifest"));
        }
        let levels = read_levels(bytemuck::cast_slice(&map[HEADER..]), rows as usize, levels as usize);
        let levels = levels.ok_or_else(|| damaged("its tables do not fit the file"))?;
        Ok(Some(Graph { map, entry, levels }))
    }

    /// Whether every neighbor is one of so many rows.
    pub(crate) fn is_within(&self, rows: u32) -> bool {
        let words: &[u32] = bytemuck::cast_slice(&self.map[HEADER..]);
        self.levels.iter().all(|level| words[level.neighbors.clone()].iter().all(|&row| row < rows))
    }

    /// The `limit` nearest rows `within` that a walk with a list of `ef` candidates finds, exactly scored, best first.
    pub(crate) fn search(
        &self,
        vectors: &Vectors,
        query: &Embedding,
        limit: usize,
        ef: usize,
        within: Option<&Rows>,
    ) -> Vec<(ChunkId, f32)> {
        let quantized = QuantizedQuery::new(query);
        let estimate = |row: u32| Order(vectors.estimate(&quantized, row as usize));
        let mut nearest = (estimate(self.entry), self.entry);
        for level in self.levels.iter().skip(1).rev() {
            nearest = self.descend(level, nearest, vectors.rows(), &estimate);
        }
        let ef = ef.max(candidates_for(limit));
        let found = self.beam(nearest, vectors.rows(), ef, &estimate, within);
        vectors.rescore(query, found, limit)
    }

    /// Steps to a nearer neighbor until there is none.
    fn descend(
        &self,
        level: &Level,
        start: (Order, u32),
        rows: usize,
        estimate: &dyn Fn(u32) -> Order,
    ) -> (Order, u32) {
        let mut nearest = start;
        loop {
            // Rows that are not there only a damaged file can name.
            let there = self.neighbors(level, nearest.1).iter().filter(|&&row| (row as usize) < rows);
            match there.map(|&row| (estimate(row), row)).max() {
                Some(step) if step.0 > nearest.0 => nearest = step,
                _ => return nearest,
            }
        }
    }

    /// Best-first search on level 0 that keeps the `ef` best rows `within`. Rows that are not let through are walked
    /// over: they lead to those that are.
    fn beam(
        &self,
        start: (Order, u32),
        rows: usize,
        ef: usize,
        estimate: &dyn Fn(u32) -> Order,
        within: Option<&Rows>,
    ) -> Vec<usize> {
        let counts = |row: u32| within.is_none_or(|within| within.contains(ChunkId(row)));
        let mut seen = vec![false; rows];
        seen[start.1 as usize] = true;
        let mut open = BinaryHeap::from([start]);
        let mut best: BinaryHeap<Reverse<(Order, u32)>> = BinaryHeap::new();
        best.extend(counts(start.1).then_some(Reverse(start)));
        while let Some(candidate) = open.pop() {
            if best.len() >= ef && best.peek().is_some_and(|worst| candidate < worst.0) {
                break;
            }
            for &row in self.neighbors(&self.levels[0], candidate.1) {
                match seen.get_mut(row as usize) {
                    Some(flag) if !*flag => *flag = true,
                    _ => continue,
                }
                let step = (estimate(row), row);
                if best.len() >= ef && best.peek().is_some_and(|worst| step <= worst.0) {
                    continue;
                }
                open.push(step);
                if counts(row) {
                    best.push(Reverse(step));
                    if best.len() > ef {
                        best.pop();
                    }
                }
            }
        }
        best.into_iter().map(|Reverse((_, row))| row as usize).collect()
    }

    /// Neighbors of a row on a level; none where the row is not on it or the table is damaged.
    fn neighbors(&self, level: &Level, row: u32) -> &[u32] {
        let words: &[u32] = bytemuck::cast_slice(&self.map[HEADER..]);
        let at = match &level.rows {
            None => Some(row as usize),
            Some(rows) => words[rows.clone()].binary_search(&row).ok(),
        };
        let offsets = &words[level.offsets.clone()];
        let bounds = at.and_then(|at| Some((*offsets.get(at)? as usize, *offsets.get(at + 1)? as usize)));
        let neighbors = &words[level.neighbors.clone()];
        bounds.and_then(|(start, end)| neighbors.get(start..end)).unwrap_or(&[])
    }
}

/// An estimate that can be compared: higher is nearer.
#[derive(Clone, Copy, PartialEq)]
struct Order(f32);

impl Eq for Order {}

impl PartialOrd for Order {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Order {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

fn build(rows: &[Embedding]) -> Hnsw<'_, f32, CosineDistance> {
    let hnsw = Hnsw::new(M, rows.len(), MAX_LEVELS, EF_CONSTRUCTION, CosineDistance);
    if rows.len() < PARALLEL_FROM {
        rows.iter().enumerate().for_each(|(row, vector)| hnsw.insert_slice((vector.as_slice(), row)));
    } else {
        let all: Vec<(&[f32], usize)> = rows.iter().enumerate().map(|(row, v)| (v.as_slice(), row)).collect();
        hnsw.parallel_insert_slice(&all);
    }
    hnsw
}

struct Frozen {
    levels: u32,
    entry: u32,
    words: Vec<u32>,
}

fn freeze(hnsw: &Hnsw<'_, f32, CosineDistance>, rows: usize) -> Frozen {
    // neighbors[level][row]; `None` where the row is not on the level.
    let top = hnsw.get_max_level_observed() as usize;
    let mut neighbors: Vec<Vec<Option<Vec<u32>>>> = vec![vec![None; rows]; top + 1];
    let mut entry = (0, 0);
    for point in hnsw.get_point_indexation() {
        let (row, level) = (point.get_origin_id(), point.get_point_id().0 as usize);
        entry = entry.max((level, row as u32));
        for (at, found) in point.get_neighborhood_id().into_iter().enumerate().take(level + 1) {
            let ids = found.iter().map(|neighbor| neighbor.get_origin_id() as u32).collect();
            neighbors[at][row] = Some(ids);
        }
    }
    let mut words = Vec::new();
    for (level, lists) in neighbors.into_iter().enumerate() {
        let present: Vec<u32> =
            (0..rows as u32).filter(|&row| level == 0 || lists[row as usize].is_some()).collect();
        if level > 0 {
            words.push(present.len() as u32);
            words.extend(&present);
        }
        let mut end = 0;
        words.push(0);
        let mut flat = Vec::new();
        for &row in &present {
            let ids = lists[row as usize].as_deref().unwrap_or(&[]);
            end += ids.len() as u32;
            words.push(end);
            flat.extend_from_slice(ids);
        }
        words.extend(flat);
    }
    Frozen { levels: top as u32 + 1, entry: entry.1, words }
}

fn read_levels(words: &[u32], rows: usize, count: usize) -> Option<Vec<Level>> {
    let mut at = 0;
    let mut levels = Vec::new();
    for level in 0..count {
        let mut present = rows;
        let mut ids = None;
        if level > 0 {
            present = *words.get(at)? as usize;
            ids = Some(at + 1..at + 1 + present);
            at += 1 + present;
        }
        let offsets = at..at + present + 1;
        let total = *words.get(offsets.end - 1)? as usize;
        let neighbors = offsets.end..offsets.end + total;
        at = neighbors.end;
        words.get(..at)?;
        levels.push(Level { rows: ids, offsets, neighbors });
    }
    (at == words.len()).then_some(levels)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Unit vectors from a counter, around 40 centers as the embeddings of texts are; every tenth is a duplicate.
    fn vectors(count: usize, dimensions: usize) -> Vec<Embedding> {
        let mut state = 42u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1 << 24) as f32 - 0.5
        };
        let mut vector = || (0..dimensions).map(|_| next()).collect::<Vec<f32>>();
        let centers: Vec<Vec<f32>> = (0..40).map(|_| vector()).collect();
        let mut rows: Vec<Embedding> = Vec::new();
        for at in 0..count {
            if at % 10 == 9 {
                rows.push(rows[at - 1].clone());
            } else {
                let near =
                    centers[at % 40].iter().zip(vector()).map(|(center, noise)| center + noise).collect();
                rows.push(Embedding::normalized(near));
            }
        }
        rows
    }

    struct Written {
        folder: tempfile::TempDir,
        manifest: Manifest,
        rows: Vec<Embedding>,
    }

    fn write(count: usize) -> Written {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let rows = vectors(count, 48);
        let mut manifest = Manifest::for_tests(48, count as u32);
        Vectors::write(folder.path(), &rows, &mut manifest).expect("writable");
        Graph::write(folder.path(), &rows, &mut manifest).expect("writable");
        Written { folder, manifest, rows }
    }

    fn brute_force(rows: &[Embedding], query: &Embedding, limit: usize) -> Vec<f32> {
        let mut scores: Vec<f32> = rows.iter().map(|row| dot(row.as_slice(), query.as_slice())).collect();
        scores.sort_by(|a, b| b.total_cmp(a));
        scores.truncate(limit);
        scores
    }

    #[test]
    fn scan_and_walk_find_what_brute_force_finds() {
        // Above and below the size from which several threads insert.
        for count in [1, 2, 500, 6000] {
            let written = write(count);
            let vectors =
                Vectors::open(written.folder.path(), &written.manifest).expect("it was just written");
            let graph = Graph::open(written.folder.path(), &written.manifest).expect("it was just written");
            assert_eq!(graph.is_some(), count >= MIN_ROWS);
            let (mut scanned, mut walked, mut all) = (0, 0, 0);
            for query in self::vectors(60, 48).iter().skip(7) {
                let expected = brute_force(&written.rows, query, 10);
                let worst = expected.last().expect("there are rows") - 1e-6;
                let hits =
                    |found: Vec<(ChunkId, f32)>| found.iter().filter(|(_, score)| *score >= worst).count();
                all += expected.len();
                scanned += hits(vectors.scan(query, 10, None)).min(expected.len());
                let walk = graph.as_ref().map_or_else(
                    || vectors.scan(query, 10, None),
                    |g| g.search(&vectors, query, 10, 128, None),
                );
                walked += hits(walk).min(expected.len());
            }
            assert_eq!(scanned, all, "the scan over {count} rows is exact");
            assert!(walked * 100 >= all * 97, "the walk over {count} rows found {walked} of {all}");
        }
    }

    #[test]
    fn scan_and_walk_under_a_filter_find_what_filtering_all_rows_finds() {
        let count = 6000;
        let written = write(count);
        let vectors = Vectors::open(written.folder.path(), &written.manifest).expect("it was just written");
        let graph = Graph::open(written.folder.path(), &written.manifest).expect("it was just written");
        let graph = graph.expect("so many rows have a graph");
        let queries = self::vectors(60, 48);
        let allowed = prop_oneof![
            proptest::collection::btree_set(0u32..6000, 0..40),
            proptest::collection::btree_set(0u32..6000, 0..6000),
        ];
        let walked = std::cell::Cell::new((0, 0));
        proptest!(|(allowed in allowed, at in 7usize..60, limit in 1usize..30)| {
            let mut within = Rows::none(count);
            allowed.iter().for_each(|&row| within.insert(ChunkId(row)));
            let mut expected = vectors.rescore(&queries[at], (0..count).collect(), count);
            expected.retain(|(id, _)| within.contains(*id));
            expected.truncate(limit);
            prop_assert_eq!(&vectors.scan(&queries[at], limit, Some(&within)), &expected);
            let found = graph.search(&vectors, &queries[at], limit, 128, Some(&within));
            prop_assert!(found.iter().all(|(id, _)| within.contains(*id)));
            let worst = expected.last().map_or(1.0, |(_, score)| *score);
            let good = found.iter().filter(|(_, score)| *score >= worst).count();
            walked.set((walked.get().0 + good, walked.get().1 + expected.len()));
        });
        let (good, all) = walked.get();
        assert!(good * 100 >= all * 97, "the walks found {good} of {all}");
    }

    #[test]
    fn a_damaged_graph_is_refused_or_survived() {
        let written = write(300);
        let path = written.folder.path().join(NAME);
        let sound = std::fs::read(&path).expect("it was just written");
        let vectors = Vectors::open(written.folder.path(), &written.manifest).expect("it was just written");
        for at in (0..sound.len()).step_by(97) {
            let mut damaged = sound.clone();
            damaged[at] ^= 0xff;
            std::fs::write(&path, damaged).expect("writable");
            if let Ok(Some(graph)) = Graph::open(written.folder.path(), &written.manifest) {
                assert!(graph.search(&vectors, &written.rows[3], 10, 64, None).len() <= 10);
            }
        }
    }
}
