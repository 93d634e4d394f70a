//! Prompts and what follows them equal, token for token, what the library transformers makes of the same files; where weights
//! are in few bits, what llama.cpp makes of them, too. They, and the script that made them, are in `tests/fixtures/language_models/`.

use std::path::PathBuf;

use candle_core::Tensor;
use guidepost_text::{GenerateOptions, Message, Speaker};
use serde::Deserialize;

use super::*;
use crate::DeviceChoice;

/// A conversation, and what the reference makes of it.
#[derive(Deserialize)]
struct Expected {
    /// Speaker and text of each message.
    messages: Vec<(String, String)>,
    prompt_text: String,
    prompt: Vec<Token>,
    /// At most as many as were asked for, less the one that ends them.
    written: Vec<Token>,
}

const NAMES: [&str; 4] = ["llama-pieces", "llama-byte-pairs", "qwen2", "qwen3"];
const MOST: usize = 32;
/// Weights in four and six bits (Q4_K and Q6_K), as in files of the kind Q4_K_M; 8 tokens were asked for.
const CODES: (&str, usize) = ("qwen2-codes", 8);

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/language_models"))
}

fn model(name: &str) -> LanguageModel {
    let device = OpenDevice::open(DeviceChoice::Cpu).expect("there is a processor");
    LanguageModel::open(&folder().join(format!("{name}.gguf")), &device).expect("the fixture is sound")
}

fn expected(name: &str) -> Vec<Expected> {
    let bytes = std::fs::read(folder().join("expected.json")).expect("the fixture is there");
    let mut all: std::collections::BTreeMap<String, Vec<Expected>> =
        serde_json::from_slice(&bytes).expect("it is as described");
    all.remove(name).expect("each model has some")
}

fn messages(row: &Expected) -> Vec<Message> {
    let speaker = |role: &str| match role {
        "system" => Speaker::System,
        "user" => Speaker::User,
        _ => Speaker::Assistant,
    };
    row.messages.iter().map(|(role, text)| Message { speaker: speaker(role), text: text.clone() }).collect()
}

fn follow(model: &LanguageModel, prompt: &[Token], most: usize) -> Vec<Token> {
    let options = GenerateOptions { max_tokens: most, temperature: 0.0, seed: 0 };
    let mut tokens = Vec::new();
    let mut take = |token: Option<Token>| {
        tokens.extend(token);
        ControlFlow::Continue(())
    };
    model.follow(prompt, &options, &mut take).expect("the model runs");
    tokens
}

#[test]
fn prompts_equal_the_reference() {
    for name in NAMES.into_iter().chain([CODES.0]) {
        let model = model(name);
        for row in expected(name) {
            let prompt = model.prompts.conversation(&messages(&row)).expect("the template takes it");
            assert_eq!(prompt, row.prompt, "{name}: {}", row.prompt_text);
        }
    }
}

#[test]
fn what_follows_equals_the_reference() {
    for (name, most) in NAMES.map(|name| (name, MOST)).into_iter().chain([CODES]) {
        let model = model(name);
        // In either order: what is remembered of one prompt must not show in the next.
        let rows = expected(name);
        for row in rows.iter().chain(rows.iter().rev()) {
            assert_eq!(follow(&model, &row.prompt, most), row.written, "{name}: {}", row.prompt_text);
        }
    }
}

/// Many rows or one, tile by tile or row by row: the same follows.
#[test]
fn what_follows_does_not_depend_on_how_weights_are_multiplied() {
    let (name, most) = CODES;
    let model = model(name);
    for row in expected(name) {
        let (last, rest) = row.prompt.split_last().expect("prompts have tokens");
        for (pieces, task) in [(rest.len(), Task::Read), (5, Task::Read), (1, Task::Read), (1, Task::Write)] {
            let mut reader = model.reader();
            reader.remembered.clear();
            for piece in rest.chunks(pieces) {
                reader.read(piece, task).expect("the model runs");
            }
            assert_eq!(reader.remembered, rest);
            drop(reader);
            assert_eq!(
                follow(&model, &row.prompt, most),
                row.written,
                "{pieces} at once to {task:?}, then {last}"
            );
        }
    }
}

#[test]
fn what_people_say_holds_no_marks() {
    use super::vocabulary::Kind;
    for name in NAMES {
        let model = model(name);
        let vocabulary = &model.prompts.vocabulary;
        let is_mark = |token: &Token| matches!(vocabulary.kinds[*token as usize], Kind::Control | Kind::Mark);
        let marks = |text: &str| {
            let said = Message { speaker: Speaker::User, text: text.into() };
            let prompt = model.prompts.conversation(&[said]).expect("the template takes it");
            prompt.into_iter().filter(is_mark).collect::<Vec<Token>>()
        };
        let every: String = (0..)
            .zip(&vocabulary.pieces)
            .filter(|(token, _)| is_mark(token))
            .fold(String::new(), |all, (_, piece)| all + piece + "\n" + piece);
        assert!(every.len() > 10, "{name} has marks");
        assert_eq!(marks(&every), marks("said"), "{name}: {every}");
        let cut = model.prompts.text(&every).expect("any text can be cut");
        let bytes: Vec<u8> = cut.into_iter().flat_map(|token| vocabulary.bytes(token)).collect();
        assert_eq!(String::from_utf8_lossy(&bytes), every, "{name}: nothing of it is lost");
    }
}

#[track_caller]
fn assert_close(what: &str, one: &Tensor, other: &Tensor) {
    let (one, other) = (one.to_vec1::<f32>().expect("numbers"), other.to_vec1::<f32>().expect("numbers"));
    assert_eq!(one.len(), other.len());
    for (one, other) in one.iter().zip(&other) {
        assert!((one - other).abs() < 1e-3, "{what}: {one} and {other}");
    }
}

#[test]
fn it_does_not_matter_in_how_many_parts_a_prompt_is_read() {
    for name in NAMES {
        let model = model(name);
        let prompt: Vec<Token> = (0..600).map(|at| 3 + at * 7 % 250).collect();
        let mut reader = model.reader();
        let read = |reader: &mut Reader, prompt: &[Token]| {
            let scores = reader.read_prompt(prompt, &mut || ControlFlow::Continue(()));
            scores.expect("the model runs").expect("it is not stopped")
        };
        let whole = read(&mut reader, &prompt);
        for first in [1, 255, 256, 257, 511, 599] {
            read(&mut reader, &[0, 1, 2]);
            read(&mut reader, &prompt[..first]);
            let rest = read(&mut reader, &prompt);
            assert_close(&format!("{name}, {first} first"), &rest, &whole);
        }
        read(&mut reader, &prompt[..590]);
        let mut last = None;
        for token in &prompt[590..] {
            last = Some(reader.read_written(*token).expect("the model runs"));
        }
        assert_close(&format!("{name}, one by one"), &last.expect("there are ten"), &whole);
        assert_eq!(reader.remembered, prompt);
    }
}
