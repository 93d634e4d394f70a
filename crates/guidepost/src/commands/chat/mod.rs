//! `guidepost chat`: questions that may follow from those before, each searched and answered anew.

mod conversation;
mod input;

use std::io::Write;
use std::ops::ControlFlow;

use anyhow::Context;
use guidepost_query::{Filter, MIN_ANSWER_CONFIDENCE, Question};
use guidepost_text::Generate;

use crate::cli::ChatArgs;
use crate::commands::answer_writer::{AnswerWriter, Audience};
use crate::commands::query::{Asked, Session};
use crate::console::Console;
use crate::output::{FAINT, print_written};
use crate::search::Below;
use crate::settings::UserSettings;
use crate::writing::standing_alone;
use crate::{Outcome, is_broken_pipe};

use conversation::{Conversation, Exchange};
use input::{Command, HELP, Input, Typed};

pub(crate) fn run(args: &ChatArgs, console: &Console) -> anyhow::Result<Outcome> {
    let user = UserSettings::load(console)?;
    let choice = args.llm.choice(&user)?;
    let choice =
        choice.context("a chat takes a language model: name one with --llm, for example `--llm local`")?;
    let filter = args.how.filter.filter()?;
    let conversation = Conversation::new(args.save.as_deref())?;
    let session = Session::open(&args.how, None, &user, console)?;
    let writer = AnswerWriter::open(&choice, &args.llm, args.check.unsupported(), &session, console)?;
    let mut input = Input::open()?;
    if input.is_terminal() {
        console.note(&format!("{} answers; /help lists what else can be typed", writer.model.name()));
    }
    let hits = args.llm.reading().hits();
    let mut chat = Chat { session: &session, writer: &writer, filter, hits, conversation, console };
    while let Some(typed) = input.next()? {
        match chat.take(typed) {
            Ok(ControlFlow::Continue(())) => {}
            Ok(ControlFlow::Break(())) => break,
            // Somebody sits there and can ask again; a file cannot.
            Err(error) if input.is_terminal() && !is_broken_pipe(&error) => console.error(&error),
            Err(error) => return Err(error),
        }
    }
    Ok(if chat.conversation.has_answer() { Outcome::Found } else { Outcome::NothingFound })
}

/// A conversation that goes on.
struct Chat<'a> {
    session: &'a Session<'a>,
    writer: &'a AnswerWriter<'a>,
    filter: Filter,
    /// Passages that are looked at for each question.
    hits: usize,
    conversation: Conversation,
    console: &'a Console,
}

impl Chat<'_> {
    fn take(&mut self, typed: Typed) -> anyhow::Result<ControlFlow<()>> {
        match typed {
            Typed::Question(question) => self.answer(&question)?,
            Typed::Command(Command::Quit) => return Ok(ControlFlow::Break(())),
            Typed::Command(Command::Help) => write!(anstream::stdout().lock(), "{HELP}")?,
            Typed::Command(Command::New) => {
                self.conversation.forget();
                self.console.note("what was asked before is not looked at any more");
            }
            Typed::Command(Command::Save(file)) => {
                self.conversation.save_to(&file)?;
                self.console.note(&format!("saved in `{}`, and again after every answer", file.display()));
            }
            Typed::Command(Command::Unknown(command)) => {
                self.console.warn(&format!("`{command}` is no command; /help lists them"));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn answer(&mut self, asked: &str) -> anyhow::Result<()> {
        let question = self.on_its_own(asked)?;
        let mut out = anstream::stdout();
        if question != asked {
            writeln!(out, "{FAINT}searched as: {question}{FAINT:#}")?;
        }
        let searched = self.session.search(Asked {
            question: Question::new(&question)?,
            filter: self.filter.clone(),
            default_confidence: MIN_ANSWER_CONFIDENCE,
            below: Below::Keep { at_least: self.hits },
            explain: false,
        })?;
        writeln!(out)?;
        let written = match self.writer.was_interrupted() {
            true => None,
            false => self.writer.write(&searched, Audience::People)?,
        };
        if self.writer.was_interrupted() {
            self.console.note("stopped; the question is not remembered");
            return Ok(());
        }
        print_written(written.as_ref())?;
        self.conversation.add(Exchange { asked: asked.to_owned(), question, written })
    }

    /// The question, as it can be understood without those before.
    fn on_its_own(&self, asked: &str) -> anyhow::Result<String> {
        let turns = self.conversation.turns();
        if turns.is_empty() {
            return Ok(asked.to_owned());
        }
        let waiting = self.console.waiting("reading what was asked before");
        let question = standing_alone(&self.writer.model, &turns, asked);
        waiting.finish_and_clear();
        Ok(question?)
    }
}
