//! Whether an index is what was written: every digest, and every reference from one file to another.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::generation::current;
use crate::generation_record::{DIGEST, GenerationRecord, SegmentRecord};
use crate::manifest::{FileRecord, Manifest};
use crate::{IndexError, Snapshot, chunk_store, documents, files, tokens, vectors};

/// Something in an index that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Where.
    pub path: PathBuf,
    /// What is wrong.
    pub reason: String,
    /// Whether it can be made again from the rest of the index.
    pub is_derived: bool,
}

/// What a look at every byte of an index found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Number of the generation; `None` where it cannot be read.
    pub generation: Option<u64>,
    /// Files that were read.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// In the order of the files.
    pub damages: Vec<Damage>,
}

/// Files from which all others of a segment can be made again.
const GROUND: [&str; 4] = [documents::DOCUMENTS, chunk_store::LINES, vectors::NAME, tokens::NAME];

/// Reads every byte of the current generation; `None` where there is no index. Costs about as much as reading the disk does.
///
/// # Errors
/// A disk that does not let itself be read.
pub fn verify(index: &Path) -> Result<Option<Verified>, IndexError> {
    let mut verified = Verified::default();
    let record = match current(index) {
        Ok(None) => return Ok(None),
        Ok(Some(generation)) => GenerationRecord::read(index, &index.join(&generation))
            .map(|record| (index.join(&generation), record)),
        Err(error) => Err(error),
    };
    match record {
        Err(IndexError::Damaged { path, reason }) => {
            verified.damages.push(Damage { path, reason, is_derived: true });
        }
        Err(error) => return Err(error),
        Ok((folder, record)) => {
            verified.generation = Some(record.generation);
            verified.files += 1;
            let path = folder.join(DIGEST);
            if !path.exists() {
                let reason = "it is missing".to_owned();
                verified.damages.push(Damage { path, reason, is_derived: true });
            }
            for (name, file) in &record.files {
                verified.check_file(&folder, name, file, true)?;
            }
            for segment in &record.segments {
                verified.check_segment(index, segment)?;
            }
            if verified.damages.is_empty() {
                verified.check_references(index)?;
            }
        }
    }
    Ok(Some(verified))
}

/// Whether every file of a segment is what it was when it was written, and which are not.
pub(crate) fn damaged_files(index: &Path, segment: &SegmentRecord) -> Result<BTreeSet<String>, IndexError> {
    let mut verified = Verified::default();
    verified.check_segment(index, segment)?;
    let folder = index.join(&segment.name);
    let name = |damage: Damage| {
        let name = damage.path.strip_prefix(&folder).unwrap_or(&damage.path).to_string_lossy();
        name.replace(std::path::MAIN_SEPARATOR, "/")
    };
    Ok(verified.damages.into_iter().map(name).collect())
}

impl Verified {
    fn check_segment(&mut self, index: &Path, segment: &SegmentRecord) -> Result<(), IndexError> {
        let folder = index.join(&segment.name);
        for (name, file) in &segment.manifest.files {
            self.check_file(&folder, name, file, !GROUND.contains(&name.as_str()))?;
        }
        let path = folder.join(Manifest::NAME);
        let sound =
            std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice::<Manifest>(&bytes).ok());
        if sound.as_ref() != Some(&segment.manifest) {
            let reason = "it is not what the generation says".to_owned();
            self.damages.push(Damage { path, reason, is_derived: true });
        }
        Ok(())
    }

    fn check_file(
        &mut self,
        folder: &Path,
        name: &str,
        wanted: &FileRecord,
        is_derived: bool,
    ) -> Result<(), IndexError> {
        let path = folder.join(name);
        let reason = match FileRecord::of(&path) {
            Ok(found) if found == *wanted => None,
            Ok(found) if found.bytes != wanted.bytes => {
                Some(format!("it has {} bytes, expected {}", found.bytes, wanted.bytes))
            }
            Ok(_) => Some(files::CHANGED.to_owned()),
            Err(IndexError::Io { error, .. }) if error.kind() == std::io::ErrorKind::NotFound => {
                Some("it is missing".to_owned())
            }
            // A sector that cannot be read is damage as well.
            Err(IndexError::Io { error, .. }) => Some(format!("it cannot be read ({error})")),
            Err(error) => return Err(error),
        };
        self.files += 1;
        self.bytes += wanted.bytes;
        self.damages.extend(reason.map(|reason| Damage { path, reason, is_derived }));
        Ok(())
    }

    /// Holds the files against each other; where this fails although every digest fits, the program that wrote them erred.
    fn check_references(&mut self, index: &Path) -> Result<(), IndexError> {
        match references(index) {
            Err(IndexError::Damaged { path, reason }) => {
                self.damages.push(Damage { path, reason, is_derived: false });
                Ok(())
            }
            outcome => outcome,
        }
    }
}

fn references(index: &Path) -> Result<(), IndexError> {
    let Some(snapshot) = Snapshot::open(index)? else { return Ok(()) };
    snapshot.names()?;
    snapshot.check_rows()?;
    snapshot.check_content()
}
