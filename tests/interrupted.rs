//! Indexing that is interrupted: what was embedded is embedded once, whatever happened.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::background::Background;
use crate::sandbox::Sandbox;
use crate::tiny_model;

const JOURNAL: &str = ".local/share/guidepost/index/unfinished.embeddings";
const GUIDES: usize = 15;
const SECTIONS: usize = 100;
const INDEX: [&str; 6] = ["index", "guides", "--model", "./slow", "--threads", "1"];

/// Many passages, and a model that takes its time.
fn many_guides() -> Sandbox {
    let home = Sandbox::new();
    tiny_model::write_slow(&home.path("slow"), 3);
    for guide in 0..GUIDES {
        let section = |at| format!("## {guide} x {at}\n\n{}\n\n", sentence(guide * SECTIONS + at));
        let text: String = (0..SECTIONS).map(section).collect();
        home.write(&format!("guides/{guide}.md"), format!("# G\n\n{text}"));
    }
    home
}

/// Thirty letters that no other number has.
fn sentence(number: usize) -> String {
    let letter = |at: u32| char::from(b'a' + (number * 7919 / 26usize.pow(at % 4) + at as usize) as u8 % 26);
    (0..6).map(|word| (0..5).map(|at| letter(word * 5 + at)).collect::<String>() + " ").collect()
}

/// Starts indexing and lets `end` end it as soon as the journal holds something. A run that was faster than the test
/// is done over, with the index removed.
fn interrupted(home: &Sandbox, args: &[&str], end: impl Fn(Background) -> i32, expected: i32) -> String {
    for _ in 0..5 {
        let mut run = Background::start(home, args);
        let journal = home.path(JOURNAL);
        run.until("the journal has grown", || fs::metadata(&journal).is_ok_and(|file| file.len() > 10_000));
        let code = end(run);
        let said = fs::read_to_string(home.path("background.err")).expect("it was written");
        if code == expected {
            return said;
        }
        assert_eq!(code, 0, "{said}");
        fs::remove_dir_all(home.path(".local/share/guidepost/index")).expect("it is there");
    }
    panic!("indexing was too fast to be interrupted, five times");
}

fn killed(home: &Sandbox) {
    let end = |run: Background| {
        run.send("KILL");
        run.end().code
    };
    interrupted(home, &INDEX, end, -9);
}

/// Every answer that can tell two indexes apart.
fn answers(home: &Sandbox) -> Vec<Value> {
    let ask = |mode: &str, query: &str| {
        let args = ["search", query, "--mode", mode, "-n", "20", "--model", "./slow", "--explain"];
        let mut found = home.json(&args, 0);
        for key in ["took_ms", "index"] {
            found.as_object_mut().expect("an object").remove(key);
        }
        found
    };
    let queries = (0..4).map(|at| sentence(at * 700));
    queries.flat_map(|query| ["dense", "bm25", "hybrid"].map(|mode| ask(mode, &query))).collect()
}

/// Finishes what was interrupted, and expects an index like one that was built at once.
#[track_caller]
fn finishes(home: &Sandbox, resumes: impl Fn(u64) -> bool) -> u64 {
    let update = home.json(&INDEX, 0);
    let number = |key: &str| update[key].as_u64().expect("a number");
    assert_eq!(number("embedded") + number("resumed"), number("passages"), "{update}");
    assert!(resumes(number("resumed")), "{update}");
    assert!(!home.path(JOURNAL).exists(), "the journal outlived the commit");
    let resumed = answers(home);
    home.json(&["index", "--rebuild", "--model", "./slow"], 0);
    assert_eq!(resumed, answers(home));
    number("resumed")
}

#[test]
fn what_was_embedded_before_a_kill_is_not_embedded_again() {
    let home = many_guides();
    killed(&home);
    finishes(&home, |resumed| resumed > 0);
}

#[test]
fn ctrl_c_keeps_what_is_finished_and_says_so() {
    let home = many_guides();
    let end = |run: Background| {
        run.send("INT");
        run.end().code
    };
    let said = interrupted(&home, &INDEX, end, 130);
    assert!(said.contains("press Ctrl-C again"), "{said}");
    let (before, _) = said
        .split_once(" embedded passages kept; the next `guidepost index guides` goes on from there")
        .unwrap_or_else(|| panic!("{said}"));
    let kept: u64 = before.rsplit(' ').next().and_then(|word| word.parse().ok()).expect("a number");
    assert_eq!(home.json(&["status"], 1)["current"], Value::Null, "no index was committed");
    finishes(&home, |resumed| resumed == kept && kept > 0);
}

#[test]
fn being_asked_to_end_is_the_same() {
    let home = many_guides();
    let end = |run: Background| {
        run.send("TERM");
        run.end().code
    };
    let said = interrupted(&home, &INDEX, end, 130);
    assert!(said.contains("goes on from there"), "{said}");
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let home = many_guides();
    let end = |mut run: Background| {
        run.send("INT");
        run.until_said("press Ctrl-C again", 1);
        run.send("INT");
        run.end().code
    };
    interrupted(&home, &INDEX, end, 130);
    finishes(&home, |resumed| resumed > 0);
}

#[test]
fn a_damaged_journal_gives_what_is_sound_of_it() {
    let home = many_guides();
    killed(&home);
    let journal: PathBuf = home.path(JOURNAL);
    let whole = fs::read(&journal).expect("it is there");
    let torn = &whole[..whole.len() * 2 / 3];
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 16;
    for (damaged, most) in [(torn, whole.len() * 2 / 3), (&flipped, whole.len() / 2)] {
        fs::remove_dir_all(home.path(".local/share/guidepost/index")).expect("it is there");
        home.write(JOURNAL, damaged);
        let resumed = finishes(&home, |resumed| resumed > 0);
        // A record has at least its prefix, its key, eight components and a flag.
        assert!(resumed as usize * (12 + 4 + 64 + 32 + 1) <= most, "{resumed} of {most} bytes");
    }
}

#[test]
fn a_journal_of_another_model_is_of_no_use() {
    let home = many_guides();
    killed(&home);
    tiny_model::write(&home.path("other"), 4);
    let update = home.json(&["index", "guides", "--model", "./other"], 0);
    assert_eq!((&update["resumed"], &update["embedded"]), (&0.into(), &update["passages"]));
    assert!(!home.path(JOURNAL).exists());
}

#[test]
fn what_another_folder_is_still_to_have_outlives_a_commit() {
    let home = many_guides();
    killed(&home);
    let journal = fs::read(home.path(JOURNAL)).expect("it is there");
    home.write("small/one.md", "# One\n\nAbout apples.\n");
    let update = home.json(&["index", "small", "--model", "./slow"], 0);
    assert_eq!((&update["resumed"], &update["embedded"]), (&0.into(), &1.into()));
    let left = fs::read(home.path(JOURNAL)).expect("it was left");
    // A record that was being written when the process was killed is cut off.
    assert!(journal.starts_with(&left) && left.len() > journal.len() / 2);
    let update = home.json(&INDEX, 0);
    assert!(update["resumed"].as_u64() > Some(0), "{update}");
    assert!(!home.path(JOURNAL).exists());
}
