//! One text in every format: the outline and the words of every section agree with the Markdown original.

use std::path::PathBuf;

use guidepost_text::{Document, HashEmbedder, chunk_document, read_document, read_text};

fn fixture(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/formats");
    std::fs::read(folder.join(name)).expect("the fixture is there")
}

fn document(name: &str) -> Document {
    let document = read_document(name, &fixture(name));
    assert_eq!(document.warnings, Vec::<String>::new(), "{name}");
    document
}

/// The words of a text, without those that only mark it up: addresses of links, numbers of items, names of languages.
fn words(text: &str) -> Vec<String> {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("http") {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = &rest[rest.find(|c: char| c.is_whitespace() || "[)>`".contains(c)).unwrap_or(rest.len())..];
    }
    plain.push_str(rest);
    let marks = ["1", "2", "3", "4", "python", "code", "source", "arabic", "cols", "options", "header"];
    plain
        .split(|c: char| !c.is_alphanumeric())
        .map(str::to_lowercase)
        .filter(|word| !word.is_empty() && !marks.contains(&word.as_str()))
        .collect()
}

/// Every heading path in order, with the words of all chunks below it.
fn outline(document: &Document) -> Vec<(String, Vec<String>)> {
    let mut outline: Vec<(String, Vec<String>)> = Vec::new();
    for chunk in chunk_document(document, &HashEmbedder) {
        let path = chunk.heading_path.join(" > ");
        let words = words(&chunk.text);
        match outline.last_mut().filter(|(last, _)| *last == path) {
            Some((_, all)) => all.extend(words),
            None => outline.push((path, words)),
        }
    }
    outline
}

#[track_caller]
fn check(name: &str) {
    let (found, expected) = (outline(&document(name)), outline(&document("guide.md")));
    let paths =
        |outline: &[(String, Vec<String>)]| outline.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
    assert_eq!(paths(&found), paths(&expected), "{name}");
    for ((path, found), (_, expected)) in found.iter().zip(&expected) {
        assert_eq!(found.join(" "), expected.join(" "), "{name}, {path}");
    }
}

#[test]
fn every_format_has_the_outline_and_the_words_of_the_original() {
    for name in [
        "pandoc.html",
        "pandoc.docx",
        "pandoc.odt",
        "pandoc.ipynb",
        "pandoc.rst",
        "pandoc.adoc",
        "libreoffice.html",
        "libreoffice.docx",
        "libreoffice.odt",
        "libreoffice.pdf",
        "typst.pdf",
        "chromium.pdf",
    ] {
        check(name);
    }
}

/// All words in reading order, headings included.
fn all_words(document: &Document) -> String {
    words(&document.text).join(" ")
}

#[test]
fn columns_are_read_one_after_the_other() {
    let (found, expected) = (document("columns.pdf"), document("columns.md"));
    let expected = all_words(&expected).replace("data scientist md", "data scientist");
    let expected = ["data engineer md", "sql md"]
        .iter()
        .fold(expected, |text, link| text.replace(link, &link[..link.len() - 3]));
    let (found, expected): (Vec<_>, Vec<_>) = (
        all_words(&found).split(' ').map(str::to_owned).collect(),
        expected.split(' ').map(str::to_owned).collect(),
    );
    // Words that a line divides at their own hyphen lose it: `A/B` and `take-home` stay, `self-\npaced` does not.
    let same = found.iter().filter(|word| expected.contains(word)).count();
    assert!(same * 100 >= found.len() * 98, "{same} of {} words", found.len());
    let order: Vec<usize> =
        expected.windows(4).filter_map(|four| found.windows(4).position(|other| other == four)).collect();
    let forward = order.windows(2).filter(|pair| pair[0] < pair[1]).count();
    assert!(forward * 100 >= expected.len() * 90, "{forward} of {} in order", expected.len());
    assert!(!found.join(" ").contains("year of the analyst"), "a running head was kept");
}

#[test]
fn slides_are_pages_and_books_keep_their_chapters() {
    for name in ["pandoc.pptx", "libreoffice.pptx"] {
        let slides = document(name);
        assert_eq!(slides.pages.len(), 6, "{name}");
        let page = slides.text.lines().position(|line| line == "## Costs").expect("a heading") as u32 + 1;
        assert_eq!(slides.pages.partition_point(|&first| first <= page), 5, "{name}: {:?}", slides.pages);
        let expected = all_words(&document("guide.md"));
        assert_eq!(
            all_words(&slides).replace("becoming a beekeeper slide", "becoming a beekeeper"),
            expected,
            "{name}"
        );
    }
    let book = document("pandoc.epub");
    assert_eq!(book.metadata.author.as_deref(), Some("Guidepost"));
    let expected = all_words(&document("guide.md"));
    assert!(all_words(&book).ends_with(&expected), "{}", book.text);
}

#[test]
fn pages_of_print_are_known() {
    let print = document("typst.pdf");
    assert_eq!(print.metadata.title, "Becoming a Beekeeper");
    let line =
        |text: &str| print.text.lines().position(|line| line.contains(text)).expect("it is there") as u32 + 1;
    for (text, page) in [("# Becoming", 1), ("## Further Reading", 3)] {
        assert_eq!(
            print.pages.partition_point(|&first| first <= line(text)),
            page,
            "{text}: {:?}",
            print.pages
        );
    }
    assert!(!print.text.contains("Spring Edition"), "a running head was kept");
    let print = document("chromium.pdf");
    assert_eq!((print.metadata.title.as_str(), print.pages.len()), ("Becoming a Beekeeper", 2));
    assert!(!print.text.contains("guides.example") && !print.text.contains("AM"), "{}", print.text);
    assert_eq!(print.text.matches("Becoming a Beekeeper").count(), 1, "a running head was kept");
}

#[test]
fn tables_of_values_name_their_columns() {
    assert_eq!(
        document("books.csv").text,
        "- Title: The Quiet Apiary; Author: Hanna Lindqvist; Level: beginner; URL: https://example.org/quiet\n\
         - Title: Swarms, and How to Catch Them; Author: Ole Brandt; Level: advanced\n"
    );
}

#[test]
fn the_text_of_a_citation_is_the_text_of_the_document() {
    for name in ["guide.md", "pandoc.html", "typst.pdf", "pandoc.pptx", "pandoc.epub", "books.csv"] {
        assert_eq!(read_text(name, &fixture(name)).0, document(name).text, "{name}");
    }
}
