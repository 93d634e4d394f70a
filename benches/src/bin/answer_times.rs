//! Where the time of a written answer goes, for people who wait for it: `answer_times MODEL.gguf [QUESTIONS]`.
//!
//! Asks `guidepost ask --llm` over the guides that ship, with 4 and with 12 sources by turns, and prints medians. Opening index
//! and model is not counted: a server has both open. A model of random numbers (`benches/peers/generate.py --random`) takes as
//! long as any of its shape, but does not know when to stop: writing is therefore told a token, too.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};
use guidepost_benches::{folders, read_lines};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Question {
    question: String,
}

/// Sources that are read.
const SOURCES: [usize; 2] = [4, 12];

/// Enough for twelve sections.
const BUDGET: &str = "6000";

/// What was measured of an answer, in milliseconds and tokens.
#[derive(Deserialize)]
struct Written {
    sources: Vec<Value>,
    read_tokens: f64,
    written_tokens: f64,
    times_ms: Times,
}

#[derive(Deserialize)]
struct Times {
    search: f64,
    sources: f64,
    first_token: f64,
    answer: f64,
}

#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let model = arguments.next().context("which model? answer_times MODEL.gguf [QUESTIONS]")?;
    let most: usize = arguments.next().map_or(Ok(7), |count| count.parse())?;
    let corpus = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../corpus/questions.jsonl"));
    let questions: Vec<Question> = read_lines(&corpus)?;
    let mut measured: [Vec<Written>; 2] = [Vec::new(), Vec::new()];
    for question in spread(&questions, most) {
        for (sources, written) in SOURCES.into_iter().zip(&mut measured) {
            written.extend(ask(&model, &question.question, sources)?);
        }
    }
    println!(
        "| sources | questions | tokens read | search ms | sources ms | first token s | a token more ms | whole s |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (sources, written) in SOURCES.iter().zip(&measured) {
        let of = |value: fn(&Written) -> f64| median(written.iter().map(value).collect());
        println!(
            "| {sources} | {} | {:.0} | {:.1} | {:.0} | {:.2} | {:.0} | {:.1} |",
            written.len(),
            of(|written| written.read_tokens),
            of(|written| written.times_ms.search),
            of(|written| written.times_ms.sources),
            of(|written| written.times_ms.first_token / 1e3),
            of(|written| {
                (written.times_ms.answer - written.times_ms.first_token) / written.written_tokens.max(1.0)
            }),
            of(|written| {
                (written.times_ms.search + written.times_ms.sources + written.times_ms.answer) / 1e3
            }),
        );
    }
    Ok(())
}

/// So many of them, from everywhere.
fn spread(questions: &[Question], most: usize) -> impl Iterator<Item = &Question> {
    questions.iter().step_by((questions.len() / most.max(1)).max(1)).take(most)
}

/// `None` where fewer sources were to be had than are to be measured.
fn ask(model: &str, question: &str, sources: usize) -> anyhow::Result<Option<Written>> {
    let number = sources.to_string();
    let run = Command::new(folders::program()?)
        .args(["ask", question, "--json", "--min-confidence", "0", "--llm", model])
        .args(["--llm-budget", BUDGET, "--llm-sources", &number])
        .output()?;
    ensure!(run.status.code().is_some_and(|code| code < 2), "{}", String::from_utf8_lossy(&run.stderr));
    let mut results: Value = serde_json::from_slice(&run.stdout)?;
    let written: Written =
        serde_json::from_value(results["written"].take()).context("nothing was written")?;
    Ok((written.sources.len() == sources).then_some(written))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
