//! The command line. What is written here is what `--help`, the manual pages and the completions say.

mod bench;
mod eval;
mod filter;
mod llm;
mod rerank;
mod resources;
mod serve;
mod tune;

use std::path::PathBuf;

use bytesize::ByteSize;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use guidepost_model::{DeviceChoice, Precision};
use guidepost_query::Mode;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::memory;

pub(crate) use bench::{BenchArgs, BenchCommand, BenchEmbedArgs, BenchOutput, BenchSearchArgs};
pub(crate) use eval::{EvalArgs, Stage};
pub(crate) use filter::FilterArgs;
pub(crate) use llm::{AskArgs, ChatArgs, LlmArgs};
pub(crate) use rerank::{BudgetArgs, RerankArgs, is_budget};
pub(crate) use resources::{CompareArgs, ReadArgs, ResourcesArgs, RolesArgs};
pub(crate) use serve::{McpArgs, ServeArgs, ServedArgs};
pub(crate) use tune::TuneArgs;

const AFTER_HELP: &str = "\
Examples:
  guidepost ask \"How do I become a machine learning engineer?\"
  guidepost search certification for SQL -n 3
  guidepost ask how to start --role \"data analyst\" --after 2026
  guidepost search '\"error budget\" -incident title:reliability'
  guidepost resources books on statistics
  guidepost index ~/guides
  guidepost index --watch
  guidepost serve
  guidepost get corpus/data-analyst.md:40-52

Exit codes: 0 found, 1 nothing found, 2 error, 3 a measured figure is below the gate, 130 interrupted (indexing
goes on with the next run).";

/// Local search over guides: ask a question, get an answer that says where it comes from.
#[derive(Debug, Parser)]
#[command(name = "guidepost", version, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print results and errors only.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more of what is done: device, model, timings.
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Answer a question in the guides' own words, with sources; or in a language model's, checked against them.
    #[command(after_help = llm::AFTER_ASK)]
    Ask(AskArgs),
    /// Talk over the guides: questions may follow from those before. Takes a language model.
    #[command(after_help = llm::AFTER_CHAT)]
    Chat(ChatArgs),
    /// Find the passages that fit a query, best first.
    Search(QueryArgs),
    /// List the books, courses, certifications, projects, tools and links that guides name.
    #[command(after_help = resources::AFTER_RESOURCES)]
    Resources(ResourcesArgs),
    /// List the roles that guides are about.
    Roles(RolesArgs),
    /// Put two roles side by side: skills, tools, roadmap, resources.
    Compare(CompareArgs),
    /// Serve the guides: a page for people, an interface for programs, tools for agents.
    #[command(after_help = serve::AFTER_SERVE)]
    Serve(ServeArgs),
    /// Be a tool for agents: speak the Model Context Protocol on standard input and output.
    #[command(after_help = serve::AFTER_MCP)]
    Mcp(McpArgs),
    /// Build the index, or bring it up to date. Interrupted, it keeps what it has embedded, and the next run goes on from there.
    Index(IndexArgs),
    /// Show what the index holds and whether it is up to date.
    Status(StatusArgs),
    /// Read every byte of the index, and say whether it is what was written.
    Verify(StatusArgs),
    /// Mend a damaged index from what is sound of it and from the guides, and say what could not be saved.
    Repair(RepairArgs),
    /// Write the index into one file, to be unpacked on another machine.
    Pack(PackArgs),
    /// Restore an index from a file that `pack` wrote, after every byte of it was checked.
    Unpack(UnpackArgs),
    /// Show what is understood of a file: outline, passages, resources, warnings.
    Read(ReadArgs),
    /// Print lines of a guide, as cited.
    Get(GetArgs),
    /// List models, or fetch one.
    Models(ModelsArgs),
    /// Measure how fast this machine embeds and searches.
    Bench(BenchArgs),
    /// Measure how well each stage of a search ranks a test collection.
    #[command(after_help = eval::AFTER_EVAL)]
    Eval(EvalArgs),
    /// Choose the weights of a search for your guides, by questions made from their headings.
    #[command(after_help = tune::AFTER_TUNE)]
    Tune(TuneArgs),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page, or write all of them into a folder.
    Man {
        /// Write one page per command into this folder instead.
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

/// Where the index is.
#[derive(Debug, Clone, Args)]
pub(crate) struct IndexPlace {
    /// Index directory [default: `guidepost/index` in your data folder].
    #[arg(long, value_name = "DIR", env = "GUIDEPOST_INDEX")]
    pub(crate) index: Option<PathBuf>,
}

/// Which model, and whether it may be fetched.
#[derive(Debug, Clone, Args)]
pub(crate) struct ModelSource {
    /// Model: a name from `guidepost models list`, a folder in sentence-transformers' layout, or `hash`, which needs
    /// no weights and only matches words [default: all-MiniLM-L6-v2].
    #[arg(long, value_name = "NAME|DIR", env = "GUIDEPOST_MODEL")]
    pub(crate) model: Option<String>,
    /// Fetch nothing. Without a model on this machine, search by words alone.
    #[arg(long, env = "GUIDEPOST_OFFLINE", value_parser = clap::builder::FalseyValueParser::new())]
    pub(crate) offline: bool,
}

/// Which model, and how it is run.
#[derive(Debug, Clone, Args)]
pub(crate) struct ModelArgs {
    #[command(flatten)]
    pub(crate) source: ModelSource,
    /// Device: auto, cpu, cuda, cuda:N or metal. One that is named is used or is an error [default: auto].
    #[arg(long, value_name = "DEVICE", env = "GUIDEPOST_DEVICE")]
    pub(crate) device: Option<DeviceChoice>,
    /// Number format of the model: f32, exact; fast, 16 bits, with cosines of at least 0.9995 to f32; int8, on the
    /// processor; bf16, on a GPU [default: what the index was made with; fast for a new one].
    #[arg(long, value_name = "PRECISION", env = "GUIDEPOST_PRECISION")]
    pub(crate) precision: Option<Precision>,
    /// Threads on the processor [default: one per core].
    #[arg(long, value_name = "N", env = "GUIDEPOST_THREADS", value_parser = parse_threads)]
    pub(crate) threads: Option<usize>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct QueryArgs {
    /// A question, or words to look for; quotes are not needed. `-` reads it from standard input. Inside '...':
    /// "a phrase" must be there, -word and -"a phrase" must not, title:word, heading:word and body:word must be there.
    #[arg(required = true, value_name = "QUESTION")]
    pub(crate) question: Vec<String>,
    /// Most passages to show, from 1 to 100; `ask` adds those it quotes [default: 5].
    #[arg(short = 'n', long, value_name = "N", env = "GUIDEPOST_LIMIT", value_parser = parse_limit)]
    pub(crate) limit: Option<usize>,
    /// Explain each score.
    #[arg(long)]
    pub(crate) explain: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) how: HowArgs,
}

/// How guides are searched, and which.
#[derive(Debug, Clone, Args)]
pub(crate) struct HowArgs {
    /// The bar, from 0 to 1: for `search`, to be listed [default: 0.01]; for `ask`, to be quoted [default: 0.07]. Where
    /// nothing reaches it, `ask` says so and shows the nearest passages all the same.
    #[arg(long, value_name = "P", env = "GUIDEPOST_MIN_CONFIDENCE", value_parser = parse_share)]
    pub(crate) min_confidence: Option<f32>,
    /// hybrid: by meaning and by words; dense: by meaning alone; bm25: by words alone [default: hybrid].
    #[arg(long, value_enum, env = "GUIDEPOST_MODE")]
    pub(crate) mode: Option<ModeArg>,
    #[command(flatten)]
    pub(crate) rerank: RerankArgs,
    #[command(flatten)]
    pub(crate) budget: BudgetArgs,
    #[command(flatten)]
    pub(crate) guides: GuidesArgs,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
}

/// Which guides, and what it takes to have an index of them.
#[derive(Debug, Clone, Args)]
pub(crate) struct GuidesArgs {
    /// Folder of guides to build the index from when there is none yet; an error if the index there lacks it
    /// [default: the guides that ship].
    #[arg(long = "guides", value_name = "DIR", env = "GUIDEPOST_GUIDES")]
    pub(crate) folder: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: IndexPlace,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct OutputArgs {
    /// text for people; json, jsonl, csv (results without the answer) and files (the guides' files) for programs; md for
    /// notes.
    #[arg(long, value_enum, default_value = "text", env = "GUIDEPOST_FORMAT")]
    format: Format,
    /// Short for `--format json`.
    #[arg(long)]
    json: bool,
}

impl OutputArgs {
    pub(crate) fn format(self) -> Format {
        if self.json { Format::Json } else { self.format }
    }
}

#[derive(Debug, Clone, Args)]
pub(crate) struct IndexArgs {
    /// Folders of guides to add; without any, those the index already has are brought up to date.
    #[arg(value_name = "DIR")]
    pub(crate) folders: Vec<PathBuf>,
    /// Take a folder out of the index; its files are not touched.
    #[arg(long, value_name = "DIR")]
    pub(crate) remove: Vec<PathBuf>,
    /// Make everything again, for example for another model.
    #[arg(long)]
    pub(crate) rebuild: bool,
    /// Keep the vectors of all tokens, for late interaction: search ranks better, the index takes several times the space
    /// [default: what the index has; on for a new one].
    #[arg(long, value_enum, value_name = "ON|OFF")]
    pub(crate) late_interaction: Option<Switch>,
    /// Memory that building may take, like `2GB` or `900MiB`: what takes more is written in several parts, which searches are
    /// a little slower over [default: half of the machine's].
    #[arg(long, value_name = "SIZE", value_parser = memory)]
    pub(crate) memory: Option<ByteSize>,
    /// Only say what would be done: write nothing, fetch nothing, embed nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Stay, and bring the index up to date whenever guides change, until Ctrl-C.
    #[arg(long, conflicts_with_all = ["dry_run", "json"])]
    pub(crate) watch: bool,
    /// With --watch: look at the folders every 5 seconds in place of waiting for the system's notifications. Network drives
    /// that are known as such (Linux) need no telling.
    #[arg(long, requires = "watch")]
    pub(crate) poll: bool,
    #[command(flatten)]
    pub(crate) output: StatusFormat,
    #[command(flatten)]
    pub(crate) place: IndexPlace,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
}

fn memory(text: &str) -> Result<ByteSize, String> {
    let size: ByteSize = text.parse().map_err(|_| "a size is a number and a unit, like `2GB`".to_owned())?;
    let least = memory::LEAST;
    if size < least {
        return Err(format!("the model and the text index alone take some {least}; give it more"));
    }
    Ok(size)
}

/// Whether something is wanted.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) output: StatusFormat,
    #[command(flatten)]
    pub(crate) place: IndexPlace,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RepairArgs {
    #[command(flatten)]
    pub(crate) place: IndexPlace,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct PackArgs {
    /// The file to write.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Replace a file of that name.
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) output: StatusFormat,
    #[command(flatten)]
    pub(crate) place: IndexPlace,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct UnpackArgs {
    /// The file that `guidepost pack` wrote. The index directory has to be empty, or not there yet.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) output: StatusFormat,
    #[command(flatten)]
    pub(crate) place: IndexPlace,
}

/// Text or JSON.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct StatusFormat {
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct GetArgs {
    /// As printed in citations: `guides/sql.md:12-20`, `guides/sql.md:12`, or `guides/sql.md` for all of it.
    #[arg(value_name = "FILE[:LINES]")]
    pub(crate) citation: String,
    #[command(flatten)]
    pub(crate) place: IndexPlace,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ModelsArgs {
    #[command(subcommand)]
    pub(crate) command: ModelsCommand,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ModelsCommand {
    /// Show which models are known, and which are on this machine.
    List {
        #[command(flatten)]
        output: StatusFormat,
    },
    /// Fetch a model and verify it.
    Pull {
        /// Name from `guidepost models list` [default: the first].
        name: Option<String>,
        /// Fetch nothing: only verify what is here.
        #[arg(long, env = "GUIDEPOST_OFFLINE", value_parser = clap::builder::FalseyValueParser::new())]
        offline: bool,
    },
}

/// Which legs search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ModeArg {
    Hybrid,
    Dense,
    Bm25,
}

impl ModeArg {
    pub(crate) fn mode(self) -> Mode {
        match self {
            ModeArg::Hybrid => Mode::Hybrid,
            ModeArg::Dense => Mode::Dense,
            ModeArg::Bm25 => Mode::Bm25,
        }
    }
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
    Jsonl,
    Csv,
    Md,
    Files,
}

fn parse_share(text: &str) -> Result<f32, String> {
    text.parse().ok().filter(is_share).ok_or_else(|| "it must be a number from 0 to 1".to_owned())
}

fn parse_limit(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(is_limit).ok_or_else(|| "it must be a whole number from 1 to 100".to_owned())
}

fn parse_threads(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(is_threads).ok_or_else(|| "it must be a whole number from 1 to 1024".to_owned())
}

/// What `--threads` may be.
pub(crate) fn is_threads(threads: &usize) -> bool {
    (1..=1024).contains(threads)
}

/// What `--min-confidence` may be.
pub(crate) fn is_share(share: &f32) -> bool {
    // What is too little below 0 for an f32 comes as -0.
    (0.0..=1.0).contains(share) && share.is_sign_positive()
}

/// What `--limit` may be.
pub(crate) fn is_limit(limit: &usize) -> bool {
    (1..=100).contains(limit)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
