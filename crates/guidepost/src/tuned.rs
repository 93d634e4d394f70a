//! The weights that `guidepost tune` chose for an index, kept in its directory beside the generations.
//!
//! They belong to a model, with or without late interaction, and outlive updates and rebuilds. A file that does not fit
//! or is not understood never keeps anybody from searching: the weights that ship hold instead.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use guidepost_index::{Snapshot, TUNED};
use guidepost_query::{Lean, Weights};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::console::Console;

/// Version of the file.
const VERSION: u32 = 1;

/// The file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tuned {
    version: u32,
    /// As in the fingerprint of the generation.
    model: String,
    late_interaction: bool,
    /// Number of questions that the weights were chosen with.
    pub(crate) questions: usize,
    pub(crate) weights: WeightsView,
}

/// Weights as files and programs read them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct WeightsView {
    /// Weight of the dense leg where the words found nothing of the question.
    pub(crate) start: f64,
    /// What it loses where BM25's best passage holds all of the question's information.
    pub(crate) coverage: f64,
    /// What it loses where BM25's best passage stands alone.
    pub(crate) margin: f64,
    /// Weight of late interaction.
    pub(crate) late: f64,
}

impl From<Weights> for WeightsView {
    fn from(Weights { lean, late }: Weights) -> Self {
        // What is .4 in 32 bits shall not be .4000000059604645 in 64.
        let short = |weight: f32| (f64::from(weight) * 1e4).round() / 1e4;
        WeightsView {
            start: short(lean.start),
            coverage: short(lean.coverage),
            margin: short(lean.margin),
            late: short(late),
        }
    }
}

impl From<WeightsView> for Weights {
    fn from(view: WeightsView) -> Self {
        let [start, coverage, margin, late] =
            [view.start, view.coverage, view.margin, view.late].map(|weight| weight as f32);
        Weights { lean: Lean { start, coverage, margin }, late }
    }
}

impl WeightsView {
    /// In words, for people.
    pub(crate) fn describe(self) -> String {
        format!("meaning {}, late interaction {:.1}", self.dense(), self.late)
    }

    /// The weight of the dense leg, in words.
    pub(crate) fn dense(self) -> String {
        let WeightsView { start, coverage, margin, .. } = self;
        match coverage == 0.0 && margin == 0.0 {
            true => format!("{start:.1}"),
            false => format!("{start:.1} - {coverage:.1} coverage - {margin:.1} margin"),
        }
    }

    fn is_sound(self) -> bool {
        let shares = [self.coverage, self.margin, self.late];
        (0.0..=2.0).contains(&self.start) && shares.iter().all(|share| (0.0..=1.0).contains(share))
    }
}

impl Tuned {
    pub(crate) fn new(snapshot: &Snapshot, weights: Weights, questions: usize) -> Tuned {
        Tuned {
            version: VERSION,
            model: snapshot.model().to_owned(),
            late_interaction: snapshot.has_token_codes(),
            questions,
            weights: weights.into(),
        }
    }

    /// What an index has; `None` where it was not tuned.
    ///
    /// # Errors
    /// A file that is not understood.
    pub(crate) fn read(index: &Path) -> anyhow::Result<Option<Tuned>> {
        let path = path(index);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read `{}`", path.display())),
        };
        let not_understood = || format!("`{}` is not understood", path.display());
        let tuned: Tuned = serde_json::from_slice(&bytes).with_context(not_understood)?;
        ensure!(
            tuned.version == VERSION,
            "`{}` is of version {}, expected {VERSION}",
            path.display(),
            tuned.version
        );
        ensure!(tuned.weights.is_sound(), "`{}` holds weights that are none", path.display());
        Ok(Some(tuned))
    }

    /// Replaces the file in one step.
    pub(crate) fn write(&self, index: &Path) -> anyhow::Result<()> {
        let path = path(index);
        let write = || -> anyhow::Result<()> {
            let mut file = tempfile::Builder::new().prefix(".tuned").tempfile_in(index)?;
            file.write_all(&serde_json::to_vec_pretty(self)?)?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            Ok(())
        };
        write().with_context(|| format!("cannot write `{}`", path.display()))
    }

    /// Removes the file; whether there was one.
    pub(crate) fn remove(index: &Path) -> anyhow::Result<bool> {
        let path = path(index);
        match std::fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).with_context(|| format!("cannot remove `{}`", path.display())),
        }
    }

    /// Why the weights do not hold for a generation; `None` where they do.
    pub(crate) fn stale(&self, snapshot: &Snapshot) -> Option<&'static str> {
        if self.model != snapshot.model() {
            return Some("for another model");
        }
        let switched = self.late_interaction != snapshot.has_token_codes();
        switched.then_some("before late interaction was switched")
    }
}

/// The weights that hold for a search.
pub(crate) fn weights(snapshot: &Snapshot, console: &Console) -> Weights {
    let again =
        "the weights that ship are used; `guidepost tune` chooses anew, `guidepost tune --reset` forgets";
    match Tuned::read(snapshot.index()) {
        Ok(None) => Weights::DEFAULT,
        Ok(Some(tuned)) => match tuned.stale(snapshot) {
            None => tuned.weights.into(),
            Some(why) => {
                console.note(&format!("the index was tuned {why}: {again}"));
                Weights::DEFAULT
            }
        },
        Err(error) => {
            console.warn(&format!("{error:#}: {again}"));
            Weights::DEFAULT
        }
    }
}

fn path(index: &Path) -> PathBuf {
    index.join(TUNED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_come_back_as_they_were() {
        for weights in [Weights::DEFAULT, Weights { lean: Lean::fixed(0.3), late: 0.6 }] {
            assert_eq!(Weights::from(WeightsView::from(weights)), weights);
        }
    }
}
