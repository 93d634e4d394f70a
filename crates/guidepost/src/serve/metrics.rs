//! What can be watched, in Prometheus' format.

use std::time::Duration;

use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
    TextEncoder,
};

/// Seconds from half a millisecond to half a minute.
const SECONDS: [f64; 15] =
    [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0];

/// Texts of a batch, and tokens.
const TEXTS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];
const TOKENS: [f64; 11] = [8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 16384.0];

/// All of it.
pub(super) struct Metrics {
    registry: Registry,
    /// By path, method and status.
    requests: IntCounterVec,
    /// By path: from the head of the request to the head of the response.
    request_seconds: HistogramVec,
    /// By stage: `waiting` for a place, `bm25`, `hybrid`, `late` and `rerank` as a search climbs them, `search` in all,
    /// `answer` after it, `queue` of the model, `model`.
    stage_seconds: HistogramVec,
    /// Requests that wait for a place.
    pub(super) waiting: IntGauge,
    /// Requests that are worked on.
    pub(super) running: IntGauge,
    /// Requests refused because of too many others.
    pub(super) refused: IntCounter,
    /// Requests whose clients left, or had waited too long, before they had a place.
    pub(super) left: IntCounter,
    /// Texts that wait for the model.
    pub(super) queued_texts: IntGauge,
    pub(super) batch_texts: Histogram,
    pub(super) batch_tokens: Histogram,
    /// Share of the most tokens that a batch may have.
    pub(super) batch_fill: Histogram,
    pub(super) tokens: IntCounter,
    pub(super) cache_hits: IntCounter,
    pub(super) cache_misses: IntCounter,
    pub(super) generation: IntGauge,
    pub(super) reloads: IntCounter,
}

impl Metrics {
    /// # Errors
    /// Names that clash.
    pub(super) fn new() -> Result<Metrics, prometheus::Error> {
        let registry = Registry::new_custom(Some("guidepost".to_owned()), None)?;
        let counter = |name: &str, help: &str| IntCounter::new(name, help);
        let histogram = |name: &str, help: &str, buckets: &[f64]| {
            Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec()))
        };
        let seconds = |name: &str, help: &str, label: &str| {
            HistogramVec::new(HistogramOpts::new(name, help).buckets(SECONDS.to_vec()), &[label])
        };
        let metrics = Metrics {
            requests: IntCounterVec::new(
                Opts::new("requests_total", "Requests that were answered."),
                &["path", "method", "status"],
            )?,
            request_seconds: seconds(
                "request_seconds",
                "From a request to the head of its response.",
                "path",
            )?,
            stage_seconds: seconds("stage_seconds", "Time that the stages of a request take.", "stage")?,
            waiting: IntGauge::new("waiting_requests", "Requests that wait for a place.")?,
            running: IntGauge::new("running_requests", "Requests that are worked on.")?,
            refused: counter("refused_requests_total", "Requests refused because of too many others.")?,
            left: counter(
                "abandoned_requests_total",
                "Requests whose clients left, or had waited too long, before their turn.",
            )?,
            queued_texts: IntGauge::new("queued_texts", "Texts that wait for the model.")?,
            batch_texts: histogram("batch_texts", "Texts that the model embeds together.", &TEXTS)?,
            batch_tokens: histogram("batch_tokens", "Tokens that the model embeds together.", &TOKENS)?,
            batch_fill: histogram(
                "batch_fill_ratio",
                "Share of the most tokens that a batch may have.",
                &[0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0],
            )?,
            tokens: counter("embedded_tokens_total", "Tokens that the model has embedded.")?,
            cache_hits: counter("question_cache_hits_total", "Questions whose embedding was remembered.")?,
            cache_misses: counter("question_cache_misses_total", "Questions that the model embedded.")?,
            generation: IntGauge::new("index_generation", "Generation of the index that answers.")?,
            reloads: counter("index_reloads_total", "Generations that were taken up while serving.")?,
            registry,
        };
        metrics.register()?;
        Ok(metrics)
    }

    fn register(&self) -> Result<(), prometheus::Error> {
        let all: [Box<dyn prometheus::core::Collector>; 17] = [
            Box::new(self.requests.clone()),
            Box::new(self.request_seconds.clone()),
            Box::new(self.stage_seconds.clone()),
            Box::new(self.waiting.clone()),
            Box::new(self.running.clone()),
            Box::new(self.refused.clone()),
            Box::new(self.left.clone()),
            Box::new(self.queued_texts.clone()),
            Box::new(self.batch_texts.clone()),
            Box::new(self.batch_tokens.clone()),
            Box::new(self.batch_fill.clone()),
            Box::new(self.tokens.clone()),
            Box::new(self.cache_hits.clone()),
            Box::new(self.cache_misses.clone()),
            Box::new(self.generation.clone()),
            Box::new(self.reloads.clone()),
            Box::new(IntGauge::new("up", "1 while the server answers.").inspect(|up| up.set(1))?),
        ];
        all.into_iter().try_for_each(|collector| self.registry.register(collector))
    }

    pub(super) fn answered(&self, path: &str, method: &str, status: u16, took: Duration) {
        self.requests.with_label_values(&[path, method, &status.to_string()]).inc();
        self.request_seconds.with_label_values(&[path]).observe(took.as_secs_f64());
    }

    pub(super) fn stage(&self, stage: &str, took: Duration) {
        self.stage_seconds.with_label_values(&[stage]).observe(took.as_secs_f64());
    }

    /// As Prometheus reads it.
    pub(super) fn text(&self) -> Result<String, prometheus::Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}
