//! What headings and labels lead their reader to expect below them: books, courses, tools, or nothing in particular.

use std::collections::HashSet;
use std::sync::OnceLock;

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
    let mut kinds = kinds_announced(&words);
    // "Learn tools for your projects" is about projects, "Phase 3: Tools and agents" about a phase.
    let long = words.len() > MAX_TOOL_WORDS || words.iter().any(|word| ORDERING.has(word));
    if kinds.len() > 1 || long {
        kinds.retain(|kind| *kind != ResourceKind::Tool);
    }
    if words.iter().any(|word| HANDLING.has(word)) {
        kinds.retain(|kind| *kind != ResourceKind::Project);
    }
    if matches!(&words[..], [verb, what] if GETTING.has(verb) && what == "certified") {
        kinds = vec![ResourceKind::Certification];
    }
    match kinds[..] {
        [kind] => Some(Expect::Only(kind)),
        [] => words.iter().any(|word| GENERAL.has(word)).then_some(Expect::Any),
        _ => Some(Expect::Any),
    }
}

/// Whether a heading only orders what is below it: it names no role, no skill and no resource.
pub(super) fn orders_only(label: &str) -> bool {
    if roles::role_of(label).is_some() {
        return false;
    }
    announced(label).is_some() || each_word(label).any(|word| ORDERING.has(&word)) || only_fills(label)
}

/// Whether a text is made of words that name nothing.
pub(super) fn only_fills(text: &str) -> bool {
    each_word(text).all(|word| FILLERS.has(&word))
}

/// Headings with these words are about handling projects, not about what to build.
static HANDLING: WordList = WordList::new(
    "in with using configure working create creating manage managing open add adding migrate import convert setup set \
    settings reference properties property files structure dependencies",
);

/// `Get certified` announces certifications; `Microsoft Certified` begins the name of one.
static GETTING: WordList = WordList::new("get getting become be");

/// Words that announce resources of no kind in particular.
static GENERAL: WordList = WordList::new("resources references reading material materials study literature");

/// Words of headings that order a guide and name no subject.
static ORDERING: WordList = WordList::new(
    "skill skills roadmap path phase part week weeks month months step steps stage next reality check myth myths \
    struggle struggles career careers overview introduction summary outline faq portfolio building expect expected \
    expects outcomes level levels interview interviews day who what why how",
);

/// Words that a heading may be made of without naming anything.
static FILLERS: WordList = WordList::new(
    "beginner intermediate advanced junior mid senior free paid core more other further and the a for of to or online \
    best top basic basics bonus example examples getting started general",
);

/// Words of labels that announce a kind, in the order of the kinds; singulars only where they are all of the label.
static PLURALS: [WordList; 6] = [
    WordList::new("books textbooks ebooks"),
    WordList::new("courses moocs bootcamps tutorials curricula"),
    WordList::new("certifications certificates certs credentials exams"),
    WordList::new("projects"),
    WordList::new(
        "tools tooling technologies frameworks libraries platforms languages databases stores apis stack packages",
    ),
    WordList::new("links websites blogs"),
];
static SINGULARS: [WordList; 6] = [
    WordList::new("book textbook"),
    WordList::new("course mooc tutorial curriculum"),
    WordList::new("certification certificate exam"),
    WordList::new("project portfolio"),
    WordList::new("tool technology framework library platform"),
    WordList::new("link website"),
];

/// The kinds that the words of a label announce.
fn kinds_announced(words: &[String]) -> Vec<ResourceKind> {
    let announces =
        |at: usize, word: &String| PLURALS[at].has(word) || (words.len() == 1 && SINGULARS[at].has(word));
    let kinds = ResourceKind::ALL.into_iter().enumerate();
    kinds.filter(|(at, _)| words.iter().any(|word| announces(*at, word))).map(|(_, kind)| kind).collect()
}

/// Words that spaces part; every heading, label and title is held against some.
pub(super) struct WordList {
    words: &'static str,
    set: OnceLock<HashSet<&'static str>>,
}

impl WordList {
    pub(super) const fn new(words: &'static str) -> Self {
        WordList { words, set: OnceLock::new() }
    }

    /// Whether a word, in lower case, is one of them.
    pub(super) fn has(&self, word: &str) -> bool {
        self.set.get_or_init(|| self.words.split(' ').collect()).contains(word)
    }
}

/// What follows one of these beginnings, whatever their case. They are in lower case.
pub(super) fn after<'a>(text: &'a str, beginnings: &[&str]) -> Option<&'a str> {
    beginnings.iter().find_map(|beginning| {
        let (head, rest) = text.split_at_checked(beginning.len())?;
        head.eq_ignore_ascii_case(beginning).then_some(rest)
    })
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
    let words = text.trim_start_matches(|c: char| !c.is_alphanumeric());
    let levels = [
        ("beginner", &["beginner", "easy", "starter"][..]),
        ("intermediate", &["intermediate", "medium"]),
        ("advanced", &["advanced", "hard", "expert"]),
    ];
    let (level, rest) = levels.into_iter().find_map(|(level, names)| Some((level, after(words, names)?)))?;
    let behind = rest.trim_start().strip_prefix([':', '-', '–', '—'])?.trim_start();
    Some((level, text.len() - behind.len()))
}

/// The level that a heading speaks of.
pub(super) fn level_of_heading(heading: &str) -> Option<&'static str> {
    let words = words(heading);
    ["beginner", "intermediate", "advanced"]
        .into_iter()
        .find(|level| words.iter().any(|word| word == level || *word == format!("{level}s")))
}
