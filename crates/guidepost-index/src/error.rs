//! Everything that can go wrong with an index, each with what to do next.

use std::io;
use std::path::{Path, PathBuf};

use guidepost_text::EmbedError;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// A folder of guides that is not there.
    #[error("no folder of guides at `{path}`: {error}")]
    NoFolder {
        /// As it was given.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The index directory holds something else.
    #[error("`{path}` holds other files and is no index; choose a folder of its own with --index")]
    NotAnIndex {
        /// The directory.
        path: PathBuf,
    },
    /// The index is so damaged that it does not tell which folders it held.
    #[error(
        "the index in `{path}` is damaged and does not tell its folders any more; make it again with `guidepost index --rebuild DIR`"
    )]
    SourcesLost {
        /// The directory.
        path: PathBuf,
    },
    /// A folder to be removed that the index does not hold.
    #[error("`{folder}` is not in the index in `{path}`; `guidepost status` shows its folders")]
    NotInIndex {
        /// The directory.
        path: PathBuf,
        /// As it was given.
        folder: PathBuf,
    },
    /// The last folder was to be removed.
    #[error("nothing would be left in the index in `{path}`; to be rid of it, remove that directory")]
    NothingLeft {
        /// The directory.
        path: PathBuf,
    },
    /// A folder inside another: its guides would be there twice.
    #[error(
        "`{inner}` lies inside `{outer}`, and its guides would be in the index twice; index one of the two"
    )]
    Overlap {
        /// The inner folder.
        inner: PathBuf,
        /// The outer folder.
        outer: PathBuf,
    },
    /// Made by another model, or cut in another way.
    #[error(
        "the index in `{path}` was made with `{found}`, not with `{wanted}`; use --model and --precision as they were, make it again with `guidepost index --rebuild`, or choose another with --index"
    )]
    Fingerprint {
        /// The directory.
        path: PathBuf,
        /// Fingerprint in the manifest.
        found: String,
        /// Fingerprint of the model in use.
        wanted: String,
    },
    /// A format that this version does not read any more. Updates make such an index again.
    #[error(
        "the index in `{path}` was made by an earlier version of guidepost; `guidepost index` makes it again"
    )]
    EarlierFormat {
        /// The directory.
        path: PathBuf,
    },
    /// A format that this version does not know yet.
    #[error(
        "the index in `{path}` was made by a later version of guidepost (format {found}; this one reads {wanted}); use that version, or make the index again with `guidepost index --rebuild`"
    )]
    LaterFormat {
        /// The directory.
        path: PathBuf,
        /// Number in the record of its generation.
        found: u32,
        /// Number this version writes.
        wanted: u32,
    },
    /// A file of the index that is not what it was when it was written.
    #[error("the index is damaged: `{path}`: {reason}; mend it with `guidepost repair`")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The name of a new pack is taken.
    #[error("`{path}` is there already; choose another name, or replace it with --force")]
    PackExists {
        /// The file.
        path: PathBuf,
    },
    /// A file that is to be unpacked, and is something else.
    #[error("`{path}` is no pack of an index; `guidepost pack FILE` makes one")]
    NoPack {
        /// The file.
        path: PathBuf,
    },
    /// A pack that is not what it was when it was written.
    #[error("the pack `{path}` is damaged: {reason}; copy it again, or make another with `guidepost pack`")]
    PackDamaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A directory that is to take a packed index, and holds something.
    #[error("`{path}` holds {found} already; choose another directory with --index")]
    Occupied {
        /// The directory.
        path: PathBuf,
        /// `an index`, or the name of a file.
        found: String,
    },
    /// Another process is writing.
    #[error(
        "another guidepost ({holder}) is writing to the index in `{path}`; wait for it, or choose another index with --index"
    )]
    Locked {
        /// The directory.
        path: PathBuf,
        /// `process 1234`, or `unknown process`.
        holder: String,
    },
    /// The update was stopped by whoever asked for it.
    #[error("stopped before the update was finished; the index is as it was")]
    Interrupted {
        /// Embedded passages that the next update finds; `None` where it was stopped before the model's turn.
        kept: Option<usize>,
    },
    /// The disk.
    #[error("cannot {action} `{path}`: {error}{hint}")]
    Io {
        /// `read`, `write`, ...
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        error: io::Error,
        /// What to do, where we know.
        hint: &'static str,
    },
    /// The model failed while passages were embedded.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// tantivy failed.
    #[error(
        "the text index in `{path}` failed: {reason}; if it stays so, mend the index with `guidepost repair`"
    )]
    Postings {
        /// Its directory.
        path: PathBuf,
        /// tantivy's words.
        reason: String,
    },
}

impl IndexError {
    /// For `map_err` after an operation on `path`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> IndexError + use<> {
        let path = path.to_owned();
        move |error| {
            let hint = match error.kind() {
                io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied if action == "write" => {
                    "; choose a place that can be written with --index"
                }
                io::ErrorKind::StorageFull => {
                    "; the index that was there still answers; make room and try again"
                }
                _ => "",
            };
            IndexError::Io { action, path, error, hint }
        }
    }

    /// A file that is not what it should be.
    pub(crate) fn damaged(path: &Path, reason: impl Into<String>) -> IndexError {
        IndexError::Damaged { path: path.to_owned(), reason: reason.into() }
    }
}
