//! `resources`, `roles`, `compare`, `read`, and the resources under an answer.

use std::fs;

use serde_json::Value;

use crate::sandbox::{Sandbox, checkout};

const WEAVER: &str = "\
---
title: Weaver
kind: role
roles: [Weaver]
---
# Weaver

A weaver makes cloth on a loom.

## Skills

- **Warping**: threads lie side by side.
- **Patience**

## Roadmap

### Phase 1: a scarf
Weave it.

## Books

- *The Loom Book* by Ann Ax: how looms are built.
- *Threads* by Bo Bux

## Tools

- Docker
";

const DYER: &str = "\
# Dyer

## Skills

- **Patience**
- **Chemistry**

## Learning resources

- Books: \"The Loom Book\" by Ann Ax, \"Indigo\" by Cy Dee.
- Courses: Color Theory (Coursera), Vats in Practice (Udemy).
- Certifications: Certified Dyer (CD).
- Projects: Dye a flag.
";

fn home() -> Sandbox {
    let home = Sandbox::new();
    home.write("guides/weaver.md", WEAVER);
    home.write(
        "guides/dyer.md",
        DYER.replace("# Dyer", "---\ntitle: Dyer\nkind: role\nroles: [Dyer]\n---\n# Dyer"),
    );
    home.ok(&["index", "guides"]);
    home
}

fn titles(value: &Value) -> Vec<String> {
    let resources = value["resources"].as_array().expect("a list of resources");
    resources.iter().map(|resource| resource["title"].as_str().expect("a title").to_owned()).collect()
}

#[test]
fn a_book_in_two_guides_is_one_resource() {
    let home = home();
    let found = home.json(&["resources", "--kind", "book"], 0);
    assert_eq!(titles(&found), ["The Loom Book", "Indigo", "Threads"]);
    let book = &found["resources"][0];
    assert_eq!((&book["guides"], &book["by"]), (&Value::from(2), &Value::from("Ann Ax")));
    assert_eq!(book["mentions"][0]["path"], "guides/dyer.md");
    assert_eq!(book["mentions"][1]["serves"], "Weaver");
    assert_eq!(book["mentions"][1]["about"], "how looms are built.");
    let text = home.ok(&["resources", "--kind", "book"]).stdout;
    assert!(text.contains("named by 2 guides: guides/dyer.md:"), "{text}");
}

#[test]
fn resources_are_narrowed_by_kind_role_and_query() {
    let home = home();
    for (args, expected) in [
        (&["--for", "weaver"][..], &["The Loom Book", "Threads", "Docker"][..]),
        (&["--kind", "course,certification"], &["Color Theory", "Vats in Practice", "Certified Dyer"]),
        (&["books", "about", "looms"], &["The Loom Book"]),
        (&["courses"], &["Color Theory", "Vats in Practice"]),
        (&["color"], &["Color Theory"]),
        (&["--all", "-q", "--kind", "project"], &["Dye a flag"]),
        (&["--limit", "1"], &["The Loom Book"]),
    ] {
        let found = home.json(&[&["resources"], args].concat(), 0);
        assert_eq!(titles(&found), expected, "{args:?}");
    }
}

#[test]
fn nothing_found_says_where_to_look() {
    let home = home();
    home.run(&["resources", "--for", "astronaut"]).says(1, &["`astronaut`", "guidepost roles"]);
    home.run(&["resources", "zeppelin"]).says(1, &["no guide here names such a resource"]);
    home.run(&["compare", "weaver", "astronaut"]).says(2, &["`astronaut`", "guidepost roles"]);
    home.run(&["compare", "weaver", "Weaver"]).says(2, &["are both Weaver", "in quotes"]);
    home.run(&["resources", "--kind", "spoon"]).says(2, &["spoon", "certification"]);
    home.run(&["compare", "er", "dyer"]).says(2, &["`er`"]);
    home.run(&["read", "guides"]).says(2, &["is a folder", "guidepost index"]);
    home.run(&["read", "nowhere.md"]).says(2, &["`nowhere.md` is neither a file nor a guide"]);
}

#[test]
fn every_format_is_valid_also_when_empty() {
    let home = home();
    let commands: [&[&str]; 4] =
        [&["resources"], &["resources", "zeppelin"], &["roles"], &["compare", "weaver", "dyer"]];
    for args in commands {
        for format in ["text", "json", "jsonl", "csv", "md", "files"] {
            let run = home.run(&[args, &["--format", format]].concat());
            assert_eq!(run.code, i32::from(args.contains(&"zeppelin")), "{args:?} {format}: {}", run.stderr);
            assert!(!run.stdout.contains('\u{1b}'), "{args:?} {format}: escapes off a terminal");
            match format {
                "json" => drop(serde_json::from_str::<Value>(&run.stdout).expect("valid JSON")),
                "jsonl" => run.stdout.lines().for_each(|line| {
                    let row: Value = serde_json::from_str(line).expect("valid JSON");
                    assert!(row["type"].is_string(), "{row}");
                }),
                "csv" => {
                    let mut reader = csv::Reader::from_reader(run.stdout.as_bytes());
                    assert!(reader.headers().expect("a header").len() >= 4, "{args:?}");
                    assert!(reader.records().all(|record| record.is_ok()), "{args:?}");
                }
                "files" => assert!(run.stdout.lines().all(|line| line.ends_with(".md")), "{}", run.stdout),
                _ => {}
            }
        }
    }
}

#[test]
fn roles_are_listed_with_their_guides() {
    let home = home();
    let found = home.json(&["roles"], 0);
    let roles: Vec<(&str, u64)> = found["roles"]
        .as_array()
        .expect("a list of roles")
        .iter()
        .map(|role| (role["role"].as_str().expect("a name"), role["resources"].as_u64().expect("a number")))
        .collect();
    assert_eq!(roles, [("Dyer", 6), ("Weaver", 3)]);
    assert_eq!(found["roles"][0]["described"][0]["path"], "guides/dyer.md");
}

#[test]
fn two_roles_stand_side_by_side_and_every_cell_is_cited() {
    let home = home();
    let found = home.json(&["compare", "weaver", "dyer"], 0);
    let texts = |side: usize, row: &str| -> Vec<String> {
        let cell = found["roles"][side][row].as_array().expect("a cell");
        cell.iter().map(|item| item["text"].as_str().expect("a text").to_owned()).collect()
    };
    assert_eq!(texts(0, "skills"), ["Warping", "Patience"]);
    assert_eq!(texts(1, "skills"), ["Patience", "Chemistry"]);
    assert_eq!(texts(0, "roadmap"), ["Phase 1: a scarf"]);
    assert_eq!(texts(0, "books"), ["The Loom Book, Ann Ax", "Threads, Bo Bux"]);
    assert_eq!(texts(1, "certifications"), ["Certified Dyer"]);
    for side in found["roles"].as_array().expect("two roles") {
        for (row, cell) in side.as_object().expect("an object") {
            for item in cell.as_array().into_iter().flatten().filter(|item| item["text"].is_string()) {
                let text = item["text"].as_str().expect("a text").split(", ").next().expect("a part");
                let lines = get(&home, item);
                assert!(lines.contains(text), "{row}: `{text}` is not in: {lines}");
            }
        }
    }
    let shown = home.ok(&["compare", "weaver", "dyer"]).stdout;
    assert!(shown.contains("= Patience") && shown.contains("- Warping"), "{shown}");
    assert!(shown.contains("[guides/weaver.md:12-13]"), "{shown}");
}

#[test]
fn every_shipped_resource_stands_where_it_is_cited() {
    let home = Sandbox::new();
    let found = home.json(&["resources", "--all"], 0);
    let resources = found["resources"].as_array().expect("a list");
    assert!(resources.len() > 200, "{}", resources.len());
    for resource in resources.iter().filter(|resource| resource["kind"] != "tool") {
        let title = resource["title"].as_str().expect("a title");
        let mentions = resource["mentions"].as_array().expect("mentions");
        let stands = |mention: &Value| {
            let path = mention["path"].as_str().expect("a path");
            let text = fs::read_to_string(checkout().join(path)).expect("a shipped guide");
            let first = mention["first_line"].as_u64().expect("a line") as usize;
            let last = mention["last_line"].as_u64().expect("a line") as usize;
            let lines: Vec<&str> = text.lines().skip(first - 1).take(last - first + 1).collect();
            let joined = lines.join(" ").replace(['*', '`'], "");
            joined.split_whitespace().collect::<Vec<_>>().join(" ").contains(title)
        };
        assert!(mentions.iter().any(stands), "{resource:#}");
    }
}

#[test]
fn answers_come_with_the_resources_that_fit() {
    let home = home();
    let question = "how are looms built?";
    let answer = home.json(&["ask", question, "--mode", "bm25", "--min-confidence", "0"], 0);
    assert_eq!(titles(&answer)[0], "The Loom Book");
    let text = home.ok(&["ask", question, "--mode", "bm25", "--min-confidence", "0"]).stdout;
    assert!(text.contains("resources that fit:") && text.contains("book by Ann Ax"), "{text}");
    let searched = home.json(&["search", question, "--mode", "bm25"], 0);
    assert!(searched.get("resources").is_none(), "search shows passages alone");
}

#[test]
fn an_index_of_an_earlier_version_is_brought_up_to_date() {
    let home = home();
    let index = home.path(".local/share/guidepost/index");
    let generation = fs::read_to_string(index.join("CURRENT")).expect("the index is there");
    let path = index.join(generation.trim()).join("generation.json");
    let mut manifest: Value =
        serde_json::from_slice(&fs::read(&path).expect("a manifest")).expect("valid JSON");
    manifest["finder"] = Value::from("");
    let fingerprint = manifest["fingerprint"].as_str().expect("a text").to_owned();
    let (model, _) = fingerprint.rsplit_once("; ").expect("model and way of cutting");
    manifest["fingerprint"] = Value::from(format!("{model}; chunks 0"));
    fs::write(&path, manifest.to_string()).expect("the sandbox is writable");
    fs::remove_file(path.with_extension("blake3")).expect("it is there");
    let found = home.json(&["resources", "--kind", "book"], 0);
    assert_eq!(titles(&found), ["The Loom Book", "Indigo", "Threads"]);
    let updated = home.json(&["index"], 0);
    assert_eq!((&updated["changed"], &updated["embedded"]), (&Value::from(0), &Value::from(0)));
    let status: Value = serde_json::from_str(&home.ok(&["status", "--json"]).stdout).expect("valid JSON");
    assert_eq!(status["current"]["fingerprint"], fingerprint.as_str());
}

#[test]
fn reading_shows_what_is_understood() {
    let home = home();
    home.write("loose/odd.md", "# Odd\n\ncaf\u{c3}\u{a9} \u{c3}\u{bc}ber\n\n## Books\n- *Loose* by Ann Ax\n");
    let text = home.ok(&["read", "loose/odd.md"]).stdout;
    for part in ["title    Odd", "     5    Books", "tokens", "book", "Loose, Ann Ax", "mojibake"] {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
    let read = home.json(&["read", "guides/weaver.md"], 0);
    assert_eq!(read["metadata"]["roles"][0], "Weaver");
    assert_eq!(read["outline"][0]["heading"], "Weaver");
    assert_eq!(read["roles"][0]["name"], "Weaver");
    for passage in read["passages"].as_array().expect("passages") {
        let tokens = passage["tokens"].as_u64().expect("a number");
        assert!(0 < tokens && tokens <= read["max_tokens"].as_u64().expect("a number"), "{passage}");
    }
    // A guide goes by its citation as well, from any folder.
    let mut elsewhere = home.command(&["read", "guides/dyer.md"]);
    let run = crate::sandbox::Run::of(elsewhere.current_dir(home.path("loose")));
    assert!(run.stdout.contains("Color Theory"), "{}", run.stderr);
    home.write("loose/empty.md", "");
    home.run(&["read", "loose/empty.md"]).says(1, &["holds no text"]);
}

/// The lines of a citation.
fn get(home: &Sandbox, place: &Value) -> String {
    let citation =
        format!("{}:{}-{}", place["path"].as_str().expect("a path"), place["first_line"], place["last_line"]);
    home.ok(&["get", &citation]).stdout
}

#[test]
fn a_role_that_may_be_several_is_said() {
    let home = Sandbox::new();
    for role in ["Silk Engineer", "Wool Engineer", "Cotton Analyst"] {
        let guide = format!("# {role}\n\n## Skills\n\n- Spinning\n");
        home.write(&format!("guides/{}.md", role.replace(' ', "-")), guide);
    }
    home.ok(&["index", "guides"]);
    let run = home.run(&["compare", "engineer", "cotton analyst"]);
    run.says(0, &["`engineer` is taken for Silk Engineer; it may also be Wool Engineer"]);
    let exact = home.run(&["compare", "wool engineer", "cotton analyst"]);
    assert_eq!((exact.code, exact.stderr.as_str()), (0, ""));
}
