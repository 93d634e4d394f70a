//! Whom a resource serves: the role or the skill that the headings above it name.

use super::{expect, roles};
use crate::Document;

/// The nearest heading that names a subject, else what the guide is about. `own`: the last heading is the resource itself.
pub(super) fn serves(document: &Document, heading_path: &[String], own: bool) -> String {
    let above = &heading_path[..heading_path.len() - usize::from(own && !heading_path.is_empty())];
    let subject = above.iter().skip(1).rev().find(|heading| !expect::orders_only(heading));
    match subject {
        Some(heading) => subject_of(heading),
        None => about(document),
    }
}

/// What a guide is about: its one role, else its title.
pub(super) fn about(document: &Document) -> String {
    let metadata = &document.metadata;
    match &metadata.roles[..] {
        [role] => role.clone(),
        _ => roles::role_of(&metadata.title).unwrap_or_else(|| subject_of(&metadata.title)),
    }
}

/// A heading without its number, its emoji, and what follows a colon; of `Example: goats`, the goats.
pub(super) fn subject_of(heading: &str) -> String {
    let text = heading.trim_start_matches(|c: char| !c.is_alphabetic());
    let subject = match text.split_once(": ") {
        Some((before, behind)) if expect::only_fills(before) => behind,
        Some((before, _)) => before,
        None => text,
    };
    let trimmed = subject.trim_end_matches(|c: char| !c.is_alphanumeric() && !matches!(c, ')' | '+' | '#'));
    if trimmed.is_empty() { heading.to_owned() } else { trimmed.to_owned() }
}
