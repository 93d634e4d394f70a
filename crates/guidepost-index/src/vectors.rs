//! Vectors on disk, and exact search over them.
//!
//! ```text
//! 0   magic "GPVEC001"      8   dimensions u32     12  rows u32     16..64  zero
//! 64  f32 rows              then int8 rows         then one f32 scale per row        all little endian
//! ```
//!
//! The int8 rows only decide which f32 rows are worth a look: every score that leaves this module is a dot product
//! of f32 rows.

use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;

use guidepost_text::Embedding;
use rayon::prelude::*;

use crate::candidates::{Candidate, Nearest};
use crate::checked_file::{CheckedFile, SegmentFiles};
use crate::int8::{Kernels, prefetch};
use crate::manifest::Manifest;
use crate::quantized::{Int8Query, Int8Rows, quantize};
use crate::{ChunkId, IndexError, Rows, files};

pub(crate) const NAME: &str = "vectors";
const MAGIC: &[u8; 8] = b"GPVEC001";
const HEADER: usize = 64;

/// Rows that a thread scans at least; below, a second thread costs more than it brings.
const ROWS_PER_TASK: usize = 16384;

pub(crate) struct Vectors {
    file: CheckedFile,
    dimensions: usize,
    rows: usize,
    /// Largest scale of a row, found when it is first needed: opening reads no rows.
    coarsest: OnceLock<f32>,
}

impl Vectors {
    pub(crate) fn write(
        folder: &Path,
        rows: &[Embedding],
        manifest: &mut Manifest,
    ) -> Result<(), IndexError> {
        Self::write_rows(&folder.join(NAME), rows, manifest.dimensions.unwrap_or(0))?;
        manifest.add_file(folder, NAME)
    }

    pub(crate) fn write_rows(path: &Path, rows: &[Embedding], dimensions: usize) -> Result<(), IndexError> {
        let quantized: Vec<(Vec<i8>, f32)> = rows.par_iter().map(|row| quantize(row.as_slice())).collect();
        files::write(path, |file| {
            file.write_all(MAGIC)?;
            file.write_all(&(dimensions as u32).to_le_bytes())?;
            file.write_all(&(rows.len() as u32).to_le_bytes())?;
            file.write_all(&[0; HEADER - 16])?;
            for row in rows {
                row.as_slice().iter().try_for_each(|value| file.write_all(&value.to_le_bytes()))?;
            }
            for (row, _) in &quantized {
                file.write_all(bytemuck::cast_slice(row))?;
            }
            quantized.iter().try_for_each(|(_, scale)| file.write_all(&scale.to_le_bytes()))
        })
    }

    pub(crate) fn open(files: &SegmentFiles) -> Result<Self, IndexError> {
        let (dimensions, rows) = (files.manifest.dimensions.unwrap_or(0), files.manifest.chunks as usize);
        Self::open_rows(files.file(NAME)?, rows, dimensions)
    }

    pub(crate) fn open_rows(file: CheckedFile, rows: usize, dimensions: usize) -> Result<Self, IndexError> {
        file.look_at(0..HEADER);
        file.sound()?;
        let map = file.map();
        let expected = HEADER + rows * (dimensions * 5 + 4);
        let header_fits = map.get(..8) == Some(MAGIC)
            && map.get(8..12) == Some(&(dimensions as u32).to_le_bytes()[..])
            && map.get(12..16) == Some(&(rows as u32).to_le_bytes()[..]);
        if !header_fits || map.len() != expected {
            return Err(IndexError::damaged(file.path(), "its header does not fit the manifest"));
        }
        Ok(Vectors { file, dimensions, rows, coarsest: OnceLock::new() })
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// One vector.
    pub(crate) fn row(&self, row: usize) -> &[f32] {
        let bytes = HEADER + row * self.dimensions * 4..HEADER + (row + 1) * self.dimensions * 4;
        self.file.look_at(bytes.clone());
        bytemuck::cast_slice(&self.file.map()[bytes])
    }

    /// Refuses what was read so far if any of it is not what was written.
    pub(crate) fn sound(&self) -> Result<(), IndexError> {
        self.file.sound()
    }

    /// The int8 rows, which whoever reads them looks at first. The scales were looked at.
    pub(crate) fn int8(&self) -> Int8Rows<'_> {
        let values = self.int8_start();
        let scales = values + self.rows * self.dimensions;
        self.file.look_at(scales..scales + self.rows * 4);
        Int8Rows::new(
            bytemuck::cast_slice(&self.file.map()[values..scales]),
            bytemuck::cast_slice(&self.file.map()[scales..scales + self.rows * 4]),
            self.dimensions,
        )
    }

    /// Looks at the int8 values of a run of rows.
    #[inline]
    pub(crate) fn look_at_int8(&self, run: Range<usize>) {
        let start = self.int8_start();
        self.file.look_at(start + run.start * self.dimensions..start + run.end * self.dimensions);
    }

    fn int8_start(&self) -> usize {
        HEADER + self.rows * self.dimensions * 4
    }

    /// The `limit` rows nearest to the query by exact dot product, of those `within`, best first; ties by row.
    pub(crate) fn scan(&self, query: &Embedding, limit: usize, within: Option<&Rows>) -> Vec<(ChunkId, f32)> {
        let (values, scale) = quantize(query.as_slice());
        let quantized = Int8Query::new(&values, scale);
        let scanned = within.map(|within| {
            within.iter().map(|id| id.0).filter(|&row| (row as usize) < self.rows).collect::<Vec<u32>>()
        });
        match &scanned {
            Some(rows) => rows.iter().for_each(|&row| self.look_at_int8(row as usize..row as usize + 1)),
            None => self.look_at_int8(0..self.rows),
        }
        let all = scanned.as_ref().map_or(self.rows, Vec::len);
        let mut kept = candidates_for(limit);
        loop {
            let nearest = self.estimated(&quantized, scanned.as_deref(), kept);
            let (found, certain) = self.rescored(query, &quantized, &nearest, limit);
            // Where too many rows are as near as the last one that counts, more need an exact look.
            if certain || nearest.len() == all {
                return found;
            }
            kept = kept.saturating_mul(4);
        }
    }

    /// The nearest by estimate, of some rows or of all, the nearest first.
    fn estimated(&self, query: &Int8Query<'_>, scanned: Option<&[u32]>, kept: usize) -> Vec<Candidate> {
        let rows = self.int8();
        let estimate = |run: Range<usize>| {
            let mut nearest = Nearest::new(kept);
            let offer = |row, estimate| nearest.offer(Candidate::new(estimate, row));
            match scanned {
                Some(scanned) => rows.estimate_at(query, &scanned[run], offer),
                None => rows.estimate_run(query, run, offer),
            }
            nearest
        };
        let all = scanned.map_or(self.rows, <[u32]>::len);
        if all < 2 * ROWS_PER_TASK {
            return estimate(0..all).into_sorted();
        }
        let tasks = (all / ROWS_PER_TASK).min(rayon::current_num_threads());
        let runs = (0..tasks).into_par_iter().map(|task| all * task / tasks..all * (task + 1) / tasks);
        runs.map(estimate).reduce(|| Nearest::new(kept), Nearest::merged).into_sorted()
    }

    /// Exact scores of the best of the candidates, which come in the order of their estimates, best first; and whether
    /// no row that has a lower estimate than all of them can be among the best.
    pub(crate) fn rescored(
        &self,
        query: &Embedding,
        quantized: &Int8Query<'_>,
        candidates: &[Candidate],
        limit: usize,
    ) -> (Vec<(ChunkId, f32)>, bool) {
        let coarsest = *self.coarsest.get_or_init(|| self.int8().coarsest());
        let tolerance = quantized.tolerance(coarsest);
        let mut best: Vec<(ChunkId, f32)> = Vec::with_capacity(limit.min(candidates.len()) + 1);
        for (at, candidate) in candidates.iter().enumerate() {
            let row = candidate.row();
            let reach = candidate.estimate() + tolerance;
            if limit == 0 || (best.len() == limit && best.last().is_some_and(|worst| reach < worst.1)) {
                return (best, true);
            }
            if let Some(ahead) = candidates.get(at + 1) {
                prefetch(self.row(ahead.row() as usize));
            }
            let scored = (ChunkId(row), dot(query.as_slice(), self.row(row as usize)));
            let place = best.partition_point(|better| best_first(better, &scored).is_lt());
            if place < limit {
                best.truncate(limit - 1);
                best.insert(place, scored);
            }
        }
        (best, false)
    }

    /// Exact scores of the candidates, best first: the obvious way, which tests hold the others against.
    #[cfg(test)]
    pub(crate) fn rescore(
        &self,
        query: &Embedding,
        candidates: Vec<usize>,
        limit: usize,
    ) -> Vec<(ChunkId, f32)> {
        let score = |row: usize| (ChunkId(row as u32), dot(query.as_slice(), self.row(row)));
        let mut scored: Vec<(ChunkId, f32)> = candidates.into_iter().map(score).collect();
        scored.sort_by(best_first);
        scored.truncate(limit);
        scored
    }
}

fn best_first(a: &(ChunkId, f32), b: &(ChunkId, f32)) -> std::cmp::Ordering {
    b.1.total_cmp(&a.1).then(a.0.cmp(&b.0))
}

/// Candidates worth an exact look: int8 misplaces near-equal rows by a few ranks, seldom by dozens.
pub(crate) fn candidates_for(limit: usize) -> usize {
    limit.saturating_mul(2).saturating_add(32)
}

/// Dot product, clamped to a cosine's range: rounding lifts that of equal unit vectors above 1.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    Kernels::best().dot_f32(a, b).clamp(-1.0, 1.0)
}
