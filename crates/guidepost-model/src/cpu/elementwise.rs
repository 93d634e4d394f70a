//! Functions of single numbers, on vectors. Coefficients are Chebyshev interpolants made for this file by `coefficients.py`
//! beside it; the tests hold them against the functions in f64.

use super::simd::Simd;

/// Beyond it, the error function of `x / sqrt(2)` is 1 in f32.
const GELU_LIMIT: f32 = 5.75;

/// `(Φ(x) - 1/2) / x` as a polynomial in `2 x² / GELU_LIMIT² - 1`, Φ the distribution function of the normal distribution.
/// Lowest power first.
const GELU: [f32; 17] = [
    0.12296921,
    -0.061433267,
    0.045862924,
    -0.037636343,
    0.03172391,
    -0.026535442,
    0.021585314,
    -0.016928006,
    0.012448966,
    -0.008227782,
    0.0054935496,
    -0.0042194813,
    0.0023124246,
    -0.00035735333,
    0.00027231275,
    -0.0006552029,
    0.00028079355,
];

/// `exp(r)` on [-ln 2 / 2, ln 2 / 2]. Lowest power first.
const EXP: [f32; 7] = [1.0, 1.0, 0.5, 0.166_664_15, 0.041_666_35, 0.008_375_126, 0.001_394_110_8];

/// `x Φ(x)`, the GELU by its definition. Absolute error below 1e-6.
#[inline(always)]
pub(crate) unsafe fn gelu<S: Simd>(x: S::F32) -> S::F32 {
    unsafe {
        let inside = S::max(S::min(x, S::splat(GELU_LIMIT)), S::splat(-GELU_LIMIT));
        let scale = S::splat(2.0 / (GELU_LIMIT * GELU_LIMIT));
        let at = S::fused(S::mul(inside, inside), scale, S::splat(-1.0));
        let phi = S::fused(inside, polynomial::<S, 17>(&GELU, at), S::splat(0.5));
        S::mul(x, phi)
    }
}

/// GELU by its tanh approximation, which some models were trained with: `x / (1 + exp(-2 u))` with
/// `u = sqrt(2/π) (x + 0.044715 x³)`.
#[inline(always)]
pub(crate) unsafe fn gelu_tanh<S: Simd>(x: S::F32) -> S::F32 {
    unsafe {
        let cubed = S::mul(S::mul(x, x), S::mul(x, S::splat(0.044_715)));
        let u = S::mul(S::add(x, cubed), S::splat(-1.595_769));
        S::div(x, S::add(S::splat(1.0), exp::<S>(S::min(u, S::splat(80.0)))))
    }
}

/// `exp(x)` for `x` of at most 80; below -87 nearly 0. Relative error below 1e-6.
#[inline(always)]
pub(crate) unsafe fn exp<S: Simd>(x: S::F32) -> S::F32 {
    unsafe {
        let x = S::max(x, S::splat(-87.0));
        let power = S::round(S::mul(x, S::splat(std::f32::consts::LOG2_E)));
        // ln 2 in two parts, the first with few bits so that its product is exact.
        let rest = S::fused(power, S::splat(-0.693_359_4), x);
        let rest = S::fused(power, S::splat(2.121_944_4e-4), rest);
        S::mul(polynomial::<S, 7>(&EXP, rest), S::power_of_two(power))
    }
}

/// Horner's scheme.
#[inline(always)]
unsafe fn polynomial<S: Simd, const N: usize>(coefficients: &[f32; N], at: S::F32) -> S::F32 {
    unsafe {
        let mut sum = S::splat(coefficients[N - 1]);
        let mut power = N - 1;
        while power > 0 {
            power -= 1;
            sum = S::fused(sum, at, S::splat(coefficients[power]));
        }
        sum
    }
}
