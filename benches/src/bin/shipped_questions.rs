//! The questions that come with the guides that ship: how well each way to search finds the sections that answer.
//!
//!     cargo run --release -p guidepost-benches --bin shipped_questions

use std::collections::BTreeSet;

use guidepost_benches::shipped::{Shipped, ShippedQuestion, WrittenFrom};
use guidepost_benches::{interval, load_model, percent_interval};
use guidepost_model::SentenceTransformer;
use guidepost_query::{Means, Mode, Question, SearchOptions, bootstrap, search};

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
    println!(
        "| questions | search | first | among the first three | among the first ten | MRR@10 | guides among the first five |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (name, questions) in &sets {
        for (mode_name, mode) in [("BM25", Mode::Bm25), ("dense", Mode::Dense), ("hybrid", Mode::Hybrid)] {
            let asked = ask(&shipped, &model, questions, mode)?;
            let within = |limit: usize| -> Vec<f64> {
                let found = asked.iter().map(|asked| asked.rank.is_some_and(|rank| rank <= limit));
                found.map(|found| f64::from(u8::from(found))).collect()
            };
            let reciprocal: Vec<f64> =
                asked.iter().map(|asked| asked.rank.map_or(0.0, |rank| 1.0 / rank as f64)).collect();
            let guides: Vec<f64> = asked.iter().map(|asked| asked.guides as f64).collect();
            println!(
                "| {name}: {} | {mode_name} | {} | {} | {} | {} | {:.2} |",
                questions.len(),
                percent_interval(&within(1)),
                percent_interval(&within(3)),
                percent_interval(&within(LIMIT)),
                interval(&reciprocal),
                bootstrap(&guides).mean
            );
        }
    }
    Ok(())
}

/// What a search found for a question.
struct Asked {
    /// The rank, from 1, of the first passage that answers.
    rank: Option<usize>,
    /// Number of guides among the first five passages.
    guides: usize,
}

fn ask(
    shipped: &Shipped,
    model: &SentenceTransformer,
    questions: &[&ShippedQuestion],
    mode: Mode,
) -> anyhow::Result<Vec<Asked>> {
    let options = SearchOptions::all(LIMIT, mode);
    let one = |question: &&ShippedQuestion| {
        let asked = Question::new(&question.question)?.understood_by(&shipped.snapshot, Some(model))?;
        let hits = search(&shipped.snapshot, Means::of(Some(model)), &asked, options)?.hits;
        let guides: BTreeSet<u32> = hits.iter().take(5).map(|hit| hit.passage.stored.document).collect();
        let rank = hits.iter().position(|hit| question.is_answered_by(hit)).map(|at| at + 1);
        Ok(Asked { rank, guides: guides.len() })
    };
    questions.iter().map(one).collect()
}
