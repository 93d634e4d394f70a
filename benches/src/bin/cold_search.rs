//! A cold `guidepost search` on the guides that ship, whole process, beside its floor: a process that maps the weights
//! and runs one forward pass of the question, with stock candle and nothing else. The two take turns; the figure to
//! quote is the ratio of the medians.
//!
//!     cargo build --release --workspace
//!     cargo run --release -p guidepost-benches --bin cold_search

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};

const ROUNDS: usize = 30;
const QUESTION: &str = "How do I become a machine learning engineer?";
/// The question as all-MiniLM-L6-v2's tokenizer cuts it.
const TOKENS: [u32; 11] = [101, 2129, 2079, 1045, 2468, 1037, 3698, 4083, 3992, 1029, 102];

#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, folder] = &arguments[..]
        && flag == "--floor"
    {
        return floor(Path::new(folder));
    }
    let own = std::env::current_exe()?;
    let program = own.with_file_name("guidepost");
    let index = guidepost_benches::work_folder().join("cold-index");
    let folder = model_folder(&program)?;
    let mut search = Command::new(&program);
    search.args(["search", QUESTION, "-q", "--index"]).arg(&index);
    let mut floor = Command::new(&own);
    floor.arg("--floor").arg(&folder);
    time(&mut search)?;
    let (mut searches, mut floors) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        searches.push(time(&mut search)?);
        floors.push(time(&mut floor)?);
    }
    let (search, floor) = (quartiles(searches), quartiles(floors));
    println!(
        "| whole process, {ROUNDS} rounds taking turns | lower quartile ms | median ms | upper quartile ms |"
    );
    println!("|---|---|---|---|");
    println!(
        "| `guidepost search`, guides that ship | {:.1} | {:.1} | {:.1} |",
        search[0], search[1], search[2]
    );
    println!(
        "| floor: map the weights, one forward pass | {:.1} | {:.1} | {:.1} |",
        floor[0], floor[1], floor[2]
    );
    println!("\nratio of the medians: {:.2}", search[1] / floor[1]);
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

/// What no search by meaning can do without.
fn floor(folder: &Path) -> anyhow::Result<()> {
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
