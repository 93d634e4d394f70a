//! The content hash: what `status` says that the index says.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::sandbox::Sandbox;
use crate::tiny_model;

const FOLDERS: [&str; 2] = ["crafts", "trades"];
const GUIDES: usize = 3;

/// Makes an index in a home.
type Make = fn(&Sandbox);

/// A guide of sections of all lengths, so that few of them go through the model in the same company twice.
fn guide(number: usize) -> String {
    let section = |at: usize| {
        let words = "warp weft loom and shuttle ".repeat(1 + (number * 5 + at * 3) % 9);
        format!("## Part {at}\n\nOf guide {number}, part {at}: {words}.\n\n")
    };
    let sections: String = (0..15).map(section).collect();
    format!("---\ntags: [cloth]\n---\n# Guide {number}\n\n{sections}")
}

/// The guides of both folders, by their paths.
fn guides() -> Vec<(String, String)> {
    let path = |number: usize| format!("{}/{number}.md", FOLDERS[number % 2]);
    (0..2 * GUIDES).map(|number| (path(number), guide(number))).collect()
}

/// A home with a model that takes the same way over the processor as a real one, and with all guides.
fn home() -> Sandbox {
    let home = Sandbox::new();
    tiny_model::write(&home.path("tiny"), 5);
    tiny_model::write(&home.path("other"), 6);
    guides().iter().for_each(|(path, text)| drop(home.write(path, text)));
    home
}

fn index(home: &Sandbox, args: &[&str]) {
    home.ok(&[&["index", "--model", "./tiny"], args].concat());
}

fn content(home: &Sandbox) -> String {
    let status = home.json(&["status"], 0);
    let hash = status["current"]["content"].as_str().expect("every guide has a digest").to_owned();
    assert_eq!(hash.len(), 64);
    let text = home.ok(&["status"]).stdout;
    assert!(text.contains(&format!("content      {hash}")), "{text}");
    assert_eq!(home.run(&["verify"]).code, 0);
    hash
}

fn guide_by_guide(home: &Sandbox) {
    guides().iter().for_each(|(path, _)| fs::remove_file(home.path(path)).expect("it is there"));
    for (at, (path, text)) in guides().iter().enumerate() {
        home.write(path, text);
        index(home, &[&FOLDERS[..], &["--threads", if at % 2 == 0 { "2" } else { "1" }]].concat());
    }
}

fn there_and_back(home: &Sandbox) {
    index(home, &FOLDERS);
    fs::rename(home.path("crafts/0.md"), home.path("crafts/moved.md")).expect("it is there");
    home.write("trades/1.md", "# Short\n\nNothing is left.\n");
    home.write("trades/new.md", guide(9));
    index(home, &[]);
    fs::rename(home.path("crafts/moved.md"), home.path("crafts/0.md")).expect("it is there");
    fs::remove_file(home.path("trades/new.md")).expect("it is there");
    home.write("trades/1.md", guide(1));
    index(home, &[]);
}

fn repaired(home: &Sandbox) {
    index(home, &FOLDERS);
    let vectors = home.path(".local/share/guidepost/index/segment-000001/vectors");
    fs::write(vectors, "gone").expect("it is there");
    home.ok(&["repair", "--model", "./tiny"]);
}

fn without_tokens_for_a_while(home: &Sandbox) {
    index(home, &[&FOLDERS[..], &["--late-interaction", "off"]].concat());
    index(home, &["--late-interaction", "on"]);
}

#[test]
fn it_is_the_same_however_the_index_came_to_be() {
    let ways: [(&str, Make); 8] = [
        ("at once", |home| index(home, &FOLDERS)),
        ("by one thread", |home| index(home, &["crafts", "trades", "--threads", "1"])),
        ("the folders the other way round", |home| index(home, &["trades", "crafts"])),
        ("made again", |home| {
            index(home, &FOLDERS);
            index(home, &["--rebuild"]);
        }),
        ("guide by guide", guide_by_guide),
        ("there and back", there_and_back),
        ("repaired", repaired),
        ("without tokens for a while", without_tokens_for_a_while),
    ];
    let hashes: BTreeMap<&str, String> = ways
        .into_iter()
        .map(|(way, make)| {
            let home = home();
            make(&home);
            (way, content(&home))
        })
        .collect();
    for (way, hash) in &hashes {
        assert_eq!(hash, &hashes["at once"], "{way}");
    }
}

#[test]
fn it_is_another_where_the_index_says_anything_else() {
    let first = guides()[0].1.clone();
    let rewrite = |from: &str, to: &str| {
        let text = first.replacen(from, to, 1);
        assert_ne!(text, first);
        let home = home();
        home.write("crafts/0.md", text);
        index(&home, &FOLDERS);
        content(&home)
    };
    let remade = |change: Make| {
        let home = home();
        change(&home);
        content(&home)
    };
    let hashes = [
        ("as it was", remade(|home| index(home, &FOLDERS))),
        ("a word of the text", rewrite("shuttle", "spindle")),
        ("a heading", rewrite("## Part 3", "## Chapter 3")),
        ("a tag", rewrite("cloth", "wool")),
        ("the same words a line further down", rewrite("## Part 3", "\n## Part 3")),
        (
            "a guide has moved",
            remade(|home| {
                fs::rename(home.path("crafts/0.md"), home.path("trades/0.md")).expect("it is there");
                index(home, &FOLDERS);
            }),
        ),
        (
            "a folder is gone",
            remade(|home| {
                index(home, &FOLDERS);
                index(home, &["--remove", "trades"]);
            }),
        ),
        (
            "a folder has another name",
            remade(|home| {
                fs::rename(home.path("crafts"), home.path("arts")).expect("it is there");
                index(home, &["arts", "trades"]);
            }),
        ),
        (
            "without token codes",
            remade(|home| index(home, &["crafts", "trades", "--late-interaction", "off"])),
        ),
        ("another model", remade(|home| drop(home.ok(&["index", "crafts", "trades", "--model", "./other"])))),
    ];
    for (at, (name, hash)) in hashes.iter().enumerate() {
        for (other, same) in &hashes[..at] {
            assert_ne!(hash, same, "{name} and {other}");
        }
    }
}

/// Lets somebody change the record of the generation, and its digest with it.
fn rewrite_record(home: &Sandbox, change: impl Fn(&mut Vec<Value>)) {
    let folder = home.path(".local/share/guidepost/index/generation-000001");
    let record = fs::read_to_string(folder.join("generation.json")).expect("it is there");
    let mut record: Value = serde_json::from_str(&record).expect("it is JSON");
    change(record["documents"].as_array_mut().expect("a list"));
    let bytes = serde_json::to_vec(&record).expect("it is JSON");
    fs::write(folder.join("generation.blake3"), blake3::hash(&bytes).to_hex().as_str()).expect("writable");
    fs::write(folder.join("generation.json"), bytes).expect("writable");
}

/// A digest that is not that of the passages is damage, although every file is what was written.
#[test]
fn verify_holds_it_against_the_passages() {
    let home = home();
    index(&home, &FOLDERS);
    rewrite_record(&home, |documents| {
        documents[0]["content"] = documents[1]["content"].clone();
    });
    let verified = home.run(&["verify"]);
    assert_eq!(verified.code, 2, "{}", verified.stdout);
    assert!(verified.stdout.contains("has not the digest of its record"), "{}", verified.stdout);
}

#[test]
fn an_index_without_digests_says_so() {
    let home = home();
    index(&home, &FOLDERS);
    rewrite_record(&home, |documents| {
        for document in documents {
            document.as_object_mut().expect("an object").remove("content");
        }
    });
    assert_eq!(home.json(&["status"], 0)["current"]["content"], Value::Null);
    let status = home.ok(&["status"]).stdout;
    assert!(status.contains("content      not known"), "{status}");
    assert_eq!(home.run(&["verify"]).code, 0);
    index(&home, &["--rebuild"]);
    content(&home);
}
