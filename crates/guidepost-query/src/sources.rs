//! What a language model reads before it answers: the best passages, numbered, within a budget of tokens.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use guidepost_index::{ChunkId, IndexError, Passage, Snapshot};
use guidepost_text::Lines;

use crate::Hit;

/// A numbered source: a section, or a passage of one that is too long.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// As citations name it, from 1.
    pub number: usize,
    /// The best hit in it, by its place among the hits.
    pub hit: usize,
    /// Where it stands in the guide.
    pub lines: Lines,
    /// From the guide's title down.
    pub heading_path: Vec<String>,
    /// Verbatim.
    pub text: String,
}

/// Share of what is left that the whole section of a hit may take; where it takes more, the passage alone is read.
const SECTION_SHARE: f32 = 0.5;

/// The sources that hits lead to, best first, at most so many, as far as they fit into a budget of tokens together; `count` counts
/// those of a text. The section of a hit is read whole where there is room, so that the model sees what a passage leaves unsaid.
///
/// # Errors
/// A damaged index.
pub fn sources(
    snapshot: &Snapshot,
    hits: &[&Hit],
    most: usize,
    budget: usize,
    count: impl Fn(&str) -> usize,
) -> Result<Vec<Source>, IndexError> {
    let mut found: Vec<Source> = Vec::new();
    let mut read: BTreeSet<ChunkId> = BTreeSet::new();
    let mut left = budget;
    for (at, hit) in hits.iter().enumerate() {
        if found.len() == most {
            break;
        }
        let id = hit.trace.fused.id;
        if read.contains(&id) {
            continue;
        }
        let share = (left as f32 * SECTION_SHARE) as usize;
        let section = Piece::section(snapshot, id, &hit.passage)?;
        let unread = section.filter(|piece| piece.ids().all(|id| !read.contains(&id)));
        let whole = unread.map(|piece| piece.counted(&count)).filter(|(_, _, tokens)| *tokens <= share);
        let passage = || Piece::passage(id, Arc::clone(&hit.passage)).counted(&count);
        let (piece, text, tokens) = whole.unwrap_or_else(passage);
        let Some(rest) = left.checked_sub(tokens) else { continue };
        left = rest;
        read.extend(piece.ids());
        let heading_path = hit.passage.stored.chunk.heading_path.clone();
        found.push(Source { number: found.len() + 1, hit: at, lines: piece.lines(), heading_path, text });
    }
    Ok(found)
}

/// Passages of one guide that follow one another.
struct Piece {
    first: ChunkId,
    passages: Vec<Arc<Passage>>,
}

impl Piece {
    fn passage(id: ChunkId, passage: Arc<Passage>) -> Piece {
        Piece { first: id, passages: vec![passage] }
    }

    /// The section around a passage: its neighbors below the same headings. `None` where it has none.
    fn section(snapshot: &Snapshot, id: ChunkId, passage: &Passage) -> Result<Option<Piece>, IndexError> {
        let Some(guide) = snapshot.documents().get(passage.stored.document as usize) else { return Ok(None) };
        let rows = guide.first_chunk..=(guide.first_chunk + guide.chunks).saturating_sub(1);
        let belongs = |row: u32| -> Result<bool, IndexError> {
            let other = snapshot.passage(ChunkId(row))?;
            Ok(other.stored.chunk.heading_path == passage.stored.chunk.heading_path)
        };
        let around = around(id.0, rows, belongs)?;
        if around.start() == around.end() {
            return Ok(None);
        }
        let first = ChunkId(*around.start());
        let passages = around.map(|row| snapshot.passage(ChunkId(row)));
        Ok(Some(Piece { first, passages: passages.collect::<Result<_, _>>()? }))
    }

    /// With its text, and the tokens of that.
    fn counted(self, count: impl Fn(&str) -> usize) -> (Piece, String, usize) {
        let text = self.text();
        let tokens = count(&text);
        (self, text, tokens)
    }

    fn ids(&self) -> impl Iterator<Item = ChunkId> {
        (self.first.0..).take(self.passages.len()).map(ChunkId)
    }

    fn lines(&self) -> Lines {
        let lines = |passage: Option<&Arc<Passage>>| passage.map(|passage| passage.stored.chunk.lines);
        let (first, last) = (lines(self.passages.first()), lines(self.passages.last()));
        Lines { first: first.map_or(0, |lines| lines.first), last: last.map_or(0, |lines| lines.last) }
    }

    fn text(&self) -> String {
        let texts = self.passages.iter().map(|passage| passage.stored.chunk.text.trim_end());
        texts.collect::<Vec<_>>().join("\n\n")
    }
}

/// The longest run around a number of those that belong to it.
fn around<E>(
    at: u32,
    rows: RangeInclusive<u32>,
    belongs: impl Fn(u32) -> Result<bool, E>,
) -> Result<RangeInclusive<u32>, E> {
    let (mut first, mut last) = (at, at);
    while first > *rows.start() && belongs(first - 1)? {
        first -= 1;
    }
    while last < *rows.end() && belongs(last + 1)? {
        last += 1;
    }
    Ok(first..=last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_end_where_headings_change() {
        let sections = [0, 0, 1, 1, 1, 2];
        let of = |at: u32, rows| {
            around(at, rows, |row| Ok::<_, ()>(sections[row as usize] == sections[at as usize]))
        };
        assert_eq!(of(3, 0..=5), Ok(2..=4));
        assert_eq!(of(0, 0..=5), Ok(0..=1));
        assert_eq!(of(5, 0..=5), Ok(5..=5));
        assert_eq!(of(3, 3..=3), Ok(3..=3), "a guide ends, too");
    }
}
