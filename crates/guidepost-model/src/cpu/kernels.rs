//! The kernels as a table of functions, one table per family of instructions, and the choice among them at run time.

use super::attention::{Attention, attend};
use super::peak::multiply_add;
use super::product::{F32, I8, I16, Product, multiply};
use super::rows::{Codes, NormWeights, layer_norm, quantize_i16, quantize_u8};
use super::simd;
use super::slabs::Matrix;

/// Everything the forward pass asks of a processor. What the functions ask of their arguments stands with the generic
/// functions of the same name; all of them need the instructions that the table is for.
#[derive(Debug)]
pub(crate) struct Kernels {
    /// Name of the family: `avx512-vnni`, `avx512`, `avx2-vnni`, `avx2`, `neon` or `portable`.
    pub(crate) name: &'static str,
    /// f32s in a vector.
    pub(crate) lanes: usize,
    /// Whether u8 times i8 is faster than i16 times i16.
    pub(crate) fast_bytes: bool,
    pub(crate) multiply_f32: unsafe fn(&Product),
    pub(crate) multiply_i16: unsafe fn(&Product),
    pub(crate) multiply_i8: unsafe fn(&Product),
    pub(crate) layer_norm: unsafe fn(&Matrix<f32>, &Matrix<f32>, &NormWeights<'_>),
    pub(crate) quantize_i16: unsafe fn(&Matrix<f32>, &Codes<i16>, f32),
    pub(crate) quantize_u8: unsafe fn(&Matrix<f32>, &Codes<u8>),
    pub(crate) quantize_u8_in_i16: unsafe fn(&Matrix<f32>, &Codes<i16>),
    pub(crate) attend: unsafe fn(&Attention),
    pub(crate) multiply_add: unsafe fn(usize) -> f32,
}

/// Compiles every kernel for one family of instructions.
macro_rules! kernels {
    ($table:ident, $name:literal, $simd:ty, $fast_bytes:literal $(, $features:literal)?) => {
        pub(crate) static $table: Kernels = {
            $(#[target_feature(enable = $features)])?
            unsafe fn multiply_f32(product: &Product) {
                // SAFETY: the caller's promise, here and below.
                unsafe { multiply::<$simd, F32>(product) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn multiply_i16(product: &Product) {
                // SAFETY: as above.
                unsafe { multiply::<$simd, I16>(product) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn multiply_i8(product: &Product) {
                // SAFETY: as above.
                unsafe { multiply::<$simd, I8>(product) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn normalize(from: &Matrix<f32>, to: &Matrix<f32>, weights: &NormWeights<'_>) {
                // SAFETY: as above.
                unsafe { layer_norm::<$simd>(from, to, weights) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn to_i16(from: &Matrix<f32>, codes: &Codes<i16>, limit: f32) {
                // SAFETY: as above.
                unsafe { quantize_i16::<$simd>(from, codes, limit) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn to_u8(from: &Matrix<f32>, codes: &Codes<u8>) {
                // SAFETY: as above.
                unsafe { quantize_u8::<$simd, u8>(from, codes) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn to_u8_in_i16(from: &Matrix<f32>, codes: &Codes<i16>) {
                // SAFETY: as above.
                unsafe { quantize_u8::<$simd, i16>(from, codes) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn one_head(attention: &Attention) {
                // SAFETY: as above.
                unsafe { attend::<$simd>(attention, multiply_f32) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn chains(rounds: usize) -> f32 {
                // SAFETY: as above.
                unsafe { multiply_add::<$simd>(rounds) }
            }
            Kernels {
                name: $name,
                lanes: <$simd as simd::Simd>::LANES,
                fast_bytes: $fast_bytes,
                multiply_f32,
                multiply_i16,
                multiply_i8,
                layer_norm: normalize,
                quantize_i16: to_i16,
                quantize_u8: to_u8,
                quantize_u8_in_i16: to_u8_in_i16,
                attend: one_head,
                multiply_add: chains,
            }
        };
    };
}

kernels!(PORTABLE, "portable", simd::portable::Portable, false);
#[cfg(target_arch = "x86_64")]
kernels!(AVX2, "avx2", simd::avx2::Avx2<false>, false, "avx2,fma");
#[cfg(target_arch = "x86_64")]
kernels!(AVX2_VNNI, "avx2-vnni", simd::avx2::Avx2<true>, true, "avx2,fma,avxvnni");
#[cfg(target_arch = "x86_64")]
kernels!(AVX512, "avx512", simd::avx512::Avx512<false>, false, "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl");
#[cfg(target_arch = "x86_64")]
kernels!(
    AVX512_VNNI,
    "avx512-vnni",
    simd::avx512::Avx512<true>,
    true,
    "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"
);
#[cfg(target_arch = "aarch64")]
kernels!(NEON, "neon", simd::neon::Neon, false, "neon");

impl Kernels {
    /// The fastest this processor can run.
    pub(crate) fn best() -> &'static Kernels {
        Self::available()[0]
    }

    /// All that this processor can run, fastest first; the portable ones are always there.
    pub(crate) fn available() -> Vec<&'static Kernels> {
        let mut found: Vec<&'static Kernels> = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let avx512 = avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl");
            let families = [
                (avx512 && is_x86_feature_detected!("avx512vnni"), &AVX512_VNNI),
                (avx512, &AVX512),
                (avx2 && is_x86_feature_detected!("avxvnni"), &AVX2_VNNI),
                (avx2, &AVX2),
            ];
            found.extend(families.into_iter().filter(|family| family.0).map(|family| family.1));
        }
        #[cfg(target_arch = "aarch64")]
        found.push(&NEON);
        found.push(&PORTABLE);
        found
    }
}
