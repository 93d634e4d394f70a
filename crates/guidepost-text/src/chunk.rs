//! Sections to chunks: pieces that fit the model together with their heading path.
//!
//! Small sections that stand next to each other below the same heading are gathered first (`gather`), so a chunk may
//! hold several sections but never crosses to another parent. What is longer than a chunk should be is divided (`divide`) between
//! its paragraphs, list items and sentences, and the parts are put together again (`pack`) into chunks of about
//! the same size.

mod divide;
mod gather;
mod pack;
mod ruler;
#[cfg(test)]
mod tests;

use divide::Piece;
use gather::{Stretch, gather};
use pack::pack;
use ruler::Ruler;

use crate::{Chunk, Document, Embed, LineIndex, Span};

/// Names the way text is read and cut. Part of every index's fingerprint: it changes when any chunk would.
pub const CHUNKER: &str = "chunks 3";

/// What is embedded for a chunk: its headings, then its text.
pub fn passage_text(chunk: &Chunk) -> String {
    passage(&chunk.context, &chunk.text)
}

/// Cuts a document, in reading order. Limits are the embedder's own, measured with its own tokenizer.
pub fn chunk_document(document: &Document, embedder: &dyn Embed) -> Vec<Chunk> {
    let lines = LineIndex::new(&document.text);
    let ruler = Ruler::new(&document.text, embedder);
    let mut chunks = Vec::new();
    for stretch in gather(&document.sections, &ruler) {
        chunks.extend(cut(&stretch, &ruler).into_iter().map(|(context, span)| Chunk {
            heading_path: stretch.heading_path.to_vec(),
            context,
            lines: lines.lines(span),
            span,
            text: span.of(&document.text).to_owned(),
        }));
    }
    chunks
}

/// The context and the span of each chunk of a stretch.
fn cut(stretch: &Stretch, ruler: &Ruler) -> Vec<(String, Span)> {
    let context = ruler.context(stretch.heading_path);
    let budget = ruler.budget(&context);
    let (pieces, reserved) = divide::pieces(stretch, ruler, budget);
    let groups = pack(&pieces, budget.saturating_sub(reserved));
    let mut chunks = Vec::new();
    for group in fitting(groups, &context, ruler) {
        let span = span_of(group).trim(ruler.text);
        if span.start < span.end {
            chunks.push((context_of(&context, group, ruler), span));
        }
    }
    chunks
}

/// Tokens of parts need not add up to those of the whole: measures each group as it will be embedded, and halves what
/// turns out too long.
fn fitting<'a>(groups: Vec<&'a [Piece]>, context: &str, ruler: &Ruler) -> Vec<&'a [Piece]> {
    let whole = |group: &&[Piece]| {
        passage(&context_of(context, group, ruler), span_of(group).trim(ruler.text).of(ruler.text))
    };
    let passages: Vec<String> = groups.iter().map(whole).collect();
    let counts = ruler.count(&passages.iter().map(String::as_str).collect::<Vec<_>>());
    let mut fitting = Vec::new();
    for (group, count) in groups.into_iter().zip(counts) {
        if count <= ruler.limit() || group.len() < 2 {
            fitting.push(group);
        } else {
            let (first, second) = group.split_at(group.len() / 2);
            fitting.extend(self::fitting(vec![first, second], context, ruler));
        }
    }
    fitting
}

/// The heading path; before later rows of a table, also the row that says what their cells mean.
fn context_of(context: &str, group: &[Piece], ruler: &Ruler) -> String {
    match group.first().and_then(|piece| piece.header) {
        Some(header) => format!("{context}: {}", header.of(ruler.text).trim_matches(['|', ' ', '\t'])),
        None => context.to_owned(),
    }
}

fn span_of(group: &[Piece]) -> Span {
    match group {
        [] => Span { start: 0, end: 0 },
        [first, .., last] => first.span.join(last.span),
        [only] => only.span,
    }
}

fn passage(context: &str, text: &str) -> String {
    format!("{context}\n{text}")
}
