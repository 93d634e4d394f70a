//! `guidepost ask`: an answer in the guides' own words, then the passages behind it.

use guidepost_query::{Answer, Statement, answer};

use crate::cli::QueryArgs;
use crate::commands::query::Searched;
use crate::console::Console;
use crate::output::{self, Results};
use crate::{Outcome, guide_text};

/// Below, a guide is more likely to be beside the point than to answer.
const MIN_CONFIDENCE: f32 = 0.3;

pub(crate) fn run(args: &QueryArgs, console: &Console) -> anyhow::Result<Outcome> {
    // All passages are searched for, so that the nearest can be shown where none answers.
    let unfiltered = QueryArgs { min_confidence: Some(0.0), ..args.clone() };
    let mut searched = Searched::run(&unfiltered, 0.0, console)?;
    searched.min_confidence = args.min_confidence.unwrap_or(MIN_CONFIDENCE);
    let found = answer(&searched.snapshot, &searched.question, &searched.hits, searched.min_confidence);
    let verified = found.map(|answer| verify(answer, &searched, console)).filter(|a| !a.statements.is_empty());
    if verified.is_none() {
        console.note("no guide here answers that; the nearest passages:");
    }
    let outcome = if verified.is_some() { Outcome::Found } else { Outcome::NothingFound };
    let results = Results::new("ask", &searched, searched.hits.iter().collect()).with_answer(verified, searched.min_confidence);
    output::print(&results, args.output.format(), args.explain)?;
    Ok(outcome)
}

/// Holds every statement against its guide as it is now, and drops what does not stand there any more.
fn verify(answer: Answer, searched: &Searched, console: &Console) -> Answer {
    let stands = |statement: &Statement| {
        let document = &searched.hits[statement.hit].document;
        let text = guide_text::read(&searched.snapshot, document, &searched.engine.shipped);
        let stands = text.as_ref().is_ok_and(|text| {
            guide_text::lines(text, statement.lines).is_some_and(|lines| lines.contains(&statement.text))
        });
        if !stands {
            console.warn(&format!("`{}` changed while it was searched; its statement is left out", document.path));
        }
        stands
    };
    Answer { statements: answer.statements.into_iter().filter(stands).collect() }
}
