//! `pack` and `unpack`: an index in one file, and out of it on another machine.

use std::fs;
use std::io::Read;

use serde_json::Value;
use tar::EntryType;

use crate::sandbox::{Run, Sandbox};

const QUESTIONS: [&str; 4] = ["looms and shuttles", "what does a dyer do", "SRE", "who boils madder"];
const INDEX: &str = ".local/share/guidepost/index";

/// A home with an index of three guides.
fn home() -> Sandbox {
    let home = Sandbox::new();
    home.write("guides/weaver.md", "# Weaver\n\n## The job\n\nA weaver works at looms with shuttles.\n");
    home.write("guides/dyer.md", "# Dyer\n\n## The job\n\nA dyer boils madder, weld and woad.\n");
    home.write("guides/sre.md", "# Site reliability\n\nSite Reliability Engineering (SRE) carries pagers.\n");
    home.ok(&["index", "guides"]);
    home
}

/// The same with so many passages that an update left a segment as it was, but for a guide that it has lost, beside another.
fn large_home() -> Sandbox {
    let home = home();
    let section = |at: usize| {
        format!("## Loom {at}\n\nLoom {at} and its shuttles. {}\n\n", "wove ".repeat(60 + at % 20))
    };
    home.write("guides/looms.md", format!("# Looms\n\n{}", (0..2500).map(section).collect::<String>()));
    home.ok(&["index"]);
    home.write("guides/dyer.md", "# Dyer\n\n## The job\n\nA dyer boils madder and alum.\n");
    home.ok(&["index"]);
    let segments = fs::read_dir(home.path(INDEX)).expect("it is there").flatten();
    let segments = segments.filter(|entry| entry.file_name().to_string_lossy().starts_with("segment-"));
    assert_eq!(segments.count(), 2);
    home
}

/// What an index answers, and what it says of itself.
fn answers(home: &Sandbox) -> Vec<String> {
    let ask = |question: &&str| home.ok(&["search", question, "--min-confidence", "0", "--explain"]).stdout;
    QUESTIONS.iter().map(ask).collect()
}

fn pack(home: &Sandbox) -> Vec<u8> {
    home.ok(&["pack", "all.pack", "--force"]);
    fs::read(home.path("all.pack")).expect("it was written")
}

/// Unpacks into a home where nothing is.
fn unpacked(bytes: &[u8]) -> (Sandbox, Run) {
    let home = Sandbox::new();
    home.write("all.pack", bytes);
    let run = home.run(&["unpack", "all.pack"]);
    (home, run)
}

/// Expects that a pack is refused, for a reason, and that nothing of it is left.
#[track_caller]
fn check_refused(bytes: &[u8], parts: &[&str]) {
    let (home, run) = unpacked(bytes);
    run.says(2, parts);
    run.says(2, &["all.pack"]);
    assert!(!home.path(INDEX).exists(), "{}", run.stderr);
    assert_eq!(
        fs::read_dir(home.path("")).expect("it is there").flatten().filter(|e| e.path().is_file()).count(),
        1
    );
}

#[test]
fn a_packed_index_answers_the_same_elsewhere() {
    let home = large_home();
    let tuned = br#"{"version": 1, "model": "none", "late_interaction": true, "questions": 9,
        "weights": {"start": 0.5, "coverage": 0.0, "margin": 0.0, "late": 0.2}}"#;
    home.write(&format!("{INDEX}/tuned.json"), tuned);
    let packed = home.json(&["pack", "all.pack"], 0);
    let bytes = fs::read(home.path("all.pack")).expect("it was written");
    assert_eq!(packed["bytes"], bytes.len());
    assert_eq!(packed["guides"], 4);

    let (there, run) = unpacked(&bytes);
    assert_eq!(run.code, 0, "{}", run.stderr);
    // Packed again, the pack is the same.
    assert_eq!(pack(&there), bytes);
    let expected = answers(&home);
    assert!(expected[3].contains("madder") && expected[0].contains("guides/weaver.md"), "{expected:?}");
    assert_eq!(answers(&there), expected);
    let folder = home.path("guides").canonicalize().expect("it is there");
    for part in [
        "guides       4\n",
        &format!("content      {}\n", packed["content"].as_str().expect("a hash")),
        &format!("folder       guides: {}\n", folder.display()),
        "on disk      up to date\n",
    ] {
        assert!(run.stdout.contains(part), "no `{part}` in {}", run.stdout);
    }
    assert_eq!(there.ok(&["verify"]).code, 0);
    assert_eq!(fs::read(there.path(&format!("{INDEX}/tuned.json"))).expect("it came along"), tuned);
    let status = there.json(&["status"], 0);
    assert_eq!(status["current"]["content"], packed["content"]);

    // Where the guides are not, the answers are the same to the byte, and the index can be built on.
    drop(home);
    let (alone, run) = unpacked(&bytes);
    assert!(
        run.stdout.contains("which is not on this machine; its guides answer all the same"),
        "{}",
        run.stdout
    );
    let searched = alone.ok(&["search", QUESTIONS[0], "--min-confidence", "0", "--explain"]);
    assert_eq!(searched.stdout, expected[0]);
    assert!(searched.stderr.contains("stay as they were last read"), "{}", searched.stderr);
    alone.write("more/felter.md", "# Felter\n\nA felter felts.\n");
    alone.ok(&["index", "more"]);
    assert!(alone.ok(&["search", "who felts"]).stdout.contains("more/felter.md"));
    assert_eq!(alone.ok(&["verify"]).code, 0);
}

#[test]
fn a_changed_byte_anywhere_is_refused() {
    let bytes = pack(&home());
    let at_the_end = (bytes.len() - 2048..bytes.len()).step_by(111);
    for at in (0..bytes.len()).step_by(bytes.len() / 60).chain(at_the_end) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        let (home, run) = unpacked(&changed);
        assert_eq!(run.code, 2, "byte {at}: {}", run.stdout);
        assert!(run.stderr.contains("all.pack` is"), "byte {at}: {}", run.stderr);
        assert!(!home.path(INDEX).exists(), "byte {at}");
    }
}

#[test]
fn a_pack_cut_short_or_with_something_behind_it_is_refused() {
    let bytes = pack(&home());
    for length in [0, 100, 511] {
        check_refused(&bytes[..length], &["is no pack of an index", "guidepost pack FILE"]);
    }
    for length in [1024, 5000, bytes.len() / 2, bytes.len() - 2048, bytes.len() - 1024, bytes.len() - 1] {
        check_refused(&bytes[..length], &["is damaged", "cut short", "guidepost pack"]);
    }
    check_refused(&[&bytes[..], b"\0"].concat(), &["is damaged"]);
}

/// An entry of a pack: its name, its type, its contents.
type Member = (String, EntryType, Vec<u8>);

fn members(bytes: &[u8]) -> Vec<Member> {
    let mut archive = tar::Archive::new(bytes);
    let read = |entry: std::io::Result<tar::Entry<&[u8]>>| {
        let mut entry = entry.expect("it is sound");
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let mut contents = Vec::new();
        entry.read_to_end(&mut contents).expect("it is sound");
        (name, entry.header().entry_type(), contents)
    };
    let mut members: Vec<Member> = archive.entries().expect("it is sound").map(read).collect();
    assert_eq!(members.pop().expect("there are some").0, "guidepost-pack.blake3");
    members
}

/// A pack of anything, with the digest at its end that belongs there.
fn pack_of(members: &[Member]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let add = |archive: &mut tar::Builder<Vec<u8>>, name: &str, kind: EntryType, contents: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_size(contents.len() as u64);
        header.set_cksum();
        archive.append(&header, contents).expect("it is memory");
    };
    members.iter().for_each(|(name, kind, contents)| add(&mut archive, name, *kind, contents));
    let digest = blake3::hash(archive.get_ref()).to_hex();
    add(&mut archive, "guidepost-pack.blake3", EntryType::Regular, digest.as_bytes());
    archive.into_inner().expect("it is memory")
}

/// The one member whose name ends so.
fn member<'a>(members: &'a mut [Member], end: &str) -> &'a mut Member {
    members.iter_mut().find(|(name, ..)| name.ends_with(end)).expect("it is there")
}

/// Changes the record of the generation, with its digest.
fn rewrite_record(members: &mut [Member], change: impl Fn(&mut Value)) {
    let record = &mut member(members, "generation.json").2;
    let mut value: Value = serde_json::from_slice(record).expect("it is JSON");
    change(&mut value);
    *record = serde_json::to_vec(&value).expect("it is JSON");
    let digest = blake3::hash(record).to_hex();
    member(members, "generation.blake3").2 = digest.as_bytes().to_vec();
}

/// What a pack whose digest fits can still hold when somebody has made it on purpose.
#[test]
fn a_pack_that_was_tampered_with_is_refused() {
    let bytes = pack(&home());
    assert_eq!(pack_of(&members(&bytes)), bytes, "this is how packs are made");
    type Tamper = fn(&mut Vec<Member>);
    let cases: [(Tamper, &[&str]); 16] = [
        (|all| member(all, "vectors").0 = "../../evil".to_owned(), &["`../../evil`", "should be"]),
        (|all| member(all, "vectors").0 = "/tmp/evil".to_owned(), &["`/tmp/evil`", "should be"]),
        (|all| member(all, "vectors").1 = EntryType::Symlink, &["no plain file"]),
        (|all| member(all, "vectors").1 = EntryType::Link, &["no plain file"]),
        (|all| member(all, "vectors").1 = EntryType::Directory, &["no plain file"]),
        (|all| member(all, "vectors").1 = EntryType::XHeader, &["no plain file"]),
        (|all| all.retain(|(name, ..)| !name.ends_with("vectors")), &["should be"]),
        (|all| drop(all.pop()), &["guidepost-pack.blake3", "should be"]),
        (
            |all| all.push(("CURRENT".to_owned(), EntryType::Regular, b"x".to_vec())),
            &["`CURRENT`", "no index has"],
        ),
        (|all| member(all, "vectors").2[700] ^= 1, &["vectors`", "not those that were written"]),
        (|all| member(all, "vectors").2.truncate(900), &["vectors`", "expected"]),
        (|all| member(all, "manifest.json").2[9] ^= 1, &["manifest.json`"]),
        (|all| member(all, "generation.json").2[9] ^= 1, &["generation.json`"]),
        (
            |all| {
                rewrite_record(all, |record| {
                    let file = record["files"]["abbreviations.json"].take();
                    record["files"] = serde_json::json!({"../../evil": file});
                });
                let name = &mut member(all, "abbreviations.json").0;
                *name = name.replace("abbreviations.json", "../../evil");
            },
            &["evil`", "is no name that a file of an index has"],
        ),
        (
            |all| rewrite_record(all, |record| record["segments"][0]["name"] = "../segment-000001".into()),
            &["`../segment-000001` is no name of a segment"],
        ),
        (|all| rewrite_record(all, |record| record["generation"] = 77.into()), &["another generation"]),
    ];
    for (tamper, parts) in cases {
        let mut tampered = members(&bytes);
        tamper(&mut tampered);
        check_refused(&pack_of(&tampered), &[parts, &["is damaged"]].concat());
    }
}

#[test]
fn other_formats_and_other_files_are_told_apart() {
    let bytes = pack(&home());
    let with_head = |head: &str| {
        let mut all = members(&bytes);
        all[0].2 = head.as_bytes().to_vec();
        pack_of(&all)
    };
    check_refused(&with_head(r#"{"format": 1}"#), &["made by an earlier version"]);
    check_refused(&with_head(r#"{"format": 9, "other": []}"#), &["made by a later version", "format 9"]);
    check_refused(&with_head(r#"{"format": 2, "generation": "../x"}"#), &["names no generation"]);
    check_refused(&with_head("x"), &["is damaged"]);
    for other in [&b"# Weaver\n"[..], &[0; 4096], &bytes[512..], &[7; 9000]] {
        check_refused(other, &["is no pack of an index"]);
    }
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    tar.append_data(&mut header, "notes.txt", &b"x"[..]).expect("it is memory");
    check_refused(&tar.into_inner().expect("it is memory"), &["is no pack of an index"]);
}

#[test]
fn what_is_there_already_stays() {
    let home = home();
    let bytes = pack(&home);
    home.write("taken.pack", "mine");
    home.run(&["pack", "taken.pack"]).says(2, &["`taken.pack` is there already", "--force"]);
    assert_eq!(fs::read(home.path("taken.pack")).expect("it is there"), b"mine");
    home.ok(&["pack", "taken.pack", "--force"]);
    assert_eq!(fs::read(home.path("taken.pack")).expect("it is there"), bytes);
    home.run(&["pack", "nowhere/x.pack"]).says(2, &["nowhere/x.pack"]);
    home.run(&["pack", "-"]).says(2, &["not to standard output"]);
    home.run(&["unpack", "missing.pack"]).says(2, &["missing.pack", "No such file"]);

    let before = answers(&home);
    home.run(&["unpack", "all.pack"]).says(2, &[INDEX, "holds an index already", "--index"]);
    assert_eq!(answers(&home), before);
    home.write("full/notes.doc", "mine");
    home.run(&["unpack", "all.pack", "--index", "full"])
        .says(2, &["`full` holds `notes.doc` already", "--index"]);
    let names = |folder: &str| {
        let entries = fs::read_dir(home.path(folder)).expect("it is there").flatten();
        let mut names: Vec<_> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names("full"), ["notes.doc"]);
    home.write("file", "mine");
    home.run(&["unpack", "all.pack", "--index", "file"]).says(2, &["file"]);
    // What a killed writer left is nothing; what lies in the folder of a drive is nothing, either.
    home.write("left/unfinished-4242/vectors", "half");
    home.write("left/.DS_Store", "");
    home.ok(&["unpack", "all.pack", "--index", "left"]);
    assert_eq!(names("left"), [".DS_Store", "CURRENT", "LOCK", "generation-000001", "segment-000001"]);
    home.ok(&["unpack", "all.pack", "--index", "new/place"]);
    assert_eq!(home.ok(&["verify", "--index", "new/place"]).code, 0);
    // No temporary file beside the packs.
    assert!(names("").iter().all(|name| !name.starts_with(".guidepost")), "{:?}", names(""));
}

#[test]
fn a_damaged_index_is_not_packed() {
    let home = home();
    let segment = home.path(INDEX).join("segment-000001");
    for name in ["vectors", "chunks.jsonl", "names.jsonl", "manifest.json"] {
        let path = segment.join(name);
        let bytes = fs::read(&path).expect("it is there");
        let mut changed = bytes.clone();
        let at = changed.len() / 2;
        changed[at] ^= 0x10;
        fs::write(&path, changed).expect("writable");
        let run = home.run(&["pack", "all.pack"]);
        run.says(2, &["the index is damaged", name, "guidepost repair"]);
        assert!(!home.path("all.pack").exists());
        fs::write(&path, bytes).expect("writable");
    }
    home.ok(&["pack", "all.pack"]);
    let nothing = Sandbox::new();
    nothing.run(&["pack", "all.pack"]).says(1, &["no index in", "nothing to pack"]);
}

/// Whatever is committed meanwhile, a pack holds one generation, whole.
#[test]
fn an_index_is_packed_while_it_is_updated() {
    let home = home();
    let write = |round: usize| {
        for guide in ["dyer", "sre"] {
            home.write(
                &format!("guides/{guide}.md"),
                format!("# {guide}\n\nRound {round} of the {guide}.\n"),
            );
        }
        home.ok(&["index"]);
    };
    write(0);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| (1..20).for_each(write));
        for at in 0..10 {
            let name = format!("{at}.pack");
            home.ok(&["pack", &name]);
            home.ok(&["unpack", &name, "--index", &format!("{at}.index")]);
            assert_eq!(home.ok(&["verify", "--index", &format!("{at}.index")]).code, 0);
        }
        writer.join().expect("every update succeeds");
    });
}
