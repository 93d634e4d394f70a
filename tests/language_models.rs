//! Answers in a language model's words: written by a server beside the test, held against the guides.

use serde_json::Value;

use crate::language_server::{LanguageServer, Reply};
use crate::sandbox::{Run, Sandbox, checkout};

const ROOFER: &str = "\
# Roofer

## Tasks

A roofer covers houses with slate. Slate is nailed to battens.

## Training

Training at the Slate Academy takes three years and costs 1,200 euros. No degree is required.
";

/// A home with one guide, indexed.
fn home() -> Sandbox {
    let home = Sandbox::new();
    home.write("guides/roofer.md", ROOFER);
    home.ok(&["index", "guides"]);
    home
}

/// `ask` with a server that answers.
fn ask(home: &Sandbox, server: &LanguageServer, more: &[&str]) -> Run {
    let asked =
        ["ask", "How long is the training of a roofer?", "--min-confidence", "0", "--llm", server.address()];
    home.run(&[&asked[..], &["--llm-model", "m"], more].concat())
}

fn written(home: &Sandbox, server: &LanguageServer, more: &[&str]) -> Value {
    let run = ask(home, server, &[&["--json"], more].concat());
    let results: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("no JSON: {}", run.stderr));
    results["written"].clone()
}

#[test]
fn sentences_are_shown_with_what_they_cite() {
    let home = home();
    let server = LanguageServer::saying(
        "Training at the Slate Academy takes three years [1]. It costs 1,200 euros [1].",
    );
    let run = ask(&home, &server, &[]);
    run.says(0, &[]);
    assert!(
        run.stdout.starts_with("  Training at the Slate Academy takes three years. [1]"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("\n[1] guides/roofer.md:3-9\n    Roofer\n"), "{}", run.stdout);
    assert!(run.stdout.contains("written by m") && !run.stdout.contains("(?"), "{}", run.stdout);
    let asked = &server.asked()[0];
    assert_eq!(asked.target, "POST /v1/chat/completions");
    assert_eq!((&asked.body["model"], &asked.body["stream"]), (&"m".into(), &true.into()));
    assert!(
        asked.message(1).contains("1| Training at the Slate Academy takes three years"),
        "{}",
        asked.message(1)
    );
    assert!(asked.message(1).ends_with("Question: How long is the training of a roofer?"));
}

#[test]
fn json_has_the_sentences_their_sources_and_the_times() {
    let home = home();
    let server = LanguageServer::saying("Training takes three years [1].");
    let written = written(&home, &server, &[]);
    assert_eq!((&written["model"], &written["prompt"]), (&"m".into(), &"answer 1".into()));
    assert_eq!(written["sentences"][0]["citations"], serde_json::json!([1]));
    assert_eq!((&written["supported"], &written["finish"]), (&true.into(), &"done".into()));
    assert_eq!((&written["read_tokens"], &written["written_tokens"]), (&100.into(), &10.into()));
    assert_eq!(written["sources"][0]["path"], "guides/roofer.md");
    for time in ["search", "sources", "first_token", "answer"] {
        assert!(written["times_ms"][time].is_number(), "{time}: {written}");
    }
}

/// What is marked in a sentence, by kind.
#[track_caller]
fn check_marks(sentence: &'static str, expected: &[(&str, Option<&str>)]) {
    let home = home();
    let server = LanguageServer::saying(sentence);
    let written = written(&home, &server, &[]);
    let marks = written["sentences"][0]["marks"].as_array().expect("marks").clone();
    for (kind, text) in expected {
        let found =
            marks.iter().any(|mark| mark["kind"] == *kind && text.is_none_or(|text| mark["text"] == text));
        assert!(found, "{sentence}: {kind} {text:?} is not among {marks:?}");
    }
    assert_eq!(written["sentences"][0]["supported"], expected.is_empty(), "{sentence}: {marks:?}");
}

#[test]
fn what_a_server_invents_is_marked() {
    check_marks("Training at the Slate Academy takes three years [1].", &[]);
    check_marks("Training at the Slate Academy takes four years [1].", &[("number", Some("four"))]);
    check_marks("Training at the Thatch Academy takes three years [1].", &[("name", Some("Thatch"))]);
    check_marks("Training at the Slate Academy takes three years [7].", &[("no_source", None)]);
    check_marks("Training at the Slate Academy takes three years.", &[("uncited", None)]);
    check_marks("Bakers knead dough at night in warm cellars [1].", &[("not_said", None)]);
}

#[test]
fn strict_leaves_out_what_no_source_supports() {
    let home = home();
    let text = "Training takes three years [1]. Bakers knead dough at night in warm cellars [1].";
    let server = LanguageServer::saying(text);
    let marked = ask(&home, &server, &[]);
    marked.says(0, &[]);
    assert!(marked.stdout.contains("(? "), "{}", marked.stdout);
    let strict = ask(&home, &server, &["--strict"]);
    strict.says(0, &[]);
    assert!(
        !strict.stdout.contains("Bakers") && strict.stdout.contains("1 that no source supports left out"),
        "{}",
        strict.stdout
    );
}

#[test]
fn without_support_the_guides_do_not_say() {
    let home = home();
    for text in ["Bakers knead dough at night in warm cellars [1].", "The guides do not say."] {
        let server = LanguageServer::start(move |_, _| Reply::says(text));
        for more in [&[][..], &["--strict"][..]] {
            let run = ask(&home, &server, more);
            run.says(1, &[]);
            assert!(run.stdout.contains("The guides do not say."), "{}", run.stdout);
        }
    }
}

#[test]
fn no_model_is_asked_where_no_passage_may_answer() {
    let home = home();
    let server = LanguageServer::saying("Never heard.");
    let run = home.run(&[
        "ask",
        "zqxv wvutq",
        "--min-confidence",
        "0.5",
        "--llm",
        server.address(),
        "--llm-model",
        "m",
    ]);
    run.says(1, &[]);
    assert!(run.stdout.starts_with("No guide here answers that."), "{}", run.stdout);
    assert!(server.asked().is_empty());
}

#[test]
fn the_prompt_can_be_seen_without_a_model() {
    let home = home();
    let asked = ["ask", "How long is the training?", "--min-confidence", "0", "--show-prompt"];
    let run = home.ok(&asked);
    assert!(
        run.stdout.contains("--- system (answer 1)\nYou answer questions from numbered sources"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("1| Training at the Slate Academy"), "{}", run.stdout);
    assert!(run.stderr.contains("tokens in all"), "{}", run.stderr);
    let json = home.ok(&[&asked[..], &["--json"]].concat()).stdout;
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["prompt"], &json["messages"][0]["role"]), (&"answer 1".into(), &"system".into()));
    assert_eq!(json["sources"][0]["path"], "guides/roofer.md");
}

#[test]
fn a_budget_bounds_what_is_read() {
    let home = Sandbox::new();
    let section = |at: usize| {
        format!("## Part {at}\n\n{}\n\n", format!("Slate number {at} is nailed to battens. ").repeat(30))
    };
    home.write("guides/slate.md", format!("# Slate\n\n{}", (1..9).map(section).collect::<String>()));
    home.ok(&["index", "guides"]);
    let read = |more: &[&str]| {
        let asked = ["ask", "how is slate nailed", "--min-confidence", "0", "--show-prompt", "--json"];
        let run = home.ok(&[&asked[..], more].concat());
        let json: Value = serde_json::from_str(&run.stdout).expect("JSON");
        let letters = json["messages"][1]["content"].as_str().map_or(0, str::len);
        (json["sources"].as_array().map_or(0, Vec::len), letters)
    };
    let (few, many) = (read(&["--llm-budget", "400"]), read(&["--llm-budget", "4000"]));
    assert!(few.0 >= 1 && few.1 < 400 * 5, "{few:?}");
    assert!(many.0 > few.0, "{few:?}, {many:?}");
    assert_eq!(read(&["--llm-budget", "4000", "--llm-sources", "2"]).0, 2);
}

/// The words for a server that fails.
#[track_caller]
fn check_failure(script: impl Fn(usize) -> Reply + Send + Sync + 'static, parts: &[&str]) -> LanguageServer {
    let home = home();
    let server = LanguageServer::start(move |_, at| script(at));
    let asked = ["ask", "How long is the training?", "--min-confidence", "0", "--llm", server.address()];
    let mut command = home.command(&[&asked[..], &["--llm-model", "m", "-v"]].concat());
    let run = Run::of(command.env("OPENAI_API_KEY", "sk-secret"));
    run.says(2, parts);
    assert!(!run.stderr.contains("sk-secret") && !run.stdout.contains("sk-secret"), "{}", run.stderr);
    server
}

#[test]
fn each_failure_has_its_words_and_none_tells_the_key() {
    let said = r#"{"error": {"message": "bad key sk-secret"}}"#;
    check_failure(
        move |_| Reply::Fails(401, "", said),
        &["refuses this key", "bad key ...", "OPENAI_API_KEY"],
    );
    check_failure(
        |at| match at {
            0 => Reply::Fails(404, "", r#"{"error": "model not found"}"#),
            _ => {
                Reply::Sends("application/json", r#"{"data": [{"id": "small"}, {"id": "large"}]}"#.to_owned())
            }
        },
        &["has no model `m`", "model not found", "it has small, large"],
    );
    let busy = check_failure(|_| Reply::Fails(429, "retry-after: 0\r\n", "{}"), &["too much to do"]);
    assert_eq!(busy.asked().len(), 4);
    check_failure(|_| Reply::Fails(500, "retry-after: 0\r\n", "oh no"), &["answers 500: oh no"]);
    check_failure(|_| Reply::Fails(307, "location: http://127.0.0.1:9/\r\n", ""), &["answers 307"]);
    check_failure(|_| Reply::Breaks("Training takes three "), &["stopped in the midst of its answer"]);
    check_failure(|_| Reply::Sends("text/html", "<html>".to_owned()), &["does not speak the protocol"]);
    check_failure(|_| Reply::Sends("text/event-stream", "data: {\n\n".to_owned()), &["does not speak"]);
    let failed = "data: {\"error\": {\"message\": \"out of memory\"}}\n\n";
    check_failure(move |_| Reply::Sends("text/event-stream", failed.to_owned()), &["out of memory"]);
}

#[test]
fn a_server_that_is_not_there_is_said_to_be() {
    let home = home();
    let asked = ["ask", "How long is the training?", "--min-confidence", "0", "--llm-model", "m", "--llm"];
    home.run(&[&asked[..], &["http://127.0.0.1:9"]].concat())
        .says(2, &["cannot be reached", "is the server running?"]);
    home.run(&[&asked[..], &["nonsense"]].concat()).says(2, &["`nonsense` is no language model"]);
    home.run(&[&asked[..], &["https://me:pw@llm.example"]].concat()).says(2, &["OPENAI_API_KEY"]);
}

#[test]
fn a_server_that_was_busy_is_asked_again() {
    let home = home();
    let server = LanguageServer::start(|_, at| match at {
        0 => Reply::Fails(503, "retry-after: 0\r\n", "loading"),
        1 => Reply::Fails(400, "", r#"{"error": {"message": "'temperature' is not supported"}}"#),
        _ => Reply::says("Training takes three years [1]."),
    });
    ask(&home, &server, &[]).says(0, &[]);
    let asked = server.asked();
    assert!(asked[1].body["temperature"].is_number() && asked[2].body["temperature"].is_null());
}

#[test]
fn keys_and_addresses_are_read_from_the_environment() {
    let home = home();
    let server = LanguageServer::start(|asked, _| match asked.target.as_str() {
        "GET /base/models" => Reply::Sends("application/json", r#"{"data": [{"id": "only"}]}"#.to_owned()),
        _ => Reply::says("Training takes three years [1]."),
    });
    let mut command =
        home.command(&["ask", "How long is the training?", "--min-confidence", "0", "--llm", "openai"]);
    command
        .env("OPENAI_API_KEY", " sk-secret\n")
        .env("OPENAI_BASE_URL", format!("{}/base/", server.address()));
    Run::of(&mut command).says(0, &[]);
    let asked = server.asked();
    assert_eq!(asked[1].target, "POST /base/chat/completions");
    assert_eq!(asked[1].body["model"], "only");
    assert!(asked.iter().all(|asked| asked.key.as_deref() == Some("Bearer sk-secret")), "{asked:?}");
}

#[test]
fn servers_that_do_not_stream_and_models_that_think_are_understood() {
    let home = home();
    let whole = r#"{"choices": [{"message": {"content": "<think>Hm.</think>Training takes three years [1]."}, "finish_reason": "stop"}]}"#;
    let server = LanguageServer::start(move |_, _| Reply::Sends("application/json", whole.to_owned()));
    let written = written(&home, &server, &[]);
    assert_eq!(written["sentences"][0]["text"], "Training takes three years.", "{written}");
}

/// The tiny model of random numbers, with room for so many tokens.
fn tiny(home: &Sandbox, context: u32) -> String {
    let mut bytes =
        std::fs::read(checkout().join("tests/fixtures/language_models/qwen2.gguf")).expect("the fixture");
    let name = b"qwen2.context_length";
    let at = bytes.windows(name.len()).position(|window| window == name).expect("it has a context");
    // Behind the name stands the type of the value.
    bytes[at + name.len() + 4..][..4].copy_from_slice(&context.to_le_bytes());
    home.write("tiny.gguf", bytes).display().to_string()
}

#[test]
fn a_model_that_runs_here_writes_as_well() {
    let home = home();
    let file = tiny(&home, 16384);
    let asked = ["ask", "How long is the training of a roofer?", "--min-confidence", "0", "--json"];
    let ask = |model: &[&str]| {
        let run = home.run(&[&asked[..], model].concat());
        assert_eq!(run.code, 1, "random words say nothing: {}", run.stderr);
        let results: Value = serde_json::from_str(&run.stdout).expect("JSON");
        results["written"].clone()
    };
    let (by_file, by_name) = (ask(&["--llm", &file]), ask(&["--llm", "local", "--llm-model", &file]));
    assert_eq!(by_file["sentences"], by_name["sentences"]);
    assert_eq!(by_file["supported"], false);
    assert!(by_file["read_tokens"].as_u64().is_some_and(|tokens| tokens > 500), "{by_file}");
    let sentences = by_file["sentences"].as_array().expect("sentences");
    assert!(sentences.iter().all(|sentence| sentence["supported"] == false), "{by_file}");
}

#[test]
fn what_is_no_model_or_too_small_is_told() {
    let home = home();
    let small = tiny(&home, 1024);
    home.write("broken.gguf", "GGUF?");
    for (model, part) in [
        (small.as_str(), "tokens that are left for passages"),
        ("broken.gguf", "`broken.gguf` cannot be used as a language model"),
        ("absent.gguf", "`absent.gguf` cannot be used as a language model"),
    ] {
        home.run(&["ask", "How long is the training?", "--min-confidence", "0", "--llm", model])
            .says(2, &[part]);
    }
    let unknown =
        ["ask", "How long is it?", "--min-confidence", "0", "--llm", "local", "--llm-model", "nobody"];
    home.run(&unknown).says(2, &["no model is called `nobody`", "Qwen"]);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_an_answer_at_once() {
    use crate::background::Background;
    let home = home();
    let server = LanguageServer::start(|_, _| {
        Reply::Hangs("Training takes three years [1]. It costs 1,200 euros [1]. And ")
    });
    let asked = [
        "ask",
        "How long is the training?",
        "--min-confidence",
        "0",
        "--llm",
        server.address(),
        "--llm-model",
        "m",
    ];
    let mut run = Background::start(&home, &asked);
    run.until("the first sentence", || {
        std::fs::read_to_string(home.path("background.out")).is_ok_and(|out| out.contains("three years"))
    });
    run.send("INT");
    let run = run.end();
    run.says(130, &[]);
    assert!(run.stdout.contains("three years") && !run.stdout.contains("And"), "{}", run.stdout);
    server.until_left(1);
}
