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
    // All say the same, and would be one hit.
    for (guide, page, shown) in [
        ("typst.pdf", Some(3), ", p. 3  confidence"),
        ("libreoffice.pptx", Some(6), ", slide 6  confidence"),
        ("pandoc.docx", None, "  confidence"),
        ("pandoc.epub", None, "  confidence"),
        ("pandoc.html", None, "  confidence"),
    ] {
        let question = ["search", "varroa mites in a third winter", "--mode", "bm25", "--path", guide];
        // Checks that `get` prints every cited passage, whatever its format.
        let found = home.json(&question, 0);
        let results = found["results"].as_array().expect("results");
        let holds = |result: &&Value| result["text"].as_str().is_some_and(|text| text.contains("varroa"));
        let answer = results.iter().find(holds).expect("it is found");
        assert_eq!(answer["page"].as_u64(), page, "{answer}");
        let text = home.ok(&question).stdout;
        assert!(text.contains(shown), "{text}");
    }
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
