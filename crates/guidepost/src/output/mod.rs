//! Results on standard output, in one documented shape: the types of [`wire`], whatever the format.

mod compare;
mod documents;
mod explain;
mod listing;
mod prompt;
mod prose;
mod resources;
mod roles;
mod rows;
mod stages;
mod status;
pub(crate) mod table;
mod text;
mod wire;
mod written;

use std::io::{self, Write};

pub(crate) use compare::{ComparedItem, ComparedRole, ComparisonView};
pub(crate) use documents::{DocumentsView, GuideView};
pub(crate) use listing::{Listing, print as print_listing};
pub(crate) use prompt::print as print_prompt;
pub(crate) use prose::Prose;
pub(crate) use resources::{ResourcesView, listing as resources};
pub(crate) use roles::RolesView;
pub(crate) use rows::{typed, written_markdown};
pub(crate) use stages::StageView;
pub(crate) use status::StatusView;
pub(crate) use text::{BOLD, FAINT, PLACE, print_written, width};
pub(crate) use wire::{PlaceLines, Results, SCHEMA_VERSION, place_of};
pub(crate) use written::{SentenceView, SourceView, TimesView, WrittenView, escaped};

use crate::cli::Format;

/// Prints results. An empty result is valid in every format.
pub(crate) fn print(results: &Results, format: Format) -> anyhow::Result<()> {
    // Colors are for people; what programs read goes out byte for byte.
    let mut out: io::BufWriter<Box<dyn Write>> = io::BufWriter::new(match format {
        Format::Text => Box::new(anstream::stdout().lock()),
        _ => Box::new(io::stdout().lock()),
    });
    match format {
        Format::Text => text::print(results, &mut out)?,
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(results)?)?,
        Format::Jsonl => rows::jsonl(results, &mut out)?,
        Format::Csv => rows::csv(results, &mut out)?,
        Format::Md => rows::markdown(results, &mut out)?,
        Format::Files => rows::files(results, &mut out)?,
    }
    out.flush()?;
    Ok(())
}
