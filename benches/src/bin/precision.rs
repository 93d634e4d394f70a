//! What a precision costs in quality: exact dense search on collections in BEIR's layout with the vectors of each precision.
//! Cosines are those of the documents to their vectors in f32.
//!
//!     cargo run --release -p guidepost-benches --bin precision -- path/to/xquad_en path/to/feedbackqa

use std::path::Path;

use guidepost_benches::{Collection, ExactSearch, load_model_as};
use guidepost_model::Precision;
use guidepost_query::bootstrap;

const PRECISIONS: [Precision; 3] = [Precision::F32, Precision::Fast, Precision::Int8];

#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn main() -> anyhow::Result<()> {
    let folders: Vec<String> = std::env::args().skip(1).collect();
    let collections = folders
        .iter()
        .map(|folder| Collection::read(Path::new(folder)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    println!(
        "| collection | documents | questions | precision | nDCG@10 | less f32 | 95 % interval | smallest cosine | mean cosine |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for collection in &collections {
        let mut exact: Option<ExactSearch> = None;
        for precision in PRECISIONS {
            let found = collection.exact_search(&load_model_as(precision, None)?)?;
            let exact = exact.get_or_insert_with(|| found.clone());
            let cosines: Vec<f64> =
                found.documents.iter().zip(&exact.documents).map(|(a, b)| a.precise_cosine(b)).collect();
            let less: Vec<f64> = found.ndcg.iter().zip(&exact.ndcg).map(|(a, b)| a - b).collect();
            let difference = bootstrap(&less);
            println!(
                "| {} | {} | {} | {precision} | {:.4} | {:+.4} | {:+.4} to {:+.4} | {:.6} | {:.6} |",
                collection.name,
                collection.documents.len(),
                collection.queries.len(),
                bootstrap(&found.ndcg).mean,
                difference.mean,
                difference.low,
                difference.high,
                cosines.iter().copied().fold(1.0, f64::min),
                cosines.iter().sum::<f64>() / cosines.len() as f64,
            );
        }
    }
    Ok(())
}
