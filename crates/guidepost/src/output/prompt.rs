//! What a language model would be given.

use std::io::{self, Write};

use guidepost_query::PROMPT;
use guidepost_text::Message;
use serde_json::json;

use super::wire::SCHEMA_VERSION;
use super::written::SourceView;

/// Prints the messages, and where the sources in them stand.
pub(crate) fn print(messages: &[Message], sources: &[SourceView], as_json: bool) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if as_json {
        let messages =
            messages.iter().map(|message| json!({"role": message.speaker.role(), "content": message.text}));
        let object = json!({"schema_version": SCHEMA_VERSION, "command": "ask", "prompt": PROMPT, "sources": sources,
            "messages": messages.collect::<Vec<_>>()});
        writeln!(out, "{object:#}")?;
        return Ok(());
    }
    for message in messages {
        writeln!(out, "--- {} ({PROMPT})\n{}\n", message.speaker.role(), message.text)?;
    }
    Ok(())
}
