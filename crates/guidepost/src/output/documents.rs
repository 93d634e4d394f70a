//! The guides of an index, and one of them.

use std::collections::BTreeMap;

use guidepost_index::{DocumentRecord, Snapshot};
use guidepost_query::RoleEntry;
use schemars::JsonSchema;
use serde::Serialize;

use super::wire::{PlaceLines, SCHEMA_VERSION};

/// The guides of an index, and what they can be filtered by.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct DocumentsView {
    schema_version: u32,
    command: &'static str,
    documents: Vec<DocumentView>,
    facets: FacetsView,
}

/// A guide.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct DocumentView {
    /// Path as citations give it.
    path: String,
    title: String,
    /// As its front matter says it: `role`, `skill`, `path`, ...
    kind: Option<String>,
    /// Roles that its front matter names.
    roles: Vec<String>,
    tags: Vec<String>,
    /// As its front matter says it.
    date: Option<String>,
    passages: u32,
    /// Size of its file.
    bytes: u64,
    /// What could not be read as it stands.
    warnings: Vec<String>,
}

/// Values to filter by, and how many guides each lets through.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct FacetsView {
    kind: Vec<FacetValue>,
    role: Vec<FacetValue>,
    tag: Vec<FacetValue>,
}

/// A value of a facet.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct FacetValue {
    value: String,
    guides: usize,
}

impl DocumentsView {
    pub(crate) fn new(snapshot: &Snapshot, roles: &[RoleEntry]) -> DocumentsView {
        let documents = snapshot.documents();
        let metadata = || documents.iter().map(|document| &document.metadata);
        DocumentsView {
            schema_version: SCHEMA_VERSION,
            command: "documents",
            documents: documents.iter().map(DocumentView::new).collect(),
            facets: FacetsView {
                kind: count(metadata().filter_map(|metadata| metadata.kind.as_deref())),
                role: roles.iter().filter_map(role_value).collect(),
                tag: count(metadata().flat_map(|metadata| metadata.tags.iter().map(String::as_str))),
            },
        }
    }
}

impl DocumentView {
    fn new(document: &DocumentRecord) -> DocumentView {
        let metadata = &document.metadata;
        DocumentView {
            path: document.path.clone(),
            title: metadata.title.clone(),
            kind: metadata.kind.clone(),
            roles: metadata.roles.clone(),
            tags: metadata.tags.clone(),
            date: metadata.date.clone(),
            passages: document.chunks,
            bytes: document.bytes,
            warnings: document.warnings.clone(),
        }
    }
}

/// Values without regard to letter case, the most frequent first.
fn count<'a>(values: impl Iterator<Item = &'a str>) -> Vec<FacetValue> {
    let mut counted: BTreeMap<String, FacetValue> = BTreeMap::new();
    for value in values {
        let entry = counted.entry(value.to_lowercase());
        entry.or_insert_with(|| FacetValue { value: value.to_owned(), guides: 0 }).guides += 1;
    }
    let mut counted: Vec<FacetValue> = counted.into_values().collect();
    counted.sort_by_key(|value| std::cmp::Reverse(value.guides));
    counted
}

/// A role that guides describe; those that are only named let nothing through.
fn role_value(role: &RoleEntry) -> Option<FacetValue> {
    let mut guides: Vec<usize> = role.described.iter().map(|place| place.document).collect();
    guides.sort_unstable();
    guides.dedup();
    (!guides.is_empty()).then(|| FacetValue { value: role.name.clone(), guides: guides.len() })
}

/// Lines of a guide.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct GuideView {
    pub(crate) schema_version: u32,
    pub(crate) command: &'static str,
    pub(crate) title: String,
    #[serde(flatten)]
    pub(crate) place: PlaceLines,
    /// Lines of the whole guide.
    pub(crate) lines: u32,
    pub(crate) text: String,
}
