//! Vector search alone, for `benches/peers/vector_search.py`, which asks it and its peers in turn.
//!
//!     graph_search questions OUT.f32 COLLECTION...    embeds the queries of BEIR folders, as raw f32
//!     graph_search serve FOLDER ROWS.f32 QUERIES.f32 DIMENSIONS LIMIT
//!
//! `serve` answers each line with one line of JSON: `build` writes the index into FOLDER, `open` maps it, `walk EF` and
//! `scan` answer all queries one after another on one thread, `memory` says what the process holds.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, bail};
use guidepost_benches::{Collection, load_model};
use guidepost_index::VectorIndex;
use guidepost_text::{Embed, Embedding, TextRole};
use serde_json::{Value, json};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["questions", out, ref collections @ ..] => embed_questions(Path::new(out), collections),
        ["serve", folder, rows, queries, dimensions, limit] => serve(Served {
            folder: PathBuf::from(folder),
            rows: PathBuf::from(rows),
            queries: read_vectors(Path::new(queries), dimensions.parse()?)?,
            dimensions: dimensions.parse()?,
            limit: limit.parse()?,
            index: None,
        }),
        _ => bail!(
            "usage: graph_search questions OUT COLLECTION... | serve FOLDER ROWS QUERIES DIMENSIONS LIMIT"
        ),
    }
}

fn embed_questions(out: &Path, collections: &[&str]) -> anyhow::Result<()> {
    let model = load_model()?;
    let mut bytes = Vec::new();
    for folder in collections {
        let collection = Collection::read(Path::new(folder))?;
        let texts: Vec<&str> = collection.queries.iter().map(|query| query.text.as_str()).collect();
        for vector in model.embed(&texts, TextRole::Question, &|_| ())? {
            bytes.extend(vector.as_slice().iter().flat_map(|value| value.to_le_bytes()));
        }
    }
    Ok(std::fs::write(out, bytes)?)
}

struct Served {
    folder: PathBuf,
    rows: PathBuf,
    queries: Vec<Embedding>,
    dimensions: usize,
    /// Rows that each query asks for.
    limit: usize,
    index: Option<VectorIndex>,
}

fn serve(mut served: Served) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "READY")?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let answer = match words[..] {
            ["build"] => served.build(),
            ["open"] => served.open(),
            ["walk", ef, ids] => {
                let (ef, limit) = (ef.parse()?, served.limit);
                served.answer(Path::new(ids), &|index, query| ids_of(index.walk(query, limit, ef)))
            }
            ["scan", ids] => {
                let limit = served.limit;
                served.answer(Path::new(ids), &|index, query| ids_of(index.scan(query, limit)))
            }
            ["memory"] => memory(),
            ["quit"] => return Ok(()),
            _ => bail!("unknown command `{line}`"),
        };
        writeln!(out, "{}", answer.unwrap_or_else(|error| json!({ "error": error.to_string() })))?;
        out.flush()?;
    }
    Ok(())
}

fn ids_of(found: Vec<(guidepost_index::ChunkId, f32)>) -> Vec<u32> {
    found.into_iter().map(|(id, _)| id.0).collect()
}

impl Served {
    fn build(&mut self) -> anyhow::Result<Value> {
        let rows = read_vectors(&self.rows, self.dimensions)?;
        std::fs::create_dir_all(&self.folder)?;
        let (start, cpu) = (Instant::now(), process_seconds());
        VectorIndex::write(&self.folder, &rows, &|_, _| ())?;
        let (seconds, cpu_seconds) = (start.elapsed().as_secs_f64(), process_seconds() - cpu);
        let bytes = |name: &str| std::fs::metadata(self.folder.join(name)).map(|metadata| metadata.len());
        let all = bytes("vectors")? + bytes("graph")?;
        Ok(
            json!({ "seconds": seconds, "cpu_seconds": cpu_seconds, "bytes": all, "graph_bytes": bytes("graph")? }),
        )
    }

    fn open(&mut self) -> anyhow::Result<Value> {
        let rows = std::fs::metadata(&self.rows)?.len() as usize / (4 * self.dimensions);
        let start = Instant::now();
        let index = VectorIndex::open(&self.folder, rows, self.dimensions)?;
        // The first answer is part of it: a map costs when it is first read.
        index.walk(&self.queries[0], self.limit, 64);
        self.index = Some(index);
        Ok(json!({ "seconds": start.elapsed().as_secs_f64() }))
    }

    fn answer(
        &self,
        ids: &Path,
        search: &(dyn Fn(&VectorIndex, &Embedding) -> Vec<u32> + Sync),
    ) -> anyhow::Result<Value> {
        let index = self.index.as_ref().context("`open` comes first")?;
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
        let (seconds, cpu_seconds, found) = pool.install(|| {
            let (start, cpu) = (Instant::now(), thread_seconds());
            let found: Vec<Vec<u32>> = self.queries.iter().map(|query| search(index, query)).collect();
            (start.elapsed().as_secs_f64(), thread_seconds() - cpu, found)
        });
        let padded =
            found.iter().flat_map(|ids| (0..self.limit).map(|at| ids.get(at).copied().unwrap_or(u32::MAX)));
        std::fs::write(ids, padded.flat_map(u32::to_le_bytes).collect::<Vec<u8>>())?;
        Ok(json!({ "seconds": seconds, "cpu_seconds": cpu_seconds }))
    }
}

/// Seconds that this thread has had a processor.
fn thread_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

/// Seconds that all threads together have had a processor.
fn process_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = text.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

/// Megabytes that the process holds now, and held at most.
fn memory() -> anyhow::Result<Value> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let megabytes = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|number| number.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
    };
    let (now, file, most) = (megabytes("VmRSS:"), megabytes("RssFile:"), megabytes("VmHWM:"));
    Ok(json!({ "resident_mb": now, "of_files_mb": file, "most_mb": most }))
}

fn read_vectors(path: &Path, dimensions: usize) -> anyhow::Result<Vec<Embedding>> {
    let file = std::fs::File::open(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
    let count = file.metadata()?.len() as usize / (4 * dimensions);
    let mut file = std::io::BufReader::with_capacity(1 << 20, file);
    let mut bytes = vec![0; 4 * dimensions];
    (0..count)
        .map(|_| {
            std::io::Read::read_exact(&mut file, &mut bytes)?;
            let values = bytes.as_chunks::<4>().0.iter().map(|&value| f32::from_le_bytes(value));
            Ok(Embedding::from_unit(values.collect()))
        })
        .collect()
}
