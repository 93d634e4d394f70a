//! Work on whole rows of activations: layer normalization, softmax, quantization.
//!
//! Matrices are padded with zero columns up to a multiple of 16, so rows are always whole vectors.

use super::simd::Simd;
use super::slabs::{Matrix, PANEL, SLAB};

/// Weights of a layer normalization, padded with zeros.
pub(crate) struct NormWeights<'a> {
    pub(crate) scale: &'a [f32],
    pub(crate) shift: &'a [f32],
    /// Columns without the padding.
    pub(crate) width: usize,
    pub(crate) epsilon: f32,
}

/// Codes of rows, and what turns them back into numbers.
#[derive(Clone, Copy)]
pub(crate) struct Codes<T> {
    pub(crate) matrix: Matrix<T>,
    /// One per row.
    pub(crate) scale: *mut f32,
    /// One per row; unused by symmetric codes.
    pub(crate) shift: *mut f32,
}

// SAFETY: addresses; every function that follows them is unsafe.
unsafe impl<T: Send> Send for Codes<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Codes<T> {}

/// A number that holds codes.
pub(crate) trait Code: Copy {
    /// Writes a vector of codes.
    ///
    /// # Safety
    /// As for the functions of [`Simd`]; the codes are in range.
    unsafe fn store<S: Simd>(to: *mut Self, codes: S::F32);
}

impl Code for i16 {
    #[inline(always)]
    unsafe fn store<S: Simd>(to: *mut i16, codes: S::F32) {
        // SAFETY: the caller's promise.
        unsafe { S::store_i16(to, codes) }
    }
}

impl Code for u8 {
    #[inline(always)]
    unsafe fn store<S: Simd>(to: *mut u8, codes: S::F32) {
        // SAFETY: the caller's promise.
        unsafe { S::store_u8(to, codes) }
    }
}

/// Calls `$body` with the address offset of every vector of a row.
macro_rules! for_vectors {
    ($S:ident, $matrix:expr, |$column:ident, $offset:ident| $body:block) => {
        let mut $column = 0;
        while $column < $matrix.columns.next_multiple_of(PANEL) {
            let $offset = $matrix.offset($column);
            $body
            $column += $S::LANES;
        }
    };
}

/// Normalizes each row of `from` to mean 0 and variance 1, scales, shifts, and writes it to `to`, which may be `from`.
///
/// # Safety
/// Both matrices have the weights' padded width and the same rows.
#[inline(always)]
pub(crate) unsafe fn layer_norm<S: Simd>(from: &Matrix<f32>, to: &Matrix<f32>, weights: &NormWeights<'_>) {
    let width = weights.width as f32;
    let padding = (from.columns.next_multiple_of(PANEL) - weights.width) as f32;
    for row in 0..from.rows {
        unsafe {
            let (source, target) = (from.start.add(row * SLAB), to.start.add(row * SLAB));
            let mut sum = S::splat(0.0);
            for_vectors!(S, from, |column, offset| {
                sum = S::add(sum, S::load(source.add(offset)));
            });
            let mean = S::sum(sum) / width;
            let means = S::splat(mean);
            let mut squares = S::splat(0.0);
            for_vectors!(S, from, |column, offset| {
                let centered = S::sub(S::load(source.add(offset)), means);
                squares = S::fused(centered, centered, squares);
            });
            // Each zero of the padding has added mean² too.
            let variance = (S::sum(squares) - padding * mean * mean) / width;
            let inverse = S::splat(1.0 / (variance + weights.epsilon).sqrt());
            for_vectors!(S, from, |column, offset| {
                let centered = S::sub(S::load(source.add(offset)), means);
                let scale = S::mul(S::load(weights.scale.as_ptr().add(column)), inverse);
                let shift = S::load(weights.shift.as_ptr().add(column));
                S::store(target.add(to.offset(column)), S::fused(centered, scale, shift));
            });
        }
    }
}

/// Largest absolute value of a row.
#[inline(always)]
unsafe fn extent<S: Simd>(matrix: &Matrix<f32>, row: *const f32) -> f32 {
    unsafe {
        let mut largest = S::splat(0.0);
        for_vectors!(S, matrix, |column, offset| {
            let value = S::load(row.add(offset));
            largest = S::max(largest, S::max(value, S::sub(S::splat(0.0), value)));
        });
        S::largest(largest)
    }
}

/// Codes each row in integers of at most `limit`, symmetric around 0.
///
/// # Safety
/// `codes` has the shape of `from`, and a scale per row.
#[inline(always)]
pub(crate) unsafe fn quantize_i16<S: Simd>(from: &Matrix<f32>, codes: &Codes<i16>, limit: f32) {
    for row in 0..from.rows {
        unsafe {
            let source = from.start.add(row * SLAB);
            let target = codes.matrix.start.add(row * SLAB);
            let extent = extent::<S>(from, source).max(f32::MIN_POSITIVE);
            *codes.scale.add(row) = extent / limit;
            let factor = S::splat(limit / extent);
            for_vectors!(S, from, |column, offset| {
                let code = S::round(S::mul(S::load(source.add(offset)), factor));
                i16::store::<S>(target.add(codes.matrix.offset(column)), code);
            });
        }
    }
}

/// Codes each row in 0..=255 with a zero point, so that its range need not be symmetric.
///
/// # Safety
/// `codes` has the shape of `from`, and a scale and a shift per row.
#[inline(always)]
pub(crate) unsafe fn quantize_u8<S: Simd, C: Code>(from: &Matrix<f32>, codes: &Codes<C>) {
    for row in 0..from.rows {
        unsafe {
            let source = from.start.add(row * SLAB);
            let target = codes.matrix.start.add(row * SLAB);
            let (mut low, mut high) = (S::splat(0.0), S::splat(0.0));
            for_vectors!(S, from, |column, offset| {
                let value = S::load(source.add(offset));
                low = S::max(low, S::sub(S::splat(0.0), value));
                high = S::max(high, value);
            });
            let (low, high) = (S::largest(low), S::largest(high));
            let scale = ((low + high) / 255.0).max(f32::MIN_POSITIVE);
            let zero = (low / scale).round_ties_even();
            *codes.scale.add(row) = scale;
            *codes.shift.add(row) = -scale * zero;
            let (factor, zero) = (S::splat(1.0 / scale), S::splat(zero));
            for_vectors!(S, from, |column, offset| {
                let code = S::add(S::round(S::mul(S::load(source.add(offset)), factor)), zero);
                let code = S::min(S::max(code, S::splat(0.0)), S::splat(255.0));
                C::store::<S>(target.add(codes.matrix.offset(column)), code);
            });
        }
    }
}

/// Turns the first `length` scores of each row into exponentials and the rest into zeros; writes one over the sum of each
/// row to `factors`.
///
/// # Safety
/// `scores` has at least `length` columns, `factors` room for a number per row.
#[inline(always)]
pub(crate) unsafe fn softmax<S: Simd>(scores: &Matrix<f32>, length: usize, factors: *mut f32) {
    for row in 0..scores.rows {
        unsafe {
            let start = scores.start.add(row * SLAB);
            for column in length..length.next_multiple_of(PANEL) {
                *start.add(scores.offset(column)) = f32::NEG_INFINITY;
            }
            let mut largest = S::splat(f32::NEG_INFINITY);
            for_vectors!(S, scores, |column, offset| {
                largest = S::max(largest, S::load(start.add(offset)));
            });
            let largest = S::splat(S::largest(largest));
            let mut sum = S::splat(0.0);
            for_vectors!(S, scores, |column, offset| {
                let power = super::elementwise::exp::<S>(S::sub(S::load(start.add(offset)), largest));
                S::store(start.add(offset), power);
                sum = S::add(sum, power);
            });
            *factors.add(row) = 1.0 / S::sum(sum);
        }
    }
}
