//! How well `ask` answers the questions that come with the guides that ship: whether a sentence that answers is among the
//! first three statements, whether every statement stands where its citation says, and whether what nothing answers gets
//! no answer. Weights were chosen on the even-numbered questions.
//!
//!     cargo run --release -p guidepost-benches --bin answers

use std::fs;

use anyhow::Context;
use guidepost_benches::shipped::{Shipped, ShippedQuestion};
use guidepost_benches::{load_model, percent_interval};
use guidepost_query::{
    Answer, Hit, MIN_ANSWER_CONFIDENCE, Means, Mode, Question, SearchOptions, answer, search,
};

/// Passages an answer is made from, as `ask` looks at them.
const HITS: usize = 8;

/// What became of one question.
struct Asked {
    answered: bool,
    /// Whether the first statement, and any, says a sentence that answers.
    first: bool,
    any: bool,
    statements: usize,
    valid: usize,
}

#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn main() -> anyhow::Result<()> {
    let model = load_model()?;
    let shipped = Shipped::open(&model)?;
    let options = SearchOptions::all(HITS, Mode::Hybrid);
    let mut all = Vec::new();
    for question in &shipped.questions {
        let asked = Question::new(&question.question)?.understood_by(&shipped.snapshot, Some(&model))?;
        let hits = search(&shipped.snapshot, Means::of(Some(&model)), &asked, options)?.hits;
        let answer = answer(&shipped.snapshot, &asked, &hits, MIN_ANSWER_CONFIDENCE);
        all.push(judge(question, &hits, answer)?);
    }
    println!(
        "| questions | answered | a sentence that answers first | among the statements | citations valid |"
    );
    println!("|---|---|---|---|---|");
    for (name, from) in [("even-numbered", 0), ("odd-numbered", 1)] {
        for (what, answerable) in [("something answers", true), ("nothing answers", false)] {
            let of: Vec<&Asked> = shipped
                .questions
                .iter()
                .zip(&all)
                .skip(from)
                .step_by(2)
                .filter(|(question, _)| question.answers.is_empty() != answerable)
                .map(|(_, asked)| asked)
                .collect();
            let share = |fits: fn(&Asked) -> bool| {
                percent_interval(&of.iter().map(|asked| f64::from(u8::from(fits(asked)))).collect::<Vec<_>>())
            };
            let (valid, statements) =
                of.iter().fold((0, 0), |(valid, all), asked| (valid + asked.valid, all + asked.statements));
            println!(
                "| {name}, {what}: {} | {} | {} | {} | {valid} of {statements} |",
                of.len(),
                share(|asked| asked.answered),
                share(|asked| asked.first),
                share(|asked| asked.any),
            );
        }
    }
    Ok(())
}

fn judge(question: &ShippedQuestion, hits: &[Hit], answer: Option<Answer>) -> anyhow::Result<Asked> {
    let statements = answer.map(|answer| answer.statements).unwrap_or_default();
    let says: Vec<bool> = statements
        .iter()
        .map(|statement| question.is_answered_in(&hits[statement.hit], &statement.text))
        .collect();
    let mut valid = 0;
    for statement in &statements {
        let path = format!("corpus/{}", hits[statement.hit].document.relative);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read `{path}`"))?;
        let (first, last) = (statement.lines.first as usize, statement.lines.last as usize);
        let lines: Vec<&str> = text.lines().skip(first - 1).take(last + 1 - first).collect();
        valid += usize::from(lines.join("\n").contains(&statement.text));
    }
    Ok(Asked {
        answered: !statements.is_empty(),
        first: says.first() == Some(&true),
        any: says.contains(&true),
        statements: statements.len(),
        valid,
    })
}
