//! How to fuse: nDCG@10 of each leg and of their combinations, with and without late interaction, on collections in BEIR's
//! layout, each indexed the way guides are. The weights are chosen on the even-numbered queries of the collections
//! before `--`, and reported on their odd-numbered ones and on the collections after it.
//!
//!     cargo run --release -p guidepost-benches --bin fusion -- DIR... -- DIR...

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use guidepost_benches::{Collection, load_model};
use guidepost_index::{ChunkId, Snapshot};
use guidepost_query::{
    Asked, CANDIDATES, Fused, Lean, Question, Ranking, Weights, add_late, ask_model, bootstrap, fuse,
    ndcg_at, rank_documents, words_found,
};
use guidepost_text::Embed;

/// Weights of late interaction that were tried with the lean that ships.
const LATE_WEIGHTS: [f32; 6] = [0.0, 0.2, 0.3, 0.4, 0.5, 0.6];

/// What the leaning weight was chosen from.
const STARTS: [f32; 4] = [0.7, 0.9, 1.1, 1.3];
const COVERAGES: [f32; 3] = [0.2, 0.4, 0.6];
const MARGINS: [f32; 3] = [0.0, 0.2, 0.4];

/// Ways to rank that stand side by side.
const WAYS: [&str; 8] =
    ["BM25", "dense", "RRF k=60", "RRF k=60, late", "0.5", "0.5, late", "leaning", "leaning, late"];

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
    print_choices(&even);
    print_ways("even-numbered queries, chosen on", &even);
    print_ways("odd-numbered queries", &odd);
    print_ways("unseen", &unseen);
    Ok(())
}

/// nDCG@10 of every query.
struct Measured {
    name: String,
    /// Of each of [`WAYS`].
    ways: Vec<Vec<f64>>,
    /// Of every start, coverage and margin, the last running fastest.
    leans: Vec<Vec<f64>>,
    /// Of each of [`LATE_WEIGHTS`].
    late_weights: Vec<Vec<f64>>,
}

impl Measured {
    /// Of every other query.
    fn half(&self, from: usize) -> Measured {
        let half = |columns: &[Vec<f64>]| {
            columns.iter().map(|column| column.iter().copied().skip(from).step_by(2).collect()).collect()
        };
        Measured {
            name: self.name.clone(),
            ways: half(&self.ways),
            leans: half(&self.leans),
            late_weights: half(&self.late_weights),
        }
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

/// The mean over the collections of everything that was tried.
#[expect(clippy::print_stdout, reason = "the tables are what the program is for")]
fn print_choices(sets: &[Measured]) {
    let mean_of = |columns: fn(&Measured) -> &Vec<Vec<f64>>, at: usize| {
        mean(&sets.iter().map(|measured| mean(&columns(measured)[at])).collect::<Vec<_>>())
    };
    let margins = MARGINS.map(|margin| format!("margin {margin}")).join(" | ");
    println!("| even-numbered queries: start, coverage | {margins} |");
    println!("|---|{}", "---|".repeat(MARGINS.len()));
    let means: Vec<f64> = (0..leans().len()).map(|at| mean_of(|measured| &measured.leans, at)).collect();
    for (row, lean) in means.chunks(MARGINS.len()).zip(leans().chunks(MARGINS.len())) {
        let cells = row.iter().map(|mean| format!("{mean:.4}")).collect::<Vec<_>>().join(" | ");
        println!("| {}, {} | {cells} |", lean[0].start, lean[0].coverage);
    }
    println!(
        "\n| even-numbered queries: weight of late interaction | {} |",
        LATE_WEIGHTS.map(|w| w.to_string()).join(" | ")
    );
    println!("|---|{}", "---|".repeat(LATE_WEIGHTS.len()));
    let cells =
        (0..LATE_WEIGHTS.len()).map(|at| format!("{:.4}", mean_of(|measured| &measured.late_weights, at)));
    println!("| mean | {} |\n", cells.collect::<Vec<_>>().join(" | "));
}

#[expect(clippy::print_stdout, reason = "the tables are what the program is for")]
fn print_ways(title: &str, sets: &[Measured]) {
    println!(
        "| {title} | {} | better leg to the last | RRF to the last | 0.5 to the last | leaning to the last |",
        WAYS.join(" | ")
    );
    println!("|---|{}", "---|".repeat(WAYS.len() + 4));
    for measured in sets {
        let ways = &measured.ways;
        let last = &ways[WAYS.len() - 1];
        let gain = |other: &[f64]| {
            let gains: Vec<f64> = last.iter().zip(other).map(|(last, other)| last - other).collect();
            let gain = bootstrap(&gains);
            format!("{:+.4} ({:+.4} to {:+.4})", gain.mean, gain.low, gain.high)
        };
        let better = if mean(&ways[0]) > mean(&ways[1]) { &ways[0] } else { &ways[1] };
        let cells = ways.iter().map(|column| format!("{:.4}", mean(column))).collect::<Vec<_>>().join(" | ");
        let gains = [better, &ways[2], &ways[4], &ways[6]].map(|other| gain(other)).join(" | ");
        println!("| {} | {cells} | {gains} |", measured.name);
    }
    println!();
}

fn measure(collection: &Collection, model: &dyn Embed) -> anyhow::Result<Measured> {
    let snapshot = collection.index(model)?;
    let leans = leans();
    let mut measured = Measured {
        name: collection.name.clone(),
        ways: vec![Vec::new(); WAYS.len()],
        leans: vec![Vec::new(); leans.len()],
        late_weights: vec![Vec::new(); LATE_WEIGHTS.len()],
    };
    for query in &collection.queries {
        let ndcg = |ranking: &Ranking| {
            // A document's identifier is its file's name.
            let id = |document: usize| {
                let relative = &snapshot.documents()[document].relative;
                relative.strip_suffix(".md").unwrap_or(relative)
            };
            let documents = rank_documents(&snapshot, ranking, 10).into_iter();
            ndcg_at(10, &documents.map(|(at, _)| id(at)).collect::<Vec<_>>(), &collection.judged[&query.id])
        };
        let signals = Signals::collect(&snapshot, model, &query.text)?;
        let push = |columns: &mut [Vec<f64>], rankings: Vec<Ranking>| {
            columns.iter_mut().zip(rankings).for_each(|(column, ranking)| column.push(ndcg(&ranking)));
        };
        let fixed = |late| signals.fuse(Lean::fixed(0.5), late);
        let ways = vec![
            signals.bm25.clone(),
            signals.dense.clone(),
            signals.reciprocal_ranks(0.0),
            signals.reciprocal_ranks(Weights::DEFAULT.late),
            fixed(0.0),
            fixed(Weights::DEFAULT.late),
            signals.fuse(Weights::DEFAULT.lean, 0.0),
            signals.fuse(Weights::DEFAULT.lean, Weights::DEFAULT.late),
        ];
        push(&mut measured.ways, ways);
        push(
            &mut measured.leans,
            leans.iter().map(|&lean| signals.fuse(lean, Weights::DEFAULT.late)).collect(),
        );
        push(
            &mut measured.late_weights,
            LATE_WEIGHTS.iter().map(|&late| signals.fuse(Weights::DEFAULT.lean, late)).collect(),
        );
    }
    Ok(measured)
}

/// Everything there is to know about a query, for any way to combine it.
struct Signals<'a> {
    snapshot: &'a Snapshot,
    bm25: Ranking,
    dense: Ranking,
    /// How much of the question BM25's best passage holds.
    coverage: f32,
    /// `None` for what cannot be searched: signs alone.
    asked: Option<Asked>,
    max_sims: RefCell<HashMap<ChunkId, Option<f32>>>,
}

impl<'a> Signals<'a> {
    fn collect(snapshot: &'a Snapshot, model: &dyn Embed, text: &str) -> anyhow::Result<Self> {
        let nothing = Signals {
            snapshot,
            bm25: Ranking::new(),
            dense: Ranking::new(),
            coverage: 0.0,
            asked: None,
            max_sims: RefCell::default(),
        };
        let Ok(question) = Question::new(text) else { return Ok(nothing) };
        let question = question.understood_by(snapshot, Some(model))?;
        let bm25 = snapshot.bm25(&question.words, CANDIDATES, None)?;
        let asked = ask_model(snapshot, model, &question)?;
        let dense = snapshot.dense(&asked.vector, CANDIDATES, None);
        let coverage = words_found(snapshot, &question, &bm25)?;
        Ok(Signals { bm25, dense, coverage, asked: Some(asked), ..nothing })
    }

    fn fuse(&self, lean: Lean, late: f32) -> Ranking {
        let weight = lean.dense_weight(&self.bm25, self.coverage);
        let cosine = |id| self.snapshot.cosine(&self.asked.as_ref()?.vector, id);
        self.with_late(fuse(&self.bm25, &self.dense, weight, cosine), late)
    }

    /// Reciprocal rank fusion with k = 60 (Cormack, Clarke and Buettcher 2009), as shares of the best.
    fn reciprocal_ranks(&self, late: f32) -> Ranking {
        let mut sums: BTreeMap<ChunkId, f32> = BTreeMap::new();
        for ranking in [&self.bm25, &self.dense] {
            for (at, (id, _)) in ranking.iter().enumerate() {
                *sums.entry(*id).or_default() += 1.0 / (61.0 + at as f32);
            }
        }
        let mut fused = fuse(&self.bm25, &self.dense, 0.5, |_| None);
        let best = sums.values().copied().fold(f32::MIN_POSITIVE, f32::max);
        fused.iter_mut().for_each(|candidate| candidate.score = sums[&candidate.id] / best);
        fused.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
        self.with_late(fused, late)
    }

    fn with_late(&self, mut fused: Vec<Fused>, weight: f32) -> Ranking {
        if weight > 0.0 {
            add_late(&mut fused, weight, |id| self.max_sim(id));
        }
        fused.into_iter().map(|hit| (hit.id, hit.score)).collect()
    }

    fn max_sim(&self, id: ChunkId) -> Option<f32> {
        let late = self.asked.as_ref()?.late.as_ref()?;
        *self.max_sims.borrow_mut().entry(id).or_insert_with(|| self.snapshot.max_sim(late, id))
    }
}
