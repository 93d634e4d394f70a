//! Memory of the forward pass: buffers aligned to cache lines, and matrices cut into slabs.
//!
//! A matrix of activations lies in slabs of [`SLAB`] columns, all rows of the first slab, then all of the second:
//!
//! ```text
//! columns    0..64   64..128  128..192
//! row 0      |----|  |----|   |----|        element (row, column) is at
//! row 1      |----|  |----|   |----|        (column / SLAB) * stride + row * SLAB + column % SLAB
//! row 2      |----|  |----|   |----|
//! ```
//!
//! So the distance between two rows is the same constant for every matrix, which lets a kernel address a dozen rows
//! from one register, and the rows of one tile are neighbors in memory whatever the width of the model.

use std::marker::PhantomData;

use bytemuck::{Pod, Zeroable};

/// Columns in one slab.
pub(crate) const SLAB: usize = 64;

/// Columns in one panel of weights: one cache line of f32.
pub(crate) const PANEL: usize = 16;

/// A cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

// SAFETY: sixteen f32 without padding; any bits are f32s.
unsafe impl Zeroable for Line {}
// SAFETY: as above.
unsafe impl Pod for Line {}

/// Zeroed memory that starts on a cache line.
#[derive(Clone, Default)]
pub(crate) struct Buffer<T> {
    lines: Vec<Line>,
    of: PhantomData<T>,
}

impl<T: Pod> Buffer<T> {
    /// Room for so many elements, all zero.
    pub(crate) fn zeroed(elements: usize) -> Self {
        let lines = (elements * size_of::<T>()).div_ceil(size_of::<Line>());
        Buffer { lines: bytemuck::zeroed_vec(lines), of: PhantomData }
    }

    /// Makes room for so many elements; what was in it is lost when it grows.
    pub(crate) fn reserve(&mut self, elements: usize) {
        if elements * size_of::<T>() > self.lines.len() * size_of::<Line>() {
            *self = Self::zeroed(elements);
        }
    }

    #[cfg(test)]
    pub(crate) fn as_slice(&self) -> &[T] {
        bytemuck::cast_slice(&self.lines)
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        bytemuck::cast_slice_mut(&mut self.lines)
    }

    /// The buffer as a matrix of so many rows and columns, growing it if need be.
    pub(crate) fn matrix(&mut self, rows: usize, columns: usize) -> Matrix<T> {
        let stride = rows * SLAB;
        self.reserve(columns.div_ceil(SLAB) * stride);
        Matrix { start: self.as_mut_slice().as_mut_ptr(), stride, rows, columns }
    }
}

/// A view of a matrix in slabs. It points into a [`Buffer`] that whoever uses the view keeps alive; several threads
/// may hold the same view as long as they write to different elements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix<T> {
    pub(crate) start: *mut T,
    /// Elements from one slab to the next.
    pub(crate) stride: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

// SAFETY: a view is an address; every function that follows it is unsafe and says what it touches.
unsafe impl<T: Send> Send for Matrix<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Matrix<T> {}

impl<T> Matrix<T> {
    /// Rows `first..first + rows`.
    pub(crate) fn rows(self, first: usize, rows: usize) -> Self {
        assert!(first + rows <= self.rows, "rows {first}+{rows} of {}", self.rows);
        // The rows are inside, so the address is inside the buffer or one past its end.
        Matrix { start: self.start.wrapping_add(first * SLAB), rows, ..self }
    }

    /// Columns `first..first + columns`, which start on a slab or do not leave theirs.
    pub(crate) fn columns(self, first: usize, columns: usize) -> Self {
        assert!(first + columns <= self.columns, "columns {first}+{columns} of {}", self.columns);
        assert!(
            first.is_multiple_of(SLAB) || first % SLAB + columns <= SLAB,
            "columns {first}+{columns} cross a slab"
        );
        Matrix { start: self.start.wrapping_add(self.offset(first)), columns, ..self }
    }

    /// Elements from the start of a row to its column.
    pub(crate) fn offset(&self, column: usize) -> usize {
        column / SLAB * self.stride + column % SLAB
    }
}
