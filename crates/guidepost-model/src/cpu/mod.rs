//! The forward pass on the processor. See `bert` for the way through it.
//!
//! ```text
//! weights --layer, linear--> panels            (once)
//! texts --groups--> pass: embed, [ query/key/value, attention, out, norm, inner, out, norm ] x layers, pool
//!                         every product, norm and softmax through one table of kernels, chosen at run time
//! ```
//!
//! Memory lies in `slabs`; `simd` is what differs between processors; `product`, `rows`, `attention` and `elementwise` are
//! written once against it. All `unsafe` of the crate is here: kernels follow addresses and need instructions that the
//! processor must have, so their promises are stated where they are declared and kept in `pass` and `linear`.

#[expect(
    clippy::undocumented_unsafe_blocks,
    reason = "every function is unsafe as a whole and hands on its caller's promise"
)]
mod attention;
mod bert;
mod distances;
#[expect(
    clippy::undocumented_unsafe_blocks,
    reason = "every function is unsafe as a whole and hands on its caller's promise"
)]
mod elementwise;
mod groups;
#[cfg(test)]
mod kernel_tests;
mod kernels;
mod layer;
mod linear;
mod pass;
mod peak;
#[expect(
    clippy::undocumented_unsafe_blocks,
    reason = "every function is unsafe as a whole and hands on its caller's promise"
)]
mod product;
#[expect(
    clippy::undocumented_unsafe_blocks,
    reason = "every function is unsafe as a whole and hands on its caller's promise"
)]
mod rows;
#[expect(
    clippy::undocumented_unsafe_blocks,
    reason = "every function is unsafe as a whole and hands on its caller's promise"
)]
mod simd;
mod slabs;
mod team;
mod weights;

pub(crate) use bert::{CpuBert, OnStates};
pub(crate) use kernels::Kernels;
pub use peak::measured_peak;
pub(crate) use team::Team;
pub(crate) use weights::Weights;
