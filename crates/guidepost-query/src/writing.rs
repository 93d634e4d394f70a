//! Answers in a language model's words: each sentence is held against the sources that it cites while the next one is written.

use std::ops::ControlFlow;

use guidepost_text::{EmbedError, Finish, Generate, GenerateError, GenerateOptions, Generated, Message};

use crate::draft::{Draft, Written};
use crate::prompt::NOT_SAID;
use crate::support::{Grounds, Support};
use crate::thoughts::Thoughts;

/// A sentence, and how well it is supported.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedSentence {
    /// What was written, and what it cites.
    pub written: Written,
    /// What speaks for it and against it.
    pub support: Support,
}

impl CheckedSentence {
    /// Whether nothing speaks against it.
    pub fn is_supported(&self) -> bool {
        self.support.faults.is_empty()
    }
}

/// An answer that was written.
#[derive(Debug, Clone, PartialEq)]
pub struct WrittenAnswer {
    /// In their order; none where the model says that the sources do not answer.
    pub sentences: Vec<CheckedSentence>,
    /// How the model came to its end.
    pub generated: Generated,
}

impl WrittenAnswer {
    /// Whether the sources say any of it.
    pub fn is_supported(&self) -> bool {
        self.sentences.iter().any(CheckedSentence::is_supported)
    }
}

/// How far an answer is.
#[derive(Debug, Clone, Copy)]
pub enum WritingEvent<'a> {
    /// The model has read all that it was given, and begins.
    Began,
    /// A sentence was written and checked.
    Sentence(&'a CheckedSentence),
}

/// Why no answer was written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The model that writes.
    #[error(transparent)]
    Generate(#[from] GenerateError),
    /// The model that checks.
    #[error(transparent)]
    Embed(#[from] EmbedError),
}

/// Most tokens of an answer: rules ask for six sentences.
const ANSWER_TOKENS: usize = 512;

/// Bytes after which nothing more is taken, whatever a server thinks of its tokens.
const MOST_BYTES: usize = 64 * 1024;

/// How answers are written: the likeliest words, so that the same sources and the same model give the same answer.
pub const ANSWER_OPTIONS: GenerateOptions =
    GenerateOptions { max_tokens: ANSWER_TOKENS, temperature: 0.0, seed: 0 };

/// Has an answer written to `messages`, and holds each sentence against the sources. `tell` hears how far it is, and says whether
/// to go on.
///
/// # Errors
/// A model that fails. What was told before stays true.
pub fn write(
    generate: &dyn Generate,
    grounds: &Grounds,
    messages: &[Message],
    tell: &mut dyn FnMut(WritingEvent) -> ControlFlow<()>,
) -> Result<WrittenAnswer, WriteError> {
    let mut desk = Desk { grounds, sentences: Vec::new(), failed: None, tell };
    let (mut draft, mut thoughts) = (Draft::default(), Thoughts::default());
    let (mut began, mut taken) = (false, 0);
    let mut generated = generate.generate(messages, &ANSWER_OPTIONS, &mut |piece| {
        if !piece.is_empty() && !began {
            began = true;
            (desk.tell)(WritingEvent::Began)?;
        }
        taken += piece.len();
        desk.check(draft.push(&thoughts.push(piece)))?;
        if taken > MOST_BYTES { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    if taken > MOST_BYTES {
        generated.finish = Finish::Length;
    }
    let mut rest = draft.push(&thoughts.finish());
    rest.extend(draft.finish());
    // What was cut off in its midst is no sentence.
    if generated.finish != Finish::Done {
        rest.pop();
    }
    let _ = desk.check(rest);
    match desk.failed {
        Some(error) => Err(error.into()),
        None => Ok(WrittenAnswer { sentences: desk.sentences, generated }),
    }
}

/// Where sentences are checked.
struct Desk<'a, 'g> {
    grounds: &'a Grounds<'g>,
    sentences: Vec<CheckedSentence>,
    failed: Option<EmbedError>,
    tell: &'a mut dyn FnMut(WritingEvent) -> ControlFlow<()>,
}

impl Desk<'_, '_> {
    fn check(&mut self, written: Vec<Written>) -> ControlFlow<()> {
        for written in written {
            // Models that are small repeat themselves.
            let before = self.sentences.iter().any(|sentence| sentence.written.text == written.text);
            if before || says_nothing(&written.text) {
                continue;
            }
            match self.grounds.check(&written.text, &written.cited) {
                Ok(support) => {
                    let sentence = CheckedSentence { written, support };
                    let told = (self.tell)(WritingEvent::Sentence(&sentence));
                    self.sentences.push(sentence);
                    told?;
                }
                Err(error) => {
                    self.failed = Some(error);
                    return ControlFlow::Break(());
                }
            }
        }
        ControlFlow::Continue(())
    }
}

/// Whether a sentence is what models are told to write where the sources do not answer.
fn says_nothing(sentence: &str) -> bool {
    let bare = |text: &str| text.trim_end_matches('.').to_lowercase();
    bare(sentence) == bare(NOT_SAID)
}

#[cfg(test)]
mod tests {
    use guidepost_text::{HashEmbedder, Lines, TakeText};

    use super::*;
    use crate::support::Fault;
    use crate::{NumberedSource, prompt};

    /// Says what it was given, in small pieces.
    struct Parrot(&'static str, Finish);

    impl Generate for Parrot {
        fn name(&self) -> &str {
            "parrot"
        }

        fn context_tokens(&self) -> Option<usize> {
            None
        }

        fn count_tokens(&self, text: &str) -> usize {
            text.len()
        }

        fn generate(
            &self,
            _: &[Message],
            _: &GenerateOptions,
            take: TakeText<'_>,
        ) -> Result<Generated, GenerateError> {
            let pieces = self.0.split_inclusive(' ');
            let stopped = pieces.into_iter().any(|piece| take(piece).is_break());
            let finish = if stopped { Finish::Stopped } else { self.1 };
            Ok(Generated { finish, read_tokens: None, written_tokens: None })
        }
    }

    fn answer(parrot: &Parrot, most: usize) -> (WrittenAnswer, Vec<String>) {
        let source = NumberedSource {
            number: 1,
            hit: 0,
            lines: Lines { first: 1, last: 1 },
            heading_path: vec!["Roofer".to_owned()],
            text: "A roofer covers houses with slate. It takes three years.".to_owned(),
        };
        let sources = [source];
        let grounds = Grounds::new(&HashEmbedder, &sources).expect("it cannot fail");
        let mut told = Vec::new();
        let answer = write(parrot, &grounds, &prompt("What?", &sources), &mut |event| {
            told.push(match event {
                WritingEvent::Began => "began".to_owned(),
                WritingEvent::Sentence(sentence) => sentence.written.text.clone(),
            });
            if told.len() > most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        (answer.expect("it cannot fail"), told)
    }

    #[test]
    fn sentences_are_checked_one_by_one() {
        let text = "<think> hm. </think> A roofer covers houses with slate [1]. It takes four years [1]. It takes four years [1].";
        let (answer, told) = answer(&Parrot(text, Finish::Done), 9);
        assert_eq!(told, ["began", "A roofer covers houses with slate.", "It takes four years."]);
        assert!(answer.sentences[0].is_supported());
        assert!(answer.sentences[1].support.faults.contains(&Fault::Number("four".to_owned())));
        assert!(answer.is_supported());
    }

    #[test]
    fn sources_that_do_not_answer_give_no_sentence() {
        let (answer, told) = answer(&Parrot("The guides do not say.", Finish::Done), 9);
        assert_eq!(told, ["began"]);
        assert!(answer.sentences.is_empty() && !answer.is_supported());
    }

    #[test]
    fn it_ends_when_told_to_and_says_no_half_sentence() {
        let text = "A roofer covers houses with slate [1]. It takes three years [1]. And";
        let (answer, told) = answer(&Parrot(text, Finish::Done), 1);
        assert_eq!((told.len(), answer.generated.finish), (2, Finish::Stopped));
        let (answer, _) = super::tests::answer(&Parrot(text, Finish::Length), 9);
        assert_eq!(answer.sentences.len(), 2);
    }
}
