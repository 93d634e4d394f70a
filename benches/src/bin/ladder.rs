//! How far a search has to go: nDCG@10 and milliseconds of words alone, of everything, and of a search with a budget that
//! stops where what the words found is conclusive, on collections in BEIR's layout, each indexed the way guides are. The
//! bars are chosen on the even-numbered queries of the collections before `--`, and reported on their odd-numbered ones
//! and on the collections after it.
//!
//!     cargo run --release -p guidepost-benches --bin ladder -- DIR... -- DIR...

use std::path::Path;
use std::time::{Duration, Instant};

use guidepost_benches::{Collection, load_model};
use guidepost_index::Snapshot;
use guidepost_query::{
    Asked, Budget, CANDIDATES, CONCLUSIVE, Climb, Climbed, Conclusive, Fused, Means, Mode, Question, Ranking,
    Retrieved, Rung, SearchOptions, Weights, ask_model, bootstrap, climb, ndcg_at, rank, rank_documents,
    search, standing_out, words_found,
};
use guidepost_text::Embed;

/// What the bars were chosen from.
const COVERAGES: [f32; 7] = [0.0, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9];
const MARGINS: [f32; 6] = [0.0, 0.1, 0.16, 0.2, 0.3, 0.4];

/// A budget that nothing here exhausts.
const AMPLE: Duration = Duration::from_secs(60);

/// Of so many pairs of queries one is timed: times differ less than qualities do.
const TIMED: usize = 10;

/// Every way of searching is timed so often, taking turns, and the shortest counts: the machine does other things as well.
const ROUNDS: usize = 5;

/// As `search` asks by default.
const OPTIONS: SearchOptions = SearchOptions { min_confidence: 0.01, ..SearchOptions::all(5, Mode::Hybrid) };

fn main() -> anyhow::Result<()> {
    let model = load_model()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut sets = arguments.split(|argument| argument == "--").map(|folders| {
        let measure = |folder: &String| Measured::new(&Collection::read(Path::new(folder))?, &model);
        folders.iter().map(measure).collect::<anyhow::Result<Vec<Measured>>>()
    });
    let both = sets.next().transpose()?.unwrap_or_default();
    let unseen = sets.next().transpose()?.unwrap_or_default();
    let half = |odd: usize| both.iter().map(|measured| measured.half(odd)).collect::<Vec<_>>();
    print_bars(&half(0));
    print_agreement(&half(0));
    print_sets("even-numbered queries, chosen on", &half(0));
    print_sets("odd-numbered queries", &half(1));
    print_sets("unseen", &unseen);
    Ok(())
}

/// A collection with what became of each of its queries.
struct Measured {
    name: String,
    queries: Vec<Asking>,
}

/// One query; qualities are nDCG@10.
#[derive(Debug, Clone, Copy)]
struct Asking {
    /// Share of its information that BM25's best passage holds.
    coverage: f32,
    /// How far that passage stands out.
    margin: f32,
    /// Whether both legs have the same passage first.
    agree: bool,
    words: f64,
    /// Without late interaction.
    hybrid: f64,
    full: f64,
    /// With an ample budget.
    ladder: f64,
    /// Whether that ran the model.
    ran_model: bool,
    /// Of the queries that are timed.
    ms: Option<Times>,
}

/// Milliseconds of whole searches.
#[derive(Debug, Clone, Copy)]
struct Times {
    words: f64,
    full: f64,
    ladder: f64,
}

impl Asking {
    fn is_conclusive(&self, bar: Conclusive) -> bool {
        self.coverage >= bar.coverage && self.margin >= bar.margin
    }
}

impl Measured {
    fn new(collection: &Collection, model: &dyn Embed) -> anyhow::Result<Measured> {
        let snapshot = collection.index(model)?;
        let mut queries = Vec::with_capacity(collection.queries.len());
        for (at, query) in collection.queries.iter().enumerate() {
            let ndcg = |fused: &[Fused]| {
                let ranking: Ranking = fused.iter().map(|fused| (fused.id, fused.score)).collect();
                // A document's identifier is its file's name.
                let id = |document: usize| {
                    let relative = &snapshot.documents()[document].relative;
                    relative.strip_suffix(".md").unwrap_or(relative)
                };
                let documents = rank_documents(&snapshot, &ranking, 10);
                let ids: Vec<&str> = documents.into_iter().map(|(document, _)| id(document)).collect();
                ndcg_at(10, &ids, &collection.judged[&query.id])
            };
            let question = Question::new(&query.text)?.understood_by(&snapshot, Some(model))?;
            let asking = ask(&snapshot, model, &question, ndcg)?;
            let is_timed = (at / 2).is_multiple_of(TIMED);
            let ms = is_timed.then(|| times(&snapshot, model, &question)).transpose()?;
            queries.push(Asking { ms, ..asking });
        }
        Ok(Measured { name: collection.name.clone(), queries })
    }

    /// Every other query.
    fn half(&self, from: usize) -> Measured {
        Measured {
            name: self.name.clone(),
            queries: self.queries.iter().copied().skip(from).step_by(2).collect(),
        }
    }

    fn mean(&self, value: impl Fn(&Asking) -> f64) -> f64 {
        mean(self.queries.iter().map(value))
    }

    /// Of the queries that were timed.
    fn mean_ms(&self, value: impl Fn(&Asking, Times) -> f64) -> f64 {
        mean(self.queries.iter().filter_map(|asking| Some(value(asking, asking.ms?))))
    }
}

fn ask(
    snapshot: &Snapshot,
    model: &dyn Embed,
    question: &Question,
    ndcg: impl Fn(&[Fused]) -> f64,
) -> anyhow::Result<Asking> {
    let bm25 = snapshot.bm25(&question.words, CANDIDATES, None)?;
    let (coverage, margin) = (words_found(snapshot, question, &bm25)?, standing_out(&bm25));
    let words = Retrieved { bm25: bm25.clone(), ..Retrieved::default() };
    let words = ndcg(&rank(snapshot, question, &words, Weights::DEFAULT, Mode::Bm25)?);
    let Asked { vector, late } = ask_model(snapshot, model, question)?;
    let dense = snapshot.dense(&vector, CANDIDATES, None);
    let agree = bm25.first().is_some_and(|(id, _)| dense.first().is_some_and(|(first, _)| id == first));
    let mut retrieved =
        Retrieved { asked: Some(Asked { vector, late: None }), bm25, dense, ..Retrieved::default() };
    let hybrid = ndcg(&rank(snapshot, question, &retrieved, Weights::DEFAULT, Mode::Hybrid)?);
    if let Some(asked) = &mut retrieved.asked {
        asked.late = late;
    }
    let full = ndcg(&rank(snapshot, question, &retrieved, Weights::DEFAULT, Mode::Hybrid)?);
    let started = Instant::now();
    let clock = || started.elapsed();
    let budgeted = Means { budget: Some(Budget { total: AMPLE, clock: &clock }), ..Means::of(Some(model)) };
    let Climbed { fused, steps, .. } = climb(snapshot, budgeted, question, OPTIONS)?;
    let ran_model =
        steps.iter().any(|step| step.rung == Rung::Meaning && matches!(step.climb, Climb::Ran(_)));
    Ok(Asking { coverage, margin, agree, words, hybrid, full, ladder: ndcg(&fused), ran_model, ms: None })
}

fn times(snapshot: &Snapshot, model: &dyn Embed, question: &Question) -> anyhow::Result<Times> {
    let mut shortest = [f64::INFINITY; 3];
    for _ in 0..ROUNDS {
        for (at, shortest) in shortest.iter_mut().enumerate() {
            let started = Instant::now();
            let clock = || started.elapsed();
            let budget = (at == 2).then_some(Budget { total: AMPLE, clock: &clock });
            let mode = if at == 0 { Mode::Bm25 } else { Mode::Hybrid };
            let means = Means { budget, ..Means::of(Some(model)) };
            search(snapshot, means, question, SearchOptions { mode, ..OPTIONS })?;
            *shortest = shortest.min(started.elapsed().as_secs_f64() * 1e3);
        }
    }
    let [words, full, ladder] = shortest;
    Ok(Times { words, full, ladder })
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    bootstrap(&values.collect::<Vec<_>>()).mean
}

/// The mean over the collections of the share of quality that every bar keeps, and of the time it takes.
#[expect(clippy::print_stdout, reason = "the tables are what the program is for")]
fn print_bars(sets: &[Measured]) {
    let margins = MARGINS.map(|margin| format!("margin {margin}")).join(" | ");
    println!("| even-numbered queries: coverage | {margins} |");
    println!("|---|{}", "---|".repeat(MARGINS.len()));
    for coverage in COVERAGES {
        let cell = |margin: f32| {
            let bar = Conclusive { coverage, margin };
            let quality =
                |asking: &Asking| if asking.is_conclusive(bar) { asking.words } else { asking.full };
            let ms = |asking: &Asking, ms: Times| if asking.is_conclusive(bar) { ms.words } else { ms.full };
            let kept = mean(sets.iter().map(|set| set.mean(quality) / set.mean(|asking| asking.full)));
            let took = mean(sets.iter().map(|set| set.mean_ms(ms) / set.mean_ms(|_, ms| ms.full)));
            format!("{:.1} % in {:.0} %", kept * 100.0, took * 100.0)
        };
        println!("| {coverage} | {} |", MARGINS.map(cell).join(" | "));
    }
    println!();
}

/// What is lost without late interaction where the legs agree, and where they do not.
#[expect(clippy::print_stdout, reason = "the tables are what the program is for")]
fn print_agreement(sets: &[Measured]) {
    println!("| even-numbered queries | legs agree | late interaction there | elsewhere |");
    println!("|---|---|---|---|");
    for set in sets {
        let gain = |agree: bool| {
            let asked = set.queries.iter().filter(|asking| asking.agree == agree);
            let gains: Vec<f64> = asked.map(|asking| asking.full - asking.hybrid).collect();
            let gain = bootstrap(&gains);
            format!("{:+.4} ({:+.4} to {:+.4})", gain.mean, gain.low, gain.high)
        };
        let agree = set.mean(|asking| f64::from(u8::from(asking.agree)));
        println!("| {} | {:.0} % | {} | {} |", set.name, agree * 100.0, gain(true), gain(false));
    }
    println!();
}

#[expect(clippy::print_stdout, reason = "the tables are what the program is for")]
fn print_sets(title: &str, sets: &[Measured]) {
    let Conclusive { coverage, margin } = CONCLUSIVE;
    println!("With coverage {coverage} and margin {margin}, as it ships:\n");
    println!(
        "| {title} | words alone | full | with a budget | full to budget | of full quality | ran the model | words alone, ms | full, ms | with a budget, ms | of full time |"
    );
    println!("|---|{}", "---|".repeat(10));
    let mut shares = Vec::new();
    for set in sets {
        let losses: Vec<f64> = set.queries.iter().map(|asking| asking.ladder - asking.full).collect();
        let loss = bootstrap(&losses);
        let quality = set.mean(|asking| asking.ladder) / set.mean(|asking| asking.full);
        let time = set.mean_ms(|_, ms| ms.ladder) / set.mean_ms(|_, ms| ms.full);
        let ran = set.mean(|asking| f64::from(u8::from(asking.ran_model)));
        println!(
            "| {} | {:.4} | {:.4} | {:.4} | {:+.4} ({:+.4} to {:+.4}) | {:.1} % | {:.0} % | {:.2} | {:.2} | {:.2} | {:.0} % |",
            set.name,
            set.mean(|asking| asking.words),
            set.mean(|asking| asking.full),
            set.mean(|asking| asking.ladder),
            loss.mean,
            loss.low,
            loss.high,
            quality * 100.0,
            ran * 100.0,
            set.mean_ms(|_, ms| ms.words),
            set.mean_ms(|_, ms| ms.full),
            set.mean_ms(|_, ms| ms.ladder),
            time * 100.0
        );
        shares.push((quality, time));
    }
    let (quality, time) =
        (mean(shares.iter().map(|share| share.0)), mean(shares.iter().map(|share| share.1)));
    println!(
        "\nMean of the collections: {:.1} % of the quality in {:.0} % of the time.\n",
        quality * 100.0,
        time * 100.0
    );
}
