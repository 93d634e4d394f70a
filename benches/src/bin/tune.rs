//! What tuning without labels is worth: the weights that `guidepost tune` would choose for a collection's documents, held
//! against the collection's own labels. Collections are in BEIR's layout, each indexed the way guides are; their queries
//! are not seen before the weights are chosen.
//!
//!     cargo run --release -p guidepost-benches --bin tune -- DIR...

use std::path::Path;

use guidepost_benches::{Collection, load_model};
use guidepost_query::{
    CollectionDocument, Derived, LEAST_QUESTIONS, Measured, Verdict, Weights, bootstrap, derive,
};
use guidepost_text::{Document, Embed, read_document};

fn main() -> anyhow::Result<()> {
    let model = load_model()?;
    let mut rows = Vec::new();
    for folder in std::env::args().skip(1) {
        rows.push(Row::measure(Collection::read(Path::new(&folder))?, &model)?);
    }
    print(&rows);
    Ok(())
}

/// A collection, tuned.
struct Row {
    name: String,
    /// What the questions were made from, and how many there were.
    questions: String,
    /// `None` where there were too few questions.
    verdict: Option<Verdict>,
    labeled: Measured,
}

impl Row {
    fn measure(collection: Collection, model: &dyn Embed) -> anyhow::Result<Row> {
        let documents: Vec<Document> = collection.documents.iter().map(read).collect();
        let Derived { source, collection: derived, .. } = derive(&documents);
        let number = derived.queries.len();
        let questions = format!("{number} by {}", source.name());
        let enough = number >= LEAST_QUESTIONS;
        let derived = Collection::new(format!("{}-derived", collection.name), derived);
        let verdict = enough.then(|| try_all(&derived, model)).transpose()?.map(|tried| tried.verdict());
        let labeled = try_all(&collection, model)?;
        Ok(Row { name: collection.name, questions, verdict, labeled })
    }

    /// nDCG@10 of every labeled query in one setting.
    fn ndcg(&self, weights: Weights) -> &[f64] {
        let at = self.labeled.settings.iter().position(|setting| *setting == weights);
        &self.labeled.ndcg[at.expect("both measure the same settings")]
    }

    fn cells(&self) -> String {
        let chosen = self.verdict.map_or(Weights::DEFAULT, |verdict| verdict.chosen.weights);
        let fixed = self.labeled.settings.iter().filter(|weights| weights.lean.is_fixed());
        let best_fixed = fixed
            .max_by(|a, b| mean(self.ndcg(**a)).total_cmp(&mean(self.ndcg(**b))))
            .expect("fixed settings are tried");
        let [default, tuned, best] =
            [Weights::DEFAULT, chosen, *best_fixed].map(|weights| self.ndcg(weights));
        let gain = self.verdict.map_or("too few".to_owned(), |verdict| {
            let gain = verdict.gain;
            format!("{:+.4} ({:+.4} to {:+.4})", gain.mean, gain.low, gain.high)
        });
        [
            self.name.clone(),
            self.questions.clone(),
            gain,
            describe(chosen),
            format!("{:.4}", mean(default)),
            format!("{:.4}", mean(tuned)),
            format!("{:.4} ({})", mean(best), describe(*best_fixed)),
            lost(best, default),
            lost(best, tuned),
        ]
        .join(" | ")
    }
}

fn try_all(collection: &Collection, model: &dyn Embed) -> anyhow::Result<Measured> {
    let snapshot = collection.index(model)?;
    // A document's identifier is its file's name.
    let ids: Vec<&str> = snapshot
        .documents()
        .iter()
        .map(|guide| guide.relative.strip_suffix(".md").unwrap_or(&guide.relative))
        .collect();
    Ok(Measured::new(&snapshot, model, collection, &ids, || ())?)
}

/// As a guide would be read.
fn read(document: &CollectionDocument) -> Document {
    let text = match document.title.as_str() {
        "" => document.text.clone(),
        title => format!("# {title}\n\n{}", document.text),
    };
    read_document(&format!("{}.md", document.id), text.as_bytes())
}

#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn print(rows: &[Row]) {
    println!(
        "| collection | questions | lead of the best | tuned to | nDCG@10, default | nDCG@10, tuned | nDCG@10, best fixed | regret of the default | regret of the tuned |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for row in rows {
        println!("| {} |", row.cells());
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// What a setting lacks to another, query by query.
fn lost(best: &[f64], other: &[f64]) -> String {
    let lost: Vec<f64> = best.iter().zip(other).map(|(best, other)| best - other).collect();
    let lost = bootstrap(&lost);
    format!("{:+.4} ({:+.4} to {:+.4})", lost.mean, lost.low, lost.high)
}

fn describe(Weights { lean, late }: Weights) -> String {
    match lean.is_fixed() {
        _ if lean == Weights::DEFAULT.lean && late == Weights::DEFAULT.late => "default".to_owned(),
        true => format!("{:.1}, {late:.1}", lean.start),
        false => format!("{:.1} - {:.1}c - {:.1}m, {late:.1}", lean.start, lean.coverage, lean.margin),
    }
}
