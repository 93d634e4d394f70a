//! Embeds what it is told to on standard input, for `benches/peers`, which runs it beside other runtimes.
//!
//! `embed_server PRECISION THREADS WORKLOAD`, PRECISION being `f32`, `fast`, `int8`, or `stock` for the BERT of
//! candle-transformers. Prints `READY`, then answers each line with a line of JSON.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, bail};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::BertModel;
use guidepost_benches::{load_model_as, locate_model};
use guidepost_model::measured_peak;
use guidepost_text::{Embed, TextRole};
use serde::Deserialize;
use serde_json::{Value, json};
use tokenizers::{Encoding, Tokenizer, TruncationParams};

/// The texts.
#[derive(Deserialize)]
struct Workload {
    questions: Vec<String>,
    natural: Vec<Vec<String>>,
    fixed: Vec<Vec<String>>,
    vectors: Vec<String>,
}

/// Texts to vectors.
type Embedder = Box<dyn Fn(&[&str]) -> anyhow::Result<Vec<Vec<f32>>>>;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, precision, threads, workload] = arguments.as_slice() else {
        bail!("usage: embed_server PRECISION THREADS WORKLOAD");
    };
    let threads: usize = threads.parse()?;
    let workload: Workload = serde_json::from_slice(&std::fs::read(workload)?)?;
    let embed = if precision == "stock" { stock(threads)? } else { ours(precision, threads)? };
    let mut out = std::io::stdout().lock();
    writeln!(out, "READY")?;
    out.flush()?;
    for line in std::io::stdin().lines() {
        let line = line?;
        if line == "quit" {
            break;
        }
        let answer = answer(&line, &workload, &embed, threads)?;
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn answer(line: &str, workload: &Workload, embed: &Embedder, threads: usize) -> anyhow::Result<Value> {
    let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
    let block = |blocks: &[Vec<String>]| -> anyhow::Result<Vec<String>> {
        blocks.get(rest.parse::<usize>()?).cloned().context("no such block")
    };
    match command {
        "question" => questions(&workload.questions, embed),
        "natural" => timed(&block(&workload.natural)?, embed),
        "fixed" => timed(&block(&workload.fixed)?, embed),
        "vectors" => {
            write_npy(Path::new(rest), &embed(&borrow(&workload.vectors))?)?;
            Ok(json!({}))
        }
        "peak" => Ok(json!({"gflops": measured_peak(threads)?})),
        other => bail!("unknown command `{other}`"),
    }
}

fn borrow(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

fn questions(texts: &[String], embed: &Embedder) -> anyhow::Result<Value> {
    let mut times = Vec::new();
    for text in texts {
        let start = Instant::now();
        embed(&[text])?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    Ok(json!({"p50_ms": at(0.5), "p95_ms": at(0.95)}))
}

fn timed(texts: &[String], embed: &Embedder) -> anyhow::Result<Value> {
    let texts = borrow(texts);
    let start = Instant::now();
    embed(&texts)?;
    Ok(json!({"seconds": start.elapsed().as_secs_f64(), "texts": texts.len()}))
}

fn ours(precision: &str, threads: usize) -> anyhow::Result<Embedder> {
    // The tokenizer's threads.
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    let precision = precision.parse().map_err(anyhow::Error::msg)?;
    let model = load_model_as(precision, Some(threads))?;
    Ok(Box::new(move |texts| {
        let embeddings = model.embed(texts, TextRole::Passage, &|_| ())?;
        Ok(embeddings.iter().map(|embedding| embedding.as_slice().to_vec()).collect())
    }))
}

/// The BERT of candle-transformers with mean pooling, on batches of 32 sorted by length.
fn stock(threads: usize) -> anyhow::Result<Embedder> {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    let folder = locate_model()?.folder;
    let mut tokenizer = Tokenizer::from_file(folder.join("tokenizer.json")).map_err(anyhow::Error::msg)?;
    tokenizer.with_padding(None);
    let limit = TruncationParams { max_length: 256, ..TruncationParams::default() };
    tokenizer.with_truncation(Some(limit)).map_err(anyhow::Error::msg)?;
    let config = serde_json::from_slice(&std::fs::read(folder.join("config.json"))?)?;
    let file = folder.join("model.safetensors");
    // SAFETY: nobody changes the file meanwhile.
    let weights = unsafe { VarBuilder::from_mmaped_safetensors(&[file], DType::F32, &Device::Cpu)? };
    let bert = BertModel::load(weights, &config)?;
    Ok(Box::new(move |texts| {
        let encodings = tokenizer.encode_batch_fast(texts.to_vec(), true).map_err(anyhow::Error::msg)?;
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|&at| encodings[at].len());
        let mut vectors = vec![Vec::new(); texts.len()];
        for batch in order.chunks(32) {
            let rows: Vec<&Encoding> = batch.iter().map(|&at| &encodings[at]).collect();
            for (&at, vector) in batch.iter().zip(stock_batch(&bert, &rows)?) {
                vectors[at] = vector;
            }
        }
        Ok(vectors)
    }))
}

fn stock_batch(bert: &BertModel, rows: &[&Encoding]) -> anyhow::Result<Vec<Vec<f32>>> {
    let longest = rows.iter().map(|row| row.len()).max().unwrap_or(0);
    let padded = |values: fn(&Encoding) -> &[u32]| {
        let row = |row: &&Encoding| {
            let values = values(row).to_vec();
            values.into_iter().chain(std::iter::repeat(0)).take(longest)
        };
        Tensor::from_vec(rows.iter().flat_map(row).collect::<Vec<u32>>(), (rows.len(), longest), &Device::Cpu)
    };
    let mask = padded(Encoding::get_attention_mask)?;
    let states = bert.forward(&padded(Encoding::get_ids)?, &padded(Encoding::get_type_ids)?, Some(&mask))?;
    let mask = mask.to_dtype(DType::F32)?.unsqueeze(2)?;
    let mean = states.broadcast_mul(&mask)?.sum(1)?.broadcast_div(&mask.sum(1)?)?;
    Ok(mean.broadcast_div(&mean.sqr()?.sum_keepdim(1)?.sqrt()?)?.to_vec2()?)
}

/// NumPy's format, version 1: a header padded to 64 bytes, then the numbers in row-major order.
fn write_npy(path: &Path, rows: &[Vec<f32>]) -> anyhow::Result<()> {
    let width = rows.first().map_or(0, Vec::len);
    let dictionary =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {width}), }}", rows.len());
    let size = (10 + dictionary.len() + 1).next_multiple_of(64);
    let header = format!("{dictionary:<width$}\n", width = size - 11);
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(rows.iter().flatten().flat_map(|value| value.to_le_bytes()));
    std::fs::write(path, bytes).with_context(|| path.display().to_string())
}
