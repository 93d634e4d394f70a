//! Exact dense search on collections in BEIR's layout: one embedding per document (title, a space, text), every
//! document scored. `DIR=FIGURE` is a gate: the program fails where nDCG@10 is more than .005 away from the figure.
//!
//!     cargo run --release -p guidepost-benches --bin dense_exact -- path/to/xquad_en=.9436 path/to/mlquestions=.5544

use std::path::Path;

use anyhow::{Context, bail};
use guidepost_benches::{Collection, load_model};
use guidepost_query::bootstrap;

const TOLERANCE: f64 = 0.005;

#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn main() -> anyhow::Result<()> {
    let model = load_model()?;
    let mut missed = Vec::new();
    println!("| collection | documents | questions | nDCG@10 | 95 % interval | published |");
    println!("|---|---|---|---|---|---|");
    for argument in std::env::args().skip(1) {
        let (folder, published) = match argument.split_once('=') {
            Some((folder, figure)) => (folder, Some(figure.parse::<f64>().context("DIR=FIGURE")?)),
            None => (argument.as_str(), None),
        };
        let collection = Collection::read(Path::new(folder))?;
        let scores = collection.exact_search(&model)?.ndcg;
        let interval = bootstrap(&scores);
        println!(
            "| {} | {} | {} | {:.4} | {:.4} to {:.4} | {} |",
            collection.name,
            collection.documents.len(),
            scores.len(),
            interval.mean,
            interval.low,
            interval.high,
            published.map_or("-".to_owned(), |figure| format!("{figure:.4}")),
        );
        if published.is_some_and(|figure| (figure - interval.mean).abs() > TOLERANCE) {
            missed.push(collection.name);
        }
    }
    if !missed.is_empty() {
        bail!("further than {TOLERANCE} from the published figure: {}", missed.join(", "));
    }
    Ok(())
}
