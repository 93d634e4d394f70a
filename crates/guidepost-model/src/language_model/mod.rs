//! A language model that runs here: a GGUF file of the Llama and Qwen families.
//!
//! ```text
//! file --gguf--> sizes, vocabulary, chat template, weights
//! messages --chat_template--> parts --prompt--> tokens --transformer--> scores --sampler--> token --text_stream--> text
//! ```
//!
//! Fetches nothing, and knows nothing of guides.

mod attention;
mod chat_template;
mod gguf;
mod matrix;
mod prompt;
#[cfg(test)]
mod reference_tests;
mod rotary;
mod sampler;
mod sizes;
mod text_stream;
mod text_tokenizer;
mod transformer;
mod vocabulary;

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use candle_core::Tensor;
use guidepost_text::{Finish, Generate, GenerateError, GenerateOptions, Generated, Message, TakeText};

use crate::{ModelError, OpenDevice};

use gguf::GgufFile;
use matrix::Task;
use prompt::PromptWriter;
use sampler::Sampler;
use sizes::Sizes;
use text_stream::TextStream;
use transformer::Transformer;
use vocabulary::Token;

/// Tokens of a prompt that are read together; before each such piece the caller is asked whether to go on. Larger pieces are no
/// faster.
const PIECE: usize = 256;

/// A loaded language model. Implements [`Generate`]; writes one text at a time, and whoever comes meanwhile waits.
pub struct LanguageModel {
    name: String,
    context: usize,
    prompts: PromptWriter,
    reader: Mutex<Reader>,
}

/// The weights, and the tokens that they remember. What the next prompt has in common with them is not read again.
struct Reader {
    transformer: Transformer,
    /// Everything remembered, in order.
    remembered: Vec<Token>,
}

impl LanguageModel {
    /// Reads a model onto a device. Held against references on the processor only; nobody has run it on a GPU yet.
    ///
    /// # Errors
    /// A file that cannot be read, is no GGUF, is damaged or cut short, lacks something (which is named), or is of an
    /// architecture, a tokenizer or a variant that cannot be run.
    pub fn open(path: &Path, device: &OpenDevice) -> Result<Self, ModelError> {
        // candle divides by the alignment that a file gives, also when that is 0.
        catch_unwind(AssertUnwindSafe(|| open(path, device))).unwrap_or_else(|_| {
            Err(ModelError::LanguageModel { path: path.to_owned(), reason: "its head is damaged".into() })
        })
    }

    /// The next turn as text; each piece goes to `take` as soon as its characters are whole.
    fn write(
        &self,
        messages: &[Message],
        options: &GenerateOptions,
        take: TakeText<'_>,
    ) -> Result<Generated, ModelError> {
        let prompt = self.prompts.conversation(messages)?;
        let mut stream = TextStream::default();
        let mut written = 0;
        let mut finish = self.follow(&prompt, options, &mut |token| {
            let Some(token) = token else { return take("") };
            written += 1;
            let text = stream.push(&self.prompts.vocabulary.bytes(token));
            if text.is_empty() { ControlFlow::Continue(()) } else { take(&text) }
        })?;
        let rest = stream.finish();
        if finish != Finish::Stopped && !rest.is_empty() && take(&rest).is_break() {
            finish = Finish::Stopped;
        }
        Ok(Generated { finish, read_tokens: Some(prompt.len()), written_tokens: Some(written) })
    }

    /// The tokens that follow a prompt, less the one that ends them; `None` before each piece of the prompt is read.
    fn follow(
        &self,
        prompt: &[Token],
        options: &GenerateOptions,
        take: &mut dyn FnMut(Option<Token>) -> ControlFlow<()>,
    ) -> Result<Finish, ModelError> {
        if prompt.len() >= self.context {
            return Err(ModelError::PromptTooLong { tokens: prompt.len(), context: self.context });
        }
        let mut sampler = Sampler::new(options)?;
        let mut reader = self.reader();
        let most = options.max_tokens.min(self.context - prompt.len());
        if most == 0 {
            return Ok(Finish::Length);
        }
        let Some(mut scores) = reader.read_prompt(prompt, &mut || take(None))? else {
            return Ok(Finish::Stopped);
        };
        for written in 1..=most {
            let token = sampler.choose(&scores)?;
            if self.prompts.vocabulary.is_end(token) {
                return Ok(Finish::Done);
            }
            if take(Some(token)).is_break() {
                return Ok(Finish::Stopped);
            }
            if written < most {
                scores = reader.read_written(token)?;
            }
        }
        Ok(Finish::Length)
    }

    /// A reader whose user panicked is whole: it counts a token as remembered only when it has been read.
    fn reader(&self) -> MutexGuard<'_, Reader> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(path: &Path, device: &OpenDevice) -> Result<LanguageModel, ModelError> {
    let mut file = GgufFile::open(path)?;
    let sizes = Sizes::read(&file)?;
    let prompts = PromptWriter::read(&file)?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = file.text("general.name").map_or_else(|| stem.into_owned(), str::to_owned);
    let tokens = prompts.vocabulary.pieces.len();
    let transformer = Transformer::read(&mut file, &sizes, tokens, &device.device)?;
    let reader = Mutex::new(Reader { transformer, remembered: Vec::new() });
    Ok(LanguageModel { name, context: sizes.context, prompts, reader })
}

impl Reader {
    /// Reads a prompt, asking before each piece whether to go on; gives a score for each token that may come next, or `None`
    /// where it was not to go on. What was read until then is remembered.
    fn read_prompt(
        &mut self,
        prompt: &[Token],
        go_on: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<Option<Tensor>, ModelError> {
        let common = prompt.iter().zip(&self.remembered).take_while(|(one, other)| one == other).count();
        // The last token has to be read: the scores come from it.
        let kept = common.min(prompt.len().saturating_sub(1));
        self.remembered.truncate(kept);
        let mut last = None;
        for piece in prompt[kept..].chunks(PIECE) {
            if go_on().is_break() {
                return Ok(None);
            }
            last = Some(self.read(piece, Task::Read)?);
        }
        let last = last.ok_or_else(|| ModelError::Run("no tokens to read".into()))?;
        self.transformer.scores(&last).map(Some)
    }

    /// Reads a token that was written after those before; gives a score for each token that may come next.
    fn read_written(&mut self, token: Token) -> Result<Tensor, ModelError> {
        let last = self.read(&[token], Task::Write)?;
        self.transformer.scores(&last)
    }

    /// Reads tokens that follow those before; gives what the layers make of the last.
    fn read(&mut self, tokens: &[Token], task: Task) -> Result<Tensor, ModelError> {
        let last = self.transformer.read_tokens(tokens, self.remembered.len(), task)?;
        self.remembered.extend_from_slice(tokens);
        Ok(last)
    }
}

impl Generate for LanguageModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn context_tokens(&self) -> Option<usize> {
        Some(self.context)
    }

    /// 0 for a text that cannot be cut, which does not occur.
    fn count_tokens(&self, text: &str) -> usize {
        self.prompts.text(text).map_or(0, |tokens| tokens.len())
    }

    fn generate(
        &self,
        messages: &[Message],
        options: &GenerateOptions,
        take: TakeText<'_>,
    ) -> Result<Generated, GenerateError> {
        self.write(messages, options, take).map_err(|error| GenerateError(Box::new(error)))
    }
}
