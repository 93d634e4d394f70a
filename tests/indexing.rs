//! `index`, `status` and `get`: what is taken up, what is taken over, and what stays safe.

use std::fs;

use crate::sandbox::Sandbox;

fn three_guides() -> Sandbox {
    let home = Sandbox::new();
    home.write("guides/one.md", "# One\n\nAbout apples.\n\n## More\n\nAnd pears.\n");
    home.write("guides/two.md", "# Two\n\nAbout bridges.\n");
    home.write("guides/deep/three.txt", "Notes On Clouds\n\nThey are made of water.\n");
    home
}

/// Two sections, the first long enough to keep to itself.
fn about_apples(more: &str) -> String {
    format!("# One\n\n{}\n\n## More\n\n{more}\n", "About apples, and how they grow. ".repeat(8))
}

#[test]
fn only_what_changed_is_embedded_again() {
    let home = three_guides();
    home.write("guides/one.md", about_apples("And pears."));
    let built = home.json(&["index", "guides"], 0);
    assert_eq!((&built["guides"], &built["passages"], &built["embedded"]), (&3.into(), &4.into(), &4.into()));
    let again = home.json(&["index"], 0);
    assert_eq!((&again["embedded"], &again["changed"]), (&0.into(), &0.into()));
    home.write("guides/one.md", about_apples("And plums."));
    home.write("guides/four.md", "# Four\n\nAbout doors.\n");
    fs::remove_file(home.path("guides/two.md")).expect("it is there");
    let status = home.json(&["status"], 0);
    assert_eq!(status["current"]["changes"], serde_json::json!({"added": 1, "changed": 1, "removed": 1}));
    let changed = home.json(&["index"], 0);
    assert_eq!(
        ["added", "changed", "removed", "embedded"].map(|key| changed[key].as_u64()),
        [Some(1), Some(1), Some(1), Some(2)]
    );
}

#[test]
fn token_vectors_are_kept_left_out_and_kept_again() {
    let home = three_guides();
    let check = |args: &[&str], embedded: u64, on: bool| {
        let update = home.json(args, 0);
        assert_eq!(update["embedded"], embedded, "{args:?}");
        let status = home.json(&["status"], 0);
        let late = &status["current"]["late_interaction"];
        assert_eq!((&late["on"], late["bytes"].as_u64() > Some(0)), (&on.into(), on), "{args:?}");
        let text = home.ok(&["status"]).stdout;
        assert_eq!(text.contains("`guidepost index --late-interaction on` adds them"), !on, "{text}");
        let found = home.json(&["search", "apples", "--explain"], 0);
        let explain = &found["results"][0]["explain"];
        assert_eq!((explain["late_weight"].as_f64() > Some(0.0), explain["late"].is_number()), (on, on));
        assert_eq!(found["results"][0]["path"], "guides/one.md");
    };
    check(&["index", "guides"], 3, true);
    check(&["index", "--late-interaction", "off"], 0, false);
    // Updates keep to it, and token vectors alone are no reason to embed anything again.
    check(&["index"], 0, false);
    home.write("guides/two.md", "# Two\n\nAbout doors.\n");
    check(&["index"], 1, false);
    check(&["index", "--late-interaction", "on"], 3, true);
    home.write("guides/two.md", "# Two\n\nAbout bridges.\n");
    check(&["index"], 1, true);
}

#[test]
fn a_search_takes_up_changes_by_itself() {
    let home = three_guides();
    home.ok(&["index", "guides"]);
    home.write("guides/two.md", "# Two\n\nAbout lighthouses.\n");
    let found = home.json(&["search", "lighthouses", "-n", "1"], 0);
    assert_eq!(found["results"][0]["path"], "guides/two.md");
    let gone = home.json(&["search", "bridges", "--mode", "bm25"], 1);
    assert_eq!(gone["results"], serde_json::json!([]));
}

#[test]
fn a_touched_file_costs_no_new_text() {
    let home = three_guides();
    home.ok(&["index", "guides"]);
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
    let file = fs::File::options().append(true).open(home.path("guides/one.md")).expect("it is there");
    file.set_modified(later).expect("times can be set");
    let again = home.json(&["index"], 0);
    assert_eq!((&again["changed"], &again["embedded"]), (&0.into(), &0.into()));
    home.json(&["search", "apples", "-n", "1"], 0);
}

#[test]
fn folders_are_added_and_removed() {
    let home = three_guides();
    home.write("other/guides/five.md", "# Five\n\nAbout elephants.\n");
    home.ok(&["search", "python"]);
    home.ok(&["index", "guides"]);
    home.ok(&["index", "other/guides"]);
    let status = home.json(&["status"], 0);
    let names: Vec<_> =
        status["current"]["sources"].as_array().expect("sources").iter().map(|s| &s["name"]).collect();
    let root = home.path("").file_name().expect("a name").to_string_lossy().into_owned();
    assert_eq!(names, [&format!("{root}/guides")[..], "other/guides"], "the guides that ship gave way");
    home.ok(&["index", "--remove", "other/guides"]);
    assert_eq!(home.json(&["search", "elephants", "--mode", "bm25"], 1)["results"], serde_json::json!([]));
    home.run(&["index", "--remove", "guides"]).says(2, &["nothing would be left"]);
    home.run(&["index", "--remove", "nowhere"]).says(2, &["`nowhere` is not in the index"]);
}

#[test]
fn ignored_guides_are_left_out_and_leave_the_index() {
    let home = three_guides();
    home.write("guides/.gitignore", "two.md\n");
    home.write("guides/deep/.guidepostignore", "draft*\n!draft-good.md\n");
    home.write("guides/deep/draft-bad.md", "# Draft\n\nAbout bridges.\n");
    home.write("guides/deep/draft-good.md", "# Draft\n\nAbout rivers.\n");
    assert_eq!(home.json(&["index", "guides"], 0)["guides"], 3);
    assert_eq!(home.json(&["search", "bridges", "--mode", "bm25"], 1)["results"], serde_json::json!([]));
    home.write("guides/.guidepostignore", "one.md\n");
    let again = home.json(&["index"], 0);
    assert_eq!((&again["guides"], &again["removed"]), (&2.into(), &1.into()));
}

#[test]
fn a_folder_that_is_gone_keeps_its_guides() {
    let home = three_guides();
    home.ok(&["index", "guides"]);
    fs::rename(home.path("guides"), home.path("elsewhere")).expect("it can be moved");
    let run = home.ok(&["search", "apples", "-n", "1"]);
    assert!(run.stdout.contains("guides/one.md"), "{}", run.stdout);
    assert!(run.stderr.contains("stay as they were last read"), "{}", run.stderr);
    let status = home.json(&["status"], 0);
    assert_eq!(status["current"]["documents"].as_array().map(Vec::len), Some(3));
    home.ok(&["index", "elsewhere"]);
    home.ok(&["index", "--remove", "guides"]);
    assert!(home.ok(&["search", "apples", "-n", "1"]).stdout.contains("elsewhere/one.md"));
}

#[test]
fn an_empty_folder_that_is_gone_stops_nobody() {
    let home = three_guides();
    fs::create_dir(home.path("empty")).expect("writable");
    home.ok(&["index", "guides", "empty"]);
    fs::remove_dir(home.path("empty")).expect("it is there");
    home.ok(&["search", "apples"]);
    home.ok(&["index", "--remove", "empty"]);
}

#[test]
fn writers_at_once_lose_no_folder() {
    let home = Sandbox::new();
    for number in 0..6 {
        home.write(&format!("src/d{number}/guide.md"), format!("# Guide {number}\n\nText.\n"));
    }
    std::thread::scope(|scope| {
        for number in 0..6 {
            let home = &home;
            scope.spawn(move || home.ok(&["index", &format!("src/d{number}")]));
        }
    });
    let status = home.json(&["status"], 0);
    assert_eq!(status["current"]["sources"].as_array().map(Vec::len), Some(6), "{status}");
}

#[test]
fn folders_inside_each_other_are_refused() {
    let home = three_guides();
    home.run(&["index", "guides", "guides/deep"]).says(2, &["lies inside", "twice"]);
    home.ok(&["index", "guides"]);
    home.run(&["index", "guides/deep"]).says(2, &["lies inside", "twice"]);
}

#[test]
fn folders_of_others_are_never_cleared_away() {
    let home = three_guides();
    home.write("work/unfinished-thesis/chapter.txt", "years of work");
    home.write("work/generation-7/family.txt", "names");
    home.run(&["index", "guides", "--index", "work"]).says(2, &["holds other files and is no index"]);
    home.write("bare/generation-7/family.txt", "names");
    home.ok(&["index", "guides", "--index", "bare"]);
    for file in
        ["work/unfinished-thesis/chapter.txt", "work/generation-7/family.txt", "bare/generation-7/family.txt"]
    {
        assert!(home.path(file).exists(), "{file}");
    }
}

#[test]
fn get_prints_what_is_cited() {
    let home = three_guides();
    home.write("guides/a:b.md", "# Colon\n");
    home.ok(&["index", "guides"]);
    for (citation, expected) in [
        ("guides/one.md:3", "About apples.\n"),
        ("guides/one.md:7-20", "And pears.\n"),
        ("guides/one.md:5-7", "## More\n\nAnd pears.\n"),
        ("one.md:1", "# One\n"),
        ("guides/a:b.md", "# Colon\n"),
        ("guides/a:b.md:1", "# Colon\n"),
        ("deep/three.txt", "Notes On Clouds\n\nThey are made of water.\n"),
    ] {
        assert_eq!(home.ok(&["get", citation]).stdout, expected);
    }
    for (citation, message) in [
        ("guides/one.md:8", "has 7 lines"),
        ("guides/one.md:0", "counting from 1"),
        ("guides/none.md:1", "no guide `guides/none.md`"),
        ("/etc/hostname", "no guide `/etc/hostname`"),
    ] {
        home.run(&["get", citation]).says(2, &[message]);
    }
    // A citation names one guide, whatever else ends alike.
    home.write("x/a/b/same.md", "# Wrong\n");
    home.write("x/b/same.md", "# Right\n");
    home.ok(&["index", "x/a", "x/b"]);
    assert_eq!(home.ok(&["get", "b/same.md"]).stdout, "# Right\n");
    let fresh = Sandbox::new();
    let shipped = fresh.ok(&["get", "corpus/data-analyst.md:1-2"]).stdout;
    assert!(shipped.starts_with("---\ntitle:"), "{shipped}");
}

#[test]
fn a_damaged_index_is_named_and_made_again() {
    for (folder, file, keep) in [
        ("segment-000001", "vectors", 10),
        ("segment-000001", "chunks.jsonl", 5),
        ("segment-000001", "chunks.offsets", 3),
        ("generation-000001", "generation.json", 20),
    ] {
        let home = three_guides();
        home.ok(&["index", "guides"]);
        let damaged = home.path(".local/share/guidepost/index").join(folder).join(file);
        fs::write(&damaged, &fs::read(&damaged).expect("it is there")[..keep]).expect("writable");
        home.run(&["search", "apples"]).says(2, &["damaged", file, "guidepost repair"]);
        home.ok(&["index", "--rebuild"]);
        assert!(home.ok(&["search", "apples", "-n", "1"]).stdout.contains("guides/one.md"));
    }
    let home = three_guides();
    home.ok(&["index", "guides"]);
    let index = home.path(".local/share/guidepost/index");
    for record in ["generation-000001/generation.json", "segment-000001/manifest.json"] {
        fs::write(index.join(record), "junk").expect("writable");
    }
    home.run(&["index", "--rebuild"]).says(2, &["does not tell its folders", "--rebuild DIR"]);
    home.ok(&["index", "--rebuild", "guides"]);
    assert!(home.ok(&["search", "apples", "-n", "1"]).stdout.contains("guides/one.md"));
    for current in ["junk", "generation-000099"] {
        let home = three_guides();
        home.ok(&["index", "guides"]);
        home.write(".local/share/guidepost/index/CURRENT", current);
        home.run(&["search", "apples"]).says(2, &["damaged", "guidepost repair"]);
        home.ok(&["index", "--rebuild"]);
        assert!(home.ok(&["search", "apples", "-n", "1"]).stdout.contains("guides/one.md"));
    }
}

#[test]
fn an_index_of_an_earlier_format_is_made_again() {
    let home = three_guides();
    let earlier = |home: &Sandbox, format: u32, folder: &str| {
        let sources = serde_json::json!([{"name": "guides", "folder": home.path(folder)}]);
        let manifest = serde_json::json!({"format": format, "generation": 3, "sources": sources});
        home.write(".local/share/guidepost/index/CURRENT", "generation-000003\n");
        home.write(".local/share/guidepost/index/generation-000003/manifest.json", manifest.to_string());
        home.write(".local/share/guidepost/index/generation-000003/vectors", "as they were");
    };
    earlier(&home, 1, "guides");
    home.run(&["status"]).says(2, &["earlier version", "`guidepost index`"]);
    let asked = home.ok(&["search", "bridges", "-n", "1"]);
    asked.says(0, &["made by an earlier version of guidepost; making it again"]);
    assert!(asked.stdout.contains("guides/two.md"), "{}", asked.stdout);
    assert_eq!(home.json(&["status"], 0)["current"]["generation"], 4);
    // Nothing is lost where the guides are out of reach.
    let home = three_guides();
    earlier(&home, 1, "elsewhere");
    home.run(&["index"]).says(2, &["no folder of guides at", "elsewhere"]);
    assert!(home.path(".local/share/guidepost/index/generation-000003/vectors").is_file());
    let home = three_guides();
    earlier(&home, 99, "guides");
    home.run(&["search", "bridges"]).says(2, &["later version", "format 99", "index --rebuild`"]);
    home.run(&["index"]).says(2, &["later version"]);
    home.ok(&["index", "--rebuild"]);
    assert!(home.ok(&["search", "bridges", "-n", "1"]).stdout.contains("guides/two.md"));
}

#[test]
fn leftovers_of_a_killed_writer_are_cleared_away() {
    let home = three_guides();
    home.ok(&["index", "guides"]);
    home.write(".local/share/guidepost/index/unfinished-4242/vectors", "half");
    home.ok(&["search", "apples"]);
    home.write("guides/two.md", "# Two\n\nAbout tunnels.\n");
    home.ok(&["search", "tunnels"]);
    let index = home.path(".local/share/guidepost/index");
    let mut names: Vec<String> = fs::read_dir(index)
        .expect("an index")
        .flatten()
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["CURRENT", "LOCK", "generation-000002", "segment-000002"]);
}

#[test]
fn many_readers_and_writers_at_once_see_whole_indexes() {
    let home = three_guides();
    home.ok(&["index", "guides"]);
    std::thread::scope(|scope| {
        let write = scope.spawn(|| {
            for round in 0..8 {
                home.write("guides/two.md", format!("# Two\n\nAbout round {round} of the game.\n"));
                home.ok(&["index"]);
            }
        });
        let readers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..8 {
                        let run = home.ok(&["search", "apples", "-n", "1", "--json"]);
                        assert!(run.stdout.contains("guides/one.md"), "{}", run.stdout);
                    }
                })
            })
            .collect();
        write.join().expect("every update succeeds");
        readers.into_iter().for_each(|reader| reader.join().expect("every search succeeds"));
    });
}
