//! Models of other shapes and architectures than the default give the vectors and scores that sentence-transformers gives,
//! for one text, for a batch, in any order. The weights are random; the reference and the script that made it are in
//! `tests/fixtures/architectures/`.
//!
//! Fetches nothing, and says nothing about how well such a model searches.

mod random_model;

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use guidepost_model::{
    CrossEncoder, DeviceChoice, Execution, LocatedModel, ModelChoice, OpenDevice, Places, Precision,
    SentenceTransformer, locate, locate_reranker,
};
use guidepost_text::{Embed, Embedding, Rerank, TextRole};
use random_model::{Architecture, PairModel, fixtures};
use safetensors::SafeTensors;

const MIN_COSINE: f64 = 0.999_999;
const MAX_LOGIT_DIFFERENCE: f32 = 1e-4;

/// What sentence-transformers made of the texts.
struct Reference {
    texts: Vec<String>,
    tensors: HashMap<String, Vec<f32>>,
    weights_sha256: String,
}

impl Reference {
    fn read(model: &str) -> Self {
        let read = |name: &str| fs::read(fixtures().join(name)).expect("the fixture is there");
        let texts = serde_json::from_slice(&read("texts.json")).expect("a list of texts");
        let bytes = read("reference.safetensors");
        let file = SafeTensors::deserialize(&bytes).expect("safetensors");
        let value = |four: &[u8]| f32::from_le_bytes([four[0], four[1], four[2], four[3]]);
        let numbers = |(name, tensor): (String, safetensors::tensor::TensorView<'_>)| {
            (name, tensor.data().chunks_exact(4).map(value).collect())
        };
        let tensors = file.tensors().into_iter().map(numbers).collect();
        Reference { texts, tensors, weights_sha256: weights_sha256(&bytes, model) }
    }

    /// A tensor's rows as embeddings.
    fn vectors(&self, name: &str, dimensions: usize) -> Option<Vec<Embedding>> {
        let rows = self.tensors.get(name)?.chunks_exact(dimensions);
        Some(rows.map(|row| Embedding::from_unit(row.to_vec())).collect())
    }
}

/// The digest that the reference's metadata gives for an architecture's weights.
fn weights_sha256(reference: &[u8], name: &str) -> String {
    let (_, header) = SafeTensors::read_metadata(reference).expect("safetensors");
    let metadata = header.metadata().as_ref().expect("the reference has metadata");
    let mut digests: HashMap<String, String> = serde_json::from_str(&metadata["weights"]).expect("digests");
    digests.remove(name).expect("a digest per architecture")
}

fn places(root: &Path) -> Places {
    let models = root.join("models");
    Places { models: vec![models.clone()], fetched: models, stamps: root.join("stamps") }
}

fn locate_folder(root: &Path, folder: &Path) -> LocatedModel {
    let located = locate(&ModelChoice::Folder(folder.to_owned()), &places(root));
    located.expect("the model was written").expect("a folder is never searched for")
}

fn execution(precision: Precision) -> Execution {
    let device = OpenDevice::open(DeviceChoice::Cpu).expect("there is a processor");
    Execution { device, precision, threads: None, instructions: None }
}

fn load(located: &LocatedModel, precision: Precision) -> SentenceTransformer {
    SentenceTransformer::load(located, &execution(precision)).expect("the model is sound")
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

/// In one call, one at a time, and in reverse.
#[track_caller]
fn check_role(
    model: &SentenceTransformer,
    texts: &[&str],
    role: TextRole,
    what: &str,
    expected: &[Embedding],
) {
    let embed = |texts: &[&str]| model.embed(texts, role, &|_| ()).expect("the model runs");
    compare(&format!("{what}, in one call"), &embed(texts), expected);
    let single: Vec<Embedding> = texts.iter().flat_map(|text| embed(&[text])).collect();
    compare(&format!("{what}, one at a time"), &single, expected);
    let mut reversed = embed(&texts.iter().rev().copied().collect::<Vec<_>>());
    reversed.reverse();
    compare(&format!("{what}, in reverse"), &reversed, expected);
}

#[track_caller]
fn check(name: &str) {
    let architecture = Architecture::named(name);
    let reference = Reference::read(name);
    let root = tempfile::tempdir().expect("a temporary folder");
    let folder = root.path().join(name);
    architecture.write(&folder);
    let located = locate_folder(root.path(), &folder);
    assert_eq!(located.weights_sha256, reference.weights_sha256, "{name}: other weights");

    let model = load(&located, Precision::F32);
    let texts: Vec<&str> = reference.texts.iter().map(String::as_str).collect();
    let left = architecture.limit - architecture.passage_prompt().len().div_ceil(2);
    assert_eq!((model.dimensions(), model.max_tokens()), (architecture.dimensions(), left));
    assert!(model.count_tokens(&texts).iter().any(|&tokens| tokens > architecture.limit), "none is cut");

    let passages = reference.vectors(name, model.dimensions()).expect("the model's vectors");
    check_role(&model, &texts, TextRole::Passage, name, &passages);
    let questions = reference.vectors(&format!("{name}/question"), model.dimensions());
    check_role(&model, &texts, TextRole::Question, name, questions.as_ref().unwrap_or(&passages));
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

#[test]
fn a_layer_without_bias_after_scaling_and_two_prompts_give_the_reference_vectors() {
    check("bert-dense");
}

#[test]
fn a_distilbert_with_a_layer_gives_the_reference_vectors() {
    check("distilbert");
}

#[test]
fn a_roberta_at_its_last_position_gives_the_reference_vectors() {
    check("roberta");
}

#[test]
fn an_xlm_roberta_with_a_smaller_layer_gives_the_reference_vectors() {
    check("xlm-roberta");
}

#[test]
fn an_mpnet_gives_the_reference_vectors() {
    check("mpnet");
}

#[test]
fn a_modernbert_gives_the_reference_vectors() {
    check("modernbert");
}

#[test]
fn a_modernbert_that_names_its_layers_gives_the_reference_vectors() {
    check("modernbert-named");
}

#[test]
fn fast_precision_comes_close_and_int8_is_refused_where_there_is_none() {
    for (name, min_cosine) in [("mpnet", 0.9995), ("distilbert", 0.9995), ("modernbert", 0.999_999)] {
        let architecture = Architecture::named(name);
        let reference = Reference::read(name);
        let root = tempfile::tempdir().expect("a temporary folder");
        let folder = root.path().join(name);
        architecture.write(&folder);
        let located = locate_folder(root.path(), &folder);
        let model = load(&located, Precision::Fast);
        let texts: Vec<&str> = reference.texts.iter().map(String::as_str).collect();
        let found = model.embed(&texts, TextRole::Passage, &|_| ()).expect("the model runs");
        let expected = reference.vectors(name, model.dimensions()).expect("the model's vectors");
        let worst = found.iter().zip(&expected).map(|(a, b)| cosine(a, b)).fold(1.0, f64::min);
        assert!(worst >= min_cosine, "{name}: {worst}");
        let int8 = SentenceTransformer::load(&located, &execution(Precision::Int8));
        assert_eq!(
            int8.is_err_and(|error| error.to_string().contains("use f32 or fast")),
            name == "modernbert"
        );
    }
}

#[test]
fn whatever_shapes_a_vector_is_in_the_fingerprint() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let folder = root.path().join("bert-dense");
    Architecture::named("bert-dense").write(&folder);
    let fingerprint = || load(&locate_folder(root.path(), &folder), Precision::F32).fingerprint().to_owned();
    let change = |file: &str, from: &str, to: &str| {
        let path = folder.join(file);
        let text = fs::read_to_string(&path).expect("text");
        assert!(text.contains(from), "{file} has no {from}");
        fs::write(&path, text.replace(from, to)).expect("writable");
    };
    let mut seen = vec![fingerprint()];
    assert!(seen[0].contains("cls pooling, 96 tokens, f32") && seen[0].contains("question prompt \"ask: \""));
    for (file, from, to) in [
        ("config_sentence_transformers.json", "ask: ", "look for: "),
        ("1_Pooling/config.json", "\"pooling_mode_cls_token\":true", "\"pooling_mode_cls_token\":false"),
        ("sentence_bert_config.json", "96", "80"),
        ("tokenizer.json", "\"lowercase\": true", "\"lowercase\": false"),
        ("config.json", "gelu_new", "gelu"),
        ("3_Dense/config.json", "torch.nn.modules.linear.Identity", "torch.nn.modules.activation.Tanh"),
    ] {
        if file.starts_with("1_Pooling") {
            change(file, "\"pooling_mode_mean_tokens\":false", "\"pooling_mode_mean_tokens\":true");
        }
        change(file, from, to);
        let now = fingerprint();
        assert!(!seen.contains(&now), "{file}: {now}");
        seen.push(now);
    }
    // Scaling before the layer, and other weights in it.
    change(
        "modules.json",
        "{\"path\":\"2_Normalize\",\"type\":\"sentence_transformers.models.Normalize\"},",
        "",
    );
    seen.push(fingerprint());
    let weights = folder.join("3_Dense/model.safetensors");
    let mut bytes = fs::read(&weights).expect("readable");
    *bytes.last_mut().expect("not empty") ^= 1;
    fs::write(&weights, bytes).expect("writable");
    seen.push(fingerprint());
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 9, "{seen:#?}");
}

#[test]
fn a_cross_encoder_gives_the_reference_scores() {
    let pair_model = PairModel::named("cross-encoder");
    let reference = Reference::read(&pair_model.name);
    let root = tempfile::tempdir().expect("a temporary folder");
    let folder = root.path().join(&pair_model.name);
    pair_model.write(&folder);
    let choice = ModelChoice::Folder(folder);
    let located =
        locate_reranker(&choice, &places(root.path())).expect("it was written").expect("it is a folder");
    assert_eq!(located.weights_sha256, reference.weights_sha256, "other weights");
    let reranker = CrossEncoder::load(&located, &execution(Precision::F32)).expect("the model is sound");
    assert_eq!(reranker.max_tokens(), pair_model.limit);
    assert!(reranker.fingerprint().contains("cross-encoder, 120 tokens, f32"), "{}", reranker.fingerprint());

    let texts: Vec<&str> = reference.texts.iter().map(String::as_str).collect();
    let questions = [0, 4, 9].map(|at: usize| texts[at]);
    let rows = reference.tensors[&pair_model.name].chunks_exact(texts.len());
    for (question, expected) in questions.into_iter().zip(rows) {
        let score = |passages: &[&str]| reranker.score(question, passages).expect("the model runs");
        let single: Vec<f32> = texts.iter().flat_map(|text| score(&[text])).collect();
        let mut reversed = score(&texts.iter().rev().copied().collect::<Vec<_>>());
        reversed.reverse();
        for (way, found) in
            [("in one call", score(&texts)), ("one at a time", single), ("in reverse", reversed)]
        {
            let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
            let worst = differences.fold(0.0, f32::max);
            let _ =
                writeln!(std::io::stderr(), "{question:.20}, {way}: logits differ by {worst:.1e} at most");
            assert!(found.len() == texts.len() && worst <= MAX_LOGIT_DIFFERENCE, "{way}: {worst}");
        }
    }
    assert!(reranker.score(questions[0], &[]).is_ok_and(|scores| scores.is_empty()));
}

#[test]
fn models_are_not_taken_for_what_they_are_not() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let (pairs, bert) = (root.path().join("pairs"), root.path().join("bert"));
    PairModel::named("cross-encoder").write(&pairs);
    Architecture::named("small-heads").write(&bert);
    let execution = execution(Precision::F32);
    let embedder = SentenceTransformer::load(&locate_folder(root.path(), &pairs), &execution);
    assert!(embedder.is_err_and(|error| error.to_string().contains("it is a classifier or reranker")));
    let reranker = CrossEncoder::load(&locate_folder(root.path(), &bert), &execution);
    assert!(reranker.is_err_and(|error| error.to_string().contains("its head is `BertModel`")));
    let config = fs::read_to_string(pairs.join("config.json")).expect("text");
    fs::write(pairs.join("config.json"), config.replace("{\"0\":\"LABEL_0\"}", "{\"0\":\"a\",\"1\":\"b\"}"))
        .expect("writable");
    let reranker = CrossEncoder::load(&locate_folder(root.path(), &pairs), &execution);
    assert!(reranker.is_err_and(|error| error.to_string().contains("it gives 2 numbers")));
}
