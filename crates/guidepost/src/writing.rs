//! An answer in a language model's words, whoever asks for it: sources chosen, the model asked, each sentence checked.

use std::ops::ControlFlow;
use std::time::Instant;

use guidepost_index::ShippedGuide;
use guidepost_query::{
    ANSWER_OPTIONS, CheckedSentence, FOLLOW_UP_OPTIONS, Grounds, Hit, NumberedSource, Turn, WritingEvent,
    follow_up_prompt, prompt, sources, standalone, write,
};
use guidepost_text::{Embed, Generate, GenerateError, HashEmbedder, Message};

use crate::console::count;
use crate::llm::about_tokens;
use crate::output::{SentenceView, SourceView, TimesView, WrittenView, place_of};
use crate::search::{ANSWER_HITS, GuidesNow, MIN_SEARCH_CONFIDENCE, Searched};

/// What a language model shall read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// Tokens of passages.
    pub(crate) budget: usize,
    /// Most sources.
    pub(crate) sources: usize,
}

impl Reading {
    /// Hits that are looked at for it: several may stand in one section, which is one source.
    pub(crate) fn hits(self) -> usize {
        ANSWER_HITS.max(2 * self.sources)
    }
}

/// No passage fits into what the model can read.
#[derive(Debug, thiserror::Error)]
#[error(
    "no passage fits into the {budget} tokens that are left for passages; raise --llm-budget, or take a language model with a longer context"
)]
pub(crate) struct NoRoom {
    budget: usize,
}

/// What becomes of sentences that their sources do not support.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsupported {
    Mark,
    LeaveOut,
}

/// An answer to be written: the sources, and what the model is asked.
pub(crate) struct Brief {
    pub(crate) sources: Vec<NumberedSource>,
    pub(crate) messages: Vec<Message>,
    /// Why passages were left out: their guides are not any more as they were indexed.
    pub(crate) left_out: Vec<String>,
    /// Milliseconds that it took.
    took_ms: f64,
}

impl Brief {
    /// Chooses among the passages. `None` where none may answer, so that no model need be asked.
    pub(crate) fn new(
        searched: &Searched,
        room: &Room,
        reading: Reading,
        shipped: &[ShippedGuide],
    ) -> anyhow::Result<Option<Brief>> {
        let started = Instant::now();
        if !searched.may_answer() {
            return Ok(None);
        }
        // Beside what answers, a model reads what may help: what is not plainly unrelated.
        let bar = searched.min_confidence.min(MIN_SEARCH_CONFIDENCE);
        let may_help = |(_, hit): &(usize, &Hit)| hit.confidence >= bar;
        let (places, hits): (Vec<usize>, Vec<&Hit>) =
            searched.hits.iter().enumerate().filter(may_help).unzip();
        let budget = reading.budget.min(room.for_sources(&searched.question.asked));
        let found = sources(&searched.snapshot, &hits, reading.sources, budget, |text| (room.count)(text))?;
        if found.is_empty() {
            return Err(NoRoom { budget }.into());
        }
        let mut left_out = Vec::new();
        let mut now = GuidesNow::new(&searched.snapshot, shipped);
        let mut kept: Vec<NumberedSource> = Vec::new();
        for source in found {
            match now.missing(&hits[source.hit].document, source.lines, &source.text) {
                Some(why) => left_out.push(why),
                None => {
                    let hit = places[source.hit];
                    kept.push(NumberedSource { number: kept.len() + 1, hit, ..source });
                }
            }
        }
        let messages = prompt(&searched.question.asked, &kept);
        let took_ms = milliseconds(started);
        Ok((!kept.is_empty()).then_some(Brief { sources: kept, messages, left_out, took_ms }))
    }

    /// `5 passages`.
    pub(crate) fn described(&self) -> String {
        count(self.sources.len(), "passage")
    }

    /// Tokens of all that the model is given, but for the marks of a conversation.
    pub(crate) fn tokens(&self, room: &Room) -> usize {
        room.of_messages(&self.messages)
    }

    /// The sources as output has them.
    pub(crate) fn sources(&self, searched: &Searched) -> Vec<SourceView> {
        let place = |source: &NumberedSource| SourceView {
            number: source.number,
            place: place_of(&searched.hits[source.hit].document, source.lines, &source.heading_path),
            rank: source.hit + 1,
        };
        self.sources.iter().map(place).collect()
    }

    /// Has the answer written. `tell` hears each sentence that is kept, and says whether to go on.
    ///
    /// # Errors
    /// A model that fails.
    pub(crate) fn write(
        &self,
        searched: &Searched,
        model: &dyn Generate,
        embedder: Option<&dyn Embed>,
        unsupported: Unsupported,
        tell: &mut dyn FnMut(&SentenceView) -> ControlFlow<()>,
    ) -> anyhow::Result<WrittenView> {
        let started = Instant::now();
        // Words alone tell less: only close wording then counts as support.
        let grounds = Grounds::new(embedder.unwrap_or(&HashEmbedder), &self.sources)?;
        let sources_ms = self.took_ms + milliseconds(started);
        let asked = Instant::now();
        let mut first_token_ms = None;
        let keeps = |sentence: &CheckedSentence| unsupported == Unsupported::Mark || sentence.is_supported();
        let answer = write(model, &grounds, &self.messages, &mut |event| match event {
            WritingEvent::Began => {
                first_token_ms = Some(milliseconds(asked));
                ControlFlow::Continue(())
            }
            WritingEvent::Sentence(sentence) if keeps(sentence) => tell(&SentenceView::new(sentence)),
            WritingEvent::Sentence(_) => ControlFlow::Continue(()),
        })?;
        let times = TimesView::new(searched.took_ms, sources_ms, first_token_ms, milliseconds(asked));
        let kept: Vec<&CheckedSentence> =
            answer.sentences.iter().filter(|sentence| keeps(sentence)).collect();
        Ok(WrittenView::new(model, &answer, &kept, self.sources(searched), times))
    }
}

/// A question as it can be understood without those before: written anew by the model where there are any.
///
/// # Errors
/// A model that fails.
pub(crate) fn standing_alone(
    model: &dyn Generate,
    turns: &[Turn],
    question: &str,
) -> Result<String, GenerateError> {
    if turns.is_empty() {
        return Ok(question.to_owned());
    }
    let mut written = String::new();
    model.generate(&follow_up_prompt(turns, question), &FOLLOW_UP_OPTIONS, &mut |piece| {
        written.push_str(piece);
        if written.len() > LONGEST_QUESTION { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(standalone(&written, question).unwrap_or_else(|| question.to_owned()))
}

/// Bytes after which nobody waits for the end of a question any more.
const LONGEST_QUESTION: usize = 16 * 1024;

/// How much a model can take, and what counts that.
pub(crate) struct Room<'a> {
    context: Option<usize>,
    count: Box<dyn Fn(&str) -> usize + 'a>,
}

impl<'a> Room<'a> {
    pub(crate) fn of(model: &'a dyn Generate) -> Self {
        Room { context: model.context_tokens(), count: Box::new(|text| model.count_tokens(text)) }
    }

    /// Of a model that is not at hand.
    pub(crate) fn unknown() -> Self {
        Room { context: None, count: Box::new(about_tokens) }
    }

    /// Tokens that are left for passages.
    fn for_sources(&self, question: &str) -> usize {
        let taken = self.of_messages(&prompt(question, &[])) + ANSWER_OPTIONS.max_tokens + MARKS;
        self.context.map_or(usize::MAX, |context| context.saturating_sub(taken))
    }

    fn of_messages(&self, messages: &[Message]) -> usize {
        messages.iter().map(|message| (self.count)(&message.text)).sum()
    }
}

/// Tokens for the marks of a conversation, and for the number in front of each line of a source.
const MARKS: usize = 256;

pub(crate) fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}
