//! A matrix of weights, most often in few bits each, and its product with rows of numbers.
//!
//! One row at a time, as when writing, candle multiplies the codes as they are: that reads the fewest bytes. Many rows, as of a
//! prompt, it multiplies tile by tile only for some kinds of codes and some shapes; for all others it takes each row with each
//! output by itself, some ten times slower. Those matrices are unpacked slab by slab, and multiplied as plain numbers.
//!
//! Codes are multiplied with rows that are rounded to eight bits, plain numbers are not. Which it is never depends on how many rows
//! there are: the same prompt gives the same, whatever of it is remembered.

use std::borrow::Cow;
use std::sync::Arc;

use candle_core::quantized::{GgmlDType, QMatMul, QStorage, QTensor};
use candle_core::{Device, Module, Tensor};
use rayon::prelude::*;

use crate::ModelError;

use super::gguf::GgufFile;

/// Numbers of a slab: about what a second-level cache holds.
const SLAB: usize = 1 << 19;

/// What rows are multiplied for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// A piece of a prompt: most often many rows.
    Read,
    /// A token that was written: one row.
    Write,
}

/// Weights, [outputs, inputs].
pub(crate) struct Matrix {
    product: QMatMul,
    /// Whether candle has no tiles for it.
    unpacks: bool,
}

impl Matrix {
    /// Reads a matrix from a file.
    ///
    /// # Errors
    /// Those of [`read_codes`].
    pub(crate) fn read(
        file: &mut GgufFile,
        name: &str,
        shape: [usize; 2],
        device: &Device,
    ) -> Result<Self, ModelError> {
        Ok(Matrix::new(Arc::new(read_codes(file, name, shape, device)?))?)
    }

    /// # Errors
    /// Codes that cannot be unpacked.
    pub(crate) fn new(codes: Arc<QTensor>) -> candle_core::Result<Self> {
        let (outputs, inputs) = codes.shape().dims2()?;
        let unpacks = codes.device().is_cpu() && !has_tiles(codes.dtype(), outputs, inputs);
        Ok(Matrix { product: QMatMul::from_arc(codes)?, unpacks })
    }

    /// From [count, inputs] to [count, outputs].
    ///
    /// # Errors
    /// Another number of inputs, or a lack of memory on the device.
    pub(crate) fn forward(&self, rows: &Tensor, task: Task) -> candle_core::Result<Tensor> {
        match (&self.product, task) {
            (QMatMul::QTensor(codes), Task::Read) if self.unpacks => multiply_unpacked(codes, rows),
            (product, _) => product.forward(rows),
        }
    }
}

/// Slabs of outputs, on all threads.
fn multiply_unpacked(codes: &QTensor, rows: &Tensor) -> candle_core::Result<Tensor> {
    let (outputs, inputs) = codes.shape().dims2()?;
    let height = (SLAB / inputs).next_multiple_of(16);
    let slab = |first: usize| {
        let end = outputs.min(first + height);
        let unpacked = codes.embedding(&Tensor::arange(first as u32, end as u32, &Device::Cpu)?)?;
        rows.matmul(&unpacked.t()?)
    };
    let slabs: candle_core::Result<Vec<Tensor>> =
        (0..outputs).into_par_iter().step_by(height).map(slab).collect();
    Tensor::cat(&slabs?, 1)
}

/// Whether candle multiplies many rows with such codes tile by tile on this processor (`quantized/repack.rs` of candle-core
/// 0.11.1). If it is no longer true, reading becomes slower, not wrong.
fn has_tiles(kind: GgmlDType, outputs: usize, inputs: usize) -> bool {
    use GgmlDType::{Q4_0, Q4K, Q5K, Q6K, Q8_0};
    #[cfg(target_arch = "x86_64")]
    {
        let vnni = is_x86_feature_detected!("avxvnni") || is_x86_feature_detected!("avx512vnni");
        let kinds: &[GgmlDType] = if vnni { &[Q4K, Q6K, Q8_0] } else { &[Q4K, Q6K] };
        let _ = (Q4_0, Q5K);
        is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && kinds.contains(&kind)
            && outputs.is_multiple_of(16)
            && inputs.is_multiple_of(256)
    }
    #[cfg(target_arch = "aarch64")]
    {
        let height = if matches!(kind, Q4_0 | Q8_0) { 4 } else { 8 };
        std::arch::is_aarch64_feature_detected!("dotprod")
            && [Q4_0, Q4K, Q5K, Q6K, Q8_0].contains(&kind)
            && outputs.is_multiple_of(height)
            && inputs > 0
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        let _ = (kind, outputs, inputs, Q4_0, Q4K, Q5K, Q6K, Q8_0);
        false
    }
}

/// Reads the codes of a matrix. Five-bit ones (Q5_0), for whose products candle has no vector instructions on x86, become the
/// same numbers in eight bits on the processor.
///
/// # Errors
/// There is no such tensor, it has another shape, or the file ends before it does.
pub(crate) fn read_codes(
    file: &mut GgufFile,
    name: &str,
    shape: [usize; 2],
    device: &Device,
) -> Result<QTensor, ModelError> {
    let codes = file.tensor(name, &shape, device)?;
    match codes.dtype() {
        GgmlDType::Q5_0 if device.is_cpu() => Ok(in_eight_bits(&codes)?),
        _ => Ok(codes),
    }
}

/// Q5_0 as Q8_0. Blocks of 32 numbers either way: a factor in two bytes, then
///
/// ```text
/// Q5_0   4 bytes, the fifth bits; 16 bytes, the lower four bits of number i and of number i + 16; all less 16
/// Q8_0  32 bytes, signed
/// ```
fn in_eight_bits(codes: &QTensor) -> candle_core::Result<QTensor> {
    let data = codes.data()?;
    let mut wide = Vec::with_capacity(data.len() / 22 * 34);
    for block in data.chunks_exact(22) {
        let (factor, rest) = block.split_at(2);
        let (fifths, lower) = rest.split_at(4);
        wide.extend_from_slice(factor);
        wide.extend((0..32).map(|at| {
            let four = lower[at % 16] >> (at / 16 * 4) & 15;
            let fifth = fifths[at / 8] >> (at % 8) & 1;
            (four | fifth << 4).wrapping_sub(16)
        }));
    }
    let storage = QStorage::from_data(Cow::Owned(wide), &Device::Cpu, GgmlDType::Q8_0)?;
    QTensor::new(storage, codes.shape())
}

#[cfg(test)]
mod tests {
    use super::*;
    use guidepost_text::Random;

    const KINDS: [GgmlDType; 11] = [
        GgmlDType::F32,
        GgmlDType::F16,
        GgmlDType::BF16,
        GgmlDType::Q8_0,
        GgmlDType::Q5_1,
        GgmlDType::Q5_0,
        GgmlDType::Q4_1,
        GgmlDType::Q4_0,
        GgmlDType::Q6K,
        GgmlDType::Q5K,
        GgmlDType::Q4K,
    ];

    fn random(random: &mut Random, shape: (usize, usize)) -> Tensor {
        let numbers: Vec<f32> = (0..shape.0 * shape.1).map(|_| (2.0 * random.unit() - 1.0) as f32).collect();
        Tensor::from_vec(numbers, shape, &Device::Cpu).expect("it is small")
    }

    /// Largest difference.
    fn difference(found: &Tensor, expected: &Tensor) -> f32 {
        let differences = (found - expected).and_then(|tensor| tensor.flatten_all()?.to_vec1::<f32>());
        let differences = differences.expect("one shape");
        differences.into_iter().fold(0.0, |largest, number| largest.max(number.abs()))
    }

    #[test]
    fn products_are_those_of_the_numbers_that_the_codes_stand_for() {
        let mut numbers = Random(5);
        for kind in KINDS {
            for (outputs, inputs) in [(1, 256), (16, 512), (30, 256), (2100, 256), (16, 32), (7, 96)] {
                if inputs % kind.block_size() != 0 {
                    continue;
                }
                let weights = random(&mut numbers, (outputs, inputs));
                let codes = QTensor::quantize(&weights, kind).expect("whole blocks");
                let plain = codes.dequantize(&Device::Cpu).expect("they are codes");
                let matrix = Matrix::new(Arc::new(codes)).expect("two dimensions");
                for (count, task) in [(1, Task::Write), (1, Task::Read), (2, Task::Read), (33, Task::Read)] {
                    let rows = random(&mut numbers, (count, inputs));
                    let found = matrix.forward(&rows, task).expect("the shapes fit");
                    let expected = plain.t().and_then(|plain| rows.matmul(&plain)).expect("the shapes fit");
                    let bound = if matrix.unpacks && task == Task::Read { 1e-5 } else { 0.05 };
                    // The root of the mean square of a sum of so many products.
                    let typical = (inputs as f32).sqrt() / 3.0;
                    let error = difference(&found, &expected) / typical;
                    assert!(error < bound, "{kind:?} {outputs}x{inputs}, {count} rows: off by {error}");
                }
            }
        }
    }

    #[test]
    fn five_bits_in_eight_are_the_same_numbers() {
        let weights = random(&mut Random(6), (12, 96));
        let five = QTensor::quantize(&weights, GgmlDType::Q5_0).expect("whole blocks");
        let eight = in_eight_bits(&five).expect("whole blocks");
        assert_eq!(eight.dtype(), GgmlDType::Q8_0);
        let plain = |codes: &QTensor| {
            let plain = codes.dequantize(&Device::Cpu).and_then(|plain| plain.to_vec2::<f32>());
            plain.expect("they are codes")
        };
        assert_eq!(plain(&eight), plain(&five));
    }
}
