//! BERTs of other shapes than the registered model's give the vectors that sentence-transformers gives, for one text,
//! for a batch, in any order. The weights are random; the reference and the script that made it are in
//! `tests/fixtures/architectures/`.
//!
//! Fetches nothing, and says nothing about how well such a model searches.

mod random_model;

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use guidepost_model::{
    DeviceChoice, Execution, LocatedModel, ModelChoice, OpenDevice, Places, Precision, SentenceTransformer,
    locate,
};
use guidepost_text::{Embed, Embedding, TextRole};
use random_model::{Architecture, fixtures};
use safetensors::SafeTensors;

const MIN_COSINE: f64 = 0.999_999;

/// What sentence-transformers made of the texts.
struct Reference {
    texts: Vec<String>,
    vectors: Vec<Embedding>,
    weights_sha256: String,
}

impl Reference {
    fn read(architecture: &Architecture) -> Self {
        let read = |name: &str| fs::read(fixtures().join(name)).expect("the fixture is there");
        let texts = serde_json::from_slice(&read("texts.json")).expect("a list of texts");
        let bytes = read("reference.safetensors");
        let tensors = SafeTensors::deserialize(&bytes).expect("safetensors");
        let tensor = tensors.tensor(&architecture.name).expect("the architecture's vectors");
        let value = |four: &[u8]| f32::from_le_bytes([four[0], four[1], four[2], four[3]]);
        let row = |row: &[u8]| Embedding::from_unit(row.chunks_exact(4).map(value).collect());
        let vectors = tensor.data().chunks_exact(architecture.width() * 4).map(row).collect();
        Reference { texts, vectors, weights_sha256: weights_sha256(&bytes, &architecture.name) }
    }
}

/// The digest that the reference's metadata gives for an architecture's weights.
fn weights_sha256(reference: &[u8], name: &str) -> String {
    let (_, header) = SafeTensors::read_metadata(reference).expect("safetensors");
    let metadata = header.metadata().as_ref().expect("the reference has metadata");
    let mut digests: HashMap<String, String> = serde_json::from_str(&metadata["weights"]).expect("digests");
    digests.remove(name).expect("a digest per architecture")
}

fn locate_folder(root: &Path, folder: &Path) -> LocatedModel {
    let models = root.join("models");
    let places = Places { models: vec![models.clone()], fetched: models, stamps: root.join("stamps") };
    let located = locate(&ModelChoice::Folder(folder.to_owned()), &places).expect("the model was written");
    located.expect("a folder is never searched for")
}

fn load(located: &LocatedModel) -> SentenceTransformer {
    let device = OpenDevice::open(DeviceChoice::Cpu).expect("there is a processor");
    let execution = Execution { device, precision: Precision::F32, threads: None, instructions: None };
    SentenceTransformer::load(located, &execution).expect("the model is sound")
}

/// The cosine of two unit vectors, from their distance: near 1 that loses no digits.
fn cosine(a: &Embedding, b: &Embedding) -> f64 {
    let components = a.as_slice().iter().zip(b.as_slice());
    1.0 - components.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>() / 2.0
}

#[track_caller]
fn compare(what: &str, found: &[Embedding], expected: &[Embedding]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let cosines: Vec<f64> = found.iter().zip(expected).map(|(a, b)| cosine(a, b)).collect();
    let worst = (0..cosines.len()).min_by(|&a, &b| cosines[a].total_cmp(&cosines[b])).expect("texts");
    let _ = writeln!(std::io::stderr(), "{what}: smallest cosine 1 - {:.1e}", 1.0 - cosines[worst]);
    assert!(cosines[worst] >= MIN_COSINE, "{what}: text {worst} has cosine {}", cosines[worst]);
}

#[track_caller]
fn check(name: &str) {
    let architecture = Architecture::named(name);
    let reference = Reference::read(&architecture);
    let root = tempfile::tempdir().expect("a temporary folder");
    let folder = root.path().join(name);
    architecture.write(&folder);
    let located = locate_folder(root.path(), &folder);
    assert_eq!(located.weights_sha256, reference.weights_sha256, "{name}: other weights");

    let model = load(&located);
    let texts: Vec<&str> = reference.texts.iter().map(String::as_str).collect();
    assert_eq!((model.dimensions(), model.max_tokens()), (architecture.width(), architecture.limit));
    assert!(model.count_tokens(&texts).iter().any(|&tokens| tokens > architecture.limit), "none is cut");

    let embed = |texts: &[&str]| model.embed(texts, TextRole::Passage, &|_| ()).expect("the model runs");
    compare(&format!("{name}, in one call"), &embed(&texts), &reference.vectors);
    let single: Vec<Embedding> = texts.iter().flat_map(|text| embed(&[text])).collect();
    compare(&format!("{name}, one at a time"), &single, &reference.vectors);
    let mut reversed = embed(&texts.iter().rev().copied().collect::<Vec<_>>());
    reversed.reverse();
    compare(&format!("{name}, in reverse"), &reversed, &reference.vectors);
}

#[test]
fn a_model_shaped_like_bge_small_gives_the_reference_vectors() {
    check("bge-small");
}

#[test]
fn a_model_shaped_like_gte_small_gives_the_reference_vectors() {
    check("gte-small");
}

#[test]
fn a_bert_768_wide_gives_the_reference_vectors() {
    check("bert-base");
}

#[test]
fn widths_that_are_no_multiples_of_sixteen_give_the_reference_vectors() {
    check("odd");
}

#[test]
fn small_heads_relu_and_a_single_token_type_give_the_reference_vectors() {
    check("small-heads");
}
