//! How fast a local language model reads and writes: `generate_speed MODEL.gguf PROMPT_TOKENS WRITTEN_TOKENS ROUNDS`.
//!
//! One line of JSON per round: tokens that were read and written, and the seconds that each took, tokenization included. The
//! prompt begins differently each round, so that nothing that is remembered helps to read it. Writing is timed with the prompt
//! remembered. `benches/peers/generate.py` runs it beside llama.cpp.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use guidepost_model::{DeviceChoice, LanguageModel, OpenDevice};
use guidepost_text::{Generate, GenerateOptions, Generated, Message, Speaker};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().context("which model? generate_speed MODEL.gguf PROMPT WRITTEN ROUNDS")?;
    let mut number = || -> Result<usize> { Ok(arguments.next().context("a number is missing")?.parse()?) };
    let (prompt, written, rounds) = (number()?, number()?, number()?);
    let model = LanguageModel::open(Path::new(&path), &OpenDevice::open(DeviceChoice::Cpu)?)?;
    for round in 0..rounds {
        let messages = [Message { speaker: Speaker::User, text: text_of(&model, round, prompt) }];
        let (read, read_seconds) = timed(&model, &messages, 1)?;
        let (wrote, write_seconds) = timed(&model, &messages, written)?;
        let line = serde_json::json!({
            "read": read.read_tokens, "read_seconds": read_seconds,
            "written": wrote.written_tokens, "write_seconds": write_seconds,
        });
        writeln!(std::io::stdout(), "{line}")?;
    }
    Ok(())
}

/// Words that make about so many tokens.
fn text_of(model: &LanguageModel, round: usize, tokens: usize) -> String {
    let mut text = format!("{round}:");
    let words = ["learn", "the", "tools", "that", "teams", "use", "and", "build", "a", "project"];
    for word in words.iter().cycle() {
        if model.count_tokens(&text) >= tokens {
            break;
        }
        text.push(' ');
        text.push_str(word);
    }
    text
}

fn timed(model: &LanguageModel, messages: &[Message], tokens: usize) -> Result<(Generated, f64)> {
    let options = GenerateOptions { max_tokens: tokens, temperature: 0.0, seed: 0 };
    let start = Instant::now();
    let generated = model.generate(messages, &options, &mut |_| ControlFlow::Continue(()))?;
    Ok((generated, start.elapsed().as_secs_f64()))
}
