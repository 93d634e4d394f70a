//! Times of change that are odd: from the future, from 1970, going backwards. What decides is that a time differs, not which is later.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::sandbox::Sandbox;

const GUIDE: &str = "guides/a.md";
const INDEX: &str = ".local/share/guidepost/index/generation-000001";

/// Seconds of a year.
const YEAR: i64 = 31_557_600;

/// Seconds since 1970 of a day in a year.
const fn in_year(year: i64) -> i64 {
    (year - 1970) * YEAR + 86_400
}

/// Writes the guide, and says that it was changed so many seconds after 1970.
fn write(home: &Sandbox, text: &str, seconds: i64) {
    let path = home.write(GUIDE, format!("# Fruit\n\nOn {text}.\n"));
    let file = File::options().append(true).open(path).expect("it was written");
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let time = match seconds < 0 {
        true => SystemTime::UNIX_EPOCH - distance,
        false => SystemTime::UNIX_EPOCH + distance,
    };
    file.set_modified(time).expect("times can be set");
}

fn finds(home: &Sandbox, word: &str) -> bool {
    home.run(&["search", word, "--mode", "bm25"]).code == 0
}

fn generation(home: &Sandbox) -> Value {
    home.json(&["status"], 0)["current"]["generation"].clone()
}

#[test]
fn a_change_shows_whatever_the_times_are() {
    // Texts of one length: times alone tell them apart, and where these are equal, that neither can be believed.
    for (name, before, after) in [
        ("forward", in_year(2020), in_year(2021)),
        ("backward", in_year(2021), in_year(2020)),
        ("out of 1970", 0, 1),
        ("back to 1970", in_year(2020), 0),
        ("into the future", in_year(2020), in_year(2100)),
        ("out of the future", in_year(2100), in_year(2020)),
        ("before 1970", in_year(1950), in_year(1960)),
        ("the same before 1970", in_year(1950), in_year(1950)),
        ("the same in the future", in_year(2100), in_year(2100)),
    ] {
        let home = Sandbox::new();
        write(&home, "apples", before);
        home.ok(&["index", "guides"]);
        assert!(finds(&home, "apples") && !finds(&home, "quince"), "{name}");
        let settled = generation(&home);
        assert!(finds(&home, "apples"), "{name}");
        assert_eq!(generation(&home), settled, "{name}: looking writes nothing");
        write(&home, "quince", after);
        assert!(finds(&home, "quince") && !finds(&home, "apples"), "{name}");
    }
}

/// The limit of a look that reads no file: somebody put the time back after changing the text to one of the same length.
#[test]
fn a_change_that_no_stat_shows_waits_until_it_is_asked_for() {
    let ways: [fn(&Sandbox); 2] = [
        |home| drop(home.ok(&["index", "--rebuild"])),
        |home| {
            let file = File::options().append(true).open(home.path(GUIDE)).expect("it is there");
            file.set_modified(SystemTime::now()).expect("times can be set");
        },
    ];
    for way in ways {
        let home = Sandbox::new();
        write(&home, "apples", in_year(2020));
        home.ok(&["index", "guides"]);
        write(&home, "quince", in_year(2020));
        home.ok(&["index"]);
        assert!(finds(&home, "apples") && !finds(&home, "quince"));
        way(&home);
        assert!(finds(&home, "quince") && !finds(&home, "apples"));
    }
}

/// An index that was written while the clock was wrong, or by a version that did not say when it had looked.
#[test]
fn an_index_from_another_time_takes_up_changes() {
    let changes: [fn(&mut Value); 3] = [
        |record| (record["looked"], record["written"]) = (in_year(2100).into(), in_year(2100).into()),
        |record| (record["looked"], record["written"]) = (1.into(), 1.into()),
        |record| drop(record.as_object_mut().expect("an object").remove("looked")),
    ];
    for change in changes {
        let home = Sandbox::new();
        write(&home, "apples", in_year(2020));
        home.ok(&["index", "guides"]);
        let path = home.path(INDEX).join("generation.json");
        let mut record: Value =
            serde_json::from_slice(&fs::read(&path).expect("it is there")).expect("it is JSON");
        change(&mut record);
        let bytes = serde_json::to_vec(&record).expect("it is JSON");
        fs::write(home.path(INDEX).join("generation.blake3"), blake3::hash(&bytes).to_hex().as_str())
            .expect("writable");
        fs::write(path, bytes).expect("writable");
        assert!(finds(&home, "apples"));
        home.ok(&["status"]);
        let path = home.write(GUIDE, "# Fruit\n\nOn quince.\n");
        assert!(path.exists() && finds(&home, "quince") && !finds(&home, "apples"));
    }
}
