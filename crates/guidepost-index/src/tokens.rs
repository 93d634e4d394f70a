//! Token codes on disk, for late interaction.
//!
//! ```text
//! 0   magic "GPTOK001"      8   words per token u32     12  rows u32     16..64  zero
//! 64  first token of each row and the number of all, u64     then the codes, u64 words     all little endian
//! ```

mod codes;

use std::io::Write;
use std::path::Path;

pub use codes::LateQuestion;
use codes::words_per_token;
pub(crate) use codes::{CODES, Rotation};

use crate::checked_file::{CheckedFile, SegmentFiles};
use crate::manifest::Manifest;
use crate::{ChunkId, IndexError, files};

pub(crate) const NAME: &str = "tokens";
const MAGIC: &[u8; 8] = b"GPTOK001";
const HEADER: usize = 64;

pub(crate) struct Tokens {
    file: CheckedFile,
    rows: usize,
    words: usize,
}

impl Tokens {
    /// Writes the codes of every row's tokens, which have so many components.
    pub(crate) fn write(
        folder: &Path,
        rows: &[&[u64]],
        dimensions: usize,
        manifest: &mut Manifest,
    ) -> Result<(), IndexError> {
        let words = words_per_token(dimensions).max(1);
        files::write(&folder.join(NAME), |file| {
            file.write_all(MAGIC)?;
            file.write_all(&(words as u32).to_le_bytes())?;
            file.write_all(&(rows.len() as u32).to_le_bytes())?;
            file.write_all(&[0; HEADER - 16])?;
            let mut first = 0u64;
            file.write_all(&first.to_le_bytes())?;
            for row in rows {
                first += (row.len() / words) as u64;
                file.write_all(&first.to_le_bytes())?;
            }
            rows.iter().flat_map(|row| row.iter()).try_for_each(|word| file.write_all(&word.to_le_bytes()))
        })?;
        manifest.add_file(folder, NAME)
    }

    /// `None` where the generation keeps none.
    pub(crate) fn open(files: &SegmentFiles) -> Result<Option<Self>, IndexError> {
        if files.manifest.token_codes != CODES || !files.has(NAME) {
            return Ok(None);
        }
        let file = files.file(NAME)?;
        let map = file.map();
        file.look_at(0..HEADER);
        file.sound()?;
        let rows = files.manifest.chunks as usize;
        let words =
            map.get(8..12).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes) as usize;
        let header_fits = map.get(..8) == Some(MAGIC)
            && map.get(12..16) == Some(&(rows as u32).to_le_bytes()[..])
            && map.len() >= HEADER + (rows + 1) * 8
            && map.len().is_multiple_of(8)
            && words > 0;
        let tokens = Tokens { file, rows, words };
        let expected = tokens.codes_start() + tokens.first(rows).saturating_mul(words * 8);
        tokens.file.sound()?;
        if !header_fits || expected != tokens.file.len() {
            return Err(IndexError::damaged(tokens.file.path(), "its header does not fit the manifest"));
        }
        Ok(Some(tokens))
    }

    /// The codes of a row's tokens; none where the file is damaged within.
    pub(crate) fn row(&self, id: ChunkId) -> &[u64] {
        let row = id.0 as usize;
        if row >= self.rows {
            return &[];
        }
        let at = |row| self.codes_start() + self.first(row).saturating_mul(self.words * 8);
        let codes = at(row)..at(row + 1);
        self.file.look_at(codes.clone());
        bytemuck::try_cast_slice(self.file.map().get(codes).unwrap_or_default()).unwrap_or_default()
    }

    /// Number of the row's first token.
    fn first(&self, row: usize) -> usize {
        let number = HEADER + row * 8..HEADER + row * 8 + 8;
        self.file.look_at(number.clone());
        let bytes = self.file.map().get(number).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, |bytes| u64::from_le_bytes(bytes) as usize)
    }

    /// Refuses what was read so far if any of it is not what was written.
    pub(crate) fn sound(&self) -> Result<(), IndexError> {
        self.file.sound()
    }

    fn codes_start(&self) -> usize {
        HEADER + (self.rows + 1) * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_by_row() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let rows: [&[u64]; 3] = [&[1, 2, 3, 4], &[], &[5, 6]];
        let mut manifest = Manifest::for_tests(128, 3);
        CODES.clone_into(&mut manifest.token_codes);
        let tokens = Tokens::write(folder.path(), &rows, 128, &mut manifest)
            .and_then(|()| Tokens::open(&SegmentFiles::unchecked(folder.path(), &manifest)))
            .expect("it was just written")
            .expect("it is there");
        for (row, codes) in rows.iter().enumerate() {
            assert_eq!(&tokens.row(ChunkId(row as u32)), codes);
        }
        assert_eq!(tokens.row(ChunkId(3)), [0u64; 0]);

        let path = folder.path().join(NAME);
        let mut bytes = std::fs::read(&path).expect("it is there");
        bytes[HEADER + 8 * 3] ^= 1;
        std::fs::write(&path, bytes).expect("it can be written");
        let files = SegmentFiles::unchecked(folder.path(), &manifest);
        assert!(matches!(Tokens::open(&files), Err(IndexError::Damaged { .. })));
    }
}
