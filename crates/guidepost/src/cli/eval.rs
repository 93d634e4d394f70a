//! The command line of `guidepost eval`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use super::{IndexPlace, ModelArgs, RerankArgs};

pub(super) const AFTER_EVAL: &str = "\
Examples:
  guidepost eval --collection ~/beir/scifact
  guidepost eval --collection ~/beir/scifact --run guidepost.run
  guidepost eval --collection ~/beir/scifact --gate gate.json

The folder holds `corpus.jsonl` (`_id`, `title`, `text`), `queries.jsonl` (`_id`, `text`) and `qrels.tsv`, or
`qrels/test.tsv`. Every document is indexed as a guide; the index is kept in your cache folder for the next time.

A gate file names the least of each figure that counts: {\"fused\": {\"ndcg@10\": 0.72}}.

Exit codes: 0 measured, 2 error, 3 a figure is below the gate's.";

#[derive(Debug, Clone, Args)]
pub(crate) struct EvalArgs {
    /// Folder of a test collection in BEIR's layout.
    #[arg(long, value_name = "DIR")]
    pub(crate) collection: PathBuf,
    /// Also write the ranking of `--stage` into this file, as a TREC run.
    #[arg(long, value_name = "FILE")]
    pub(crate) run: Option<PathBuf>,
    /// Stage whose ranking `--run` writes.
    #[arg(long, value_enum, default_value = "late", requires = "run")]
    pub(crate) stage: Stage,
    /// Exit with 3 if a figure is below this file's.
    #[arg(long, value_name = "FILE")]
    pub(crate) gate: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) place: IndexPlace,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) rerank: RerankArgs,
}

/// A way to rank, alone or as a step to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stage {
    /// By words.
    Bm25,
    /// By meaning, every vector looked at.
    Dense,
    /// By meaning, walking over the neighbor graph.
    Hnsw,
    /// Both, combined.
    Fused,
    /// Both and late interaction, as `search` ranks.
    Late,
    /// That, and the cross-encoder of `--rerank`.
    Reranked,
}

impl Stage {
    /// Whether it is made from what both legs find.
    pub(crate) fn combines_legs(self) -> bool {
        matches!(self, Stage::Fused | Stage::Late | Stage::Reranked)
    }

    /// As it is written on the command line and in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Stage::Bm25 => "bm25",
            Stage::Dense => "dense",
            Stage::Hnsw => "hnsw",
            Stage::Fused => "fused",
            Stage::Late => "late",
            Stage::Reranked => "reranked",
        }
    }
}
