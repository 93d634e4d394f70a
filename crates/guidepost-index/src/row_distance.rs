//! Distances between the rows of an index while its graph is built: of int8 rows, in memory.

use guidepost_text::Embedding;
use hnsw_rs::prelude::Distance;
use rayon::prelude::*;

use crate::int8::{Codes, Kernels};
use crate::quantized::{Int8Rows, quantize};

/// All rows in int8, with what makes their distances quick to find.
pub(crate) struct QuantizedRows {
    values: Vec<i8>,
    scales: Vec<f32>,
    /// Sums of the components.
    sums: Vec<i32>,
    /// Squared lengths: near 1, but rounding changes them.
    norms: Vec<f32>,
    dimensions: usize,
    kernels: &'static Kernels,
}

impl QuantizedRows {
    pub(crate) fn new(rows: &[Embedding]) -> Self {
        let dimensions = rows.first().map_or(0, |row| row.as_slice().len());
        let mut values = vec![0; rows.len() * dimensions];
        let fill = |(values, row): (&mut [i8], &Embedding)| {
            let (quantized, scale) = quantize(row.as_slice());
            values.copy_from_slice(&quantized);
            scale
        };
        let scales: Vec<f32> = values.par_chunks_mut(dimensions.max(1)).zip(rows).map(fill).collect();
        let kernels = Kernels::best();
        let measure = |(values, scale): (&[i8], &f32)| {
            let codes = Codes::new(values);
            (codes.sum, scale * scale * kernels.dot(values, &codes) as f32)
        };
        let (sums, norms) = values.par_chunks(dimensions.max(1)).zip(&scales).map(measure).unzip();
        QuantizedRows { values, scales, sums, norms, dimensions, kernels }
    }

    pub(crate) fn len(&self) -> usize {
        self.scales.len()
    }

    pub(crate) fn int8(&self) -> Int8Rows<'_> {
        Int8Rows::new(&self.values, &self.scales, self.dimensions)
    }

    fn row(&self, row: u32) -> &[i8] {
        &self.values[row as usize * self.dimensions..][..self.dimensions]
    }

    pub(crate) fn are_equal(&self, a: u32, b: u32) -> bool {
        self.scales[a as usize] == self.scales[b as usize] && self.row(a) == self.row(b)
    }

    /// The same for equal rows.
    pub(crate) fn digest(&self, row: u32) -> [u8; 8] {
        let hash = blake3::hash(bytemuck::cast_slice(self.row(row)));
        hash.as_bytes().first_chunk().copied().unwrap_or_default()
    }

    /// Squared distance, 0 and up; 0 for rows that are equal.
    #[inline]
    pub(crate) fn distance(&self, a: u32, b: u32) -> f32 {
        let (from, to) = (a as usize, b as usize);
        let codes = Codes { values: self.row(b), sum: self.sums[to] };
        let product = self.kernels.dot(self.row(a), &codes) as f32;
        let twice = 2.0 * (self.scales[from] * self.scales[to] * product);
        (self.norms[from] + self.norms[to] - twice).max(0.0)
    }
}

/// What hnsw_rs asks: its points are row numbers, so it copies no rows. Never negative, which it would panic at.
pub(crate) struct RowDistance<'a>(pub(crate) &'a QuantizedRows);

impl Distance<u32> for RowDistance<'_> {
    fn eval(&self, a: &[u32], b: &[u32]) -> f32 {
        self.0.distance(a[0], b[0])
    }
}
