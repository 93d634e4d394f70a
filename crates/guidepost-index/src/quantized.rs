//! Rows in int8: an estimate of a cosine at a quarter of the memory, and how far off it can be.
//!
//! A component is the f32 one divided by the row's scale, which maps the largest to 127. A query is rounded the same way.

use crate::int8::{Codes, Kernels};

/// Rows of equal length that lie one after another, with a scale for each.
#[derive(Clone, Copy)]
pub(crate) struct Int8Rows<'a> {
    pub(crate) values: &'a [i8],
    pub(crate) scales: &'a [f32],
    pub(crate) dimensions: usize,
    kernels: &'static Kernels,
}

/// A row, or a query, in int8.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Int8Query<'a> {
    codes: Codes<'a>,
    scale: f32,
}

impl<'a> Int8Query<'a> {
    pub(crate) fn new(values: &'a [i8], scale: f32) -> Self {
        Int8Query { codes: Codes::new(values), scale }
    }
}

impl<'a> Int8Rows<'a> {
    pub(crate) fn new(values: &'a [i8], scales: &'a [f32], dimensions: usize) -> Self {
        Int8Rows { values, scales, dimensions, kernels: Kernels::best() }
    }

    pub(crate) fn len(&self) -> usize {
        self.scales.len()
    }

    /// A row as a query for those that resemble it.
    pub(crate) fn as_query(&self, row: u32) -> Int8Query<'a> {
        Int8Query::new(self.row(row), self.scales[row as usize])
    }

    fn row(&self, row: u32) -> &'a [i8] {
        &self.values[row as usize * self.dimensions..][..self.dimensions]
    }

    /// About the cosine of a row with the query.
    pub(crate) fn estimate(&self, query: &Int8Query<'_>, row: u32) -> f32 {
        let product = self.kernels.dot(self.row(row), &query.codes);
        cosine(product, query, self.scales[row as usize])
    }

    /// Calls back with about the cosine of each of these rows, up to [`BATCH`] at a time.
    #[inline]
    pub(crate) fn estimate_at(&self, query: &Int8Query<'_>, rows: &[u32], mut each: impl FnMut(u32, f32)) {
        let mut products = [0; BATCH];
        for rows in rows.chunks(BATCH) {
            self.kernels.dot_at(self.values, &query.codes, rows, &mut products);
            for (&row, &product) in rows.iter().zip(&products) {
                each(row, cosine(product, query, self.scales[row as usize]));
            }
        }
    }

    /// The same for a run of rows.
    #[inline]
    pub(crate) fn estimate_run(
        &self,
        query: &Int8Query<'_>,
        run: std::ops::Range<usize>,
        mut each: impl FnMut(u32, f32),
    ) {
        let mut products = [0; BATCH];
        for start in run.clone().step_by(BATCH) {
            let end = run.end.min(start + BATCH);
            let values = &self.values[start * self.dimensions..end * self.dimensions];
            self.kernels.dot_each(values, &query.codes, &mut products);
            for ((row, &scale), &product) in (start..end).zip(&self.scales[start..end]).zip(&products) {
                each(row as u32, cosine(product, query, scale));
            }
        }
    }

    /// The largest step between two values of a component.
    pub(crate) fn coarsest(&self) -> f32 {
        self.scales.iter().fold(0.0, |coarsest, &scale| scale.max(coarsest))
    }
}

impl Int8Query<'_> {
    /// How far an estimate can be from the cosine, over rows whose scales are at most `coarsest`. Rounding errs by up to
    /// half a step, evenly spread, so that the sum over the components is normal with a variance of a twelfth of both
    /// squared steps; six standard deviations happen once in a billion rows, and never where rows have up to twelve
    /// components that are not 0.
    pub(crate) fn tolerance(&self, coarsest: f32) -> f32 {
        6.0 * ((coarsest * coarsest + self.scale * self.scale) / 12.0).sqrt()
    }
}

/// Rows that are estimated at a time.
const BATCH: usize = 64;

#[inline(always)]
fn cosine(product: i32, query: &Int8Query<'_>, scale: f32) -> f32 {
    product as f32 * (query.scale * scale)
}

/// A row in int8, and its scale.
pub(crate) fn quantize(row: &[f32]) -> (Vec<i8>, f32) {
    let largest = row.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    if largest == 0.0 {
        return (vec![0; row.len()], 0.0);
    }
    let scale = largest / 127.0;
    (row.iter().map(|value| (value / scale).round() as i8).collect(), scale)
}
