//! Fits the confidence of a hit, and checks it. For each collection, its own questions (the first three hits, right
//! or wrong by its judgments) and as many of the other collections (always wrong: nothing here answers them). The
//! collections before `--` fit, those after it check; `--shipped` among the latter stands for the guides that ship
//! with `corpus/questions.jsonl`.
//!
//!     cargo run --release -p guidepost-benches --bin confidence -- DIR... -- DIR... --shipped

use std::path::Path;

use guidepost_benches::shipped::Shipped;
use guidepost_benches::{Collection, load_model};
use guidepost_index::Snapshot;
use guidepost_query::{Evidence, Hit, Mode, Question, SearchOptions, confidence, search};
use guidepost_text::Embed;

/// Questions of a collection that are used; more would only repeat.
const QUESTIONS: usize = 300;
const HITS: usize = 3;
const THRESHOLDS: [f32; 6] = [0.05, 0.07, 0.1, 0.12, 0.15, 0.2];

/// What was seen, and whether the hit was right.
#[derive(Clone, Copy)]
struct Example {
    evidence: Evidence,
    right: bool,
}

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

#[expect(clippy::print_stdout, reason = "the tables are what the program is for")]
fn main() -> anyhow::Result<()> {
    let model = load_model()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut halves = arguments.split(|argument| argument == "--");
    let read =
        |names: &[String]| names.iter().map(|name| set(name, &model)).collect::<anyhow::Result<Vec<_>>>();
    let (fit, check) = (read(halves.next().unwrap_or_default())?, read(halves.next().unwrap_or_default())?);
    for (mode, title) in [(Mode::Hybrid, "with vectors"), (Mode::Bm25, "words alone")] {
        let embedder: Option<&dyn Embed> = (mode == Mode::Hybrid).then_some(&model);
        let examples: Vec<Example> = (0..fit.len())
            .map(|at| examples(&fit, at, embedder))
            .collect::<anyhow::Result<Vec<_>>>()?
            .concat()
            .concat();
        let [intercept, cosine, coverage] = fit_logistic(&examples);
        println!("{title}: fitted intercept {intercept:.2}, cosine {cosine:.2}, coverage {coverage:.2}\n");
        println!("| checked on | examples | right | ECE | AUROC |");
        println!("|---|---|---|---|---|");
        for at in 0..check.len() {
            let all = self::examples(&check, at, embedder)?.concat();
            println!(
                "| {} | {} | {} | {:.3} | {:.3} |",
                check[at].name,
                all.len(),
                all.iter().filter(|example| example.right).count(),
                calibration_error(&all),
                auroc(&all),
            );
        }
        println!(
            "\n| questions answered from this confidence on | {} |",
            THRESHOLDS.map(|t| t.to_string()).join(" | ")
        );
        println!("|---|{}", "---|".repeat(THRESHOLDS.len()));
        for at in 0..check.len() {
            let questions = self::examples(&check, at, embedder)?;
            let (own, foreign) = questions.split_at(check[at].questions.len());
            let split = own.iter().zip(&check[at].answerable);
            let part = |wanted: bool| {
                split.clone().filter(move |(_, answerable)| **answerable == wanted).map(|(q, _)| q)
            };
            let rows: [(&str, Vec<&Vec<Example>>); 3] = [
                ("something answers", part(true).collect()),
                ("nothing answers", part(false).collect()),
                ("of another collection", foreign.iter().collect()),
            ];
            for (title, questions) in rows.iter().filter(|(_, questions)| !questions.is_empty()) {
                let cells = THRESHOLDS
                    .map(|threshold| format!("{:.0} %", answered(questions, threshold)))
                    .join(" | ");
                println!("| {}, {title} ({}) | {cells} |", check[at].name, questions.len());
            }
        }
        println!();
    }
    Ok(())
}

/// The hits of a collection's own questions, then of as many of the others.
fn examples(sets: &[Set], at: usize, embedder: Option<&dyn Embed>) -> anyhow::Result<Vec<Vec<Example>>> {
    let mut examples = examples_of(&sets[at], &sets[at].questions, true, embedder)?;
    let others: Vec<&String> = sets
        .iter()
        .enumerate()
        .filter(|(other, _)| *other != at)
        .flat_map(|(_, set)| &set.questions)
        .collect();
    let step = (others.len() / sets[at].questions.len().max(1)).max(1);
    let foreign: Vec<String> =
        others.into_iter().step_by(step).take(sets[at].questions.len()).cloned().collect();
    examples.extend(examples_of(&sets[at], &foreign, false, embedder)?);
    Ok(examples)
}

fn examples_of(
    set: &Set,
    questions: &[String],
    own: bool,
    embedder: Option<&dyn Embed>,
) -> anyhow::Result<Vec<Vec<Example>>> {
    let mut examples = Vec::new();
    let options = SearchOptions { limit: HITS, mode: Mode::Hybrid, min_confidence: 0.0 };
    for (number, text) in questions.iter().enumerate() {
        let example = |hit: &Hit| {
            let evidence = Evidence { cosine: hit.trace.fused.dense, coverage: hit.trace.coverage };
            Example { evidence, right: own && (set.is_right)(number, hit) }
        };
        let question = Question::new(text)?.understood_by(&set.snapshot, embedder)?;
        let hits = search(&set.snapshot, embedder, &question, options)?;
        examples.push(hits.iter().map(example).collect());
    }
    Ok(examples)
}

fn set(name: &str, model: &dyn Embed) -> anyhow::Result<Set> {
    if name == "--shipped" {
        return shipped(model);
    }
    let collection = Collection::read(Path::new(name))?;
    let step = (collection.queries.len() / QUESTIONS).max(1);
    let chosen: Vec<_> = collection.queries.iter().step_by(step).take(QUESTIONS).collect();
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

/// The guides that ship. Questions that nothing answers count as their own and are always wrong.
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

/// Maximum likelihood by Newton's method with a slight ridge.
fn fit_logistic(examples: &[Example]) -> [f64; 3] {
    let mut weights = [0.0f64; 3];
    for _ in 0..50 {
        let mut gradient = [0.0f64; 3];
        let mut hessian = [[0.0f64; 3]; 3];
        for example in examples {
            let features = [
                1.0,
                f64::from(example.evidence.cosine.unwrap_or(0.0)),
                f64::from(example.evidence.coverage),
            ];
            let logit: f64 = features.iter().zip(&weights).map(|(x, w)| x * w).sum();
            let chance = 1.0 / (1.0 + (-logit).exp());
            for i in 0..3 {
                gradient[i] += features[i] * (f64::from(u8::from(example.right)) - chance);
                for j in 0..3 {
                    hessian[i][j] += features[i] * features[j] * chance * (1.0 - chance);
                }
            }
        }
        for i in 0..3 {
            gradient[i] -= 1e-3 * weights[i];
            hessian[i][i] += 1e-3;
        }
        let step = solve(hessian, gradient);
        weights.iter_mut().zip(step).for_each(|(weight, step)| *weight += step);
    }
    weights
}

/// Gaussian elimination; the ridge keeps the pivots away from zero.
fn solve(mut a: [[f64; 3]; 3], mut b: [f64; 3]) -> [f64; 3] {
    for pivot in 0..3 {
        for row in pivot + 1..3 {
            let factor = a[row][pivot] / a[pivot][pivot];
            let (above, below) = a.split_at_mut(row);
            below[0].iter_mut().zip(&above[pivot]).for_each(|(value, above)| *value -= factor * above);
            b[row] -= factor * b[pivot];
        }
    }
    let mut x = [0.0; 3];
    for row in (0..3).rev() {
        let known: f64 = (row + 1..3).map(|column| a[row][column] * x[column]).sum();
        x[row] = (b[row] - known) / a[row][row];
    }
    x
}

/// Expected calibration error over ten bins of equal width, of the coefficients in the program.
fn calibration_error(examples: &[Example]) -> f64 {
    let mut bins = [(0.0, 0.0, 0.0); 10];
    for example in examples {
        let chance = f64::from(confidence(example.evidence));
        let bin = &mut bins[((chance * 10.0) as usize).min(9)];
        *bin = (bin.0 + 1.0, bin.1 + chance, bin.2 + f64::from(u8::from(example.right)));
    }
    let off = |&(_, chance, right): &(f64, f64, f64)| (chance - right).abs();
    bins.iter().map(off).sum::<f64>() / examples.len().max(1) as f64
}

/// Chance that a right hit has more confidence than a wrong one.
fn auroc(examples: &[Example]) -> f64 {
    let score = |right: bool| {
        let of = examples.iter().filter(move |example| example.right == right);
        of.map(|example| confidence(example.evidence)).collect::<Vec<_>>()
    };
    let (right, wrong) = (score(true), score(false));
    let wins: f64 = right
        .iter()
        .flat_map(|r| {
            wrong.iter().map(move |w| {
                if r > w {
                    1.0
                } else if r == w {
                    0.5
                } else {
                    0.0
                }
            })
        })
        .sum();
    wins / (right.len() * wrong.len()).max(1) as f64
}

/// Percent of questions with a hit of at least this confidence.
fn answered(questions: &[&Vec<Example>], threshold: f32) -> f64 {
    let reaches = |hits: &&&Vec<Example>| hits.iter().any(|hit| confidence(hit.evidence) >= threshold);
    100.0 * questions.iter().filter(reaches).count() as f64 / questions.len().max(1) as f64
}
