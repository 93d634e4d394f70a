//! Whatever is wrong, the message names it and says what to do next, and no index is lost.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::sandbox::{Run, Sandbox, skipped};
use crate::tiny_model;

/// A home with an index that answers "apples".
fn with_index() -> Sandbox {
    let home = Sandbox::new();
    home.write("guides/a.md", "# A\n\nOn apples.\n");
    home.ok(&["index", "guides"]);
    home
}

#[track_caller]
fn still_answers(home: &Sandbox) {
    let run = home.ok(&["search", "apples", "-n", "1", "--mode", "bm25"]);
    assert!(run.stdout.contains("guides/a.md"), "{}", run.stdout);
}

#[test]
fn bad_arguments_are_named_and_no_index_is_lost() {
    let home = with_index();
    home.write("other/b.md", "# B\n");
    home.write("full/notes.doc", "not an index");
    for (args, code, parts) in [
        (&["index", "nowhere"][..], 2, &["no folder of guides at `nowhere`", "No such file"][..]),
        (&["ask", "x", "--guides", "nowhere", "--index", "fresh"], 2, &["no folder of guides at `nowhere`"]),
        (&["index", "guides/a.md"], 2, &["`guides/a.md` is a file", "the folder it is in"]),
        (&["ask", "x", "--guides", "other"], 2, &["does not hold `other`", "guidepost index other"]),
        (&["ask", ""], 2, &["the question is empty", "for example"]),
        (&["search", "?!"], 2, &["the question is empty"]),
        (&["search", "x", "--min-confidence", "2"], 2, &["a number from 0 to 1"]),
        (&["search", "x", "-n", "0"], 2, &["a whole number from 1 to 100"]),
        (&["search", "x", "--mode", "best"], 2, &["hybrid", "dense", "bm25"]),
        (&["search", "x", "--device", "tpu"], 2, &["`tpu` is no device"]),
        (&["search", "x", "--index", "full"], 2, &["holds other files and is no index", "--index"]),
        (&["search", "x", "--model", "gpt"], 2, &["no model is called `gpt`", "all-MiniLM-L6-v2"]),
        (&["search", "x", "--model", "./nowhere"], 2, &["./nowhere", "sentence-transformers' layout"]),
        (&["models", "pull", "gpt"], 2, &["no model is called `gpt`"]),
    ] {
        home.run(args).says(code, parts);
        still_answers(&home);
    }
    assert!(home.path("full/notes.doc").exists());
}

#[test]
fn a_question_of_100_000_words_is_refused() {
    let home = with_index();
    let run = Run::with_input(&mut home.command(&["ask", "-"]), &"word ".repeat(100_000));
    run.says(2, &["100000 words", "at most 1000"]);
    let run = Run::with_input(&mut home.command(&["search", "-"]), "apples\n");
    assert_eq!(run.code, 0, "{}", run.stderr);
}

#[test]
fn an_empty_folder_is_said() {
    let home = Sandbox::new();
    fs::create_dir(home.path("empty")).expect("writable");
    home.run(&["index", "empty"]).says(1, &["`empty` holds no guides", "Markdown"]);
    home.run(&["ask", "anything", "--guides", "empty", "--index", "other"])
        .says(1, &["`empty` holds no guides"]);
}

#[test]
fn what_cannot_be_read_is_a_warning_and_the_rest_goes_on() {
    let home = Sandbox::new();
    home.write("guides/a.md", "# A\n\nOn apples.\n");
    home.write("guides/program.md", b"\x7fELF\x00\x01\x02\x00binary");
    home.write("guides/page.pdf", "%PDF");
    home.write("guides/letter.docx", "PK\x03\x04 and no more");
    home.write("guides/archive.zip", "PK");
    home.write("guides/empty.md", "");
    home.write("guides/latin.txt", b"Caf\xe9s in M\xfcnchen are good, and the na\xefve say so.\n");
    let huge = fs::File::create(home.path("guides/line.md")).expect("writable");
    huge.set_len(50_000_000).expect("a sparse file of 50 MB");
    let odd = home.path("guides").join(std::ffi::OsStr::from_bytes(b"caf\xe9.md"));
    fs::write(odd, "# Odd\n\nText.\n").expect("this file system takes any bytes");
    let run = home.ok(&["index", "guides"]);
    for part in [
        "its name is not UTF-8",
        "`guides/program.md`: not text",
        "`guides/page.pdf`: it is no PDF, or damaged",
        "`guides/letter.docx`: it is damaged",
        "`guides/empty.md`: holds no text",
        "`guides/latin.txt`: read as windows-1252",
        "line.md` was left out: it has 50.0 MB",
    ] {
        assert!(run.stderr.contains(part), "no `{part}` in {}", run.stderr);
    }
    assert!(run.stdout.contains("1 .zip"), "{}", run.stdout);
    let found = home.json(&["search", "Cafés in München", "-n", "1"], 0);
    assert_eq!(found["results"][0]["path"], "guides/latin.txt");
    still_answers(&home);
}

#[test]
fn what_is_no_plain_file_is_left_out_and_nothing_waits_for_it() {
    let home = Sandbox::new();
    home.write("guides/a.md", "# A\n\nOn apples.\n");
    home.write("guides/deep/b.md", "# B\n\nOn bridges.\n");
    for (target, link) in
        [("..", "deep/loop"), ("self.md", "self.md"), ("a.md", "c.md"), ("gone.txt", "d.jpg")]
    {
        symlink(target, home.path("guides").join(link)).expect("links can be made");
    }
    let made = Command::new("mkfifo").arg(home.path("guides/pipe.md")).status();
    assert!(made.is_ok_and(|status| status.success()));
    let built = home.json(&["index", "guides"], 0);
    assert_eq!(built["guides"], 2, "{built}");
    let warnings = built["warnings"].to_string();
    for part in [
        "deep/loop` was left out: links are",
        "self.md` was",
        "c.md` was",
        "pipe.md` was left out: it is no plain",
    ] {
        assert!(warnings.contains(part), "no `{part}` in {warnings}");
    }
    assert!(!warnings.contains("d.jpg"), "{warnings}");
    still_answers(&home);
}

#[test]
fn one_long_line_is_cut_and_searched() {
    let home = Sandbox::new();
    home.write("guides/line.txt", "many words and no break ".repeat(20_000) + "until the heliotrope");
    let found = home.json(&["search", "heliotrope", "--guides", "guides", "--mode", "bm25"], 0);
    assert_eq!(found["results"][0]["first_line"], 1);
}

#[test]
fn an_index_of_another_model_is_refused_and_kept() {
    let home = with_index();
    tiny_model::write(&home.path("tiny"), 1);
    tiny_model::write(&home.path("other"), 2);
    let parts = &["was made with `hash", "not with `tiny", "guidepost index --rebuild"];
    home.run(&["search", "apples", "--model", "./tiny"]).says(2, parts);
    home.run(&["index", "--model", "./tiny"]).says(2, parts);
    still_answers(&home);
    home.ok(&["index", "--rebuild", "--model", "./tiny"]);
    home.ok(&["search", "apples", "--model", "./tiny"]);
    home.run(&["search", "apples", "--model", "./other"])
        .says(2, &["was made with `tiny", "not with `other"]);
}

#[test]
fn a_damaged_model_is_named_and_no_index_is_lost() {
    let home = with_index();
    let whole = home.path("tiny");
    for (file, keep) in
        [("model.safetensors", 100), ("model.safetensors", 0), ("tokenizer.json", 50), ("config.json", 5)]
    {
        tiny_model::write(&whole, 1);
        let path = whole.join(file);
        fs::write(&path, &fs::read(&path).expect("it is there")[..keep]).expect("writable");
        home.run(&["index", "--rebuild", "--model", "./tiny"]).says(2, &[file, "damaged"]);
        still_answers(&home);
    }
    fs::remove_file(whole.join("modules.json")).expect("it is there");
    tiny_model::write(&home.path("no-modules"), 1);
    fs::remove_file(home.path("no-modules/modules.json")).expect("it is there");
    home.run(&["index", "--rebuild", "--model", "./no-modules"]).says(2, &["modules.json"]);
    home.write("models/all-MiniLM-L6-v2/model.safetensors", "not the weights");
    let run = home.run(&["search", "apples", "--model", "all-MiniLM-L6-v2"]);
    run.says(2, &["model.safetensors", "SHA-256", "models pull"]);
    still_answers(&home);
}

/// What the disk refuses. Run as an ordinary user: root may write everywhere.
#[test]
fn a_disk_that_refuses_is_named_and_the_old_index_answers() {
    let home = with_index();
    home.write("guides/secret.md", "# Secret\n\nOn quinces.\n");
    home.write("later/b.md", "# B\n\nOn berries.\n");
    let set = |name: &str, mode: u32| {
        fs::set_permissions(home.path(name), fs::Permissions::from_mode(mode)).expect("it is ours");
    };
    set("", 0o755);
    set("guides/secret.md", 0o000);
    let as_user = |args: &[&str]| {
        let mut command = home.command(args);
        if fs::read(home.path("guides/secret.md")).is_ok() {
            command.uid(65534).gid(65534);
        }
        command
    };
    if as_user(&["--version"]).output().is_err() {
        return skipped("a_disk_that_refuses", "the binary cannot be run as another user");
    }
    for part in [".local", ".local/share", ".local/share/guidepost", ".local/share/guidepost/index"] {
        set(part, 0o555);
    }
    let run = Run::of(&mut as_user(&["search", "apples", "-n", "1"]));
    run.says(0, &["answering from the index as it was", "Permission denied"]);
    assert!(run.stdout.contains("guides/a.md"), "{}", run.stdout);
    let run = Run::of(&mut as_user(&["index", "later"]));
    run.says(2, &["cannot write", "choose a place that can be written with --index"]);
    let run = Run::of(&mut as_user(&["search", "x", "--index", "nowhere/index", "--guides", "later"]));
    run.says(2, &["cannot write `nowhere/index`", "--index"]);
    for part in [".local/share/guidepost/index", ".local/share/guidepost", ".local/share", ".local"] {
        set(part, 0o755);
    }
    // An unreadable guide is a warning once the index can be written.
    let open = home.path("open");
    fs::create_dir(&open).expect("writable");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).expect("it is ours");
    let run = Run::of(&mut as_user(&["index", "guides", "--index", "open/index"]));
    run.says(0, &["`guides/secret.md`: cannot be read"]);
    let again = Run::of(&mut as_user(&["index", "--index", "open/index"]));
    assert!(again.stdout.contains("up to date"), "{}", again.stdout);
    still_answers(&home);
}
