//! A tantivy directory that is only read, whose bytes are held against their checksums. tantivy takes a lock file even to read,
//! which a disk that refuses writes does not allow; a generation never changes, so there is nothing to lock.

use std::collections::HashMap;
use std::io;
use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stable_deref_trait::StableDeref;
use tantivy::HasLen;
use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    Directory, DirectoryLock, FileHandle, Lock, OwnedBytes, WatchCallback, WatchHandle, WritePtr,
};

use crate::IndexError;
use crate::checked_file::{CheckedFile, SegmentFiles};
use crate::postings::FOLDER;

/// Reads the files that a segment had when it was written; refuses to write.
#[derive(Debug, Clone)]
pub(crate) struct FrozenDirectory {
    path: PathBuf,
    /// By name.
    files: Arc<HashMap<PathBuf, Arc<CheckedFile>>>,
}

impl FrozenDirectory {
    pub(crate) fn open(files: &SegmentFiles) -> Result<Self, IndexError> {
        let path = files.folder.join(FOLDER);
        let mut opened = HashMap::new();
        for name in files.manifest.files.keys() {
            if let Ok(below) = Path::new(name).strip_prefix(FOLDER) {
                opened.insert(below.to_owned(), Arc::new(files.file(name)?));
            }
        }
        Ok(FrozenDirectory { path, files: Arc::new(opened) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses what was read so far if any of it is not what was written.
    pub(crate) fn sound(&self) -> Result<(), IndexError> {
        self.files.values().try_for_each(|file| file.sound())
    }

    fn file(&self, path: &Path) -> Result<&Arc<CheckedFile>, OpenReadError> {
        self.files.get(path).ok_or_else(|| OpenReadError::FileDoesNotExist(path.to_owned()))
    }
}

/// A file as tantivy reads it.
#[derive(Debug)]
struct Handle(Arc<CheckedFile>);

/// The bytes of a file's map, which stay where they are.
struct Bytes(Arc<CheckedFile>);

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.map()
    }
}

// SAFETY: what it derefs to is a memory map behind an `Arc`, which does not move with it.
unsafe impl StableDeref for Bytes {}

impl HasLen for Handle {
    fn len(&self) -> usize {
        self.0.len()
    }
}

impl FileHandle for Handle {
    fn read_bytes(&self, range: Range<usize>) -> io::Result<OwnedBytes> {
        self.0.bytes(range.clone()).map_err(damage)?;
        Ok(OwnedBytes::new(Bytes(Arc::clone(&self.0))).slice(range))
    }
}

fn damage(error: IndexError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}

fn refused() -> io::Error {
    io::Error::new(io::ErrorKind::ReadOnlyFilesystem, "a generation is never written to")
}

impl Directory for FrozenDirectory {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        Ok(Arc::new(Handle(Arc::clone(self.file(path)?))))
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        Ok(self.files.contains_key(path))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        let bytes = self.file(path)?.all().map_err(damage);
        bytes.map(<[u8]>::to_vec).map_err(|error| OpenReadError::wrap_io_error(error, path.to_owned()))
    }

    fn acquire_lock(&self, _lock: &Lock) -> Result<DirectoryLock, LockError> {
        Ok(DirectoryLock::from(Box::new(())))
    }

    fn watch(&self, _callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(WatchHandle::empty())
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        Err(DeleteError::IoError { io_error: Arc::new(refused()), filepath: path.to_owned() })
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        Err(OpenWriteError::wrap_io_error(refused(), path.to_owned()))
    }

    fn atomic_write(&self, _path: &Path, _data: &[u8]) -> io::Result<()> {
        Err(refused())
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }
}
