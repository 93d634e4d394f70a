//! The documents of a collection as guides in a folder, so that they are read, cut and indexed as any other.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use guidepost_index::DocumentRecord;
use guidepost_query::{Collection, CollectionDocument};

/// Longest identifier that names its file.
const LONGEST: usize = 100;

/// A folder with one file per document.
pub(in crate::commands) struct Guides {
    pub(in crate::commands) folder: PathBuf,
    /// Number of the document by the name of its file.
    documents: HashMap<String, usize>,
}

impl Guides {
    /// Brings the folder in line with the collection; files that are right are not touched.
    pub(in crate::commands) fn write(folder: &Path, collection: &Collection) -> anyhow::Result<Guides> {
        let failed = || format!("cannot write the documents into `{}`", folder.display());
        fs::create_dir_all(folder).with_context(failed)?;
        let mut documents = HashMap::new();
        let mut taken = HashSet::new();
        for (at, document) in collection.documents.iter().enumerate() {
            let name = file_name(at, &document.id, &mut taken);
            let (path, text) = (folder.join(&name), guide(document));
            if fs::read(&path).ok().as_deref() != Some(text.as_bytes()) {
                fs::write(&path, text).with_context(failed)?;
            }
            documents.insert(name, at);
        }
        for entry in fs::read_dir(folder).with_context(failed)?.flatten() {
            if !documents.contains_key(entry.file_name().to_string_lossy().as_ref()) {
                fs::remove_file(entry.path()).with_context(failed)?;
            }
        }
        Ok(Guides { folder: folder.to_owned(), documents })
    }

    /// The document that each guide of an index is.
    pub(in crate::commands) fn numbers(&self, indexed: &[DocumentRecord]) -> anyhow::Result<Vec<usize>> {
        let number = |guide: &DocumentRecord| {
            let file = &guide.relative;
            let number = self.documents.get(file).copied();
            number.with_context(|| format!("`{file}` is in the index and no document of the collection"))
        };
        indexed.iter().map(number).collect()
    }
}

/// The identifier, where it can name a file on every system; else the document's number.
fn file_name(at: usize, id: &str, taken: &mut HashSet<String>) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let fits = !id.is_empty() && id.len() <= LONGEST && id.chars().all(plain);
    let name =
        if fits && !taken.contains(&id.to_lowercase()) { id.to_owned() } else { format!("document {at}") };
    taken.insert(name.to_lowercase());
    format!("{name}.md")
}

fn guide(document: &CollectionDocument) -> String {
    match document.title.trim() {
        "" => document.text.clone(),
        title => format!("# {title}\n\n{}", document.text),
    }
}
