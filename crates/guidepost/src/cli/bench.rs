//! The command line of `guidepost bench`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use guidepost_model::{DeviceChoice, Precision};

use super::{IndexPlace, ModelArgs, ModelSource, RerankArgs, parse_threads};

const AFTER_EMBED: &str = "\
Examples:
  guidepost bench embed
  guidepost bench embed --device cpu,cuda --svg embed.svg
  guidepost bench embed --precision f32 --threads 1,2,4 --json

Configurations take turns in every round, and every figure is the median over the rounds. Devices and precisions that
are named are used or are an error.";

#[derive(Debug, Clone, Args)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    pub(crate) command: BenchCommand,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum BenchCommand {
    /// Measure the model: texts and tokens per second, latency, memory, and how close the vectors are to f32's.
    #[command(after_help = AFTER_EMBED)]
    Embed(BenchEmbedArgs),
    /// Measure searching, stage by stage, in your index and in synthetic ones of other sizes.
    Search(BenchSearchArgs),
}

#[derive(Debug, Clone, Args)]
pub(crate) struct BenchEmbedArgs {
    /// Devices to compare, with commas between: auto, cpu, cuda, cuda:N, metal [default: auto].
    #[arg(long, value_name = "DEVICES", value_delimiter = ',', env = "GUIDEPOST_DEVICE")]
    pub(crate) device: Vec<DeviceChoice>,
    /// Precisions to compare: f32, fast, int8 (processor), bf16 (GPU). Each is measured on the devices that offer it
    /// [default: all].
    #[arg(long, value_name = "PRECISIONS", value_delimiter = ',')]
    pub(crate) precision: Vec<Precision>,
    /// Numbers of threads to compare on the processor [default: one per core].
    #[arg(long, value_name = "N,...", value_delimiter = ',', value_parser = parse_threads)]
    pub(crate) threads: Vec<usize>,
    /// Texts per call to compare [default: 1,4,16,64,256,1024, as far as there are texts].
    #[arg(long, value_name = "N,...", value_delimiter = ',', value_parser = parse_batch)]
    pub(crate) batch: Vec<usize>,
    /// Folder of guides whose passages are embedded, at most 2,048 of them [default: the guides that ship].
    #[arg(long, value_name = "FOLDER")]
    pub(crate) texts: Option<PathBuf>,
    /// Family of instructions to use on the processor, such as avx2, instead of the fastest.
    #[arg(long, value_name = "FAMILY", hide_short_help = true)]
    pub(crate) instructions: Option<String>,
    /// Rounds; every figure is the median over them [default: 5].
    #[arg(long, value_name = "N", value_parser = parse_rounds)]
    pub(crate) rounds: Option<usize>,
    /// One round of few texts: whether everything runs, not how fast.
    #[arg(long)]
    pub(crate) quick: bool,
    #[command(flatten)]
    pub(crate) output: BenchOutput,
    #[command(flatten)]
    pub(crate) source: ModelSource,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct BenchSearchArgs {
    /// Sizes of synthetic indexes in passages; they are built in a temporary folder [default: 1000,10000].
    #[arg(long, value_name = "N,...", value_delimiter = ',', value_parser = parse_size)]
    pub(crate) sizes: Vec<usize>,
    /// Rounds over the questions [default: 5].
    #[arg(long, value_name = "N", value_parser = parse_rounds)]
    pub(crate) rounds: Option<usize>,
    #[command(flatten)]
    pub(crate) output: BenchOutput,
    #[command(flatten)]
    pub(crate) place: IndexPlace,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) rerank: RerankArgs,
}

/// Where measurements go.
#[derive(Debug, Clone, Args)]
pub(crate) struct BenchOutput {
    /// Print one JSON object with every single timing.
    #[arg(long)]
    pub(crate) json: bool,
    /// Also draw a plot into this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
}

fn parse_batch(text: &str) -> Result<usize, String> {
    within(text, 1, 1_000_000)
}

fn parse_rounds(text: &str) -> Result<usize, String> {
    within(text, 1, 1000)
}

fn parse_size(text: &str) -> Result<usize, String> {
    within(text, 10, 10_000_000)
}

fn within(text: &str, low: usize, high: usize) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (low..=high).contains(number));
    number.ok_or_else(|| format!("it must be a whole number from {low} to {high}"))
}
