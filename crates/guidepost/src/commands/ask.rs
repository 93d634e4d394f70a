//! `guidepost ask`: an answer in the guides' own words, then the passages behind it.

use guidepost_query::{Answer, MIN_ANSWER_CONFIDENCE, Statement, answer};

use crate::cli::{Format, QueryArgs};
use crate::commands::query::{Below, Searched};
use crate::console::Console;
use crate::output::{self, Results};
use crate::{Outcome, guide_text};

pub(crate) fn run(args: &QueryArgs, console: &Console) -> anyhow::Result<Outcome> {
    let searched = Searched::run(args, MIN_ANSWER_CONFIDENCE, Below::Keep, console)?;
    let found = answer(&searched.snapshot, &searched.question, &searched.hits, searched.min_confidence);
    let verified =
        found.map(|answer| verify(answer, &searched, console)).filter(|a| !a.statements.is_empty());
    if verified.is_none() && args.output.format() != Format::Text {
        console.note("no guide here answers that");
    }
    let outcome = if verified.is_some() { Outcome::Found } else { Outcome::NothingFound };
    let results = Results::new("ask", &searched).with_answer(verified, &searched);
    output::print(&results, args.output.format())?;
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
            let why = text.err().map_or("it changed meanwhile".to_owned(), |error| format!("{error:#}"));
            console.warn(&format!("`{}`: {why}; its statement is left out", document.path));
        }
        stands
    };
    Answer { statements: answer.statements.into_iter().filter(stands).collect() }
}
