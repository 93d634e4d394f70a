//! The command line of `guidepost tune`.

use clap::Args;

use super::{GuidesArgs, StatusFormat};

pub(super) const AFTER_TUNE: &str = "\
Examples:
  guidepost tune --dry-run
  guidepost tune
  guidepost tune --reset

The sections of your guides are put into a temporary index without their headings, each heading is asked, and the weights
that bring its section up best are measured against those that ship. Nothing is labeled and nothing leaves this machine.
The weights are kept in the index as `tuned.json`, also when it is updated or made again with --rebuild; for another
model, or after late interaction was switched, they no longer hold until `guidepost tune` has run again.

Exit codes: 0 tuned, or the default is best, 1 too few questions to tell, 2 error.";

#[derive(Debug, Clone, Args)]
pub(crate) struct TuneArgs {
    /// Measure and report, and leave the index as it is.
    #[arg(long, conflicts_with = "reset")]
    pub(crate) dry_run: bool,
    /// Go back to the weights that ship.
    #[arg(long)]
    pub(crate) reset: bool,
    #[command(flatten)]
    pub(crate) output: StatusFormat,
    #[command(flatten)]
    pub(crate) guides: GuidesArgs,
}
