//! What `ask` and `chat` share: a language model whose sentences are printed as they are written and checked.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use guidepost_text::Generate;

use crate::cli::LlmArgs;
use crate::commands::query::Session;
use crate::console::Console;
use crate::interrupt;
use crate::llm::{self, Choice, Interruptible};
use crate::output::{Prose, WrittenView};
use crate::search::Searched;
use crate::writing::{Brief, Reading, Room, Unsupported};

/// Who sees what is written, before all of it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Sentences go to standard output as they come.
    People,
    Programs,
}

/// A language model, ready to answer the questions of a session.
pub(crate) struct AnswerWriter<'a> {
    pub(crate) model: Interruptible,
    stop: Arc<AtomicBool>,
    session: &'a Session<'a>,
    reading: Reading,
    unsupported: Unsupported,
    console: &'a Console,
}

impl<'a> AnswerWriter<'a> {
    /// Makes the model ready; from now on, Ctrl-C ends what it writes.
    pub(crate) fn open(
        choice: &Choice,
        args: &LlmArgs,
        unsupported: Unsupported,
        session: &'a Session<'a>,
        console: &'a Console,
    ) -> anyhow::Result<AnswerWriter<'a>> {
        let model = llm::open(choice, &session.engine, console)?;
        let stop = interrupt::catch(console)?;
        let stopped = Arc::clone(&stop);
        let model = Interruptible { model, stop: Arc::new(move || stopped.load(Ordering::Relaxed)) };
        Ok(AnswerWriter { model, stop, session, reading: args.reading(), unsupported, console })
    }

    /// Whether Ctrl-C was pressed since this was last asked.
    pub(crate) fn was_interrupted(&self) -> bool {
        self.stop.swap(false, Ordering::Relaxed)
    }

    /// Has the answer written. `None` where no passage may answer: then the model is not asked.
    pub(crate) fn write(
        &self,
        searched: &Searched,
        audience: Audience,
    ) -> anyhow::Result<Option<WrittenView>> {
        let shipped = &self.session.engine.shipped;
        let Some(brief) = Brief::new(searched, &Room::of(&self.model), self.reading, shipped)? else {
            return Ok(None);
        };
        brief.left_out.iter().for_each(|why| self.console.warn(why));
        let waiting = self.console.waiting(&format!("{} reads {}", self.model.name(), brief.described()));
        let mut prose = Prose::new(anstream::stdout().lock());
        let mut unprinted = None;
        let embedder = self.session.embedder.as_deref();
        let written = brief.write(searched, &self.model, embedder, self.unsupported, &mut |sentence| {
            waiting.finish_and_clear();
            let printed = match audience {
                Audience::People => prose.sentence(sentence),
                Audience::Programs => Ok(()),
            };
            unprinted = printed.err();
            if unprinted.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        waiting.finish_and_clear();
        prose.end()?;
        match unprinted {
            Some(error) => Err(error.into()),
            None => written.map(Some),
        }
    }
}
