//! The matrix product, in one kernel for all number formats and processors.
//!
//! `out = finish(a * b)`: `a` is a [`Matrix`] in slabs, `b` lies in panels of 16 columns, each a sequence of lines of 64
//! bytes. A line holds, for the 16 columns, the weights of one step: one f32, two i16 or four i8 each; a step of `a` is
//! four bytes in every format. A tile of `a`'s rows times one or two panels stays in registers over a block of
//! steps; between blocks its sums wait where the result will be.

use super::elementwise;
use super::simd::Simd;
use super::slabs::{Matrix, PANEL, SLAB};

/// What happens to a sum before it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activation {
    Identity,
    Gelu,
    GeluTanh,
    Relu,
}

/// Scales that turn the sums of integer codes into numbers:
/// `number = sum * row_scale * column_scale + row_shift * column_shift`.
#[derive(Clone, Copy)]
pub(crate) struct Scales {
    /// One per row of `a`.
    pub(crate) row_scale: *const f32,
    /// One per column of `b`.
    pub(crate) column_scale: *const f32,
    /// One per row, null where codes have no zero point.
    pub(crate) row_shift: *const f32,
    /// One per column.
    pub(crate) column_shift: *const f32,
}

/// The right side of a product.
#[derive(Clone, Copy)]
pub(crate) struct Panels {
    pub(crate) start: *const u8,
    /// Bytes from a line to the next.
    pub(crate) line: usize,
    /// Bytes from a panel to the next.
    pub(crate) panel: usize,
    /// Panels to multiply with.
    pub(crate) count: usize,
}

/// One product.
pub(crate) struct Product {
    /// First row of `a`, in slabs.
    pub(crate) a: *const u8,
    /// Bytes from a slab of `a` to the next.
    pub(crate) a_slab: usize,
    pub(crate) rows: usize,
    /// Lines of a panel.
    pub(crate) steps: usize,
    pub(crate) b: Panels,
    /// Where the result goes; as many columns as the panels have, from a column that is a multiple of 32.
    pub(crate) out: Matrix<f32>,
    pub(crate) first_column: usize,
    pub(crate) scales: Option<Scales>,
    /// One per column of `b`, or null.
    pub(crate) bias: *const f32,
    /// Factor of each row, or null.
    pub(crate) row_factor: *const f32,
    /// Added after the bias, shaped as `out` and not `out` itself.
    pub(crate) residual: Option<Matrix<f32>>,
    pub(crate) activation: Activation,
    /// The sums are the result; nothing of the above applies.
    pub(crate) plain: bool,
}

/// How one number format is multiplied.
pub(crate) trait Format<S: Simd> {
    /// Bytes of an element of `a`.
    const BYTES: usize;
    type Line: Copy;
    type Sum: Copy;
    unsafe fn zero() -> Self::Sum;
    unsafe fn line(from: *const u8) -> Self::Line;
    unsafe fn splat(from: *const u8) -> Self::Line;
    unsafe fn add_product(sum: Self::Sum, a: Self::Line, b: Self::Line) -> Self::Sum;
    unsafe fn to_f32(sum: Self::Sum) -> S::F32;
    /// A sum that is not complete yet, kept where the result will be.
    unsafe fn keep(to: *mut f32, sum: Self::Sum);
    unsafe fn kept(from: *const f32) -> Self::Sum;
}

/// f32 times f32.
pub(crate) struct F32;
/// i16 times i16, in pairs.
pub(crate) struct I16;
/// u8 times i8, in fours.
pub(crate) struct I8;

impl<S: Simd> Format<S> for F32 {
    const BYTES: usize = 4;
    type Line = S::F32;
    type Sum = S::F32;
    #[inline(always)]
    unsafe fn zero() -> S::F32 {
        unsafe { S::splat(0.0) }
    }
    #[inline(always)]
    unsafe fn line(from: *const u8) -> S::F32 {
        unsafe { S::load(from.cast()) }
    }
    #[inline(always)]
    unsafe fn splat(from: *const u8) -> S::F32 {
        unsafe { S::splat(*from.cast::<f32>()) }
    }
    #[inline(always)]
    unsafe fn add_product(sum: S::F32, a: S::F32, b: S::F32) -> S::F32 {
        unsafe { S::fused(a, b, sum) }
    }
    #[inline(always)]
    unsafe fn to_f32(sum: S::F32) -> S::F32 {
        sum
    }
    #[inline(always)]
    unsafe fn keep(to: *mut f32, sum: S::F32) {
        unsafe { S::store(to, sum) }
    }
    #[inline(always)]
    unsafe fn kept(from: *const f32) -> S::F32 {
        unsafe { S::load(from) }
    }
}

macro_rules! integer_format {
    ($format:ty, $bytes:literal, $dot:ident) => {
        impl<S: Simd> Format<S> for $format {
            const BYTES: usize = $bytes;
            type Line = S::I32;
            type Sum = S::I32;
            #[inline(always)]
            unsafe fn zero() -> S::I32 {
                unsafe { S::zero_i32() }
            }
            #[inline(always)]
            unsafe fn line(from: *const u8) -> S::I32 {
                unsafe { S::load_bytes(from) }
            }
            #[inline(always)]
            unsafe fn splat(from: *const u8) -> S::I32 {
                unsafe { S::splat_bytes(from) }
            }
            #[inline(always)]
            unsafe fn add_product(sum: S::I32, a: S::I32, b: S::I32) -> S::I32 {
                unsafe { S::$dot(sum, a, b) }
            }
            #[inline(always)]
            unsafe fn to_f32(sum: S::I32) -> S::F32 {
                unsafe { S::to_f32(sum) }
            }
            #[inline(always)]
            unsafe fn keep(to: *mut f32, sum: S::I32) {
                unsafe { S::store_bytes(to.cast(), sum) }
            }
            #[inline(always)]
            unsafe fn kept(from: *const f32) -> S::I32 {
                unsafe { S::load_bytes(from.cast()) }
            }
        }
    };
}
integer_format!(I16, 2, dot_i16);
integer_format!(I8, 1, dot_u8_i8);

/// Computes a product.
///
/// # Safety
/// The processor has `S`'s instructions; every pointer is good for the shapes that [`Product`] describes.
#[inline(always)]
pub(crate) unsafe fn multiply<S: Simd, F: Format<S>>(product: &Product) {
    let wide = S::VECTORS * S::LANES / PANEL;
    let mut panel = 0;
    while panel < product.b.count {
        unsafe {
            if panel + wide <= product.b.count {
                rows::<S, F, true>(product, panel);
                panel += wide;
            } else if const { S::VECTORS * S::LANES > PANEL } {
                rows::<S, F, false>(product, panel);
                panel += 1;
            }
        }
    }
}

/// Bytes of `b` that a tile works through before the next tile does: they stay in a first-level cache, beside a tile's rows
/// of `a`, until all rows have had them.
const BLOCK_BYTES: usize = 16 * 1024;

/// A part of a product: some rows, one or two panels, some steps.
#[derive(Clone, Copy)]
struct Part {
    row: usize,
    panel: usize,
    first_step: usize,
    steps: usize,
    /// Which tile of rows this is, of how many.
    tile: usize,
    tiles: usize,
}

/// All rows times the panels of one tile, block after block of steps, in tiles of equal height, as far as that goes.
#[inline(always)]
unsafe fn rows<S: Simd, F: Format<S>, const WIDE: bool>(product: &Product, panel: usize) {
    let tiles = product.rows.div_ceil(S::ROWS);
    let width = if WIDE { S::VECTORS * S::LANES } else { PANEL };
    let blocks = product.steps.div_ceil(BLOCK_BYTES / 4 / width);
    let per_block = product.steps.div_ceil(blocks).next_multiple_of(SLAB * F::BYTES / 4);
    let mut first_step = 0;
    while first_step < product.steps {
        let steps = per_block.min(product.steps - first_step);
        let mut row = 0;
        for tile in 0..tiles {
            let end = (tile + 1) * product.rows / tiles;
            let part = Part { row, panel, first_step, steps, tile, tiles };
            unsafe { tile_of_height::<S, F, WIDE>(product, part, end - row) };
            row = end;
        }
        first_step += steps;
    }
}

/// One arm per height; the heights and widths that a family of instructions does not use are not even compiled for it.
macro_rules! heights {
    ($product:ident, $part:ident, $height:ident: $($rows:literal)*) => {
        match $height {
            $($rows => if const { $rows <= S::ROWS } {
                tile_of_width::<S, F, $rows, WIDE>($product, $part)
            },)*
            _ => unreachable!("a tile is at most as high as the registers allow"),
        }
    };
}

#[inline(always)]
unsafe fn tile_of_height<S: Simd, F: Format<S>, const WIDE: bool>(
    product: &Product,
    part: Part,
    height: usize,
) {
    unsafe { heights!(product, part, height: 1 2 3 4 5 6 7 8 9 10 11 12 13 14) }
}

#[inline(always)]
unsafe fn tile_of_width<S: Simd, F: Format<S>, const R: usize, const WIDE: bool>(
    product: &Product,
    part: Part,
) {
    unsafe {
        if const { WIDE && S::VECTORS == 4 } {
            tile::<S, F, R, 4>(product, part);
        } else if const { WIDE && S::VECTORS == 2 } {
            tile::<S, F, R, 2>(product, part);
        } else {
            tile::<S, F, R, 1>(product, part);
        }
    }
}

/// `R` rows times `V` vectors of columns, in registers.
#[inline(always)]
unsafe fn tile<S: Simd, F: Format<S>, const R: usize, const V: usize>(product: &Product, part: Part) {
    unsafe {
        let Part { row, panel, first_step, steps, tile, tiles } = part;
        let (pitch, end) = (SLAB * F::BYTES, first_step + steps);
        let first =
            product.out.start.add(product.out.offset(product.first_column + panel * PANEL) + row * SLAB);
        let mut sums = [[F::zero(); V]; R];
        if first_step > 0 {
            for (r, sums) in sums.iter_mut().enumerate() {
                for (vector, sum) in sums.iter_mut().enumerate() {
                    *sum = F::kept(first.add(r * SLAB + vector * S::LANES));
                }
            }
        }
        let mut a = product.a.add(row * pitch + first_step * 4 / pitch * product.a_slab);
        let mut lines = [product.b.start; V];
        for (vector, line) in lines.iter_mut().enumerate() {
            let lane = vector * S::LANES;
            let place = (panel + lane / PANEL) * product.b.panel + lane % PANEL * 4;
            *line = line.add(place + first_step * product.b.line);
        }
        // Each tile asks for its part of the block that comes next, so that no tile waits for memory.
        let next = match end < product.steps {
            true => steps * product.b.line,
            false => (V * S::LANES).div_ceil(PANEL) * product.b.panel - first_step * product.b.line,
        };
        let pace = product.b.line / tiles;
        let mut ahead = lines.map(|line| line.wrapping_add(next + tile * steps * product.b.line / tiles));
        let mut left = steps;
        while left > 0 {
            let steps = left.min(pitch / 4);
            for step in 0..steps {
                let mut b = [F::line(lines[0]); V];
                for vector in 0..V {
                    b[vector] = F::line(lines[vector]);
                    lines[vector] = lines[vector].wrapping_add(product.b.line);
                    if vector * S::LANES % PANEL == 0 {
                        S::prefetch(ahead[vector]);
                        ahead[vector] = ahead[vector].wrapping_add(pace);
                    }
                }
                for (r, sums) in sums.iter_mut().enumerate() {
                    let x = F::splat(a.add(r * pitch + step * 4));
                    for (sum, b) in sums.iter_mut().zip(b) {
                        *sum = F::add_product(*sum, x, b);
                    }
                }
            }
            a = a.wrapping_add(product.a_slab);
            left -= steps;
        }
        for (r, sums) in sums.iter().enumerate() {
            for (vector, sum) in sums.iter().enumerate() {
                let place = first.add(r * SLAB + vector * S::LANES);
                match end < product.steps {
                    true => F::keep(place, *sum),
                    false => S::store(place, F::to_f32(*sum)),
                }
            }
        }
        if end == product.steps && !product.plain {
            for r in 0..R {
                finish::<S>(product, row + r, panel * PANEL, V);
            }
        }
    }
}

/// Scales, bias, residual and activation of one row of a tile, which still lies in the first-level cache.
#[inline(always)]
unsafe fn finish<S: Simd>(product: &Product, row: usize, first: usize, vectors: usize) {
    unsafe {
        let place = product.out.offset(product.first_column + first) + row * SLAB;
        for vector in 0..vectors {
            let column = first + vector * S::LANES;
            let out = product.out.start.add(place + vector * S::LANES);
            let mut value = S::load(out);
            if let Some(scales) = &product.scales {
                let scale =
                    S::mul(S::splat(*scales.row_scale.add(row)), S::load(scales.column_scale.add(column)));
                value = S::mul(value, scale);
                if !scales.row_shift.is_null() {
                    let shift = S::splat(*scales.row_shift.add(row));
                    value = S::fused(shift, S::load(scales.column_shift.add(column)), value);
                }
            }
            if !product.bias.is_null() {
                value = S::add(value, S::load(product.bias.add(column)));
            }
            if !product.row_factor.is_null() {
                value = S::mul(value, S::splat(*product.row_factor.add(row)));
            }
            if let Some(residual) = &product.residual {
                let place = residual.offset(product.first_column + column) + row * SLAB;
                value = S::add(value, S::load(residual.start.add(place)));
            }
            value = match product.activation {
                Activation::Identity => value,
                Activation::Gelu => elementwise::gelu::<S>(value),
                Activation::GeluTanh => elementwise::gelu_tanh::<S>(value),
                Activation::Relu => S::max(value, S::splat(0.0)),
            };
            S::store(out, value);
        }
    }
}
