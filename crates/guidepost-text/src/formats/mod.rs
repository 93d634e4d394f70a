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

use std::mem;

use archive::Archive;

use crate::reading::Reading;
use crate::{Format, Metadata, decode, repair, tidy};

/// Reads a file as text, repairs and tidies it.
pub(crate) fn read(format: Format, bytes: &[u8]) -> Reading {
    let mut reading = match format {
        Format::Markdown | Format::AsciiDoc | Format::ReStructuredText | Format::Plain => lines(bytes),
        Format::Html => decoded(decode::decode_html, bytes, html::read),
        Format::Csv => decoded(decode::decode, bytes, csv::read),
        Format::Notebook => decoded(decode::decode, bytes, notebook::read),
        Format::Docx => docx::read(bytes),
        Format::Pptx => pptx::read(bytes),
        Format::Odt => odt::read(bytes),
        Format::Epub => epub::read(bytes),
        Format::Pdf => pdf::read(bytes),
    };
    // Not before: what stands for characters in the source of a page or a notebook is no text yet, and repair would take
    // some of it for damage.
    reading.text = tidy::tidy(repair::repair(reading.text, &mut reading.warnings));
    let title = mem::take(&mut reading.metadata.title);
    reading.metadata.title = tidy::tidy(repair::repair(title, &mut Vec::new()));
    reading
}

/// The file's own lines.
fn lines(bytes: &[u8]) -> Reading {
    let mut warnings = Vec::new();
    Reading { text: decode::decode(bytes, &mut warnings), warnings, ..Reading::default() }
}

/// Decodes, and lets the reader of the format go on.
fn decoded(
    decode: fn(&[u8], &mut Vec<String>) -> String,
    bytes: &[u8],
    read: fn(&str) -> Reading,
) -> Reading {
    let mut warnings = Vec::new();
    let mut reading = read(&decode(bytes, &mut warnings));
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
