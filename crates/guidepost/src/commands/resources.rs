//! `guidepost resources`: the books, courses, certifications, projects, tools and links that guides name.

use guidepost_index::Snapshot;
use guidepost_query::catalog;

use crate::Outcome;
use crate::cli::{GuidesArgs, ResourcesArgs};
use crate::console::Console;
use crate::engine::{Engine, Ready};
use crate::output;
use crate::search::{Models, RESOURCE_LIMIT, ResourceWish};
use crate::settings::UserSettings;
use crate::tuned;

pub(crate) fn run(args: &ResourcesArgs, console: &Console) -> anyhow::Result<Outcome> {
    let query = args.query.join(" ");
    let limit = if args.all { usize::MAX } else { args.limit.unwrap_or(RESOURCE_LIMIT) };
    let Ready { snapshot, embedder } = ready(&args.guides, query.trim().is_empty(), console)?;
    let wish = ResourceWish {
        query: &query,
        kinds: args.kind.clone(),
        serves: args.serves.as_deref(),
        limit,
        weights: tuned::weights(&snapshot, console),
    };
    let models = Models { embedder: embedder.as_deref(), reranker: None };
    let view = wish.run(&snapshot, models, &catalog(snapshot.names()?))?;
    if view.is_empty() {
        note_nothing(args, &snapshot, console);
    }
    output::print_listing(&output::resources(&view), args.output.format())?;
    Ok(if view.is_empty() { Outcome::NothingFound } else { Outcome::Found })
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
