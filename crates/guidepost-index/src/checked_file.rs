//! The files of a segment as they are read: mapped, and every block held against its checksum when it is first looked at.
//!
//! Opening an index reads next to nothing of it, so that nobody would notice a bit that has flipped. Whoever reads bytes says
//! which, and the blocks among them that nobody has read before are checked; for all others that costs a look at a bit. Inner
//! loops cannot stop for damage: it is put down, and whatever was found in the file is refused at the end, by
//! [`CheckedFile::sound`].

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use memmap2::Mmap;
use twox_hash::XxHash3_64;

use crate::manifest::Manifest;
use crate::{IndexError, files};

/// The file with the checksums of all blocks of all other files: XXH3 of 64 bits, little endian, in the order of the files' names.
pub(crate) const CHECKSUMS: &str = "checksums";

/// Bytes that have a checksum. Of one row a search reads a tenth of a block; hashing all of it takes a microsecond or two.
const BLOCK: usize = 16 << 10;

/// A segment's files, to be opened.
pub(crate) struct SegmentFiles<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) manifest: &'a Manifest,
    checksums: Option<Arc<Checksums>>,
}

#[derive(Debug)]
struct Checksums {
    map: Mmap,
    /// Number of the first checksum of each file.
    first: BTreeMap<String, usize>,
}

impl<'a> SegmentFiles<'a> {
    /// # Errors
    /// Damaged checksums: they are read as a whole, four megabytes for a million passages.
    pub(crate) fn open(folder: &'a Path, manifest: &'a Manifest) -> Result<Self, IndexError> {
        Ok(SegmentFiles { folder, manifest, checksums: Some(Arc::new(Checksums::read(folder, manifest)?)) })
    }

    /// Of a segment of which every byte has just been read, or that has no checksums.
    pub(crate) fn unchecked(folder: &'a Path, manifest: &'a Manifest) -> Self {
        SegmentFiles { folder, manifest, checksums: None }
    }

    /// Writes the checksums of all files that the manifest lists.
    pub(crate) fn write_checksums(folder: &Path, manifest: &mut Manifest) -> Result<(), IndexError> {
        files::write(&folder.join(CHECKSUMS), |checksums| {
            let mut block = Vec::with_capacity(BLOCK);
            for name in manifest.files.keys() {
                let mut file = File::open(folder.join(name))?;
                while (&mut file).take(BLOCK as u64).read_to_end(&mut block)? > 0 {
                    checksums.write_all(&checksum(&block).to_le_bytes())?;
                    block.clear();
                }
            }
            Ok(())
        })?;
        manifest.add_file(folder, CHECKSUMS)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.manifest.files.contains_key(name)
    }

    /// Opens a file; nothing of it is read yet.
    pub(crate) fn file(&self, name: &str) -> Result<CheckedFile, IndexError> {
        let path = self.folder.join(name);
        let map = files::map(&path, self.manifest.bytes_of(self.folder, name)?)?;
        let Some(checksums) = &self.checksums else { return Ok(CheckedFile::unchecked(path, map)) };
        let first = checksums.first.get(name).copied();
        let first = first.ok_or_else(|| IndexError::damaged(&path, "it has no checksums"))?;
        let seen = (0..map.len().div_ceil(BLOCK).div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        let checksums = Some((Arc::clone(checksums), first));
        Ok(CheckedFile { path, map, checksums, seen, damaged: AtomicUsize::new(0) })
    }
}

impl Checksums {
    fn read(folder: &Path, manifest: &Manifest) -> Result<Self, IndexError> {
        let path = folder.join(CHECKSUMS);
        let record = manifest.files.get(CHECKSUMS);
        let record = record.ok_or_else(|| IndexError::damaged(&path, "the manifest does not list it"))?;
        let map = files::map(&path, record.bytes)?;
        let mut first = BTreeMap::new();
        let mut next = 0;
        for (name, file) in manifest.files.iter().filter(|(name, _)| *name != CHECKSUMS) {
            first.insert(name.clone(), next);
            next += file.bytes.div_ceil(BLOCK as u64) as usize;
        }
        if map.len() != next * 8 || blake3::hash(&map).to_hex().as_str() != record.blake3 {
            return Err(IndexError::damaged(&path, files::CHANGED));
        }
        Ok(Checksums { map, first })
    }

    fn of_block(&self, at: usize) -> Option<u64> {
        self.map.as_chunks::<8>().0.get(at).map(|bytes| u64::from_le_bytes(*bytes))
    }
}

fn checksum(block: &[u8]) -> u64 {
    XxHash3_64::oneshot(block)
}

/// A file of a segment.
#[derive(Debug)]
pub(crate) struct CheckedFile {
    path: PathBuf,
    map: Mmap,
    /// With the number of the first of this file's.
    checksums: Option<(Arc<Checksums>, usize)>,
    /// One bit a block, lowest first: whether it is known to be sound.
    seen: Box<[AtomicU64]>,
    /// One more than the number of a block that is damaged; 0 while there is none.
    damaged: AtomicUsize,
}

impl CheckedFile {
    /// One without checksums.
    pub(crate) fn unchecked(path: PathBuf, map: Mmap) -> Self {
        let seen = (0..map.len().div_ceil(BLOCK).div_ceil(64)).map(|_| AtomicU64::new(u64::MAX)).collect();
        CheckedFile { path, map, checksums: None, seen, damaged: AtomicUsize::new(0) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    /// All bytes, sound or not: whoever takes some out looks at them first, with [`CheckedFile::look_at`].
    #[inline]
    pub(crate) fn map(&self) -> &[u8] {
        &self.map
    }

    /// Checks the blocks with these bytes that nobody has checked yet. What lies outside is left out.
    #[inline]
    pub(crate) fn look_at(&self, bytes: Range<usize>) {
        for block in bytes.start / BLOCK..bytes.end.min(self.map.len()).div_ceil(BLOCK) {
            if self.seen[block / 64].load(Ordering::Relaxed) >> (block % 64) & 1 == 0 {
                self.check(block);
            }
        }
    }

    #[cold]
    fn check(&self, block: usize) {
        let start = block * BLOCK;
        let bytes = &self.map[start..self.map.len().min(start + BLOCK)];
        let written = self.checksums.as_ref().and_then(|(sums, first)| sums.of_block(first + block));
        match written == Some(checksum(bytes)) {
            true => _ = self.seen[block / 64].fetch_or(1 << (block % 64), Ordering::Relaxed),
            false => self.damaged.store(block + 1, Ordering::Relaxed),
        }
    }

    /// Some bytes, if they are what was written.
    pub(crate) fn bytes(&self, range: Range<usize>) -> Result<&[u8], IndexError> {
        self.look_at(range.clone());
        self.sound()?;
        let outside = || IndexError::damaged(&self.path, format!("it has no bytes {range:?}"));
        self.map.get(range.clone()).ok_or_else(outside)
    }

    /// All bytes, if they are what was written.
    pub(crate) fn all(&self) -> Result<&[u8], IndexError> {
        self.bytes(0..self.map.len())
    }

    /// Refuses the file if anything that was looked at is not what was written.
    pub(crate) fn sound(&self) -> Result<(), IndexError> {
        match self.damaged.load(Ordering::Relaxed).checked_sub(1) {
            None => Ok(()),
            Some(block) => {
                let reason = format!("{} (in the {BLOCK} from byte {} on)", files::CHANGED, block * BLOCK);
                Err(IndexError::damaged(&self.path, reason))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of three blocks and a bit, whose byte at `damaged` is not what was written.
    fn check(damaged: Option<usize>, looked_at: Range<usize>, is_sound: bool) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("rows");
        let mut bytes: Vec<u8> = (0..3 * BLOCK + 100).map(|at| (at % 251) as u8).collect();
        std::fs::write(&path, &bytes).expect("writable");
        std::fs::write(folder.path().join("a"), "another").expect("writable");
        std::fs::write(folder.path().join("z"), "").expect("writable");
        let mut manifest = Manifest::for_tests(1, 1);
        for name in ["rows", "a", "z"] {
            manifest.add_file(folder.path(), name).expect("it is there");
        }
        SegmentFiles::write_checksums(folder.path(), &mut manifest).expect("writable");
        if let Some(at) = damaged {
            bytes[at] ^= 4;
            std::fs::write(&path, &bytes).expect("writable");
        }
        let files = SegmentFiles::open(folder.path(), &manifest).expect("the checksums are sound");
        let file = files.file("rows").expect("it has its length");
        for _ in 0..2 {
            let read = file.bytes(looked_at.clone());
            assert_eq!(read.is_ok(), is_sound, "{damaged:?} {looked_at:?}");
            assert!(read.is_err() || read.is_ok_and(|read| read == &bytes[looked_at.clone()]));
        }
        assert_eq!(file.sound().is_ok(), is_sound, "{damaged:?} {looked_at:?}");
        assert_eq!(files.file("a").expect("it is there").all().expect("it is sound"), b"another");
        assert!(files.file("z").expect("it is there").all().expect("it is sound").is_empty());
    }

    #[test]
    fn damage_is_noticed_where_it_is_read() {
        let end = 3 * BLOCK + 100;
        check(None, 0..end, true);
        for at in [0, 1, BLOCK - 1, BLOCK, 2 * BLOCK + 7, end - 1] {
            check(Some(at), 0..end, false);
            check(Some(at), at..at + 1, false);
        }
        check(Some(BLOCK), 0..BLOCK, true);
        check(Some(BLOCK), BLOCK - 1..BLOCK + 1, false);
        check(Some(end - 1), 0..3 * BLOCK, true);
        check(Some(BLOCK), BLOCK..BLOCK, true);
    }

    #[test]
    fn damaged_checksums_are_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("a"), "text").expect("writable");
        let mut manifest = Manifest::for_tests(1, 1);
        manifest.add_file(folder.path(), "a").expect("it is there");
        SegmentFiles::write_checksums(folder.path(), &mut manifest).expect("writable");
        let path = folder.path().join(CHECKSUMS);
        let mut bytes = std::fs::read(&path).expect("it is there");
        bytes[3] ^= 1;
        std::fs::write(&path, bytes).expect("writable");
        assert!(matches!(SegmentFiles::open(folder.path(), &manifest), Err(IndexError::Damaged { .. })));
    }
}
