//! SHA-256 of model files, each computed once: hashing 90 MB on every start would cost more than the search.
//!
//! A stamp beside the other caches remembers the digest with the file's size and time of change. A file that was
//! written to since is hashed again. Where no stamp can be written, the digest is computed every time.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{ModelError, ModelSpec};

#[derive(Serialize, Deserialize)]
struct Stamp {
    path: String,
    bytes: u64,
    modified_ns: u128,
    sha256: String,
}

/// The file's SHA-256, lower-case hexadecimal, from its stamp in `stamps` if that is fresh.
pub(crate) fn sha256(path: &Path, stamps: &Path) -> Result<String, ModelError> {
    let missing = |error| ModelError::Missing { path: path.to_owned(), error };
    let metadata = fs::metadata(path).map_err(missing)?;
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let modified_ns = modified.map_or(0, |time| time.as_nanos());
    let name = path.canonicalize().map_err(missing)?.display().to_string();
    let stamp_path = stamps.join(format!("{}.json", &hex(&Sha256::digest(name.as_bytes()))[..24]));
    if let Some(stamp) = read_stamp(&stamp_path)
        && (stamp.path == name && stamp.bytes == metadata.len() && stamp.modified_ns == modified_ns)
    {
        return Ok(stamp.sha256);
    }
    let sha256 = hash(path).map_err(missing)?;
    write_stamp(
        &stamp_path,
        &Stamp { path: name, bytes: metadata.len(), modified_ns, sha256: sha256.clone() },
    );
    Ok(sha256)
}

/// Whether every pinned file of a model folder is what it should be.
pub(crate) fn verify(folder: &Path, spec: &ModelSpec, stamps: &Path) -> Result<(), ModelError> {
    for file in &spec.files {
        let path = folder.join(&file.path);
        let Some(expected) = &file.sha256 else { continue };
        let got = sha256(&path, stamps)?;
        if &got != expected {
            return Err(ModelError::Digest { path, got, expected: expected.clone() });
        }
    }
    Ok(())
}

fn read_stamp(path: &Path) -> Option<Stamp> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// A stamp saves time and nothing else, so failing to write it is no error.
fn write_stamp(path: &Path, stamp: &Stamp) {
    let write = || -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut file, stamp)?;
        file.persist(path)?;
        Ok(())
    };
    let _ = write();
}

/// A text's SHA-256.
pub(crate) fn of_text(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// The file's SHA-256, computed now.
pub(crate) fn of_file(path: &Path) -> Result<String, ModelError> {
    hash(path).map_err(|error| ModelError::Missing { path: path.to_owned(), error })
}

fn hash(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = io::Read::read(&mut file, &mut buffer)?;
        if read == 0 {
            return Ok(hex(&hasher.finalize()));
        }
        hasher.update(&buffer[..read]);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_trusted_until_the_file_changes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (file, stamps) = (folder.path().join("weights"), folder.path().join("stamps"));
        fs::write(&file, "abc").expect("writable");
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(&file, &stamps).expect("readable"), abc);
        let stamp = fs::read_dir(&stamps).expect("stamps").next().expect("one").expect("readable").path();
        let forged = fs::read_to_string(&stamp).expect("text").replace(abc, "forged");
        fs::write(&stamp, forged).expect("writable");
        assert_eq!(sha256(&file, &stamps).expect("readable"), "forged", "a fresh stamp saves the work");
        fs::write(&file, "abcd").expect("writable");
        assert!(sha256(&file, &stamps).expect("readable").starts_with("88d4266fd4e6338d"));
    }
}
