//! Finding guides in a folder. Looks at names and sizes; reads nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use guidepost_text::Format;
use ignore::WalkBuilder;

use crate::IndexError;

/// A file that may be a guide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Below the folder, with `/` between the parts.
    pub(crate) relative: String,
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    /// Time of the last change, nanoseconds since 1970, at least 1; 0 where it is unknown, or before that.
    pub(crate) modified_ns: u64,
}

/// What a folder holds.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// In the order of their paths.
    pub(crate) files: Vec<Found>,
    /// Files of kinds that are not read, by extension.
    pub(crate) other_kinds: BTreeMap<String, usize>,
    /// What could not be looked at, as sentences.
    pub(crate) problems: Vec<String>,
}

/// Lists a folder. `.gitignore`, `.ignore` and `.guidepostignore` in it and below hold; hidden files are left out; links are not
/// followed.
pub(crate) fn list(folder: &Path) -> Result<Listing, IndexError> {
    let metadata =
        folder.metadata().map_err(|error| IndexError::NoFolder { path: folder.to_owned(), error })?;
    if !metadata.is_dir() {
        let error =
            std::io::Error::new(std::io::ErrorKind::NotADirectory, "it is a file; give the folder it is in");
        return Err(IndexError::NoFolder { path: folder.to_owned(), error });
    }
    let mut listing = Listing::default();
    let walker = WalkBuilder::new(folder)
        .require_git(false)
        // The folder was named: what lies above it, or what this user never commits, has no say.
        .parents(false)
        .git_global(false)
        .add_custom_ignore_filename(".guidepostignore")
        .sort_by_file_path(Path::cmp)
        .build();
    for entry in walker {
        match entry {
            Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => listing.take(folder, &entry),
            Ok(entry) => listing.problems.extend(left_out(&entry)),
            Err(error) => listing.problems.push(error.to_string()),
        }
    }
    Ok(listing)
}

/// Why a guide that is no plain file was left out. A folder behind a link may be this one again.
fn left_out(entry: &ignore::DirEntry) -> Option<String> {
    let (path, kind) = (entry.path(), entry.file_type()?);
    let named_as_guide = Format::of(&path.to_string_lossy()).is_some();
    let why = match () {
        () if kind.is_symlink() && (named_as_guide || path.is_dir()) => {
            "links are not followed; index what it leads to"
        }
        () if !kind.is_symlink() && !kind.is_dir() && named_as_guide => "it is no plain file",
        () => return None,
    };
    Some(format!("`{}` was left out: {why}", path.display()))
}

impl Listing {
    fn take(&mut self, folder: &Path, entry: &ignore::DirEntry) {
        let path = entry.path();
        if path.file_name().is_some_and(|name| name == "guidepost.toml") {
            return;
        }
        let Some(format) = Format::of(&path.to_string_lossy()) else {
            let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
            *self.other_kinds.entry(extension.unwrap_or_default()).or_default() += 1;
            return;
        };
        if path.to_str().is_none() {
            let shown = path.display();
            return self
                .problems
                .push(format!("`{shown}` was left out: its name is not UTF-8, so it cannot be cited"));
        }
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            Err(error) => return self.problems.push(error.to_string()),
        };
        if metadata.len() > format.max_bytes() {
            self.problems.push(format!(
                "`{}` was left out: it has {:.1} MB and a guide in {} may have {}; split it, or remove it",
                path.display(),
                metadata.len() as f64 / 1e6,
                format.name(),
                format.max_bytes() >> 20,
            ));
            return;
        }
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let parts = path.strip_prefix(folder).unwrap_or(path).components();
        let relative = parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
        self.files.push(Found {
            relative,
            path: path.to_owned(),
            bytes: metadata.len(),
            modified_ns: modified.map_or(0, |time| (time.as_nanos() as u64).max(1)),
        });
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn guides_are_found_and_ignore_files_hold() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let write = |name: &str, text: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("writable");
            fs::write(path, text).expect("writable");
        };
        for name in ["b.md", "a/c.TXT", "photo.jpg", "x.zip", "y.zip", ".hidden.md", "drafts/d.md", "old.md"]
        {
            write(name, "text");
        }
        write(".gitignore", "drafts/\n");
        write(".guidepostignore", "old.md\n");
        let listing = list(root.path()).expect("it is a folder");
        let names: Vec<&str> = listing.files.iter().map(|file| file.relative.as_str()).collect();
        assert_eq!(names, ["a/c.TXT", "b.md"]);
        assert_eq!(listing.other_kinds, BTreeMap::from([("jpg".into(), 1), ("zip".into(), 2)]));
        assert!(
            list(&root.path().join("b.md")).is_err_and(|error| error.to_string().contains("folder it is in"))
        );
    }
}
