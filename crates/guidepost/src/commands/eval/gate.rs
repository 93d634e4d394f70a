//! The least that figures have to be.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

use super::report::Report;
use crate::cli::Stage;

/// Least figure by stage and measure.
pub(super) struct Gate(BTreeMap<Stage, BTreeMap<String, f64>>);

impl Gate {
    pub(super) fn read(path: &Path) -> anyhow::Result<Gate> {
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read the gate `{}`", path.display()))?;
        let least = serde_json::from_str(&text).with_context(|| {
            format!("`{}` is no gate; one looks like {{\"fused\": {{\"ndcg@10\": 0.72}}}}", path.display())
        })?;
        Ok(Gate(least))
    }

    /// What is below it, in words. An error where it asks for what was not measured: it would never fail.
    pub(super) fn check(&self, report: &Report) -> anyhow::Result<Vec<String>> {
        let mut below = Vec::new();
        for (stage, measures) in &self.0 {
            for (measure, &least) in measures {
                let Some(found) = report.mean(*stage, measure) else {
                    bail!("the gate asks for {measure} of {}, which was not measured", stage.name());
                };
                if found < least {
                    below.push(format!("{measure} of {} is {found:.4}, below {least}", stage.name()));
                }
            }
        }
        Ok(below)
    }
}
