//! `verify` and `repair`: an index with any file changed, cut short or gone.

use std::fs;
use std::path::{Path, PathBuf};

use crate::sandbox::{Run, Sandbox};

const QUESTIONS: [&str; 3] = ["looms and shuttles", "what does a dyer do", "SRE"];

fn home() -> Sandbox {
    let home = Sandbox::new();
    home.write(
        "guides/weaver.md",
        "# Weaver\n\n## The job\n\nA weaver works at looms with shuttles.\n\n## Roadmap\n\nWarp first, then weft.\n\n\
         - *The Book of Looms* by Eric Broudy: history.\n",
    );
    home.write("guides/dyer.md", "# Dyer\n\n## The job\n\nA dyer boils madder, weld and woad.\n");
    home.write("guides/sre.md", "# Site reliability\n\nSite Reliability Engineering (SRE) carries pagers.\n");
    home
}

/// Every file of the index but the lock, by its path below it.
fn files(home: &Sandbox) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("it is there").flatten() {
            let path = entry.path();
            match path.is_dir() {
                true => walk(&path, found),
                false if entry.file_name() != "LOCK" => found.push(path),
                false => {}
            }
        }
    }
    let mut found = Vec::new();
    walk(&home.path("index"), &mut found);
    found.sort();
    found
}

fn with_index(home: &Sandbox, args: &[&str]) -> Run {
    let index = home.path("index").to_string_lossy().into_owned();
    home.run(&[args, &["--index", &index]].concat())
}

fn answers(home: &Sandbox) -> Vec<String> {
    let ask = |question: &&str| with_index(home, &["search", question, "--min-confidence", "0"]).stdout;
    QUESTIONS.iter().map(ask).collect()
}

fn restore(saved: &[(PathBuf, Vec<u8>)], index: &Path) {
    let _ = fs::remove_dir_all(index);
    for (path, bytes) in saved {
        fs::create_dir_all(path.parent().expect("it is below the index")).expect("writable");
        fs::write(path, bytes).expect("writable");
    }
}

/// A sound index in the folder `index`, and the bytes of all its files.
fn saved() -> (Sandbox, Vec<(PathBuf, Vec<u8>)>) {
    let home = home();
    let index = home.path("index").to_string_lossy().into_owned();
    home.ok(&["index", "guides", "--index", &index]);
    let saved = files(&home).into_iter().map(|path| {
        let bytes = fs::read(&path).expect("it is there");
        (path, bytes)
    });
    let saved = saved.collect();
    (home, saved)
}

/// Damages every file in one way. `verify` has to name it, a search has to answer as before or name it, and `repair` has to
/// bring back every answer.
fn check(name: &str, damage: impl Fn(&Path, &[u8])) {
    let (home, saved) = saved();
    let expected = answers(&home);
    let sound = with_index(&home, &["verify"]);
    assert_eq!(sound.code, 0, "{}", sound.stdout);
    for (path, bytes) in &saved {
        restore(&saved, &home.path("index"));
        damage(path, bytes);
        let shown = format!("{name}: {}", path.display());
        for (question, expected) in QUESTIONS.iter().zip(&expected) {
            let run = with_index(&home, &["search", question, "--min-confidence", "0"]);
            let is_named = run.code == 2 && run.stderr.contains("guidepost repair");
            assert!(
                &run.stdout == expected || is_named,
                "{shown}: {} {} {}",
                run.code,
                run.stdout,
                run.stderr
            );
        }
        let verified = with_index(&home, &["verify", "--json"]);
        // Without `CURRENT` the newest generation is the one.
        if path.ends_with("CURRENT") && !path.exists() {
            assert_eq!(verified.code, 0, "{shown}: {}", verified.stderr);
            continue;
        }
        assert_eq!(verified.code, 2, "{shown}: {} {}", verified.stdout, verified.stderr);
        let file = path.file_name().expect("it has a name").to_string_lossy();
        let file = if file == "generation.blake3" { "generation." } else { &*file };
        assert!(verified.stdout.contains(file), "{shown}: {}", verified.stdout);
        let repaired = with_index(&home, &["repair"]);
        assert_eq!(repaired.code, 0, "{shown}: {} {}", repaired.stdout, repaired.stderr);
        assert_eq!(with_index(&home, &["verify"]).code, 0, "{shown}");
        assert_eq!(answers(&home), expected, "{shown}");
    }
}

#[test]
fn a_changed_byte_anywhere_is_found_and_mended() {
    check("a changed byte", |path, bytes| {
        let mut bytes = bytes.to_vec();
        let at = bytes.len() / 2;
        bytes[at] ^= 0x10;
        fs::write(path, bytes).expect("writable");
    });
}

#[test]
fn a_file_cut_short_anywhere_is_found_and_mended() {
    check("cut short", |path, bytes| fs::write(path, &bytes[..bytes.len() / 3]).expect("writable"));
}

#[test]
fn a_missing_file_anywhere_is_found_and_mended() {
    check("missing", |path, _| fs::remove_file(path).expect("it is there"));
}

#[test]
fn what_cannot_be_saved_is_named() {
    let (home, _) = saved();
    let chunks = files(&home).into_iter().find(|path| path.ends_with("chunks.jsonl")).expect("it is there");
    fs::write(chunks, "").expect("writable");
    fs::rename(home.path("guides"), home.path("elsewhere")).expect("it is there");
    let repaired = with_index(&home, &["repair"]);
    assert_eq!(repaired.code, 1, "{}", repaired.stderr);
    for guide in ["guides/dyer.md", "guides/sre.md", "guides/weaver.md"] {
        assert!(repaired.stdout.contains(&format!("lost: {guide}")), "{}", repaired.stdout);
    }
    // The folder is back, and so are its guides.
    fs::rename(home.path("elsewhere"), home.path("guides")).expect("it is there");
    let index = home.path("index").to_string_lossy().into_owned();
    home.ok(&["index", "--index", &index]);
    assert!(answers(&home)[1].contains("madder"));
}

#[test]
fn texts_of_a_folder_out_of_reach_are_saved_from_the_index() {
    let (home, _) = saved();
    let expected = answers(&home);
    let graph = files(&home).into_iter().find(|path| path.ends_with("keys")).expect("it is there");
    fs::write(graph, "").expect("writable");
    fs::rename(home.path("guides"), home.path("elsewhere")).expect("it is there");
    let repaired = with_index(&home, &["repair"]);
    assert_eq!(repaired.code, 0, "{} {}", repaired.stdout, repaired.stderr);
    assert!(repaired.stdout.contains("0 passages had to be embedded again"), "{}", repaired.stdout);
    fs::rename(home.path("elsewhere"), home.path("guides")).expect("it is there");
    assert_eq!(answers(&home), expected);
}
