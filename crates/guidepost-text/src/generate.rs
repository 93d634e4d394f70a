//! What a language model is to everybody else.

use std::error::Error;
use std::fmt;
use std::ops::ControlFlow;

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// Whoever says what the model is there for.
    System,
    /// Who asks.
    User,
    /// The model.
    Assistant,
}

impl Speaker {
    /// As chat templates and the protocols of servers name it.
    pub fn role(self) -> &'static str {
        match self {
            Speaker::System => "system",
            Speaker::User => "user",
            Speaker::Assistant => "assistant",
        }
    }
}

/// A turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who says it.
    pub speaker: Speaker,
    /// What is said.
    pub text: String,
}

/// How a model shall write.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GenerateOptions {
    /// Most tokens that it writes.
    pub max_tokens: usize,
    /// 0 takes the likeliest token each time; above, the higher the freer.
    pub temperature: f32,
    /// Where it chooses freely, the same seed chooses the same.
    pub seed: u64,
}

/// Takes a piece of text as it is written, and says whether to go on; an empty piece only asks that.
pub type TakeText<'a> = &'a mut dyn FnMut(&str) -> ControlFlow<()>;

/// Why a model stopped writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// It had said what it had to say.
    Done,
    /// It had no more tokens.
    Length,
    /// Whoever took the text did not want more.
    Stopped,
}

/// What became of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generated {
    /// Why it ended.
    pub finish: Finish,
    /// Tokens that were read; `None` where the model does not say.
    pub read_tokens: Option<usize>,
    /// Tokens that were written; `None` where the model does not say.
    pub written_tokens: Option<usize>,
}

/// Writes text. Two implementations: a local model of `guidepost-model`, and a server that is asked over HTTP.
pub trait Generate: Send + Sync {
    /// The name it goes by.
    fn name(&self) -> &str;

    /// Tokens that it can take, prompt and answer together; `None` where it does not say.
    fn context_tokens(&self) -> Option<usize>;

    /// Tokens of a text; about, where the model's own tokenizer is not at hand.
    fn count_tokens(&self, text: &str) -> usize;

    /// Writes the next turn of a conversation; `take` gets it piece by piece, in order. Empty pieces come where there is nothing
    /// yet and it may be long, such as while a prompt is read.
    ///
    /// # Errors
    /// A model that fails, or messages that it cannot take.
    fn generate(
        &self,
        messages: &[Message],
        options: &GenerateOptions,
        take: TakeText<'_>,
    ) -> Result<Generated, GenerateError>;
}

/// Why a model did not write.
#[derive(Debug)]
pub struct GenerateError(pub Box<dyn Error + Send + Sync>);

impl fmt::Display for GenerateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the language model failed: {}", self.0)
    }
}

impl Error for GenerateError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
