//! Reading at scale, without a model: every Markdown file below a folder is decoded, repaired, parsed and cut, and what it
//! names is found.
//!
//!     cargo run --release -p guidepost-benches --bin reading -- DIR

use std::collections::BTreeMap;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use guidepost_text::{HashEmbedder, chunk_document, named, read_document};
use rayon::prelude::*;

const ROUNDS: usize = 5;

#[expect(clippy::print_stdout, reason = "the tables are what the program is for")]
fn main() -> anyhow::Result<()> {
    let folder = std::env::args().nth(1).context("name a folder")?;
    let mut files = Vec::new();
    walk(Path::new(&folder), &mut files)?;
    // The largest first: what memory it takes is known before the others come.
    files.sort_by_key(|file| std::cmp::Reverse(file.bytes));
    ensure!(!files.is_empty(), "`{folder}` holds no Markdown file");
    let empty = peak_memory();
    read(&files[0]);
    let largest = peak_memory();
    let tenth: Tally = files.par_iter().step_by(10).map(read).sum();
    let after_tenth = peak_memory();
    let mut rounds: Vec<(Duration, Tally)> = (0..ROUNDS).map(|_| timed(&files)).collect();
    rounds.sort_by_key(|&(time, _)| time);
    let after_all = peak_memory();
    let (time, tally) = &rounds[ROUNDS / 2];
    let seconds = time.as_secs_f64();
    println!("| threads | files | MB | sections | chunks | resources | seconds | files/s | MB/s | panics |");
    println!("|---|---|---|---|---|---|---|---|---|---|");
    println!(
        "| {} | {} | {:.1} | {} | {} | {} | {seconds:.2} ({:.2} to {:.2}) | {:.0} | {:.1} | {} |\n",
        rayon::current_num_threads(),
        tally.files,
        tally.bytes as f64 / 1e6,
        tally.sections,
        tally.chunks,
        tally.resources,
        rounds[0].0.as_secs_f64(),
        rounds[ROUNDS - 1].0.as_secs_f64(),
        tally.files as f64 / seconds,
        tally.bytes as f64 / 1e6 / seconds,
        tally.panics,
    );
    println!(
        "| peak memory, MB: at the start | largest file ({} kB) | {} files | all |",
        files[0].bytes / 1000,
        tenth.files
    );
    println!("|---|---|---|---|");
    println!("| {empty:.1} | {largest:.1} | {after_tenth:.1} | {after_all:.1} |\n");
    println!("| warning | files | for instance |");
    println!("|---|---|---|");
    for (kind, (count, example)) in &tally.warnings {
        println!("| {kind} | {count} | {example} |");
    }
    Ok(())
}

struct File {
    path: PathBuf,
    bytes: u64,
}

fn walk(folder: &Path, files: &mut Vec<File>) -> anyhow::Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), files)?;
        } else if entry.path().extension().is_some_and(|extension| extension == "md") {
            files.push(File { path: entry.path(), bytes: entry.metadata()?.len() });
        }
    }
    Ok(())
}

fn timed(files: &[File]) -> (Duration, Tally) {
    let start = Instant::now();
    let tally = files.par_iter().map(read).sum();
    (start.elapsed(), tally)
}

/// Reads and cuts one file; nothing of it stays but numbers.
fn read(file: &File) -> Tally {
    let name = file.path.display().to_string();
    let work = || {
        let bytes = fs::read(&file.path).unwrap_or_default();
        let document = read_document(&name, &bytes);
        (
            bytes.len(),
            document.sections.len(),
            chunk_document(&document, &HashEmbedder).len(),
            named(&document).resources.len(),
            document.warnings,
        )
    };
    match catch_unwind(work) {
        Ok((bytes, sections, chunks, resources, warnings)) => {
            let warnings = warnings.iter().map(|warning| (kind(warning), (1, name.clone()))).collect();
            Tally { files: 1, bytes, sections, chunks, resources, panics: 0, warnings }
        }
        Err(_) => Tally { files: 1, panics: 1, ..Tally::default() },
    }
}

/// A warning without its numbers.
fn kind(warning: &str) -> String {
    warning.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).collect::<String>().replace("##", "#")
}

#[derive(Default)]
struct Tally {
    files: usize,
    bytes: usize,
    sections: usize,
    chunks: usize,
    resources: usize,
    panics: usize,
    /// How many files have it, and one of them.
    warnings: BTreeMap<String, (usize, String)>,
}

impl std::iter::Sum for Tally {
    fn sum<I: Iterator<Item = Tally>>(tallies: I) -> Tally {
        tallies.fold(Tally::default(), |mut all, one| {
            all.files += one.files;
            all.bytes += one.bytes;
            all.sections += one.sections;
            all.chunks += one.chunks;
            all.resources += one.resources;
            all.panics += one.panics;
            for (kind, (count, example)) in one.warnings {
                all.warnings.entry(kind).or_insert((0, example)).0 += count;
            }
            all
        })
    }
}

/// Most memory this process ever held, MB; 0 where the system does not say.
fn peak_memory() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or(0.0) * 1024.0
        / 1e6
}
