//! `guidepost bench`: how fast this machine embeds and searches, and how exactly.
//!
//! ```text
//! texts --embed--> samples --embed_report--> tables, JSON, plot
//!   |                                              |
//!   +--synthetic--> indexes --search--> samples --search_report
//! ```
//!
//! Whatever is compared takes turns, round after round, and medians are shown; JSON has every single timing. Quality of
//! retrieval is not measured here but in the `benches` package.

mod machine;
pub(super) mod statistics;
mod texts;

pub(super) mod configuration;
mod embed;
mod embed_report;

mod search;
mod search_report;
mod synthetic;

mod axis;
mod plot;

use std::io::Write;
use std::path::Path;

use serde::Serialize;

use crate::Outcome;
use crate::cli::{BenchArgs, BenchCommand, BenchOutput};
use crate::console::Console;

/// Of the JSON objects that `bench` prints.
const SCHEMA_VERSION: u32 = 1;

/// Rounds where nobody says otherwise.
const ROUNDS: usize = 5;

pub(crate) fn run(args: &BenchArgs, console: &Console) -> anyhow::Result<Outcome> {
    match &args.command {
        BenchCommand::Embed(args) => embed::run(args, console),
        BenchCommand::Search(args) => search::run(args, console),
    }
}

/// What a measurement says: as JSON by its shape, as tables, as a plot.
trait Report: Serialize {
    /// Prints the tables.
    fn print(&self) -> std::io::Result<()>;
    /// Draws the plot.
    fn plot(&self, path: &Path) -> anyhow::Result<()>;
}

fn publish(report: &impl Report, output: &BenchOutput) -> anyhow::Result<Outcome> {
    if let Some(path) = &output.svg {
        report.plot(path)?;
    }
    match output.json {
        true => writeln!(anstream::stdout().lock(), "{}", serde_json::to_string_pretty(report)?)?,
        false => report.print()?,
    }
    Ok(Outcome::Found)
}
