//! A linear layer: weights laid out once for the kernels, in the number format of a precision.

use super::kernels::Kernels;
use super::product::{Activation, Panels, Product, Scales};
use super::rows::Codes;
use super::slabs::{Buffer, Matrix, PANEL};
use crate::Precision;

/// Largest code of a weight in 16-bit products.
const WEIGHT_LIMIT_I16: f32 = 511.0;
/// Largest code of an activation in 16-bit products, unless the layer is so wide that sums could overflow.
const ACTIVATION_LIMIT_I16: f32 = 2047.0;
/// Largest code of a weight in 8-bit products.
const WEIGHT_LIMIT_I8: f32 = 127.0;

/// One output of a layer as the model has it.
#[derive(Clone, Copy)]
pub(crate) struct Output<'a> {
    /// A weight per input.
    pub(crate) weights: &'a [f32],
    pub(crate) bias: f32,
    /// Multiplies weights and bias.
    pub(crate) factor: f32,
}

/// Which input of the model stands where in the rows the layer reads.
#[derive(Clone, Copy)]
pub(crate) enum InputOrder<'a> {
    /// All, in the model's order.
    Same(usize),
    /// As listed; `None` is a zero.
    Mapped(&'a [Option<usize>]),
}

impl InputOrder<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            InputOrder::Same(count) => *count,
            InputOrder::Mapped(map) => map.len(),
        }
    }
}

/// How the numbers of a layer are stored and multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    F32,
    /// Weights to ±511 per output, activations to ±2047 per token: sums fit 32 bits whatever the values.
    I16,
    /// Weights to ±127 per output, activations to 0..=255 per token, in 8-bit products.
    I8,
    /// The same codes in 16-bit products, where 8-bit ones are slower.
    I8InI16,
}

impl Storage {
    /// What a precision means on this processor, if anything.
    pub(crate) fn of(precision: Precision, kernels: &Kernels) -> Option<Self> {
        match precision {
            Precision::F32 => Some(Storage::F32),
            Precision::Fast => Some(Storage::I16),
            Precision::Int8 if kernels.fast_bytes => Some(Storage::I8),
            Precision::Int8 => Some(Storage::I8InI16),
            Precision::Bf16 => None,
        }
    }

    fn bytes(self) -> usize {
        match self {
            Storage::F32 => 4,
            Storage::I16 | Storage::I8InI16 => 2,
            Storage::I8 => 1,
        }
    }
}

/// Weights in panels. Shapes: `[inputs] -> [outputs]`, both padded to whole panels.
pub(crate) struct Linear {
    storage: Storage,
    inputs: usize,
    outputs: usize,
    /// Where the panels are in the model's memory, in bytes.
    place: usize,
    bias: Vec<f32>,
    column_scale: Vec<f32>,
    column_shift: Vec<f32>,
    activation_limit: f32,
}

/// Bytes that a layer's panels take.
pub(crate) fn panel_bytes(inputs: usize, outputs: usize, storage: Storage) -> usize {
    inputs.next_multiple_of(PANEL) * outputs.next_multiple_of(PANEL) * storage.bytes()
}

impl Linear {
    /// Lays weights out in `panels`, zeroed memory of [`panel_bytes`], which is at `place` of the model's memory. `outputs`
    /// holds one entry per output; `None` makes an output that is always zero.
    pub(crate) fn new(
        outputs: &[Option<Output<'_>>],
        inputs: InputOrder<'_>,
        storage: Storage,
        panels: &mut [u8],
        place: usize,
    ) -> Self {
        let (width, height) = (inputs.len().next_multiple_of(PANEL), outputs.len().next_multiple_of(PANEL));
        let products = WEIGHT_LIMIT_I16 * width as f32;
        let mut linear = Linear {
            storage,
            inputs: width,
            outputs: height,
            place,
            bias: vec![0.0; height],
            column_scale: vec![0.0; height],
            column_shift: vec![0.0; height],
            activation_limit: ACTIVATION_LIMIT_I16.min((i32::MAX as f32 / products).floor() - 1.0),
        };
        let mut rows = vec![0.0; PANEL * width];
        let panels = panels.chunks_exact_mut(width * PANEL * storage.bytes());
        for (at, (outputs, panel)) in outputs.chunks(PANEL).zip(panels).enumerate() {
            rows.fill(0.0);
            for (lane, output) in outputs.iter().enumerate() {
                let Some(output) = output else { continue };
                read_row(output, inputs, &mut rows[lane * width..][..width]);
                linear.bias[at * PANEL + lane] = output.bias * output.factor;
            }
            linear.fill(at * PANEL, &rows, panel);
        }
        linear
    }

    /// One panel from 16 rows of weights.
    fn fill(&mut self, column: usize, rows: &[f32], panel: &mut [u8]) {
        let limit = match self.storage {
            Storage::F32 => return interleave(rows, bytemuck::cast_slice_mut(panel)),
            Storage::I16 => WEIGHT_LIMIT_I16,
            Storage::I8 | Storage::I8InI16 => WEIGHT_LIMIT_I8,
        };
        let width = self.inputs;
        let mut codes = vec![0_i16; rows.len()];
        for (lane, (row, codes)) in rows.chunks_exact(width).zip(codes.chunks_exact_mut(width)).enumerate() {
            let scale = extent(row).max(f32::MIN_POSITIVE) / limit;
            let factor = scale.recip();
            for (code, weight) in codes.iter_mut().zip(row) {
                *code = nearest(weight * factor) as i16;
            }
            let sum: i32 = codes.iter().map(|&code| i32::from(code)).sum();
            self.column_scale[column + lane] = scale;
            self.column_shift[column + lane] = sum as f32 * scale;
        }
        // What is multiplied together in one lane stays together: two i16 or four i8, as one u32.
        if self.storage == Storage::I8 {
            let bytes: Vec<i8> = codes.iter().map(|&code| code as i8).collect();
            interleave::<u32>(&bytemuck::pod_collect_to_vec(&bytes), bytemuck::cast_slice_mut(panel));
        } else {
            interleave::<u32>(&bytemuck::pod_collect_to_vec(&codes), bytemuck::cast_slice_mut(panel));
        }
    }
}

/// Sixteen rows, one after the other, as lines of sixteen.
fn interleave<T: Copy>(rows: &[T], lines: &mut [T]) {
    let width = rows.len() / PANEL;
    let mut sources: [&[T]; PANEL] = [rows; PANEL];
    for (lane, source) in sources.iter_mut().enumerate() {
        *source = &rows[lane * width..][..width];
    }
    for (step, line) in lines.chunks_exact_mut(PANEL).enumerate() {
        for (value, source) in line.iter_mut().zip(&sources) {
            *value = source[step];
        }
    }
}

/// Largest absolute value. Without their signs, floats are ordered as their bits are; that vectorizes.
fn extent(row: &[f32]) -> f32 {
    let bits = row.iter().map(|weight| (weight.to_bits() & 0x7fff_ffff) as i32);
    f32::from_bits(bits.fold(0, i32::max) as u32)
}

/// A row of weights in the order the layer reads its inputs.
fn read_row(output: &Output<'_>, inputs: InputOrder<'_>, row: &mut [f32]) {
    match inputs {
        InputOrder::Same(_) => {
            for (to, weight) in row.iter_mut().zip(output.weights) {
                *to = weight * output.factor;
            }
        }
        InputOrder::Mapped(map) => {
            for (to, input) in row.iter_mut().zip(map) {
                *to = input.map_or(0.0, |input| output.weights[input] * output.factor);
            }
        }
    }
}

/// The nearest integer, for numbers below 2²². Adding 1.5 * 2²³ leaves it in the low bits: no call, and it vectorizes.
#[inline]
fn nearest(value: f32) -> i32 {
    const SHIFT: f32 = 12_582_912.0;
    (value + SHIFT).to_bits() as i32 - SHIFT.to_bits() as i32
}

/// Memory for the codes of activations.
#[derive(Default)]
pub(crate) struct CodeBuffers {
    codes: Buffer<u8>,
    scale: Buffer<f32>,
    shift: Buffer<f32>,
}

impl CodeBuffers {
    fn codes<T: bytemuck::Pod>(&mut self, rows: usize, columns: usize) -> Codes<T> {
        self.scale.reserve(rows);
        self.shift.reserve(rows);
        let bytes = self.codes.matrix(rows * size_of::<T>(), columns);
        let matrix =
            Matrix { start: bytes.start.cast(), stride: bytes.stride / size_of::<T>(), rows, columns };
        let scale = self.scale.as_mut_slice().as_mut_ptr();
        Codes { matrix, scale, shift: self.shift.as_mut_slice().as_mut_ptr() }
    }
}

/// What a layer is applied to.
pub(crate) struct Application<'a> {
    pub(crate) from: Matrix<f32>,
    pub(crate) to: Matrix<f32>,
    /// Added to the result; not `to`.
    pub(crate) residual: Option<Matrix<f32>>,
    pub(crate) activation: Activation,
    /// The model's memory, with the panels of all layers.
    pub(crate) panels: &'a [u8],
    /// Which part of the outputs to compute, of how many.
    pub(crate) share: (usize, usize),
}

impl Linear {
    /// Computes the share of the outputs for all rows.
    ///
    /// # Safety
    /// The kernels suit the processor. `from` has this layer's inputs as columns, `to` and `residual` its outputs, all the
    /// same rows, and nobody else touches this share of `to` meanwhile.
    pub(crate) unsafe fn apply(&self, kernels: &Kernels, buffers: &mut CodeBuffers, to: &Application<'_>) {
        let from = &to.from;
        // SAFETY: the caller's promise; codes have room for the rows.
        unsafe {
            match self.storage {
                Storage::F32 => {
                    let product = self.product(from.start.cast(), from.stride * 4, None, to);
                    (kernels.multiply_f32)(&product);
                }
                Storage::I16 => {
                    let codes = buffers.codes::<i16>(from.rows, from.columns);
                    (kernels.quantize_i16)(from, &codes, self.activation_limit);
                    let scales = self.scales(codes.scale, std::ptr::null());
                    let matrix = codes.matrix;
                    let product = self.product(matrix.start.cast(), matrix.stride * 2, Some(scales), to);
                    (kernels.multiply_i16)(&product);
                }
                Storage::I8 => {
                    let codes = buffers.codes::<u8>(from.rows, from.columns);
                    (kernels.quantize_u8)(from, &codes);
                    let scales = self.scales(codes.scale, codes.shift);
                    let matrix = codes.matrix;
                    let product = self.product(matrix.start.cast(), matrix.stride, Some(scales), to);
                    (kernels.multiply_i8)(&product);
                }
                Storage::I8InI16 => {
                    let codes = buffers.codes::<i16>(from.rows, from.columns);
                    (kernels.quantize_u8_in_i16)(from, &codes);
                    let scales = self.scales(codes.scale, codes.shift);
                    let matrix = codes.matrix;
                    let product = self.product(matrix.start.cast(), matrix.stride * 2, Some(scales), to);
                    (kernels.multiply_i16)(&product);
                }
            }
        }
    }

    fn scales(&self, row_scale: *const f32, row_shift: *const f32) -> Scales {
        Scales {
            row_scale,
            column_scale: self.column_scale.as_ptr(),
            row_shift,
            column_shift: self.column_shift.as_ptr(),
        }
    }

    fn product(&self, a: *const u8, a_slab: usize, scales: Option<Scales>, to: &Application<'_>) -> Product {
        let (first, end) = share_of(self.outputs / PANEL, to.share);
        let first_column = first * PANEL;
        let bytes = self.storage.bytes();
        let panel = self.inputs * PANEL * bytes;
        let at = |values: *const f32| values.wrapping_add(first_column);
        Product {
            a,
            a_slab,
            rows: to.from.rows,
            steps: self.inputs * bytes / 4,
            b: Panels {
                start: to.panels[self.place..].as_ptr().wrapping_add(first * panel),
                line: PANEL * 4,
                panel,
                count: end - first,
            },
            out: to.to,
            first_column,
            scales: scales.map(|scales| Scales {
                column_scale: at(scales.column_scale),
                column_shift: at(scales.column_shift),
                ..scales
            }),
            bias: at(self.bias.as_ptr()),
            row_factor: std::ptr::null(),
            residual: to.residual,
            activation: to.activation,
            plain: false,
        }
    }
}

/// A part of so many panels: first and end, cut at even numbers, since the widest tile takes two.
fn share_of(panels: usize, (index, of): (usize, usize)) -> (usize, usize) {
    let pairs = panels.div_ceil(2);
    ((index * pairs / of * 2).min(panels), ((index + 1) * pairs / of * 2).min(panels))
}
