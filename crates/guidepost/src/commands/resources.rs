//! `guidepost resources`: the books, courses, certifications, projects, tools and links that guides name.

use guidepost_index::Snapshot;
use guidepost_query::{
    Means, Mode, OWN_WORDS, Question, SearchOptions, Wanted, catalog, find_resources, kinds_asked, search,
};

use crate::Outcome;
use crate::cli::{GuidesArgs, ResourcesArgs};
use crate::console::Console;
use crate::engine::{Engine, Ready};
use crate::output::{self, ResourceView};
use crate::settings::UserSettings;
use crate::tuned;

/// Resources that are shown where nobody says otherwise.
const LIMIT: usize = 20;

/// Passages that a query finds to look for resources in.
const PASSAGES: usize = 50;

pub(crate) fn run(args: &ResourcesArgs, console: &Console) -> anyhow::Result<Outcome> {
    let query = args.query.join(" ");
    let (asked, question) = match query.trim() {
        "" => (Vec::new(), None),
        query => kinds_asked(&Question::new(query)?),
    };
    let kinds = if args.kind.is_empty() { asked } else { args.kind.clone() };
    let ready = ready(&args.guides, question.is_none(), console)?;
    let question = question
        .map(|question| question.understood_by(&ready.snapshot, ready.embedder.as_deref()))
        .transpose()?;
    let hits = match &question {
        Some(question) => {
            let options = SearchOptions {
                weights: tuned::weights(&ready.snapshot, console),
                ..SearchOptions::all(PASSAGES, Mode::Hybrid)
            };
            search(&ready.snapshot, Means::of(ready.embedder.as_deref()), question, options)?.hits
        }
        None => Vec::new(),
    };
    let wanted = Wanted {
        kinds: &kinds,
        serves: args.serves.as_deref(),
        question: question.as_ref().map(|question| (question, &hits[..])),
        own_words: OWN_WORDS,
    };
    let snapshot = &ready.snapshot;
    let catalog = catalog(&snapshot.names()?);
    let found = find_resources(snapshot, &catalog, wanted);
    let limit = if args.all { usize::MAX } else { args.limit.unwrap_or(LIMIT) };
    let shown = found.iter().take(limit).enumerate();
    let views: Vec<ResourceView> =
        shown.map(|(at, found)| ResourceView::new(at + 1, found, snapshot)).collect();
    if found.is_empty() {
        note_nothing(args, snapshot, console);
    }
    output::print_listing(&output::resources(query.trim(), &views, found.len()), args.output.format())?;
    Ok(if found.is_empty() { Outcome::NothingFound } else { Outcome::Found })
}

/// An index of the guides, and the model for a query unless words alone must do.
pub(crate) fn ready(args: &GuidesArgs, words_alone: bool, console: &Console) -> anyhow::Result<Ready> {
    let user = UserSettings::load(console)?;
    let engine = Engine::new(&args.place, Some(&args.model), &user, console)?;
    let guides = args.folder.clone().or_else(|| user.guides.clone());
    let existing = Snapshot::open_for_update(&engine.index)?;
    engine.ready(existing, guides.as_deref(), words_alone)
}

fn note_nothing(args: &ResourcesArgs, snapshot: &Snapshot, console: &Console) {
    match &args.serves {
        Some(role) => console.note(&format!(
            "no guide here names such a resource for `{role}`; `guidepost roles` lists the roles"
        )),
        None if snapshot.documents().is_empty() => console.note("the index holds no guides"),
        None => console.note("no guide here names such a resource"),
    }
}
