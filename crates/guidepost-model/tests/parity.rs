//! Embeddings equal those of sentence-transformers, for one text, for a batch, in any order. The reference vectors
//! and the command that made them are in `tests/fixtures/embeddings/`.
//!
//! Needs the real weights: fetches them, or says that it was skipped (`GUIDEPOST_REQUIRE_MODEL=1`: fails).

use std::io::Write;
use std::path::{Path, PathBuf};

use guidepost_model::{DeviceChoice, ModelChoice, OpenDevice, Places, SentenceTransformer, fetch, locate};
use guidepost_text::{Embed, Embedding, TextRole};
use safetensors::SafeTensors;

const NAME: &str = "all-MiniLM-L6-v2";
const MIN_COSINE: f32 = 0.9999;

fn model() -> Option<SentenceTransformer> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = cache.or(home)?.join("guidepost");
    let fetched = cache.join("models");
    let places = Places { models: vec![fetched.clone()], fetched, stamps: cache.join("digests") };
    let located = locate(&ModelChoice::Named(NAME.into()), &places).expect("what is there is sound");
    let model = match located.map_or_else(|| fetch(NAME, &places, &mut |_| ()), Ok) {
        Ok(model) => model,
        Err(error) => {
            assert!(std::env::var_os("GUIDEPOST_REQUIRE_MODEL").is_none(), "{error}");
            let _ = writeln!(std::io::stderr(), "skipped parity: {error}");
            return None;
        }
    };
    let device = OpenDevice::open(DeviceChoice::Cpu).expect("there is a processor");
    Some(SentenceTransformer::load(&model, &device).expect("the model is verified"))
}

fn fixture() -> (Vec<String>, Vec<Embedding>) {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/embeddings"));
    let read = |name: &str| std::fs::read(folder.join(name)).expect("the fixture is there");
    let texts: Vec<String> = serde_json::from_slice(&read("texts.json")).expect("a list of texts");
    let bytes = read("vectors.safetensors");
    let tensors = SafeTensors::deserialize(&bytes).expect("safetensors");
    let tensor = tensors.tensor("embeddings").expect("the vectors");
    let value = |four: &[u8]| f32::from_le_bytes([four[0], four[1], four[2], four[3]]);
    let row = |row: &[u8]| Embedding::from_unit(row.chunks_exact(4).map(value).collect());
    (texts, tensor.data().chunks_exact(384 * 4).map(row).collect())
}

#[track_caller]
fn check(way: &str, found: &[Embedding], expected: &[Embedding]) {
    assert_eq!(found.len(), expected.len());
    let cosines: Vec<f32> = found.iter().zip(expected).map(|(a, b)| a.cosine(b)).collect();
    let worst =
        (0..cosines.len()).min_by(|&a, &b| cosines[a].total_cmp(&cosines[b])).expect("there are texts");
    assert!(cosines[worst] >= MIN_COSINE, "{way}: text {worst} has cosine {}", cosines[worst]);
    let _ = writeln!(
        std::io::stderr(),
        "parity {way}: {} texts, smallest cosine {:.7}",
        found.len(),
        cosines[worst]
    );
}

#[test]
fn embeddings_equal_those_of_sentence_transformers() {
    let Some(model) = model() else { return };
    let (texts, expected) = fixture();
    assert_eq!((texts.len(), expected.len()), (200, 200));
    let embed = |texts: &[&str]| model.embed(texts, TextRole::Passage, &|_| ()).expect("the model runs");
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();

    let single: Vec<Embedding> = texts.iter().flat_map(|text| embed(&[text])).collect();
    check("one at a time", &single, &expected);

    check("in one call", &embed(&texts), &expected);

    // A fixed shuffle: 77 and 200 share no divisor.
    let order: Vec<usize> = (0..200).map(|at| (at * 77 + 13) % 200).collect();
    let shuffled: Vec<&str> = order.iter().map(|&at| texts[at]).collect();
    let expected: Vec<Embedding> = order.iter().map(|&at| expected[at].clone()).collect();
    check("shuffled", &embed(&shuffled), &expected);
}

#[test]
fn tokens_are_counted_before_any_cut() {
    let Some(model) = model() else { return };
    assert_eq!(model.max_tokens(), 256, "the model's own limit, not the tokenizer file's 128");
    assert_eq!(model.dimensions(), 384);
    let long = "word ".repeat(600);
    assert_eq!(model.count_tokens(&["", "word", &long]), [2, 3, 602]);
}
