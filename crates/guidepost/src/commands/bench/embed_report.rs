//! What `guidepost bench embed` says: the shape of its JSON, its tables and its plot.

use std::io::Write;
use std::path::Path;

use guidepost_text::{Embed, Embedding};
use serde::Serialize;

use super::embed::{Kind, Material, Run, Workload};
use super::machine::{Machine, peak_resident_bytes};
use super::plot::Plot;
use super::statistics::{Latency, Parity, median, overtaking};
use super::{Report, SCHEMA_VERSION};
use crate::output::table::{self, number, percent};

#[derive(Debug, Serialize)]
pub(super) struct EmbedReport {
    schema_version: u32,
    command: &'static str,
    machine: Machine,
    /// The model's name.
    model: String,
    /// Passages that were embedded.
    texts: usize,
    /// Tokens of all passages, special tokens included.
    tokens: usize,
    rounds: usize,
    configurations: Vec<Row>,
    /// Of every GPU over every configuration of the processor.
    overtaking: Vec<Overtaking>,
    /// Most memory that the process ever had resident, all configurations loaded; `null` where the system does not say.
    peak_resident_bytes: Option<u64>,
}

/// One configuration.
#[derive(Debug, Serialize)]
struct Row {
    /// Short name: `cpu fast, 2 threads`.
    name: String,
    device: String,
    precision: String,
    /// `null` on a GPU.
    threads: Option<usize>,
    /// What really ran the model.
    description: String,
    fingerprint: String,
    load_ms: f64,
    first_call_ms: f64,
    /// Measured multiplications and additions of f32 on these threads; `null` on a GPU.
    peak_gflops: Option<f64>,
    /// All passages in one call.
    natural: Speed,
    /// Passages, so many in a call.
    batches: Vec<Speed>,
    /// Texts of one length.
    lengths: Vec<Speed>,
    /// One question a call, warm.
    question: Latency,
    phases: Phases,
    parity: Parity,
}

/// How fast texts were embedded; medians of the rounds.
#[derive(Debug, Serialize)]
struct Speed {
    texts_per_call: usize,
    /// Of each text, for texts of one length.
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<usize>,
    texts: usize,
    tokens: usize,
    /// Of each round, for all of these texts.
    seconds: Vec<f64>,
    texts_per_second: f64,
    tokens_per_second: f64,
    /// Operations of the model in a second over the measured peak of f32; `null` on a GPU.
    share_of_peak: Option<f64>,
}

/// Where the time of a call goes when nothing overlaps: shares of 1, medians of the rounds.
#[derive(Debug, Serialize)]
struct Phases {
    tokenize: f64,
    copy: f64,
    forward: f64,
    pool: f64,
    /// Share of the computed tokens that only fill up shorter texts.
    padding: f64,
}

/// From which number of texts per call on a GPU is faster.
#[derive(Debug, Serialize)]
struct Overtaking {
    gpu: String,
    cpu: String,
    /// `null` where it never is.
    texts_per_call: Option<usize>,
}

impl Report for EmbedReport {
    fn print(&self) -> std::io::Result<()> {
        let out = &mut anstream::stdout().lock();
        writeln!(out, "{}", self.machine.describe())?;
        let mean = self.tokens as f64 / self.texts.max(1) as f64;
        writeln!(
            out,
            "{}: {} passages, {mean:.0} tokens each on average; medians of {} rounds",
            self.model, self.texts, self.rounds
        )?;
        self.print_configurations(out)?;
        self.print_throughput(out)?;
        self.print_lengths(out)?;
        self.print_batches(out)?;
        self.print_question(out)?;
        self.print_phases(out)?;
        self.print_parity(out)?;
        self.print_overtaking(out)?;
        if let Some(bytes) = self.peak_resident_bytes {
            writeln!(out, "\nmost memory resident, everything loaded: {} MB", number(bytes as f64 / 1e6))?;
        }
        Ok(())
    }

    /// Tokens per second against texts per call.
    fn plot(&self, path: &Path) -> anyhow::Result<()> {
        let point = |speed: &Speed| (speed.texts_per_call as f64, speed.tokens_per_second);
        let line = |row: &Row| (row.name.clone(), row.batches.iter().map(point).collect());
        let mut devices: Vec<&str> = self.configurations.iter().map(|row| row.device.as_str()).collect();
        devices.dedup();
        let title = format!("{} on {}", self.model, devices.join(" and "));
        let plot = Plot {
            title: &title,
            subtitle: &self.machine.describe(),
            x_label: "texts per call",
            y_label: "tokens per second",
            series: self.configurations.iter().map(line).collect(),
        };
        plot.write(path)
    }
}

impl EmbedReport {
    pub(super) fn new(
        runs: &[Run],
        reference: &[Embedding],
        material: &Material,
        model: &str,
        rounds: usize,
    ) -> Self {
        let configurations: Vec<Row> = runs.iter().map(|run| Row::new(run, reference)).collect();
        EmbedReport {
            schema_version: SCHEMA_VERSION,
            command: "bench embed",
            machine: Machine::this(),
            model: model.to_owned(),
            texts: material.passages.len(),
            tokens: material.passages.iter().map(|text| text.tokens).sum(),
            rounds,
            overtaking: all_overtaking(&configurations),
            configurations,
            peak_resident_bytes: peak_resident_bytes(),
        }
    }

    /// A table with a row per configuration.
    fn rows(&self, cells: impl Fn(&Row) -> Vec<String>) -> Vec<Vec<String>> {
        let row = |row: &Row| std::iter::once(row.name.clone()).chain(cells(row)).collect();
        self.configurations.iter().map(row).collect()
    }

    fn print_configurations(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let rows = self.rows(|row| vec![row.description.clone()]);
        table::print("What really ran", &["configuration", "ran as"], &rows, "", out)
    }

    fn print_throughput(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let rows = self.rows(|row| {
            let speed = &row.natural;
            vec![
                number(speed.texts_per_second),
                number(speed.tokens_per_second),
                row.peak_gflops.map_or("-".to_owned(), number),
                speed.share_of_peak.map_or("-".to_owned(), percent),
            ]
        });
        let header = ["all passages in one call", "texts/s", "tokens/s", "peak GFLOP/s", "of peak"];
        let remark = "The peak is that of f32 multiply-adds, measured on the same threads in the same rounds; formats \
                      narrower than f32 can exceed it.";
        table::print("Throughput on natural lengths", &header, &rows, remark, out)
    }

    fn print_lengths(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let Some(first) = self.configurations.first().filter(|row| !row.lengths.is_empty()) else {
            return Ok(());
        };
        let lengths = first.lengths.iter().filter_map(|speed| speed.length);
        let titles: Vec<String> = lengths.map(|length| format!("{length} tokens")).collect();
        let header: Vec<&str> =
            ["tokens/s (of peak)"].into_iter().chain(titles.iter().map(String::as_str)).collect();
        let cell = |speed: &Speed| match speed.share_of_peak {
            Some(share) => format!("{} ({:.0} %)", number(speed.tokens_per_second), share * 100.0),
            None => number(speed.tokens_per_second),
        };
        let rows = self.rows(|row| row.lengths.iter().map(cell).collect());
        table::print("Throughput on texts of one length", &header, &rows, "", out)
    }

    fn print_batches(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let Some(first) = self.configurations.first().filter(|row| !row.batches.is_empty()) else {
            return Ok(());
        };
        let sizes: Vec<String> = first.batches.iter().map(|speed| speed.texts_per_call.to_string()).collect();
        let header: Vec<&str> = ["texts/s"].into_iter().chain(sizes.iter().map(String::as_str)).collect();
        let rows = self.rows(|row| row.batches.iter().map(|speed| number(speed.texts_per_second)).collect());
        table::print("Throughput by texts per call", &header, &rows, "", out)
    }

    fn print_question(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let rows = self.rows(|row| {
            let question = &row.question;
            [question.p50_ms, question.p95_ms, question.p99_ms, row.load_ms, row.first_call_ms]
                .map(number)
                .to_vec()
        });
        let header = ["milliseconds", "p50", "p95", "p99", "load the model", "first call"];
        let asked = self.configurations.first().map_or(0, |row| row.question.all_ms.len());
        let remark = format!("{asked} questions, one a call. Loading and the first call are cold.");
        table::print("One question", &header, &rows, &remark, out)
    }

    fn print_phases(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let rows = self.rows(|row| {
            let phases = &row.phases;
            [phases.tokenize, phases.copy, phases.forward, phases.pool, phases.padding].map(percent).to_vec()
        });
        let header = ["share", "tokenize", "copy", "model", "pool", "padding"];
        let remark = "Phases one after another, as they are when nothing overlaps. Padding: computed tokens that only \
                      fill up shorter texts.";
        table::print("Where the time goes", &header, &rows, remark, out)
    }

    fn print_parity(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let rows = self.rows(|row| {
            let Parity { cosine_min, cosine_mean, top10_overlap } = row.parity;
            vec![format!("{cosine_min:.6}"), format!("{cosine_mean:.6}"), percent(top10_overlap)]
        });
        let header = ["against f32 on the processor", "smallest cosine", "mean cosine", "same ten nearest"];
        table::print("How close the vectors are", &header, &rows, "", out)
    }

    fn print_overtaking(&self, out: &mut dyn Write) -> std::io::Result<()> {
        if self.overtaking.is_empty() {
            return Ok(());
        }
        let row = |found: &Overtaking| {
            let from = found.texts_per_call.map_or("never".to_owned(), |size| size.to_string());
            vec![found.gpu.clone(), found.cpu.clone(), from]
        };
        let rows: Vec<Vec<String>> = self.overtaking.iter().map(row).collect();
        table::print(
            "From how many texts a call on the GPU is faster",
            &["GPU", "than", "texts a call"],
            &rows,
            "",
            out,
        )
    }
}

impl Row {
    fn new(run: &Run, reference: &[Embedding]) -> Self {
        let (contender, configuration) = (&run.contender, &run.contender.configuration);
        let (mut natural, mut batches, mut lengths) = (None, Vec::new(), Vec::new());
        for workload in &run.workloads {
            let speed = Speed::new(workload, run);
            match workload.kind {
                Kind::Natural => natural = Some(speed),
                Kind::Batch(_) => batches.push(speed),
                Kind::Length(_) => lengths.push(speed),
            }
        }
        Row {
            name: configuration.label(),
            device: configuration.device().to_owned(),
            precision: configuration.precision.to_string(),
            threads: configuration.threads,
            description: contender.model.description().to_owned(),
            fingerprint: contender.model.fingerprint().to_owned(),
            load_ms: contender.load_ms,
            first_call_ms: contender.first_call_ms,
            peak_gflops: run.peak_gflops,
            natural: natural.expect("the first workload is the natural one"),
            batches,
            lengths,
            question: Latency::new(run.latency_ms.clone()),
            phases: Phases::new(run),
            parity: Parity::new(reference, &run.embeddings),
        }
    }
}

impl Speed {
    fn new(workload: &Workload, run: &Run) -> Self {
        let tokens: usize = workload.texts.iter().map(|text| text.tokens).sum();
        let operations = |tokens: usize| run.contender.model.operations(tokens) as f64;
        let operations: f64 = workload.texts.iter().map(|text| operations(text.tokens)).sum();
        let seconds = median(&workload.seconds).max(1e-9);
        Speed {
            texts_per_call: workload.per_call,
            length: match workload.kind {
                Kind::Length(length) => Some(length),
                Kind::Natural | Kind::Batch(_) => None,
            },
            texts: workload.texts.len(),
            tokens,
            texts_per_second: workload.texts.len() as f64 / seconds,
            tokens_per_second: tokens as f64 / seconds,
            share_of_peak: run.peak_gflops.map(|peak| operations / seconds / (peak * 1e9)),
            seconds: workload.seconds.clone(),
        }
    }
}

impl Phases {
    fn new(run: &Run) -> Self {
        let shares: Vec<[f64; 5]> = run
            .phases
            .iter()
            .map(|measured| {
                let parts = [measured.tokenize, measured.copy, measured.forward, measured.pool];
                let parts = parts.map(|part| part.as_secs_f64());
                let all = parts.iter().sum::<f64>().max(1e-9);
                let padding = 1.0 - measured.tokens as f64 / measured.computed_tokens.max(1) as f64;
                [parts[0] / all, parts[1] / all, parts[2] / all, parts[3] / all, padding]
            })
            .collect();
        let middle = |at: usize| median(&shares.iter().map(|share| share[at]).collect::<Vec<_>>());
        Phases {
            tokenize: middle(0),
            copy: middle(1),
            forward: middle(2),
            pool: middle(3),
            padding: middle(4),
        }
    }
}

fn all_overtaking(rows: &[Row]) -> Vec<Overtaking> {
    let speeds = |row: &Row| -> Vec<(usize, f64)> {
        row.batches.iter().map(|speed| (speed.texts_per_call, speed.texts_per_second)).collect()
    };
    let (cpus, gpus): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.threads.is_some());
    let pair = |gpu: &Row, cpu: &Row| Overtaking {
        gpu: gpu.name.clone(),
        cpu: cpu.name.clone(),
        texts_per_call: overtaking(&speeds(cpu), &speeds(gpu)),
    };
    gpus.iter().flat_map(|gpu| cpus.iter().map(move |cpu| pair(gpu, cpu))).collect()
}
