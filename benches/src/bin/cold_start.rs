//! How long it takes from nothing to an answer, whole processes side by side: a search over the guides that ship; one
//! question embedded, model and tokenizer loaded for it; the same with stock candle, without a tokenizer; and the floor,
//! reading the weights' file once. They take turns, the file is in the system's cache, and the figures to quote are the ratios
//! of the medians.
//!
//!     cargo build --release --workspace
//!     cargo run --release -p guidepost-benches --bin cold_start

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use guidepost_benches::folders::program;
use guidepost_benches::load_model;
use guidepost_text::{Embed, TextRole};

const ROUNDS: usize = 30;
const QUESTION: &str = "How do I become a machine learning engineer?";
/// The question as all-MiniLM-L6-v2's tokenizer cuts it.
const TOKENS: [u32; 11] = [101, 2129, 2079, 1045, 2468, 1037, 3698, 4083, 3992, 1029, 102];

/// Bytes that are read at once: they stay in the processor's cache.
const BLOCK: usize = 1 << 18;

#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[1..] {
        ["--embed"] => return embed(),
        ["--stock", folder] => return stock(Path::new(folder)),
        ["--read", folder] => return read(Path::new(folder)),
        _ => {}
    }
    let own = std::env::current_exe()?;
    let program = program()?;
    let folder = model_folder(&program)?;
    let mut search = Command::new(&program);
    search
        .args(["search", QUESTION, "-q", "--index"])
        .arg(guidepost_benches::work_folder().join("cold-index"));
    let mut embed = Command::new(&own);
    embed.arg("--embed");
    let mut stock = Command::new(&own);
    stock.arg("--stock").arg(&folder);
    let mut read = Command::new(&own);
    read.arg("--read").arg(&folder);
    let mut processes = [
        ("`guidepost search`, guides that ship", search),
        ("load, embed one question", embed),
        ("stock candle: map the weights, one forward pass", stock),
        ("floor: read the weights once", read),
    ];
    let mut times = [const { Vec::new() }; 4];
    for round in 0..=ROUNDS {
        for ((_, command), times) in processes.iter_mut().zip(&mut times) {
            let took = time(command)?;
            // The first builds the index, and fills the system's cache.
            if round > 0 {
                times.push(took);
            }
        }
    }
    println!(
        "| whole process, {ROUNDS} rounds taking turns | lower quartile ms | median ms | upper quartile ms |"
    );
    println!("|---|---|---|---|");
    let times = times.map(quartiles);
    for ((name, _), [low, median, high]) in processes.iter().zip(times) {
        println!("| {name} | {low:.1} | {median:.1} | {high:.1} |");
    }
    let [search, embed, stock, read] = times.map(|quartiles| quartiles[1]);
    println!(
        "\nratios of the medians: one question / floor {:.2}, search / stock {:.2}",
        embed / read,
        search / stock
    );
    Ok(())
}

fn model_folder(program: &Path) -> anyhow::Result<PathBuf> {
    let output = Command::new(program).args(["models", "pull"]).stderr(Stdio::inherit()).output();
    let output = output.context("build the program first: cargo build --release --workspace")?;
    let said = String::from_utf8(output.stdout)?;
    Ok(PathBuf::from(said.split('`').nth(1).context("`models pull` names the folder")?))
}

fn time(command: &mut Command) -> anyhow::Result<f64> {
    let started = Instant::now();
    let status = command.stdout(Stdio::null()).status()?;
    let took = started.elapsed().as_secs_f64() * 1e3;
    ensure!(status.success(), "{command:?} failed");
    Ok(took)
}

fn quartiles(mut times: Vec<f64>) -> [f64; 3] {
    times.sort_by(f64::total_cmp);
    [times[times.len() / 4], times[times.len() / 2], times[times.len() * 3 / 4]]
}

/// The program's own way.
fn embed() -> anyhow::Result<()> {
    let embeddings = load_model()?.embed(&[QUESTION], TextRole::Question, &|_| ())?;
    ensure!(embeddings.len() == 1);
    Ok(())
}

/// candle-transformers' BERT, the question already cut.
fn stock(folder: &Path) -> anyhow::Result<()> {
    let config: Config = serde_json::from_slice(&std::fs::read(folder.join("config.json"))?)?;
    // SAFETY: the file is only read, and nobody writes to a verified model.
    let weights = unsafe {
        VarBuilder::from_mmaped_safetensors(&[folder.join("model.safetensors")], DType::F32, &Device::Cpu)?
    };
    let model = BertModel::load(weights, &config)?;
    let ids = Tensor::from_slice(&TOKENS, (1, TOKENS.len()), &Device::Cpu)?;
    let tokens = model.forward(&ids, &ids.zeros_like()?, Some(&ids.ones_like()?))?;
    ensure!(tokens.mean(1)?.to_vec2::<f32>()?[0].len() == config.hidden_size);
    Ok(())
}

fn read(folder: &Path) -> anyhow::Result<()> {
    let mut file = File::open(folder.join("model.safetensors"))?;
    let mut block = vec![0; BLOCK];
    while file.read(&mut block)? > 0 {}
    Ok(())
}
