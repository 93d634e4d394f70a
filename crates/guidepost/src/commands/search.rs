//! `guidepost search`: passages, best first.

use guidepost_query::Question;

use crate::Outcome;
use crate::cli::QueryArgs;
use crate::commands::query::{Asked, Session, read_question};
use crate::console::Console;
use crate::output::{self, Results};
use crate::search::{Below, MIN_SEARCH_CONFIDENCE};
use crate::settings::UserSettings;

pub(crate) fn run(args: &QueryArgs, console: &Console) -> anyhow::Result<Outcome> {
    let asked = Asked {
        question: Question::new(&read_question(args)?)?,
        filter: args.how.filter.filter()?,
        default_confidence: MIN_SEARCH_CONFIDENCE,
        below: Below::Drop,
        explain: args.explain,
    };
    let user = UserSettings::load(console)?;
    let searched = Session::open(&args.how, args.limit, &user, console)?.search(asked)?;
    let found = !searched.hits.is_empty();
    if !found {
        console.note("no passage matches");
    }
    let results = Results::new("search", &searched);
    output::print(&results, args.output.format())?;
    Ok(if found { Outcome::Found } else { Outcome::NothingFound })
}
