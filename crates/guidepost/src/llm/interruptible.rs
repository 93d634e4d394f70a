//! A language model that can be left at any moment, whatever it waits for.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use guidepost_text::{Finish, Generate, GenerateError, GenerateOptions, Generated, Message, TakeText};

/// Says whether nobody waits for the answer any more.
type Stop = Arc<dyn Fn() -> bool + Send + Sync>;

/// How often that is asked while nothing comes.
const LOOK: Duration = Duration::from_millis(50);

/// Lets the model write on a thread of its own. Who is told to stop leaves at once; the thread ends with the next piece.
pub(crate) struct Interruptible {
    pub(crate) model: Arc<dyn Generate>,
    pub(crate) stop: Stop,
}

impl Generate for Interruptible {
    fn name(&self) -> &str {
        self.model.name()
    }

    fn context_tokens(&self) -> Option<usize> {
        self.model.context_tokens()
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.model.count_tokens(text)
    }

    fn generate(
        &self,
        messages: &[Message],
        options: &GenerateOptions,
        take: TakeText<'_>,
    ) -> Result<Generated, GenerateError> {
        let (sender, pieces) = mpsc::channel::<String>();
        let (model, messages, options) = (Arc::clone(&self.model), messages.to_vec(), *options);
        let writer = std::thread::spawn(move || {
            model.generate(&messages, &options, &mut |piece| match sender.send(piece.to_owned()) {
                Ok(()) => std::ops::ControlFlow::Continue(()),
                Err(_) => std::ops::ControlFlow::Break(()),
            })
        });
        let stopped = Generated { finish: Finish::Stopped, read_tokens: None, written_tokens: None };
        while !(self.stop)() {
            match pieces.recv_timeout(LOOK) {
                Ok(piece) if take(&piece).is_break() => return Ok(stopped),
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return writer.join().unwrap_or_else(|_| Err(GenerateError("it panicked".into())));
                }
            }
        }
        Ok(stopped)
    }
}
