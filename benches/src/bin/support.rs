//! How well sentences that a language model could have written are told apart by whether the passage that they cite supports
//! them: on pairs labeled by hand, `benches/support_pairs.jsonl`. Weights and thresholds were chosen on the pairs with even
//! numbers.
//!
//!     cargo run --release -p guidepost-benches --bin support [-- --signals]
//!
//! `--signals` prints what each pair has in common instead, one JSON object a line.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use anyhow::Context;
use guidepost_benches::{load_model, percent_interval, read_lines};
use guidepost_query::{Fault, Grounds, NumberedSource, SUPPORTED, Support, embed_with_tokens};
use guidepost_text::{Embed, Lines, Random, Span, TextRole, sentences};
use serde::Deserialize;
use serde_json::json;

/// Thresholds between which a reader may choose.
const THRESHOLDS: [f32; 7] = [0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95];

/// A sentence and the passage that it cites.
#[derive(Deserialize)]
struct Pair {
    id: String,
    lines: [u32; 2],
    passage: String,
    sentence: String,
    /// `supported`, `changed` or `unrelated`.
    label: String,
    /// What is hard about it.
    kind: String,
}

/// A pair that was checked.
struct Checked {
    pair: Pair,
    support: Support,
    /// Cosine with the nearest sentence of the passage, or two that follow one another: what is simpler.
    cosine: f32,
    /// Milliseconds for the sentence, its embedding included, and for its embedding alone.
    check_ms: f64,
    embed_ms: f64,
}

/// A way to tell the pairs apart: its name, and a value that is high for those that are supported.
type Method = (&'static str, fn(&Checked) -> f32);

const METHODS: [Method; 5] = [
    ("the check", judged),
    ("its score alone", |checked| checked.support.score),
    ("its faults alone, without a score", |checked| if faultless(checked) { 1.0 } else { 0.0 }),
    ("cosine with the nearest sentence of the passage, or two", by_cosine),
    ("share of words that the passage holds", |checked| checked.support.signals.coverage),
];

#[expect(clippy::print_stdout, reason = "the tables are what the program is for")]
fn main() -> anyhow::Result<()> {
    let model = load_model()?;
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/support_pairs.jsonl");
    let pairs: Vec<Pair> = read_lines(file.as_ref())?;
    let checked: Vec<Checked> =
        pairs.into_iter().map(|pair| check(&model, pair)).collect::<Result<_, _>>()?;
    if std::env::args().any(|argument| argument == "--signals") {
        checked.iter().for_each(|checked| println!("{}", signals(checked)));
        return Ok(());
    }
    let (even, odd): (Vec<&Checked>, Vec<&Checked>) =
        checked.iter().partition(|checked| is_even(&checked.pair));
    println!("{}", methods(&even, &odd));
    println!("{}", thresholds(&even, &odd));
    println!("{}", kinds(&odd, best_threshold(&even, by_cosine)));
    println!("{}", times(&checked));
    Ok(())
}

fn check(model: &dyn Embed, pair: Pair) -> anyhow::Result<Checked> {
    let source = NumberedSource {
        number: 1,
        hit: 0,
        lines: Lines { first: pair.lines[0], last: pair.lines[1] },
        heading_path: Vec::new(),
        text: pair.passage.clone(),
    };
    let grounds = Grounds::new(model, &[source])?;
    let begun = Instant::now();
    let support = grounds.check(&pair.sentence, &[1]).with_context(|| format!("pair `{}`", pair.id))?;
    let check_ms = begun.elapsed().as_secs_f64() * 1e3;
    let begun = Instant::now();
    embed_with_tokens(model, &[&pair.sentence], TextRole::Passage)?;
    let embed_ms = begun.elapsed().as_secs_f64() * 1e3;
    let cosine = nearest_cosine(model, &pair)?;
    Ok(Checked { pair, support, cosine, check_ms, embed_ms })
}

fn nearest_cosine(model: &dyn Embed, pair: &Pair) -> anyhow::Result<f32> {
    let single = sentences(&pair.passage);
    let pairs = single.windows(2).map(|two| two[0].join(two[1]));
    let spans: Vec<Span> = single.iter().copied().chain(pairs).collect();
    let mut texts = vec![pair.sentence.as_str()];
    texts.extend(spans.iter().map(|span| span.of(&pair.passage)));
    let vectors = model.embed(&texts, TextRole::Passage, &|_| ())?;
    let (sentence, windows) = vectors.split_first().context("no embedding")?;
    Ok(windows.iter().map(|window| window.cosine(sentence)).fold(0.0, f32::max))
}

fn is_even(pair: &Pair) -> bool {
    pair.id.trim_start_matches('s').parse::<usize>().is_ok_and(|number| number % 2 == 0)
}

fn signals(checked: &Checked) -> serde_json::Value {
    let (pair, support) = (&checked.pair, &checked.support);
    let signals = support.signals;
    let faults: Vec<String> = support.faults.iter().map(|fault| format!("{fault:?}")).collect();
    json!({"id": pair.id, "label": pair.label, "kind": pair.kind, "cosine": checked.cosine, "words": signals.words,
           "weakest": signals.weakest, "coverage": signals.coverage, "score": support.score, "faults": faults})
}

/// Whether nothing speaks against a sentence but its score.
fn faultless(checked: &Checked) -> bool {
    checked.support.faults.iter().all(|fault| *fault == Fault::NotSaid)
}

/// The score, below 0 where a fault rules the sentence out whatever the threshold.
fn judged(checked: &Checked) -> f32 {
    checked.support.score - if faultless(checked) { 0.0 } else { 1.0 }
}

fn by_cosine(checked: &Checked) -> f32 {
    checked.cosine
}

fn is_supported(checked: &Checked) -> bool {
    checked.pair.label == "supported"
}

/// The check beside what is simpler, each with its best threshold on the even-numbered pairs.
fn methods(even: &[&Checked], odd: &[&Checked]) -> String {
    let mut table = "| odd-numbered pairs, told by | from | called supported, of those that are | supported, of those called so | \
                     area under the ROC curve | average precision |\n|---|---|---|---|---|---|\n"
        .to_owned();
    for (at, (name, value)) in METHODS.into_iter().enumerate() {
        let threshold = if at == 0 { SUPPORTED } else { best_threshold(even, value) };
        let scored: Vec<(f32, bool)> =
            odd.iter().map(|checked| (value(checked), is_supported(checked))).collect();
        let (area, average) = (resampled(&scored, auroc), resampled(&scored, average_precision));
        let [recall, precision] = recall_and_precision(odd, |checked| value(checked) >= threshold);
        table += &format!("| {name} | {threshold:.2} | {recall} | {precision} | {area} | {average} |\n");
    }
    table
}

/// The threshold with the best F0.5: what is called supported and is not counts more than what is marked and is.
fn best_threshold(pairs: &[&Checked], value: fn(&Checked) -> f32) -> f32 {
    let f_half = |threshold: f32| {
        let count = |of: &dyn Fn(&Checked) -> bool| pairs.iter().filter(|checked| of(checked)).count() as f64;
        let right = count(&|checked| is_supported(checked) && value(checked) >= threshold);
        1.25 * right / (count(&|checked| value(checked) >= threshold) + 0.25 * count(&is_supported)).max(1.0)
    };
    let thresholds = pairs.iter().map(|checked| value(checked));
    thresholds.max_by(|a, b| f_half(*a).total_cmp(&f_half(*b)).then(a.total_cmp(b))).unwrap_or(0.0)
}

fn recall_and_precision(pairs: &[&Checked], called: impl Fn(&Checked) -> bool) -> [String; 2] {
    let share = |of: Vec<bool>| {
        percent_interval(&of.into_iter().map(|is| f64::from(u8::from(is))).collect::<Vec<_>>())
    };
    let recall = pairs.iter().filter(|checked| is_supported(checked)).map(|checked| called(checked));
    let precision = pairs.iter().filter(|checked| called(checked)).map(|checked| is_supported(checked));
    [share(recall.collect()), share(precision.collect())]
}

/// What other thresholds of the score would give.
fn thresholds(even: &[&Checked], odd: &[&Checked]) -> String {
    let mut table = "| score from | even: called supported, of those that are | even: supported, of those called so | odd: called \
                     supported, of those that are | odd: supported, of those called so |\n|---|---|---|---|---|\n"
        .to_owned();
    for threshold in THRESHOLDS {
        let [even, odd] = [even, odd]
            .map(|pairs| recall_and_precision(pairs, |checked| judged(checked) >= threshold).join(" | "));
        table += &format!("| {threshold} | {even} | {odd} |\n");
    }
    table
}

/// What the check calls the pairs of each kind, beside the cosine from a threshold on.
fn kinds(pairs: &[&Checked], cosine: f32) -> String {
    let mut kinds: BTreeMap<(&str, &str), Vec<&Checked>> = BTreeMap::new();
    for checked in pairs {
        kinds.entry((&checked.pair.label, &checked.pair.kind)).or_default().push(checked);
    }
    let mut table =
        "| kind (odd-numbered) | pairs | called supported | so by the cosine alone | for what not |\n|---|---|---|---|---|\n"
            .to_owned();
    for ((label, kind), of_kind) in kinds {
        let share = |called: &dyn Fn(&Checked) -> bool| {
            percent_interval(
                &of_kind.iter().map(|checked| f64::from(u8::from(called(checked)))).collect::<Vec<_>>(),
            )
        };
        let called = share(&|checked| checked.support.faults.is_empty());
        let by_cosine = share(&|checked| by_cosine(checked) >= cosine);
        let why = reasons(&of_kind);
        table += &format!("| {label}: {kind} | {} | {called} | {by_cosine} | {why} |\n", of_kind.len());
    }
    table
}

/// Against how many sentences each kind of fault speaks.
fn reasons(pairs: &[&Checked]) -> String {
    let mut why: BTreeMap<&str, usize> = BTreeMap::new();
    for checked in pairs {
        let names: BTreeSet<&str> = checked.support.faults.iter().map(name).collect();
        names.into_iter().for_each(|name| *why.entry(name).or_default() += 1);
    }
    why.into_iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}

fn name(fault: &Fault) -> &'static str {
    match fault {
        Fault::Uncited => "uncited",
        Fault::NoSource(_) => "no source",
        Fault::NotSaid => "not said",
        Fault::Number(_) => "number",
        Fault::Name(_) => "name",
        Fault::Title(_) => "title",
        Fault::Misplaced(_) => "misplaced",
        Fault::Swapped(..) => "swapped",
        Fault::Opposite(..) => "opposite",
    }
}

fn times(checked: &[Checked]) -> String {
    let median = |of: fn(&Checked) -> f64| {
        let mut times: Vec<f64> = checked.iter().map(of).collect();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let (whole, embedding) = (median(|checked| checked.check_ms), median(|checked| checked.embed_ms));
    format!("median of a check: {whole:.1} ms, of which the sentence's embedding {embedding:.1} ms")
}

/// A measure of scored pairs with its 95 % interval over 1,000 resamples of them.
fn resampled(scored: &[(f32, bool)], measure: fn(&[(f32, bool)]) -> f64) -> String {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut resample = || (0..scored.len()).map(|_| scored[random.below(scored.len())]).collect::<Vec<_>>();
    let mut measured: Vec<f64> = (0..1000).map(|_| measure(&resample())).collect();
    measured.sort_by(f64::total_cmp);
    format!("{:.3} ({:.3} to {:.3})", measure(scored), measured[25], measured[974])
}

/// The chance that one that is supported scores above one that is not; half of it where they score the same.
fn auroc(scored: &[(f32, bool)]) -> f64 {
    let of = |wanted: bool| scored.iter().filter(move |(_, is)| *is == wanted).map(|(score, _)| *score);
    let above = |(one, other): (f32, f32)| match one.total_cmp(&other) {
        std::cmp::Ordering::Greater => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Less => 0.0,
    };
    let won: f64 = of(true).flat_map(|one| of(false).map(move |other| (one, other))).map(above).sum();
    won / (of(true).count() * of(false).count()).max(1) as f64
}

/// The mean, over those that are supported, of the precision from the score of each on.
fn average_precision(scored: &[(f32, bool)]) -> f64 {
    let precision = |score: f32| {
        let called = || scored.iter().filter(move |(other, _)| *other >= score);
        called().filter(|(_, is)| *is).count() as f64 / called().count().max(1) as f64
    };
    let right: Vec<f64> = scored.iter().filter(|(_, is)| *is).map(|(score, _)| precision(*score)).collect();
    right.iter().sum::<f64>() / right.len().max(1) as f64
}
