//! `guidepost serve`: the interface for programs answers what the command line answers, in the shapes that clients know.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::sandbox::{Run, Sandbox};
use crate::server::{self, Answer, Server};
use crate::tiny_model;

/// A home with guides of two kinds.
fn home() -> Sandbox {
    let home = Sandbox::new();
    home.write(
        "guides/roofer.md",
        "---\ntitle: Roofer\nkind: role\nroles: [Roofer]\ntags: [town/roof]\n---\n\n# Roofer\n\nA roofer covers houses with slate.\n\n## Roadmap\n\n1. Learn to climb ladders.\n2. Learn to cut slate.\n\n## Books\n\n- *Slate and Nails* by Ada Rook\n",
    );
    home.write(
        "guides/baker.md",
        "---\ntitle: Baker\nkind: role\nroles: [Baker]\ntags: [town/bread]\n---\n\n# Baker\n\nA baker kneads dough before dawn.\n\n## Roadmap\n\n1. Learn to knead dough.\n2. Learn to heat the oven.\n",
    );
    home.write(
        "guides/ladders.md",
        "# Ladders\n\nA ladder leans at four to one. Check its rungs before you climb.\n",
    );
    home.ok(&["index", "guides"]);
    home
}

/// Without what differs from one run to the next.
fn timeless(mut value: Value) -> Value {
    value.as_object_mut().expect("an object").remove("took_ms");
    value
}

#[test]
fn answers_are_those_of_the_command_line() {
    let home = home();
    let server = Server::start(&home, &[]);
    for (target, args, code) in [
        ("/api/search?q=climb+ladders", &["search", "climb ladders"][..], 0),
        ("/api/search?q=slate&limit=1&explain=true", &["search", "slate", "-n", "1", "--explain"], 0),
        (
            "/api/search?q=learn&kind=role&mode=bm25",
            &["search", "learn", "--kind", "role", "--mode", "bm25"],
            0,
        ),
        (
            "/api/search?q=learn&tag=town&role=roofer",
            &["search", "learn", "--tag", "town", "--role", "roofer"],
            0,
        ),
        (
            "/api/search?q=learn&role=baker&role=roofer",
            &["search", "learn", "--role", "baker", "--role", "roofer"],
            0,
        ),
        ("/api/search?q=xylophone&min_confidence=1", &["search", "xylophone", "--min-confidence", "1"], 1),
        (
            "/api/ask?q=how+do+I+become+a+roofer&min_confidence=0",
            &["ask", "how do I become a roofer", "--min-confidence", "0"],
            0,
        ),
        ("/api/ask?q=xylophone&min_confidence=1", &["ask", "xylophone", "--min-confidence", "1"], 1),
        ("/api/resources?q=books", &["resources", "books"], 0),
        ("/api/resources?kind=book&for=roofer", &["resources", "--kind", "book", "--for", "roofer"], 0),
        ("/api/roles", &["roles"], 0),
        ("/api/compare?first=roofer&second=baker", &["compare", "roofer", "baker"], 0),
    ] {
        let (served, printed) = (server.get(target).json(), home.json(args, code));
        assert_eq!(timeless(served), timeless(printed), "{target}");
    }
    let posted = server.post("/api/search", &json!({"q": "learn", "role": ["roofer"], "limit": 2})).json();
    assert_eq!(timeless(posted), timeless(home.json(&["search", "learn", "--role", "roofer", "-n", "2"], 0)));
    let mut status = server.get("/api/status").json();
    let described =
        status.as_object_mut().expect("an object").remove("server").expect("the server is described");
    assert_eq!(described["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status, home.json(&["status"], 0));
}

#[test]
fn lines_guides_and_facets() {
    let home = home();
    let server = Server::start(&home, &[]);
    let whole = std::fs::read_to_string(home.path("guides/ladders.md")).expect("it is there");
    let guide = server.get("/api/get?citation=guides/ladders.md").json();
    assert_eq!(guide["text"].as_str().map(str::trim_end), Some(whole.trim_end()));
    assert_eq!(
        (&guide["title"], &guide["first_line"], &guide["last_line"]),
        (&json!("Ladders"), &json!(1), &json!(3))
    );
    let line = server.get("/api/get?citation=guides/ladders.md:3-9").json();
    assert_eq!((&line["first_line"], &line["last_line"], &line["lines"]), (&json!(3), &json!(3), &json!(3)));
    assert_eq!(line["text"], "A ladder leans at four to one. Check its rungs before you climb.");
    let documents = server.get("/api/documents").json();
    assert_eq!(documents["documents"].as_array().map(Vec::len), Some(3));
    assert_eq!(documents["facets"]["kind"], json!([{"value": "role", "guides": 2}]));
    let roles = json!([{"value": "Baker", "guides": 1}, {"value": "Roofer", "guides": 1}]);
    assert_eq!(documents["facets"]["role"], roles);
    let map = server.get("/api/map").json();
    let points = map["points"].as_array().expect("points").clone();
    let passages = home.json(&["status"], 0)["current"]["passages"].as_u64().expect("a number");
    assert_eq!(points.len() as u64, passages);
    for point in points {
        let guide = point["guide"].as_u64().expect("a number") as usize;
        assert!(
            map["guides"][guide]["path"].as_str().is_some_and(|path| path.starts_with("guides/")),
            "{map}"
        );
        for axis in ["x", "y"] {
            assert!(point[axis].as_f64().is_some_and(|at| (0.0..=1.0).contains(&at)), "{point}");
        }
    }
}

/// The events of a stream: name and data.
fn events(stream: &Answer) -> Vec<(String, Value)> {
    let event = |text: &str| {
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        Some((field("event:")?.to_owned(), serde_json::from_str(field("data:")?).ok()?))
    };
    stream.body.split("\n\n").filter_map(event).collect()
}

#[test]
fn an_answer_comes_as_events() {
    let home = home();
    let server = Server::start(&home, &[]);
    let accept = [("accept", "text/event-stream")];
    let stream = server.send("GET", "/api/ask?q=how+do+I+become+a+roofer&min_confidence=0", &accept, "");
    assert_eq!(stream.header("content-type"), Some("text/event-stream"));
    let events = events(&stream);
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names[..3], ["progress", "results", "progress"], "{names:?}");
    let (last, whole) = events.last().expect("events");
    assert_eq!(last, "done");
    let statements: Vec<&Value> =
        events.iter().filter(|(name, _)| name == "statement").map(|(_, data)| data).collect();
    assert!(!statements.is_empty());
    assert_eq!(json!(statements), whole["answer"]["statements"]);
    let at_once = server.get("/api/ask?q=how+do+I+become+a+roofer&min_confidence=0").json();
    assert_eq!(timeless(whole.clone()), timeless(at_once));
    let nothing = server.send("GET", "/api/ask?q=xylophone&min_confidence=1", &accept, "");
    assert_eq!(self::events(&nothing).last().map(|(_, data)| &data["answer"]), Some(&Value::Null));
    let failed = server.send("GET", "/api/ask?q=roof&kind=nothing", &accept, "");
    assert!(
        self::events(&failed)
            .iter()
            .any(|(name, data)| name == "error" && data["error_type"] == "Validation")
    );
}

#[test]
fn failures_say_what_is_wrong() {
    let home = home();
    let server = Server::start(&home, &["--payload-limit", "4KB", "--max-client-batch-size", "2"]);
    for (target, status, kind, part) in [
        ("/api/search", 400, "Validation", "missing field `q`"),
        ("/api/search?q=", 400, "Validation", "the question is empty"),
        ("/api/search?q=roof&limit=0", 400, "Validation", "from 1 to 100"),
        ("/api/search?q=roof&limit=x", 400, "Validation", "limit"),
        ("/api/search?q=roof&mode=magic", 400, "Validation", "magic"),
        ("/api/search?q=roof&color=red", 400, "Validation", "color"),
        ("/api/search?q=roof&min_confidence=2", 400, "Validation", "from 0 to 1"),
        ("/api/search?q=roof&kind=nothing", 400, "Validation", "nothing"),
        ("/api/search?q=roof&after=yesterday", 400, "Validation", "yesterday"),
        ("/api/get?citation=guides/none.md", 404, "NotFound", "guides/none.md"),
        ("/api/get?citation=guides/ladders.md:70", 400, "Validation", "3 lines"),
        ("/api/get?citation=guides/ladders.md:x", 400, "Validation", "FILE:12"),
        ("/api/compare?first=roofer&second=pilot", 404, "NotFound", "pilot"),
        ("/api/compare?first=roofer&second=roofer", 400, "Validation", "both"),
        ("/api/search?q=roof&kind=", 400, "Validation", "`kind` is empty"),
        ("/api/nothing", 404, "NotFound", "/docs"),
        ("/nothing", 404, "NotFound", "/docs"),
        ("/page/nothing.js", 404, "NotFound", "nothing.js"),
        ("/embed", 405, "Method", "/docs"),
    ] {
        server.get(target).fails(status, kind, &[part]);
    }
    let long = json!({"q": "roof ".repeat(2000)});
    server.post("/api/search", &long).fails(413, "TooLarge", &["4000 bytes"]);
    let text = [("content-type", "text/plain")];
    server.send("POST", "/api/search", &text, "{}").fails(415, "MediaType", &["application/json"]);
    let json_type = [("content-type", "application/json")];
    server.send("POST", "/api/search", &json_type, "{").fails(400, "Validation", &["JSON"]);
    server.post("/embed", &json!({"inputs": ["a", "b", "c"]})).fails(413, "Validation", &["at most 2"]);
    server.post("/embed", &json!({"inputs": []})).fails(400, "Empty", &["nothing to embed"]);
    server.post("/embed", &json!({"inputs": "a", "normalize": false})).fails(
        400,
        "Validation",
        &["unit length"],
    );
    server.post("/embed", &json!({"inputs": "a", "dimensions": 7})).fails(
        400,
        "Validation",
        &["7 dimensions"],
    );
    server.post("/rerank", &json!({"query": "a", "texts": ["b"]})).fails(424, "Backend", &["--rerank"]);
    let openai = server.post("/v1/embeddings", &json!({"input": [[1, 2]], "model": "any"})).json_with(400);
    assert_eq!(openai["error"]["type"], "invalid_request_error", "{openai}");
    assert!(openai["error"]["message"].as_str().is_some_and(|said| said.contains("tokens")), "{openai}");
    assert_eq!(server.get("/v1/nothing").json_with(404)["error"]["type"], "invalid_request_error");
    let equals = server.get("/api/search?q=slate==&min_confidence=0");
    assert_eq!(equals.json()["query"], "slate==");
    assert_eq!(server.get("/api/search?query=slate").json()["query"], "slate", "under its other name");
}

#[test]
fn embeddings_for_the_clients_of_others() {
    let home = Sandbox::new();
    tiny_model::write(&home.path("model"), 3);
    tiny_model::write_reranker(&home.path("pairs"), 5);
    home.write("guides/a.md", "# Roofs\n\nA roofer covers houses with slate.\n");
    let server = Server::start(&home, &["--guides", "guides", "--model", "./model", "--rerank", "./pairs"]);
    let vector = |value: &Value| -> Vec<f64> {
        value.as_array().expect("a vector").iter().map(|number| number.as_f64().expect("a number")).collect()
    };
    let texts = ["A roofer covers houses.", "Bread", "A roofer covers houses."];
    let embedded = server.post("/embed", &json!({"inputs": texts})).json();
    let vectors: Vec<Vec<f64>> = embedded.as_array().expect("vectors").iter().map(vector).collect();
    assert_eq!(vectors.len(), 3);
    assert_eq!(vectors[0], vectors[2]);
    assert!(vectors[0] != vectors[1]);
    for vector in &vectors {
        let length: f64 = vector.iter().map(|value| value * value).sum();
        assert!((length - 1.0).abs() < 1e-5, "{length}");
    }
    let openai = server.post("/v1/embeddings", &json!({"input": texts, "model": "any"})).json();
    assert_eq!((&openai["object"], &openai["data"][1]["index"]), (&json!("list"), &json!(1)));
    assert!(openai["usage"]["prompt_tokens"].as_u64().is_some_and(|tokens| tokens > 3));
    for (at, expected) in vectors.iter().enumerate() {
        assert_eq!(&vector(&openai["data"][at]["embedding"]), expected);
    }
    let packed = json!({"input": "Bread", "model": "any", "encoding_format": "base64"});
    let packed = server.post("/v1/embeddings", &packed).json();
    let packed = packed["data"][0]["embedding"].as_str().expect("base64").to_owned();
    // Four bytes for each of the model's dimensions, in groups of three.
    assert_eq!(packed.len(), (4 * vectors[0].len()).div_ceil(3) * 4);
    let named = server.get("/v1/models").json();
    assert_eq!(named["data"][0]["id"], openai["model"]);
    let info = server.get("/info").json();
    assert_eq!(info["model_id"], openai["model"]);
    let most = info["max_input_length"].as_u64().expect("a number") as usize;
    let long = "roof ".repeat(most + 5);
    server.post("/embed", &json!({"inputs": long})).fails(413, "Validation", &["tokens"]);
    assert_eq!(server.post("/embed", &json!({"inputs": long, "truncate": true})).status, 200);
    assert_eq!(server.post("/", &json!({"inputs": texts})).json(), json!(vectors), "to the address itself");
    let ranked = json!({"query": "roof", "texts": ["slate", "bread", "houses"], "return_text": true});
    let ranked = server.post("/rerank", &ranked).json();
    let ranked = ranked.as_array().expect("a list").clone();
    let scores: Vec<f64> = ranked.iter().map(|rank| rank["score"].as_f64().expect("a number")).collect();
    assert!(
        scores.is_sorted_by(|a, b| a >= b) && scores.iter().all(|score| (0.0..=1.0).contains(score)),
        "{scores:?}"
    );
    for rank in &ranked {
        let index = rank["index"].as_u64().expect("a number") as usize;
        assert_eq!(rank["text"], ["slate", "bread", "houses"][index]);
    }
    assert_eq!(server.get("/health").status, 200);
    let cutting = Server::start(&home, &["--model", "./model", "--auto-truncate"]);
    assert_eq!(cutting.get("/info").json()["auto_truncate"], true);
    assert_eq!(cutting.post("/embed", &json!({"inputs": long})).status, 200);
    assert_eq!(cutting.post("/v1/embeddings", &json!({"input": long, "model": "any"})).status, 200);
    assert_eq!(cutting.post("/embed", &json!({"inputs": long, "truncate": false})).status, 413);
}

#[test]
fn many_at_once_get_what_each_gets_alone() {
    let home = home();
    tiny_model::write(&home.path("model"), 3);
    let of_model = ["--index", "other", "--model", "./model"];
    home.ok(&[&["index", "guides"][..], &of_model].concat());
    let server = Server::start(&home, &of_model);
    let asked =
        |at: usize| format!("{} number {at}", ["who climbs ladders", "slate", "dough before dawn"][at % 3]);
    let search = &|at: usize| {
        let question = asked(at).replace(' ', "+");
        timeless(server.get(&format!("/api/search?q={question}&explain=true&min_confidence=0")).json())
    };
    let together: Vec<Value> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..48).map(|at| scope.spawn(move || search(at))).collect();
        asked.into_iter().map(|asked| asked.join().expect("it is answered")).collect()
    });
    assert!(metric(&server, "guidepost_batch_texts_sum") > metric(&server, "guidepost_batch_texts_count"));
    for (at, together) in together.into_iter().enumerate().step_by(5) {
        let question = asked(at);
        let args = ["search", &question, "--explain", "--min-confidence", "0"];
        assert_eq!(together, timeless(home.json(&[&args[..], &of_model].concat(), 0)), "{question}");
    }
}

/// The value of a metric without labels.
fn metric(server: &Server, name: &str) -> f64 {
    metric_at(server.address, name)
}

fn metric_at(address: std::net::SocketAddr, name: &str) -> f64 {
    let text = server::get(address, "/metrics").body;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in: {text}"))
}

#[test]
fn what_happens_can_be_watched() {
    let home = home();
    let server = Server::start(&home, &[]);
    for _ in 0..3 {
        server.get("/api/search?q=ladders").json();
    }
    server.get("/api/search?q=slate&limit=0");
    let text = server.get("/metrics").body;
    for line in [
        r#"guidepost_requests_total{method="GET",path="/api/search",status="200"} 3"#,
        r#"guidepost_requests_total{method="GET",path="/api/search",status="400"} 1"#,
        r#"guidepost_stage_seconds_count{stage="search"} 3"#,
        "guidepost_question_cache_hits_total 2",
        "guidepost_question_cache_misses_total 1",
        "guidepost_index_generation 1",
        "guidepost_queued_texts 0",
        "guidepost_waiting_requests 0",
    ] {
        assert!(text.lines().any(|found| found == line), "no `{line}` in: {text}");
    }
    assert!(metric(&server, "guidepost_embedded_tokens_total") >= 1.0);
}

#[test]
fn a_new_generation_is_taken_up_while_requests_go_on() {
    let home = home();
    let mut server = Server::start(&home, &[]);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asked = |target: &'static str| {
            let (server, stop) = (&server, &stop);
            scope.spawn(move || {
                let mut answered = 0;
                while !stop.load(Ordering::Relaxed) {
                    let answer = server.get(target);
                    assert_eq!(answer.status, 200, "{answer:?}");
                    answered += 1;
                }
                answered
            })
        };
        let readers =
            [asked("/api/search?q=roofer&explain=true"), asked("/api/ask?q=roofer"), asked("/api/roles")];
        for round in 0..5 {
            home.write("guides/new.md", format!("# Weathercock {round}\n\nIt turns with the wind.\n"));
            home.ok(&["index"]);
            let taken_up = || {
                let found = server.get("/api/search?q=weathercock").json();
                found["results"][0]["title"] == format!("Weathercock {round}")
            };
            let started = std::time::Instant::now();
            while !taken_up() {
                assert!(started.elapsed().as_secs() < 60, "round {round}");
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        }
        stop.store(true, Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().expect("no request failed") > 0);
        }
    });
    assert!(metric(&server, "guidepost_index_reloads_total") >= 5.0);
    // An index of another model does not answer questions that this model embeds.
    tiny_model::write(&home.path("model"), 3);
    home.ok(&["index", "--rebuild", "--model", "./model"]);
    server.background.until_said("answering from the index as it was", 1);
    assert_eq!(server.get("/api/search?q=weathercock").json()["results"][0]["title"], "Weathercock 4");
}

#[test]
fn what_is_too_much_is_refused_and_what_comes_after_is_not() {
    let home = Sandbox::new();
    tiny_model::write_slow(&home.path("model"), 3);
    home.write("guides/a.md", "# Roofs\n\nA roofer covers houses with slate.\n");
    let server =
        Server::start(&home, &["--guides", "guides", "--model", "./model", "--max-concurrent-requests", "4"]);
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let ask = |at: usize| {
            let server = &server;
            // No two questions are the same, or the second would be remembered.
            scope.spawn(move || server.get(&format!("/api/search?q=roofer+number+{at}")))
        };
        let asked: Vec<_> = (0..48).map(ask).collect();
        asked.into_iter().map(|asked| asked.join().expect("it is answered")).collect()
    });
    let refused: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!(!refused.is_empty(), "{} answered", answers.len());
    for answer in &answers {
        match answer.status {
            200 => {}
            _ => answer.fails(429, "Overloaded", &["try again"]),
        }
    }
    assert!(refused.iter().all(|answer| answer.header("retry-after") == Some("1")), "{refused:?}");
    assert_eq!(metric(&server, "guidepost_refused_requests_total") as usize, refused.len());
    assert_eq!(server.get("/api/search?q=roofer").status, 200);
    assert_eq!(metric(&server, "guidepost_running_requests"), 0.0);
}

/// A server over a model that takes its time, and a body that keeps it busy for long.
fn busy(home: &Sandbox, more: &[&str]) -> (Server, String) {
    tiny_model::write_slow(&home.path("model"), 3);
    home.write("guides/a.md", "# Roofs\n\nA roofer covers houses with slate.\n");
    let server = Server::start(home, &[&["--guides", "guides", "--model", "./model"], more].concat());
    let texts: Vec<String> = (0..2000).map(|at| format!("roofer {at} {}", "slate ".repeat(9))).collect();
    (server, json!({"input": texts}).to_string())
}

/// Sends a request and does not wait for its answer.
fn begin(server: &Server, body: &str) -> std::net::TcpStream {
    let mut stream = server.connect();
    let head = format!(
        "POST /v1/embeddings HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        server.address,
        body.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).expect("it is read");
    stream
}

#[test]
fn nothing_is_done_for_clients_that_have_left() {
    let home = Sandbox::new();
    let (mut server, body) = busy(&home, &[]);
    let address = server.address;
    let queued = || metric_at(address, "guidepost_queued_texts");
    let begun = [begin(&server, &body), begin(&server, &body)];
    server.background.until("texts wait", || queued() > 2000.0);
    drop(begun);
    // Far sooner than it could embed them.
    let before = metric_at(address, "guidepost_embedded_tokens_total");
    server.background.until("nothing waits", || queued() == 0.0);
    server.background.until("nothing is done", || metric_at(address, "guidepost_running_requests") == 0.0);
    let done = metric_at(address, "guidepost_embedded_tokens_total") - before;
    assert!(done < 100_000.0, "{done} of some 220,000 tokens were embedded for nobody");
    assert_eq!(server.get("/api/search?q=slate").status, 200);
}

#[test]
fn it_ends_in_the_midst_of_work() {
    let home = Sandbox::new();
    let (mut server, body) = busy(&home, &[]);
    let address = server.address;
    let _begun = begin(&server, &body);
    server.background.until("texts wait", || metric_at(address, "guidepost_queued_texts") > 100.0);
    server.background.send("TERM");
    let asked = std::time::Instant::now();
    server.background.end().says(0, &["stopped"]);
    assert!(asked.elapsed().as_secs() < 25, "it went on for {:?}", asked.elapsed());
}

#[test]
fn it_ends_when_it_is_asked_to() {
    let home = home();
    for signal in ["INT", "TERM"] {
        let server = Server::start(&home, &[]);
        // A connection that is kept open is no reason to stay.
        let _idle = server.connect();
        server.background.send(signal);
        let run = server.background.end();
        run.says(0, &["stopped"]);
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn without_a_model_words_alone_search() {
    let home = home();
    home.ok(&["index", "guides", "--index", "words", "--model", "hash"]);
    let mut command = home.command(&["index", "guides", "--index", "bare", "--offline"]);
    assert_eq!(Run::of(command.env("GUIDEPOST_MODEL", "all-MiniLM-L6-v2")).code, 0);
    let server = Server::start(&home, &["--index", "bare", "--offline", "--model", "all-MiniLM-L6-v2"]);
    assert_eq!(server.get("/api/search?q=ladders").json()["mode"], "bm25");
    assert_eq!(server.get("/api/map").json()["points"], json!([]));
    server.post("/embed", &json!({"inputs": "a"})).fails(424, "Backend", &["models pull"]);
    server.get("/api/search?q=ladders&mode=dense").fails(400, "Validation", &["vectors"]);
    assert_eq!(server.get("/health").status, 200);
}
