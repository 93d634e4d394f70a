//! Whether memory grows with the number of texts that are embedded in one call: the most the process ever had resident, less
//! what it had once the model had run, less the vectors that the caller gets.
//!
//!     cargo run --release -p guidepost-benches --bin memory
//!
//! Linux only, and from the root of the checkout.

use anyhow::Context;
use guidepost_benches::load_model;
use guidepost_benches::shipped::Shipped;
use guidepost_text::{Embed, TextRole};

const TEXTS: [usize; 4] = [1_000, 2_000, 4_000, 16_000];

#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn main() -> anyhow::Result<()> {
    let model = load_model()?;
    let snapshot = Shipped::open(&model)?.snapshot;
    let passages = snapshot.passages()?;
    let most = TEXTS[TEXTS.len() - 1];
    let texts: Vec<&str> = passages.iter().map(String::as_str).cycle().take(most).collect();
    model.embed(&texts[..passages.len()], TextRole::Passage, &|_| ())?;
    let at_start = most_resident()?;
    println!("after loading and {} passages: {:.1} MB resident at most\n", passages.len(), at_start / 1e6);
    println!("| texts in one call | MB of vectors | MB more than that |");
    println!("|---|---|---|");
    for count in TEXTS {
        let embeddings = model.embed(&texts[..count], TextRole::Passage, &|_| ())?;
        let row = size_of_val(&embeddings[0]) + size_of_val(embeddings[0].as_slice());
        let vectors = (embeddings.len() * row) as f64;
        let more = most_resident()? - at_start - vectors;
        println!("| {count} | {:.1} | {:.1} |", vectors / 1e6, more / 1e6);
    }
    Ok(())
}

/// Bytes.
fn most_resident() -> anyhow::Result<f64> {
    let status =
        std::fs::read_to_string("/proc/self/status").context("only Linux says how much memory is used")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024.0)
}
