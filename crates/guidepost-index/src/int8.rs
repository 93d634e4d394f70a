//! Products of int8 rows, compiled for each family of instructions and chosen among at run time.
//!
//! All families give the same integers, so what a search finds never depends on the processor. Not here: what the
//! integers mean (see `quantized`).

/// A query in int8, with the sum of its components.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Codes<'a> {
    pub(crate) values: &'a [i8],
    /// VNNI multiplies unsigned by signed bytes: rows are lifted by 128 for it, which adds 128 times this sum.
    pub(crate) sum: i32,
}

impl<'a> Codes<'a> {
    pub(crate) fn new(values: &'a [i8]) -> Self {
        Codes { values, sum: values.iter().map(|&value| i32::from(value)).sum() }
    }
}

/// The functions for one family of instructions. All need a processor that has it.
pub(crate) struct Kernels {
    /// Name of the family: `avx512-vnni`, `avx-vnni`, `avx2`, `neon` or `portable`.
    pub(crate) name: &'static str,
    /// Product of one row with the query, which is as long.
    dot: unsafe fn(&[i8], &Codes<'_>) -> i32,
    /// Products of rows that lie one after another.
    dot_each: unsafe fn(&[i8], &Codes<'_>, &mut [i32]),
    /// Products of rows by number.
    dot_at: unsafe fn(&[i8], &Codes<'_>, &[u32], &mut [i32]),
    /// Dot product of f32 rows, not clamped.
    dot_f32: unsafe fn(&[f32], &[f32]) -> f32,
}

impl Kernels {
    /// The fastest this processor can run.
    pub(crate) fn best() -> &'static Kernels {
        static BEST: std::sync::OnceLock<&'static Kernels> = std::sync::OnceLock::new();
        BEST.get_or_init(|| Self::available()[0])
    }

    /// All that this processor can run, fastest first; the portable ones are always there.
    pub(crate) fn available() -> Vec<&'static Kernels> {
        let mut found: Vec<&'static Kernels> = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2");
            let avx512 = avx2 && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
            let families = [
                (avx512 && is_x86_feature_detected!("avx512vnni"), &AVX512_VNNI),
                (avx2 && is_x86_feature_detected!("avxvnni"), &AVX_VNNI),
                (avx2, &AVX2),
            ];
            found.extend(families.into_iter().filter(|family| family.0).map(|family| family.1));
        }
        #[cfg(target_arch = "aarch64")]
        found.push(&NEON);
        found.push(&PORTABLE);
        found
    }

    /// Product of a row with the query.
    pub(crate) fn dot(&self, row: &[i8], query: &Codes<'_>) -> i32 {
        // SAFETY: tables are only had from `available`, which asked the processor; here and below.
        unsafe { (self.dot)(row, query) }
    }

    /// Products of the query with all `rows`, which lie one after another and are as long as it.
    pub(crate) fn dot_each(&self, rows: &[i8], query: &Codes<'_>, products: &mut [i32]) {
        // SAFETY: as above.
        unsafe { (self.dot_each)(rows, query, products) }
    }

    /// Products of the query with the `rows` of these numbers. Panics where a row is not there.
    pub(crate) fn dot_at(&self, rows: &[i8], query: &Codes<'_>, numbers: &[u32], products: &mut [i32]) {
        // SAFETY: as above.
        unsafe { (self.dot_at)(rows, query, numbers, products) }
    }

    /// Dot product of f32 rows.
    pub(crate) fn dot_f32(&self, a: &[f32], b: &[f32]) -> f32 {
        // SAFETY: as above.
        unsafe { (self.dot_f32)(a, b) }
    }
}

/// Rows ahead of the one being multiplied that are fetched meanwhile; 12 were as fast over 100,000 rows.
const AHEAD: usize = 4;

/// The same where rows lie one after another.
const RUN_AHEAD: usize = 16;

/// Compiles the loops around a product for its family of instructions.
macro_rules! kernels {
    ($table:ident, $name:literal, $product:path $(, $features:literal)?) => {
        pub(crate) static $table: Kernels = {
            $(#[target_feature(enable = $features)])?
            fn dot(row: &[i8], query: &Codes<'_>) -> i32 {
                $product(row, query)
            }
            $(#[target_feature(enable = $features)])?
            fn dot_each(rows: &[i8], query: &Codes<'_>, products: &mut [i32]) {
                let length = query.values.len().max(1);
                for (at, (product, row)) in products.iter_mut().zip(rows.chunks_exact(length)).enumerate() {
                    // The processor itself looks ahead only to the end of a page.
                    prefetch(rows.get((at + RUN_AHEAD) * length..(at + RUN_AHEAD + 1) * length).unwrap_or(&[]));
                    *product = $product(row, query);
                }
            }
            $(#[target_feature(enable = $features)])?
            fn dot_at(rows: &[i8], query: &Codes<'_>, numbers: &[u32], products: &mut [i32]) {
                let length = query.values.len();
                let row = |number: u32| &rows[number as usize * length..][..length];
                numbers.iter().take(AHEAD).for_each(|&number| prefetch(row(number)));
                for (at, (product, &number)) in products.iter_mut().zip(numbers).enumerate() {
                    if let Some(&ahead) = numbers.get(at + AHEAD) {
                        prefetch(row(ahead));
                    }
                    *product = $product(row(number), query);
                }
            }
            $(#[target_feature(enable = $features)])?
            fn dot_f32(a: &[f32], b: &[f32]) -> f32 {
                product_f32(a, b)
            }
            Kernels { name: $name, dot, dot_each, dot_at, dot_f32 }
        };
    };
}

kernels!(PORTABLE, "portable", portable);
#[cfg(target_arch = "x86_64")]
kernels!(AVX2, "avx2", x86::avx2, "avx2");
#[cfg(target_arch = "x86_64")]
kernels!(AVX_VNNI, "avx-vnni", x86::avx_vnni, "avx2,avxvnni");
#[cfg(target_arch = "x86_64")]
kernels!(AVX512_VNNI, "avx512-vnni", x86::avx512_vnni, "avx2,avx512f,avx512bw,avx512vnni");
#[cfg(target_arch = "aarch64")]
kernels!(NEON, "neon", arm::neon, "neon");

fn portable(row: &[i8], query: &Codes<'_>) -> i32 {
    row.iter().zip(query.values).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum()
}

/// Eight sums, so that the compiler may use vector instructions, and the same sums whichever it uses.
#[inline(always)]
fn product_f32(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    let (a_blocks, a_rest) = a.as_chunks::<8>();
    let (b_blocks, b_rest) = b.as_chunks::<8>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// Asks for memory that is read soon.
#[inline(always)]
pub(crate) fn prefetch<T>(memory: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for line in (0..size_of_val(memory)).step_by(64) {
        // SAFETY: a hint, which reads nothing; the address lies inside the slice.
        unsafe {
            std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(
                memory.as_ptr().byte_add(line).cast(),
            )
        };
    }
    // Elsewhere there is no stable intrinsic for it.
    #[cfg(not(target_arch = "x86_64"))]
    let _ = memory;
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Codes, portable};

    /// Bytes lifted from signed to unsigned have this bit flipped.
    const LIFT: i8 = -128;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub(super) fn avx512_vnni(row: &[i8], query: &Codes<'_>) -> i32 {
        let row = &row[..query.values.len()];
        let (mut even, mut odd) = (_mm512_setzero_si512(), _mm512_setzero_si512());
        let (rows, row_rest) = row.as_chunks::<128>();
        let (queries, query_rest) = query.values.as_chunks::<128>();
        for (row, query) in rows.iter().zip(queries) {
            let ((row_even, row_odd), (query_even, query_odd)) = (row.split_at(64), query.split_at(64));
            even = lifted_product(even, row_even, query_even);
            odd = lifted_product(odd, row_odd, query_odd);
        }
        for (row, query) in row_rest.chunks(64).zip(query_rest.chunks(64)) {
            even = lifted_product(even, row, query);
        }
        _mm512_reduce_add_epi32(_mm512_add_epi32(even, odd)) - 128 * query.sum
    }

    /// Adds the products of up to 64 components.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn lifted_product(sums: __m512i, row: &[i8], query: &[i8]) -> __m512i {
        let mask = if row.len() >= 64 { u64::MAX } else { (1 << row.len()) - 1 };
        debug_assert_eq!(row.len(), query.len());
        // SAFETY: the mask lets through only bytes that both slices have: they are equally long.
        let (row, query) = unsafe {
            (_mm512_maskz_loadu_epi8(mask, row.as_ptr()), _mm512_maskz_loadu_epi8(mask, query.as_ptr()))
        };
        _mm512_dpbusd_epi32(sums, _mm512_xor_si512(row, _mm512_set1_epi8(LIFT)), query)
    }

    #[inline]
    #[target_feature(enable = "avx2,avxvnni")]
    pub(super) fn avx_vnni(row: &[i8], query: &Codes<'_>) -> i32 {
        let lift = _mm256_set1_epi8(LIFT);
        let mut sums = _mm256_setzero_si256();
        let (rows, rest) = row.as_chunks::<32>();
        let (queries, query_rest) = query.values.as_chunks::<32>();
        for (row, query) in rows.iter().zip(queries) {
            sums = _mm256_dpbusd_avx_epi32(sums, _mm256_xor_si256(load(row), lift), load(query));
        }
        let lifted = query.sum - query_rest.iter().map(|&value| i32::from(value)).sum::<i32>();
        let rest = portable(rest, &Codes { values: query_rest, sum: 0 });
        total(sums) - 128 * lifted + rest
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn avx2(row: &[i8], query: &Codes<'_>) -> i32 {
        let ones = _mm256_set1_epi16(1);
        let mut sums = _mm256_setzero_si256();
        let (rows, rest) = row.as_chunks::<32>();
        let (queries, query_rest) = query.values.as_chunks::<32>();
        for (row, query) in rows.iter().zip(queries) {
            let (row, query) = (load(row), load(query));
            // Magnitudes of the row times the query with the row's signs: two products of at most 128 * 127 stay
            // within 16 bits, which unsigned rows would not.
            let pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(row), _mm256_sign_epi8(query, row));
            sums = _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, ones));
        }
        total(sums) + portable(rest, &Codes { values: query_rest, sum: 0 })
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load(from: &[i8; 32]) -> __m256i {
        // SAFETY: 32 bytes are there.
        unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn total(sums: __m256i) -> i32 {
        let half = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
        let pairs = _mm_add_epi32(half, _mm_shuffle_epi32::<0b01_00_11_10>(half));
        _mm_cvtsi128_si32(_mm_add_epi32(pairs, _mm_shuffle_epi32::<0b10_11_00_01>(pairs)))
    }
}

#[cfg(target_arch = "aarch64")]
mod arm {
    use std::arch::aarch64::*;

    use super::{Codes, portable};

    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn neon(row: &[i8], query: &Codes<'_>) -> i32 {
        let mut sums = vdupq_n_s32(0);
        let (rows, rest) = row.as_chunks::<16>();
        let (queries, query_rest) = query.values.as_chunks::<16>();
        for (row, query) in rows.iter().zip(queries) {
            // SAFETY: 16 bytes are there.
            let (row, query) = unsafe { (vld1q_s8(row.as_ptr()), vld1q_s8(query.as_ptr())) };
            // Two products of at most 128 * 127 stay within 16 bits.
            let pairs = vmull_s8(vget_low_s8(row), vget_low_s8(query));
            sums = vpadalq_s16(sums, vmlal_high_s8(pairs, row, query));
        }
        vaddvq_s32(sums) + portable(rest, &Codes { values: query_rest, sum: 0 })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_family_gives_the_integers_of_the_plain_one(
            length in 0usize..400,
            rows in proptest::collection::vec(any::<i8>(), 6 * 400),
            // -128 never comes from quantizing, and a query is never read from a file.
            query in proptest::collection::vec(-127i8..=127, 400),
            extreme in 0usize..4,
        ) {
            let mut rows = rows[..6 * length].to_vec();
            let mut query = query[..length].to_vec();
            if extreme == 0 {
                rows.iter_mut().for_each(|value| *value = if *value < 0 { -128 } else { 127 });
                query.iter_mut().for_each(|value| *value = if *value < 0 { -127 } else { 127 });
            }
            let codes = Codes::new(&query);
            let numbers = [5, 0, 3, 3, 1, 4, 2];
            let row = |number: usize| &rows[number * length..][..length];
            let expected: Vec<i32> = (0..6).map(|number| portable(row(number), &codes)).collect();
            for kernels in Kernels::available() {
                let (mut each, mut at) = ([0; 6], [0; 7]);
                if length > 0 {
                    kernels.dot_each(&rows, &codes, &mut each);
                    prop_assert_eq!(&each[..], &expected[..], "{}", kernels.name);
                }
                kernels.dot_at(&rows, &codes, &numbers, &mut at);
                for (product, number) in at.into_iter().zip(numbers) {
                    prop_assert_eq!(product, expected[number as usize], "{}", kernels.name);
                    prop_assert_eq!(kernels.dot(row(number as usize), &codes), product, "{}", kernels.name);
                }
            }
        }

        #[test]
        fn every_family_gives_the_floats_of_the_plain_one(
            a in proptest::collection::vec(-1.0f32..1.0, 0..400),
            b in proptest::collection::vec(-1.0f32..1.0, 400),
        ) {
            let expected = product_f32(&a, &b[..a.len()]);
            for kernels in Kernels::available() {
                let found = kernels.dot_f32(&a, &b[..a.len()]);
                prop_assert_eq!(found.to_bits(), expected.to_bits(), "{}", kernels.name);
            }
        }
    }
}
