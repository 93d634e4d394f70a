//! Answers in a language model's words, as the library gives them.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use guidepost_query::MIN_ANSWER_CONFIDENCE;

use super::failure::{Failure, Kind};
use super::library::{Desk, Writer};
use super::parameters::WriteParameters;
use crate::llm::Interruptible;
use crate::output::{Results, SentenceView, SourceView};
use crate::search::Below;
use crate::writing::{Brief, Room, Unsupported, standing_alone};

/// How far a written answer is.
pub(super) enum Progress<'a> {
    /// The question, as it is searched: it stands alone.
    Question(&'a str),
    Found(&'a Results),
    /// What the model reads.
    Sources(&'a [SourceView]),
    /// Written and checked.
    Sentence(&'a SentenceView),
}

impl Desk {
    /// Searches for what the question means after those before, and has the answer written. `tell` hears how far it is.
    pub(super) fn write(
        &self,
        parameters: WriteParameters,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Results, Failure> {
        // What is asked wrongly is told so before any model is asked.
        parameters.clone().search(parameters.q.clone()).wish(
            &self.library,
            &self.library.shelf(),
            MIN_ANSWER_CONFIDENCE,
            Below::Drop,
        )?;
        let turns = parameters.turns()?;
        let writer = self.library.writer.as_ref();
        let Writer { model, reading } = writer.ok_or_else(|| Failure::new(Kind::Backend, NO_WRITER))?;
        let model = self.leaving(model);
        let question = standing_alone(&model, &turns, &parameters.q).map_err(anyhow::Error::from)?;
        tell(Progress::Question(&question));
        let unsupported = if parameters.strict { Unsupported::LeaveOut } else { Unsupported::Mark };
        let below = Below::Keep { at_least: reading.hits() };
        let (shelf, searched) =
            self.searched(parameters.search(question), MIN_ANSWER_CONFIDENCE, below, || ())?;
        let mut results = Results::new("ask", &searched);
        tell(Progress::Found(&results));
        let shipped = &self.library.shipped;
        let (answer, mut left_out) = searched.answer(shipped);
        let started = Instant::now();
        if let Some(brief) = Brief::new(&searched, &Room::of(&model), *reading, shipped)? {
            left_out.extend(brief.left_out.iter().cloned());
            tell(Progress::Sources(&brief.sources(&searched)));
            let embedder = self.models().embedder;
            let written = brief.write(&searched, &model, embedder, unsupported, &mut |sentence| {
                tell(Progress::Sentence(sentence));
                ControlFlow::Continue(())
            })?;
            results.written = Some(written);
        }
        self.library.metrics.stage("writing", started.elapsed());
        left_out.iter().for_each(|why| self.library.console.warn(why));
        Ok(searched.complete(results, answer, left_out, || Ok(shelf.catalog.as_slice().into()))?)
    }

    /// The model, which stops when the client leaves.
    fn leaving(&self, model: &Arc<dyn guidepost_text::Generate>) -> Interruptible {
        let caller = self.caller.clone();
        Interruptible { model: Arc::clone(model), stop: Arc::new(move || caller.strong_count() == 0) }
    }
}

const NO_WRITER: &str = "no language model writes here; start the server with --llm";
