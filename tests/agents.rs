//! `guidepost mcp`: tools for agents, over standard input and output.

use serde_json::{Value, json};

use crate::sandbox::{Run, Sandbox, check_citations};

fn home() -> Sandbox {
    let home = Sandbox::new();
    home.write(
        "guides/a.md",
        "# Roofs\n\nA roofer covers houses with slate.\n\n## Books\n\n- *Slate and Nails* by Ada Rook\n",
    );
    // The weightless embedder is sure of nothing.
    home.write("guides/guidepost.toml", "min-confidence = 0.0\n");
    home.ok(&["index", "guides"]);
    home
}

/// Sends requests after the greeting, and returns the answers by id.
fn talk(home: &Sandbox, requests: &[Value]) -> Vec<Value> {
    let greeting = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}});
    let greeted = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let mut input = format!("{greeting}\n{greeted}\n");
    for (at, request) in requests.iter().enumerate() {
        let mut request = request.clone();
        request["jsonrpc"] = json!("2.0");
        request["id"] = json!(at + 1);
        input.push_str(&format!("{request}\n"));
    }
    let run = Run::with_input(&mut home.command(&["mcp"]), &input);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let said: Vec<Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("nothing but the protocol"))
        .collect();
    let answer = |id: usize| said.iter().find(|said| said["id"] == id).cloned();
    (0..=requests.len()).map(|id| answer(id).unwrap_or_else(|| panic!("no answer {id}: {said:?}"))).collect()
}

fn call(tool: &str, arguments: Value) -> Value {
    json!({"method": "tools/call", "params": {"name": tool, "arguments": arguments}})
}

#[test]
fn tools_say_what_they_are() {
    let answers = talk(&home(), &[json!({"method": "tools/list"})]);
    assert_eq!(answers[0]["result"]["serverInfo"]["name"], "guidepost");
    let tools = answers[1]["result"]["tools"].as_array().expect("tools").clone();
    let mut names: Vec<&str> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["ask", "get", "resources", "search", "status"]);
    for tool in &tools {
        let (annotations, input) = (&tool["annotations"], &tool["inputSchema"]);
        assert_eq!(
            (&annotations["readOnlyHint"], &annotations["destructiveHint"]),
            (&json!(true), &json!(false)),
            "{tool}"
        );
        assert!(tool["description"].as_str().is_some_and(|said| !said.is_empty()), "{tool}");
        assert_eq!(
            (&input["type"], &input["additionalProperties"]),
            (&json!("object"), &json!(false)),
            "{tool}"
        );
        assert_eq!(tool["outputSchema"]["type"], "object", "{tool}");
        // No unions: some clients take none.
        let written = input.to_string();
        assert!(!written.contains("anyOf") && !written.contains("\"null\""), "{written}");
    }
}

#[test]
fn answers_are_structured_and_cited() {
    let home = home();
    let answers = talk(
        &home,
        &[
            call("search", json!({"query": "slate", "limit": 1})),
            call("ask", json!({"query": "what does a roofer cover"})),
            call("get", json!({"citation": "guides/a.md:3"})),
            call("resources", json!({"kind": ["book"]})),
            call("status", json!({})),
        ],
    );
    let content = |at: usize| {
        let result = &answers[at]["result"];
        assert!(!result["isError"].as_bool().unwrap_or(false), "{result}");
        let text = result["content"][0]["text"].as_str().expect("a text");
        // The same as text, for clients that know no structure.
        assert_eq!(serde_json::from_str::<Value>(text).expect("JSON"), result["structuredContent"]);
        result["structuredContent"].clone()
    };
    let hit = &content(1)["results"][0];
    assert_eq!((&hit["path"], &hit["first_line"]), (&json!("guides/a.md"), &json!(3)));
    check_citations(&content(2), |path| home.ok(&["get", path]).stdout);
    assert!(content(2)["answer"]["statements"].as_array().is_some_and(|statements| !statements.is_empty()));
    assert_eq!(content(3)["text"], "A roofer covers houses with slate.");
    assert_eq!(content(4)["resources"][0]["title"], "Slate and Nails");
    assert_eq!(content(5)["current"]["generation"], 1);
}

#[test]
fn what_is_not_understood_is_refused() {
    let answers = talk(
        &home(),
        &[
            call("search", json!({"query": "slate", "colour": "red"})),
            call("search", json!({})),
            call("get", json!({"citation": "guides/none.md"})),
            call("get", json!({"citation": "/etc/hostname"})),
            call("erase", json!({})),
        ],
    );
    let refused = |at: usize, part: &str| {
        let answer = &answers[at];
        assert!(answer["error"].is_object() || answer["result"]["isError"] == true, "{answer}");
        assert!(answer.to_string().contains(part), "no `{part}` in: {answer}");
    };
    refused(1, "colour");
    refused(2, "query");
    refused(3, "guides/none.md");
    refused(4, "/etc/hostname");
    refused(5, "not found");
}
