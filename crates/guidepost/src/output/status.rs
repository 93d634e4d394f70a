//! What an index holds, for programs.

use std::path::{Path, PathBuf};

use guidepost_index::{ShippedGuide, Snapshot};
use schemars::JsonSchema;
use serde::Serialize;

use super::wire::SCHEMA_VERSION;
use crate::tuned::{Tuned, WeightsView};

/// What an index holds, and whether it is up to date.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct StatusView {
    schema_version: u32,
    /// The index directory.
    index: String,
    /// `null` where there is no index.
    current: Option<CurrentView>,
}

/// The generation that answers.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct CurrentView {
    generation: u64,
    /// Seconds since 1970.
    written: u64,
    /// All that shapes a vector or a passage.
    fingerprint: String,
    /// Hash of all that the index says; `null` where an earlier version wrote some of it.
    content: Option<String>,
    vectors: bool,
    graph: bool,
    late_interaction: LateView,
    /// The weights that were chosen for the index; `null` where none hold.
    tuned: Option<TunedView>,
    passages: usize,
    bytes: u64,
    sources: Vec<SourceView>,
    documents: Vec<DocumentStatus>,
    warnings: Vec<String>,
    changes: ChangesView,
}

/// Vectors of tokens.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct LateView {
    on: bool,
    bytes: u64,
}

/// Weights that `guidepost tune` chose.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct TunedView {
    questions: usize,
    weights: WeightsView,
}

/// A folder of guides.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct SourceView {
    /// First part of every citation.
    name: String,
    /// Absolute; `null` for the guides that ship.
    folder: Option<PathBuf>,
}

/// A guide, as the index has it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct DocumentStatus {
    path: String,
    title: String,
    bytes: u64,
    passages: u32,
    warnings: Vec<String>,
}

/// What differs on disk, in guides.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct ChangesView {
    added: usize,
    changed: usize,
    removed: usize,
}

impl StatusView {
    /// # Errors
    /// A disk that cannot be held against the index.
    pub(crate) fn new(
        index: &Path,
        snapshot: Option<&Snapshot>,
        shipped: &[ShippedGuide],
    ) -> anyhow::Result<StatusView> {
        let current = snapshot.map(|snapshot| CurrentView::new(snapshot, shipped)).transpose()?;
        Ok(StatusView { schema_version: SCHEMA_VERSION, index: index.display().to_string(), current })
    }
}

impl CurrentView {
    fn new(snapshot: &Snapshot, shipped: &[ShippedGuide]) -> anyhow::Result<CurrentView> {
        let (changes, warnings) = snapshot.changes(shipped)?;
        let source = |source: &guidepost_index::SourceRecord| SourceView {
            name: source.name.clone(),
            folder: source.folder.clone(),
        };
        let document = |document: &guidepost_index::DocumentRecord| DocumentStatus {
            path: document.path.clone(),
            title: document.metadata.title.clone(),
            bytes: document.bytes,
            passages: document.chunks,
            warnings: document.warnings.clone(),
        };
        Ok(CurrentView {
            generation: snapshot.generation(),
            written: snapshot.written(),
            fingerprint: snapshot.fingerprint().to_owned(),
            content: snapshot.content_hash(),
            vectors: snapshot.has_vectors(),
            graph: snapshot.has_graph(),
            late_interaction: LateView { on: snapshot.has_token_codes(), bytes: snapshot.token_bytes() },
            tuned: tuned(snapshot),
            passages: snapshot.chunk_count(),
            bytes: snapshot.bytes(),
            sources: snapshot.sources().iter().map(source).collect(),
            documents: snapshot.documents().iter().map(document).collect(),
            warnings: warnings.into_iter().map(|warning| warning.message).collect(),
            changes: ChangesView { added: changes.added, changed: changes.changed, removed: changes.removed },
        })
    }
}

fn tuned(snapshot: &Snapshot) -> Option<TunedView> {
    let tuned = Tuned::read(snapshot.index()).ok().flatten();
    let tuned = tuned.filter(|tuned| tuned.stale(snapshot).is_none())?;
    Some(TunedView { questions: tuned.questions, weights: tuned.weights })
}
