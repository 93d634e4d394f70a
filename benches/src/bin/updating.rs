//! What it costs to index a folder, to take up one guide that was edited, and to find that nothing has changed: the real program
//! with the real model.
//!
//!     cargo build --release --workspace && target/release/updating FOLDER [ARGUMENTS OF `guidepost index`...]
//!
//! Works on a copy of the folder. Linux only: the most memory that the program had is read where Linux tells it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use guidepost_benches::folders::{copy, files_below, program};
use tempfile::TempDir;

/// Updates of each kind, of which the median counts.
const ROUNDS: usize = 5;

#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().context("name a folder of guides")?);
    let arguments: Vec<String> = arguments.collect();
    let home = TempDir::new()?;
    let place = Place { guides: home.path().join("guides"), index: home.path().join("index"), arguments };
    ensure!(folder.is_dir(), "no folder of guides at `{}`", folder.display());
    copy(&folder, &place.guides)?;
    let mut guides = files_below(&place.guides)?;
    guides.retain(|path| path.extension().is_some_and(|extension| extension == "md" || extension == "txt"));
    let first = place.index()?;
    println!("| | seconds | of them in the model | the rest | passages embedded | most memory, MB |");
    println!("|---|---|---|---|---|---|");
    first.print("all of it");
    let edited = rounds(|round| {
        let guide = &guides[(round * 7919 + 17) % guides.len()];
        let text = String::from_utf8_lossy(&fs::read(guide)?).into_owned();
        fs::write(
            guide,
            format!("{text}\n\n## Postscript {round}\n\nSeen again on day {round}, and amended.\n"),
        )?;
        place.index()
    })?;
    edited.print("one guide edited");
    let unchanged = rounds(|_| place.index())?;
    ensure!(unchanged.embedded == 0, "something has changed");
    unchanged.print("nothing changed");
    let started = Instant::now();
    let files = stat(&place.guides)?;
    let seconds = started.elapsed().as_secs_f64();
    println!("\n{} passages; {:.0} a second", first.passages, first.passages as f64 / first.seconds);
    println!("{:.1} % of the seconds of all of it in the model", 100.0 * first.embedding / first.seconds);
    println!("a stat of each of {files} files: {seconds:.3} s");
    Ok(())
}

struct Place {
    guides: PathBuf,
    index: PathBuf,
    arguments: Vec<String>,
}

/// A run of the program.
struct Run {
    seconds: f64,
    embedding: f64,
    embedded: u64,
    passages: u64,
    most_bytes: f64,
}

impl Place {
    fn index(&self) -> anyhow::Result<Run> {
        let started = Instant::now();
        let mut child = Command::new(program()?)
            .args(["index", "--json", "--quiet"])
            .args([&self.guides, Path::new("--index"), &self.index])
            .args(&self.arguments)
            .stdout(Stdio::piped())
            .spawn()?;
        let status = PathBuf::from(format!("/proc/{}/status", child.id()));
        let mut most_bytes = 0.0f64;
        let ended = loop {
            if let Some(ended) = child.try_wait()? {
                break ended;
            }
            let status = fs::read_to_string(&status).unwrap_or_default();
            let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next());
            most_bytes = most_bytes.max(most.and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) * 1024.0);
            std::thread::sleep(Duration::from_millis(20));
        };
        let seconds = started.elapsed().as_secs_f64();
        ensure!(ended.success(), "the program ended with {ended}");
        let said: serde_json::Value = serde_json::from_reader(child.stdout.take().context("it is piped")?)?;
        Ok(Run {
            seconds,
            embedding: said["embedding_seconds"].as_f64().context("it says how long the model took")?,
            embedded: said["embedded"].as_u64().context("it says how many passages were embedded")?,
            passages: said["passages"].as_u64().context("it says how many passages there are")?,
            most_bytes,
        })
    }
}

impl Run {
    #[expect(clippy::print_stdout, reason = "the table is what the program is for")]
    fn print(&self, name: &str) {
        let Run { seconds, embedding, embedded, .. } = self;
        let rest = seconds - embedding;
        let most = self.most_bytes / 1e6;
        println!("| {name} | {seconds:.2} | {embedding:.2} | {rest:.2} | {embedded} | {most:.0} |");
    }
}

/// Medians over rounds, after one that does not count.
fn rounds(mut each: impl FnMut(usize) -> anyhow::Result<Run>) -> anyhow::Result<Run> {
    each(0)?;
    let runs: Vec<Run> = (1..=ROUNDS).map(each).collect::<anyhow::Result<_>>()?;
    let of = |figure: fn(&Run) -> f64| median(runs.iter().map(figure).collect());
    Ok(Run {
        seconds: of(|run| run.seconds),
        embedding: of(|run| run.embedding),
        embedded: of(|run| run.embedded as f64) as u64,
        passages: of(|run| run.passages as f64) as u64,
        most_bytes: of(|run| run.most_bytes),
    })
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn stat(folder: &Path) -> anyhow::Result<usize> {
    let mut files = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files += if entry.metadata()?.is_dir() { stat(&entry.path())? } else { 1 };
    }
    Ok(files)
}
