//! Restoring an index from a pack. What a pack says of itself is believed only as far as it was checked: it may have been cut
//! short, changed, or made by somebody who means harm. Nothing of it is an index before all of it has been verified.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use blake3::Hasher;
use tar::{Archive, Entries, Entry, EntryType};

use crate::generation::{
    CURRENT, TUNED, clear_unfinished, current, generation_name, is_generation, is_segment, is_unfinished,
    unfinished_name,
};
use crate::generation_record::{DIGEST, GenerationRecord, RECORD, check_format};
use crate::manifest::Manifest;
use crate::pack::{DIGEST_OF_ALL, HEAD, Head, TAIL, tail};
use crate::writer_lock::{LOCK, Patience, WriterLock};
use crate::{IndexError, files, verify};

/// Restores the index of a pack in a directory that is empty, or not there yet. It appears in one step, when every digest has been
/// checked; until then, and if anything fails, there is none.
///
/// # Errors
/// A file that is no pack, of another format, or not what it was; a directory that holds anything already; a disk that refuses.
pub fn unpack(pack: &Path, index: &Path) -> Result<(), IndexError> {
    let file = File::open(pack).map_err(IndexError::io("read", pack))?;
    let pack = Pack { file, path: pack };
    let head = pack.head()?;
    pack.check()?;
    check_vacant(index)?;
    let is_new = !index.exists();
    let outcome = restore(&pack, &head.generation, index);
    if outcome.is_err() && is_new {
        // What others have put there meanwhile stays.
        let _ = fs::remove_file(index.join(LOCK));
        let _ = fs::remove_dir(index);
    }
    outcome
}

/// Refuses a directory that holds anything. Files that systems put everywhere, a lock, and what a killed writer left do not count.
fn check_vacant(index: &Path) -> Result<(), IndexError> {
    let occupied = |found: &str| IndexError::Occupied { path: index.to_owned(), found: found.to_owned() };
    if !matches!(current(index), Ok(None)) {
        return Err(occupied("an index"));
    }
    if index.is_file() {
        return Err(IndexError::NotAnIndex { path: index.to_owned() });
    }
    let names = index.read_dir().into_iter().flatten().flatten();
    let mut names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    match names.find(|name| !name.starts_with('.') && name != LOCK && !is_unfinished(name)) {
        Some(name) => Err(occupied(&format!("`{name}`"))),
        None => Ok(()),
    }
}

/// Unpacks aside, verifies, and puts everything into its place.
fn restore(pack: &Pack, generation: &str, index: &Path) -> Result<(), IndexError> {
    let failed = || IndexError::io("write", index);
    fs::create_dir_all(index).map_err(failed())?;
    let _lock = WriterLock::take(index, Patience::GiveUp, |_| ())?;
    check_vacant(index)?;
    clear_unfinished(index);
    let aside = index.join(unfinished_name());
    fs::create_dir(&aside).map_err(failed())?;
    let fill = || {
        pack.extract(generation, &aside)?;
        pack.verify(&aside)?;
        files::write(&aside.join(CURRENT), |file| writeln!(file, "{generation}"))?;
        settle(&aside, index).map_err(failed())
    };
    let outcome = fill();
    let _ = fs::remove_dir_all(&aside);
    outcome
}

/// Moves everything to its place; what answers comes last, so that the index appears in one step. Where that fails, nothing stays.
fn settle(aside: &Path, index: &Path) -> io::Result<()> {
    let entries = aside.read_dir()?.collect::<io::Result<Vec<_>>>()?;
    let mut names: Vec<String> =
        entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort_by_key(|name| (name == CURRENT, is_generation(name)));
    let place = |name: &String| fs::rename(aside.join(name), index.join(name));
    let placed = names.iter().try_for_each(place).and_then(|()| files::sync_folder(index));
    if placed.is_err() {
        for name in names.iter().rev() {
            // Back to where it is cleared away.
            let _ = fs::rename(index.join(name), aside.join(name));
        }
    }
    placed
}

/// A file that may be a pack.
struct Pack<'a> {
    path: &'a Path,
    file: File,
}

impl Pack<'_> {
    /// The first entry: whether it is a pack at all, and of which format.
    fn head(&self) -> Result<Head, IndexError> {
        let no_pack = || IndexError::NoPack { path: self.path.to_owned() };
        let mut archive = Archive::new(&self.file);
        let entry = archive.entries().ok().and_then(|entries| entries.raw(true).next()?.ok());
        let entry = entry.filter(|entry| *entry.path_bytes() == *HEAD.as_bytes()).ok_or_else(no_pack)?;
        let mut bytes = Vec::new();
        entry.take(LONGEST_HEAD).read_to_end(&mut bytes).map_err(IndexError::io("read", self.path))?;
        let head: Head = serde_json::from_slice(&bytes).map_err(|_| self.damaged("its head is none"))?;
        check_format(head.format, self.path)?;
        match is_generation(&head.generation) {
            true => Ok(head),
            false => Err(self.damaged("its head names no generation")),
        }
    }

    /// Whether every byte is what it was when the pack was made.
    fn check(&self) -> Result<(), IndexError> {
        let work = || {
            let body = self.file.metadata()?.len().saturating_sub(TAIL);
            let mut file = &self.file;
            file.seek(SeekFrom::Start(0))?;
            let mut hasher = Hasher::new();
            hasher.update_reader(file.take(body))?;
            let mut found = Vec::new();
            file.read_to_end(&mut found)?;
            Ok(found == tail(hasher.finalize())?)
        };
        match work().map_err(IndexError::io("read", self.path))? {
            true => Ok(()),
            false => Err(self.damaged("it is cut short, or bytes of it have changed")),
        }
    }

    /// Writes the files of the index into a folder, after holding the name of each against what the generation says.
    fn extract(&self, generation: &str, folder: &Path) -> Result<(), IndexError> {
        let failed = || IndexError::io("read", self.path);
        (&self.file).seek(SeekFrom::Start(0)).map_err(failed())?;
        let mut archive = Archive::new(BufReader::with_capacity(1 << 20, &self.file));
        let entries = archive.entries().map_err(failed())?.raw(true);
        let mut extraction = Extraction { pack: self, folder, entries };
        extraction.expect(HEAD)?;
        extraction.take(&format!("{generation}/{RECORD}"))?;
        extraction.take(&format!("{generation}/{DIGEST}"))?;
        let record = GenerationRecord::read(self.path, &folder.join(generation));
        let record = record.map_err(|error| self.of_pack(error, folder))?;
        if generation_name(record.generation) != generation {
            return Err(self.damaged("its head names another generation than it holds"));
        }
        for file in record.files.keys() {
            extraction.take(&format!("{generation}/{file}"))?;
        }
        for segment in &record.segments {
            if !is_segment(&segment.name) {
                return Err(self.damaged(format!("`{}` is no name of a segment", segment.name)));
            }
            for file in segment.manifest.files.keys().map(String::as_str).chain([Manifest::NAME]) {
                extraction.take(&format!("{}/{file}", segment.name))?;
            }
        }
        extraction.end()
    }

    /// Whether what was extracted is an index, to the last byte.
    fn verify(&self, folder: &Path) -> Result<(), IndexError> {
        let verified = verify(folder).map_err(|error| self.of_pack(error, folder))?.unwrap_or_default();
        match verified.damages.into_iter().next() {
            None => Ok(()),
            Some(damage) => Err(self.of_pack(IndexError::damaged(&damage.path, damage.reason), folder)),
        }
    }

    fn damaged(&self, reason: impl Into<String>) -> IndexError {
        IndexError::PackDamaged { path: self.path.to_owned(), reason: reason.into() }
    }

    /// What is wrong with the files that were extracted is wrong with the pack.
    fn of_pack(&self, error: IndexError, folder: &Path) -> IndexError {
        match error {
            IndexError::Damaged { path, reason } => {
                let name = path.strip_prefix(folder).unwrap_or(&path).display();
                self.damaged(format!("`{name}`: {reason}"))
            }
            IndexError::Postings { reason, .. } => self.damaged(reason),
            error => error,
        }
    }
}

/// Bytes of a head that are read; those of this version have under a hundred.
const LONGEST_HEAD: u64 = 1 << 16;

/// The entries of a pack on their way into a folder.
struct Extraction<'a> {
    pack: &'a Pack<'a>,
    folder: &'a Path,
    entries: Entries<'a, BufReader<&'a File>>,
}

impl<'a> Extraction<'a> {
    /// The next entry, which has to be a plain file.
    fn next(&mut self) -> Result<(String, PackEntry<'a>), IndexError> {
        let entry =
            self.entries.next().ok_or_else(|| self.pack.damaged("something is missing at its end"))?;
        let entry = entry.map_err(|error| self.pack.damaged(error.to_string()))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        match entry.header().entry_type() {
            EntryType::Regular => Ok((name, entry)),
            _ => Err(self.pack.damaged(format!("`{name}` in it is no plain file"))),
        }
    }

    /// The next entry, which has to be this one.
    fn expect(&mut self, name: &str) -> Result<PackEntry<'a>, IndexError> {
        match self.next()? {
            (found, entry) if found == name => Ok(entry),
            (found, _) => Err(self.pack.damaged(format!("it has `{found}` where `{name}` should be"))),
        }
    }

    /// Writes the next entry, which has to be this one.
    fn take(&mut self, name: &str) -> Result<(), IndexError> {
        if !is_plain(name) {
            return Err(self.pack.damaged(format!("`{name}` is no name that a file of an index has")));
        }
        let entry = self.expect(name)?;
        self.write(name, entry)
    }

    fn write(&self, name: &str, mut entry: PackEntry) -> Result<(), IndexError> {
        let path = self.folder.join(name);
        let folder = path.parent().unwrap_or(self.folder);
        fs::create_dir_all(folder).map_err(IndexError::io("write", folder))?;
        files::write(&path, |file| io::copy(&mut entry, file).map(drop))?;
        files::sync_folder(folder).map_err(IndexError::io("write", folder))
    }

    /// What belongs to no generation, and the digest, which was looked at before.
    fn end(&mut self) -> Result<(), IndexError> {
        let (mut name, entry) = self.next()?;
        if name == TUNED {
            self.write(TUNED, entry)?;
            name = self.next()?.0;
        }
        match name == DIGEST_OF_ALL && self.entries.next().is_none() {
            true => Ok(()),
            false => Err(self.pack.damaged(format!("it has `{name}`, which no index has"))),
        }
    }
}

type PackEntry<'a> = Entry<'a, BufReader<&'a File>>;

/// Whether a name stays inside the folder it is put into, on every system.
fn is_plain(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    name.split('/').all(|part| part.bytes().all(is_plain) && part.bytes().any(|byte| byte != b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside() {
        for name in ["generation-000001/generation.json", "segment-000001/postings/.managed.json", "a..b"] {
            assert!(is_plain(name), "{name}");
        }
        for name in ["../a", "a/../b", "/a", "a//b", "a/", "", ".", "a\\b", "c:a", "a/\u{e9}", "a\n"] {
            assert!(!is_plain(name), "{name}");
        }
    }
}
