//! How to fuse: nDCG@10 of each leg and of their combinations, on collections in BEIR's layout, each indexed the way
//! guides are. The first half of the arguments (before `--`) is for choosing, the rest for checking.
//!
//!     cargo run --release -p guidepost-benches --bin fusion -- DIR... -- DIR...

use std::collections::BTreeMap;
use std::path::Path;

use guidepost_benches::{Collection, embed_kept, load_model};
use guidepost_index::{ChunkId, Snapshot};
use guidepost_query::{CANDIDATES, DENSE_WEIGHT, Question, Ranking, bootstrap, fuse, ndcg_at};
use guidepost_text::{Embed, Embedding, TextRole};

/// Weights of the dense leg that are tried.
const WEIGHTS: [f32; 9] = [0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

#[expect(clippy::print_stdout, reason = "the tables are what the program is for")]
fn main() -> anyhow::Result<()> {
    let model = load_model()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut halves = arguments.split(|argument| argument == "--");
    for title in ["chosen on", "checked on"] {
        let weights = WEIGHTS.map(|weight| format!("{weight:.1}")).join(" | ");
        println!(
            "| {title} | BM25 | dense | RRF k=60 | {weights} | best leg to {DENSE_WEIGHT}, 95 % interval |"
        );
        println!("|---|{}", "---|".repeat(WEIGHTS.len() + 4));
        let mut sums = vec![0.0; WEIGHTS.len() + 3];
        let folders = halves.next().unwrap_or_default();
        for folder in folders {
            let row = measure(&Collection::read(Path::new(folder))?, &model)?;
            println!("{}", row.text);
            sums.iter_mut().zip(&row.means).for_each(|(sum, mean)| *sum += mean);
        }
        let means = sums.iter().map(|sum| format!("{:.4}", sum / folders.len().max(1) as f64));
        println!("| mean | {} | |\n", means.collect::<Vec<_>>().join(" | "));
    }
    Ok(())
}

struct Row {
    text: String,
    means: Vec<f64>,
}

fn measure(collection: &Collection, model: &dyn Embed) -> anyhow::Result<Row> {
    let snapshot = collection.index(model)?;
    let questions: Vec<String> = collection.queries.iter().map(|query| query.text.clone()).collect();
    let vectors =
        embed_kept(&format!("{}-questions", collection.name), model, &questions, TextRole::Question)?;
    let mut scores: Vec<Vec<f64>> = vec![Vec::new(); WEIGHTS.len() + 3];
    for (query, vector) in collection.queries.iter().zip(&vectors) {
        let (bm25, dense) = legs(&snapshot, &query.text, vector)?;
        let cosine = |id| snapshot.cosine(vector, id);
        let fused = |weight: f32| {
            fuse(&bm25, &dense, weight, cosine).into_iter().map(|hit| (hit.id, hit.score)).collect()
        };
        let mut rankings: Vec<Ranking> = vec![bm25.clone(), dense.clone(), reciprocal_ranks(&bm25, &dense)];
        rankings.extend(WEIGHTS.map(fused));
        for (at, ranking) in rankings.iter().enumerate() {
            let ids = documents(&snapshot, ranking)?;
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            scores[at].push(ndcg_at(10, &ids, &collection.judged[&query.id]));
        }
    }
    let means: Vec<f64> = scores.iter().map(|column| bootstrap(column).mean).collect();
    let best = if means[0] > means[1] { &scores[0] } else { &scores[1] };
    let chosen = 3 + WEIGHTS.iter().position(|&weight| weight == DENSE_WEIGHT).unwrap_or(0);
    let gain: Vec<f64> = scores[chosen].iter().zip(best).map(|(fused, leg)| fused - leg).collect();
    let gain = bootstrap(&gain);
    let cells = means.iter().map(|mean| format!("{mean:.4}")).collect::<Vec<_>>().join(" | ");
    let text = format!(
        "| {} | {cells} | {:+.4} ({:+.4} to {:+.4}) |",
        collection.name, gain.mean, gain.low, gain.high
    );
    Ok(Row { text, means })
}

fn legs(snapshot: &Snapshot, text: &str, vector: &Embedding) -> anyhow::Result<(Ranking, Ranking)> {
    let bm25 = match Question::new(text) {
        Ok(question) => snapshot.bm25(&question.words, CANDIDATES)?,
        Err(_) => Vec::new(),
    };
    Ok((bm25, snapshot.dense(vector, CANDIDATES)))
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

/// Documents in the order of their best chunk; a document's identifier is its file's name.
fn documents(snapshot: &Snapshot, ranking: &Ranking) -> anyhow::Result<Vec<String>> {
    let mut ids: Vec<String> = Vec::new();
    for &(id, _) in ranking {
        let chunk = snapshot.chunk(id)?;
        let relative = &snapshot.document_of(&chunk)?.relative;
        let name = relative.strip_suffix(".md").unwrap_or(relative).to_owned();
        if !ids.contains(&name) {
            ids.push(name);
        }
        if ids.len() == 10 {
            break;
        }
    }
    Ok(ids)
}
