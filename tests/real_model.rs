//! all-MiniLM-L6-v2 itself, fetched once into the cache of whoever runs the tests.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use crate::sandbox::{Run, Sandbox, check_citations, checkout, skipped};

const NAME: &str = "all-MiniLM-L6-v2";

/// Lets a command use the model and the cache of whoever runs the tests.
pub(crate) fn real_home(command: &mut Command) -> &mut Command {
    for name in ["XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE", "HF_ENDPOINT"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    let home = std::env::var_os("HOME").unwrap_or_default();
    let cache =
        std::env::var_os("XDG_CACHE_HOME").unwrap_or_else(|| PathBuf::from(home).join(".cache").into());
    command.env("XDG_CACHE_HOME", cache).env("GUIDEPOST_MODEL", NAME)
}

/// Whether the real model is to be had; fetches it the first time. Says so when a test has to be skipped.
pub(crate) fn with_real_model(test: &str) -> bool {
    static PULLED: OnceLock<Result<(), String>> = OnceLock::new();
    let pulled = PULLED.get_or_init(|| {
        let run = Run::of(real_home(&mut Sandbox::new().command(&["models", "pull"])));
        if run.code == 0 { Ok(()) } else { Err(run.stderr) }
    });
    if let Err(why) = pulled {
        assert!(std::env::var_os("GUIDEPOST_REQUIRE_MODEL").is_none(), "no model: {why}");
        skipped(test, why.trim().lines().last().unwrap_or_default());
    }
    pulled.is_ok()
}

/// The folder of the fetched model.
fn model_folder() -> PathBuf {
    let run = Run::of(real_home(&mut Sandbox::new().command(&["models", "list", "--json"])));
    let listed: Value = serde_json::from_str(&run.stdout).expect("valid JSON");
    PathBuf::from(listed["models"][0]["place"].as_str().expect("a place"))
}

#[test]
fn a_career_question_is_answered_with_sources() {
    if !with_real_model("a_career_question") {
        return;
    }
    let home = Sandbox::new();
    for question in
        ["How do I become a machine learning engineer?", "what do juniors in site reliability need to know"]
    {
        let run = Run::of(real_home(&mut home.command(&["ask", question, "--json"])));
        assert_eq!(run.code, 0, "{}", run.stderr);
        let value: Value = serde_json::from_str(&run.stdout).expect("valid JSON");
        check_citations(&value, |path| home.ok(&["get", path]).stdout);
        let statements = value["answer"]["statements"].as_array().expect("an answer");
        assert!(statements.len() >= 2, "{value}");
    }
    let again =
        Run::of(real_home(&mut home.command(&["ask", "How do I become a machine learning engineer?"])));
    assert_eq!(again.stderr, "", "no fetch and no embedding but the question's");
    let nothing = Run::of(real_home(&mut home.command(&["ask", "how long do I boil an egg"])));
    nothing.says(1, &[]);
    assert!(nothing.stdout.starts_with("No guide here answers that."), "{}", nothing.stdout);
}

#[test]
fn shipped_questions_find_their_section() {
    if !with_real_model("shipped_questions") {
        return;
    }
    let home = Sandbox::new();
    let questions = fs::read_to_string(checkout().join("corpus/questions.jsonl")).expect("they ship");
    let (mut first, mut third, mut answerable) = (0, 0, 0);
    for line in questions.lines().step_by(4) {
        let question: Value = serde_json::from_str(line).expect("valid JSON");
        let answers = question["answers"].as_array().expect("answers");
        if answers.is_empty() {
            continue;
        }
        let text = question["question"].as_str().expect("a question");
        let run = Run::of(real_home(&mut home.command(&["search", text, "-n", "3", "--json"])));
        let found: Value = serde_json::from_str(&run.stdout).expect("valid JSON");
        let hits = found["results"].as_array().cloned().unwrap_or_default();
        let right = |hit: &Value| {
            let path = hit["heading_path"].as_array().cloned().unwrap_or_default();
            let holds = |answer: &Value| {
                let guide = format!("corpus/{}", answer["guide"].as_str().expect("a guide"));
                let own = path.len() == 1 || hit["title"] != answer["section"];
                hit["path"] == guide.as_str() && own && path.contains(&answer["section"])
            };
            answers.iter().any(holds)
        };
        answerable += 1;
        first += usize::from(hits.first().is_some_and(right));
        third += usize::from(hits.iter().any(right));
    }
    // Most are written to be hard: `benches/results/shipped_questions.md`.
    assert!(first * 5 >= answerable, "{first} of {answerable} first");
    assert!(third * 3 >= answerable, "{third} of {answerable} among the first three");
}

/// A hub on this machine that serves a folder, counts what it serves, and may damage the weights.
struct Hub {
    endpoint: String,
    weights_served: Arc<AtomicUsize>,
}

impl Hub {
    fn start(folder: PathBuf, damage: u8) -> Hub {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let weights_served = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&weights_served);
        // Ends with the process that runs the tests.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (folder, counter) = (folder.clone(), Arc::clone(&counter));
                std::thread::spawn(move || serve(stream, &folder, damage, &counter));
            }
        });
        Hub { endpoint, weights_served }
    }
}

fn serve(stream: TcpStream, folder: &Path, damage: u8, weights_served: &AtomicUsize) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut out = stream;
    loop {
        let mut request = String::new();
        reader.read_line(&mut request).ok().filter(|&read| read > 0)?;
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim().split_once(": ") else { break };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        let (method, path) = (request.split(' ').next()?, request.split(' ').nth(1)?);
        let (revision, name) = path.split_once("/resolve/")?.1.split_once('/')?;
        let Ok(mut bytes) = fs::read(folder.join(name)) else {
            write!(out, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").ok()?;
            continue;
        };
        let end = bytes.len() - 1;
        bytes[end] ^= if name == "model.safetensors" { damage } else { 0 };
        let range = headers.get("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
        let from = range.and_then(|(from, _)| from.parse().ok()).unwrap_or(0);
        let to = range.and_then(|(_, to)| to.parse().ok()).unwrap_or(end).min(end);
        write!(
            out,
            "HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\nContent-Range: bytes {from}-{to}/{}\r\n\
             ETag: \"{name}-{damage}\"\r\nx-repo-commit: {revision}\r\n\r\n",
            to + 1 - from,
            bytes.len()
        )
        .ok()?;
        if method == "GET" {
            if name == "model.safetensors" && to - from > 1000 {
                weights_served.fetch_add(1, Ordering::SeqCst);
            }
            out.write_all(&bytes[from..=to]).ok()?;
        }
    }
}

#[test]
fn two_processes_fetch_once_and_damage_is_refused() {
    if !with_real_model("two_processes_fetch_once") {
        return;
    }
    let pull = |home: &Sandbox, hub: &Hub| {
        let mut command = home.command(&["models", "pull"]);
        command.env("HF_ENDPOINT", &hub.endpoint).env("PATH", "");
        command
    };
    let (home, hub) = (Sandbox::new(), Hub::start(model_folder(), 0));
    std::thread::scope(|scope| {
        let pulls = [(); 2].map(|()| scope.spawn(|| Run::of(&mut pull(&home, &hub))));
        pulls.into_iter().for_each(|run| run.join().expect("it runs").says(0, &[]));
    });
    assert_eq!(hub.weights_served.load(Ordering::SeqCst), 1);
    let (home, hub) = (Sandbox::new(), Hub::start(model_folder(), 1));
    Run::of(&mut pull(&home, &hub)).says(2, &["could not be fetched"]);
    assert_eq!(hub.weights_served.load(Ordering::SeqCst), 1);
}

#[test]
fn a_stalled_reader_is_not_waited_for() {
    // A hub that accepts and never answers costs seconds, not minutes: the run ends at all.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let holder = std::thread::spawn(move || {
        let mut held: Vec<TcpStream> = Vec::new();
        while let Ok((mut stream, _)) = listener.accept() {
            let mut first = [0u8; 1];
            if stream.read(&mut first).is_ok_and(|read| read > 0 && &first == b"q") {
                break;
            }
            held.push(stream);
        }
    });
    let home = Sandbox::new();
    let mut command = home.command(&["models", "pull"]);
    Run::of(command.env("HF_ENDPOINT", &endpoint).env("PATH", "")).says(2, &["does not answer"]);
    let address = endpoint.trim_start_matches("http://");
    TcpStream::connect(address).and_then(|mut stream| stream.write_all(b"q")).expect("the hub is there");
    holder.join().expect("it ends");
}
