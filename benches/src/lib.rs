//! What the benchmark programs share: the model, and test collections in BEIR's layout.

pub mod folders;
pub mod shipped;
pub mod spans;
pub mod splitters;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use guidepost_index::{LateInteraction, Request, ShippedGuide, Snapshot, update};
use guidepost_model::{
    DeviceChoice, Execution, LocatedModel, ModelChoice, OpenDevice, Places, Precision, SentenceTransformer,
    fetch, locate, registry,
};
use guidepost_query::{CollectionDocument, CollectionQuery, bootstrap, ndcg_at};
use guidepost_text::{Embed, Embedding, TextRole};
use serde::Deserialize;

/// Where intermediate results are kept between runs: embeddings of a collection take minutes.
pub fn work_folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    target.join("quality")
}

/// The default model on the processor in its default precision, from wherever the program itself would take it.
///
/// # Errors
/// A model that cannot be had.
pub fn load_model() -> anyhow::Result<SentenceTransformer> {
    load_model_as(Precision::Fast, None)
}

/// The default model on the processor.
///
/// # Errors
/// A model that cannot be had.
pub fn load_model_as(precision: Precision, threads: Option<usize>) -> anyhow::Result<SentenceTransformer> {
    let device = OpenDevice::open(DeviceChoice::Cpu)?;
    let execution = Execution { device, precision, threads, instructions: None };
    Ok(SentenceTransformer::load(&locate_model()?, &execution)?)
}

/// The default model's folder.
///
/// # Errors
/// A model that cannot be had.
pub fn locate_model() -> anyhow::Result<LocatedModel> {
    let places = Places::of_user().context("this user has no home folder")?;
    let name = registry()[0].name.clone();
    Ok(match locate(&ModelChoice::Named(name.clone()), &places)? {
        Some(model) => model,
        None => fetch(&name, &places, &mut |_| ())?,
    })
}

/// A test collection, by the name of its folder.
pub struct Collection {
    /// Name of its folder.
    pub name: String,
    collection: guidepost_query::Collection,
}

impl std::ops::Deref for Collection {
    type Target = guidepost_query::Collection;

    fn deref(&self) -> &Self::Target {
        &self.collection
    }
}

impl Collection {
    /// One that was not read; its name is also that of its files.
    pub fn new(name: String, collection: guidepost_query::Collection) -> Self {
        Collection { name, collection }
    }

    /// Reads `corpus.jsonl`, `queries.jsonl` and `qrels.tsv`.
    ///
    /// # Errors
    /// A file that is missing or not understood.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let name = folder.file_name().context("a collection is a folder")?.to_string_lossy().into_owned();
        let [corpus, queries, judgments] =
            ["corpus.jsonl", "queries.jsonl", "qrels.tsv"].map(|file| read(&folder.join(file)));
        let collection = guidepost_query::Collection::parse(&corpus?, &queries?, &judgments?)
            .with_context(|| format!("`{}`", folder.display()))?;
        Ok(Collection { name, collection })
    }

    /// Every document scored by its cosine to the question. A document is its title, a space and its text.
    ///
    /// # Errors
    /// A disk that refuses or a model that fails.
    pub fn exact_search(&self, embedder: &dyn Embed) -> anyhow::Result<ExactSearch> {
        let text =
            |document: &CollectionDocument| format!("{} {}", document.title, document.text).trim().to_owned();
        let texts: Vec<String> = self.documents.iter().map(text).collect();
        let questions: Vec<String> = self.queries.iter().map(|query| query.text.clone()).collect();
        let documents = embed_kept(&format!("{}-documents", self.name), embedder, &texts, TextRole::Passage)?;
        let questions =
            embed_kept(&format!("{}-questions", self.name), embedder, &questions, TextRole::Question)?;
        let ndcg = |(query, vector): (&CollectionQuery, &Embedding)| {
            let mut ranked: Vec<(f32, usize)> =
                documents.iter().map(|row| row.cosine(vector)).zip(0..).collect();
            ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            let ids: Vec<&str> =
                ranked.iter().take(10).map(|&(_, at)| self.documents[at].id.as_str()).collect();
            ndcg_at(10, &ids, &self.judged[&query.id])
        };
        Ok(ExactSearch { ndcg: self.queries.iter().zip(&questions).map(ndcg).collect(), documents })
    }

    /// The collection as an index, built the way guides are: a guide per document. Kept between runs.
    ///
    /// # Errors
    /// A disk that refuses or a model that fails.
    pub fn index(&self, embedder: &dyn Embed) -> anyhow::Result<Snapshot> {
        let guides: Vec<ShippedGuide> = self.documents.iter().map(as_guide).collect();
        index(&self.name, &guides, embedder)
    }
}

/// A collection searched by vectors alone.
#[derive(Clone)]
pub struct ExactSearch {
    /// nDCG@10 of each question.
    pub ndcg: Vec<f64>,
    /// The vector of each document.
    pub documents: Vec<Embedding>,
}

/// Builds or updates an index that is kept between runs; one of another model is made anew.
fn index(name: &str, guides: &[ShippedGuide], embedder: &dyn Embed) -> anyhow::Result<Snapshot> {
    let index = work_folder().join(format!("{name}-index"));
    let kept = Snapshot::open(&index)?;
    let rebuild = kept.is_some_and(|kept| kept.check_fingerprint(Some(embedder)).is_err());
    let request = Request {
        index: &index,
        add: &[],
        remove: &[],
        shipped: guides,
        embedder: Some(embedder),
        rebuild,
        repair: false,
        wait: true,
        late_interaction: LateInteraction::Keep,
        memory: u64::MAX,
        stop: &AtomicBool::new(false),
    };
    update(&request, &mut |_| ())?;
    Snapshot::open(&index)?.context("the index was just written")
}

/// In memory for the rest of the program, as guides that ship are.
fn as_guide(document: &CollectionDocument) -> ShippedGuide {
    let title = if document.title.is_empty() { String::new() } else { format!("# {}\n\n", document.title) };
    let text = format!("{title}{}", document.text);
    ShippedGuide { path: format!("{}.md", document.id).leak(), bytes: text.leak().as_bytes() }
}

/// Embeds texts, or takes the embeddings of an earlier run with the same texts and model.
///
/// # Errors
/// A model that fails or a disk that refuses.
pub fn embed_kept(
    name: &str,
    embedder: &dyn Embed,
    texts: &[String],
    role: TextRole,
) -> anyhow::Result<Vec<Embedding>> {
    let key = texts.iter().fold(blake3::Hasher::new(), |mut hasher, text| {
        hasher.update(text.as_bytes()).update(&[0]);
        hasher
    });
    let key = key.clone().update(embedder.fingerprint().as_bytes()).finalize().to_hex();
    let path = work_folder().join(format!("{name}-{}.f32", &key[..16]));
    let width = embedder.dimensions() * 4;
    if let Ok(bytes) = fs::read(&path)
        && bytes.len() == texts.len() * width
    {
        let value = |four: &[u8]| f32::from_le_bytes([four[0], four[1], four[2], four[3]]);
        let row = |row: &[u8]| Embedding::from_unit(row.chunks_exact(4).map(value).collect());
        return Ok(bytes.chunks_exact(width).map(row).collect());
    }
    let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
    let embeddings = embedder.embed(&borrowed, role, &|_| ())?;
    let bytes: Vec<u8> =
        embeddings.iter().flat_map(|row| row.as_slice()).flat_map(|v| v.to_le_bytes()).collect();
    fs::create_dir_all(work_folder())?;
    fs::write(&path, bytes)?;
    Ok(embeddings)
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))
}

/// Reads a file with a JSON value on each line.
///
/// # Errors
/// A file that is missing or not understood.
pub fn read_lines<T: for<'de> Deserialize<'de>>(path: &Path) -> anyhow::Result<Vec<T>> {
    let parse = |line: &str| serde_json::from_str(line).with_context(|| format!("in `{}`", path.display()));
    read(path)?.lines().filter(|line| !line.trim().is_empty()).map(parse).collect()
}

/// Shares of questions as a cell of a table: mean and 95 % interval, in percent.
pub fn percent_interval(values: &[f64]) -> String {
    let interval = bootstrap(values);
    format!("{:.0} % ({:.0} to {:.0})", interval.mean * 100.0, interval.low * 100.0, interval.high * 100.0)
}

/// A mean and its 95 % interval as a cell of a table.
pub fn interval(values: &[f64]) -> String {
    let interval = bootstrap(values);
    format!("{:.3} ({:.3} to {:.3})", interval.mean, interval.low, interval.high)
}
