//! The types every crate shares. What they hold is plain data: byte spans, no lifetimes.

use serde::{Deserialize, Serialize};

/// A range of bytes in [`Document::text`], on character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The text under the span.
    pub fn of(self, text: &str) -> &str {
        &text[self.start..self.end]
    }

    /// The smallest span that covers both.
    pub fn join(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The span without white space at either end.
    pub(crate) fn trim(self, text: &str) -> Span {
        let inner = self.of(text);
        let start = self.start + (inner.len() - inner.trim_start().len());
        Span { start, end: start + inner.trim().len() }
    }
}

/// A range of lines, both 1-based and inclusive, as editors count them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Lines {
    /// First line.
    pub first: u32,
    /// Last line.
    pub last: u32,
}

/// A guide after decoding and repair.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// How citations name the guide.
    pub path: String,
    /// What the front matter says, and the title.
    pub metadata: Metadata,
    /// The repaired text. Of a file of text it has the lines, so line numbers mean the same in both; of any other file
    /// it is its reading: what it says, as Markdown.
    pub text: String,
    /// First line of every page, 1-based; empty where the format has no pages.
    pub pages: Vec<u32>,
    /// Sections in reading order; they do not overlap.
    pub sections: Vec<Section>,
    /// What could not be read as it stands, one sentence each, without the path.
    pub warnings: Vec<String>,
}

impl Document {
    /// Chooses the title (front matter, else first heading, else file name) and lets every heading path begin with it.
    pub(crate) fn settle_title(&mut self) {
        self.metadata.title = one_line(&self.metadata.title);
        if self.metadata.title.is_empty() {
            let first = self.sections.iter().find(|section| section.level == 1);
            self.metadata.title = first
                .and_then(|section| section.heading_path.last().cloned())
                .unwrap_or_else(|| title_from_path(&self.path));
        }
        let title = &self.metadata.title;
        for section in &mut self.sections {
            let named =
                section.heading_path.first().is_some_and(|h| h.to_lowercase() == title.to_lowercase());
            if !named {
                section.heading_path.insert(0, title.clone());
            }
        }
    }
}

/// Longest heading in characters; what is longer is text that was marked as a heading.
const MAX_LABEL: usize = 200;

/// A heading as every chunk below will carry it, and whether it had to be cut: then its whole text has to be kept as
/// text.
pub(crate) fn cut_label(label: &str) -> (String, bool) {
    match label.char_indices().nth(MAX_LABEL) {
        Some((end, _)) => (format!("{}…", &label[..end]), true),
        None => (label.to_owned(), false),
    }
}

/// Words in one line: a title that takes two would tear apart whatever it is printed into.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn title_from_path(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let words = stem.replace(['-', '_'], " ");
    let mut letters = words.chars();
    letters.next().map_or_else(|| path.to_owned(), |first| first.to_uppercase().chain(letters).collect())
}

/// What a guide says of itself in its front matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// Title; never empty once a document is read.
    pub title: String,
    /// `role`, `skill`, `path`, ...: free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Roles the guide is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Skills the guide is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<String>,
    /// Tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Level of the reader, free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// Date as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
}

impl Metadata {
    /// Whether the guide is about its roles: it says so, or has one alone. Others list whom they are for.
    pub fn describes_its_roles(&self) -> bool {
        self.kind.as_deref() == Some("role") || self.roles.len() == 1
    }
}

/// A heading with the text below it, up to the next heading of any level.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Headings from the title down to this one, without markup.
    pub heading_path: Vec<String>,
    /// 1 for the outermost heading; 0 for text before any heading.
    pub level: usize,
    /// The heading's own line; empty (`start == end`) for text before any heading.
    pub heading: Span,
    /// The text below, in reading order.
    pub blocks: Vec<Block>,
}

/// A piece of a section that is better not divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// What it is; decides where it may be divided when it does not fit.
    pub kind: BlockKind,
    /// Where it is.
    pub span: Span,
}

/// Kinds of [`Block`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockKind {
    /// Running text: divided between sentences.
    Text,
    /// One item of a list with everything under it: divided between sentences.
    ListItem,
    /// A table whose first line names its columns: divided between rows.
    Table,
    /// Code: divided between lines.
    Lines,
}

/// A piece of a section, or small sections side by side, that fits the model together with its heading path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Headings from the title down, as far as all of the text shares them.
    pub heading_path: Vec<String>,
    /// The heading path as one line, as it is embedded and indexed before the text; outer headings are left out
    /// where it would take more than half of the model's limit. Later rows of a table have its header row here, too.
    pub context: String,
    /// Lines of the text, 1-based.
    pub lines: Lines,
    /// Bytes of the text in [`Document::text`].
    pub span: Span,
    /// The text itself, verbatim.
    pub text: String,
}
