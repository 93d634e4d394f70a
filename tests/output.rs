//! Formats, colors, and what goes where.

use crate::sandbox::Sandbox;

const FORMATS: [&str; 6] = ["text", "json", "jsonl", "csv", "md", "files"];

#[test]
fn every_format_is_valid_also_when_empty() {
    let home = Sandbox::new();
    home.write("guides/a.md", "# A, \"quoted\"\n\nLine one\nand, two.\n");
    home.ok(&["index", "guides"]);
    for (query, code, rows) in [("line", 0, 1), ("zzzz", 1, 0)] {
        for format in FORMATS {
            let run = home.run(&["search", query, "--mode", "bm25", "--format", format]);
            assert_eq!(run.code, code, "{format}: {}", run.stderr);
            assert!(!run.stdout.contains('\u{1b}'), "{format}: escapes off a terminal");
            let found =
                match format {
                    "json" => {
                        let value: serde_json::Value = serde_json::from_str(&run.stdout).expect("valid JSON");
                        assert_eq!(value["schema_version"], 1);
                        value["results"].as_array().expect("an array").len()
                    }
                    "jsonl" => {
                        let parse =
                            |line: &str| serde_json::from_str::<serde_json::Value>(line).expect("valid JSON");
                        run.stdout.lines().map(parse).filter(|line| line["type"] == "result").count()
                    }
                    "csv" => {
                        assert!(run.stdout.starts_with(
                            "rank,path,first_line,last_line,confidence,score,title,heading,text\n"
                        ));
                        run.stdout.matches("guides/a.md").count()
                    }
                    "md" => run.stdout.matches("\n## ").count(),
                    "files" => run.stdout.lines().filter(|line| line.ends_with("guides/a.md")).count(),
                    _ => run.stdout.matches("guides/a.md").count(),
                };
            assert_eq!(found, rows, "{format}: {}", run.stdout);
        }
    }
}

#[test]
fn standard_output_carries_results_only() {
    let home = Sandbox::new();
    let run = home.ok(&["ask", "what does a data analyst do", "--json", "--min-confidence", "0", "-v"]);
    serde_json::from_str::<serde_json::Value>(&run.stdout).expect("JSON and nothing else");
    assert!(run.stderr.contains("searched"), "{}", run.stderr);
    let quiet = home.ok(&["ask", "what does a data analyst do", "--min-confidence", "0", "-q"]);
    assert_eq!(quiet.stderr, "");
}

#[test]
fn text_of_guides_moves_no_cursor() {
    let home = Sandbox::new();
    home.write("guides/a.md", "# A\n\nApples \u{1b}]0;owned\u{7} and \u{1b}[2J pears.\n");
    let shown = home.ok(&["search", "apples", "--guides", "guides"]).stdout;
    assert!(!shown.contains(['\u{1b}', '\u{7}']), "{shown:?}");
    let read = home.json(&["search", "apples"], 0);
    assert_eq!(
        read["results"][0]["text"], "Apples ]0;owned and [2J pears.",
        "reading drops control characters"
    );
}

#[test]
fn a_reader_that_stops_early_is_no_error() {
    let home = Sandbox::new();
    home.ok(&["search", "python"]);
    let mut command = home.command(&["search", "python", "-n", "50"]);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().expect("the binary runs");
    drop(child.stdout.take());
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn help_completions_and_manual_come_from_the_command_line() {
    let home = Sandbox::new();
    for command in ["ask", "search", "index", "status", "get", "models", "completions", "man"] {
        assert!(home.ok(&["--help"]).stdout.contains(command));
        assert!(home.ok(&[command, "--help"]).stdout.contains("Usage: guidepost"));
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(home.ok(&["completions", shell]).stdout.contains("min-confidence"), "{shell}");
    }
    assert!(home.ok(&["man"]).stdout.contains(".TH guidepost"));
    home.ok(&["man", "--dir", "pages"]);
    assert!(home.path("pages/guidepost-ask.1").exists());
}

#[test]
fn models_are_listed() {
    let home = Sandbox::new();
    assert!(home.ok(&["models", "list"]).stdout.contains("all-MiniLM-L6-v2  Apache-2.0"));
    let listed: serde_json::Value =
        serde_json::from_str(&home.ok(&["models", "list", "--json"]).stdout).expect("valid JSON");
    assert_eq!(listed["models"][0]["here"], false);
}
