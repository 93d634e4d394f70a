//! What is shown once, and whose turn it is: copies, and guides that would crowd out the rest.

use serde_json::Value;

use crate::sandbox::Sandbox;

const LOOM: &str = "A loom holds the warp threads under tension, so that the weft can be passed between them by hand. \
    Whoever buys a first loom should look at the width of the beam and at the state of the reed before anything else.";

fn results(found: &Value) -> &Vec<Value> {
    found["results"].as_array().expect("results")
}

fn also_in(hit: &Value) -> Vec<&str> {
    let places = hit["also_in"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut paths: Vec<&str> = places.iter().filter_map(|place| place["path"].as_str()).collect();
    paths.sort_unstable();
    paths
}

#[test]
fn what_says_the_same_is_shown_once_with_its_other_places() {
    let home = Sandbox::new();
    home.write("guides/loom.md", format!("# Loom\n\n{LOOM}\n"));
    home.write(
        "guides/copy.md",
        format!("# Weaving\n\n{}\n", LOOM.replace(". ", ".\n\n").replace("else", "more")),
    );
    home.write("guides/shout.md", format!("# Notes\n\n{}\n", LOOM.to_uppercase()));
    // The same meaning, or the same sentence about another year, is no copy.
    home.write("guides/other.md", "# Buying\n\nBefore buying a loom, check how wide its beam is.\n");
    for year in [2023, 2024] {
        let text = format!("# Looms of {year}\n\n{LOOM} So it was at the loom fair of {year}.\n");
        home.write(&format!("guides/{year}.md"), text);
    }
    let found = home.json(
        &["search", "a loom and its beam", "--guides", "guides", "-n", "4", "--min-confidence", "0"],
        0,
    );
    assert_eq!(results(&found).len(), 4, "the list is as long as it can be: {found}");
    let copies: Vec<&Value> = results(&found).iter().filter(|hit| !also_in(hit).is_empty()).collect();
    assert_eq!(copies.len(), 1, "{found}");
    let mut places = also_in(copies[0]);
    places.push(copies[0]["path"].as_str().expect("a path"));
    places.sort_unstable();
    assert_eq!(places, ["guides/copy.md", "guides/loom.md", "guides/shout.md"]);
    for place in copies[0]["also_in"].as_array().expect("places") {
        let citation = format!(
            "{}:{}-{}",
            place["path"].as_str().expect("a path"),
            place["first_line"],
            place["last_line"]
        );
        let text = home.ok(&["get", &citation]).stdout.to_lowercase();
        assert!(text.contains("under tension"), "{citation}: {text}");
    }
    let text = home.ok(&["search", "a loom and its beam", "-n", "4", "--min-confidence", "0"]).stdout;
    assert_eq!(text.matches("also in guides/").count(), 1, "{text}");
    let notes = home
        .ok(&["search", "a loom and its beam", "-n", "4", "--min-confidence", "0", "--format", "md"])
        .stdout;
    assert_eq!(notes.matches("also in guides/").count(), 1, "{notes}");
}

#[test]
fn a_hundred_copies_leave_room_for_the_rest() {
    let home = Sandbox::new();
    for number in 0..130 {
        home.write(&format!("guides/copies/{number}.md"), format!("# Loom\n\n{LOOM}\n"));
    }
    home.write("guides/other.md", "# Fair\n\nAt the fair somebody sold a loom for a song.\n");
    for mode in ["hybrid", "dense", "bm25"] {
        let found =
            home.json(&["search", "loom", "--guides", "guides", "--mode", mode, "--min-confidence", "0"], 0);
        assert_eq!(results(&found).len(), 2, "{mode}");
        let copies = results(&found).iter().find(|hit| !also_in(hit).is_empty()).expect("the copies");
        assert_eq!(also_in(copies).len(), 129, "{mode}");
    }
    let text = home.ok(&["search", "loom"]).stdout;
    assert!(text.contains(" and 125 more"), "{text}");
}

#[test]
fn one_guide_does_not_crowd_out_the_rest() {
    let home = Sandbox::new();
    let sections: String = (0..40)
        .map(|number| {
            format!(
                "## Loom {number}\n\nLoom number {number}: a loom among looms. {}\n\n",
                "Weaving ".repeat(90 + number)
            )
        })
        .collect();
    home.write("guides/looms.md", format!("# Looms\n\n{sections}"));
    home.write("guides/bread.md", "# Bread\n\nFlour, water, salt.\n");
    let guides = |found: &Value| -> Vec<String> {
        results(found).iter().take(5).filter_map(|hit| hit["path"].as_str().map(str::to_owned)).collect()
    };
    let search = ["search", "which loom among looms", "--guides", "guides", "--min-confidence", "0"];
    let alone = guides(&home.json(&search, 0));
    assert_eq!(alone, ["guides/looms.md"; 5], "nothing else answers");
    home.write(
        "guides/fair.md",
        "# Fair\n\nOf all that stood there somebody asked which loom is for sale.\n",
    );
    let found = guides(&home.json(&search, 0));
    assert!(found.contains(&"guides/fair.md".to_owned()), "{found:?}");
    assert!(!found.contains(&"guides/bread.md".to_owned()), "{found:?}");
}
