//! `guidepost compare`: two roles side by side, every cell with the lines it comes from.

use std::collections::BTreeSet;
use std::fmt::Write;

use anyhow::{Context, bail};
use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use guidepost_index::{ShippedGuide, Snapshot};
use guidepost_query::{CatalogEntry, RoleEntry, catalog, find_roles, roles};
use guidepost_text::{Cited, Lines, ResourceKind, profile};
use serde_json::{Value, json};

use super::resources::ready;
use crate::cli::CompareArgs;
use crate::console::{Console, printable};
use crate::output::{self, Listing, Place, SCHEMA_VERSION, file_of, place_of, width};
use crate::{Outcome, guide_text, shipped};

pub(crate) fn run(args: &CompareArgs, console: &Console) -> anyhow::Result<Outcome> {
    let snapshot = ready(&args.guides, true, console)?.snapshot;
    let names = snapshot.names()?;
    let roles = roles(&names);
    let (first, second) = (find(&roles, &args.first, console)?, find(&roles, &args.second, console)?);
    if first == second {
        bail!(
            "`{}` and `{}` are both {} here; a role of several words goes in quotes: compare \"data analyst\" \"data engineer\"",
            args.first,
            args.second,
            first.name
        );
    }
    let catalog = catalog(&names);
    let shipped = shipped::guides();
    let sides = [first, second].map(|role| Side::new(role, &catalog, &snapshot, &shipped));
    let [first, second] = sides;
    let sides = [first?, second?];
    output::print_listing(&listing(&sides), args.output.format())?;
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

/// The rows of the comparison, in order.
const ROWS: [&str; 7] = ["skills", "tools", "roadmap", "books", "courses", "certifications", "projects"];

/// A role, with a cell for each row.
struct Side {
    name: String,
    guides: Vec<Place>,
    cells: Vec<Vec<Item>>,
    files: Vec<String>,
}

/// Something in a cell, and where it stands.
struct Item {
    text: String,
    place: Place,
    /// What tells whether the other role has it too.
    key: String,
}

impl Side {
    fn new(
        role: &RoleEntry,
        catalog: &[CatalogEntry],
        snapshot: &Snapshot,
        shipped: &[ShippedGuide],
    ) -> anyhow::Result<Side> {
        let places = if role.described.is_empty() { &role.named } else { &role.described };
        let mut cells: Vec<Vec<Item>> = ROWS.iter().map(|_| Vec::new()).collect();
        let mut files = Vec::new();
        for place in places {
            let document = &snapshot.documents()[place.document];
            let guide = guide_text::read(snapshot, document, shipped)?;
            let profile = profile(&guide.document(), place.lines);
            let item = |cited: &Cited| Item {
                text: cited.text.clone(),
                place: place_of(document, cited.lines, &[]),
                key: cited.text.to_lowercase(),
            };
            cells[0].extend(profile.skills.iter().map(item));
            cells[2].extend(profile.roadmap.iter().map(item));
            for entry in catalog {
                let at = row_of(entry.kind);
                let mention = entry.mentions.iter().find(|mention| {
                    mention.document == place.document && holds(place.lines, mention.resource.lines)
                });
                let known =
                    |at: usize| cells[at].iter().any(|item: &Item| item.key == entry.title.to_lowercase());
                if let Some((at, mention)) = at.zip(mention).filter(|(at, _)| !known(*at)) {
                    let by = entry.by.as_ref().filter(|_| entry.kind == ResourceKind::Book);
                    let by = by.map(|by| format!(", {by}")).unwrap_or_default();
                    cells[at].push(Item {
                        text: format!("{}{by}", entry.title),
                        place: place_of(document, mention.resource.lines, &[]),
                        key: entry.title.to_lowercase(),
                    });
                }
            }
            files.push(file_of(snapshot, document));
        }
        let guides =
            places.iter().map(|place| place_of(&snapshot.documents()[place.document], place.lines, &[]));
        Ok(Side { name: role.name.clone(), guides: guides.collect(), cells, files })
    }

    fn json(&self) -> Value {
        let guides: Vec<Value> = self.guides.iter().map(Place::lines_json).collect();
        let mut object = json!({"role": self.name, "described": guides});
        for (row, cell) in ROWS.iter().zip(&self.cells) {
            object[*row] = cell.iter().map(Item::json).collect();
        }
        object
    }
}

impl Item {
    fn json(&self) -> Value {
        let mut object = self.place.lines_json();
        object["text"] = json!(self.text);
        object
    }
}

/// The row that a kind of resource belongs to.
fn row_of(kind: ResourceKind) -> Option<usize> {
    match kind {
        ResourceKind::Tool => Some(1),
        ResourceKind::Book => Some(3),
        ResourceKind::Course => Some(4),
        ResourceKind::Certification => Some(5),
        ResourceKind::Project => Some(6),
        ResourceKind::Link => None,
    }
}

fn holds(outer: Lines, inner: Lines) -> bool {
    outer.first <= inner.first && inner.last <= outer.last
}

/// Items of a cell that are shown; the cell's citation covers all of them.
const ITEMS_SHOWN: usize = 12;

/// A cell as lines: its items, those that both roles have marked, then where they stand.
fn cell(side: &Side, other: &Side, row: usize) -> Vec<String> {
    let items = &side.cells[row];
    let shared = |item: &Item| other.cells[row].iter().any(|theirs| theirs.key == item.key);
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
fn citations(items: &[Item]) -> Vec<String> {
    let mut places: Vec<Place> = Vec::new();
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

fn listing(sides: &[Side; 2]) -> Listing {
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width() as u16);
    table.set_header(["", &sides[0].name, &sides[1].name].map(printable));
    let mut markdown =
        format!("# {} and {}\n\n| | {0} | {1} |\n|---|---|---|\n", sides[0].name, sides[1].name);
    for (row, name) in ROWS.iter().enumerate() {
        let cells = [cell(&sides[0], &sides[1], row), cell(&sides[1], &sides[0], row)];
        if cells.iter().all(Vec::is_empty) {
            continue;
        }
        let [left, right] = cells.clone().map(|lines| lines.join("\n"));
        table.add_row([(*name).to_owned(), left, right]);
        let [left, right] = cells.map(|lines| lines.join("<br>").replace('|', "\\|"));
        let _ = writeln!(markdown, "| {name} | {left} | {right} |");
    }
    let rows = || {
        sides.iter().flat_map(|side| {
            ROWS.iter()
                .zip(&side.cells)
                .flat_map(move |(row, cell)| cell.iter().map(move |item| (side, *row, item)))
        })
    };
    let row = |(side, row, item): (&Side, &str, &Item)| {
        let mut object = item.json();
        object["role"] = json!(side.name);
        object["row"] = json!(row);
        object["type"] = json!("item");
        object
    };
    Listing {
        json: json!({
            "schema_version": SCHEMA_VERSION, "command": "compare", "roles": sides.iter().map(Side::json).collect::<Vec<_>>(),
        }),
        rows: rows().map(row).collect(),
        csv_header: &["role", "row", "text", "place"],
        csv: rows()
            .map(|(side, row, item)| {
                vec![side.name.clone(), row.to_owned(), item.text.clone(), item.place.citation()]
            })
            .collect(),
        markdown: markdown + "\n`=` both have it\n",
        text: format!("{table}\n= both have it; [lines] print with `guidepost get`\n"),
        files: sides.iter().flat_map(|side| side.files.clone()).collect::<BTreeSet<_>>(),
    }
}

/// Lines between rows and below the header.
const STYLE: TableStyle = TableStyle::new()
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .row_separator(LineStyle::none().fill(' ').junction(' '));
