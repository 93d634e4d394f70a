//! A pack: one generation of an index in one file, to be carried to another machine. A tar archive, so that other programs can
//! look into it:
//!
//! ```text
//! guidepost-pack.json                  the format of the index, and the name of the generation
//! generation-000007/generation.json    then the rest of the generation's folder
//! segment-000003/...                   every file that the generation says the segment has, and the segment's manifest
//! tuned.json                           where there is one
//! guidepost-pack.blake3                digest of everything before this entry, hexadecimal
//! ```
//!
//! Everything is plain files in this order with names, sizes and digests that the generation's record tells; nothing else may be
//! in it. Times are left out: the same index makes the same pack, to the byte. Not compressed: of the 11.4 MB of the guides that
//! ship, gzip leaves 9.7. Texts shrink to a third, but eight bytes in ten are vectors and token codes, of which .93 and .96 stay.
//! Whoever wants that seventh can compress the file.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use blake3::{Hash, Hasher};
use serde::{Deserialize, Serialize};
use tar::{Builder, EntryType, Header};

use crate::generation::{TUNED, current, generation_name};
use crate::generation_record::{DIGEST, FORMAT, GenerationRecord, RECORD};
use crate::manifest::{FileRecord, Manifest};
use crate::{IndexError, Snapshot, files};

/// Name of the first entry.
pub(crate) const HEAD: &str = "guidepost-pack.json";
/// Name of the last entry.
pub(crate) const DIGEST_OF_ALL: &str = "guidepost-pack.blake3";
/// The last entry, and the blocks of zeros that end an archive, in bytes.
pub(crate) const TAIL: u64 = 4 * 512;

/// The first entry.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Head {
    /// Of the index. A later version may have changed everything behind the head.
    pub(crate) format: u32,
    /// Name of the generation's folder.
    #[serde(default)]
    pub(crate) generation: String,
}

/// What becomes of a file that has the name of a new pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and that is an error.
    Keep,
    /// It is replaced in one step, once the new one is complete.
    Replace,
}

/// What was packed.
pub struct Packed {
    /// Bytes of the pack.
    pub bytes: u64,
    /// The generation.
    pub snapshot: Snapshot,
}

/// Writes the generation that answers now into one file; `None` where there is no index. Whatever writers do meanwhile, the file
/// holds one generation, and every byte of it is held against its digest on the way.
///
/// # Errors
/// A file that is there already, a damaged index, a disk that refuses.
pub fn pack(index: &Path, file: &Path, existing: Existing) -> Result<Option<Packed>, IndexError> {
    if existing == Existing::Keep && file.symlink_metadata().is_ok() {
        return Err(IndexError::PackExists { path: file.to_owned() });
    }
    let Some((snapshot, members)) = open_all(index)? else { return Ok(None) };
    let bytes = write(index, members, file, existing)?;
    Ok(Some(Packed { bytes, snapshot }))
}

/// A file on its way into a pack.
struct Member {
    /// Its path below the index directory, with slashes.
    name: String,
    contents: Contents,
}

enum Contents {
    /// Looked at already.
    Read(Vec<u8>),
    /// To be held against its record while it is copied.
    Open(File, FileRecord),
}

/// Opens the current generation with all its files before anything is written: what is open cannot be taken away by a writer that
/// commits.
fn open_all(index: &Path) -> Result<Option<(Snapshot, Vec<Member>)>, IndexError> {
    let mut attempts = 0;
    loop {
        let Some(snapshot) = Snapshot::open(index)? else { return Ok(None) };
        let generation = generation_name(snapshot.generation());
        match members(index, &generation, snapshot.record()) {
            // A writer has committed and cleared it away in between.
            Err(_) if attempts < 5 && current(index)?.as_ref() != Some(&generation) => attempts += 1,
            outcome => return outcome.map(|members| Some((snapshot, members))),
        }
    }
}

/// Every file of a generation, in the order of the pack.
fn members(index: &Path, generation: &str, record: &GenerationRecord) -> Result<Vec<Member>, IndexError> {
    let read = |name: String| -> Result<Member, IndexError> {
        let contents = Contents::Read(files::read(&index.join(&name))?);
        Ok(Member { name, contents })
    };
    let open = |folder: &str, (file, record): (&String, &FileRecord)| -> Result<Member, IndexError> {
        let name = format!("{folder}/{file}");
        let file = files::open(&index.join(&name))?;
        Ok(Member { name, contents: Contents::Open(file, record.clone()) })
    };
    let mut members = vec![head(generation)];
    members.push(read(format!("{generation}/{RECORD}"))?);
    members.push(read(format!("{generation}/{DIGEST}"))?);
    for file in &record.files {
        members.push(open(generation, file)?);
    }
    for segment in &record.segments {
        for file in &segment.manifest.files {
            members.push(open(&segment.name, file)?);
        }
        let manifest = read(format!("{}/{}", segment.name, Manifest::NAME))?;
        check_manifest(&manifest, &segment.manifest, index)?;
        members.push(manifest);
    }
    if index.join(TUNED).is_file() {
        members.push(read(TUNED.to_owned())?);
    }
    Ok(members)
}

fn head(generation: &str) -> Member {
    let head = Head { format: FORMAT, generation: generation.to_owned() };
    let head = serde_json::to_vec(&head).expect("a number and a name can be written as JSON");
    Member { name: HEAD.to_owned(), contents: Contents::Read(head) }
}

fn check_manifest(member: &Member, wanted: &Manifest, index: &Path) -> Result<(), IndexError> {
    let Contents::Read(bytes) = &member.contents else { return Ok(()) };
    match serde_json::from_slice::<Manifest>(bytes) {
        Ok(found) if found == *wanted => Ok(()),
        _ => Err(IndexError::damaged(&index.join(&member.name), "it is not what the generation says")),
    }
}

/// Writes a pack under another name beside its own, and gives it its own when it is complete and on disk. Tells its bytes.
fn write(index: &Path, members: Vec<Member>, file: &Path, existing: Existing) -> Result<u64, IndexError> {
    let failed = || IndexError::io("write", file);
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let temporary = new_file(folder).map_err(failed())?;
    let mut archive = Builder::new(Hashing::new(BufWriter::with_capacity(1 << 20, temporary.as_file())));
    for member in members {
        member.add(&mut archive, index, file)?;
    }
    let digest = archive.get_ref().hasher.finalize();
    let end = || {
        append(&mut archive, DIGEST_OF_ALL, 64, digest.to_hex().as_bytes())?;
        archive.into_inner()?.inner.flush()?;
        temporary.as_file().sync_all()?;
        temporary.as_file().metadata()
    };
    let bytes = end().map_err(failed())?.len();
    let named = match existing {
        Existing::Keep => temporary.persist_noclobber(file),
        Existing::Replace => temporary.persist(file),
    };
    match named {
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(IndexError::PackExists { path: file.to_owned() })
        }
        Err(error) => Err(failed()(error.error)),
        Ok(_) => files::sync_folder(folder).map_err(failed()).map(|()| bytes),
    }
}

/// A file that vanishes unless it gets a name; once it has one, as readable as any other.
fn new_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".guidepost-pack");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

impl Member {
    /// Copies it into the pack that is to be `file`.
    fn add(self, archive: &mut Builder<impl Write>, index: &Path, file: &Path) -> Result<(), IndexError> {
        let failed = IndexError::io("write", file);
        let path = index.join(&self.name);
        let (mut source, wanted) = match self.contents {
            Contents::Read(bytes) => {
                return append(archive, &self.name, bytes.len() as u64, &*bytes).map_err(failed);
            }
            Contents::Open(file, wanted) => (Hashing::new(file), wanted),
        };
        let copied = append(archive, &self.name, wanted.bytes, (&mut source).take(wanted.bytes));
        match copied {
            Err(error) if source.has_failed => {
                return Err(IndexError::damaged(&path, format!("it cannot be read ({error})")));
            }
            copied => copied.map_err(failed)?,
        }
        let is_longer = source.read(&mut [0]).map_err(IndexError::io("read", &path))? > 0;
        match !is_longer && source.hasher.finalize().to_hex().as_str() == wanted.blake3 {
            true => Ok(()),
            false => Err(IndexError::damaged(&path, files::CHANGED)),
        }
    }
}

/// Adds a plain file to an archive.
fn append(archive: &mut Builder<impl Write>, name: &str, bytes: u64, contents: impl Read) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_size(bytes);
    archive.append_data(&mut header, name, contents)
}

/// The last bytes of a pack, of which the digest of all bytes before them is this.
pub(crate) fn tail(digest: Hash) -> io::Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    append(&mut archive, DIGEST_OF_ALL, 64, digest.to_hex().as_bytes())?;
    archive.into_inner()
}

/// Digests what is read or written through it.
struct Hashing<T> {
    inner: T,
    hasher: Hasher,
    /// Whether reading failed; an archive does not tell whose fault it was.
    has_failed: bool,
}

impl<T> Hashing<T> {
    fn new(inner: T) -> Self {
        Hashing { inner, hasher: Hasher::new(), has_failed: false }
    }
}

impl<T: Read> Read for Hashing<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer);
        self.has_failed |= read.is_err();
        let bytes = read?;
        self.hasher.update(&buffer[..bytes]);
        Ok(bytes)
    }
}

impl<T: Write> Write for Hashing<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
