//! `guidepost compare`: two roles side by side, every cell with the lines it comes from.

use std::collections::BTreeSet;
use std::fmt::Write;

use anyhow::{Context, bail};
use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use guidepost_query::{RoleEntry, catalog, find_roles, roles};
use serde_json::json;

use super::resources::ready;
use crate::cli::CompareArgs;
use crate::console::{Console, printable};
use crate::output::{self, ComparedItem, ComparedRole, ComparisonView, Listing, PlaceLines, width};
use crate::{Outcome, shipped};

pub(crate) fn run(args: &CompareArgs, console: &Console) -> anyhow::Result<Outcome> {
    let snapshot = ready(&args.guides, true, console)?.snapshot;
    let names = snapshot.names()?;
    let roles = roles(names);
    let (first, second) = (find(&roles, &args.first, console)?, find(&roles, &args.second, console)?);
    if first == second {
        bail!(
            "`{}` and `{}` are both {} here; a role of several words goes in quotes: compare \"data analyst\" \"data engineer\"",
            args.first,
            args.second,
            first.name
        );
    }
    let view = ComparisonView::new([first, second], &catalog(names), &snapshot, &shipped::guides())?;
    output::print_listing(&listing(&view), args.output.format())?;
    Ok(Outcome::Found)
}

/// The role that is meant; where several may be, a note names the others.
fn find<'a>(roles: &'a [RoleEntry], wanted: &str, console: &Console) -> anyhow::Result<&'a RoleEntry> {
    let fitting = find_roles(roles, wanted);
    let unknown = || format!("no guide here is about `{wanted}`; `guidepost roles` lists the roles");
    let role = *fitting.first().with_context(unknown)?;
    if fitting.len() > 1 {
        let others = fitting[1..].iter().map(|role| role.name.as_str()).collect::<Vec<_>>().join(", ");
        console.note(&format!("`{wanted}` is taken for {}; it may also be {others}", role.name));
    }
    Ok(role)
}

/// Items of a cell that are shown; the cell's citation covers all of them.
const ITEMS_SHOWN: usize = 12;

/// A cell as lines: its items, those that both roles have marked, then where they stand.
fn cell(items: &[ComparedItem], others: &[ComparedItem]) -> Vec<String> {
    let shared = |item: &ComparedItem| others.iter().any(|theirs| theirs.key == item.key);
    let mut lines: Vec<String> = items
        .iter()
        .take(ITEMS_SHOWN)
        .map(|item| format!("{} {}", if shared(item) { '=' } else { '-' }, printable(&item.text)))
        .collect();
    if items.len() > ITEMS_SHOWN {
        lines.push(format!("  and {} more", items.len() - ITEMS_SHOWN));
    }
    lines.extend(citations(items));
    lines
}

/// Where the items of a cell stand: from the first line to the last, once per guide.
fn citations(items: &[ComparedItem]) -> Vec<String> {
    let mut places: Vec<PlaceLines> = Vec::new();
    for item in items {
        match places.iter_mut().find(|place| place.path == item.place.path) {
            Some(place) => {
                place.first_line = place.first_line.min(item.place.first_line);
                place.last_line = place.last_line.max(item.place.last_line);
            }
            None => places.push(item.place.clone()),
        }
    }
    places.iter().map(|place| format!("[{}]", place.shown())).collect()
}

fn listing(view: &ComparisonView) -> Listing {
    let [first, second] = &view.roles;
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width() as u16);
    table.set_header(["", &first.role, &second.role].map(printable));
    let mut markdown = format!("# {} and {}\n\n| | {0} | {1} |\n|---|---|---|\n", first.role, second.role);
    for ((name, left), (_, right)) in first.rows().into_iter().zip(second.rows()) {
        let cells = [cell(left, right), cell(right, left)];
        if cells.iter().all(Vec::is_empty) {
            continue;
        }
        let [left, right] = cells.clone().map(|lines| lines.join("\n"));
        table.add_row([name.to_owned(), left, right]);
        let [left, right] = cells.map(|lines| lines.join("<br>").replace('|', "\\|"));
        let _ = writeln!(markdown, "| {name} | {left} | {right} |");
    }
    let rows = || {
        let of = |role| ComparedRole::rows(role).into_iter().map(move |(row, items)| (role, row, items));
        let cells = view.roles.iter().flat_map(of);
        cells.flat_map(|(role, row, items)| items.iter().map(move |item| (role.role.as_str(), row, item)))
    };
    let row = |(role, row, item): (&str, &str, &ComparedItem)| {
        let mut object = json!(item);
        object["role"] = json!(role);
        object["row"] = json!(row);
        output::typed("item", object)
    };
    Listing {
        json: json!(view),
        rows: rows().map(row).collect(),
        csv_header: &["role", "row", "text", "place"],
        csv: rows()
            .map(|(role, row, item)| {
                vec![role.to_owned(), row.to_owned(), item.text.clone(), item.place.citation()]
            })
            .collect(),
        markdown: markdown + "\n`=` both have it\n",
        text: format!("{table}\n= both have it; [lines] print with `guidepost get`\n"),
        files: view.roles.iter().flat_map(|role| role.files.clone()).collect::<BTreeSet<_>>(),
    }
}

/// Lines between rows and below the header.
const STYLE: TableStyle = TableStyle::new()
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .row_separator(LineStyle::none().fill(' ').junction(' '));
