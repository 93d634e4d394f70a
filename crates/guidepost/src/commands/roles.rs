//! `guidepost roles`: the roles that guides are about.

use std::collections::BTreeSet;
use std::fmt::Write;

use guidepost_index::Snapshot;
use guidepost_query::{RoleEntry, RolePlace, catalog, count_serving, roles};
use serde_json::json;

use super::resources::ready;
use crate::Outcome;
use crate::cli::RolesArgs;
use crate::console::{Console, count, printable};
use crate::output::{self, FAINT, Listing, PLACE, Place, SCHEMA_VERSION, file_of, place_of};

pub(crate) fn run(args: &RolesArgs, console: &Console) -> anyhow::Result<Outcome> {
    let snapshot = ready(&args.guides, true, console)?.snapshot;
    let names = snapshot.names()?;
    let roles = roles(&names);
    let serving = count_serving(&snapshot, &catalog(&names), &roles);
    let rows: Vec<Row> =
        roles.iter().zip(serving).map(|(role, resources)| Row::new(role, resources, &snapshot)).collect();
    if rows.is_empty() {
        let empty = snapshot.documents().is_empty();
        console.note(if empty { "the index holds no guides" } else { "no guide here is about a role" });
    }
    output::print_listing(&listing(&rows), args.output.format())?;
    Ok(if rows.is_empty() { Outcome::NothingFound } else { Outcome::Found })
}

struct Row {
    name: String,
    described: Vec<Place>,
    named: Vec<Place>,
    resources: usize,
    files: Vec<String>,
}

impl Row {
    fn new(role: &RoleEntry, resources: usize, snapshot: &Snapshot) -> Row {
        let place = |place: &RolePlace| place_of(&snapshot.documents()[place.document], place.lines, &[]);
        let places = role.described.iter().chain(&role.named);
        Row {
            name: role.name.clone(),
            described: role.described.iter().map(place).collect(),
            named: role.named.iter().map(place).collect(),
            resources,
            files: places.map(|place| file_of(snapshot, &snapshot.documents()[place.document])).collect(),
        }
    }

    fn citations(&self) -> String {
        let places = if self.described.is_empty() { &self.named } else { &self.described };
        places.iter().map(Place::shown).collect::<Vec<_>>().join(", ")
    }

    fn json(&self) -> serde_json::Value {
        let places = |places: &[Place]| places.iter().map(Place::lines_json).collect::<Vec<_>>();
        json!({
            "role": self.name,
            "resources": self.resources,
            "described": places(&self.described),
            "named": places(&self.named),
        })
    }
}

fn listing(rows: &[Row]) -> Listing {
    let mut text = String::new();
    let mut markdown = "# Roles\n\n".to_owned();
    let wide = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    for row in rows {
        let resources = count(row.resources, "resource");
        let places = row.citations();
        let only = if row.described.is_empty() { "only named: " } else { "" };
        let (name, shown) = (printable(&row.name), printable(&places));
        let _ =
            writeln!(text, "{name:<wide$}  {resources:>13}  {FAINT}{only}{FAINT:#}{PLACE}{shown}{PLACE:#}");
        let _ = writeln!(markdown, "- **{}** ({resources}): {only}`{places}`", row.name);
    }
    Listing {
        json: json!({
            "schema_version": SCHEMA_VERSION, "command": "roles", "roles": rows.iter().map(Row::json).collect::<Vec<_>>(),
        }),
        rows: rows.iter().map(|row| output::typed("role", row.json())).collect(),
        csv_header: &["role", "resources", "described", "places"],
        csv: rows
            .iter()
            .map(|row| {
                let described = (!row.described.is_empty()).to_string();
                vec![row.name.clone(), row.resources.to_string(), described, row.citations()]
            })
            .collect(),
        markdown,
        text,
        files: rows.iter().flat_map(|row| row.files.clone()).collect::<BTreeSet<_>>(),
    }
}
