//! Vectors and their graph alone, without texts or a manifest: what there is to measure vector search with.

use std::path::Path;

use guidepost_text::Embedding;

use crate::graph::{self, Graph};
use crate::int8::Kernels;
use crate::vectors::{self, Vectors};
use crate::{ChunkId, IndexError};

/// The files `vectors` and `graph` of a folder, open for searching.
pub struct VectorIndex {
    vectors: Vectors,
    graph: Option<Graph>,
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
        let bytes = |name: &str| {
            let path = folder.join(name);
            path.metadata().map(|metadata| metadata.len()).map_err(IndexError::io("read", &path))
        };
        let vectors =
            Vectors::open_rows(&folder.join(vectors::NAME), bytes(vectors::NAME)?, rows, dimensions)?;
        let graph = Graph::open_rows(&folder.join(graph::NAME), bytes(graph::NAME)?, rows)?;
        Ok(VectorIndex { vectors, graph })
    }

    /// The family of instructions that rows are multiplied with here.
    pub fn instructions() -> &'static str {
        Kernels::best().name
    }

    /// The nearest rows by cosine, exactly, best first.
    pub fn scan(&self, query: &Embedding, limit: usize) -> Vec<(ChunkId, f32)> {
        self.vectors.scan(query, limit, None)
    }

    /// The nearest rows by cosine that a walk with a list of `ef` candidates finds, best first. Empty without a graph.
    pub fn walk(&self, query: &Embedding, limit: usize, ef: usize) -> Vec<(ChunkId, f32)> {
        let found = self.graph.as_ref().map(|graph| graph.search(&self.vectors, query, limit, ef, None));
        found.unwrap_or_default()
    }
}
