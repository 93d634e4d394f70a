//! Resources that fit a question, a role, or both, best first.

use std::collections::{HashMap, HashSet};

use guidepost_index::{DocumentRecord, Form, Snapshot, analyze, terms};
use guidepost_text::ResourceKind;

use crate::catalog::{CatalogEntry, Mention};
use crate::question::Weighed;
use crate::{Hit, Question, RoleEntry};

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// These kinds; all where it is empty.
    pub kinds: &'a [ResourceKind],
    /// For a role or a skill.
    pub serves: Option<&'a str>,
    /// To a question, and the passages that it found.
    pub question: Option<(&'a Question, &'a [Hit])>,
    /// Share of a resource's own words in its score, in [0, 1]; [`OWN_WORDS`] where nothing is being measured.
    pub own_words: f32,
}

/// A resource that was found.
#[derive(Debug, Clone, Copy)]
pub struct FoundResource<'a> {
    /// The resource.
    pub entry: &'a CatalogEntry,
    /// How well it fits the question, in [0, 1]; 0 where none was asked. Says nothing across questions.
    pub score: f32,
}

/// Share of a resource's own words in its score; the rest is the passage's that names it. Measured in
/// `benches/results/resource_search.md`.
pub const OWN_WORDS: f32 = 0.7;

/// Share of the question's information from which a resource itself says what is asked for.
const SAYS_IT: f32 = 0.3;

/// Below, a resource has little to do with the question.
const MIN_SCORE: f32 = 0.15;

/// The resources of a catalog that are wanted. To a question: those that share its words, or that stand in a passage
/// which answers it, best first; else in the catalog's order.
pub fn find_resources<'a>(
    snapshot: &Snapshot,
    catalog: &'a [CatalogEntry],
    wanted: Wanted,
) -> Vec<FoundResource<'a>> {
    let role = wanted.serves.map(|name| (role_terms(name), Servings::of(snapshot.documents(), catalog)));
    let fits = |entry: &&CatalogEntry| {
        (wanted.kinds.is_empty() || wanted.kinds.contains(&entry.kind))
            && role.as_ref().is_none_or(|(role, servings)| servings.serves(entry, role))
    };
    let entries = catalog.iter().filter(fits);
    let Some((question, hits)) = wanted.question else {
        return entries.map(|entry| FoundResource { entry, score: 0.0 }).collect();
    };
    let weighed = question.weigh(snapshot);
    let mut found: Vec<(f32, FoundResource)> = entries
        .map(|entry| {
            let own = own_words_of(entry, &weighed);
            (own, FoundResource { score: score(wanted.own_words, own, entry, hits), entry })
        })
        .collect();
    // A passage names many resources. Where some of them say what is asked for, their neighbors only stand beside them.
    if found.iter().any(|(own, _)| *own >= SAYS_IT) {
        found.retain(|(own, _)| *own > 0.0);
    }
    let mut found: Vec<FoundResource> = found.into_iter().map(|(_, found)| found).collect();
    found.retain(|found| found.score >= MIN_SCORE);
    // Stable: what fits equally well stays in the catalog's order.
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found
}

/// The kinds that a question names ("books on SQL"), and the question without those words; `None` where nothing else
/// is asked.
pub fn kinds_asked(question: &Question) -> (Vec<ResourceKind>, Option<Question>) {
    let mut kinds = Vec::new();
    let mut left = question.clone();
    left.words.retain(|word| match ResourceKind::of_word(&question.text[word.start..word.end]) {
        Some(kind) => {
            kinds.push(kind);
            false
        }
        None => true,
    });
    let left = (!left.words.is_empty()).then_some(left);
    (kinds, left)
}

fn score(share: f32, own: f32, entry: &CatalogEntry, hits: &[Hit]) -> f32 {
    let passage = entry.mentions.iter().filter_map(|mention| passage(mention, hits)).fold(0.0, f32::max);
    share * own + (1.0 - share) * passage
}

fn own_words_of(entry: &CatalogEntry, weighed: &Weighed) -> f32 {
    entry.mentions.iter().map(|mention| own_words(mention, weighed)).fold(0.0, f32::max)
}

/// Share of the question's information that a mention holds, in [0, 1]; what its title says counts more.
fn own_words(mention: &Mention, weighed: &Weighed) -> f32 {
    let resource = &mention.resource;
    let mut own = terms(&resource.title);
    own.extend(terms_of(resource.by.as_deref()));
    let title = weighed.coverage(|term| own.contains(term));
    own.extend(terms(&resource.serves));
    own.extend(terms_of(resource.about.as_deref()));
    own.extend(terms_of(resource.level.as_deref()));
    (title + weighed.coverage(|term| own.contains(term))) / 2.0
}

/// How well the passage fits that names the resource, in [0, 1].
fn passage(mention: &Mention, hits: &[Hit]) -> Option<f32> {
    let lines = mention.resource.lines;
    let holds = |hit: &&Hit| {
        let chunk = hit.passage.stored.chunk.lines;
        hit.passage.stored.document as usize == mention.document
            && chunk.first <= lines.first
            && lines.first <= chunk.last
    };
    hits.iter().find(holds).map(|hit| hit.trace.fused.score * (0.5 + hit.confidence / 2.0))
}

/// How many resources of a catalog serve each role, in the order of the roles.
pub fn count_serving(snapshot: &Snapshot, catalog: &[CatalogEntry], roles: &[RoleEntry]) -> Vec<usize> {
    let servings = Servings::of(snapshot.documents(), catalog);
    let count = |role: &RoleEntry| {
        let terms = role_terms(&role.name);
        catalog.iter().filter(|entry| servings.serves(entry, &terms)).count()
    };
    roles.iter().map(count).collect()
}

/// What the resources of a catalog serve: the places that say it, each analyzed once however many resources stand there.
struct Servings<'a> {
    documents: &'a [DocumentRecord],
    terms: HashMap<&'a str, HashSet<String>>,
}

impl<'a> Servings<'a> {
    fn of(documents: &'a [DocumentRecord], catalog: &'a [CatalogEntry]) -> Servings<'a> {
        let mut terms = HashMap::new();
        for mention in catalog.iter().flat_map(|entry| &entry.mentions) {
            for place in places(mention, documents) {
                terms.entry(place).or_insert_with(|| role_terms(place));
            }
        }
        Servings { documents, terms }
    }

    /// Whether a place that says what the resource serves names all of a role.
    fn serves(&self, entry: &CatalogEntry, role: &HashSet<String>) -> bool {
        let mut places = entry.mentions.iter().flat_map(|mention| places(mention, self.documents));
        places.any(|place| self.terms.get(place).is_some_and(|terms| role.is_subset(terms)))
    }
}

/// Where it says what a mention serves: its headings, its guide's title, and the roles that its guide is about. A guide
/// that lists roles without being about them serves none.
fn places<'a>(mention: &'a Mention, documents: &'a [DocumentRecord]) -> impl Iterator<Item = &'a str> {
    let (resource, metadata) = (&mention.resource, &documents[mention.document].metadata);
    std::iter::once(&resource.serves)
        .chain(&resource.heading_path)
        .chain(metadata.roles.iter().filter(|_| metadata.describes_its_roles()))
        .chain(std::iter::once(&metadata.title))
        .map(String::as_str)
}

/// The terms of a role's name, with its usual abbreviations spelled out.
pub(crate) fn role_terms(name: &str) -> HashSet<String> {
    let spelled = name.split_whitespace().map(|word| {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        SHORT.iter().find(|(short, _)| *short == bare).map_or(word, |(_, long)| long)
    });
    let words =
        analyze(&spelled.collect::<Vec<_>>().join(" ")).into_iter().filter(|token| token.form == Form::Word);
    words.map(|word| word.term).collect()
}

/// Abbreviations in the names of roles.
const SHORT: [(&str, &str); 4] = [
    ("ml", "machine learning"),
    ("mle", "machine learning engineer"),
    ("sre", "site reliability engineer"),
    ("swe", "software engineer"),
];

fn terms_of(text: Option<&str>) -> HashSet<String> {
    text.map(terms).unwrap_or_default()
}
