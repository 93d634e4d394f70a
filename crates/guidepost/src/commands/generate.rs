//! `guidepost completions` and `guidepost man`, both made from the command line itself.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;

use crate::Outcome;
use crate::cli::Cli;

pub(crate) fn completions(shell: Shell) -> anyhow::Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "guidepost", &mut script);
    std::io::stdout().lock().write_all(&script)?;
    Ok(Outcome::Found)
}

pub(crate) fn man(dir: Option<&Path>) -> anyhow::Result<Outcome> {
    match dir {
        None => clap_mangen::Man::new(Cli::command()).render(&mut std::io::stdout().lock())?,
        Some(dir) => {
            std::fs::create_dir_all(dir).with_context(|| format!("cannot make `{}`", dir.display()))?;
            clap_mangen::generate_to(Cli::command(), dir)
                .with_context(|| format!("cannot write to `{}`", dir.display()))?;
        }
    }
    Ok(Outcome::Found)
}
