//! Formats, through the binary: what is found in a book or in print is cited so that it can be looked up.

use std::fs;

use serde_json::Value;

use crate::sandbox::{Sandbox, checkout};

fn library() -> Sandbox {
    let home = Sandbox::new();
    for name in ["typst.pdf", "pandoc.docx", "pandoc.html", "libreoffice.pptx", "pandoc.epub", "books.csv"] {
        let bytes =
            fs::read(checkout().join("tests/fixtures/formats").join(name)).expect("the fixture is there");
        home.write(&format!("guides/{name}"), bytes);
    }
    home
}

#[test]
fn every_kind_of_guide_is_taken_and_counted() {
    let home = library();
    let built = home.json(&["index", "guides"], 0);
    assert_eq!(built["warnings"], serde_json::json!([]));
    assert_eq!(
        built["formats"],
        serde_json::json!({"CSV": 1, "DOCX": 1, "EPUB": 1, "HTML": 1, "PDF": 1, "PPTX": 1})
    );
    let again = home.ok(&["index"]);
    assert!(again.stdout.contains("1 CSV, 1 DOCX, 1 EPUB, 1 HTML, 1 PDF, 1 PPTX"), "{}", again.stdout);
}

#[test]
fn passages_of_print_and_slides_are_cited_by_page() {
    let home = library();
    home.ok(&["index", "guides"]);
    let question = ["search", "varroa mites in a third winter", "--mode", "bm25", "-n", "10"];
    // Checks that `get` prints every cited passage, whatever its format.
    let found = home.json(&question, 0);
    let results = found["results"].as_array().expect("results");
    let holds = |result: &&Value| result["text"].as_str().is_some_and(|text| text.contains("varroa"));
    let answers: Vec<&Value> = results.iter().filter(holds).collect();
    assert_eq!(answers.len(), 5, "{found}");
    for result in answers {
        let page = match result["path"].as_str() {
            Some("guides/typst.pdf") => Some(3),
            Some("guides/libreoffice.pptx") => Some(6),
            _ => None,
        };
        assert_eq!(result["page"].as_u64(), page, "{result}");
    }
    let shown = home.ok(&question).stdout;
    assert!(shown.contains(", p. 3  confidence") && shown.contains(", slide 6  confidence"), "{shown}");
}

#[test]
fn a_row_of_a_table_is_found_by_its_author() {
    let home = library();
    let found = home.json(&["search", "Ole Brandt", "--guides", "guides", "--mode", "bm25", "-n", "1"], 0);
    assert_eq!(found["results"][0]["path"], "guides/books.csv");
    let citation = "guides/books.csv:2";
    assert_eq!(
        home.ok(&["get", citation]).stdout,
        "- Title: Swarms, and How to Catch Them; Author: Ole Brandt; Level: advanced\n"
    );
}
