//! What `guidepost tune` says: the shape of its JSON, and its table.

use std::io::Write;
use std::path::Path;

use guidepost_query::{Derived, Rated, Verdict};
use serde::Serialize;
use serde_json::json;

use crate::console::count;
use crate::output::{SCHEMA_VERSION, table};
use crate::tuned::WeightsView;

#[derive(Serialize)]
pub(super) struct Report {
    schema_version: u32,
    command: &'static str,
    /// What the questions were made from.
    source: &'static str,
    /// Sections there are.
    sections: usize,
    /// Sections that were searched.
    searched: usize,
    /// Questions that could be made.
    made: usize,
    /// Questions that were asked.
    pub(super) questions: usize,
    /// Whether the index has weights of its own now.
    written: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<VerdictView>,
}

#[derive(Serialize)]
struct VerdictView {
    default: RatedView,
    best: RatedView,
    chosen: RatedView,
    best_fixed: RatedView,
    /// nDCG@10 of `best` less that of `default` on the questions it was not chosen on, with its 95 % interval.
    gain: f64,
    gain_low: f64,
    gain_high: f64,
}

#[derive(Serialize)]
struct RatedView {
    weights: WeightsView,
    /// nDCG@10 on the questions that settings are chosen on.
    chosen_on: f64,
    /// nDCG@10 on the others.
    held_out: f64,
    /// By how much `held_out` lies below that of `best_fixed`.
    regret: f64,
}

impl From<Rated> for RatedView {
    fn from(Rated { weights, chosen_on, held_out, regret }: Rated) -> Self {
        RatedView { weights: weights.into(), chosen_on, held_out, regret }
    }
}

impl RatedView {
    fn row(&self, name: &str) -> Vec<String> {
        let figures = [self.chosen_on, self.held_out, self.regret].map(|figure| format!("{figure:.4}"));
        let late = format!("{:.1}", self.weights.late);
        [name.to_owned(), self.weights.dense(), late].into_iter().chain(figures).collect()
    }
}

impl Report {
    pub(super) fn new(derived: &Derived) -> Report {
        Report {
            schema_version: SCHEMA_VERSION,
            command: "tune",
            source: derived.source.name(),
            sections: derived.sections,
            searched: derived.collection.documents.len(),
            made: derived.questions,
            questions: derived.collection.queries.len(),
            written: false,
            verdict: None,
        }
    }

    /// What is about to be done.
    pub(super) fn describe(&self) -> String {
        let part = |taken: usize, all: usize, noun: &str| match taken < all {
            true => format!("{taken} of {}", count(all, noun)),
            false => count(all, noun),
        };
        let questions = part(self.questions, self.made, "question");
        let sections = part(self.searched, self.sections, "section");
        format!("{questions} made from the {} of {sections}", self.source)
    }

    pub(super) fn judge(&mut self, verdict: &Verdict, written: bool) {
        self.written = written;
        self.verdict = Some(VerdictView {
            default: verdict.default.into(),
            best: verdict.best.into(),
            chosen: verdict.chosen.into(),
            best_fixed: verdict.best_fixed.into(),
            gain: verdict.gain.mean,
            gain_low: verdict.gain.low,
            gain_high: verdict.gain.high,
        });
    }

    pub(super) fn print(&self, json: bool) -> anyhow::Result<()> {
        let out = &mut anstream::stdout().lock();
        if json {
            return Ok(writeln!(out, "{}", serde_json::to_string_pretty(self)?)?);
        }
        let Some(verdict) = &self.verdict else { return Ok(()) };
        let header = ["setting", "meaning", "late", "nDCG@10", "held out", "regret"];
        let VerdictView { default, best, chosen, best_fixed, gain, gain_low, gain_high } = verdict;
        let rows = [("default", default), ("best", best), ("chosen", chosen), ("best fixed", best_fixed)];
        let rows: Vec<Vec<String>> = rows.iter().map(|(name, rated)| rated.row(name)).collect();
        let remark = format!(
            "The best on the even-numbered questions is ahead of the default by {gain:+.4} ({gain_low:+.4} to \
             {gain_high:+.4}) on the odd-numbered, which are held out; {}. Regret is what a setting lacks there to the best \
             fixed one, known only in hindsight.",
            self.outcome(*gain_low > 0.0)
        );
        Ok(table::print(&self.describe(), &header, &rows, &remark, out)?)
    }

    fn outcome(&self, better: bool) -> &'static str {
        match (better, self.written) {
            (true, true) => "searches use it from now on",
            (true, false) => "without --dry-run searches would use it",
            (false, _) => "that could be chance, so the default holds",
        }
    }
}

pub(super) fn print_reset(index: &Path, removed: bool, json: bool) -> anyhow::Result<()> {
    let out = &mut anstream::stdout().lock();
    if json {
        let object = json!({"schema_version": SCHEMA_VERSION, "command": "tune", "reset": removed});
        return Ok(writeln!(out, "{object:#}")?);
    }
    let said = match removed {
        true => "is searched with the weights that ship again",
        false => "was not tuned",
    };
    Ok(writeln!(out, "the index in `{}` {said}", index.display())?)
}
