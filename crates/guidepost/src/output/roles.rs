//! Roles as they are shown.

use guidepost_index::Snapshot;
use guidepost_query::{CatalogEntry, RoleEntry, RolePlace, count_serving};
use schemars::JsonSchema;
use serde::Serialize;

use super::wire::{PlaceLines, SCHEMA_VERSION, file_of, place_of};

/// The roles that guides are about.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct RolesView {
    schema_version: u32,
    command: &'static str,
    pub(crate) roles: Vec<RoleView>,
}

/// A role, and where it stands.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct RoleView {
    pub(crate) role: String,
    /// Number of resources that serve it.
    pub(crate) resources: usize,
    /// Guides and sections about it.
    pub(crate) described: Vec<PlaceLines>,
    /// Lines that only name it.
    pub(crate) named: Vec<PlaceLines>,
    /// The files of those guides.
    #[serde(skip)]
    pub(crate) files: Vec<String>,
}

impl RolesView {
    pub(crate) fn new(roles: &[RoleEntry], catalog: &[CatalogEntry], snapshot: &Snapshot) -> RolesView {
        let serving = count_serving(snapshot, catalog, roles);
        let view = |(role, resources)| RoleView::new(role, resources, snapshot);
        RolesView {
            schema_version: SCHEMA_VERSION,
            command: "roles",
            roles: roles.iter().zip(serving).map(view).collect(),
        }
    }
}

impl RoleView {
    fn new(role: &RoleEntry, resources: usize, snapshot: &Snapshot) -> RoleView {
        let document = |place: &RolePlace| &snapshot.documents()[place.document];
        let lines = |place: &RolePlace| place_of(document(place), place.lines, &[]).lines();
        let places = role.described.iter().chain(&role.named);
        RoleView {
            role: role.name.clone(),
            resources,
            described: role.described.iter().map(lines).collect(),
            named: role.named.iter().map(lines).collect(),
            files: places.map(|place| file_of(snapshot, document(place))).collect(),
        }
    }

    /// Where it is described, else where it is named.
    pub(crate) fn citations(&self) -> String {
        let places = if self.described.is_empty() { &self.named } else { &self.described };
        places.iter().map(PlaceLines::shown).collect::<Vec<_>>().join(", ")
    }
}
