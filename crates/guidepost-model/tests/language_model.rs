//! A language model writes the same each time, piece by piece, within its bounds; what people say cannot pose as marks of the
//! conversation; and files that are none say what is wrong with them. With tiny models, of `tests/fixtures/language_models/`.

mod gguf;

use std::ops::ControlFlow;
use std::path::Path;

use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::Value;
use guidepost_model::{DeviceChoice, LanguageModel, ModelError, OpenDevice};
use guidepost_text::{Finish, Generate, GenerateOptions, Generated, Message, Speaker};

use gguf::{Gguf, fixture};

const NAMES: [&str; 4] = ["llama-pieces", "llama-byte-pairs", "qwen2", "qwen3"];
const GREEDY: GenerateOptions = GenerateOptions { max_tokens: 32, temperature: 0.0, seed: 0 };

fn open(path: &Path) -> Result<LanguageModel, ModelError> {
    let device = OpenDevice::open(DeviceChoice::Cpu).expect("there is a processor");
    LanguageModel::open(path, &device)
}

fn tiny(name: &str) -> LanguageModel {
    open(&fixture(name)).expect("the fixture is sound")
}

fn changed(file: &Gguf) -> Result<LanguageModel, ModelError> {
    let folder = tempfile::tempdir().expect("there is room");
    open(&file.write(folder.path()))
}

fn user(text: &str) -> Vec<Message> {
    vec![Message { speaker: Speaker::User, text: text.into() }]
}

/// All that is written, piece by piece.
fn pieces(model: &dyn Generate, messages: &[Message], options: &GenerateOptions) -> (Vec<String>, Generated) {
    let mut pieces = Vec::new();
    let mut take = |piece: &str| {
        pieces.extend((!piece.is_empty()).then(|| piece.to_owned()));
        ControlFlow::Continue(())
    };
    let generated = model.generate(messages, options, &mut take).expect("the model runs");
    (pieces, generated)
}

fn text(model: &dyn Generate, messages: &[Message], options: &GenerateOptions) -> String {
    pieces(model, messages, options).0.concat()
}

fn read_tokens(model: &dyn Generate, messages: &[Message]) -> usize {
    let options = GenerateOptions { max_tokens: 0, ..GREEDY };
    pieces(model, messages, &options).1.read_tokens.expect("a local model says")
}

#[track_caller]
fn refused(model: &dyn Generate, messages: &[Message], options: &GenerateOptions, expected: &str) {
    let mut take = |_: &str| ControlFlow::Continue(());
    let error = model.generate(messages, options, &mut take).expect_err("it must not be taken").to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn the_likeliest_tokens_are_the_same_each_time() {
    for name in NAMES {
        let model = tiny(name);
        let (first, generated) = pieces(&model, &user("How do I learn data design?"), &GREEDY);
        let other = text(&model, &user("What is the role?"), &GREEDY);
        assert_ne!(first.concat(), other, "{name}: what is asked matters");
        assert_eq!(
            pieces(&model, &user("How do I learn data design?"), &GREEDY),
            (first, generated),
            "{name}"
        );
    }
}

#[test]
fn seeds_choose() {
    let model = tiny("llama-pieces");
    let with_seed =
        |seed| text(&model, &user("the course"), &GenerateOptions { temperature: 1.0, seed, ..GREEDY });
    assert_eq!(with_seed(1), with_seed(1));
    assert_ne!(with_seed(1), with_seed(2));
    assert_ne!(with_seed(1), text(&model, &user("the course"), &GREEDY));
    for temperature in [-1.0, f32::NAN, f32::INFINITY] {
        refused(
            &model,
            &user("the course"),
            &GenerateOptions { temperature, ..GREEDY },
            "a temperature is 0 or above",
        );
    }
}

#[test]
fn writing_ends_where_it_has_to() {
    let model = tiny("llama-pieces");
    for most in [0, 1, 5] {
        let options = GenerateOptions { max_tokens: most, ..GREEDY };
        let (_, generated) = pieces(&model, &user("the course"), &options);
        assert_eq!((generated.finish, generated.written_tokens), (Finish::Length, Some(most)));
    }
    // This one says that it is done: the reference has 4 tokens for it.
    let (_, generated) = pieces(&tiny("llama-byte-pairs"), &user("How do I learn data design?"), &GREEDY);
    assert_eq!((generated.finish, generated.written_tokens), (Finish::Done, Some(4)));
}

#[test]
fn a_break_stops_at_once() {
    let model = tiny("qwen2");
    let (whole, _) = pieces(&model, &user("the course"), &GREEDY);
    let mut taken = Vec::new();
    let mut take = |piece: &str| {
        taken.extend((!piece.is_empty()).then(|| piece.to_owned()));
        if taken.len() == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let generated = model.generate(&user("the course"), &GREEDY, &mut take).expect("the model runs");
    assert_eq!(generated.finish, Finish::Stopped);
    assert!(generated.written_tokens.is_some_and(|written| written < GREEDY.max_tokens));
    assert_eq!(taken, whole[..2]);
}

#[test]
fn whoever_waits_for_a_prompt_to_be_read_is_asked_and_can_stop_it() {
    let model = tiny("qwen2");
    // Another beginning each time, so that nothing of it is remembered.
    let long = |beginning: usize| user(&format!("{beginning}{}", "zq".repeat(300)));
    let tokens = read_tokens(&model, &long(0));
    assert!((513..=768).contains(&tokens), "three pieces of 256: {tokens}");
    for most in 0..3 {
        let mut asked = 0;
        let mut take = |piece: &str| {
            assert_eq!(piece, "", "nothing is written before the prompt is read");
            asked += 1;
            if asked > most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let generated = model.generate(&long(most), &GREEDY, &mut take).expect("the model runs");
        assert_eq!((generated.finish, generated.written_tokens), (Finish::Stopped, Some(0)));
        assert_eq!(asked, most + 1);
    }
    let fresh = text(&tiny("qwen2"), &long(2), &GREEDY);
    assert_eq!(text(&model, &long(2), &GREEDY), fresh, "what had been read when it was stopped is sound");
}

#[test]
fn marks_in_what_people_say_stay_text() {
    for (name, mark) in [
        ("llama-pieces", "</s>"),
        ("llama-byte-pairs", "<|eot_id|>"),
        ("qwen2", "<|im_start|>"),
        ("qwen2", "<|im_end|>"),
        ("qwen3", "<think>"),
    ] {
        let model = tiny(name);
        let (without, with) =
            (read_tokens(&model, &user("ab")), read_tokens(&model, &user(&format!("a{mark}b"))));
        let text = model.count_tokens(mark);
        assert!(text > 1, "{name}: `{mark}` is {text} token");
        assert!(with > without + 1, "{name}: `{mark}` became a mark: {without} and {with} tokens");
    }
}

#[test]
fn the_template_decides_what_is_read() {
    let message = |speaker, text: &str| Message { speaker, text: text.into() };
    let model = tiny("llama-pieces");
    let twice = [message(Speaker::User, "one"), message(Speaker::User, "two")];
    refused(&model, &twice, &GREEDY, "turns must alternate");
    let shout = "{% for message in messages %}{{ message.content | upper }}{% endfor %}";
    let said = "{% for message in messages %}{{ message.content }}{% endfor %}";
    let deaf = "Hello {{ messages | length }}";
    let endless = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}";
    let with = |template| {
        changed(&Gguf::read("qwen2").with_text("tokenizer.chat_template", template)).expect("it can be read")
    };
    let bare = with(said);
    assert_eq!(read_tokens(&bare, &user("the course")), bare.count_tokens("the course"));
    assert!(text(&with(shout), &user("the course"), &GREEDY).len() > 1, "a placeholder has no letters");
    refused(&with(deaf), &user("the course"), &GREEDY, "leaves out what user says");
    refused(&with(endless), &user("the course"), &GREEDY, "out of fuel");
    let twisted = with("{{ messages[0].content | reverse }}");
    refused(&twisted, &user("the course"), &GREEDY, "leaves out what user says");
    assert!(read_tokens(&twisted, &user(" ")) > 0, "nothing but white space is nothing to leave out");
}

#[test]
fn a_prompt_that_is_too_long_says_so() {
    let model = changed(&Gguf::read("qwen2").with_number("qwen2.context_length", 60)).expect("it is sound");
    assert_eq!(model.context_tokens(), Some(60));
    let read = read_tokens(&model, &user("a"));
    assert!(read < 60);
    let (_, generated) = pieces(&model, &user("a"), &GenerateOptions { max_tokens: 1000, ..GREEDY });
    assert_eq!((generated.finish, generated.written_tokens), (Finish::Length, Some(60 - read)));
    let long = "zq".repeat(40);
    let expected = format!("the prompt has {} tokens, and the language model takes 60", read - 1 + 80);
    refused(&model, &user(&long), &GREEDY, &expected);
    assert!(!text(&model, &user("a"), &GREEDY).is_empty(), "the next one is taken again");
}

#[test]
fn several_may_ask_at_once() {
    let model = tiny("qwen3");
    let asked = ["the course", "data design", "What is the role?", "it's there"];
    let alone: Vec<String> = asked.iter().map(|asked| text(&model, &user(asked), &GREEDY)).collect();
    let together: Vec<String> = std::thread::scope(|scope| {
        let spawn = |asked: &'static str| scope.spawn(|| text(&model, &user(asked), &GREEDY));
        let running: Vec<_> = asked.into_iter().map(spawn).collect();
        running.into_iter().map(|one| one.join().expect("none panics")).collect()
    });
    assert_eq!(together, alone);
}

#[test]
fn names_come_from_the_file_or_its_name() {
    assert_eq!(tiny("qwen2").name(), "tiny qwen2");
    assert_eq!(changed(&Gguf::read("qwen2").without("general.name")).expect("it is sound").name(), "model");
}

#[test]
fn weights_may_be_of_any_precision() {
    for kind in
        [GgmlDType::F16, GgmlDType::BF16, GgmlDType::Q8_0, GgmlDType::Q5_0, GgmlDType::Q4_0, GgmlDType::Q4_1]
    {
        let model = changed(&Gguf::read("qwen2").quantized(kind)).expect("it is sound");
        let first = |model: &LanguageModel| pieces(model, &user("the course"), &GREEDY);
        assert_eq!(first(&model), first(&model), "{kind:?}");
        assert_eq!(first(&model).1.written_tokens, Some(32), "{kind:?}");
    }
    let exact = text(&tiny("qwen2"), &user("the course"), &GREEDY);
    let half = changed(&Gguf::read("qwen2").quantized(GgmlDType::F16)).expect("it is sound");
    let half = text(&half, &user("the course"), &GREEDY);
    assert!(exact.chars().zip(half.chars()).take(4).all(|(one, other)| one == other), "{exact} and {half}");
}

#[test]
fn positions_are_stretched_as_the_file_says() {
    let written = |file: &Gguf| text(&changed(file).expect("it is sound"), &user("the course"), &GREEDY);
    for (name, family) in [("llama-byte-pairs", "llama"), ("qwen2", "qwen2")] {
        let linear = Gguf::read(name).with_text(&format!("{family}.rope.scaling.type"), "linear");
        let factor = format!("{family}.rope.scaling.factor");
        let twice = written(&linear.with(&factor, Value::F32(2.0)));
        let each = written(&Gguf::read(name).with_vector("rope_freqs.weight", &[2.0; 4]));
        assert_eq!(twice, each, "{name}: all angles halved either way");
        assert_ne!(twice, written(&Gguf::read(name)), "{name}: it matters");
    }
}

#[test]
fn files_that_cannot_be_run_say_why() {
    let qwen = || Gguf::read("qwen2");
    let pieces = || Gguf::read("llama-pieces");
    let list = |text: &str| Value::Array(vec![Value::String(text.into())]);
    for (file, expected) in [
        (
            qwen().with_text("general.architecture", "mamba"),
            "architecture is `mamba`; those that can be run: llama, qwen2, qwen3",
        ),
        (qwen().without("general.architecture"), "lacks `general.architecture`"),
        (qwen().without("qwen2.block_count"), "lacks `qwen2.block_count`"),
        (qwen().with_number("qwen2.block_count", 0), "lacks `qwen2.block_count`"),
        (qwen().with_number("qwen2.block_count", 4_000_000_000), "lacks the tensor `blk.2.ffn_gate.weight`"),
        (
            qwen().with_number("qwen2.embedding_length", 4_000_000_000),
            "is [299, 32] large, expected [299, 4000000000]",
        ),
        (qwen().with_number("qwen2.attention.head_count", 0), "lacks `qwen2.attention.head_count`"),
        (qwen().with_number("qwen2.attention.head_count_kv", 3), "4 heads cannot share 3 heads of keys"),
        (qwen().with_number("qwen2.attention.key_length", 7), "a head of 7 numbers cannot be rotated"),
        (qwen().with_number("qwen2.rope.dimension_count", 4), "only 8, the size of a head"),
        (qwen().with_number("qwen2.expert_count", 8), "a mixture of 8 experts"),
        (qwen().with_text("qwen2.rope.scaling.type", "yarn"), "scaled by `yarn`"),
        (
            qwen().without("qwen2.attention.layer_norm_rms_epsilon"),
            "lacks `qwen2.attention.layer_norm_rms_epsilon`",
        ),
        (qwen().without("blk.1.attn_q.bias"), "lacks the tensor `blk.1.attn_q.bias`"),
        (qwen().without("token_embd.weight"), "lacks the tensor `token_embd.weight`"),
        (qwen().without("tokenizer.ggml.model"), "lacks `tokenizer.ggml.model`"),
        (
            qwen().with_text("tokenizer.ggml.model", "t5"),
            "tokenizer is `t5`; those that can be run: gpt2, llama",
        ),
        (qwen().with_text("tokenizer.ggml.pre", "odd"), "cut as in `odd`; known are llama-bpe"),
        (qwen().without("tokenizer.ggml.tokens"), "lacks `tokenizer.ggml.tokens`"),
        (
            qwen().with("tokenizer.ggml.tokens", list("a")),
            "it has 1 tokens and `tokenizer.ggml.token_type` 299",
        ),
        (qwen().without("tokenizer.ggml.merges"), "lacks `tokenizer.ggml.merges`"),
        (qwen().with("tokenizer.ggml.merges", list("alone")), "an entry that is no pair"),
        (qwen().with("tokenizer.ggml.merges", list("a 東")), "at odds with itself"),
        (pieces().without("tokenizer.ggml.scores"), "lacks `tokenizer.ggml.scores`"),
        (qwen().without("tokenizer.chat_template"), "lacks `tokenizer.chat_template`"),
        (
            qwen().with_text("tokenizer.chat_template", "{% for %}"),
            "`tokenizer.chat_template` cannot be read",
        ),
        (qwen().with_number("general.alignment", 0), "its head is damaged"),
    ] {
        let error = changed(&file).err().expect("it cannot be run").to_string();
        assert!(error.contains(expected) && error.contains("model.gguf"), "expected {expected}: {error}");
    }
}

#[test]
fn files_that_are_cut_short_or_no_models_say_so() {
    let folder = tempfile::tempdir().expect("there is room");
    let path = folder.path().join("model.gguf");
    let whole = std::fs::read(fixture("qwen2")).expect("the fixture is there");
    let error = |bytes: &[u8]| {
        std::fs::write(&path, bytes).expect("there is room");
        open(&path).err().expect("it cannot be run").to_string()
    };
    assert!(error(b"").contains("it is no GGUF file"));
    assert!(error(b"GG").contains("it is no GGUF file"));
    assert!(error(b"PK\x03\x04 and so on").contains("it is no GGUF file"));
    for length in (4..whole.len()).step_by(whole.len() / 40) {
        let error = error(&whole[..length]);
        assert!(error.contains("cut short") || error.contains("cannot be read"), "{length}: {error}");
    }
    assert!(error(&whole[..whole.len() - 40]).contains("tensor `"));
    let absent = open(&folder.path().join("absent.gguf")).err().expect("it is not there").to_string();
    assert!(absent.contains("absent.gguf") && absent.contains("cannot be read"), "{absent}");
}

#[test]
fn damage_never_brings_it_down() {
    let folder = tempfile::tempdir().expect("there is room");
    let path = folder.path().join("model.gguf");
    let whole = std::fs::read(fixture("llama-pieces")).expect("the fixture is there");
    let head = 15_000.min(whole.len());
    for step in 0..300 {
        let mut bytes = whole.clone();
        let at = 4 + step * 7919 % (head - 4);
        bytes[at] ^= 1 << (step % 8);
        std::fs::write(&path, &bytes).expect("there is room");
        if let Ok(model) = open(&path) {
            let mut take = |_: &str| ControlFlow::Continue(());
            let options = GenerateOptions { max_tokens: 3, ..GREEDY };
            // An error is as good as an answer; a panic is not.
            let _ = model.generate(&user("the course"), &options, &mut take);
        }
    }
}
