//! Readers and writers at once, and indexes that are moved and copied: each answer is that of one generation, whole.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::Value;

use crate::sandbox::{Run, Sandbox};

const UPDATES: usize = 100;
const PARTS: usize = 6;
const INDEX: &str = ".local/share/guidepost/index";

/// Replaces guides in one step each. The parts of one guide carry the number of the update: a file is all that changes on disk at
/// once, so parts of several updates in one answer can only come from several generations. The guide before it has more or
/// fewer passages each time, so that the same passage has another number in every generation.
fn write_update(home: &Sandbox, number: usize) {
    fs::create_dir_all(home.path("guides")).expect("writable");
    let replace = |name: &str, text: String| {
        home.write("new.md", text);
        fs::rename(home.path("new.md"), home.path(name)).expect("both are in the sandbox");
    };
    let filler = |at: usize| format!("## Field {at}\n\n{}\n\n", "furrow and ridge ".repeat(30));
    replace("guides/a.md", format!("# Fields\n\n{}", (0..1 + number % 4).map(filler).collect::<String>()));
    let part = |part: usize| {
        format!("## Harvest {part}\n\nHarvest part{part} round{number}. {}\n\n", "barn ".repeat(60))
    };
    replace("guides/b.md", format!("# Harvests\n\n{}", (0..PARTS).map(part).collect::<String>()));
}

/// The updates that the passages of one answer are of, one for each passage.
fn rounds(home: &Sandbox) -> Vec<usize> {
    let run =
        home.ok(&["search", "harvest", "--mode", "bm25", "-n", "20", "--min-confidence", "0", "--json"]);
    let value: Value = serde_json::from_str(&run.stdout).expect("valid JSON");
    let results = value["results"].as_array().expect("results");
    let round = |hit: &Value| {
        let text = hit["text"].as_str().expect("a text");
        let number = text.split_once("round").and_then(|(_, rest)| rest.split_once('.'));
        number.and_then(|(number, _)| number.parse().ok())
    };
    results.iter().filter_map(round).collect()
}

/// Names of what lies in a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("it is there").flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Expects nothing in an index but what its generation names.
#[track_caller]
fn check_nothing_is_left(home: &Sandbox) {
    let index = home.path(INDEX);
    let generation = fs::read_to_string(index.join("CURRENT")).expect("it is there").trim().to_owned();
    let record = fs::read(index.join(&generation).join("generation.json")).expect("it is there");
    let record: Value = serde_json::from_slice(&record).expect("valid JSON");
    let segments = record["segments"].as_array().expect("a list").iter();
    let mut expected: Vec<String> =
        segments.map(|segment| segment["name"].as_str().expect("a name").to_owned()).collect();
    expected.extend(["CURRENT".to_owned(), "LOCK".to_owned(), generation]);
    expected.sort();
    assert_eq!(names(&index), expected);
}

#[test]
fn answers_during_a_hundred_updates_are_each_of_one_generation() {
    let home = Sandbox::new();
    write_update(&home, 0);
    home.ok(&["index", "guides"]);
    let (finished, is_over, asked) = (AtomicUsize::new(0), AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !is_over.load(Ordering::SeqCst) {
                    let before = finished.load(Ordering::SeqCst);
                    let rounds = rounds(&home);
                    assert_eq!(rounds.len(), PARTS, "{rounds:?}");
                    assert!(rounds.iter().all(|round| *round == rounds[0]), "{rounds:?}");
                    assert!(rounds[0] >= before, "of update {}, after {before}", rounds[0]);
                    asked.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let over = SetWhenDropped(&is_over);
        for number in 1..=UPDATES {
            write_update(&home, number);
            home.ok(&["index"]);
            finished.store(number, Ordering::SeqCst);
        }
        drop(over);
    });
    assert!(asked.into_inner() >= UPDATES / 2, "too few answers to say anything");
    assert_eq!(rounds(&home), [UPDATES; PARTS]);
    check_nothing_is_left(&home);
    assert_eq!(home.ok(&["verify"]).code, 0);
}

/// Ends the readers also where the writer panics.
struct SetWhenDropped<'a>(&'a AtomicBool);

impl Drop for SetWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn ten_searches_and_two_writers_at_once_all_succeed() {
    let home = Sandbox::new();
    write_update(&home, 0);
    for folder in ["north", "south"] {
        home.write(&format!("{folder}/guide.md"), format!("# {folder}\n\nSheep of the {folder}.\n"));
    }
    home.ok(&["index", "guides"]);
    std::thread::scope(|scope| {
        for folder in ["north", "south"] {
            let home = &home;
            scope.spawn(move || home.ok(&["index", folder]));
        }
        for _ in 0..10 {
            scope.spawn(|| {
                for _ in 0..4 {
                    assert_eq!(rounds(&home), [0; PARTS]);
                }
            });
        }
    });
    let found = home.json(&["search", "sheep", "--mode", "bm25", "--min-confidence", "0"], 0);
    let paths: Vec<&str> =
        found["results"].as_array().expect("results").iter().filter_map(|hit| hit["path"].as_str()).collect();
    assert!(paths.contains(&"north/guide.md") && paths.contains(&"south/guide.md"), "{paths:?}");
    assert_eq!(home.ok(&["verify"]).code, 0);
    check_nothing_is_left(&home);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("writable");
    for name in names(from) {
        match from.join(&name).is_dir() {
            true => copy(&from.join(&name), &to.join(&name)),
            false => drop(fs::copy(from.join(&name), to.join(&name)).expect("writable")),
        }
    }
}

/// Every file below a folder with its bytes, but the lock.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let of = |name: String| {
        let path = folder.join(&name);
        match path.is_dir() {
            true => {
                contents(&path).into_iter().map(|(file, bytes)| (format!("{name}/{file}"), bytes)).collect()
            }
            false => vec![(name, fs::read(&path).expect("it is there"))],
        }
    };
    names(folder).into_iter().filter(|name| name != "LOCK").flat_map(of).collect()
}

fn search(home: &Sandbox, index: &str, question: &str) -> Run {
    home.ok(&["search", question, "--index", index, "--min-confidence", "0"])
}

#[test]
fn an_index_can_be_moved_and_copied() {
    let home = Sandbox::new();
    write_update(&home, 7);
    home.ok(&["index", "guides", "--index", "first"]);
    let expected = search(&home, "first", "harvest").stdout;
    fs::create_dir(home.path("far")).expect("writable");
    fs::rename(home.path("first"), home.path("far/moved")).expect("it is there");
    copy(&home.path("far/moved"), &home.path("copied"));
    for index in ["far/moved", "copied"] {
        assert_eq!(search(&home, index, "harvest").stdout, expected, "{index}");
        assert_eq!(home.ok(&["verify", "--index", index]).code, 0, "{index}");
    }
    // Each goes its own way.
    let before = contents(&home.path("far/moved"));
    write_update(&home, 8);
    home.ok(&["index", "--index", "copied"]);
    assert!(search(&home, "copied", "harvest").stdout.contains("round8"));
    assert_eq!(contents(&home.path("far/moved")), before);
    assert!(search(&home, "far/moved", "harvest").stdout.contains("round8"), "it takes the change up itself");
    assert_eq!(search(&home, "far/moved", "harvest").stdout, search(&home, "copied", "harvest").stdout);
    for index in ["far/moved", "copied"] {
        assert_eq!(home.ok(&["verify", "--index", index]).code, 0, "{index}");
    }
}

#[test]
fn guides_that_were_moved_away_are_still_found_and_said_to_be_gone() {
    let home = Sandbox::new();
    write_update(&home, 3);
    home.ok(&["index", "guides"]);
    let ask = || home.ok(&["search", "harvest", "--min-confidence", "0"]);
    let expected = ask();
    fs::rename(home.path("guides"), home.path("elsewhere")).expect("it is there");
    for _ in 0..2 {
        let run = ask();
        assert_eq!(run.stdout, expected.stdout);
        assert!(run.stderr.contains("stay as they were last read"), "{}", run.stderr);
    }
    // An update that has something else to do loses nothing, either.
    home.write("more/felter.md", "# Felter\n\nA felter felts.\n");
    home.ok(&["index", "more"]);
    assert_eq!(rounds(&home), [3; PARTS]);
    // What was changed while it was away is taken up when it is back.
    fs::rename(home.path("elsewhere"), home.path("guides")).expect("it is there");
    assert_eq!(rounds(&home), [3; PARTS]);
    write_update(&home, 4);
    assert_eq!(rounds(&home), [4; PARTS]);
    assert_eq!(home.ok(&["verify"]).code, 0);
}
