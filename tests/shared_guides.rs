//! Five real guides as their owner supplied them, where they are at hand: mojibake of three kinds, a scraped page
//! without heading marks, a markmap outline. `GUIDEPOST_SHARED_GUIDES` names their folder.

use std::path::PathBuf;

use serde_json::Value;

use crate::real_model::{real_home, with_real_model};
use crate::sandbox::{Run, Sandbox, check_citations, checkout, is_committed, skipped};

fn folder() -> Option<PathBuf> {
    std::env::var_os("GUIDEPOST_SHARED_GUIDES").map(PathBuf::from).filter(|folder| folder.is_dir())
}

/// Characters that only mojibake puts together, of all three kinds in the guides.
const MOJIBAKE: [&str; 9] = ["â€", "ğŸ", "ðŸ", "ï¸", "‚Ä", "√", "üß", "π", "β"];

#[test]
fn damaged_guides_are_repaired_and_their_headings_found() {
    let Some(folder) = folder() else {
        return skipped("damaged_guides", "GUIDEPOST_SHARED_GUIDES is not set");
    };
    let home = Sandbox::new();
    home.ok(&[&"index".into(), &folder.into_os_string()]);
    for guide in ["ai-and-machine-learning.txt", "ai-engineer-and-python-developer.md", "ai-everywhere.md"] {
        let text = home.ok(&["get", guide]).stdout;
        for sign in MOJIBAKE {
            assert!(!text.contains(sign), "`{sign}` in {guide}");
        }
    }
    let headings = |query: &str| -> Vec<String> {
        let found = home.json(&["search", query, "--mode", "bm25", "-n", "3", "--min-confidence", "0"], 0);
        let path = |hit: &Value| {
            hit["heading_path"].as_array().map(|path| {
                path.iter().map(|h| h.as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>().join(" > ")
            })
        };
        found["results"].as_array().expect("results").iter().filter_map(path).collect()
    };
    let scraped = headings("fruits spam detector");
    assert_eq!(scraped[0], "AI & Machine Learning: Building the Future > Projects to Build");
    let outline = headings("Seaborn");
    assert!(outline.iter().any(|path| path.ends_with("Data & Analytics > 📈 Data Analyst")), "{outline:?}");
}

#[test]
fn real_questions_find_their_passage_among_the_first_three() {
    let Some(folder) = folder() else {
        return skipped("real_questions", "GUIDEPOST_SHARED_GUIDES is not set");
    };
    if !with_real_model("real_questions") {
        return;
    }
    let home = Sandbox::new();
    for (question, expected) in [
        ("which certification fits SQL?", "Azure Data Fundamentals"),
        ("what does a site reliability engineer care about", "observability"),
        ("easy first project for a machine learning beginner", "spam detector"),
        ("book by Francois Chollet", "Deep Learning with Python"),
        ("who uses Seaborn?", "Seaborn"),
        ("what should a junior AI engineer be able to do", "Implement and fine-tune models"),
        ("how do I show a model can be trusted in healthcare", "healthcare"),
        ("where do robots and ROS fit in", "ROS"),
    ] {
        let mut command = home.command(&["search", question, "-n", "3", "--json", "--guides"]);
        let run = Run::of(real_home(command.arg(&folder)));
        let found: Value = serde_json::from_str(&run.stdout).expect("valid JSON");
        check_citations(&found, |path| home.ok(&["get", path]).stdout);
        let texts: Vec<&str> = found["results"]
            .as_array()
            .expect("results")
            .iter()
            .filter_map(|hit| hit["text"].as_str())
            .collect();
        assert!(texts.iter().any(|text| text.contains(expected)), "{question}: {texts:#?}");
        assert!(MOJIBAKE.iter().all(|sign| !run.stdout.contains(sign)), "{}", run.stdout);
    }
}

#[test]
fn outlines_and_resources_are_those_checked_by_hand() {
    let Some(folder) = folder() else {
        return skipped("outlines_and_resources", "GUIDEPOST_SHARED_GUIDES is not set");
    };
    let home = Sandbox::new();
    let mut differ = Vec::new();
    for guide in [
        "ai-and-machine-learning.txt",
        "ai-engineer-and-python-developer.md",
        "ai-engineer-roadmap-2025.md",
        "ai-everywhere.md",
        "high-demand-skills.md",
    ] {
        let path = folder.join(guide);
        let run = home.ok(&["read".as_ref(), path.as_os_str(), "--json".as_ref()]);
        let read: Value = serde_json::from_str(&run.stdout).expect("valid JSON");
        let drawn = draw(&read);
        let expected = checkout().join(format!("tests/fixtures/scraped/{guide}.outline"));
        if !is_committed(&expected, &drawn) {
            differ.push(format!("{}:\n{drawn}", expected.display()));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

/// Headings with their lines, indented; then what is named, with its line.
fn draw(read: &Value) -> String {
    let list = |key: &str| read[key].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut drawn = format!("title: {}\n\noutline\n", text(&read["metadata"]["title"]));
    for heading in list("outline") {
        let indent = "  ".repeat(heading["depth"].as_u64().unwrap_or(0) as usize);
        drawn += &format!("{:>4} {indent}{}\n", heading["line"], text(&heading["heading"]));
    }
    drawn += "\nresources\n";
    for resource in list("resources") {
        let more = ["by", "url", "price", "level"].map(|key| &resource[key]);
        let more: String =
            more.into_iter().filter_map(Value::as_str).map(|said| format!(" | {said}")).collect();
        drawn += &format!(
            "{:>4} {}: {}{more} | for {}\n",
            resource["lines"]["first"],
            text(&resource["kind"]),
            text(&resource["title"]),
            text(&resource["serves"])
        );
    }
    drawn += "\nroles\n";
    for role in list("roles") {
        let only = if role["described"] == true { "" } else { " (only named)" };
        drawn += &format!("{:>4} {}{only}\n", role["lines"]["first"], text(&role["name"]));
    }
    drawn
}
