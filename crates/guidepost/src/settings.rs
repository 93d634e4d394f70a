//! Settings files. A flag wins over a `GUIDEPOST_*` variable, that over `guidepost.toml` beside the guides, that
//! over `guidepost.toml` in the user's config folder.
//!
//! A file beside guides comes with the guides, from whoever wrote them. It may shape results and nothing else: no
//! path, no model, no address, no command.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use guidepost_index::Snapshot;
use guidepost_model::{DeviceChoice, Precision};
use serde::Deserialize;

use crate::cli::{ModeArg, is_budget, is_limit, is_share, is_threads};
use crate::console::Console;
use crate::places;

/// What shapes results; allowed in both files.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct ResultSettings {
    pub(crate) limit: Option<usize>,
    pub(crate) mode: Option<ModeArg>,
    pub(crate) min_confidence: Option<f32>,
}

/// The user's own file.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct UserSettings {
    pub(crate) index: Option<PathBuf>,
    pub(crate) guides: Option<PathBuf>,
    pub(crate) model: Option<String>,
    device: Option<String>,
    precision: Option<String>,
    pub(crate) threads: Option<usize>,
    pub(crate) rerank: Option<String>,
    pub(crate) budget_ms: Option<u64>,
    pub(crate) llm: Option<String>,
    pub(crate) llm_model: Option<String>,
    #[serde(default)]
    pub(crate) offline: bool,
    #[serde(flatten)]
    pub(crate) results: ResultSettings,
}

const RESULT_KEYS: [&str; 3] = ["limit", "mode", "min-confidence"];
const USER_KEYS: [&str; 11] = [
    "index",
    "guides",
    "model",
    "device",
    "precision",
    "threads",
    "offline",
    "rerank",
    "budget-ms",
    "llm",
    "llm-model",
];

impl UserSettings {
    /// Reads the user's file; all defaults where there is none.
    pub(crate) fn load(console: &Console) -> anyhow::Result<Self> {
        let Some(path) = places::settings_file().filter(|path| path.exists()) else {
            return Ok(Self::default());
        };
        let table = read(&path)?;
        warn_of_unknown(
            &path,
            &table,
            &[&RESULT_KEYS[..], &USER_KEYS[..]].concat(),
            console,
            "is not a setting",
        );
        let settings: Self =
            table.try_into().with_context(|| format!("`{}` is not understood", path.display()))?;
        settings.results.check(&path)?;
        let threads = settings.threads.as_ref();
        ensure!(
            threads.is_none_or(is_threads),
            "`{}`: `threads` must be a whole number from 1 to 1024",
            path.display()
        );
        let budget = settings.budget_ms.as_ref();
        ensure!(
            budget.is_none_or(is_budget),
            "`{}`: `budget-ms` must be a whole number from 1 to 60000",
            path.display()
        );
        Ok(settings)
    }

    pub(crate) fn device(&self) -> anyhow::Result<Option<DeviceChoice>> {
        self.device.as_deref().map(str::parse).transpose().map_err(anyhow::Error::msg)
    }

    pub(crate) fn precision(&self) -> anyhow::Result<Option<Precision>> {
        self.precision.as_deref().map(str::parse).transpose().map_err(anyhow::Error::msg)
    }
}

/// Folders of an index, whose settings count.
pub(crate) fn folders_of(snapshot: &Snapshot) -> Vec<PathBuf> {
    snapshot.sources().iter().filter_map(|source| source.folder.clone()).collect()
}

impl ResultSettings {
    /// Reads the files beside the given folders; the first that sets a key wins. A file that is not understood came
    /// with the guides and must not keep anybody from searching them: it is a warning.
    pub(crate) fn beside(folders: &[PathBuf], console: &Console) -> Self {
        let mut settings = Self::default();
        for path in folders.iter().map(|folder| folder.join("guidepost.toml")).filter(|path| path.is_file()) {
            match Self::read(&path, console) {
                Ok(found) => settings = settings.or(found),
                Err(error) => console.warn(&format!("{error:#}; it is ignored")),
            }
        }
        settings
    }

    fn read(path: &Path, console: &Console) -> anyhow::Result<Self> {
        let table = read(path)?;
        warn_of_unknown(path, &table, &RESULT_KEYS, console, "has no effect in a file beside guides");
        let settings: Self =
            table.try_into().with_context(|| format!("`{}` is not understood", path.display()))?;
        settings.check(path)?;
        Ok(settings)
    }

    fn check(&self, path: &Path) -> anyhow::Result<()> {
        let path = path.display();
        ensure!(
            self.limit.as_ref().is_none_or(is_limit),
            "`{path}`: `limit` must be a whole number from 1 to 100"
        );
        let share = self.min_confidence.as_ref();
        ensure!(share.is_none_or(is_share), "`{path}`: `min-confidence` must be a number from 0 to 1");
        Ok(())
    }

    /// Fills what is not set from another.
    pub(crate) fn or(self, other: Self) -> Self {
        ResultSettings {
            limit: self.limit.or(other.limit),
            mode: self.mode.or(other.mode),
            min_confidence: self.min_confidence.or(other.min_confidence),
        }
    }
}

fn read(path: &Path) -> anyhow::Result<toml::Table> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
    text.parse().with_context(|| format!("`{}` is not valid TOML", path.display()))
}

fn warn_of_unknown(path: &Path, table: &toml::Table, known: &[&str], console: &Console, why: &str) {
    for key in table.keys().filter(|key| !known.contains(&key.as_str())) {
        console.warn(&format!("`{}`: `{key}` {why} and is ignored", path.display()));
    }
}
