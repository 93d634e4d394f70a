//! Folders that benchmarks copy and go through, and the program beside them.

use std::fs;
use std::path::{Path, PathBuf};

/// The program, built beside the benchmark.
///
/// # Errors
/// A system that does not say where the benchmark lies.
pub fn program() -> std::io::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("guidepost"))
}

/// Copies a folder with the times of its files, by which the program tells whether a guide has changed. None is an empty one.
///
/// # Errors
/// Files that cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    if !from.exists() {
        return Ok(());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)?.flatten() {
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), &to)?;
            fs::File::options().write(true).open(&to)?.set_modified(entry.metadata()?.modified()?)?;
        }
    }
    Ok(())
}

/// All files below a folder, in order.
///
/// # Errors
/// Folders that cannot be read.
pub fn files_below(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)?.flatten() {
        match entry.file_type()?.is_dir() {
            true => found.extend(files_below(&entry.path())?),
            false => found.push(entry.path()),
        }
    }
    found.sort();
    Ok(found)
}
