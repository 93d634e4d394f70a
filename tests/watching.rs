//! `index --watch`: whatever happens to the guides, the index follows, and the watch goes on.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::json;

use crate::background::Background;
use crate::sandbox::Sandbox;

fn guides() -> Sandbox {
    let home = Sandbox::new();
    save(&home, "guides/one.md", "# One\n\nAbout apples.\n");
    save(&home, "guides/two.md", "# Two\n\nAbout bridges.\n");
    home
}

fn watched(home: &Sandbox, args: &[&str]) -> Background {
    let mut watch = Background::start(home, &[&["index", "guides", "--watch"], args].concat());
    watch.until_said("following 1 folder", 1);
    watch
}

/// As editors save: a new file, renamed to its place. Its time of change is long past, and no other file's: one of this
/// moment is looked into again when the moment is past, and what these tests count would depend on their speed.
fn save(home: &Sandbox, name: &str, text: &str) {
    static SAVED: AtomicU64 = AtomicU64::new(1_700_000_000);
    let modified = UNIX_EPOCH + Duration::from_secs(SAVED.fetch_add(1, Ordering::Relaxed));
    let new = home.write(".new", text);
    let file = fs::File::options().append(true).open(&new).expect("it was just written");
    file.set_modified(modified).expect("times can be set");
    let path = home.path(name);
    fs::create_dir_all(path.parent().expect("it has one")).expect("the sandbox is writable");
    fs::rename(new, path).expect("it can be renamed");
}

/// Whether the index has taken up what is on disk. Asked of `status`, which changes nothing, other than a search.
fn is_current(home: &Sandbox) -> bool {
    let status = home.json(&["status"], 0);
    status["current"]["changes"] == json!({"added": 0, "changed": 0, "removed": 0})
}

#[track_caller]
fn finds(home: &Sandbox, word: &str, path: &str) {
    let found = home.json(&["search", word, "--mode", "bm25", "-n", "1"], 0);
    assert_eq!(found["results"][0]["path"], path, "{word}");
}

#[track_caller]
fn finds_nothing(home: &Sandbox, word: &str) {
    assert_eq!(home.json(&["search", word, "--mode", "bm25"], 1)["results"], json!([]), "{word}");
}

/// Ctrl-C is the regular end.
#[track_caller]
fn ends_well(watch: Background) -> String {
    watch.send("INT");
    let run = watch.end();
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.stderr
}

#[test]
fn edits_additions_and_deletions_are_taken_up() {
    for args in [&[][..], &["--poll"]] {
        let home = guides();
        let mut watch = watched(&home, args);
        save(&home, "guides/one.md", "# One\n\nAbout lighthouses.\n");
        watch.until_said("changed `guides/one.md`; 1 embedded in ", 1);
        fs::remove_file(home.path("guides/two.md")).expect("it is there");
        watch.until_said("removed `guides/two.md`; 0 embedded in ", 1);
        save(&home, "guides/new/deep/three.md", "# Three\n\nAbout zebras.\n");
        watch.until_said("added `guides/new/deep/three.md`; 1 embedded in ", 1);
        save(&home, "guides/new/deep/three.md", "# Three\n\nAbout giraffes.\n");
        watch.until_said("changed `guides/new/deep/three.md`; 1 embedded in ", 1);
        assert!(is_current(&home));
        finds(&home, "lighthouses", "guides/one.md");
        finds(&home, "giraffes", "guides/new/deep/three.md");
        ["apples", "bridges", "zebras"].iter().for_each(|word| finds_nothing(&home, word));
        let said = ends_well(watch);
        assert_eq!(said.contains("looked at every 5 seconds: as asked for"), !args.is_empty(), "{said}");
    }
}

#[test]
fn three_hundred_files_at_once_are_a_few_updates() {
    let home = guides();
    let mut watch = watched(&home, &[]);
    for at in 0..300 {
        home.write(
            &format!("guides/bulk/{}/{at}.md", at % 7),
            format!("# Bulk {at}\n\nAbout bulk{at}word.\n"),
        );
    }
    watch.until("all are in", || is_current(&home));
    finds(&home, "bulk299word", "guides/bulk/5/299.md");
    finds(&home, "bulk0word", "guides/bulk/0/0.md");
    fs::remove_dir_all(home.path("guides/bulk")).expect("it is there");
    watch.until("all are gone", || is_current(&home));
    finds_nothing(&home, "bulk299word");
    finds(&home, "apples", "guides/one.md");
    let said = ends_well(watch);
    assert!((2..30).contains(&said.matches(" embedded in ").count()), "{said}");
}

#[test]
fn what_is_ignored_does_nothing() {
    let home = guides();
    home.write("guides/.gitignore", "build/\n");
    home.write("guides/.guidepostignore", "draft*\n");
    let mut watch = watched(&home, &["-v"]);
    let index = || fs::read_to_string(home.path(".local/share/guidepost/index/CURRENT")).expect("an index");
    let (before, looks) = (index(), watch.stderr().matches("nothing to take up").count());
    save(&home, "guides/build/out.md", "# Out\n\nAbout nothing.\n");
    save(&home, "guides/draft-1.md", "# Draft\n\nAbout nothing.\n");
    save(&home, "guides/photo.jpg", "no guide");
    // One look may have been under way, one was still to come before.
    watch.until_said("nothing to take up", looks + 3);
    assert_eq!((index(), watch.stderr().matches(" embedded in ").count()), (before, 0));
    finds_nothing(&home, "nothing");
    fs::remove_file(home.path("guides/.guidepostignore")).expect("it is there");
    watch.until_said("added `guides/draft-1.md`", 1);
    finds(&home, "nothing", "guides/draft-1.md");
    ends_well(watch);
}

#[test]
fn a_folder_that_goes_away_and_comes_back_is_followed_again() {
    let home = guides();
    let mut watch = watched(&home, &[]);
    fs::rename(home.path("guides"), home.path("elsewhere")).expect("it can be moved");
    watch.until_said("its 2 guides stay as they were last read", 1);
    let found = home.ok(&["search", "apples", "-n", "1"]).stdout;
    assert!(found.contains("guides/one.md"), "{found}");
    save(&home, "guides/one.md", "# One\n\nAbout pears.\n");
    watch.until("the new folder is in", || is_current(&home));
    finds_nothing(&home, "bridges");
    save(&home, "guides/one.md", "# One\n\nAbout plums.\n");
    watch.until("the new folder is followed", || is_current(&home));
    finds(&home, "plums", "guides/one.md");
    finds_nothing(&home, "pears");
    ends_well(watch);
}

/// The system keeps so many notifications, and drops the rest.
#[cfg(target_os = "linux")]
#[test]
fn notifications_that_are_lost_cost_nothing() {
    let home = guides();
    let mut watch = watched(&home, &[]);
    let most: usize = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .expect("Linux says how many");
    watch.send("STOP");
    // Each is made, opened and closed.
    (0..=most / 3).for_each(|at| drop(home.write(&format!("guides/{at}.tmp"), "")));
    save(&home, "guides/new/deep/three.md", "# Three\n\nAbout zebras.\n");
    watch.send("CONT");
    watch.until("the new folder is in", || is_current(&home));
    save(&home, "guides/new/deep/three.md", "# Three\n\nAbout giraffes.\n");
    watch.until("the new folder is followed", || is_current(&home));
    finds(&home, "giraffes", "guides/new/deep/three.md");
    finds_nothing(&home, "zebras");
    ends_well(watch);
}

#[test]
fn a_failing_update_is_said_and_tried_again() {
    let home = guides();
    let mut watch = watched(&home, &[]);
    // A file where the update has to make a folder: as final as a full disk, and undone as easily.
    let index = home.path(".local/share/guidepost/index");
    let process = fs::read_to_string(index.join("LOCK")).expect("it holds the process id");
    let in_the_way = home.write(&format!(".local/share/guidepost/index/unfinished-{process}"), "in the way");
    save(&home, "guides/one.md", "# One\n\nAbout pears.\n");
    watch.until_said("not updated, until the next change: cannot write", 1);
    assert!(!is_current(&home));
    fs::remove_file(in_the_way).expect("it is there");
    save(&home, "guides/two.md", "# Two\n\nAbout rivers.\n");
    watch.until("both are in", || is_current(&home));
    finds(&home, "pears", "guides/one.md");
    finds(&home, "rivers", "guides/two.md");
    ends_well(watch);
}

#[test]
fn another_writer_is_waited_for() {
    let home = guides();
    let mut watch = watched(&home, &[]);
    let lock = home.path(".local/share/guidepost/index/LOCK");
    let lock = fs::File::options().write(true).open(lock).expect("it is there");
    lock.lock().expect("it can be locked");
    save(&home, "guides/one.md", "# One\n\nAbout pears.\n");
    watch.until_said("is writing to the index; waiting for it", 1);
    assert!(!is_current(&home));
    lock.unlock().expect("it can be unlocked");
    watch.until_said("changed `guides/one.md`", 1);
    // A folder that another process adds is followed, too.
    save(&home, "more/three.md", "# Three\n\nAbout zebras.\n");
    home.ok(&["index", "more"]);
    watch.until_said("following 2 folders", 1);
    save(&home, "more/three.md", "# Three\n\nAbout giraffes.\n");
    watch.until_said("changed `more/three.md`", 1);
    finds(&home, "giraffes", "more/three.md");
    ends_well(watch);
}

#[test]
fn an_index_within_a_followed_folder_does_not_follow_itself() {
    let home = guides();
    let mut watch = watched(&home, &["--index", "guides/.index"]);
    save(&home, "guides/one.md", "# One\n\nAbout pears.\n");
    watch.until_said("changed `guides/one.md`", 1);
    save(&home, "guides/two.md", "# Two\n\nAbout rivers.\n");
    watch.until_said("changed `guides/two.md`", 1);
    let said = ends_well(watch);
    assert_eq!(said.matches(" embedded in ").count(), 2, "{said}");
}

#[test]
fn there_is_nothing_to_follow_in_the_guides_that_ship() {
    let home = Sandbox::new();
    home.run(&["index", "--watch"]).says(2, &["do not change", "name a folder"]);
    home.run(&["index", "--poll"]).says(2, &["--watch"]);
}
