//! What a processor offers for the forward pass, as one trait: each implementation is a thin layer over one family of
//! instructions, and every kernel is written once against the trait.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
#[cfg(target_arch = "aarch64")]
pub(crate) mod neon;
pub(crate) mod portable;

/// Vectors of f32 and of i32, and what the kernels do with them.
///
/// # Safety
/// Every function may be called only on a processor that has the instructions of the implementation, and from code that is
/// compiled for them (`#[target_feature]`), else it is slow. Pointers must be good for [`Simd::LANES`] elements of
/// their type (or what the function says); no alignment is asked for.
pub(crate) trait Simd: Copy + 'static {
    /// [`Simd::LANES`] of f32.
    type F32: Copy;
    /// [`Simd::LANES`] of i32.
    type I32: Copy;
    /// Elements of a vector, at most 16.
    const LANES: usize;
    /// Rows of the largest tile of a product that fits the registers beside its operands.
    const ROWS: usize;
    /// Vectors of one row of a tile: a panel or two.
    const VECTORS: usize;

    /// The same number in every lane.
    unsafe fn splat(value: f32) -> Self::F32;
    unsafe fn load(from: *const f32) -> Self::F32;
    unsafe fn store(to: *mut f32, value: Self::F32);
    unsafe fn add(a: Self::F32, b: Self::F32) -> Self::F32;
    unsafe fn sub(a: Self::F32, b: Self::F32) -> Self::F32;
    unsafe fn mul(a: Self::F32, b: Self::F32) -> Self::F32;
    unsafe fn min(a: Self::F32, b: Self::F32) -> Self::F32;
    unsafe fn max(a: Self::F32, b: Self::F32) -> Self::F32;
    unsafe fn div(a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a * b + c`.
    unsafe fn fused(a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// To the nearest integer, ties to even.
    unsafe fn round(a: Self::F32) -> Self::F32;
    /// 2 to a power that is an integer in [-126, 127].
    unsafe fn power_of_two(exponent: Self::F32) -> Self::F32;
    /// Sum over the lanes.
    unsafe fn sum(a: Self::F32) -> f32;
    /// Largest lane.
    unsafe fn largest(a: Self::F32) -> f32;
    /// Writes the lanes, integers in the range of i16 already, as i16.
    unsafe fn store_i16(to: *mut i16, value: Self::F32);
    /// Writes the lanes, integers in 0..=255 already, as u8.
    unsafe fn store_u8(to: *mut u8, value: Self::F32);

    unsafe fn zero_i32() -> Self::I32;
    /// The same four bytes in every lane.
    unsafe fn splat_bytes(from: *const u8) -> Self::I32;
    /// Four bytes for each lane.
    unsafe fn load_bytes(from: *const u8) -> Self::I32;
    /// The reverse of [`Simd::load_bytes`].
    unsafe fn store_bytes(to: *mut u8, a: Self::I32);
    unsafe fn to_f32(a: Self::I32) -> Self::F32;
    /// Adds to each lane of `sum` the product of its two i16 of `a` and `b`.
    unsafe fn dot_i16(sum: Self::I32, a: Self::I32, b: Self::I32) -> Self::I32;
    /// Adds to each lane of `sum` the product of its four u8 of `a` and i8 of `b`.
    unsafe fn dot_u8_i8(sum: Self::I32, a: Self::I32, b: Self::I32) -> Self::I32;
    /// Asks for a cache line that will be read soon. Any address is allowed.
    unsafe fn prefetch(from: *const u8);
}
