//! `guidepost ask`: an answer in the guides' own words, then the passages behind it.

use guidepost_query::{MIN_ANSWER_CONFIDENCE, catalog};

use crate::cli::{Format, QueryArgs};
use crate::commands::query;
use crate::console::Console;
use crate::output::{self, Results};
use crate::search::Below;
use crate::{Outcome, shipped};

pub(crate) fn run(args: &QueryArgs, console: &Console) -> anyhow::Result<Outcome> {
    let searched = query::run(args, MIN_ANSWER_CONFIDENCE, Below::Keep, console)?;
    let (answer, left_out) = searched.answer(&shipped::guides());
    left_out.iter().for_each(|why| console.warn(why));
    if answer.is_none() && args.output.format() != Format::Text {
        console.note("no guide here answers that");
    }
    let outcome = if answer.is_some() { Outcome::Found } else { Outcome::NothingFound };
    let results = Results::new("ask", &searched);
    let results =
        searched.complete(results, answer, left_out, || Ok(catalog(searched.snapshot.names()?).into()))?;
    output::print(&results, args.output.format())?;
    Ok(outcome)
}
