//! The language model that writes answers, where one is wanted: behind a server, or run here.

mod choice;
mod events;
mod interruptible;
mod remote;

use std::sync::Arc;

use guidepost_text::Generate;

pub(crate) use choice::Choice;
pub(crate) use interruptible::Interruptible;
use remote::Remote;

use crate::console::Console;
use crate::engine::Engine;

/// Makes it ready. A server is not asked for anything yet, unless it has to say which models it has.
///
/// # Errors
/// A model that is not to be had, or damaged; a server that cannot be reached.
pub(crate) fn open(choice: &Choice, engine: &Engine, console: &Console) -> anyhow::Result<Arc<dyn Generate>> {
    match choice {
        Choice::Server { url, model, key } => {
            if key.is_some() && choice::is_open(url) {
                console.warn(&format!("OPENAI_API_KEY goes to `{url}` unencrypted"));
            }
            let remote = Remote::new(url, model.as_deref(), key.clone())?;
            console.detail(|| format!("language model: {} of `{url}`", remote.name()));
            Ok(Arc::new(remote))
        }
        Choice::Local { model } => {
            let model = engine.language_model(model.as_deref())?;
            console.detail(|| format!("language model: {}", model.name()));
            Ok(Arc::new(model))
        }
    }
}

/// Tokens of a text, where the model's own tokenizer is not at hand: English has some four letters in one.
pub(crate) fn about_tokens(text: &str) -> usize {
    text.len().div_ceil(4)
}
