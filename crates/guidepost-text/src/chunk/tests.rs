//! What must hold for every text, and what chunks look like.

use proptest::prelude::*;

use super::*;
use crate::{EmbedError, Embedding, HashEmbedder, TextRole, read_document};

/// A model with a short limit that reads bytes: every way of dividing is needed, and no token is free.
struct Bytes;

impl Embed for Bytes {
    fn fingerprint(&self) -> &str {
        "bytes"
    }

    fn dimensions(&self) -> usize {
        1
    }

    fn max_tokens(&self) -> usize {
        96
    }

    fn count_tokens(&self, texts: &[&str]) -> Vec<usize> {
        texts.iter().map(|text| text.len() + 2).collect()
    }

    fn embed(&self, _: &[&str], _: TextRole, _: &dyn Fn(usize)) -> Result<Vec<Embedding>, EmbedError> {
        Ok(Vec::new())
    }
}

fn check_invariants(path: &str, bytes: &[u8]) {
    let document = read_document(path, bytes);
    for embedder in [&HashEmbedder as &dyn Embed, &Bytes] {
        let chunks = chunk_document(&document, embedder);
        check_places(&document, &chunks);
        check_cover(&document, &chunks);
        for chunk in &chunks {
            let tokens = embedder.count_tokens(&[&passage_text(chunk)])[0];
            assert!(tokens <= embedder.max_tokens(), "{tokens} tokens in {chunk:?}");
        }
    }
}

/// Chunks stand in order and say where they are; spans on character boundaries, or the slice would panic.
fn check_places(document: &Document, chunks: &[Chunk]) {
    let lines = LineIndex::new(&document.text);
    let mut end = 0;
    for chunk in chunks {
        assert_eq!(chunk.span.of(&document.text), chunk.text);
        assert!(chunk.span.start >= end, "chunks overlap or go back: {chunk:?}");
        end = chunk.span.end;
        let got = lines.span(chunk.lines).expect("a chunk's lines exist").of(&document.text);
        assert!(got.contains(&chunk.text), "lines {:?} do not hold the chunk", chunk.lines);
    }
}

/// Every letter of a section is in a chunk, and that chunk's path is the section's or leads to it.
fn check_cover(document: &Document, chunks: &[Chunk]) {
    for section in &document.sections {
        for block in &section.blocks {
            for (at, letter) in block.span.of(&document.text).char_indices() {
                let at = block.span.start + at;
                let holder = chunks.partition_point(|chunk| chunk.span.end <= at);
                let holder = chunks.get(holder).filter(|chunk| chunk.span.start <= at);
                let shares =
                    holder.is_some_and(|chunk| section.heading_path.starts_with(&chunk.heading_path));
                assert!(shares || letter.is_whitespace(), "{letter:?} at {at} of {section:?}: {holder:?}");
            }
        }
    }
}

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

#[test]
fn odd_texts_hold_the_invariants() {
    for text in [
        String::new(),
        "word ".repeat(2000),
        "\u{200b}".repeat(5000),
        "日本語の文章。".repeat(500),
        format!("# {}\ntext", "very long heading ".repeat(200)),
        format!("# {}\ntext", "長い見出し".repeat(200)),
        format!(
            "```markmap\n{}```\n",
            (0..60).map(|n| format!("{}- level {n}\n", "  ".repeat(n))).collect::<String>()
        ),
        format!("```\n{}```\n", "let x = 1; // one line of code\n".repeat(200)),
        format!("- {}\n- b", "item ".repeat(700)),
        "👩‍👩‍👧‍👦".repeat(3000),
        format!("e{}", "\u{301}".repeat(3000)),
        "| a | b |\n|---|---|\n".to_owned() + &"| cell one | cell two |\n".repeat(300),
        format!("| {} |\n|---|\n{}", "long header ".repeat(100), "| cell |\n".repeat(300)),
        "no capitals and no end; ".repeat(500),
        "# A\n\n# A\n\n## B\n\n# A\n\nx\n\n## B\ny\n\n# A\n\n".to_owned(),
    ] {
        check_invariants("guide.md", text.as_bytes());
        check_invariants("guide.txt", text.as_bytes());
    }
}

proptest! {
    #[test]
    fn any_text_holds_the_invariants(text in "([#*`|>-]{0,3} ?[a-zA-Zé日 .!?\n]{0,60}\n?){0,40}") {
        check_invariants("guide.md", text.as_bytes());
        check_invariants("guide.txt", text.as_bytes());
    }

    #[test]
    fn any_outline_holds_the_invariants(sections in proptest::collection::vec((1usize..5, "[A-C]", "([a-z]{1,9} ){0,60}"), 0..20)) {
        let section = |(level, heading, text): (usize, String, String)| {
            format!("{} {heading}\n\n{text}\n\n", "#".repeat(level))
        };
        let text: String = sections.into_iter().map(section).collect();
        check_invariants("guide.md", text.as_bytes());
    }

    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        check_invariants("guide.md", &bytes);
        check_invariants("guide.txt", &bytes);
    }
}
