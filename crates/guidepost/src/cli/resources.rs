//! The command line of what guides name: `resources`, `roles`, `compare`; and of `read`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use guidepost_text::ResourceKind;

use super::{IndexPlace, ModelArgs, OutputArgs, StatusFormat, parse_limit};

pub(crate) const AFTER_RESOURCES: &str = "\
Examples:
  guidepost resources --kind book --for \"data analyst\"
  guidepost resources courses on statistics
  guidepost resources --kind tool,certification --format csv

Words such as `books` in the query ask for that kind. Without a query, what most guides name comes first.";

#[derive(Debug, Clone, Args)]
pub(crate) struct ResourcesArgs {
    /// What they should be about; all resources without it.
    #[arg(value_name = "QUERY")]
    pub(crate) query: Vec<String>,
    /// Only these kinds.
    #[arg(long, value_name = "KIND", value_enum, value_delimiter = ',')]
    pub(crate) kind: Vec<KindArg>,
    /// Only what serves this role or skill, by the headings and guides that name it; `guidepost roles` lists roles.
    #[arg(long = "for", value_name = "ROLE")]
    pub(crate) serves: Option<String>,
    /// Most resources to show, from 1 to 100; `--all` shows them all [default: 20].
    #[arg(short = 'n', long, value_name = "N", value_parser = parse_limit)]
    pub(crate) limit: Option<usize>,
    /// Show all of them.
    #[arg(long, conflicts_with = "limit")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) guides: GuidesArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RolesArgs {
    #[command(flatten)]
    pub(crate) guides: GuidesArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct CompareArgs {
    /// A role, as `guidepost roles` lists it, or enough of its words.
    #[arg(value_name = "ROLE")]
    pub(crate) first: String,
    /// Another role.
    #[arg(value_name = "OTHER")]
    pub(crate) second: String,
    #[command(flatten)]
    pub(crate) guides: GuidesArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ReadArgs {
    /// A file, or a guide as citations name it.
    #[arg(value_name = "FILE")]
    pub(crate) file: String,
    #[command(flatten)]
    pub(crate) output: StatusFormat,
    #[command(flatten)]
    pub(crate) place: IndexPlace,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
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

/// A kind of resource, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KindArg {
    Book,
    Course,
    Certification,
    Project,
    Tool,
    Link,
}

impl From<KindArg> for ResourceKind {
    fn from(kind: KindArg) -> ResourceKind {
        match kind {
            KindArg::Book => ResourceKind::Book,
            KindArg::Course => ResourceKind::Course,
            KindArg::Certification => ResourceKind::Certification,
            KindArg::Project => ResourceKind::Project,
            KindArg::Tool => ResourceKind::Tool,
            KindArg::Link => ResourceKind::Link,
        }
    }
}
