//! No instruction set in particular: four lanes in an array. Every other implementation is tested against this one.

use std::array::from_fn;

use super::Simd;

/// Ordinary Rust.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

const LANES: usize = 4;

impl Simd for Portable {
    type F32 = [f32; LANES];
    type I32 = [i32; LANES];
    const LANES: usize = LANES;
    const ROWS: usize = 2;
    const VECTORS: usize = 4;

    #[inline(always)]
    unsafe fn splat(value: f32) -> [f32; LANES] {
        [value; LANES]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> [f32; LANES] {
        unsafe { from.cast::<[f32; LANES]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, value: [f32; LANES]) {
        unsafe { to.cast::<[f32; LANES]>().write_unaligned(value) }
    }
    #[inline(always)]
    unsafe fn add(a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        from_fn(|lane| a[lane] + b[lane])
    }
    #[inline(always)]
    unsafe fn sub(a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        from_fn(|lane| a[lane] - b[lane])
    }
    #[inline(always)]
    unsafe fn mul(a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        from_fn(|lane| a[lane] * b[lane])
    }
    #[inline(always)]
    unsafe fn div(a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        from_fn(|lane| a[lane] / b[lane])
    }
    #[inline(always)]
    unsafe fn min(a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        from_fn(|lane| a[lane].min(b[lane]))
    }
    #[inline(always)]
    unsafe fn max(a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        from_fn(|lane| a[lane].max(b[lane]))
    }
    /// Rounds twice: a fused product without the instruction is a slow call.
    #[inline(always)]
    unsafe fn fused(a: [f32; LANES], b: [f32; LANES], c: [f32; LANES]) -> [f32; LANES] {
        from_fn(|lane| a[lane] * b[lane] + c[lane])
    }
    #[inline(always)]
    unsafe fn round(a: [f32; LANES]) -> [f32; LANES] {
        a.map(f32::round_ties_even)
    }
    #[inline(always)]
    unsafe fn power_of_two(exponent: [f32; LANES]) -> [f32; LANES] {
        exponent.map(|exponent| f32::from_bits(((exponent as i32 + 127) as u32) << 23))
    }
    #[inline(always)]
    unsafe fn sum(a: [f32; LANES]) -> f32 {
        a.iter().sum()
    }
    #[inline(always)]
    unsafe fn largest(a: [f32; LANES]) -> f32 {
        a.into_iter().fold(f32::NEG_INFINITY, f32::max)
    }
    #[inline(always)]
    unsafe fn store_i16(to: *mut i16, value: [f32; LANES]) {
        unsafe { to.cast::<[i16; LANES]>().write_unaligned(value.map(|value| value as i16)) }
    }
    #[inline(always)]
    unsafe fn store_u8(to: *mut u8, value: [f32; LANES]) {
        unsafe { to.cast::<[u8; LANES]>().write_unaligned(value.map(|value| value as u8)) }
    }
    #[inline(always)]
    unsafe fn zero_i32() -> [i32; LANES] {
        [0; LANES]
    }
    #[inline(always)]
    unsafe fn splat_bytes(from: *const u8) -> [i32; LANES] {
        [unsafe { from.cast::<i32>().read_unaligned() }; LANES]
    }
    #[inline(always)]
    unsafe fn load_bytes(from: *const u8) -> [i32; LANES] {
        unsafe { from.cast::<[i32; LANES]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store_bytes(to: *mut u8, a: [i32; LANES]) {
        unsafe { to.cast::<[i32; LANES]>().write_unaligned(a) }
    }
    #[inline(always)]
    unsafe fn to_f32(a: [i32; LANES]) -> [f32; LANES] {
        a.map(|value| value as f32)
    }
    #[inline(always)]
    unsafe fn dot_i16(sum: [i32; LANES], a: [i32; LANES], b: [i32; LANES]) -> [i32; LANES] {
        let halves = |value: i32| [i32::from(value as i16), value >> 16];
        from_fn(|lane| {
            let (a, b) = (halves(a[lane]), halves(b[lane]));
            sum[lane] + a[0] * b[0] + a[1] * b[1]
        })
    }
    #[inline(always)]
    unsafe fn dot_u8_i8(sum: [i32; LANES], a: [i32; LANES], b: [i32; LANES]) -> [i32; LANES] {
        from_fn(|lane| {
            let (a, b) = (a[lane].to_ne_bytes(), b[lane].to_ne_bytes());
            let product = |at: usize| i32::from(a[at]) * i32::from(b[at] as i8);
            sum[lane] + (0..4).map(product).sum::<i32>()
        })
    }
    #[inline(always)]
    unsafe fn prefetch(_: *const u8) {}
}
