//! Where guides come from: folders of the reader's, or the guides that ship inside the binary.

use std::path::PathBuf;

/// A set of guides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A folder, absolute.
    Folder(PathBuf),
    /// The guides that ship.
    Shipped,
}

/// A guide inside the binary.
#[derive(Debug, Clone, Copy)]
pub struct ShippedGuide {
    /// Path below `corpus/`.
    pub path: &'static str,
    /// The file.
    pub bytes: &'static [u8],
}
