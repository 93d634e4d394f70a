//! Guides as text: from bytes to [`Document`], [`Section`] and [`Chunk`], and the words every other crate speaks.
//!
//! The data walks one way, and the modules stand in that order:
//!
//! ```text
//! bytes --decode--> text --repair, tidy--> sound text --front_matter--> metadata
//!   |                                     |
//!   formats: a reading, as Markdown       |     (web pages, PDF, Office, books, notebooks, tables)
//!                      \                  |
//!          markdown / plain / asciidoc / rst: sections (heading path, blocks, byte spans)
//!                                         |
//!                     chunk: pieces that fit the model, with their lines
//! ```
//!
//! Nothing here touches the file system, a tensor, a thread or the wire. Odd input is never an error: it becomes
//! plain text and [`Document::warnings`].

mod vocabulary;

mod format;

mod decode;
mod repair;
mod tidy;

mod formats;
mod reading;

mod front_matter;
mod line_outline;
mod lines;
mod markdown;
mod plain;

mod chunk;
mod sentence;
mod wording;

mod resource;
mod resources;

mod embed;
mod generate;
mod hash_embedder;
mod rerank;

mod random;

pub use chunk::{CHUNKER, chunk_document, passage_text};
pub use embed::{Embed, EmbedError, Embedding, KeepTokens, TakeEmbeddings, TextRole, TokenVectors};
pub use format::Format;
pub use generate::{Finish, Generate, GenerateError, GenerateOptions, Generated, Message, Speaker, TakeText};
pub use hash_embedder::HashEmbedder;
pub use lines::LineIndex;
pub use random::Random;
pub use rerank::{Rerank, RerankError};
pub use resource::{Named, Resource, ResourceKind, Role};
pub use resources::{Cited, FINDER, Profile, named, profile, tool_name};
pub use sentence::{begins_anew, list_mark, sentences, words};
pub use vocabulary::{Block, BlockKind, Chunk, Document, Lines, Metadata, Section, Span};
pub use wording::Wording;

use formats::{asciidoc, rst};
use markdown::Source;
use reading::Reading;

/// Reads one guide: decodes, repairs, and cuts it into sections.
///
/// `path` names the guide in citations and its extension chooses the format. Never fails: bytes that are not what the
/// format says give an empty document whose warning says why.
pub fn read_document(path: &str, bytes: &[u8]) -> Document {
    let format = Format::of(path).unwrap_or(Format::Plain);
    let Reading { text, pages, mut metadata, mut warnings } = formats::read(format, bytes);
    let mut body = 0;
    if format.is_text() {
        (metadata, body) = front_matter::split(&text, &mut warnings);
    }
    let sections = match format {
        Format::Plain => plain::sections(&text, body),
        Format::AsciiDoc => asciidoc::sections(&text, body),
        Format::ReStructuredText => rst::sections(&text, body),
        Format::Markdown => markdown::sections(&text, &Source::of_dialects(&text, body)),
        _ => markdown::sections(&text, &Source::verbatim(&text, body)),
    };
    let mut document = Document { path: path.to_owned(), metadata, text, pages, sections, warnings };
    document.settle_title();
    document
}

/// The text of a guide whose lines and bytes everything else counts: what the file says, decoded, repaired and tidied, or its
/// reading as Markdown where it is no file of text. Equal bytes give equal texts. The second part says what could not
/// be read as it stands, one sentence each.
pub fn read_text(path: &str, bytes: &[u8]) -> (String, Vec<String>) {
    let Reading { text, warnings, .. } = formats::read(Format::of(path).unwrap_or(Format::Plain), bytes);
    (text, warnings)
}
