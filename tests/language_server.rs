//! A server on this machine that speaks OpenAI's protocol as far as it is told to, and remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// `POST /v1/chat/completions`.
    pub(crate) target: String,
    pub(crate) key: Option<String>,
    pub(crate) body: Value,
}

/// What is answered.
pub(crate) enum Reply {
    /// A text, streamed in pieces.
    Says(String),
    /// Pieces, and then the connection ends in the midst.
    Breaks(&'static str),
    /// Pieces, and then nothing until the client leaves.
    Hangs(&'static str),
    /// A status, a header and a body.
    Fails(u16, &'static str, &'static str),
    /// A body of a kind, with 200.
    Sends(&'static str, String),
}

impl Reply {
    pub(crate) fn says(text: &str) -> Reply {
        Reply::Says(text.to_owned())
    }
}

/// The server; it lives as long as the process.
pub(crate) struct LanguageServer {
    address: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    asked: Vec<Asked>,
    /// Clients that left while they were answered.
    left: usize,
}

/// Decides by the request, and by how many came before.
type Script = dyn Fn(&Asked, usize) -> Reply + Send + Sync;

impl LanguageServer {
    pub(crate) fn start(script: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static) -> LanguageServer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("it is bound"));
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (script, remembered): (Arc<Script>, _) = (Arc::new(script), Arc::clone(&seen));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, seen) = (Arc::clone(&script), Arc::clone(&remembered));
                std::thread::spawn(move || answer(stream, &*script, &seen));
            }
        });
        LanguageServer { address, seen }
    }

    /// Says the same to everybody.
    pub(crate) fn saying(text: &'static str) -> LanguageServer {
        LanguageServer::start(move |_, _| Reply::says(text))
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.seen.lock().expect("nobody panicked").asked.clone()
    }

    /// Waits until so many clients have left in the midst of an answer.
    #[track_caller]
    pub(crate) fn until_left(&self, clients: usize) {
        let started = Instant::now();
        while self.seen.lock().expect("nobody panicked").left < clients {
            assert!(started.elapsed() < Duration::from_secs(60), "nobody left");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Asked {
    /// What the model is told, by its place.
    pub(crate) fn message(&self, at: usize) -> &str {
        self.body["messages"][at]["content"].as_str().unwrap_or_default()
    }
}

fn answer(mut stream: TcpStream, script: &Script, seen: &Mutex<Seen>) -> Option<()> {
    let asked = read(&stream)?;
    let before = {
        let mut seen = seen.lock().expect("nobody panicked");
        seen.asked.push(asked.clone());
        seen.asked.len() - 1
    };
    let sent = match script(&asked, before) {
        Reply::Says(text) => {
            begin(&mut stream).and_then(|()| pieces(&mut stream, &text)).and_then(|()| end(&mut stream))
        }
        Reply::Breaks(text) => begin(&mut stream).and_then(|()| pieces(&mut stream, text)),
        Reply::Hangs(text) => begin(&mut stream).and_then(|()| pieces(&mut stream, text)).and_then(|()| {
            // Nothing more is said; comments show whether somebody still listens.
            loop {
                std::thread::sleep(Duration::from_millis(20));
                chunk(&mut stream, ": waiting\n\n")?;
            }
        }),
        Reply::Fails(status, header, body) => write!(
            stream,
            "HTTP/1.1 {status} No\r\n{header}content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        ),
        Reply::Sends(kind, body) => write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        ),
    };
    if sent.is_err() {
        seen.lock().expect("nobody panicked").left += 1;
    }
    Some(())
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let target = line.rsplit_once(" HTTP/")?.0.to_owned();
    let (mut length, mut key) = (0, None);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "authorization" => key = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { target, key, body: serde_json::from_slice(&body).unwrap_or_default() })
}

fn begin(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n",
    )
}

/// A text word by word.
fn pieces(stream: &mut TcpStream, text: &str) -> std::io::Result<()> {
    text.split_inclusive(' ').try_for_each(|piece| {
        let delta = json!({"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": null}]});
        chunk(stream, &format!("data: {delta}\n\n"))
    })
}

fn end(stream: &mut TcpStream) -> std::io::Result<()> {
    let stop = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 10}});
    chunk(stream, &format!("data: {stop}\n\ndata: {usage}\n\ndata: [DONE]\n\n"))?;
    stream.write_all(b"0\r\n\r\n")
}

fn chunk(stream: &mut TcpStream, text: &str) -> std::io::Result<()> {
    write!(stream, "{:x}\r\n{text}\r\n", text.len())
}
