//! `POST /api/write`: answers in a language model's words, over HTTP.

use std::io::{BufRead, BufReader, Write};

use serde_json::{Value, json};

use crate::language_server::{LanguageServer, Reply};
use crate::sandbox::Sandbox;
use crate::server::Server;

fn home() -> Sandbox {
    let home = Sandbox::new();
    home.write(
        "guides/roofer.md",
        "# Roofer\n\nTraining as a roofer takes three years and costs 1,200 euros.\n",
    );
    home.ok(&["index", "guides"]);
    home
}

fn serve(home: &Sandbox, language: &LanguageServer) -> Server {
    Server::start(home, &["--llm", language.address(), "--llm-model", "m"])
}

fn question() -> Value {
    json!({"q": "How long is the training as a roofer?", "min_confidence": 0.0})
}

/// The events of an answer: names and data.
fn events(server: &Server, body: &Value) -> Vec<(String, Value)> {
    let headers = [("content-type", "application/json"), ("accept", "text/event-stream")];
    let answer = server.send("POST", "/api/write", &headers, &body.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    let event = |text: &str| {
        let (name, data) = text.split_once('\n')?;
        let data = serde_json::from_str(data.strip_prefix("data: ")?).ok()?;
        Some((name.strip_prefix("event: ")?.to_owned(), data))
    };
    answer.body.split("\n\n").filter_map(event).collect()
}

#[test]
fn an_answer_comes_sentence_by_sentence() {
    let home = home();
    let language = LanguageServer::saying("Training takes three years [1]. It costs 900 euros [1].");
    let server = serve(&home, &language);
    let events = events(&server, &question());
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["question", "results", "sources", "sentence", "sentence", "done"]);
    assert_eq!(events[2].1[0]["path"], "guides/roofer.md");
    assert_eq!((&events[3].1["supported"], &events[4].1["supported"]), (&true.into(), &false.into()));
    let written = &events[5].1["written"];
    assert_eq!((&written["model"], written["sentences"].as_array().map(Vec::len)), (&"m".into(), Some(2)));
    let whole = server.post("/api/write", &question()).json();
    assert_eq!(whole["written"]["sentences"], written["sentences"]);
    let mut strict = question();
    strict["strict"] = true.into();
    let strict = server.post("/api/write", &strict).json();
    assert_eq!(
        (strict["written"]["sentences"].as_array().map(Vec::len), &strict["written"]["left_out"]),
        (Some(1), &1.into())
    );
    assert_eq!(server.get("/api/status").json()["server"]["language_model"], "m");
}

#[test]
fn a_follow_up_is_searched_as_it_is_meant() {
    let home = home();
    let language =
        LanguageServer::start(|asked, _| match asked.message(0).contains("without the conversation") {
            true => Reply::says("What does the training as a roofer cost?"),
            false => Reply::says("It costs 1,200 euros [1]."),
        });
    let server = serve(&home, &language);
    let turns = json!([{"question": "How long is the training as a roofer?", "answer": "Three years."}]);
    let asked = json!({"q": "And what does that cost?", "turns": turns, "min_confidence": 0.0});
    let events = events(&server, &asked);
    assert_eq!(
        events[0],
        ("question".to_owned(), json!({"question": "What does the training as a roofer cost?"}))
    );
    assert_eq!(events.last().expect("events").1["query"], "What does the training as a roofer cost?");
}

#[test]
fn failures_are_told() {
    let home = home();
    let none = Server::start(&home, &[]);
    none.post("/api/write", &question()).fails(424, "Backend", &["--llm"]);
    assert_eq!(none.get("/api/status").json()["server"]["language_model"], Value::Null);
    let language = LanguageServer::start(|_, _| Reply::Fails(401, "", r#"{"error": "no"}"#));
    let server = serve(&home, &language);
    server.post("/api/write", &question()).fails(424, "Backend", &["refuses requests without a key"]);
    server.post("/api/write", &json!({"q": "x", "nonsense": 1})).fails(400, "Validation", &["nonsense"]);
    let last = events(&server, &question()).pop().expect("an event");
    assert_eq!((last.0.as_str(), &last.1["error_type"]), ("error", &"Backend".into()));
    assert_eq!(server.get("/api/ask?q=training").status, 200, "the others are answered");
}

#[test]
fn a_client_that_leaves_ends_the_writing() {
    let home = home();
    let language = LanguageServer::start(|_, _| Reply::Hangs("Training takes three years [1]. It costs "));
    let server = serve(&home, &language);
    for accept in ["text/event-stream", "application/json"] {
        let mut client = server.connect();
        let body = question().to_string();
        let head = format!(
            "POST /api/write HTTP/1.1\r\nhost: {}\r\naccept: {accept}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            server.address,
            body.len()
        );
        client.write_all(head.as_bytes()).expect("it listens");
        if accept == "text/event-stream" {
            let heard =
                BufReader::new(&client).lines().map_while(Result::ok).any(|line| line == "event: sentence");
            assert!(heard, "the first sentence comes before the end");
        } else {
            let asked = || language.asked().len();
            while asked() < 2 {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        }
    }
    language.until_left(2);
}
