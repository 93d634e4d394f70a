//! What headings and labels lead their reader to expect below them: books, courses, tools, or nothing in particular.

use super::roles;
use crate::ResourceKind;

/// What a heading or a label announces.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expect {
    /// Nothing that is collected here.
    #[default]
    Nothing,
    /// Resources of one kind.
    Only(ResourceKind),
    /// Resources of more than one kind, or of no kind that is said.
    Any,
}

/// Longer headings are sentences.
const MAX_WORDS: usize = 8;

/// Longer headings with a word for tools are about something else.
const MAX_TOOL_WORDS: usize = 4;

/// What a heading or a label announces; `None` where it says nothing of it and what is around it holds.
pub(super) fn announced(label: &str) -> Option<Expect> {
    let words: Vec<String> = each_word(label).take(MAX_WORDS + 1).collect();
    // "Full-Stack Developer" announces no stack.
    if words.is_empty() || words.len() > MAX_WORDS || roles::role_of(label).is_some() {
        return None;
    }
    let mut kinds: Vec<ResourceKind> = ResourceKind::ALL
        .into_iter()
        .filter(|kind| words.iter().any(|word| announces(*kind, word, words.len() == 1)))
        .collect();
    // "Learn tools for your projects" is about projects, "Phase 3: Tools and agents" about a phase.
    let long = words.len() > MAX_TOOL_WORDS || words.iter().any(|word| is_among(word, ORDERING));
    if kinds.len() > 1 || long {
        kinds.retain(|kind| *kind != ResourceKind::Tool);
    }
    if words.iter().any(|word| is_among(word, HANDLING)) {
        kinds.retain(|kind| *kind != ResourceKind::Project);
    }
    if matches!(&words[..], [verb, what] if is_among(verb, GETTING) && what == "certified") {
        kinds = vec![ResourceKind::Certification];
    }
    match kinds[..] {
        [kind] => Some(Expect::Only(kind)),
        [] => words.iter().any(|word| is_among(word, GENERAL)).then_some(Expect::Any),
        _ => Some(Expect::Any),
    }
}

/// Whether a heading only orders what is below it: it names no role, no skill and no resource.
pub(super) fn orders_only(label: &str) -> bool {
    let words = words(label);
    if roles::role_of(label).is_some() {
        return false;
    }
    announced(label).is_some()
        || words.is_empty()
        || words.iter().any(|word| is_among(word, ORDERING))
        || only_fills(label)
}

/// Whether a text is made of words that name nothing.
pub(super) fn only_fills(text: &str) -> bool {
    words(text).iter().all(|word| is_among(word, FILLERS))
}

/// Headings with these words are about handling projects, not about what to build.
const HANDLING: &str = "in with using configure working create creating manage managing open add adding migrate import convert setup set \
    settings reference properties property files structure dependencies";

/// `Get certified` announces certifications; `Microsoft Certified` begins the name of one.
const GETTING: &str = "get getting become be";

/// Words that announce resources of no kind in particular.
const GENERAL: &str = "resources references reading material materials study literature";

/// Words of headings that order a guide and name no subject.
const ORDERING: &str = "skill skills roadmap path phase part week weeks month months step steps stage next reality check myth myths \
    struggle struggles career careers overview introduction summary outline faq portfolio building expect expected \
    expects outcomes level levels interview interviews day who what why how";

/// Words that a heading may be made of without naming anything.
const FILLERS: &str = "beginner intermediate advanced junior mid senior free paid core more other further and the a for of to or online \
    best top basic basics bonus example examples getting started general";

/// Whether a word of a label announces a kind; a singular only where it is all of the label.
fn announces(kind: ResourceKind, word: &str, alone: bool) -> bool {
    let (plural, singular) = match kind {
        ResourceKind::Book => ("books textbooks ebooks", "book textbook"),
        ResourceKind::Course => {
            ("courses moocs bootcamps tutorials curricula", "course mooc tutorial curriculum")
        }
        ResourceKind::Certification => {
            ("certifications certificates certs credentials exams", "certification certificate exam")
        }
        ResourceKind::Project => ("projects", "project portfolio"),
        ResourceKind::Tool => (
            "tools tooling technologies frameworks libraries platforms languages databases stores apis stack packages",
            "tool technology framework library platform",
        ),
        ResourceKind::Link => ("links websites blogs", "link website"),
    };
    is_among(word, plural) || (alone && is_among(word, singular))
}

/// Whether a word is one of those in a list, which spaces part.
pub(super) fn is_among(word: &str, list: &str) -> bool {
    list.split(' ').any(|listed| listed == word)
}

/// Words in lower case; what stands before the first and between them does not matter.
pub(super) fn words(text: &str) -> Vec<String> {
    each_word(text).collect()
}

fn each_word(text: &str) -> impl Iterator<Item = String> {
    let parts = text.split(|c: char| !c.is_alphanumeric() && !matches!(c, '\'' | '+' | '#'));
    parts.filter(|word| word.chars().any(char::is_alphanumeric)).map(str::to_lowercase)
}

/// A label that an entry begins with, and the offset of what follows it: up to a colon, a few words that announce
/// something.
pub(super) fn label(text: &str) -> Option<(Expect, usize)> {
    let colon = text.find(':')?;
    let (label, rest) = (&text[..colon], &text[colon + 1..]);
    let expect = announced(label).filter(|_| words(label).len() <= 5)?;
    let skipped = rest.len() - rest.trim_start().len();
    Some((expect, colon + 1 + skipped))
}

/// The level that a text begins with, and the offset of what follows: `Beginner: a clock`.
pub(super) fn level(text: &str) -> Option<(&'static str, usize)> {
    let lower = text.to_lowercase();
    let levels = [
        ("beginner", "beginner"),
        ("easy", "beginner"),
        ("starter", "beginner"),
        ("intermediate", "intermediate"),
        ("medium", "intermediate"),
        ("advanced", "advanced"),
        ("hard", "advanced"),
        ("expert", "advanced"),
    ];
    let start = text.len() - text.trim_start_matches(|c: char| !c.is_alphanumeric()).len();
    let (name, level) =
        levels.into_iter().find(|(name, _)| lower.get(start..).is_some_and(|rest| rest.starts_with(name)))?;
    let rest = text.get(start + name.len()..)?;
    let after = rest.trim_start().strip_prefix([':', '-', '–', '—'])?.trim_start();
    Some((level, text.len() - after.len()))
}

/// The level that a heading speaks of.
pub(super) fn level_of_heading(heading: &str) -> Option<&'static str> {
    let words = words(heading);
    ["beginner", "intermediate", "advanced"]
        .into_iter()
        .find(|level| words.iter().any(|word| word == level || *word == format!("{level}s")))
}
