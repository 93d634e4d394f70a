//! `guidepost ask`: an answer in the guides' own words, or in a language model's, then what is behind it.

use guidepost_query::{MIN_ANSWER_CONFIDENCE, Question, catalog};

use crate::cli::{AskArgs, Format};
use crate::commands::answer_writer::{AnswerWriter, Audience};
use crate::commands::query::{Asked, Session, read_question};
use crate::console::Console;
use crate::llm::{self, Choice};
use crate::output::{self, Results, WrittenView, print_prompt};
use crate::search::{ANSWER_HITS, Below, Searched};
use crate::settings::UserSettings;
use crate::writing::{Brief, Room};
use crate::{Outcome, shipped};

pub(crate) fn run(args: &AskArgs, console: &Console) -> anyhow::Result<Outcome> {
    let user = UserSettings::load(console)?;
    let choice = args.llm.choice(&user)?;
    let is_read = choice.is_some() || args.show_prompt;
    let asked = Asked {
        question: Question::new(&read_question(&args.query)?)?,
        filter: args.query.how.filter.filter()?,
        default_confidence: MIN_ANSWER_CONFIDENCE,
        below: Below::Keep { at_least: if is_read { args.llm.reading().hits() } else { ANSWER_HITS } },
        explain: args.query.explain,
    };
    let session = Session::open(&args.query.how, args.query.limit, &user, console)?;
    let searched = session.search(asked)?;
    if args.show_prompt {
        return show_prompt(args, choice.as_ref(), &session, &searched, console);
    }
    let written = match choice.filter(|_| searched.may_answer()) {
        Some(choice) => write(args, &choice, &session, &searched, console)?,
        None => None,
    };
    let (answer, left_out) = searched.answer(&shipped::guides());
    left_out.iter().for_each(|why| console.warn(why));
    let outcome = match &written {
        Some(written) => written_outcome(written),
        None if answer.is_some() => Outcome::Found,
        None => Outcome::NothingFound,
    };
    let format = args.query.output.format();
    if outcome == Outcome::NothingFound && format != Format::Text {
        console.note("no guide here answers that");
    }
    let results = Results { written, ..Results::new("ask", &searched) };
    let results =
        searched.complete(results, answer, left_out, || Ok(catalog(searched.snapshot.names()?).into()))?;
    output::print(&results, format)?;
    Ok(outcome)
}

fn write(
    args: &AskArgs,
    choice: &Choice,
    session: &Session,
    searched: &Searched,
    console: &Console,
) -> anyhow::Result<Option<WrittenView>> {
    let audience = match args.query.output.format() {
        Format::Text => Audience::People,
        _ => Audience::Programs,
    };
    let writer = AnswerWriter::open(choice, &args.llm, args.check.unsupported(), session, console)?;
    writer.write(searched, audience)
}

fn written_outcome(written: &WrittenView) -> Outcome {
    match () {
        () if written.finish == "stopped" => Outcome::Interrupted,
        () if written.supported => Outcome::Found,
        () => Outcome::NothingFound,
    }
}

fn show_prompt(
    args: &AskArgs,
    choice: Option<&Choice>,
    session: &Session,
    searched: &Searched,
    console: &Console,
) -> anyhow::Result<Outcome> {
    // What runs here counts with its own tokenizer; servers are not asked for anything.
    let local = match choice {
        Some(choice @ Choice::Local { .. }) => Some(llm::open(choice, &session.engine, console)?),
        _ => None,
    };
    let room = local.as_deref().map_or_else(Room::unknown, Room::of);
    let Some(brief) = Brief::new(searched, &room, args.llm.reading(), &session.engine.shipped)? else {
        console.note("no guide here answers that; no model would be asked");
        return Ok(Outcome::NothingFound);
    };
    print_prompt(&brief.messages, &brief.sources(searched), args.query.output.format() == Format::Json)?;
    console.note(&format!("{}, about {} tokens in all", brief.described(), brief.tokens(&room)));
    Ok(Outcome::Found)
}
