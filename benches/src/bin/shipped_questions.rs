//! The questions that come with the guides that ship: how often the section that answers is first, and among the first
//! three, for each way to search.
//!
//!     cargo run --release -p guidepost-benches --bin shipped_questions

use guidepost_benches::{Shipped, load_model, percent_interval};
use guidepost_query::{Mode, Question, SearchOptions, search};

#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn main() -> anyhow::Result<()> {
    let model = load_model()?;
    let shipped = Shipped::open(&model)?;
    println!("| search | questions | first, 95 % interval | among the first three, 95 % interval |");
    println!("|---|---|---|---|");
    for (name, mode) in [("BM25", Mode::Bm25), ("dense", Mode::Dense), ("hybrid", Mode::Hybrid)] {
        let (mut first, mut third) = (Vec::new(), Vec::new());
        for question in shipped.questions.iter().filter(|question| question.section.is_some()) {
            let options = SearchOptions { limit: 3, mode, min_confidence: 0.0 };
            let hits = search(&shipped.snapshot, Some(&model), &Question::new(&question.question)?, options)?;
            let right: Vec<bool> = hits.iter().map(|hit| question.is_answered_by(hit)).collect();
            first.push(f64::from(u8::from(right.first() == Some(&true))));
            third.push(f64::from(u8::from(right.contains(&true))));
        }
        println!(
            "| {name} | {} | {} | {} |",
            first.len(),
            percent_interval(&first),
            percent_interval(&third)
        );
    }
    Ok(())
}
