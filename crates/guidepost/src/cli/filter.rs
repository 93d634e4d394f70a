//! The command line of filters.

use clap::Args;
use guidepost_query::{Facet, Filter, FilterError};

/// Which guides may answer. They hold before anything is ranked.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Filters (a flag given twice: either value; letter case does not matter)")]
pub(crate) struct FilterArgs {
    /// Only guides with this tag; `town` includes `town/roof`.
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Only guides of this kind, as their front matter says it: role, skill, path, ...
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
    /// Only guides and sections about this role; `guidepost roles` lists them.
    #[arg(long, value_name = "ROLE")]
    role: Vec<String>,
    /// Only this file or folder, as cited, below its folder or on disk; or a quoted pattern such as '*.pdf', where *
    /// stands for any characters.
    #[arg(long, value_name = "PATH")]
    path: Vec<String>,
    /// Only guides dated this day (2026-11-21, 2026-11 or 2026) or later: by their front matter, else by their file's
    /// last change. What has neither is left out.
    #[arg(long, value_name = "DATE")]
    after: Vec<String>,
}

impl FilterArgs {
    pub(crate) fn filter(&self) -> Result<Filter, FilterError> {
        Filter::of(|facet| match facet {
            Facet::Tag => &self.tag,
            Facet::Kind => &self.kind,
            Facet::Role => &self.role,
            Facet::Path => &self.path,
            Facet::After => &self.after,
        })
    }
}
