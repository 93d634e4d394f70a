//! `guidepost search`: passages, best first.

use crate::Outcome;
use crate::cli::QueryArgs;
use crate::commands::query;
use crate::console::Console;
use crate::output::{self, Results};
use crate::search::{Below, MIN_SEARCH_CONFIDENCE};

pub(crate) fn run(args: &QueryArgs, console: &Console) -> anyhow::Result<Outcome> {
    let searched = query::run(args, MIN_SEARCH_CONFIDENCE, Below::Drop, console)?;
    let found = !searched.hits.is_empty();
    if !found {
        console.note("no passage matches");
    }
    let results = Results::new("search", &searched);
    output::print(&results, args.output.format())?;
    Ok(if found { Outcome::Found } else { Outcome::NothingFound })
}
