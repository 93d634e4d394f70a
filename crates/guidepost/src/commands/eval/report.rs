//! What `guidepost eval` says: the shape of its JSON, and its table.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;

use guidepost_index::Snapshot;
use guidepost_query::{Collection, CollectionQuery, Interval, bootstrap, mrr_at, ndcg_at, recall_at};
use serde::Serialize;

use super::stages::{StageRankings, Stages};
use crate::cli::Stage;
use crate::commands::bench::statistics::percentile;
use crate::output::{SCHEMA_VERSION, table};

/// A measure of one ranking.
type Measure = fn(&[&str], &HashMap<String, f64>) -> f64;

/// As trec_eval and ranx define them.
const MEASURES: [(&str, Measure); 4] = [
    ("ndcg@10", |ranking, judged| ndcg_at(10, ranking, judged)),
    ("mrr@10", |ranking, judged| mrr_at(10, ranking, judged)),
    ("recall@10", |ranking, judged| recall_at(10, ranking, judged)),
    ("recall@100", |ranking, judged| recall_at(100, ranking, judged)),
];

#[derive(Serialize)]
pub(super) struct Report {
    schema_version: u32,
    command: &'static str,
    collection: String,
    documents: usize,
    passages: usize,
    queries: usize,
    /// Of the index: model and way of cutting.
    fingerprint: String,
    stages: Vec<StageReport>,
}

#[derive(Serialize)]
struct StageReport {
    stage: Stage,
    #[serde(flatten)]
    measures: BTreeMap<&'static str, IntervalView>,
    /// nDCG@10 less that of the better of `bm25` and `dense`, query by query; only of stages that combine them.
    #[serde(skip_serializing_if = "Option::is_none")]
    to_better_leg: Option<IntervalView>,
    p50_ms: f64,
    p95_ms: f64,
}

/// A mean and its 95 % interval.
#[derive(Clone, Copy, Serialize)]
struct IntervalView {
    mean: f64,
    low: f64,
    high: f64,
}

impl From<Interval> for IntervalView {
    fn from(Interval { mean, low, high }: Interval) -> Self {
        IntervalView { mean, low, high }
    }
}

impl IntervalView {
    fn cell(self) -> String {
        // `.9876`; a whole one is shorter, to stay in its column.
        let share = |value: f64, digits: usize| match format!("{value:.digits$}") {
            text if text.starts_with('1') => "1.00".to_owned(),
            text => text.trim_start_matches('0').to_owned(),
        };
        format!("{} ({}-{})", share(self.mean, 4), share(self.low, 3), share(self.high, 3))
    }

    /// Of differences.
    fn signed_cell(self) -> String {
        format!("{:+.3} ({:+.3} to {:+.3})", self.mean, self.low, self.high)
    }
}

impl Report {
    pub(super) fn new(name: &str, collection: &Collection, snapshot: &Snapshot, stages: &Stages) -> Report {
        // Of every measure, of every query.
        let measured: BTreeMap<Stage, Vec<Vec<f64>>> = stages
            .0
            .iter()
            .map(|(&stage, rankings)| {
                (stage, MEASURES.map(|(_, measure)| values(collection, rankings, measure)).into())
            })
            .collect();
        let ndcg = |stage| measured.get(&stage).map(|measures| &measures[0]);
        let to_better_leg = |stage: Stage| -> Option<IntervalView> {
            let (bm25, dense) = (ndcg(Stage::Bm25)?, ndcg(Stage::Dense)?);
            let better = if bm25.iter().sum::<f64>() > dense.iter().sum::<f64>() { bm25 } else { dense };
            let gains: Vec<f64> =
                ndcg(stage)?.iter().zip(better).map(|(combined, leg)| combined - leg).collect();
            stage.combines_legs().then(|| bootstrap(&gains).into())
        };
        let stage = |(&stage, rankings): (&Stage, &StageRankings)| StageReport {
            stage,
            to_better_leg: to_better_leg(stage),
            measures: MEASURES
                .iter()
                .zip(&measured[&stage])
                .map(|(&(name, _), values)| (name, bootstrap(values).into()))
                .collect(),
            p50_ms: percentile(&rankings.all_ms, 50.0),
            p95_ms: percentile(&rankings.all_ms, 95.0),
        };
        Report {
            schema_version: SCHEMA_VERSION,
            command: "eval",
            collection: name.to_owned(),
            documents: collection.documents.len(),
            passages: snapshot.chunk_count(),
            queries: collection.queries.len(),
            fingerprint: snapshot.fingerprint().to_owned(),
            stages: stages.0.iter().map(stage).collect(),
        }
    }

    /// The mean of a stage's measure; `None` where it was not measured.
    pub(super) fn mean(&self, stage: Stage, measure: &str) -> Option<f64> {
        let stage = self.stages.iter().find(|report| report.stage == stage)?;
        stage.measures.get(measure).map(|interval| interval.mean)
    }

    pub(super) fn print(&self, json: bool) -> anyhow::Result<()> {
        let out = &mut anstream::stdout().lock();
        if json {
            return Ok(writeln!(out, "{}", serde_json::to_string_pretty(self)?)?);
        }
        let header: Vec<&str> = std::iter::once("stage")
            .chain(MEASURES.map(|(name, _)| name))
            .chain(["nDCG to better leg", "median ms"])
            .collect();
        let row = |stage: &StageReport| {
            let measures = MEASURES.iter().map(|(name, _)| stage.measures[name].cell());
            std::iter::once(stage.stage.name().to_owned())
                .chain(measures)
                .chain([stage.to_better_leg.map_or(String::new(), IntervalView::signed_cell)])
                .chain([format!("{:.2}", stage.p50_ms)])
                .collect()
        };
        let rows: Vec<Vec<String>> = self.stages.iter().map(row).collect();
        let title = format!(
            "{}: {} queries, {} documents, {} passages",
            self.collection, self.queries, self.documents, self.passages
        );
        let remark = "In parentheses the 95 % bootstrap interval over the queries; to the better of bm25 and dense, query by query.";
        Ok(table::print(&title, &header, &rows, remark, out)?)
    }
}

/// What a measure says of each query's ranking.
fn values(collection: &Collection, stage: &StageRankings, measure: Measure) -> Vec<f64> {
    let ranked = collection.queries.iter().zip(&stage.rankings);
    let value = |(query, ranking): (&CollectionQuery, &Vec<(usize, f32)>)| {
        let ids: Vec<&str> = ranking.iter().map(|&(at, _)| collection.documents[at].id.as_str()).collect();
        measure(&ids, &collection.judged[&query.id])
    };
    ranked.map(value).collect()
}
