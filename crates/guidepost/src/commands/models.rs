//! `guidepost models`: what is known, what is here, and fetching.

use std::io::Write;

use guidepost_model::{
    ModelError, ModelKind, ModelSpec, Trust, fetch, locate_registered, registered, registry,
};
use serde_json::json;

use crate::cli::{ModelsArgs, ModelsCommand};
use crate::console::Console;
use crate::settings::UserSettings;
use crate::{Outcome, places};

pub(crate) fn run(args: &ModelsArgs, console: &Console) -> anyhow::Result<Outcome> {
    match &args.command {
        ModelsCommand::List { output } => list(output.json, console),
        ModelsCommand::Pull { name, offline } => {
            let offline = *offline || UserSettings::load(console)?.offline;
            pull(name.as_deref(), offline, console)
        }
    }
}

fn list(as_json: bool, console: &Console) -> anyhow::Result<Outcome> {
    let places = places::models()?;
    let state = |spec: &ModelSpec| match locate_registered(spec, &places) {
        Ok(Some(model)) => {
            console.note_trust(&model);
            (true, model.folder.display().to_string())
        }
        Ok(None) => (false, "not on this machine".to_owned()),
        Err(error) => (false, error.to_string()),
    };
    let mut out = anstream::stdout().lock();
    let models = registry();
    if as_json {
        let row = |spec: &ModelSpec| {
            let (here, place) = state(spec);
            json!({"name": spec.name, "kind": spec.kind.to_string(), "licence": spec.licence, "repository": spec.repository,
                "revision": spec.revision, "pinned": spec.is_pinned(), "here": here, "place": place})
        };
        let object = json!({"schema_version": 1, "models": models.iter().map(row).collect::<Vec<_>>()});
        writeln!(out, "{object:#}")?;
        return Ok(Outcome::Found);
    }
    for spec in &models {
        let kind = (spec.kind != ModelKind::Embedder).then(|| spec.kind.to_string());
        let parts =
            [Some(spec.name.clone()), Some(spec.licence.clone()), kind, size(spec), Some(state(spec).1)];
        writeln!(out, "{}", parts.into_iter().flatten().collect::<Vec<_>>().join("  "))?;
    }
    Ok(Outcome::Found)
}

fn pull(name: Option<&str>, offline: bool, console: &Console) -> anyhow::Result<Outcome> {
    let name = name.map_or_else(|| registry()[0].name.clone(), str::to_owned);
    let places = places::models()?;
    let model = if offline {
        let here = locate_registered(&registered(&name)?, &places)?;
        here.ok_or(ModelError::Offline { name })?
    } else {
        let mut display = console.fetch();
        fetch(&name, &places, &mut |event| display.show(event))?
    };
    console.note_trust(&model);
    let checked = match &model.trust {
        Trust::Recorded { now: true, .. } => "recorded",
        Trust::Recorded { now: false, .. } => "as recorded",
        Trust::Pinned | Trust::Named => "verified",
    };
    writeln!(anstream::stdout().lock(), "{} in `{}`, {checked}", model.name, model.folder.display())?;
    Ok(Outcome::Found)
}

/// What is to be fetched, where the size of the weights is known.
fn size(spec: &ModelSpec) -> Option<String> {
    let weights = spec.files.iter().find(|file| file.path == spec.weights())?;
    weights.bytes?;
    let bytes: u64 = spec.files.iter().filter_map(|file| file.bytes).sum();
    Some(format!("{:.0} MB", bytes as f64 / 1e6))
}
