//! How much memory building an index may take.

use bytesize::ByteSize;
use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// What a build takes that does not grow with the index: the model and what it works with, tantivy's buffers, guides that are
/// being read. Measured in `benches/results/updating.md`.
const BASE: ByteSize = ByteSize::mb(700);

/// Less leaves nothing for the index itself.
pub(crate) const LEAST: ByteSize = ByteSize::mb(800);

/// Bytes for what grows with the index, of so much memory in all; without a bound, of half of what the machine has.
pub(crate) fn for_index(bound: Option<ByteSize>) -> u64 {
    let bound = bound.unwrap_or_else(|| {
        let kind = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
        ByteSize::b(System::new_with_specifics(kind).total_memory() / 2)
    });
    bound.max(LEAST).as_u64() - BASE.as_u64()
}
