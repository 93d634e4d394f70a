//! Vectors and their graph alone, without texts or a manifest: what there is to measure vector search with.

use std::path::Path;

use guidepost_text::Embedding;

use crate::checked_file::CheckedFile;
use crate::graph::{self, Graph};
use crate::int8::Kernels;
use crate::vectors::{self, Vectors};
use crate::{ChunkId, IndexError, files};

/// The files `vectors` and `graph` of a folder, open for searching.
pub struct VectorIndex {
    vectors: Vectors,
    graph: Graph,
}

impl VectorIndex {
    /// Writes both files. `progress` hears how many of how many steps of building are done, from any thread.
    ///
    /// # Errors
    /// Files that cannot be written.
    pub fn write(
        folder: &Path,
        rows: &[Embedding],
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<(), IndexError> {
        let dimensions = rows.first().map_or(0, |row| row.as_slice().len());
        Vectors::write_rows(&folder.join(vectors::NAME), rows, dimensions)?;
        Graph::write_rows(&folder.join(graph::NAME), rows, progress)?;
        Ok(())
    }

    /// Maps both files.
    ///
    /// # Errors
    /// Damage, and files that cannot be read.
    pub fn open(folder: &Path, rows: usize, dimensions: usize) -> Result<Self, IndexError> {
        let file = |name: &str| -> Result<CheckedFile, IndexError> {
            let path = folder.join(name);
            let bytes = path.metadata().map_err(IndexError::io("read", &path))?.len();
            let map = files::map(&path, bytes)?;
            Ok(CheckedFile::unchecked(path, map))
        };
        let vectors = Vectors::open_rows(file(vectors::NAME)?, rows, dimensions)?;
        Ok(VectorIndex { vectors, graph: Graph::open_rows(file(graph::NAME)?, rows)? })
    }

    /// The family of instructions that rows are multiplied with here.
    pub fn instructions() -> &'static str {
        Kernels::best().name
    }

    /// The nearest rows by cosine, exactly, best first.
    pub fn scan(&self, query: &Embedding, limit: usize) -> Vec<(ChunkId, f32)> {
        self.vectors.scan(query, limit, None)
    }

    /// The nearest rows by cosine that a walk with a list of `ef` candidates finds, best first.
    pub fn walk(&self, query: &Embedding, limit: usize, ef: usize) -> Vec<(ChunkId, f32)> {
        self.graph.search(&self.vectors, query, limit, ef, None)
    }
}
