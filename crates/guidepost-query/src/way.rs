//! The way to a role: what a question asks for that wants to become something.
//!
//! A roadmap says "weeks 1 to 6: SQL" and shares hardly a word or a meaning with "how do I become a data analyst?", so
//! neither leg finds it. The roles that guides describe are known by name and place: the roadmap there is taken along, whatever
//! the legs found. Measured in `benches/results/shipped_questions.md`.

use std::collections::HashSet;

use guidepost_index::{ChunkId, Form, IndexError, Rows, Snapshot, StoredChunk};

use crate::question::Question;
use crate::resources::role_terms;
use crate::roles::{RoleEntry, RolePlace, roles};

/// Beginnings of words in headings that announce a way.
const ROADMAP: [&str; 6] = ["path", "phase", "plan", "roadmap", "stage", "step"];

/// Words that ask for a way and say nothing of where it leads.
const OF_THE_WAY: [&str; 9] =
    ["roadmap", "become", "becom", "break", "start", "path", "career", "job", "field"];

/// The passages on the way to the role that a question wants to become, of those `within`, in reading order: the roadmap of the
/// guide about it, or the whole section where a guide has no more than that. None for other questions.
///
/// # Errors
/// A damaged index.
pub(crate) fn way(
    snapshot: &Snapshot,
    question: &Question,
    within: Option<&Rows>,
) -> Result<Vec<ChunkId>, IndexError> {
    if !asks_for_the_way(&question.text) {
        return Ok(Vec::new());
    }
    let roles = roles(snapshot.names()?);
    let mut ids: Vec<ChunkId> = Vec::new();
    for place in wanted(&roles, question).into_iter().flat_map(|role| &role.described) {
        ids.extend(at_place(snapshot, place)?);
    }
    ids.retain(|&id| within.is_none_or(|within| within.contains(id)));
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// `how do I become ...`, but not `how long does it take to become ...`.
fn asks_for_the_way(text: &str) -> bool {
    let text = text.to_lowercase();
    let asks_how = text.starts_with("how ") && !text.starts_with("how long") && !text.starts_with("how much");
    let becomes = ["become", "get into", "break into", "get started as", "start as"];
    text.contains("roadmap") || asks_how && becomes.iter().any(|words| text.contains(words))
}

/// The role with the longest name of those whose names stand in the question; else one that has all the words that the question
/// has for it, if no other guide is about such a one.
fn wanted<'a>(roles: &'a [RoleEntry], question: &Question) -> Option<&'a RoleEntry> {
    let described = roles.iter().filter(|role| !role.described.is_empty());
    let described: Vec<(HashSet<String>, &RoleEntry)> =
        described.flat_map(|role| ways_to_say(&role.name).map(move |terms| (terms, role))).collect();
    let asked = role_terms(&question.text);
    let whole = described.iter().filter(|(terms, _)| terms.len() > 1 && terms.is_subset(&asked));
    if let Some((_, role)) = whole.max_by_key(|(terms, _)| terms.len()) {
        return Some(role);
    }
    let telling = question.words.iter().filter(|word| word.form == Form::Word);
    let telling = telling.flat_map(|word| word.term.split(' '));
    let telling: HashSet<String> =
        telling.filter(|term| !OF_THE_WAY.contains(term)).map(str::to_owned).collect();
    let mut fitting = described.iter().filter(|(terms, _)| !telling.is_empty() && telling.is_subset(terms));
    let first = fitting.next()?;
    fitting.all(|(_, role)| role.described == first.1.described).then_some(first.1)
}

/// The terms of each name that a heading gives a role: `MLOps / AI infrastructure engineer` has two.
fn ways_to_say(name: &str) -> impl Iterator<Item = HashSet<String>> {
    name.split(['/', '(', ')']).map(role_terms).filter(|terms| !terms.is_empty())
}

/// The roadmap between these lines of a guide; all that stands there where no heading announces one, unless it is the whole
/// guide.
fn at_place(snapshot: &Snapshot, place: &RolePlace) -> Result<Vec<ChunkId>, IndexError> {
    let Some(guide) = snapshot.documents().get(place.document) else { return Ok(Vec::new()) };
    let rows = guide.first_chunk..guide.first_chunk + guide.chunks;
    let chunks = rows.map(|row| Ok((ChunkId(row), snapshot.chunk(ChunkId(row))?)));
    let mut chunks: Vec<(ChunkId, StoredChunk)> = chunks.collect::<Result<_, IndexError>>()?;
    chunks.retain(|(_, chunk)| {
        let lines = chunk.chunk.lines;
        lines.first <= place.lines.last && place.lines.first <= lines.last
    });
    let is_section = place.lines.first > 1;
    let roadmap: Vec<ChunkId> =
        chunks.iter().filter(|(_, chunk)| is_roadmap(chunk)).map(|(id, _)| *id).collect();
    match roadmap.is_empty() && is_section {
        true => Ok(chunks.into_iter().map(|(id, _)| id).collect()),
        false => Ok(roadmap),
    }
}

fn is_roadmap(chunk: &StoredChunk) -> bool {
    let headings = chunk.chunk.heading_path.iter().skip(1);
    let mut words = headings.flat_map(|heading| heading.split(|c: char| !c.is_alphanumeric()));
    words.any(|word| ROADMAP.iter().any(|start| word.to_lowercase().starts_with(start)))
}

#[cfg(test)]
mod tests {
    use guidepost_text::Lines;

    use super::*;

    #[test]
    fn the_way_is_asked_for_in_so_many_words() {
        for (asked, way) in [
            ("How do I become a data analyst?", true),
            ("how can one get into robotics", true),
            ("roadmap for a data engineer", true),
            ("how long does it take to become a data scientist", false),
            ("do I have to become a manager", false),
        ] {
            assert_eq!(asks_for_the_way(asked), way, "{asked}");
        }
    }

    #[test]
    fn roles_are_meant_by_their_names_or_by_what_only_one_has() {
        let place = |document| RolePlace { document, lines: Lines { first: 1, last: 9 } };
        let role = |(at, name): (usize, &str)| RoleEntry {
            name: name.into(),
            described: vec![place(at)],
            named: Vec::new(),
        };
        let names = [
            "Data analyst",
            "Data engineer",
            "Engineer",
            "Machine learning engineer",
            "MLOps / AI infrastructure engineer",
            "Robotics engineer",
            "Security engineer",
            "Cloud security engineer",
        ];
        let mut roles: Vec<RoleEntry> = names.into_iter().enumerate().map(role).collect();
        // Another name for what the same guide is about.
        let robots = names.iter().position(|name| name.starts_with("Robotics")).expect("it is one of them");
        roles.push(role((robots, "Robotics programmer")));
        for (asked, expected) in [
            ("How do I become a data analyst?", Some("Data analyst")),
            ("how do I become an ML engineer", Some("Machine learning engineer")),
            ("How do I become a cloud security engineer?", Some("Cloud security engineer")),
            ("roadmap for AI infrastructure engineers", Some("MLOps / AI infrastructure engineer")),
            ("how do I get into MLOps", Some("MLOps / AI infrastructure engineer")),
            ("how to get into robotics", Some("Robotics engineer")),
            ("how to get into data", None),
            ("how to break into security", None),
            ("How do I become a sound engineer for concerts?", None),
        ] {
            let question = Question::new(asked).expect("it can be searched");
            assert_eq!(wanted(&roles, &question).map(|role| role.name.as_str()), expected, "{asked}");
        }
    }
}
