//! What the fuzz targets share: the promises that a reading and its chunks must keep for any bytes ([`check`],
//! [`check_lines`]), and sound containers around made-up content ([`archive()`], [`pdf`]), without which a checksum would
//! turn nearly every input away at the door.
//!
//! No target looks inside the crate: all bytes go in where indexing puts them in.

mod archive;
/// Shared with the property tests of the crate.
#[path = "../../crates/guidepost-text/tests/invariants/mod.rs"]
mod invariants;
mod pdf;

pub use archive::archive;
pub use invariants::{check, check_lines};
pub use pdf::{let_caught_panics_pass, pdf};
