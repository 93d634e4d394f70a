//! What chunks look like. What must hold for every text is in `tests/any_bytes.rs`.

use super::*;
use crate::{HashEmbedder, read_document};

/// Context and text of each chunk.
#[track_caller]
fn check(text: &str, expected: &[(&str, &str)]) {
    let document = read_document("guide.md", text.as_bytes());
    let chunks = chunk_document(&document, &HashEmbedder);
    let drawn: Vec<_> = chunks.iter().map(|chunk| (chunk.context.as_str(), chunk.text.as_str())).collect();
    assert_eq!(drawn, expected);
}

fn words(count: usize) -> String {
    (0..count).map(|n| format!("w{n} ")).collect::<String>().trim_end().to_owned()
}

#[test]
fn a_section_that_fits_is_one_chunk() {
    let long = words(60);
    check(
        &format!("# Title\n\n{long}\n\n## A\n\n{long}\n\n- two\n- three\n\n## Alone\n"),
        &[
            ("Title", &long),
            ("Title > A", &format!("{long}\n\n- two\n- three")),
            ("Title > Alone", "## Alone"),
        ],
    );
}

#[test]
fn small_siblings_are_gathered_below_their_parent() {
    check("# T\n\nintro\n\n## A\n\none\n\n## B\n\ntwo\n", &[("T", "intro\n\n## A\n\none\n\n## B\n\ntwo")]);
    let long = words(50);
    check(
        &format!(
            "# T\n\n## A\n\n### A1\none\n\n### A2\ntwo\n\n## B\n\n{long}\n\n### B1\nthree\n\n### B2\nfour"
        ),
        &[
            ("T > A", "### A1\none\n\n### A2\ntwo"),
            ("T > B", &long),
            ("T > B", "### B1\nthree\n\n### B2\nfour"),
        ],
    );
    // Small, but alone below their parents.
    check(
        &format!("# T\n\n## A\n\n{long}\n\n### A1\none\n\n## B\n\n{long}"),
        &[("T > A", &long), ("T > A > A1", "one"), ("T > B", &long)],
    );
    check(
        "# T\n```markmap\n- Data\n  - Analyst\n    - Seaborn\n  - Engineer\n    - Spark\n```\n",
        &[("T > Data > Analyst", "- Seaborn"), ("T > Data > Engineer", "- Spark")],
    );
}

#[test]
fn gathering_ends_before_it_makes_long_chunks() {
    let text: String = (0..8).map(|n| format!("## S{n}\n{}\n\n", words(19))).collect();
    let document = read_document("guide.md", format!("# T\n\n{text}").as_bytes());
    let sizes: Vec<usize> = chunk_document(&document, &HashEmbedder)
        .iter()
        .map(|chunk| chunk.text.matches("## ").count())
        .collect();
    assert_eq!(sizes, [3, 3, 2]);
}

#[test]
fn long_sections_are_cut_between_sentences_into_even_parts() {
    let sentence = "Every word of this sentence counts as one token here. ";
    let document = read_document("guide.md", format!("# T\n\n{}", sentence.repeat(26)).as_bytes());
    let chunks = chunk_document(&document, &HashEmbedder);
    assert_eq!(chunks.len(), 2);
    assert!(chunks.iter().all(|chunk| chunk.text.starts_with("Every") && chunk.text.ends_with("here.")));
    assert!(chunks[0].text.len().abs_diff(chunks[1].text.len()) <= 2 * sentence.len());
}

#[test]
fn cuts_go_between_paragraphs_rather_than_sentences() {
    let paragraph = |n: usize| format!("P{n} begins. {}.", words(150));
    let text = format!("# T\n\n{}\n\n{}\n\n{}", paragraph(1), paragraph(2), paragraph(3));
    let expected: Vec<String> = (1..4).map(paragraph).collect();
    check(&text, &expected.iter().map(|text| ("T", text.as_str())).collect::<Vec<_>>());
}

#[test]
fn parts_of_a_table_know_its_header() {
    let row = "| cell number one | cell number two |\n";
    let text = format!("# T\n\n| Tool | Price |\n|---|---|\n{}", row.repeat(60));
    let document = read_document("guide.md", text.as_bytes());
    let chunks = chunk_document(&document, &HashEmbedder);
    assert!(chunks.len() > 1);
    assert_eq!(chunks[0].context, "T");
    assert!(chunks[0].text.starts_with("| Tool | Price |"));
    for chunk in &chunks[1..] {
        assert_eq!(chunk.context, "T: Tool | Price");
        assert!(chunk.text.starts_with("| cell") && chunk.text.ends_with('|'));
    }
}

#[test]
fn code_stays_whole_when_it_fits() {
    let code = format!("```\n{}```", "let x = one_line(of, code);\n".repeat(40));
    check(&format!("# T\n\n{code}\n"), &[("T", &code)]);
}
