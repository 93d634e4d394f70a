//! The key of every row, sorted: where the vector of a text is, without reading a chunk.
//!
//! ```text
//! per row, ascending: the first 16 bytes of the key, then the row u32, little endian
//! ```

use std::io::Write;
use std::path::Path;

use crate::checked_file::{CheckedFile, SegmentFiles};
use crate::manifest::Manifest;
use crate::{IndexError, StoredChunk, files};

const NAME: &str = "keys";
const KEY: usize = 16;
const ENTRY: usize = KEY + 4;

pub(crate) struct Keys {
    file: CheckedFile,
}

impl Keys {
    pub(crate) fn write(
        folder: &Path,
        chunks: &[StoredChunk],
        manifest: &mut Manifest,
    ) -> Result<(), IndexError> {
        let mut entries: Vec<([u8; KEY], u32)> =
            chunks.iter().enumerate().map(|(row, chunk)| (beginning(&chunk.key), row as u32)).collect();
        entries.sort_unstable();
        files::write(&folder.join(NAME), |file| {
            entries.iter().try_for_each(|(key, row)| {
                file.write_all(key)?;
                file.write_all(&row.to_le_bytes())
            })
        })?;
        manifest.add_file(folder, NAME)
    }

    pub(crate) fn open(files: &SegmentFiles) -> Result<Self, IndexError> {
        let file = files.file(NAME)?;
        if file.len() != files.manifest.chunks as usize * ENTRY {
            return Err(IndexError::damaged(file.path(), "it does not fit the number of chunks"));
        }
        Ok(Keys { file })
    }

    /// A row with this key, deleted or not: equal keys have equal vectors.
    pub(crate) fn row(&self, key: &str) -> Result<Option<u32>, IndexError> {
        let wanted = beginning(key);
        let (entries, _) = self.file.all()?.as_chunks::<ENTRY>();
        let at = entries.partition_point(|entry| entry[..KEY] < wanted[..]);
        let entry = entries.get(at).filter(|entry| entry[..KEY] == wanted);
        let row = |entry: &[u8; ENTRY]| {
            u32::from_le_bytes([entry[KEY], entry[KEY + 1], entry[KEY + 2], entry[KEY + 3]])
        };
        Ok(entry.map(row))
    }
}

/// The first bytes of a key in hexadecimal digits: as many as no two texts share.
fn beginning(key: &str) -> [u8; KEY] {
    let digit = |byte: u8| (byte as char).to_digit(16).unwrap_or(0) as u8;
    let mut bytes = [0; KEY];
    for (byte, digits) in bytes.iter_mut().zip(key.as_bytes().chunks(2)) {
        *byte = digit(digits[0]) << 4 | digits.get(1).map_or(0, |&low| digit(low));
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_key() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let key = |text: &str| blake3::hash(text.as_bytes()).to_hex().to_string();
        let chunk =
            |row: usize| StoredChunk { key: key(&format!("{}", row % 90)), ..StoredChunk::for_tests("") };
        let chunks: Vec<StoredChunk> = (0..100).map(chunk).collect();
        let mut manifest = Manifest::for_tests(1, 100);
        let keys = Keys::write(folder.path(), &chunks, &mut manifest)
            .and_then(|()| Keys::open(&SegmentFiles::unchecked(folder.path(), &manifest)))
            .expect("it was just written");
        for chunk in &chunks {
            let row = keys.row(&chunk.key).expect("it is sound").expect("it is there");
            assert_eq!(chunks[row as usize].key, chunk.key);
        }
        assert_eq!(keys.row(&key("another")).expect("it is sound"), None);
    }
}
