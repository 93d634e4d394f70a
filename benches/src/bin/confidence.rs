//! Fits the confidence of a hit, and checks it. For each collection, its own questions (the first three hits, right
//! or wrong by its judgments) and as many of the other collections (always wrong: nothing here answers them);
//! `--shipped` stands for the guides that ship with `corpus/questions.jsonl`. Every other question fits, the rest check what
//! was fitted, which the program has to have.
//!
//!     cargo run --release -p guidepost-benches --bin confidence -- DIR... --shipped

use std::path::Path;

use anyhow::Context;
use guidepost_benches::shipped::Shipped;
use guidepost_benches::{Collection, load_model};
use guidepost_index::Snapshot;
use guidepost_query::{
    Asked, CANDIDATES, Evidence, FEATURES, Hit, MIN_ANSWER_CONFIDENCE, Mode, ON_THE_WAY_CONFIDENCE, Question,
    Ranking, Retrieved, SearchOptions, ask_model, confidence, hits,
};
use guidepost_text::Embed;
use plotters::prelude::*;

/// Questions of a collection that are used; more would only repeat.
const QUESTIONS: usize = 300;
const HITS: usize = 3;
const THRESHOLDS: [f32; 8] = [0.03, 0.05, 0.07, 0.1, 0.12, 0.15, 0.2, 0.3];

/// What was searched with: a name, the legs, and whether there are token vectors.
const SIGNALS: [(&str, Mode, bool); 5] = [
    ("words, vectors and tokens", Mode::Hybrid, true),
    ("words and vectors", Mode::Hybrid, false),
    ("vectors and tokens", Mode::Dense, true),
    ("vectors alone", Mode::Dense, false),
    ("words alone", Mode::Bm25, false),
];

/// Where the curves of risk against coverage go.
const PLOT: &str = "benches/results/confidence.svg";

/// Whether a hit answers the question of that number.
type Judge = Box<dyn Fn(usize, &Hit) -> bool>;

/// Questions over an index, each with a test for a right hit.
struct Set {
    name: String,
    snapshot: Snapshot,
    questions: Vec<String>,
    /// Whether anything answers the question.
    answerable: Vec<bool>,
    is_right: Judge,
}

/// Whose question it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Answerable,
    /// Of the set, and nothing answers it.
    Unanswerable,
    /// Of another set.
    Foreign,
}

/// The best hits of one question, each with whether it was right.
struct Asking {
    kind: Kind,
    hits: Vec<(Evidence, bool)>,
}

impl Asking {
    fn confidence(&self, fitted: &Fitted) -> f32 {
        self.hits.iter().map(|(evidence, _)| fitted.confidence(evidence)).fold(0.0, f32::max)
    }
}

/// A logistic model.
struct Fitted {
    intercept: f64,
    weights: [f64; FEATURES],
}

impl Fitted {
    fn confidence(&self, evidence: &Evidence) -> f32 {
        let features = evidence.features();
        let sum: f64 = features.iter().zip(&self.weights).map(|(x, weight)| f64::from(*x) * weight).sum();
        let chance = (1.0 / (1.0 + (-self.intercept - sum).exp())) as f32;
        if evidence.on_the_way { chance.max(ON_THE_WAY_CONFIDENCE) } else { chance }
    }

    /// Largest difference to what the program makes of the same hits.
    fn apart(&self, all: &[Vec<Asking>]) -> f32 {
        let hits = all.iter().flatten().flat_map(|asking| &asking.hits);
        hits.map(|(evidence, _)| (self.confidence(evidence) - confidence(*evidence)).abs())
            .fold(0.0, f32::max)
    }
}

fn main() -> anyhow::Result<()> {
    let model = load_model()?;
    let names: Vec<String> = std::env::args().skip(1).collect();
    let sets = names.iter().map(|name| set(name, &model)).collect::<anyhow::Result<Vec<Set>>>()?;
    for (title, mode, tokens) in SIGNALS {
        let all: Vec<Vec<Asking>> = (0..sets.len())
            .map(|at| ask_all(&sets, at, &model, mode, tokens))
            .collect::<anyhow::Result<_>>()?;
        let fitted = fit(&all);
        report(title, &sets, &all, &fitted);
        if (mode, tokens) == (Mode::Hybrid, true) {
            plot(&sets, &all, &fitted)
                .context("the plot cannot be written; run this from the root of the checkout")?;
        }
    }
    Ok(())
}

/// Its own questions and as many of the others', taking turns between those that fit and those that check.
fn ask_all(
    sets: &[Set],
    at: usize,
    embedder: &dyn Embed,
    mode: Mode,
    tokens: bool,
) -> anyhow::Result<Vec<Asking>> {
    let set = &sets[at];
    let others: Vec<&String> = sets
        .iter()
        .enumerate()
        .filter(|(other, _)| *other != at)
        .flat_map(|(_, set)| &set.questions)
        .collect();
    let step = (others.len() / set.questions.len().max(1)).max(1);
    let own = set.questions.iter().enumerate().map(|(number, text)| (Some(number), text));
    let foreign = others.into_iter().step_by(step).take(set.questions.len()).map(|text| (None, text));
    let ask = |(number, text): (Option<usize>, &String)| {
        let model = (mode != Mode::Bm25).then_some(embedder);
        let question = Question::new(text)?.understood_by(&set.snapshot, model)?;
        let hits = search(&set.snapshot, embedder, &question, mode, tokens)?;
        let kind = match number.map(|number| set.answerable[number]) {
            Some(true) => Kind::Answerable,
            Some(false) => Kind::Unanswerable,
            None => Kind::Foreign,
        };
        let judge = |(hit, evidence): &(Hit, Evidence)| {
            (*evidence, number.is_some_and(|number| (set.is_right)(number, hit)))
        };
        Ok(Asking { kind, hits: hits.iter().map(judge).collect() })
    };
    own.chain(foreign).map(ask).collect()
}

fn search(
    snapshot: &Snapshot,
    embedder: &dyn Embed,
    question: &Question,
    mode: Mode,
    tokens: bool,
) -> anyhow::Result<Vec<(Hit, Evidence)>> {
    let asked = match mode {
        Mode::Bm25 => None,
        _ => Some(ask_model(snapshot, embedder, question)?),
    };
    let asked = asked.map(|asked| Asked { late: asked.late.filter(|_| tokens), ..asked });
    let bm25 = match mode {
        Mode::Dense => Ranking::new(),
        _ => snapshot.bm25(&question.words, CANDIDATES, None)?,
    };
    let dense =
        asked.as_ref().map_or_else(Ranking::new, |asked| snapshot.dense(&asked.vector, CANDIDATES, None));
    let options = SearchOptions::all(HITS, mode);
    let hits = hits(snapshot, question, Retrieved { asked, bm25, dense, ..Retrieved::default() }, options)?;
    Ok(hits
        .into_iter()
        .map(|hit| (hit.trace.evidence(question, mode), hit))
        .map(|(e, hit)| (hit, e))
        .collect())
}

#[expect(clippy::print_stdout, reason = "the tables are what the program is for")]
fn report(title: &str, sets: &[Set], all: &[Vec<Asking>], fitted: &Fitted) {
    let weights = fitted.weights.map(|weight| format!("{weight:.2}")).join(", ");
    println!(
        "**{title}**: fitted intercept {:.2}, weights [{weights}]; the program differs by at most {:.3}\n",
        fitted.intercept,
        fitted.apart(all)
    );
    println!(
        "| odd-numbered questions | hits | right | ECE | AUROC of hits | AUROC, answered by something or by nothing here |"
    );
    println!("|---|---|---|---|---|---|");
    for (set, askings) in sets.iter().zip(all) {
        let odd: Vec<&Asking> = askings.iter().skip(1).step_by(2).collect();
        let hits: Vec<(f32, bool)> = hits_of(&odd, fitted);
        let split = odd.iter().map(|asking| (asking.confidence(fitted), asking.kind == Kind::Answerable));
        println!(
            "| {} | {} | {} | {:.3} | {:.3} | {:.3} |",
            set.name,
            hits.len(),
            hits.iter().filter(|(_, right)| *right).count(),
            calibration_error(&hits),
            auroc(&hits),
            auroc(&split.collect::<Vec<_>>()),
        );
    }
    println!(
        "\n| odd-numbered questions answered from this confidence on | {} |",
        THRESHOLDS.map(|t| t.to_string()).join(" | ")
    );
    println!("|---|{}", "---|".repeat(THRESHOLDS.len()));
    for (set, askings) in sets.iter().zip(all) {
        for (title, kind) in [
            ("something answers", Kind::Answerable),
            ("nothing answers", Kind::Unanswerable),
            ("of another collection", Kind::Foreign),
        ] {
            let of: Vec<f32> = askings
                .iter()
                .skip(1)
                .step_by(2)
                .filter(|asking| asking.kind == kind)
                .map(|asking| asking.confidence(fitted))
                .collect();
            let answered = |threshold| of.iter().filter(|&&confidence| confidence >= threshold).count();
            if !of.is_empty() {
                let cells = THRESHOLDS.map(|threshold| {
                    format!("{:.0} %", 100.0 * answered(threshold) as f64 / of.len() as f64)
                });
                println!("| {}, {title} ({}) | {} |", set.name, of.len(), cells.join(" | "));
            }
        }
    }
    println!();
}

fn hits_of(askings: &[&Asking], fitted: &Fitted) -> Vec<(f32, bool)> {
    let hits = askings.iter().flat_map(|asking| &asking.hits);
    hits.map(|(evidence, right)| (fitted.confidence(evidence), *right)).collect()
}

fn set(name: &str, model: &dyn Embed) -> anyhow::Result<Set> {
    if name == "--shipped" {
        return shipped(model);
    }
    let collection = Collection::read(Path::new(name))?;
    let step = (collection.queries.len() / QUESTIONS).max(1);
    let searchable = collection.queries.iter().filter(|query| Question::new(&query.text).is_ok());
    let chosen: Vec<_> = searchable.step_by(step).take(QUESTIONS).collect();
    let questions: Vec<String> = chosen.iter().map(|query| query.text.clone()).collect();
    let answerable = vec![true; questions.len()];
    let judged: Vec<_> = chosen.iter().map(|query| collection.judged[&query.id].clone()).collect();
    let is_right = move |number: usize, hit: &Hit| {
        let id = hit.document.relative.trim_end_matches(".md");
        judged[number].get(id).is_some_and(|&grade| grade > 0.0)
    };
    let snapshot = collection.index(model)?;
    Ok(Set { name: collection.name, snapshot, questions, answerable, is_right: Box::new(is_right) })
}

fn shipped(model: &dyn Embed) -> anyhow::Result<Set> {
    let shipped = Shipped::open(model)?;
    let questions = shipped.questions.iter().map(|question| question.question.clone()).collect();
    let answerable = shipped.questions.iter().map(|question| !question.answers.is_empty()).collect();
    let targets = shipped.questions;
    let is_right = move |number: usize, hit: &Hit| targets[number].is_answered_by(hit);
    let snapshot = shipped.snapshot;
    Ok(Set {
        name: "the guides that ship".into(),
        snapshot,
        questions,
        answerable,
        is_right: Box::new(is_right),
    })
}

/// The model of greatest likelihood on the even-numbered questions, each set counting the same, in which no signal counts
/// against: where two say the same, one of them may get a negative weight, and then more evidence would be less confidence.
fn fit(all: &[Vec<Asking>]) -> Fitted {
    let mut used = [true; FEATURES];
    loop {
        let fitted = fit_with(all, used);
        let least = (0..FEATURES).min_by(|&a, &b| fitted.weights[a].total_cmp(&fitted.weights[b]));
        match least.filter(|&least| fitted.weights[least] < 0.0) {
            Some(least) => used[least] = false,
            None => return fitted,
        }
    }
}

/// By Newton's method with a slight ridge, from some of the signals.
fn fit_with(all: &[Vec<Asking>], used: [bool; FEATURES]) -> Fitted {
    const N: usize = FEATURES + 1;
    let mut weights = [0.0f64; N];
    for _ in 0..50 {
        let mut gradient = weights.map(|weight| -1e-3 * weight);
        let mut hessian = [[0.0f64; N]; N];
        (0..N).for_each(|at| hessian[at][at] = 1e-3);
        for askings in all {
            let even: Vec<&(Evidence, bool)> =
                askings.iter().step_by(2).flat_map(|asking| &asking.hits).collect();
            let importance = 1000.0 / even.len().max(1) as f64;
            for (evidence, right) in even {
                let mut features = [1.0; N];
                for (at, feature) in evidence.features().into_iter().enumerate() {
                    features[at + 1] = if used[at] { f64::from(feature) } else { 0.0 };
                }
                let logit: f64 = features.iter().zip(&weights).map(|(x, weight)| x * weight).sum();
                let chance = 1.0 / (1.0 + (-logit).exp());
                for i in 0..N {
                    gradient[i] += importance * features[i] * (f64::from(u8::from(*right)) - chance);
                    for j in 0..N {
                        hessian[i][j] += importance * features[i] * features[j] * chance * (1.0 - chance);
                    }
                }
            }
        }
        let step = solve(hessian, gradient);
        weights.iter_mut().zip(step).for_each(|(weight, step)| *weight += step);
    }
    Fitted { intercept: weights[0], weights: std::array::from_fn(|at| weights[at + 1]) }
}

/// Gaussian elimination; the ridge keeps the pivots away from zero.
fn solve<const N: usize>(mut a: [[f64; N]; N], mut b: [f64; N]) -> [f64; N] {
    for pivot in 0..N {
        for row in pivot + 1..N {
            let factor = a[row][pivot] / a[pivot][pivot];
            let (above, below) = a.split_at_mut(row);
            below[0].iter_mut().zip(&above[pivot]).for_each(|(value, above)| *value -= factor * above);
            b[row] -= factor * b[pivot];
        }
    }
    let mut x = [0.0; N];
    for row in (0..N).rev() {
        let known: f64 = (row + 1..N).map(|column| a[row][column] * x[column]).sum();
        x[row] = (b[row] - known) / a[row][row];
    }
    x
}

/// Expected calibration error over ten bins of equal width, of the coefficients in the program.
fn calibration_error(hits: &[(f32, bool)]) -> f64 {
    let mut bins = [(0.0, 0.0); 10];
    for &(chance, right) in hits {
        let bin = &mut bins[((chance * 10.0) as usize).min(9)];
        *bin = (bin.0 + f64::from(chance), bin.1 + f64::from(u8::from(right)));
    }
    bins.iter().map(|(chance, right)| (chance - right).abs()).sum::<f64>() / hits.len().max(1) as f64
}

/// Chance that a right one has more confidence than a wrong one.
fn auroc(scored: &[(f32, bool)]) -> f64 {
    let of = |wanted: bool| scored.iter().filter(move |(_, right)| *right == wanted).map(|(score, _)| *score);
    let (right, wrong): (Vec<f32>, Vec<f32>) = (of(true).collect(), of(false).collect());
    let win = |(right, wrong): (f32, f32)| match right.total_cmp(&wrong) {
        std::cmp::Ordering::Greater => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Less => 0.0,
    };
    let pairs = right.iter().flat_map(|&right| wrong.iter().map(move |&wrong| (right, wrong)));
    pairs.map(win).sum::<f64>() / (right.len() * wrong.len()).max(1) as f64
}

/// Of the odd-numbered questions that something or nothing of the set's own answers, the share that is answered at each
/// threshold, against the share of those whose first hit is wrong.
fn plot(sets: &[Set], all: &[Vec<Asking>], fitted: &Fitted) -> anyhow::Result<()> {
    let root = SVGBackend::new(PLOT, (900, 560)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .margin(16)
        .caption("Risk against coverage: questions answered, surest first", ("sans-serif", 20))
        .x_label_area_size(44)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
    chart
        .configure_mesh()
        .x_desc(format!(
            "share of the questions answered (dot: at the threshold of ask, {MIN_ANSWER_CONFIDENCE})"
        ))
        .y_desc("share of those whose first hit is wrong")
        .draw()?;
    for (at, (set, askings)) in sets.iter().zip(all).enumerate() {
        let color = Palette99::pick(at).mix(1.0);
        let own = askings.iter().skip(1).step_by(2).filter(|asking| asking.kind != Kind::Foreign);
        let mut first: Vec<(f32, bool)> = own
            .map(|asking| (asking.confidence(fitted), asking.hits.first().is_some_and(|(_, right)| *right)))
            .collect();
        first.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut wrong = 0;
        let mut curve = Vec::new();
        let mut at_threshold = None;
        for (answered, (confidence, right)) in first.iter().enumerate() {
            wrong += usize::from(!right);
            let point = ((answered + 1) as f64 / first.len() as f64, wrong as f64 / (answered + 1) as f64);
            if *confidence >= MIN_ANSWER_CONFIDENCE {
                at_threshold = Some(point);
            }
            curve.push(point);
        }
        chart
            .draw_series(LineSeries::new(curve, color.stroke_width(2)))?
            .label(set.name.clone())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
        chart.draw_series(at_threshold.map(|point| Circle::new(point, 4, color.filled())))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    root.present()?;
    Ok(())
}
