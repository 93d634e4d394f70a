//! Attention of one head over one text: scores, softmax and weighted sum, a few rows at a time, so that the scores never
//! leave the first-level cache.

use super::product::{Activation, Panels, Product};
use super::rows::softmax;
use super::simd::Simd;
use super::slabs::{Buffer, Matrix, PANEL, SLAB};

/// One head of one text. Queries carry the factor `1 / sqrt(head width)` already.
pub(crate) struct Attention {
    /// Shapes: `[tokens, head width]`, the width a multiple of 16.
    pub(crate) query: Matrix<f32>,
    pub(crate) key: Matrix<f32>,
    pub(crate) value: Matrix<f32>,
    pub(crate) out: Matrix<f32>,
    pub(crate) keys: *mut f32,
    pub(crate) scores: Matrix<f32>,
    pub(crate) factors: *mut f32,
    /// What is added to a score by the distance from its query to its key, at the distance 0; null for nothing. Good
    /// for all distances between two tokens of the text.
    pub(crate) bias: *const f32,
}

/// Rows of scores at a time: two tiles of the largest kind.
const ROWS: usize = 28;

/// Memory that attention needs besides its inputs.
#[derive(Default)]
pub(crate) struct AttentionBuffers {
    keys: Buffer<f32>,
    scores: Buffer<f32>,
    factors: Buffer<f32>,
}

impl AttentionBuffers {
    /// The attention of one head with these buffers as its memory. `bias` has an entry for every distance that two
    /// tokens of the text can have, from the last query to the first key on.
    pub(crate) fn head(
        &mut self,
        [query, key, value]: [Matrix<f32>; 3],
        out: Matrix<f32>,
        bias: Option<&[f32]>,
    ) -> Attention {
        let bias = bias.map_or(std::ptr::null(), |bias| {
            assert_eq!(bias.len() + 1, 2 * key.rows, "an entry for every distance");
            // Not through a part of the slice: what comes before is read, too.
            bias.as_ptr().wrapping_add(key.rows - 1)
        });
        let padded = key.rows.next_multiple_of(PANEL);
        self.keys.reserve(padded * key.columns);
        self.factors.reserve(ROWS);
        let scores = self.scores.matrix(ROWS, padded);
        let keys = self.keys.as_mut_slice().as_mut_ptr();
        let factors = self.factors.as_mut_slice().as_mut_ptr();
        Attention { query, key, value, out, keys, scores, factors, bias }
    }
}

/// Computes it, with a product of f32 compiled for the same instructions.
///
/// # Safety
/// The processor has `S`'s instructions; the matrices have the shapes that [`Attention`] names.
#[inline(always)]
pub(crate) unsafe fn attend<S: Simd>(attention: &Attention, multiply: unsafe fn(&Product)) {
    let tokens = attention.query.rows;
    unsafe { transpose(attention) };
    let mut first = 0;
    while first < tokens {
        let rows = ROWS.min(tokens - first);
        let scores = attention.scores.rows(0, rows);
        unsafe {
            multiply(&score(attention, first, rows));
            if !attention.bias.is_null() {
                add_bias(attention, first, rows);
            }
            softmax::<S>(&scores, tokens, attention.factors);
            let mut column = 0;
            while column < attention.value.columns {
                multiply(&weigh(attention, first, rows, column));
                column += SLAB;
            }
        }
        first += rows;
    }
}

/// Keys as panels: for 16 tokens at a time, a line per component. Tokens beyond the last are zero.
#[inline(always)]
unsafe fn transpose(attention: &Attention) {
    let key = &attention.key;
    for token in 0..key.rows.next_multiple_of(PANEL) {
        let to = token / PANEL * key.columns * PANEL + token % PANEL;
        for column in 0..key.columns {
            unsafe {
                let there = token < key.rows;
                let value = if there { *key.start.add(key.offset(column) + token * SLAB) } else { 0.0 };
                *attention.keys.add(to + column * PANEL) = value;
            }
        }
    }
}

/// Scores of some rows against all keys.
#[inline(always)]
fn score(attention: &Attention, first: usize, rows: usize) -> Product {
    let width = attention.key.columns;
    let b = Panels {
        start: attention.keys.cast(),
        line: PANEL * 4,
        panel: width * PANEL * 4,
        count: attention.key.rows.div_ceil(PANEL),
    };
    plain(attention.query.rows(first, rows), width, b, attention.scores.rows(0, rows))
}

/// Adds to the scores of some rows what belongs to their distances: for one query, neighboring keys have neighboring
/// entries.
#[inline(always)]
unsafe fn add_bias(attention: &Attention, first: usize, rows: usize) {
    let scores = &attention.scores;
    for row in 0..rows {
        for column in (0..attention.key.rows).step_by(SLAB) {
            unsafe {
                let score = scores.start.add(scores.offset(column) + row * SLAB);
                let bias = attention.bias.offset(column as isize - (first + row) as isize);
                for at in 0..SLAB.min(attention.key.rows - column) {
                    *score.add(at) += *bias.add(at);
                }
            }
        }
    }
}

/// Sums of the values, weighted by some rows of exponentials, for the columns of one slab.
#[inline(always)]
fn weigh(attention: &Attention, first: usize, rows: usize, column: usize) -> Product {
    let columns = SLAB.min(attention.value.columns - column);
    let value = attention.value.columns(column, columns);
    let b = Panels { start: value.start.cast(), line: SLAB * 4, panel: PANEL * 4, count: columns / PANEL };
    let out = attention.out.columns(column, columns).rows(first, rows);
    let scores = attention.scores.rows(0, rows);
    Product { row_factor: attention.factors, plain: false, ..plain(scores, attention.value.rows, b, out) }
}

/// A product without anything after it.
#[inline(always)]
fn plain(a: Matrix<f32>, steps: usize, b: Panels, out: Matrix<f32>) -> Product {
    Product {
        a: a.start.cast(),
        a_slab: a.stride * size_of::<f32>(),
        rows: a.rows,
        steps,
        b,
        out,
        first_column: 0,
        scales: None,
        bias: std::ptr::null(),
        row_factor: std::ptr::null(),
        residual: None,
        activation: Activation::Identity,
        plain: true,
    }
}
