//! How to fuse: nDCG@10 of each leg and of their combinations, on collections in BEIR's layout, each indexed the way
//! guides are. The weight leans from question to question; how is chosen on the even-numbered queries of the collections
//! before `--`, and reported on their odd-numbered ones and on the collections after it.
//!
//!     cargo run --release -p guidepost-benches --bin fusion -- DIR... -- DIR...

use std::collections::BTreeMap;
use std::path::Path;

use guidepost_benches::{Collection, embed_kept, load_model};
use guidepost_index::{ChunkId, Snapshot};
use guidepost_query::{
    CANDIDATES, Lean, Question, Ranking, Weights, bootstrap, fuse, ndcg_at, rank_documents, words_found,
};
use guidepost_text::{Embed, Embedding, TextRole};

/// Fixed weights of the dense leg, for comparison.
const WEIGHTS: [f32; 9] = [0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

/// What the leaning weight was chosen from.
const STARTS: [f32; 4] = [0.9, 1.0, 1.1, 1.2];
const COVERAGES: [f32; 3] = [0.2, 0.4, 0.6];
const MARGINS: [f32; 3] = [0.0, 0.2, 0.4];

/// Columns before the fixed weights: BM25, dense, RRF.
const OTHERS: usize = 3;

fn main() -> anyhow::Result<()> {
    let model = load_model()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut sets = arguments.split(|argument| argument == "--").map(|folders| {
        let measure = |folder: &String| measure(&Collection::read(Path::new(folder))?, &model);
        folders.iter().map(measure).collect::<anyhow::Result<Vec<Measured>>>()
    });
    let both = sets.next().transpose()?.unwrap_or_default();
    let unseen = sets.next().transpose()?.unwrap_or_default();
    let half = |odd: usize| both.iter().map(move |measured| measured.half(odd)).collect::<Vec<_>>();
    let (even, odd) = (half(0), half(1));
    print_leans(&even);
    print_fusions("even-numbered queries, chosen on", &even);
    print_fusions("odd-numbered queries", &odd);
    print_fusions("unseen", &unseen);
    Ok(())
}

/// nDCG@10 of every query.
struct Measured {
    name: String,
    /// Of BM25, dense, RRF, then of the fixed weights.
    fusions: Vec<Vec<f64>>,
    /// Of every start, coverage and margin, the last running fastest.
    leans: Vec<Vec<f64>>,
}

impl Measured {
    /// Of every other query.
    fn half(&self, from: usize) -> Measured {
        let half = |columns: &[Vec<f64>]| {
            columns.iter().map(|column| column.iter().copied().skip(from).step_by(2).collect()).collect()
        };
        Measured { name: self.name.clone(), fusions: half(&self.fusions), leans: half(&self.leans) }
    }

    /// Of the weight that ships.
    fn leaning(&self) -> &[f64] {
        let at =
            leans().iter().position(|lean| *lean == Weights::DEFAULT.lean).expect("what ships was tried");
        &self.leans[at]
    }
}

fn leans() -> Vec<Lean> {
    let lean = |start, coverage, margin| Lean { start, coverage, margin };
    let of = |start| COVERAGES.map(|coverage| MARGINS.map(|margin| lean(start, coverage, margin)));
    STARTS.iter().flat_map(|&start| of(start).concat()).collect()
}

fn mean(values: &[f64]) -> f64 {
    bootstrap(values).mean
}

/// The mean over the collections of every way to lean.
#[expect(clippy::print_stdout, reason = "the tables are what the program is for")]
fn print_leans(sets: &[Measured]) {
    let margins = MARGINS.map(|margin| format!("margin {margin}")).join(" | ");
    println!("| even-numbered queries: start, coverage | {margins} |");
    println!("|---|{}", "---|".repeat(MARGINS.len()));
    let means: Vec<f64> = (0..leans().len())
        .map(|at| mean(&sets.iter().map(|measured| mean(&measured.leans[at])).collect::<Vec<_>>()))
        .collect();
    for (row, lean) in means.chunks(MARGINS.len()).zip(leans().chunks(MARGINS.len())) {
        let cells = row.iter().map(|mean| format!("{mean:.4}")).collect::<Vec<_>>().join(" | ");
        println!("| {}, {} | {cells} |", lean[0].start, lean[0].coverage);
    }
    println!();
}

#[expect(clippy::print_stdout, reason = "the tables are what the program is for")]
fn print_fusions(title: &str, sets: &[Measured]) {
    let weights = WEIGHTS.map(|weight| format!("{weight:.1}")).join(" | ");
    println!(
        "| {title} | BM25 | dense | RRF k=60 | {weights} | leaning | better leg to leaning | RRF to leaning | 0.5 to leaning |"
    );
    println!("|---|{}", "---|".repeat(WEIGHTS.len() + OTHERS + 4));
    for measured in sets {
        let leaning = measured.leaning();
        let gain = |other: &[f64]| {
            let gains: Vec<f64> = leaning.iter().zip(other).map(|(leaning, other)| leaning - other).collect();
            let gain = bootstrap(&gains);
            format!("{:+.4} ({:+.4} to {:+.4})", gain.mean, gain.low, gain.high)
        };
        let fusions = &measured.fusions;
        let better = if mean(&fusions[0]) > mean(&fusions[1]) { &fusions[0] } else { &fusions[1] };
        let half = OTHERS + WEIGHTS.iter().position(|&weight| weight == 0.5).expect("it is tried");
        let cells =
            fusions.iter().map(|column| format!("{:.4}", mean(column))).collect::<Vec<_>>().join(" | ");
        println!(
            "| {} | {cells} | {:.4} | {} | {} | {} |",
            measured.name,
            mean(leaning),
            gain(better),
            gain(&fusions[2]),
            gain(&fusions[half])
        );
    }
    println!();
}

fn measure(collection: &Collection, model: &dyn Embed) -> anyhow::Result<Measured> {
    let snapshot = collection.index(model)?;
    let questions: Vec<String> = collection.queries.iter().map(|query| query.text.clone()).collect();
    let vectors =
        embed_kept(&format!("{}-questions", collection.name), model, &questions, TextRole::Question)?;
    let leans = leans();
    let mut measured = Measured {
        name: collection.name.clone(),
        fusions: vec![Vec::new(); WEIGHTS.len() + OTHERS],
        leans: vec![Vec::new(); leans.len()],
    };
    for (query, vector) in collection.queries.iter().zip(&vectors) {
        let (bm25, dense, coverage) = legs(&snapshot, &query.text, vector)?;
        let cosine = |id| snapshot.cosine(vector, id);
        let ndcg = |ranking: &Ranking| {
            // A document's identifier is its file's name.
            let id = |document: usize| {
                let relative = &snapshot.documents()[document].relative;
                relative.strip_suffix(".md").unwrap_or(relative)
            };
            let ids: Vec<&str> = rank_documents(&snapshot, ranking, 10)
                .into_iter()
                .map(|(document, _)| id(document))
                .collect();
            ndcg_at(10, &ids, &collection.judged[&query.id])
        };
        let fused = |lean: Lean| {
            let weight = lean.dense_weight(&bm25, coverage);
            ndcg(&fuse(&bm25, &dense, weight, cosine).into_iter().map(|hit| (hit.id, hit.score)).collect())
        };
        let others = [ndcg(&bm25), ndcg(&dense), ndcg(&reciprocal_ranks(&bm25, &dense))];
        let all = others.into_iter().chain(WEIGHTS.map(|weight| fused(Lean::fixed(weight))));
        measured.fusions.iter_mut().zip(all).for_each(|(column, value)| column.push(value));
        for (column, &lean) in measured.leans.iter_mut().zip(&leans) {
            column.push(fused(lean));
        }
    }
    Ok(measured)
}

/// What both legs find, and how much of the question BM25's best passage holds.
fn legs(snapshot: &Snapshot, text: &str, vector: &Embedding) -> anyhow::Result<(Ranking, Ranking, f32)> {
    let (bm25, coverage) = match Question::new(text) {
        Ok(question) => {
            let bm25 = snapshot.bm25(&question.words, CANDIDATES, None)?;
            let coverage = words_found(snapshot, &question, &bm25)?;
            (bm25, coverage)
        }
        Err(_) => (Vec::new(), 0.0),
    };
    Ok((bm25, snapshot.dense(vector, CANDIDATES, None), coverage))
}

/// Reciprocal rank fusion with k = 60 (Cormack, Clarke and Buettcher 2009).
fn reciprocal_ranks(bm25: &Ranking, dense: &Ranking) -> Ranking {
    let mut sums: BTreeMap<ChunkId, f32> = BTreeMap::new();
    for ranking in [bm25, dense] {
        for (at, (id, _)) in ranking.iter().enumerate() {
            *sums.entry(*id).or_default() += 1.0 / (61.0 + at as f32);
        }
    }
    let mut fused: Ranking = sums.into_iter().collect();
    fused.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    fused
}
