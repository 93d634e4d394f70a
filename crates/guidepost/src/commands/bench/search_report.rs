//! What `guidepost bench search` says: the shape of its JSON, its tables and its plot.

use std::io::Write;
use std::path::Path;

use serde::Serialize;

use super::machine::{Machine, peak_resident_bytes};
use super::plot::Plot;
use super::search::{Sample, Subject};
use super::statistics::{Latency, mean};
use super::{Report, SCHEMA_VERSION};
use crate::output::table::{self, number};

#[derive(Debug, Serialize)]
pub(super) struct SearchReport {
    schema_version: u32,
    command: &'static str,
    machine: Machine,
    /// Of the model that embeds the questions.
    fingerprint: String,
    questions: usize,
    rounds: usize,
    indexes: Vec<Row>,
    /// Most memory that the process ever had resident; `null` where the system does not say.
    peak_resident_bytes: Option<u64>,
}

/// One index.
#[derive(Debug, Serialize)]
struct Row {
    /// `this index` or `synthetic`.
    name: &'static str,
    passages: usize,
    bytes: u64,
    /// The question to tokens and through the model.
    embed: Latency,
    bm25: Latency,
    dense: Latency,
    /// Late interaction; `null` where the index keeps no token vectors.
    late: Option<Latency>,
    /// The cross-encoder; `null` without one.
    rerank: Option<Latency>,
    /// Fusion, reading the passages, confidence.
    rest: Latency,
    total: Latency,
    /// Searches one after another.
    queries_per_second: f64,
    /// The scan over all f32 rows on one thread, for comparison.
    exact_scan: Latency,
    /// Mean share of the ten truly nearest among the first ten of the dense leg, in [0, 1].
    recall_at_10: f64,
}

impl Report for SearchReport {
    fn print(&self) -> std::io::Result<()> {
        let out = &mut anstream::stdout().lock();
        writeln!(out, "{}", self.machine.describe())?;
        writeln!(out, "{}", self.fingerprint)?;
        writeln!(out, "{} questions, {} rounds", self.questions, self.rounds)?;
        self.print_totals(out)?;
        self.print_stages(out)?;
        self.print_recall(out)?;
        if let Some(bytes) = self.peak_resident_bytes {
            writeln!(out, "\nmost memory resident: {} MB", number(bytes as f64 / 1e6))?;
        }
        Ok(())
    }

    /// Milliseconds of each stage against the number of passages.
    fn plot(&self, path: &Path) -> anyhow::Result<()> {
        let mut rows: Vec<&Row> = self.indexes.iter().filter(|row| row.passages > 0).collect();
        rows.sort_by_key(|row| row.passages);
        let line = |name: &str, times: fn(&Row) -> Option<&Latency>| {
            let point = |row: &&Row| Some((row.passages as f64, times(row)?.p50_ms));
            (name.to_owned(), rows.iter().filter_map(point).collect::<Vec<_>>())
        };
        let mut series = vec![
            line("whole search", |row| Some(&row.total)),
            line("embed the question", |row| Some(&row.embed)),
            line("vectors", |row| Some(&row.dense)),
            line("words (BM25)", |row| Some(&row.bm25)),
            line("late interaction", |row| row.late.as_ref()),
            line("cross-encoder", |row| row.rerank.as_ref()),
            line("the rest", |row| Some(&row.rest)),
            line("exact f32 scan", |row| Some(&row.exact_scan)),
        ];
        series.retain(|(_, points)| !points.is_empty());
        let plot = Plot {
            title: "A search, stage by stage",
            subtitle: &self.machine.describe(),
            x_label: "passages in the index",
            y_label: "milliseconds (median)",
            series,
        };
        plot.write(path)
    }
}

impl SearchReport {
    pub(super) fn new(subjects: &[Subject], fingerprint: &str, questions: usize, rounds: usize) -> Self {
        SearchReport {
            schema_version: SCHEMA_VERSION,
            command: "bench search",
            machine: Machine::this(),
            fingerprint: fingerprint.to_owned(),
            questions,
            rounds,
            indexes: subjects.iter().map(Row::new).collect(),
            peak_resident_bytes: peak_resident_bytes(),
        }
    }

    /// A table with a row per index.
    fn rows(&self, cells: impl Fn(&Row) -> Vec<String>) -> Vec<Vec<String>> {
        let name = |row: &Row| format!("{}, {} passages", row.name, whole(row.passages));
        let row = |row: &Row| std::iter::once(name(row)).chain(cells(row)).collect();
        self.indexes.iter().map(row).collect()
    }

    fn print_totals(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let rows = self.rows(|row| {
            let total = &row.total;
            [total.p50_ms, total.p95_ms, total.p99_ms, row.queries_per_second].map(number).to_vec()
        });
        let header = ["milliseconds", "p50", "p95", "p99", "queries/s"];
        table::print("A whole search", &header, &rows, "Queries one after another.", out)
    }

    fn print_stages(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let cell = |times: &Latency| format!("{} / {}", number(times.p50_ms), number(times.p95_ms));
        let or_none = |times: &Option<Latency>| times.as_ref().map_or("-".to_owned(), cell);
        let reranks = self.indexes.iter().any(|row| row.rerank.is_some());
        let rows = self.rows(|row| {
            let mut cells = [&row.embed, &row.bm25, &row.dense].map(cell).to_vec();
            cells.push(or_none(&row.late));
            cells.extend(reranks.then(|| or_none(&row.rerank)));
            cells.push(cell(&row.rest));
            cells
        });
        let mut header = vec!["p50 / p95 in ms", "embed", "words", "vectors", "tokens"];
        header.extend(reranks.then_some("pairs"));
        header.push("the rest");
        let remark = "Embed: the question through the model. Words: BM25. Tokens: late interaction. Pairs: the cross-encoder. The rest: fusing both rankings, reading the passages, confidence.";
        table::print("Stage by stage", &header, &rows, remark, out)
    }

    fn print_recall(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let rows = self.rows(|row| {
            vec![
                format!("{:.4}", row.recall_at_10),
                number(row.dense.p50_ms),
                number(row.exact_scan.p50_ms),
                number(row.bytes as f64 / 1e6),
            ]
        });
        let header = [
            "against the exact scan",
            "recall@10",
            "vectors, p50 ms",
            "exact f32 scan, p50 ms",
            "MB on disk",
        ];
        table::print("How much the search by vectors misses", &header, &rows, "", out)
    }
}

impl Row {
    fn new(subject: &Subject) -> Self {
        let times = |stage: fn(&Sample) -> f64| Latency::new(subject.samples.iter().map(stage).collect());
        let some = |stage: fn(&Sample) -> Option<f64>| {
            let all: Vec<f64> = subject.samples.iter().filter_map(stage).collect();
            (!all.is_empty()).then(|| Latency::new(all))
        };
        let total = times(Sample::total);
        Row {
            name: subject.name,
            passages: subject.snapshot.chunk_count(),
            bytes: subject.snapshot.bytes(),
            embed: times(|sample| sample.embed),
            bm25: times(|sample| sample.bm25),
            dense: times(|sample| sample.dense),
            late: some(|sample| sample.late),
            rerank: some(|sample| sample.rerank),
            rest: times(|sample| sample.rest),
            queries_per_second: 1e3 / mean(&total.all_ms).max(1e-9),
            total,
            exact_scan: Latency::new(subject.exact_ms.clone()),
            recall_at_10: mean(&subject.recalls),
        }
    }
}

fn whole(value: usize) -> String {
    if value < 100 { value.to_string() } else { number(value as f64) }
}
