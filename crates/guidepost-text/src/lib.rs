//! Guides as text: from bytes to [`Document`], [`Section`] and [`Chunk`], and the words every other crate speaks.
//!
//! The data walks one way, and the modules stand in that order:
//!
//! ```text
//! bytes --decode--> text --repair, tidy--> sound text --front_matter--> metadata
//!                                         |
//!                     markdown / plain: sections (heading path, blocks, byte spans)
//!                                         |
//!                     chunk: pieces that fit the model, with their lines
//! ```
//!
//! Nothing here touches the file system, a tensor, a thread or the wire. Odd input is never an error: it becomes
//! plain text and [`Document::warnings`].

mod vocabulary;

mod decode;
mod front_matter;
mod lines;
mod markdown;
mod plain;
mod repair;
mod tidy;

mod chunk;
mod sentence;

mod embed;
mod hash_embedder;

pub use chunk::{CHUNKER, chunk_document, passage_text};
pub use embed::{Embed, EmbedError, Embedding, TextRole};
pub use hash_embedder::HashEmbedder;
pub use lines::LineIndex;
pub use sentence::{begins_anew, list_mark, sentences, words};
pub use vocabulary::{Block, BlockKind, Chunk, Document, Lines, Metadata, Section, Span};

use vocabulary::Format;

/// Reads one guide: decodes, repairs, and cuts it into sections.
///
/// `path` names the guide in citations and its extension chooses the format. Never fails: bytes that are no
/// text give an empty document whose warning says why.
pub fn read_document(path: &str, bytes: &[u8]) -> Document {
    let (text, mut warnings) = read_text(bytes);
    let (metadata, body) = front_matter::split(&text, &mut warnings);
    let sections = match Format::of(path) {
        Format::Markdown => markdown::sections(&text, body),
        Format::Plain => plain::sections(&text, body),
    };
    let mut document = Document { path: path.to_owned(), metadata, text, sections, warnings };
    document.settle_title();
    document
}

/// Decodes, repairs and tidies: the text whose lines and bytes everything else counts. The second part says what could not
/// be read as it stands, one sentence each.
pub fn read_text(bytes: &[u8]) -> (String, Vec<String>) {
    let mut warnings = Vec::new();
    let decoded = decode::decode(bytes, &mut warnings);
    let text = tidy::tidy(repair::repair(decoded, &mut warnings));
    (text, warnings)
}
