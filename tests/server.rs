//! `guidepost serve` beside a test, and requests to it: as a client makes them, and byte for byte.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::background::Background;
use crate::sandbox::Sandbox;

/// A server that ends with the test.
pub(crate) struct Server {
    pub(crate) background: Background,
    pub(crate) address: SocketAddr,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Server {
    /// Serves on a free port.
    pub(crate) fn start(home: &Sandbox, more: &[&str]) -> Server {
        let mut background = Background::start(home, &[&["serve", "--port", "0"], more].concat());
        background.until_said("serving on http://", 1);
        let said = background.stderr();
        let address = said.split_once("serving on http://").and_then(|(_, rest)| rest.split_once(' '));
        let address = address.and_then(|(address, _)| address.parse().ok()).expect("it says where");
        Server { background, address }
    }

    pub(crate) fn get(&self, target: &str) -> Answer {
        get(self.address, target)
    }

    pub(crate) fn post(&self, target: &str, body: &Value) -> Answer {
        self.send("POST", target, &[("content-type", "application/json")], &body.to_string())
    }

    /// A request as a client makes it; headers given here stand for those of the same name.
    pub(crate) fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        send(self.address, method, target, headers, body)
    }

    /// Sends bytes, and reads until the server closes.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Answer {
        raw(self.address, bytes)
    }

    pub(crate) fn connect(&self) -> TcpStream {
        connect(self.address)
    }
}

/// The answer to a request that asks for nothing but what its address says.
pub(crate) fn get(address: SocketAddr, target: &str) -> Answer {
    send(address, "GET", target, &[], "")
}

fn send(address: SocketAddr, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut head = format!("{method} {target} HTTP/1.1\r\nconnection: close\r\n");
    let (length, host) = (body.len().to_string(), address.to_string());
    let usual = [("host", host.as_str()), ("content-length", length.as_str())];
    let usual = usual.iter().filter(|(name, _)| headers.iter().all(|(given, _)| given != name));
    for (name, value) in usual.chain(headers) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    raw(address, format!("{head}\r\n{body}").as_bytes())
}

fn raw(address: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = connect(address);
    // A server that has seen enough may close before all is sent.
    let _ = stream.write_all(bytes);
    Answer::read(&mut stream)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(120))).expect("it is a time");
    stream
}

impl Answer {
    /// Reads one answer to the end of its connection.
    pub(crate) fn read(stream: &mut TcpStream) -> Answer {
        let mut bytes = Vec::new();
        // A connection that is reset ends with what had come.
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        let headers: Vec<(String, String)> = lines.filter_map(header).collect();
        let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        let body = if chunked { dechunked(body) } else { body.to_owned() };
        Answer { status, headers, body }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The body of a success.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        self.json_with(200)
    }

    #[track_caller]
    pub(crate) fn json_with(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        serde_json::from_str(&self.body).expect("it is JSON")
    }

    /// Expects a failure of some kind, and every one of the parts in what it says.
    #[track_caller]
    pub(crate) fn fails(&self, status: u16, kind: &str, parts: &[&str]) {
        let failure = self.json_with(status);
        assert_eq!(failure["error_type"], kind, "{self:?}");
        let message = failure["error"].as_str().expect("it says why");
        for part in parts {
            assert!(message.contains(part), "no `{part}` in: {message}");
        }
    }
}

/// A body without the lengths of its chunks.
fn dechunked(body: &str) -> String {
    let (mut rest, mut whole) = (body, String::new());
    while let Some((length, after)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap_or(0);
        let Some((chunk, next)) = after.split_at_checked(length) else { break };
        whole.push_str(chunk);
        rest = next.strip_prefix("\r\n").unwrap_or(next);
        if length == 0 {
            break;
        }
    }
    whole
}
