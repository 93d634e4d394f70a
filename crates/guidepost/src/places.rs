//! The folders of this user and machine.

use std::path::PathBuf;

use anyhow::Context;
use etcetera::{BaseStrategy, choose_base_strategy};
use guidepost_model::Places;

const NAME: &str = "guidepost";
const HOMELESS: &str = "this user has no home folder; set HOME, or give --index and --model folders";

/// Where the index is when nobody says otherwise.
pub(crate) fn default_index() -> anyhow::Result<PathBuf> {
    Ok(base()?.data_dir().join(NAME).join("index"))
}

/// Where things are kept that can be made again.
pub(crate) fn cache() -> anyhow::Result<PathBuf> {
    Ok(base()?.cache_dir().join(NAME))
}

/// The user's own settings file.
pub(crate) fn settings_file() -> Option<PathBuf> {
    Some(base().ok()?.config_dir().join(NAME).join("guidepost.toml"))
}

/// Where models are looked for, and where fetched ones land.
pub(crate) fn models() -> anyhow::Result<Places> {
    Places::of_user().context(HOMELESS)
}

fn base() -> anyhow::Result<impl BaseStrategy> {
    choose_base_strategy().context(HOMELESS)
}
