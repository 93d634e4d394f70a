//! `guidepost bench embed`: the model's speed, on as many devices, precisions and numbers of threads as are asked for.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Instant;

use guidepost_model::{LocatedModel, Measured, measured_peak};
use guidepost_text::{Embed, Embedding, TextRole};

use super::configuration::{Configuration, Contender, milliseconds};
use super::embed_report::EmbedReport;
use super::{ROUNDS, publish, texts};
use crate::Outcome;
use crate::cli::{BenchEmbedArgs, IndexPlace, ModelArgs};
use crate::console::{Console, count};
use crate::engine::Engine;
use crate::settings::UserSettings;
use crate::shipped;

/// Texts per call that are compared where nobody says otherwise.
const BATCHES: [usize; 6] = [1, 4, 16, 64, 256, 1024];
/// Lengths that texts are cut or filled to, in tokens.
const LENGTHS: [usize; 3] = [32, 128, 256];
/// Questions that are asked of each configuration one by one, at least.
const QUESTIONS: usize = 100;

/// How long the parts of a measurement shall take.
#[derive(Debug, Clone, Copy)]
struct Pace {
    rounds: usize,
    /// Passages at most.
    texts: usize,
    /// Seconds that one timing of a batch size or a length shall take, about.
    seconds: f64,
}

impl Pace {
    fn of(args: &BenchEmbedArgs) -> Self {
        match args.quick {
            true => Pace { rounds: args.rounds.unwrap_or(1), texts: 64, seconds: 0.05 },
            false => Pace { rounds: args.rounds.unwrap_or(ROUNDS), texts: usize::MAX, seconds: 1.0 },
        }
    }
}

pub(crate) fn run(args: &BenchEmbedArgs, console: &Console) -> anyhow::Result<Outcome> {
    let user = UserSettings::load(console)?;
    let engine = engine(args, &user, console)?;
    let configurations = Configuration::all(args, user.device()?, console)?;
    let model = engine.weights()?;
    let questions = shipped::questions();
    let load = |configuration| Contender::load(configuration, &model, &questions[0]);
    let contenders = configurations.into_iter().map(load).collect::<anyhow::Result<Vec<_>>>()?;
    let pace = Pace::of(args);
    let ruler = &contenders[0].model;
    let mut passages = texts::passages(args.texts.as_deref(), &engine.shipped, ruler)?;
    passages.truncate(pace.texts);
    let material = Material::new(&passages, &questions, ruler);
    console.note(&format!(
        "measuring {} with {}, {}",
        count(contenders.len(), "configuration"),
        count(passages.len(), "text"),
        count(pace.rounds, "round")
    ));
    let mut runs = Vec::new();
    for contender in contenders {
        console.detail(|| format!("warming up {}", contender.model.description()));
        runs.push(Run::warm_up(contender, &material, args, pace)?);
    }
    measure(&mut runs, &material, pace, console)?;
    let reference = reference(&runs, &model, &material)?;
    let report = EmbedReport::new(&runs, &reference, &material, &model.name, pace.rounds);
    publish(&report, &args.output)
}

fn engine<'a>(
    args: &BenchEmbedArgs,
    user: &UserSettings,
    console: &'a Console,
) -> anyhow::Result<Engine<'a>> {
    let model = ModelArgs { source: args.source.clone(), device: None, precision: None, threads: None };
    Engine::new(&IndexPlace { index: None }, Some(&model), user, console)
}

/// What is embedded.
pub(super) struct Material<'a> {
    pub(super) passages: Vec<Text<'a>>,
    /// Texts of one length, for each length that the model takes.
    fixed: Vec<(usize, Vec<Text<'a>>)>,
    questions: &'a [String],
}

/// A text, and its length in tokens as the model sees it.
#[derive(Clone)]
pub(super) struct Text<'a> {
    text: Cow<'a, str>,
    pub(super) tokens: usize,
}

impl<'a> Material<'a> {
    fn new(passages: &'a [String], questions: &'a [String], ruler: &dyn Embed) -> Self {
        let fits = |length: &usize| *length <= ruler.max_tokens();
        let fixed = LENGTHS.into_iter().filter(fits).map(|length| {
            let texts = texts::of_length(passages, length, passages.len().min(1024), ruler);
            (length, sized(texts.into_iter().map(Cow::Owned), ruler))
        });
        Material {
            fixed: fixed.collect(),
            passages: sized(passages.iter().map(|text| Cow::Borrowed(text.as_str())), ruler),
            questions,
        }
    }
}

fn sized<'a>(texts: impl Iterator<Item = Cow<'a, str>>, ruler: &dyn Embed) -> Vec<Text<'a>> {
    let texts: Vec<Cow<'a, str>> = texts.collect();
    let plain: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
    let lengths = ruler.count_tokens(&plain);
    let cut = lengths.into_iter().map(|length| length.min(ruler.max_tokens()));
    texts.iter().cloned().zip(cut).map(|(text, tokens)| Text { text, tokens }).collect()
}

/// Which texts, and how many in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// All passages in one call.
    Natural,
    /// Passages, so many in a call.
    Batch(usize),
    /// Texts of so many tokens in one call.
    Length(usize),
}

/// Texts to be embedded again and again, and how long that took.
pub(super) struct Workload<'a> {
    pub(super) kind: Kind,
    pub(super) texts: &'a [Text<'a>],
    pub(super) per_call: usize,
    /// Of each round.
    pub(super) seconds: Vec<f64>,
}

impl Workload<'_> {
    fn time(&mut self, contender: &Contender) -> anyhow::Result<()> {
        let texts = plain(self.texts);
        let start = Instant::now();
        for call in texts.chunks(self.per_call) {
            contender.embed(call, TextRole::Passage)?;
        }
        self.seconds.push(start.elapsed().as_secs_f64());
        Ok(())
    }
}

fn plain<'a>(texts: &'a [Text]) -> Vec<&'a str> {
    texts.iter().map(|text| text.text.as_ref()).collect()
}

/// A contender with all of its measurements.
pub(super) struct Run<'a> {
    pub(super) contender: Contender,
    pub(super) workloads: Vec<Workload<'a>>,
    /// Of every question, asked alone.
    pub(super) latency_ms: Vec<f64>,
    /// Of each round; without the embeddings.
    pub(super) phases: Vec<Measured>,
    phase_texts: &'a [Text<'a>],
    /// Of all passages.
    pub(super) embeddings: Vec<Embedding>,
    /// Most multiplications and additions of f32 that its threads did in a second, in GFLOP/s; `None` on a GPU.
    pub(super) peak_gflops: Option<f64>,
}

impl<'a> Run<'a> {
    /// Embeds everything once, which tells how much work fits the time there is.
    fn warm_up(
        contender: Contender,
        material: &'a Material,
        args: &BenchEmbedArgs,
        pace: Pace,
    ) -> anyhow::Result<Self> {
        let all = plain(&material.passages);
        contender.embed(&all[..all.len().min(16)], TextRole::Passage)?;
        let start = Instant::now();
        let embeddings = contender.embed(&all, TextRole::Passage)?;
        let seconds = start.elapsed().as_secs_f64();
        let tokens: usize = material.passages.iter().map(|text| text.tokens).sum();
        let per_second = tokens as f64 / seconds.max(1e-9);
        let workloads = workloads(material, args, pace.seconds * per_second);
        let phase_texts = within(&material.passages, pace.seconds * per_second, 1);
        let (latency_ms, phases) = (Vec::new(), Vec::new());
        Ok(Run { contender, workloads, latency_ms, phases, phase_texts, embeddings, peak_gflops: None })
    }

    fn steps(&self) -> usize {
        self.workloads.len() + 2
    }

    fn step(&mut self, step: usize, questions: &[&str]) -> anyhow::Result<()> {
        match step.checked_sub(self.workloads.len()) {
            None => self.workloads[step].time(&self.contender),
            Some(0) => self.ask(questions),
            Some(_) => {
                let measured = self.contender.measure(&plain(self.phase_texts))?;
                self.phases.push(Measured { embeddings: Vec::new(), ..measured });
                Ok(())
            }
        }
    }

    fn ask(&mut self, questions: &[&str]) -> anyhow::Result<()> {
        for question in questions {
            let start = Instant::now();
            self.contender.embed(&[question], TextRole::Question)?;
            self.latency_ms.push(milliseconds(start));
        }
        Ok(())
    }
}

/// The natural lengths, every batch size, every fixed length; of so many tokens each, about, but the first whole.
fn workloads<'a>(material: &'a Material, args: &BenchEmbedArgs, tokens: f64) -> Vec<Workload<'a>> {
    let passages = &material.passages[..];
    let workload =
        |kind, texts: &'a [Text<'a>], per_call| Workload { kind, texts, per_call, seconds: Vec::new() };
    let mut sizes = if args.batch.is_empty() { BATCHES.to_vec() } else { args.batch.clone() };
    sizes.retain(|&size| size <= passages.len());
    sizes.sort_unstable();
    sizes.dedup();
    let natural = workload(Kind::Natural, passages, passages.len());
    let batches =
        sizes.into_iter().map(|size| workload(Kind::Batch(size), within(passages, tokens, size), size));
    let fixed = material.fixed.iter().map(|(length, texts)| {
        let texts = within(texts, tokens, 8);
        workload(Kind::Length(*length), texts, texts.len())
    });
    std::iter::once(natural).chain(batches).chain(fixed).collect()
}

/// The first texts, in whole calls, that have so many tokens together; one call at least.
fn within<'a>(texts: &'a [Text<'a>], tokens: f64, per_call: usize) -> &'a [Text<'a>] {
    let mut sum = 0;
    let fitting = texts.iter().take_while(|text| {
        sum += text.tokens;
        sum as f64 <= tokens
    });
    let calls = (fitting.count() / per_call).max(1);
    &texts[..(calls * per_call).min(texts.len())]
}

/// All rounds. Contenders take turns in every step, and another one begins in every round.
fn measure(runs: &mut [Run], material: &Material, pace: Pace, console: &Console) -> anyhow::Result<()> {
    let steps = runs.first().map_or(0, Run::steps);
    let asked = material.questions.len().max(QUESTIONS.div_ceil(pace.rounds));
    let questions: Vec<&str> = material.questions.iter().map(String::as_str).cycle().take(asked).collect();
    let progress = console.steps((pace.rounds * steps * runs.len()) as u64);
    for round in 0..pace.rounds {
        measure_peaks(runs)?;
        for step in 0..steps {
            for turn in 0..runs.len() {
                let at = (turn + round) % runs.len();
                runs[at].step(step, &questions)?;
                progress.inc(1);
            }
        }
    }
    progress.finish_and_clear();
    Ok(())
}

/// What the processor can do, anew in each round; the best counts.
fn measure_peaks(runs: &mut [Run]) -> anyhow::Result<()> {
    let mut peaks: BTreeMap<usize, f64> = BTreeMap::new();
    for run in runs {
        let Some(threads) = run.contender.configuration.threads else { continue };
        let peak = match peaks.get(&threads) {
            Some(peak) => *peak,
            None => measured_peak(threads)?,
        };
        peaks.insert(threads, peak);
        run.peak_gflops = Some(run.peak_gflops.unwrap_or(0.0).max(peak));
    }
    Ok(())
}

/// The vectors that all others are held against: f32 on the processor, from a contender if there is such a one.
fn reference(runs: &[Run], model: &LocatedModel, material: &Material) -> anyhow::Result<Vec<Embedding>> {
    if let Some(run) = runs.iter().find(|run| run.contender.configuration.is_reference()) {
        return Ok(run.embeddings.clone());
    }
    let texts = plain(&material.passages);
    let contender = Contender::load(Configuration::reference()?, model, texts[0])?;
    contender.embed(&texts, TextRole::Passage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_comes_in_whole_calls() {
        let texts = vec![Text { text: "a".into(), tokens: 10 }; 10];
        for (tokens, per_call, expected) in
            [(45.0, 1, 4), (45.0, 4, 4), (75.0, 4, 4), (85.0, 4, 8), (5.0, 4, 4), (1e9, 4, 8), (1e9, 100, 10)]
        {
            assert_eq!(within(&texts, tokens, per_call).len(), expected, "{tokens} {per_call}");
        }
    }
}
