//! Embeddings equal those of sentence-transformers, for one text, for a batch, in any order, with every family of
//! instructions this processor has; precisions that give up some exactness stay within what they promise. The reference
//! vectors and the command that made them are in `tests/fixtures/embeddings/`.
//!
//! Needs the real weights: fetches them, or says that it was skipped (`GUIDEPOST_REQUIRE_MODEL=1`: fails).

use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use guidepost_model::{
    DeviceChoice, Execution, LocatedModel, ModelChoice, OpenDevice, Places, Precision, SentenceTransformer,
    fetch, instruction_families, locate,
};
use guidepost_text::{Embed, Embedding, TextRole, TokenVectors};
use safetensors::SafeTensors;

const NAME: &str = "all-MiniLM-L6-v2";

fn model() -> Option<LocatedModel> {
    let places = Places::of_user()?;
    let located = locate(&ModelChoice::Named(NAME.into()), &places).expect("what is there is sound");
    match located.map_or_else(|| fetch(NAME, &places, &mut |_| ()), Ok) {
        Ok(model) => Some(model),
        Err(error) => {
            assert!(std::env::var_os("GUIDEPOST_REQUIRE_MODEL").is_none(), "{error}");
            let _ = writeln!(std::io::stderr(), "skipped parity: {error}");
            None
        }
    }
}

fn load(
    model: &LocatedModel,
    precision: Precision,
    threads: usize,
    instructions: &str,
) -> SentenceTransformer {
    let device = OpenDevice::open(DeviceChoice::Cpu).expect("there is a processor");
    let (threads, instructions) = (Some(threads), Some(instructions.to_owned()));
    let execution = Execution { device, precision, threads, instructions };
    SentenceTransformer::load(model, &execution).expect("the model is verified")
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
fn check(way: &str, min_cosine: f64, found: &[Embedding], expected: &[Embedding]) {
    assert_eq!(found.len(), expected.len());
    let cosines: Vec<f64> = found.iter().zip(expected).map(|(a, b)| a.precise_cosine(b)).collect();
    let worst =
        (0..cosines.len()).min_by(|&a, &b| cosines[a].total_cmp(&cosines[b])).expect("there are texts");
    let mean = cosines.iter().sum::<f64>() / cosines.len() as f64;
    let _ =
        writeln!(std::io::stderr(), "parity {way}: smallest cosine {:.7}, mean {mean:.7}", cosines[worst]);
    assert!(cosines[worst] >= min_cosine, "{way}: text {worst} has cosine {}", cosines[worst]);
}

#[test]
fn embeddings_equal_those_of_sentence_transformers() {
    let Some(model) = model() else { return };
    let (texts, expected) = fixture();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let promises = [(Precision::F32, 0.999_999), (Precision::Fast, 0.9995), (Precision::Int8, 0.99)];
    let fastest = instruction_families()[0];
    for (precision, min_cosine) in promises {
        for instructions in instruction_families() {
            // The portable code is slow, and goes through the same stages.
            let count = if instructions == "portable" { 40 } else { texts.len() };
            let model = load(&model, precision, 2, instructions);
            let found = model.embed(&texts[..count], TextRole::Passage, &|_| ()).expect("the model runs");
            check(&format!("{instructions}, {precision}"), min_cosine, &found, &expected[..count]);
        }
        let model = load(&model, precision, 3, fastest);
        let embed = |text: &&str| model.embed(&[text], TextRole::Passage, &|_| ()).expect("the model runs");
        let single: Vec<Embedding> = texts.iter().flat_map(embed).collect();
        check(&format!("{fastest}, {precision}, one at a time"), min_cosine, &single, &expected);
    }
}

#[test]
fn order_and_company_do_not_matter() {
    let Some(model) = model() else { return };
    let (texts, _) = fixture();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for precision in [Precision::F32, Precision::Fast, Precision::Int8] {
        let model = load(&model, precision, 2, instruction_families()[0]);
        let embed = |texts: &[&str]| model.embed(texts, TextRole::Passage, &|_| ()).expect("the model runs");
        let together = embed(&texts);
        let order: Vec<usize> = (0..texts.len()).map(|at| (at * 37 + 11) % texts.len()).collect();
        let shuffled = embed(&order.iter().map(|&at| texts[at]).collect::<Vec<_>>());
        for (place, &at) in order.iter().enumerate() {
            let same = shuffled[place].precise_cosine(&together[at]);
            assert!(same > 0.999_999, "{precision}: text {at} differs elsewhere: {same}");
        }
    }
}

#[test]
fn token_vectors_pool_to_the_embedding() {
    let Some(model) = model() else { return };
    let (texts, _) = fixture();
    let texts: Vec<&str> = texts.iter().map(String::as_str).take(60).collect();
    let model = load(&model, Precision::Fast, 2, instruction_families()[0]);
    let kept = Mutex::new(vec![None; texts.len()]);
    let keep = |at: usize, tokens| kept.lock().expect("nobody panicked")[at] = Some(tokens);
    let found = model.embed_tokens(&texts, TextRole::Passage, &keep, &|_| ()).expect("the model runs");
    for (at, tokens) in kept.into_inner().expect("nobody panicked").into_iter().enumerate() {
        let tokens: TokenVectors = tokens.expect("every text has tokens");
        let mut sum = vec![0.0; tokens.dimensions];
        tokens.rows().for_each(|row| row.iter().zip(&mut sum).for_each(|(value, sum)| *sum += value));
        assert_eq!(model.token_spans(texts[at], TextRole::Passage).as_ref(), Some(&tokens.spans));
        let same = Embedding::normalized(sum).precise_cosine(&found[at]);
        assert!(same > 0.999_999, "text {at}: {same}");
        // Special tokens stand for nothing, the others for their part of the text, in order.
        let spans: Vec<_> = tokens.spans.iter().filter(|span| span.start < span.end).collect();
        assert_eq!(spans.len() + 2, tokens.rows().len(), "text {at}");
        assert!(
            spans.is_sorted_by_key(|span| span.start) && spans.iter().all(|span| span.end <= texts[at].len())
        );
    }
}

#[test]
fn tokens_are_counted_before_any_cut() {
    let Some(model) = model() else { return };
    let model = load(&model, Precision::F32, 1, instruction_families()[0]);
    let long = "word ".repeat(400);
    assert_eq!(model.count_tokens(&["", "machine learning", &long]), [2, 4, 402]);
    assert_eq!(model.max_tokens(), 256, "the model's own limit, not the tokenizer file's 128");
    assert_eq!(model.dimensions(), 384);
}

#[test]
fn nothing_yields_nothing() {
    let Some(model) = model() else { return };
    let model = load(&model, Precision::Fast, 2, instruction_families()[0]);
    assert!(model.embed(&[], TextRole::Passage, &|_| ()).is_ok_and(|embeddings| embeddings.is_empty()));
    let blank = model.embed(&[""], TextRole::Passage, &|_| ()).expect("the model runs");
    assert_eq!(blank[0].as_slice().len(), 384);
}
