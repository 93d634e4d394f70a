//! Two roles side by side, every item with the lines it comes from.

use guidepost_index::{ShippedGuide, Snapshot};
use guidepost_query::{CatalogEntry, RoleEntry};
use guidepost_text::{Cited, Lines, ResourceKind, profile};
use schemars::JsonSchema;
use serde::Serialize;

use super::wire::{PlaceLines, SCHEMA_VERSION, file_of, place_of};
use crate::guide_text;

/// Two roles side by side.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ComparisonView {
    schema_version: u32,
    command: &'static str,
    pub(crate) roles: [ComparedRole; 2],
}

/// A role, row by row.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ComparedRole {
    pub(crate) role: String,
    /// Where it is described, or else named.
    described: Vec<PlaceLines>,
    skills: Vec<ComparedItem>,
    tools: Vec<ComparedItem>,
    /// In the order of the way.
    roadmap: Vec<ComparedItem>,
    books: Vec<ComparedItem>,
    courses: Vec<ComparedItem>,
    certifications: Vec<ComparedItem>,
    projects: Vec<ComparedItem>,
    /// The files of those guides.
    #[serde(skip)]
    pub(crate) files: Vec<String>,
}

/// Something that a guide says of a role.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ComparedItem {
    pub(crate) text: String,
    #[serde(flatten)]
    pub(crate) place: PlaceLines,
    /// What tells whether the other role has it too.
    #[serde(skip)]
    pub(crate) key: String,
}

impl ComparisonView {
    /// # Errors
    /// A guide that cannot be read any more.
    pub(crate) fn new(
        roles: [&RoleEntry; 2],
        catalog: &[CatalogEntry],
        snapshot: &Snapshot,
        shipped: &[ShippedGuide],
    ) -> anyhow::Result<ComparisonView> {
        let [first, second] = roles.map(|role| ComparedRole::new(role, catalog, snapshot, shipped));
        Ok(ComparisonView { schema_version: SCHEMA_VERSION, command: "compare", roles: [first?, second?] })
    }
}

impl ComparedRole {
    fn new(
        role: &RoleEntry,
        catalog: &[CatalogEntry],
        snapshot: &Snapshot,
        shipped: &[ShippedGuide],
    ) -> anyhow::Result<ComparedRole> {
        let places = if role.described.is_empty() { &role.named } else { &role.described };
        let document = |at: usize| &snapshot.documents()[at];
        let described =
            places.iter().map(|place| place_of(document(place.document), place.lines, &[]).lines());
        let mut compared = ComparedRole {
            role: role.name.clone(),
            described: described.collect(),
            skills: Vec::new(),
            tools: Vec::new(),
            roadmap: Vec::new(),
            books: Vec::new(),
            courses: Vec::new(),
            certifications: Vec::new(),
            projects: Vec::new(),
            files: places.iter().map(|place| file_of(snapshot, document(place.document))).collect(),
        };
        for place in places {
            let document = document(place.document);
            let guide = guide_text::read(snapshot, document, shipped)?;
            let profile = profile(&guide.document(), place.lines);
            let item = |text: &str, lines: Lines, key: &str| ComparedItem {
                text: text.to_owned(),
                place: place_of(document, lines, &[]).lines(),
                key: key.to_lowercase(),
            };
            let cited = |cited: &Cited| item(&cited.text, cited.lines, &cited.text);
            compared.skills.extend(profile.skills.iter().map(cited));
            compared.roadmap.extend(profile.roadmap.iter().map(cited));
            for entry in catalog {
                let Some(cell) = compared.cell_of(entry.kind) else { continue };
                let mention = entry.mentions.iter().find(|mention| {
                    mention.document == place.document && holds(place.lines, mention.resource.lines)
                });
                let known = cell.iter().any(|item| item.key == entry.title.to_lowercase());
                if let Some(mention) = mention.filter(|_| !known) {
                    let by = entry.by.as_ref().filter(|_| entry.kind == ResourceKind::Book);
                    let by = by.map(|by| format!(", {by}")).unwrap_or_default();
                    cell.push(item(&format!("{}{by}", entry.title), mention.resource.lines, &entry.title));
                }
            }
        }
        Ok(compared)
    }

    /// Where a kind of resource goes.
    fn cell_of(&mut self, kind: ResourceKind) -> Option<&mut Vec<ComparedItem>> {
        match kind {
            ResourceKind::Tool => Some(&mut self.tools),
            ResourceKind::Book => Some(&mut self.books),
            ResourceKind::Course => Some(&mut self.courses),
            ResourceKind::Certification => Some(&mut self.certifications),
            ResourceKind::Project => Some(&mut self.projects),
            ResourceKind::Link => None,
        }
    }

    /// The rows in order, with their names.
    pub(crate) fn rows(&self) -> [(&'static str, &[ComparedItem]); 7] {
        [
            ("skills", &self.skills),
            ("tools", &self.tools),
            ("roadmap", &self.roadmap),
            ("books", &self.books),
            ("courses", &self.courses),
            ("certifications", &self.certifications),
            ("projects", &self.projects),
        ]
    }
}

fn holds(outer: Lines, inner: Lines) -> bool {
    outer.first <= inner.first && inner.last <= outer.last
}
