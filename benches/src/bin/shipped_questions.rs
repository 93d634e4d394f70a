//! The questions that come with the guides that ship: how well each way to search finds the sections that answer.
//!
//!     cargo run --release -p guidepost-benches --bin shipped_questions

use guidepost_benches::shipped::{Shipped, ShippedQuestion, WrittenFrom};
use guidepost_benches::{interval, load_model, percent_interval};
use guidepost_model::SentenceTransformer;
use guidepost_query::{Mode, Question, SearchOptions, search};

/// Results that are looked at.
const LIMIT: usize = 10;

/// Share of a question's words in the sections that answer, up to which it has hardly a word in common with them.
const OTHER_WORDS: f64 = 0.34;

#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn main() -> anyhow::Result<()> {
    let model = load_model()?;
    let shipped = Shipped::open(&model)?;
    let (answered, unanswered): (Vec<&ShippedQuestion>, Vec<_>) =
        shipped.questions.iter().partition(|question| !question.answers.is_empty());
    let those = |fits: &dyn Fn(&ShippedQuestion) -> bool| -> Vec<&ShippedQuestion> {
        answered.iter().copied().filter(|question| fits(question)).collect()
    };
    let sets = [
        ("all", answered.clone()),
        ("from a title", those(&|question| question.written_from == Some(WrittenFrom::Title))),
        ("from a section", those(&|question| question.written_from == Some(WrittenFrom::Section))),
        ("in other words", those(&|question| question.words_shared <= OTHER_WORDS)),
    ];
    println!(
        "{} guides, {} passages; {} questions that a guide answers, {} that none does.\n",
        shipped.snapshot.documents().len(),
        shipped.snapshot.chunk_count(),
        answered.len(),
        unanswered.len()
    );
    println!("| questions | search | first | among the first three | among the first ten | MRR@10 |");
    println!("|---|---|---|---|---|---|");
    for (name, questions) in &sets {
        for (mode_name, mode) in [("BM25", Mode::Bm25), ("dense", Mode::Dense), ("hybrid", Mode::Hybrid)] {
            let ranks = ranks(&shipped, &model, questions, mode)?;
            let within = |limit: usize| -> Vec<f64> {
                ranks.iter().map(|rank| f64::from(u8::from(rank.is_some_and(|rank| rank <= limit)))).collect()
            };
            let reciprocal: Vec<f64> =
                ranks.iter().map(|rank| rank.map_or(0.0, |rank| 1.0 / rank as f64)).collect();
            println!(
                "| {name}: {} | {mode_name} | {} | {} | {} | {} |",
                questions.len(),
                percent_interval(&within(1)),
                percent_interval(&within(3)),
                percent_interval(&within(LIMIT)),
                interval(&reciprocal)
            );
        }
    }
    Ok(())
}

/// The rank, from 1, of the first passage that answers each question.
fn ranks(
    shipped: &Shipped,
    model: &SentenceTransformer,
    questions: &[&ShippedQuestion],
    mode: Mode,
) -> anyhow::Result<Vec<Option<usize>>> {
    let options = SearchOptions { limit: LIMIT, mode, min_confidence: 0.0 };
    let rank = |question: &&ShippedQuestion| {
        let asked = Question::new(&question.question)?.understood_by(&shipped.snapshot, Some(model))?;
        let hits = search(&shipped.snapshot, Some(model), &asked, options)?;
        Ok(hits.iter().position(|hit| question.is_answered_by(hit)).map(|at| at + 1))
    };
    questions.iter().map(rank).collect()
}
