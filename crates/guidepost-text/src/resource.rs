//! The words for what guides name: resources and roles.

use serde::{Deserialize, Serialize};

use crate::Lines;

/// Kinds of [`Resource`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResourceKind {
    /// A titled book.
    Book,
    /// A course, specialization or curriculum.
    Course,
    /// A certificate or an exam.
    Certification,
    /// Something to build.
    Project,
    /// Software, a language, a platform, a service, a model.
    Tool,
    /// A web address that is none of the others.
    Link,
}

impl ResourceKind {
    /// All kinds, in the order in which they are listed.
    pub const ALL: [ResourceKind; 6] = [
        ResourceKind::Book,
        ResourceKind::Course,
        ResourceKind::Certification,
        ResourceKind::Project,
        ResourceKind::Tool,
        ResourceKind::Link,
    ];

    /// The singular, lower case.
    pub fn name(self) -> &'static str {
        match self {
            ResourceKind::Book => "book",
            ResourceKind::Course => "course",
            ResourceKind::Certification => "certification",
            ResourceKind::Project => "project",
            ResourceKind::Tool => "tool",
            ResourceKind::Link => "link",
        }
    }

    /// The kind that a word asks for, in the singular or the plural; `None` for any other word.
    pub fn of_word(word: &str) -> Option<ResourceKind> {
        match word.to_lowercase().as_str() {
            "book" | "books" => Some(ResourceKind::Book),
            "course" | "courses" => Some(ResourceKind::Course),
            "certification" | "certifications" | "certificate" | "certificates" => {
                Some(ResourceKind::Certification)
            }
            "project" | "projects" => Some(ResourceKind::Project),
            "tool" | "tools" => Some(ResourceKind::Tool),
            "link" | "links" => Some(ResourceKind::Link),
            _ => None,
        }
    }
}

/// Something that a guide names for its reader: to read, take, pass, build, use or open. One place of one guide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// What it is.
    pub kind: ResourceKind,
    /// Its name as the guide writes it, without markup.
    pub title: String,
    /// Author or provider, as stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Where it is on the web.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Its price, as stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<String>,
    /// What the guide says of it, in its own words; without markup, cut where it is long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// `beginner`, `intermediate` or `advanced`, where stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// The role or skill it serves: the nearest heading above that names one, else what the guide is about.
    pub serves: String,
    /// Headings from the title down.
    pub heading_path: Vec<String>,
    /// Where it is named, 1-based.
    pub lines: Lines,
}

/// A role that a guide is about, or names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// As written, without markup.
    pub name: String,
    /// Whether there is a guide or a section about it; else it is only named.
    pub described: bool,
    /// The guide or the section about it, or the line that names it; 1-based.
    pub lines: Lines,
}

/// What a guide names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Resources in reading order; each kind and title once.
    pub resources: Vec<Resource>,
    /// Roles in reading order, each once.
    pub roles: Vec<Role>,
}
