//! Files that are damaged, or made to do harm: each is read to an end, and what it lacks is a warning.

use std::io::{Cursor, Write};
use std::path::PathBuf;

use guidepost_text::{Document, HashEmbedder, chunk_document, read_document};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Reads and cuts, as indexing does.
fn read(name: &str, bytes: &[u8]) -> Document {
    let document = read_document(name, bytes);
    chunk_document(&document, &HashEmbedder);
    document
}

#[track_caller]
fn warns(name: &str, bytes: &[u8], part: &str) {
    let document = read(name, bytes);
    assert!(document.warnings.iter().any(|w| w.contains(part)), "no `{part}` in {:?}", document.warnings);
}

/// A small generator of numbers: the same ones in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).expect("memory is writable");
        zip.write_all(text.as_bytes()).expect("memory is writable");
    }
    zip.finish().expect("memory is writable").into_inner()
}

const EXTENSIONS: [&str; 13] =
    ["md", "txt", "adoc", "rst", "html", "csv", "tsv", "ipynb", "docx", "pptx", "odt", "epub", "pdf"];

#[test]
fn damaged_files_of_every_kind_are_read_to_an_end() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/formats");
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    for name in [
        "pandoc.html",
        "pandoc.docx",
        "pandoc.odt",
        "pandoc.epub",
        "pandoc.pptx",
        "pandoc.ipynb",
        "typst.pdf",
        "libreoffice.pdf",
        "chromium.pdf",
    ] {
        let whole = std::fs::read(folder.join(name)).expect("the fixture is there");
        for step in 0..24 {
            read(name, &whole[..whole.len() * step / 24]);
            let mut damaged = whole.clone();
            for _ in 0..1 + step {
                let at = numbers.next() as usize % damaged.len();
                damaged[at] = numbers.next() as u8;
            }
            read(name, &damaged);
        }
    }
}

#[test]
fn bytes_that_mean_nothing_are_read_under_every_name() {
    let mut numbers = Numbers(42);
    let noise: Vec<u8> = (0..20_000).map(|_| numbers.next() as u8).collect();
    for extension in EXTENSIONS {
        let name = format!("noise.{extension}");
        for bytes in [
            &b""[..],
            b"\0",
            b"PK\x03\x04",
            b"%PDF-1.7\n",
            b"\xff\xfe\x00\xd8\x00",
            b"\xfe\xff\xd8",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            &noise,
            &[0; 5_000],
            &[b'<'; 5_000],
            &[b'\n'; 5_000],
        ] {
            read(&name, bytes);
        }
    }
}

#[test]
fn archives_that_unpack_without_end_are_refused() {
    let bomb = " ".repeat(40 << 20);
    for (name, part) in [
        ("bomb.docx", "word/document.xml"),
        ("bomb.pptx", "ppt/presentation.xml"),
        ("bomb.odt", "content.xml"),
        ("bomb.epub", "META-INF/container.xml"),
    ] {
        let bytes = archive(&[(part, &bomb)]);
        assert!(bytes.len() < 1 << 20);
        warns(name, &bytes, "nothing was read from it");
    }
}

#[test]
fn entities_and_depth_do_no_harm() {
    let entities = "<!DOCTYPE w [<!ENTITY a \"ha ha ha\"><!ENTITY b \"&a;&a;&a;&a;\">]><w:document><w:p><w:r>\
                    <w:t>&b;&b;sound</w:t></w:r></w:p></w:document>";
    let document = read("entities.docx", &archive(&[("word/document.xml", entities)]));
    assert_eq!(document.text, "sound\n");
    for open in ["<w:tbl>", "<w:p>", "<w:t>", "<w:del>"] {
        read("deep.docx", &archive(&[("word/document.xml", &open.repeat(300_000))]));
    }
    for open in ["<text:list>", "<text:list-item>", "<table:table>", "<text:note-body>"] {
        read("deep.odt", &archive(&[("content.xml", &open.repeat(300_000))]));
    }
    for line in ["> ", "- ", "[", "*a ", "`", "<b>", "| "] {
        read("deep.md", line.repeat(20_000).as_bytes());
    }
    for lines in [
        "<A>\n",
        "<A {\n",
        "</A",
        "import {\n\n",
        "export const a = [\n\n",
        "!!! a\n    ",
        "{/*\n",
        "[[a](",
        "\t<A>\n",
    ] {
        read("deep.mdx", format!("{}</A>\n", lines.repeat(20_000)).as_bytes());
    }
    for line in ["<div>", "<ul><li>", "<table><tr><td>", "<b><p>", "<blockquote>", "<a b=c "] {
        read("deep.html", line.repeat(50_000).as_bytes());
        read("deep.html", format!("<table>{}", line.repeat(50_000)).as_bytes());
    }
}

#[test]
fn tables_do_not_grow_without_end() {
    let names: Vec<String> = (0..2_000).map(|n| format!("{n}{}", "x".repeat(50))).collect();
    let row = vec!["1"; 2_000].join(",");
    let table = format!("{}\n{}", names.join(","), format!("{row}\n").repeat(500));
    let document = read_document("wide.csv", table.as_bytes());
    assert!(document.text.len() <= 16 << 20);
    assert!(document.warnings[0].contains("only the first 16 MB"), "{:?}", document.warnings);
}

#[test]
fn tables_with_one_wide_row_do_not_grow_without_end() {
    let cells = "<w:tc></w:tc>".repeat(50_000);
    let rows = "<w:tr><w:tc><w:p><w:t>x</w:t></w:p></w:tc></w:tr>".repeat(50_000);
    let table = format!("<w:tbl><w:tr>{cells}</w:tr>{rows}</w:tbl>");
    warns("wide.docx", &archive(&[("word/document.xml", &table)]), "only the first 16 MB");
}

#[test]
fn aliases_of_front_matter_do_not_multiply() {
    let text = format!("---\na: &a [{}]\nb: [{}]\n---\nbody", "x,".repeat(10_000), "*a,".repeat(10_000));
    warns("alias.md", text.as_bytes(), "aliases");
    read("endless.md", format!("---\n{}---\n", "a: [\n".repeat(1_000_000)).as_bytes());
}

#[test]
fn every_document_has_a_title_in_one_line() {
    for (name, text, title) in [
        ("a.md", "---\ntitle: |\n  two\n  lines\n---\n", "two lines"),
        ("a-b.txt", "# \u{200b}\ntext", "A b"),
        ("a-b.md", "---\ntitle: ' '\n---\n", "A b"),
    ] {
        assert_eq!(read(name, text.as_bytes()).metadata.title, title);
    }
}

/// What looks back or ahead at every step takes a time that grows with the square of the file; these would take minutes or hours.
#[test]
fn files_that_begin_something_again_and_again_are_read_to_an_end() {
    let delimiters: String = (4..1_000).map(|length| "-".repeat(length) + "\n").collect();
    for (name, text) in [
        ("names.html", "<a".repeat(500_000)),
        ("anchors.md", "\u{200b}".repeat(1_000_000) + "x"),
        ("spaces.md", " ".repeat(1_000_000) + &"\u{a0}".repeat(1_000_000)),
        ("quotations.md", "> ".repeat(300_000) + &" ".repeat(1_000_000)),
        ("outline.md", format!("```markmap\n{}", "- ".repeat(100_000)) + &" ".repeat(1_000_000)),
        ("blank.rst", "x\n".to_owned() + &"\n".repeat(1_000_000)),
        ("blocks.adoc", delimiters + &"\n".repeat(1_000_000)),
        ("forms.pdf", "/Form stream\n".repeat(300_000)),
    ] {
        read(name, text.as_bytes());
    }
    let slides = "<p:sldId r:id=\"r\"/>".repeat(1_000_000);
    let relations = "<R><Relationship Id=\"r\" Target=\"s.xml\"/></R>";
    let parts = [
        ("ppt/presentation.xml", &*slides),
        ("ppt/_rels/presentation.xml.rels", relations),
        ("ppt/s.xml", "<s/>"),
    ];
    assert_eq!(read("again.pptx", &archive(&parts)).pages, [1]);
}

#[test]
fn equal_bytes_give_equal_readings() {
    let relations: String =
        (0..40).map(|n| format!("<Relationship Id=\"{n}\" Target=\"../notesSlides/{n}.xml\"/>")).collect();
    let notes: Vec<(String, String)> = (0..40)
        .map(|n| (format!("ppt/notesSlides/{n}.xml"), format!("<a:p><a:t>note {n}</a:t></a:p>")))
        .collect();
    let mut parts = vec![
        ("ppt/presentation.xml", "<p:sldId r:id=\"r\"/>"),
        ("ppt/_rels/presentation.xml.rels", "<Relationship Id=\"r\" Target=\"slides/s.xml\"/>"),
        ("ppt/slides/s.xml", "<s/>"),
        ("ppt/slides/_rels/s.xml.rels", &relations),
    ];
    parts.extend(notes.iter().map(|(name, xml)| (name.as_str(), xml.as_str())));
    let bytes = archive(&parts);
    let text = read("notes.pptx", &bytes).text;
    assert!(text.contains("note 0"), "{text}");
    for _ in 0..8 {
        assert_eq!(read("notes.pptx", &bytes).text, text);
    }
}

/// A PDF of these objects, with one page whose content is given.
fn pdf(objects: &[&str]) -> Vec<u8> {
    let mut bytes = b"%PDF-1.4\n".to_vec();
    for (at, object) in objects.iter().enumerate() {
        bytes.extend(format!("{} 0 obj\n{object}\nendobj\n", at + 1).bytes());
    }
    bytes.extend(b"trailer << /Root 1 0 R /Size 20 >>\n%%EOF\n");
    bytes
}

#[test]
fn pdf_objects_that_lead_back_to_themselves_are_read_to_an_end() {
    let catalog = "<< /Type /Catalog /Pages 2 0 R >>";
    let stream =
        |dict: &str, data: &str| format!("<< /Length {} {dict} >>\nstream\n{data}\nendstream", data.len());
    // Pages whose children are their parents.
    read("tree.pdf", &pdf(&[catalog, "<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>"]));
    read("tree.pdf", &pdf(&["1 0 R", "<< /Type /Pages /Kids 2 0 R /Parent 2 0 R >>"]));
    let pages = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>";
    let page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Contents 4 0 R /Resources << /XObject << /A 5 0 R /B 5 0 R >> >> >>";
    // A form that draws itself, twice.
    let calls = stream("", "/A Do /B Do");
    let form = stream(
        "/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /A 5 0 R /B 5 0 R >> >>",
        "/A Do /B Do",
    );
    read("forms.pdf", &pdf(&[catalog, pages, page, &calls, &form]));
    // Twelve forms, each of which draws the next twenty times.
    let forms: Vec<String> = (0..12)
        .map(|at| {
            let resources = format!(
                "/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /A {} 0 R >> >>",
                at + 6
            );
            stream(&resources, &"/A Do ".repeat(20))
        })
        .collect();
    let mut objects = vec![catalog, pages, page, calls.as_str()];
    objects.extend(forms.iter().map(String::as_str));
    warns("forms.pdf", &pdf(&objects), "asks for too much");
    // Objects that do not end.
    for object in
        ["\n1 0 obj<</A(", "\n1 0 obj(", "\n<< (", "\n1 0 obj\n<</Length ", "% 1 0 obj [\n", "\n1 0 obj ["]
    {
        let bytes = format!("%PDF-1.7\n{}", object.repeat(200_000));
        warns("open.pdf", bytes.as_bytes(), "nothing was read from it");
    }
    // A form that draws itself a thousand times.
    let form = stream("/Type /XObject /Subtype /Form /BBox [0 0 9 9]", &"/A Do ".repeat(1_000));
    warns("forms.pdf", &pdf(&[catalog, pages, page, &calls, &form]), "asks for too much");
}
