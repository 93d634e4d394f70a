//! Files that are written whole, forced to disk, and mapped for reading.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use memmap2::Mmap;
use serde::Serialize;

use crate::IndexError;
use crate::manifest::FileRecord;

/// What is said of a file with another digest.
pub(crate) const CHANGED: &str = "its bytes are not those that were written";

/// Creates a file, lets `fill` write it, and forces it to disk.
pub(crate) fn write(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<(), IndexError> {
    let work = || {
        let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
        fill(&mut file)?;
        file.flush()?;
        file.get_ref().sync_all()
    };
    work().map_err(IndexError::io("write", path))
}

/// Writes a file of JSON that a person can read.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), IndexError> {
    write(path, |file| Ok(serde_json::to_writer_pretty(file, value)?))
}

/// Replaces a small file in one step: readers see the old bytes or the new ones. The caller holds the writer's lock.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), IndexError> {
    let new = path.with_extension("new");
    write(&new, |file| file.write_all(bytes))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::rename(&new, path).and_then(|()| sync_folder(folder)).map_err(IndexError::io("write", path))
}

/// Makes renames and new names in a folder last.
pub(crate) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    // Windows cannot open folders; there a rename is durable without.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Opens a file of the index.
pub(crate) fn open(path: &Path) -> Result<File, IndexError> {
    File::open(path).map_err(unreadable(path))
}

/// Maps a file of the index whose length the manifest knows.
pub(crate) fn map(path: &Path, bytes: u64) -> Result<Mmap, IndexError> {
    let file = open(path)?;
    let found = file.metadata().map_err(IndexError::io("read", path))?.len();
    if found != bytes {
        return Err(IndexError::damaged(path, format!("it has {found} bytes, expected {bytes}")));
    }
    // SAFETY: files of a generation are never written once the generation is named in CURRENT; a later writer
    // unlinks them at most, which leaves the map whole.
    unsafe { Mmap::map(&file) }.map_err(IndexError::io("read", path))
}

/// Reads a whole small file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, IndexError> {
    fs::read(path).map_err(unreadable(path))
}

/// Reads a whole small file that has to be the recorded one.
pub(crate) fn read_recorded(path: &Path, record: &FileRecord) -> Result<Vec<u8>, IndexError> {
    let bytes = read(path)?;
    match bytes.len() as u64 == record.bytes && blake3::hash(&bytes).to_hex().as_str() == record.blake3 {
        true => Ok(bytes),
        false => Err(IndexError::damaged(path, CHANGED)),
    }
}

/// A file of the index that is not there is damage; anything else is the disk's.
fn unreadable(path: &Path) -> impl FnOnce(std::io::Error) -> IndexError + use<'_> {
    move |error| match error.kind() {
        std::io::ErrorKind::NotFound => IndexError::damaged(path, "it is missing"),
        _ => IndexError::io("read", path)(error),
    }
}
