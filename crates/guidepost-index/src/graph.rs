//! The neighbor graph: built from hnsw_rs's, frozen into a flat file of our own, walked over int8 rows.
//!
//! hnsw_rs is good at laying out levels and at nothing else we need: its own files are trusted blindly when read, and its
//! search is several times slower than a walk over flat memory. `first_graph` is its part; `refine` chooses better neighbors.
//!
//! ```text
//! 0   magic "GPHNSW02"     8  rows u32    12  levels u32    16  entry row u32    20  stride u32    24..64  zero
//! 64  level 0:             neighbors[rows][stride], u32::MAX behind the last
//!     level 1, 2, ...:     count, rows[count] ascending, offsets[count + 1], neighbors[..]        all u32, little endian
//! ```

use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use guidepost_text::Embedding;

use crate::beam::{Links, NO_ROW, walk};
use crate::candidates::Candidate;
use crate::checked_file::{CheckedFile, SegmentFiles};
use crate::copies::Copies;
use crate::first_graph::{self, MAX_LEVELS, UpperLevel};
use crate::manifest::Manifest;
use crate::quantized::{Int8Query, Int8Rows, quantize};
use crate::refine::{Choice, refine};
use crate::row_distance::QuantizedRows;
use crate::vectors::Vectors;
use crate::{ChunkId, IndexError, Rows, files};

pub(crate) const NAME: &str = "graph";
const MAGIC: &[u8; 8] = b"GPHNSW02";
const HEADER: usize = 64;

/// Neighbors per row and level in the first graph (twice as many on level 0), and candidates while it is built: enough for
/// `CHOICES` to make a good graph of. On 20,000 rows (4,000 embeddings and noisy copies), all of it took 7.4 seconds of a
/// processor; 12 and 64, with one round of choosing, took 8.2 and was no better.
const FIRST_M: usize = 12;
const FIRST_EF: usize = 32;

/// How neighbors are chosen anew, and again. On the same rows a walk with 64 candidates found .992 of the ten nearest, and
/// .980 where the second round had 96 candidates; hnswlib's graph gave .989, with a list as long.
const CHOICES: [Choice; 2] =
    [Choice { degree: 32, ef: 64, slack: 1.2 }, Choice { degree: 48, ef: 160, slack: 1.3 }];

/// Candidates on the levels above: with one alone, walks end in the wrong neighborhood of one query in fifty.
const ENTRY_EF: usize = 16;

/// Smallest set that has a graph.
const MIN_ROWS: usize = 2;

pub(crate) struct Graph {
    file: CheckedFile,
    entry: u32,
    stride: usize,
    rows: usize,
    /// Those above level 0, lowest first.
    upper: Vec<Level>,
}

/// Where a level above 0 lies, in words of four bytes.
struct Level {
    /// Rows on the level, ascending.
    rows: Range<usize>,
    offsets: Range<usize>,
    neighbors: Range<usize>,
}

impl Graph {
    /// Builds and freezes the graph of all vectors. Writes nothing where there is nothing to walk.
    pub(crate) fn write(
        folder: &Path,
        rows: &[Embedding],
        progress: &(dyn Fn(usize, usize) + Sync),
        manifest: &mut Manifest,
    ) -> Result<(), IndexError> {
        match Self::write_rows(&folder.join(NAME), rows, progress)? {
            true => manifest.add_file(folder, NAME),
            false => Ok(()),
        }
    }

    /// Whether there is anything to walk, and so a file. `progress` hears how many of how many steps are done.
    pub(crate) fn write_rows(
        path: &Path,
        rows: &[Embedding],
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<bool, IndexError> {
        if rows.len() < MIN_ROWS {
            return Ok(false);
        }
        let frozen = build(&QuantizedRows::new(rows), progress);
        files::write(path, |file| {
            file.write_all(MAGIC)?;
            let head = [rows.len(), frozen.upper.len() + 1, frozen.entry as usize, frozen.stride];
            head.iter().try_for_each(|&number| file.write_all(&(number as u32).to_le_bytes()))?;
            file.write_all(&[0; HEADER - 24])?;
            let upper = frozen.upper.iter().flat_map(words_of);
            let words = frozen.ground.iter().copied().chain(upper);
            words.into_iter().try_for_each(|word| file.write_all(&word.to_le_bytes()))
        })?;
        Ok(true)
    }

    /// Maps the graph; every table is checked to lie inside the file. `None` where there is none.
    pub(crate) fn open(files: &SegmentFiles) -> Result<Option<Self>, IndexError> {
        if !files.has(NAME) {
            return Ok(None);
        }
        Self::open_rows(files.file(NAME)?, files.manifest.chunks as usize).map(Some)
    }

    pub(crate) fn open_rows(file: CheckedFile, rows: usize) -> Result<Self, IndexError> {
        file.look_at(0..HEADER);
        file.sound()?;
        let map = file.map();
        let damaged = |reason: &str| IndexError::damaged(file.path(), reason);
        if map.get(..8) != Some(MAGIC) || map.len() < HEADER || !map.len().is_multiple_of(4) {
            return Err(damaged("it is no graph"));
        }
        let head: &[u32] = bytemuck::cast_slice(&map[8..24]);
        let (entry, levels, stride) = (head[2], head[1] as usize, head[3] as usize);
        if head[0] as usize != rows || entry as usize >= rows || !(1..=MAX_LEVELS).contains(&levels) {
            return Err(damaged("its header does not fit the manifest"));
        }
        let words = bytemuck::cast_slice(&map[HEADER..]);
        let upper = rows.checked_mul(stride).and_then(|ground| read_levels(words, ground, levels - 1));
        let upper = upper.ok_or_else(|| damaged("its tables do not fit the file"))?;
        Ok(Graph { file, entry, stride, rows, upper })
    }

    /// Whether every neighbor is one of its rows.
    pub(crate) fn is_closed(&self) -> bool {
        let words = self.words();
        let is_row = |&row: &u32| (row as usize) < self.rows;
        words[..self.rows * self.stride].iter().all(|row| *row == NO_ROW || is_row(row))
            && self.upper.iter().all(|level| words[level.neighbors.clone()].iter().all(is_row))
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
        let (values, scale) = quantize(query.as_slice());
        let quantized = Int8Query::new(&values, scale);
        let rows = vectors.int8();
        let links = Links { words: &self.words()[..self.rows * self.stride], stride: self.stride };
        let looked_at = |row: u32| {
            let first = HEADER + row as usize * self.stride * 4;
            self.file.look_at(first..first + self.stride * 4);
            look_at(vectors, links.of(row))
        };
        let starts = self.descend(vectors, &rows, &quantized);
        let found = walk(&rows, looked_at, &quantized, &starts, ef.max(limit), within);
        vectors.rescored(query, &quantized, &found, limit).0
    }

    /// Refuses what was read so far if any of it is not what was written.
    pub(crate) fn sound(&self) -> Result<(), IndexError> {
        self.file.sound()
    }

    /// Where the walk begins: the nearest rows of the levels above, level by level.
    fn descend(&self, vectors: &Vectors, rows: &Int8Rows<'_>, query: &Int8Query<'_>) -> Vec<Candidate> {
        self.file.look_at(HEADER + self.rows * self.stride * 4..self.file.len());
        look_at(vectors, &[self.entry]);
        let mut starts = vec![Candidate::new(rows.estimate(query, self.entry), self.entry)];
        for level in self.upper.iter().rev() {
            // Neighbors of a row that is only on other levels are none.
            let neighbors = |row| look_at(vectors, self.neighbors(level, row));
            starts = walk(rows, neighbors, query, &starts, ENTRY_EF, None);
        }
        starts
    }

    /// Neighbors of a row on a level; none where the row is not on it or the table is damaged.
    fn neighbors(&self, level: &Level, row: u32) -> &[u32] {
        let words = self.words();
        let at = words[level.rows.clone()].binary_search(&row).ok();
        let offsets = &words[level.offsets.clone()];
        let bounds = at.and_then(|at| Some((*offsets.get(at)? as usize, *offsets.get(at + 1)? as usize)));
        let neighbors = &words[level.neighbors.clone()];
        bounds.and_then(|(start, end)| neighbors.get(start..end)).unwrap_or(&[])
    }

    fn words(&self) -> &[u32] {
        bytemuck::cast_slice(&self.file.map()[HEADER..])
    }
}

/// The same rows, whose int8 values have been looked at.
#[inline]
fn look_at<'a>(vectors: &Vectors, rows: &'a [u32]) -> &'a [u32] {
    rows.iter().take_while(|&&row| row != NO_ROW).for_each(|&row| {
        vectors.look_at_int8(row as usize..row as usize + 1);
    });
    rows
}

struct Frozen {
    entry: u32,
    stride: usize,
    ground: Vec<u32>,
    upper: Vec<UpperLevel>,
}

fn build(rows: &QuantizedRows, progress: &(dyn Fn(usize, usize) + Sync)) -> Frozen {
    let copies = Copies::find(rows);
    let done = AtomicUsize::new(0);
    let steps = (1 + CHOICES.len()) * copies.distinct.len();
    let step = || progress(done.fetch_add(1, Ordering::Relaxed) + 1, steps);
    let first = first_graph::build(rows, &copies.distinct, FIRST_M, FIRST_EF, &step);
    let (mut ground, mut stride) = (first.ground, first.stride);
    for choice in CHOICES {
        ground = refine(rows, &copies.distinct, &Links { words: &ground, stride }, choice, &step);
        stride = choice.degree;
    }
    copies.link(&mut ground, stride);
    Frozen { entry: first.entry, stride, ground, upper: first.upper }
}

fn words_of(level: &UpperLevel) -> Vec<u32> {
    let mut words = vec![level.rows.len() as u32];
    words.extend(&level.rows);
    let mut end = 0;
    words.push(0);
    words.extend(level.neighbors.iter().map(|ids| {
        end += ids.len() as u32;
        end
    }));
    level.neighbors.iter().for_each(|ids| words.extend(ids));
    words
}

/// Where the levels behind the first `at` words lie.
fn read_levels(words: &[u32], mut at: usize, count: usize) -> Option<Vec<Level>> {
    let mut levels = Vec::new();
    for _ in 0..count {
        let present = *words.get(at)? as usize;
        let rows = at + 1..at + 1 + present;
        let offsets = rows.end..rows.end + present + 1;
        let total = *words.get(offsets.end - 1)? as usize;
        let neighbors = offsets.end..offsets.end + total;
        at = neighbors.end;
        words.get(..at)?;
        levels.push(Level { rows, offsets, neighbors });
    }
    (at == words.len()).then_some(levels)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::vectors::dot;

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

    impl Written {
        fn files(&self) -> SegmentFiles<'_> {
            SegmentFiles::unchecked(self.folder.path(), &self.manifest)
        }
    }

    fn write(count: usize) -> Written {
        write_rows(vectors(count, 48))
    }

    fn write_rows(rows: Vec<Embedding>) -> Written {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut manifest = Manifest::for_tests(48, rows.len() as u32);
        Vectors::write(folder.path(), &rows, &mut manifest).expect("writable");
        Graph::write(folder.path(), &rows, &|_, _| (), &mut manifest).expect("writable");
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
            let vectors = Vectors::open(&written.files()).expect("it was just written");
            let graph = Graph::open(&written.files()).expect("it was just written");
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
        let vectors = Vectors::open(&written.files()).expect("it was just written");
        let graph = Graph::open(&written.files()).expect("it was just written");
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
    fn rows_behind_many_copies_are_found_and_copies_too() {
        let mut rows = vectors(900, 48);
        // More copies of one row than a row has neighbors, or a walk candidates.
        let copied = rows[17].clone();
        rows.iter_mut().skip(300).take(300).for_each(|row| *row = copied.clone());
        let written = write_rows(rows);
        let vectors = Vectors::open(&written.files()).expect("it was just written");
        let graph = Graph::open(&written.files()).expect("it was just written");
        let graph = graph.expect("so many rows have a graph");
        for at in [0, 120, 650, 899] {
            let query = &written.rows[at];
            let found = graph.search(&vectors, query, 10, 64, None);
            assert_eq!(
                found.first().map(|best| best.1),
                Some(dot(query.as_slice(), query.as_slice())),
                "row {at}"
            );
        }
        let copies = graph.search(&vectors, &copied, 250, 64, None);
        assert!(copies.iter().all(|(_, score)| *score > 0.9999), "{copies:?}");
        assert_eq!(copies.len(), 250);
    }

    #[test]
    fn rows_that_are_all_equal_are_all_found() {
        let row = vectors(1, 48).remove(0);
        let written = write_rows(vec![row.clone(); 40]);
        let vectors = Vectors::open(&written.files()).expect("it was just written");
        let graph = Graph::open(&written.files()).expect("it was just written");
        let found = graph.map(|graph| graph.search(&vectors, &row, 40, 64, None).len());
        assert_eq!(found, Some(40));
    }

    #[test]
    fn a_damaged_graph_is_refused_or_survived() {
        let written = write(300);
        let path = written.folder.path().join(NAME);
        let sound = std::fs::read(&path).expect("it was just written");
        let vectors = Vectors::open(&written.files()).expect("it was just written");
        // All of the header, and some of every table.
        for at in (0..HEADER).chain((HEADER..sound.len()).step_by(97)) {
            let mut damaged = sound.clone();
            damaged[at] ^= 0xff;
            std::fs::write(&path, damaged).expect("writable");
            if let Ok(Some(graph)) = Graph::open(&written.files()) {
                assert!(graph.search(&vectors, &written.rows[3], 10, 64, None).len() <= 10);
            }
        }
    }
}
