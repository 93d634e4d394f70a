//! Readers of formats that are no lines of text: each turns bytes into a [`Reading`]. Formats whose own lines are the
//! text ([`asciidoc`], [`rst`]) only need their headings told.
//!
//! Every reader is bounded in time and memory by the size of its file and by fixed limits, and none fails: what cannot
//! be read is a warning.

pub(crate) mod asciidoc;
pub(crate) mod rst;

mod archive;
mod csv;
mod docx;
mod epub;
mod html;
mod html_tags;
mod notebook;
mod odt;
mod pdf;
mod pdf_bounds;
mod pdf_layout;
mod pptx;
mod xml;

use archive::Archive;

use crate::reading::Reading;
use crate::{Format, Metadata, decode, repair};

/// Reads a file as text.
pub(crate) fn read(format: Format, bytes: &[u8]) -> Reading {
    match format {
        Format::Markdown | Format::AsciiDoc | Format::ReStructuredText | Format::Plain => lines(bytes),
        Format::Html => from_lines(decode::decode_html, bytes, html::read),
        Format::Csv => from_lines(decode::decode, bytes, csv::read),
        Format::Notebook => from_lines(decode::decode, bytes, notebook::read),
        Format::Docx => docx::read(bytes),
        Format::Pptx => pptx::read(bytes),
        Format::Odt => odt::read(bytes),
        Format::Epub => epub::read(bytes),
        Format::Pdf => pdf::read(bytes),
    }
}

/// The file's own lines.
fn lines(bytes: &[u8]) -> Reading {
    from_lines(decode::decode, bytes, |text| Reading { text: text.to_owned(), ..Reading::default() })
}

/// Decodes, lets the reader of the format go on, and repairs what it read: what stands for characters in the source of a
/// page or a notebook is no text yet, and repair would take some of it for damage.
fn from_lines(
    decode: fn(&[u8], &mut Vec<String>) -> String,
    bytes: &[u8],
    read: fn(&str) -> Reading,
) -> Reading {
    let mut warnings = Vec::new();
    let mut reading = read(&decode(bytes, &mut warnings));
    reading.text = repair::repair(&reading.text, &mut warnings);
    reading.metadata.title = repair::repair(&reading.metadata.title, &mut Vec::new());
    warnings.append(&mut reading.warnings);
    Reading { warnings, ..reading }
}

/// What an Office document says of itself. A title that stands in the document wins over the one in its properties,
/// which is often that of the document it was copied from.
fn core_metadata(archive: &mut Archive, title: Option<String>) -> Metadata {
    let core = archive.xml("docProps/core.xml").unwrap_or_default();
    let [named, author, modified, created] = xml::texts(&core, ["title", "creator", "modified", "created"]);
    Metadata {
        title: title.or(named).unwrap_or_default(),
        author,
        date: modified.or(created),
        ..Metadata::default()
    }
}
