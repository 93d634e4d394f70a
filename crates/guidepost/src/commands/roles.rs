//! `guidepost roles`: the roles that guides are about.

use std::fmt::Write;

use guidepost_query::{catalog, roles};
use serde_json::json;

use super::resources::ready;
use crate::Outcome;
use crate::cli::RolesArgs;
use crate::console::{Console, count, printable};
use crate::output::{self, FAINT, Listing, PLACE, RolesView};

pub(crate) fn run(args: &RolesArgs, console: &Console) -> anyhow::Result<Outcome> {
    let snapshot = ready(&args.guides, true, console)?.snapshot;
    let names = snapshot.names()?;
    let view = RolesView::new(&roles(names), &catalog(names), &snapshot);
    if view.roles.is_empty() {
        let empty = snapshot.documents().is_empty();
        console.note(if empty { "the index holds no guides" } else { "no guide here is about a role" });
    }
    output::print_listing(&listing(&view), args.output.format())?;
    Ok(if view.roles.is_empty() { Outcome::NothingFound } else { Outcome::Found })
}

fn listing(view: &RolesView) -> Listing {
    let rows = &view.roles;
    let mut text = String::new();
    let mut markdown = "# Roles\n\n".to_owned();
    let wide = rows.iter().map(|row| row.role.chars().count()).max().unwrap_or(0);
    for row in rows {
        let resources = count(row.resources, "resource");
        let places = row.citations();
        let only = if row.described.is_empty() { "only named: " } else { "" };
        let (name, shown) = (printable(&row.role), printable(&places));
        let _ =
            writeln!(text, "{name:<wide$}  {resources:>13}  {FAINT}{only}{FAINT:#}{PLACE}{shown}{PLACE:#}");
        let _ = writeln!(markdown, "- **{}** ({resources}): {only}`{places}`", row.role);
    }
    Listing {
        json: json!(view),
        rows: rows.iter().map(|row| output::typed("role", json!(row))).collect(),
        csv_header: &["role", "resources", "described", "places"],
        csv: rows
            .iter()
            .map(|row| {
                let described = (!row.described.is_empty()).to_string();
                vec![row.role.clone(), row.resources.to_string(), described, row.citations()]
            })
            .collect(),
        markdown,
        text,
        files: rows.iter().flat_map(|row| row.files.clone()).collect(),
    }
}
