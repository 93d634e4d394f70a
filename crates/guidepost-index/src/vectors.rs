//! Vectors on disk, and exact search over them.
//!
//! ```text
//! 0   magic "GPVEC001"      8   dimensions u32     12  rows u32     16..64  zero
//! 64  f32 rows              then int8 rows         then one f32 scale per row        all little endian
//! ```
//!
//! The int8 rows only decide which f32 rows are worth a look: every score that leaves this module is a dot product
//! of f32 rows. An int8 component is the f32 one divided by the row's scale, which maps its largest to 127.

use std::io::Write;
use std::path::Path;

use guidepost_text::Embedding;
use memmap2::Mmap;
use rayon::prelude::*;

use crate::manifest::Manifest;
use crate::{ChunkId, IndexError, Rows, files};

pub(crate) const NAME: &str = "vectors";
const MAGIC: &[u8; 8] = b"GPVEC001";
const HEADER: usize = 64;

/// Rows that a thread scans at least; below, a second thread costs more than it brings.
const ROWS_PER_TASK: usize = 8192;

pub(crate) struct Vectors {
    map: Mmap,
    dimensions: usize,
    rows: usize,
}

impl Vectors {
    pub(crate) fn write(
        folder: &Path,
        rows: &[Embedding],
        manifest: &mut Manifest,
    ) -> Result<(), IndexError> {
        let dimensions = manifest.dimensions.unwrap_or(0);
        let quantized: Vec<(Vec<i8>, f32)> = rows.par_iter().map(|row| quantize(row.as_slice())).collect();
        files::write(&folder.join(NAME), |file| {
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
        })?;
        manifest.add_file(folder, NAME)
    }

    pub(crate) fn open(folder: &Path, manifest: &Manifest) -> Result<Self, IndexError> {
        let path = folder.join(NAME);
        let map = files::map(&path, manifest.bytes_of(folder, NAME)?)?;
        let (dimensions, rows) = (manifest.dimensions.unwrap_or(0), manifest.chunks as usize);
        let expected = HEADER + rows * (dimensions * 5 + 4);
        let header_fits = map.get(..8) == Some(MAGIC)
            && map.get(8..12) == Some(&(dimensions as u32).to_le_bytes()[..])
            && map.get(12..16) == Some(&(rows as u32).to_le_bytes()[..]);
        if !header_fits || map.len() != expected {
            return Err(IndexError::damaged(&path, "its header does not fit the manifest"));
        }
        Ok(Vectors { map, dimensions, rows })
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// One vector.
    pub(crate) fn row(&self, row: usize) -> &[f32] {
        let all: &[f32] = bytemuck::cast_slice(&self.map[HEADER..HEADER + self.rows * self.dimensions * 4]);
        &all[row * self.dimensions..(row + 1) * self.dimensions]
    }

    fn quantized_row(&self, row: usize) -> &[i8] {
        let start = HEADER + self.rows * self.dimensions * 4 + row * self.dimensions;
        bytemuck::cast_slice(&self.map[start..start + self.dimensions])
    }

    fn scale(&self, row: usize) -> f32 {
        let start = HEADER + self.rows * self.dimensions * 5 + row * 4;
        let bytes = &self.map[start..start + 4];
        f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    }

    /// About the dot product of a row with the query, good enough to order candidates.
    pub(crate) fn estimate(&self, query: &QuantizedQuery, row: usize) -> f32 {
        let dot: i32 = self
            .quantized_row(row)
            .iter()
            .zip(&query.values)
            .map(|(&a, &b)| i32::from(a) * i32::from(b))
            .sum();
        dot as f32 * self.scale(row)
    }

    /// The `limit` rows nearest to the query by exact dot product, of those `within`, best first; ties by row.
    pub(crate) fn scan(&self, query: &Embedding, limit: usize, within: Option<&Rows>) -> Vec<(ChunkId, f32)> {
        let quantized = QuantizedQuery::new(query);
        let rows: Vec<usize> = match within {
            Some(within) => within.iter().map(|id| id.0 as usize).filter(|&row| row < self.rows).collect(),
            None => (0..self.rows).collect(),
        };
        let mut estimates: Vec<(f32, usize)> = rows
            .into_par_iter()
            .with_min_len(ROWS_PER_TASK)
            .map(|row| (self.estimate(&quantized, row), row))
            .collect();
        let kept = candidates_for(limit);
        if kept < estimates.len() {
            estimates.select_nth_unstable_by(kept, |a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            estimates.truncate(kept);
        }
        self.rescore(query, estimates.into_iter().map(|(_, row)| row).collect(), limit)
    }

    /// Exact scores of the candidates, best first.
    pub(crate) fn rescore(
        &self,
        query: &Embedding,
        candidates: Vec<usize>,
        limit: usize,
    ) -> Vec<(ChunkId, f32)> {
        let score = |row: usize| (ChunkId(row as u32), dot(query.as_slice(), self.row(row)));
        let mut scored: Vec<(ChunkId, f32)> = candidates.into_iter().map(score).collect();
        scored.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        scored.truncate(limit);
        scored
    }
}

/// Candidates worth an exact look: int8 misplaces near-equal rows by a few ranks, never by dozens.
pub(crate) fn candidates_for(limit: usize) -> usize {
    limit * 2 + 32
}

/// A query as 16-bit integers, fine enough that only the rows' rounding remains.
pub(crate) struct QuantizedQuery {
    values: Vec<i16>,
}

impl QuantizedQuery {
    pub(crate) fn new(query: &Embedding) -> Self {
        let largest = query.as_slice().iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        let scale = if largest > 0.0 { 2047.0 / largest } else { 0.0 };
        QuantizedQuery {
            values: query.as_slice().iter().map(|value| (value * scale).round() as i16).collect(),
        }
    }
}

fn quantize(row: &[f32]) -> (Vec<i8>, f32) {
    let largest = row.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    if largest == 0.0 {
        return (vec![0; row.len()], 0.0);
    }
    let scale = largest / 127.0;
    (row.iter().map(|value| (value / scale).round() as i8).collect(), scale)
}

/// Dot product, clamped to a cosine's range: rounding lifts that of equal unit vectors above 1.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    // Eight sums, so that the compiler may use vector instructions.
    let mut sums = [0.0f32; 8];
    let (a_blocks, a_rest) = a.as_chunks::<8>();
    let (b_blocks, b_rest) = b.as_chunks::<8>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    (sums.iter().sum::<f32>() + rest).clamp(-1.0, 1.0)
}
