//! `guidepost search`: passages, best first.

use crate::Outcome;
use crate::cli::QueryArgs;
use crate::commands::query::{Below, Searched};
use crate::console::Console;
use crate::output::{self, Results};

/// `search` shows whatever is not plainly unrelated; its reader judges.
const MIN_CONFIDENCE: f32 = 0.01;

pub(crate) fn run(args: &QueryArgs, console: &Console) -> anyhow::Result<Outcome> {
    let searched = Searched::run(args, MIN_CONFIDENCE, Below::Drop, console)?;
    let found = !searched.hits.is_empty();
    if !found {
        console.note("no passage matches");
    }
    let results = Results::new("search", &searched);
    output::print(&results, args.output.format())?;
    Ok(if found { Outcome::Found } else { Outcome::NothingFound })
}
