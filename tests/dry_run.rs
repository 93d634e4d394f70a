//! `index --dry-run`: the truth, and not a byte written.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

/// Everything below a folder: length and time of change.
fn listing(folder: &Path) -> BTreeMap<PathBuf, (u64, SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let metadata = entry.metadata().expect("it is there");
        found.insert(entry.path(), (metadata.len(), metadata.modified().expect("it has a time")));
        if metadata.is_dir() {
            found.extend(listing(&entry.path()));
        }
    }
    found
}

/// Runs it, and expects that nothing is another than before.
#[track_caller]
fn dry(home: &Sandbox, args: &[&str]) -> Value {
    let before = listing(&home.path(""));
    let args = [&["index", "--dry-run"], args].concat();
    let text = home.ok(&args);
    assert!(text.stdout.contains("nothing was written"), "{}", text.stdout);
    let preview = home.json(&args, 0);
    assert_eq!(listing(&home.path("")), before, "{args:?}");
    preview
}

fn guides() -> Sandbox {
    let home = Sandbox::new();
    home.write("guides/one.md", "# One\n\nAbout apples.\n");
    home.write("guides/two.md", "# Two\n\nAbout bridges.\n");
    home.write("guides/three.md", "# Three\n\nAbout clouds.\n");
    home.write("guides/four.md", "# Four\n\nAbout doors.\n");
    home.write("guides/photo.jpg", "no guide");
    home
}

#[test]
fn nothing_is_written_where_nothing_is() {
    let home = guides();
    let preview = dry(&home, &["guides"]);
    let added = ["guides/four.md", "guides/one.md", "guides/three.md", "guides/two.md"];
    assert_eq!((&preview["added"], &preview["writes"]), (&json!(added), &json!(true)));
    assert_eq!(preview["other_kinds"], json!({"jpg": 1}));
    assert!(!home.path(".local").exists());
    assert!(
        dry(&home, &[])["added"].as_array().is_some_and(|guides| guides.len() > 50),
        "the guides that ship"
    );
    home.run(&["index", "--dry-run", "nowhere"]).says(2, &["no folder of guides at `nowhere`"]);
    home.run(&["index", "--dry-run", "--watch"]).says(2, &["cannot be used with"]);
}

#[test]
fn it_says_what_the_update_then_does() {
    let home = guides();
    home.ok(&["index", "guides"]);
    let current = dry(&home, &[]);
    assert_eq!((&current["writes"], &current["unchanged"]), (&json!(false), &json!(4)));
    home.write("guides/one.md", "# One\n\nAbout plums.\n");
    fs::remove_file(home.path("guides/two.md")).expect("it is there");
    home.write("guides/five.md", "# Five\n\nAbout elephants.\n");
    let later = SystemTime::now() + std::time::Duration::from_secs(60);
    let file = fs::File::options().append(true).open(home.path("guides/three.md")).expect("it is there");
    file.set_modified(later).expect("times can be set");
    let preview = dry(&home, &[]);
    for (kind, guide) in [("added", "five"), ("changed", "one"), ("removed", "two"), ("touched", "three")] {
        assert_eq!(preview[kind], json!([format!("guides/{guide}.md")]), "{kind}");
    }
    assert_eq!((&preview["writes"], &preview["unchanged"]), (&json!(true), &json!(1)));
    let text = home.ok(&["index", "--dry-run"]).stdout;
    assert!(text.contains("1 guide, changed:\n  guides/one.md\n"), "{text}");
    let update = home.json(&["index"], 0);
    for kind in ["added", "changed", "removed"] {
        assert_eq!(update[kind], 1, "{kind}");
    }
    assert_eq!(dry(&home, &[])["writes"], json!(false));
}

#[test]
fn folders_switches_and_warnings_are_told() {
    let home = guides();
    home.write("other/six.md", "# Six\n\nAbout frogs.\n");
    home.ok(&["index", "guides", "other"]);
    assert_eq!(dry(&home, &["--remove", "other"])["removed"], json!(["other/six.md"]));
    assert_eq!(dry(&home, &["--late-interaction", "off"])["writes"], json!(true));
    assert_eq!(dry(&home, &["--late-interaction", "on"])["writes"], json!(false));
    assert_eq!(dry(&home, &["--rebuild"])["added"].as_array().map(Vec::len), Some(5));
    fs::rename(home.path("other"), home.path("elsewhere")).expect("it can be moved");
    let preview = dry(&home, &[]);
    assert_eq!((&preview["writes"], &preview["removed"]), (&json!(false), &json!([])));
    assert!(
        preview["warnings"][0]["message"].as_str().is_some_and(|text| text.contains("stay as they were"))
    );
}

#[test]
fn long_lists_are_cut_for_people_alone() {
    let home = Sandbox::new();
    (0..50).for_each(|at| drop(home.write(&format!("guides/{at}.md"), format!("# Guide {at}\n"))));
    let text = home.ok(&["index", "guides", "--dry-run"]).stdout;
    assert!(text.contains("50 guides, new:") && text.contains("and 30 more"), "{text}");
    assert_eq!(dry(&home, &["guides"])["added"].as_array().map(Vec::len), Some(50));
}
