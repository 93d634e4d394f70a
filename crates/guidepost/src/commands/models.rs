//! `guidepost models`: what is known, what is here, and fetching.

use std::io::Write;

use guidepost_model::{ModelChoice, ModelError, ModelSpec, fetch, locate, registry};
use serde_json::json;

use crate::cli::{ModelsArgs, ModelsCommand};
use crate::console::Console;
use crate::settings::UserSettings;
use crate::{Outcome, places};

pub(crate) fn run(args: &ModelsArgs, console: &Console) -> anyhow::Result<Outcome> {
    match &args.command {
        ModelsCommand::List { output } => list(output.json),
        ModelsCommand::Pull { name, offline } => {
            let offline = *offline || UserSettings::load(console)?.offline;
            pull(name.as_deref(), offline, console)
        }
    }
}

fn list(as_json: bool) -> anyhow::Result<Outcome> {
    let places = places::models()?;
    let state = |spec: &ModelSpec| match locate(&ModelChoice::Named(spec.name.clone()), &places) {
        Ok(Some(model)) => (true, model.folder.display().to_string()),
        Ok(None) => (false, "not on this machine".to_owned()),
        Err(error) => (false, error.to_string()),
    };
    let mut out = anstream::stdout().lock();
    let models = registry();
    if as_json {
        let row = |spec: &ModelSpec| {
            let (here, place) = state(spec);
            json!({"name": spec.name, "licence": spec.licence, "repository": spec.repository,
                "revision": spec.revision, "here": here, "place": place})
        };
        let object = json!({"schema_version": 1, "models": models.iter().map(row).collect::<Vec<_>>()});
        writeln!(out, "{object:#}")?;
        return Ok(Outcome::Found);
    }
    for spec in &models {
        let megabytes = spec.files.iter().filter_map(|file| file.bytes).sum::<u64>() as f64 / 1e6;
        writeln!(out, "{}  {}  {megabytes:.0} MB  {}", spec.name, spec.licence, state(spec).1)?;
    }
    Ok(Outcome::Found)
}

fn pull(name: Option<&str>, offline: bool, console: &Console) -> anyhow::Result<Outcome> {
    let name = name.map_or_else(|| registry()[0].name.clone(), str::to_owned);
    let places = places::models()?;
    let model = if offline {
        let here = locate(&ModelChoice::Named(name.clone()), &places)?;
        here.ok_or(ModelError::Offline { name })?
    } else {
        let mut display = console.fetch();
        fetch(&name, &places, &mut |event| display.show(event))?
    };
    writeln!(anstream::stdout().lock(), "{} in `{}`, verified", model.name, model.folder.display())?;
    Ok(Outcome::Found)
}
