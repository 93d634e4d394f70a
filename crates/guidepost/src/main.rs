//! `guidepost`: flags in, results out. Everything that thinks is in the other crates.
//!
//! Standard output carries results and nothing else; progress, notes and warnings go to standard error. Exit codes:
//! 0 found, 1 nothing found, 2 error, 3 quality gate failed, 130 interrupted.

mod cli;
mod memory;
mod places;
mod settings;
mod shipped;
mod tuned;

mod console;
mod engine;
mod guide_text;
mod interrupt;
mod llm;
mod reranker;
mod search;
mod writing;

mod commands;
mod output;
mod serve;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::console::Console;

/// How a command ended when it did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Found,
    NothingFound,
    /// A measured figure is below the least that was asked for.
    BelowGate,
    /// Ctrl-C.
    Interrupted,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let console = Console::new(cli.quiet, cli.verbose);
    match run(cli, &console) {
        Ok(Outcome::Found) => ExitCode::SUCCESS,
        Ok(Outcome::NothingFound) => ExitCode::from(1),
        Ok(Outcome::BelowGate) => ExitCode::from(3),
        Ok(Outcome::Interrupted) => ExitCode::from(interrupt::EXIT_CODE),
        // Whoever reads our output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            console.error(&error);
            ExitCode::from(2)
        }
    }
}

fn run(cli: Cli, console: &Console) -> anyhow::Result<Outcome> {
    match cli.command {
        Command::Ask(args) => commands::ask::run(&args, console),
        Command::Chat(args) => commands::chat::run(&args, console),
        Command::Search(args) => commands::search::run(&args, console),
        Command::Resources(args) => commands::resources::run(&args, console),
        Command::Roles(args) => commands::roles::run(&args, console),
        Command::Compare(args) => commands::compare::run(&args, console),
        Command::Serve(args) => serve::run(&args, console).map(|()| Outcome::Found),
        Command::Mcp(args) => serve::run_mcp(&args, console).map(|()| Outcome::Found),
        Command::Index(args) => commands::index::run(&args, console),
        Command::Status(args) => commands::status::run(&args, console),
        Command::Verify(args) => commands::verify::run(&args, console),
        Command::Repair(args) => commands::verify::repair(&args, console),
        Command::Pack(args) => commands::pack::run(&args, console),
        Command::Unpack(args) => commands::pack::restore(&args, console),
        Command::Read(args) => commands::read::run(&args, console),
        Command::Get(args) => commands::get::run(&args, console),
        Command::Models(args) => commands::models::run(&args, console),
        Command::Bench(args) => commands::bench::run(&args, console),
        Command::Eval(args) => commands::eval::run(&args, console),
        Command::Tune(args) => commands::tune::run(&args, console),
        Command::Completions { shell } => commands::generate::completions(shell),
        Command::Man { dir } => commands::generate::man(dir.as_deref()),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let broken = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(broken))
}
