//! The command line of what guides name: `resources`, `roles`, `compare`; and of `read`.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use guidepost_text::ResourceKind;

use super::{GuidesArgs, IndexPlace, ModelArgs, OutputArgs, StatusFormat, parse_limit};

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
    #[arg(long, value_name = "KIND", value_parser = kinds(), value_delimiter = ',')]
    pub(crate) kind: Vec<ResourceKind>,
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

/// Kinds by name, so that completions and errors list them.
fn kinds() -> impl TypedValueParser<Value = ResourceKind> {
    let names = ResourceKind::ALL.map(ResourceKind::name);
    PossibleValuesParser::new(names)
        .map(|name| ResourceKind::of_word(&name).expect("the name of a kind asks for that kind"))
}
