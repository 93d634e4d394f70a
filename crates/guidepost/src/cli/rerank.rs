//! The command line of what comes after finding: the reranker, and how long all may take.

use clap::Args;

/// Which cross-encoder reads the best passages.
#[derive(Debug, Clone, Args)]
pub(crate) struct RerankArgs {
    /// Cross-encoder that reads the best 30 passages together with the question, blended into their order: a name from
    /// `guidepost models list`, a folder, `auto` for one that is on this machine, or `off`. None is ever fetched for a
    /// question: `guidepost models pull NAME` does that [default: off].
    #[arg(long, value_name = "NAME|DIR|auto|off", env = "GUIDEPOST_RERANK")]
    pub(crate) rerank: Option<String>,
}

impl RerankArgs {
    /// What was asked for, by flag or variable, else by the user's settings.
    pub(crate) fn choice<'a>(&'a self, setting: Option<&'a String>) -> Option<&'a str> {
        self.rerank.as_ref().or(setting).map(String::as_str)
    }
}

/// How long a search may take.
#[derive(Debug, Clone, Args)]
pub(crate) struct BudgetArgs {
    /// Go only as far as is needed and this many milliseconds allow: words first, then the model, then tokens one by
    /// one, then the cross-encoder if one is chosen. Counts the search itself, not opening the index nor loading
    /// models; without it, everything runs.
    #[arg(long, value_name = "N", env = "GUIDEPOST_BUDGET_MS", value_parser = parse_budget)]
    pub(crate) budget_ms: Option<u64>,
}

fn parse_budget(text: &str) -> Result<u64, String> {
    text.parse().ok().filter(is_budget).ok_or_else(|| "it must be a whole number from 1 to 60000".to_owned())
}

/// What `--budget-ms` may be.
pub(crate) fn is_budget(milliseconds: &u64) -> bool {
    (1..=60_000).contains(milliseconds)
}
