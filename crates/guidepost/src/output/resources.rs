//! Resources as they are shown.

use std::fmt::Write;

use guidepost_index::Snapshot;
use guidepost_query::{FoundResource, Mention};
use guidepost_text::ResourceKind;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::listing::Listing;
use super::rows::typed;
use super::text::{BOLD, FAINT, PLACE, width};
use super::wire::{Place, SCHEMA_VERSION, file_of, place_of};
use crate::console::printable;

/// A resource on the wire.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ResourceView {
    pub(crate) rank: usize,
    /// `book`, `course`, `certification`, `project`, `tool` or `link`.
    #[schemars(with = "String")]
    pub(crate) kind: ResourceKind,
    pub(crate) title: String,
    /// Author or provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) price: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) level: Option<String>,
    /// How well it fits the query, 0 to 1; 0 without one.
    pub(crate) score: f32,
    /// Number of guides that name it.
    pub(crate) guides: usize,
    pub(crate) mentions: Vec<MentionView>,
    /// The files of those guides.
    #[serde(skip)]
    files: Vec<String>,
}

/// A place that names a resource.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct MentionView {
    #[serde(flatten)]
    pub(crate) place: Place,
    /// The role or skill it serves there.
    pub(crate) serves: String,
    /// What the guide says of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) about: Option<String>,
}

/// Places that are shown of a resource; JSON has them all.
const PLACES_SHOWN: usize = 4;

impl ResourceView {
    pub(crate) fn new(rank: usize, found: &FoundResource, snapshot: &Snapshot) -> ResourceView {
        let entry = found.entry;
        let document = |mention: &Mention| &snapshot.documents()[mention.document];
        let mention = |mention: &Mention| MentionView {
            place: place_of(document(mention), mention.resource.lines, &mention.resource.heading_path),
            serves: mention.resource.serves.clone(),
            about: mention.resource.about.clone(),
        };
        ResourceView {
            rank,
            kind: entry.kind,
            title: entry.title.clone(),
            by: entry.by.clone(),
            url: entry.url.clone(),
            price: entry.price.clone(),
            level: entry.level.clone(),
            score: found.score,
            guides: entry.guides(),
            mentions: entry.mentions.iter().map(mention).collect(),
            files: entry.mentions.iter().map(|mention| file_of(snapshot, document(mention))).collect(),
        }
    }

    /// `book by A. B, for beginners, free`.
    fn kind_line(&self) -> String {
        let by = match (self.kind, &self.by) {
            (_, None) => String::new(),
            (ResourceKind::Book, Some(by)) => format!(" by {by}"),
            (_, Some(by)) => format!(", {by}"),
        };
        let more = [&self.level, &self.price]
            .into_iter()
            .flatten()
            .map(|said| format!(", {said}"))
            .collect::<String>();
        format!("{}{by}{more}", self.kind.name())
    }

    fn about(&self) -> Option<&str> {
        self.mentions.iter().find_map(|mention| mention.about.as_deref())
    }

    fn citations(&self) -> String {
        let shown = self.mentions.iter().take(PLACES_SHOWN).map(|mention| mention.place.shown());
        let more = self.mentions.len().saturating_sub(PLACES_SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{more}", shown.collect::<Vec<_>>().join(", "))
    }

    /// For people: the title, what it is, what is said of it, and where.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let title = printable(&self.title);
        let _ = writeln!(
            text,
            "{}. {BOLD}{title}{BOLD:#}  {FAINT}{}{FAINT:#}",
            self.rank,
            printable(&self.kind_line())
        );
        let indent = "   ";
        let options = textwrap::Options::new(width()).initial_indent(indent).subsequent_indent(indent);
        if let Some(about) = self.about() {
            let _ = writeln!(text, "{}", textwrap::fill(&printable(about), &options));
        }
        if let Some(url) = &self.url {
            let _ = writeln!(text, "{indent}{}", printable(url));
        }
        let guides =
            if self.guides > 1 { format!("named by {} guides: ", self.guides) } else { String::new() };
        let _ = writeln!(text, "{indent}{guides}{PLACE}{}{PLACE:#}", printable(&self.citations()));
        text
    }

    pub(super) fn markdown(&self) -> String {
        let title = match &self.url {
            Some(url) => format!("[{}]({url})", self.title),
            None => format!("**{}**", self.title),
        };
        let about = self.about().map(|about| format!(": {about}")).unwrap_or_default();
        let places = self.mentions.iter().map(|mention| format!("`{}`", mention.place.shown()));
        format!(
            "{}. {title} ({}){about}\n   {}\n",
            self.rank,
            self.kind_line(),
            places.collect::<Vec<_>>().join(", ")
        )
    }

    fn record(&self) -> Vec<String> {
        let places = self.mentions.iter().map(|mention| mention.place.citation());
        let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
        vec![
            self.rank.to_string(),
            self.kind.name().to_owned(),
            self.title.clone(),
            or_empty(&self.by),
            or_empty(&self.url),
            or_empty(&self.price),
            or_empty(&self.level),
            self.mentions.first().map(|mention| mention.serves.clone()).unwrap_or_default(),
            self.guides.to_string(),
            places.collect::<Vec<_>>().join("; "),
            self.about().unwrap_or_default().to_owned(),
        ]
    }
}

/// Resources as a list of their own.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ResourcesView {
    schema_version: u32,
    command: &'static str,
    pub(crate) query: String,
    /// Those that were found, shown or not.
    total: usize,
    resources: Vec<ResourceView>,
}

impl ResourcesView {
    /// The first `limit` of those found.
    pub(crate) fn new(query: &str, found: &[FoundResource], limit: usize, snapshot: &Snapshot) -> Self {
        let shown = found.iter().take(limit).enumerate();
        ResourcesView {
            schema_version: SCHEMA_VERSION,
            command: "resources",
            query: query.to_owned(),
            total: found.len(),
            resources: shown.map(|(at, found)| ResourceView::new(at + 1, found, snapshot)).collect(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.total == 0
    }
}

/// Resources for printing.
pub(crate) fn listing(resources: &ResourcesView) -> Listing {
    let ResourcesView { query, total, resources: views, .. } = resources;
    let total = *total;
    let mut text: String = views.iter().map(|view| view.text() + "\n").collect();
    if total > views.len() {
        let _ = writeln!(text, "{FAINT}{} of {total}; -n or --all shows more{FAINT:#}", views.len());
    }
    let heading = if query.is_empty() { "Resources" } else { query };
    Listing {
        json: json!(resources),
        rows: views.iter().map(|view| typed("resource", json!(view))).collect(),
        csv_header: &[
            "rank", "kind", "title", "by", "url", "price", "level", "for", "guides", "places", "about",
        ],
        csv: views.iter().map(ResourceView::record).collect(),
        markdown: format!("# {heading}\n\n{}", views.iter().map(ResourceView::markdown).collect::<String>()),
        text,
        files: views.iter().flat_map(|view| view.files.clone()).collect(),
    }
}
