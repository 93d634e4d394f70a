//! Blocks to pieces: whatever is longer than a chunk should be comes apart, at the best seams it has.

use unicode_segmentation::UnicodeSegmentation;

use super::gather::Stretch;
use super::pack::PREFERRED;
use super::ruler::Ruler;
use crate::{Block, BlockKind, Span, sentences};

/// Text that stays whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) span: Span,
    /// Without special tokens.
    pub(super) tokens: usize,
    /// What a cut before it would cut through.
    pub(super) seam: Seam,
    /// The header row of the table that this piece goes on with.
    pub(super) header: Option<Span>,
}

/// Where a cut goes, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Seam {
    /// Between paragraphs.
    Block,
    /// Between items of a list, rows of a table, lines of code, or a line and the list it introduces.
    Line,
    /// Between sentences of a paragraph.
    Sentence,
    /// Within a sentence.
    Clause,
    /// Between words, or worse.
    Word,
}

/// The pieces of a stretch, and the tokens that the longest header row of a divided table takes.
pub(super) fn pieces(stretch: &Stretch, ruler: &Ruler, budget: usize) -> (Vec<Piece>, usize) {
    let mut pieces = Vec::new();
    let mut reserved = 0;
    let mut introduces = false;
    for &(block, tokens) in &stretch.blocks {
        let introduced = introduces || block.kind == BlockKind::ListItem;
        let seam = if introduced { Seam::Line } else { Seam::Block };
        introduces = block.span.of(ruler.text).trim_end().ends_with(':');
        let piece = Piece { span: block.span, tokens, seam, header: None };
        let header = if tokens > PREFERRED { header(block, ruler, budget) } else { None };
        let room = header.map_or(0, |(_, tokens)| tokens);
        reserved = reserved.max(room);
        let from = pieces.len();
        Divider { ruler, budget: budget - room }.divide(piece, &Division::of(block.kind), &mut pieces);
        pieces[from..].iter_mut().skip(1).for_each(|piece| piece.header = header.map(|(row, _)| row));
    }
    (pieces, reserved)
}

/// The first row of a table with its tokens, if it leaves room for others.
fn header(block: Block, ruler: &Ruler, budget: usize) -> Option<(Span, usize)> {
    let length = block.span.of(ruler.text).find('\n').filter(|_| block.kind == BlockKind::Table)?;
    let row = Span { start: block.span.start, end: block.span.start + length };
    // Two more for the signs that set it apart.
    let tokens = ruler.measure(&[row])[0] + 2;
    (tokens <= budget / 4).then_some((row, tokens))
}

struct Divider<'a> {
    ruler: &'a Ruler<'a>,
    budget: usize,
}

impl Divider<'_> {
    /// Divides a piece with the first of the divisions, and what is still too long with the others.
    fn divide(&self, piece: Piece, divisions: &[Division], pieces: &mut Vec<Piece>) {
        let most = |division: &Division| division.longest_whole().min(self.budget);
        let first = divisions.split_first().filter(|(division, _)| piece.tokens > most(division));
        let Some((division, finer)) = first else { return pieces.push(piece) };
        let spans = division.cut(self.ruler.text, piece.span, self.budget);
        let counts = self.ruler.measure(&spans);
        for (at, (span, tokens)) in spans.into_iter().zip(counts).enumerate() {
            let seam = if at == 0 { piece.seam } else { division.seam(self.ruler.text, span.start) };
            self.divide(Piece { span, tokens, seam, header: None }, finer, pieces);
        }
    }
}

/// How a piece comes apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Division {
    Sentences,
    Clauses,
    Rows,
    Lines,
    Words,
    Characters,
    Scalars,
}

impl Division {
    /// From coarse to fine.
    fn of(kind: BlockKind) -> Vec<Division> {
        use Division::*;
        match kind {
            BlockKind::Text | BlockKind::ListItem => vec![Sentences, Clauses, Words, Characters, Scalars],
            BlockKind::Table => vec![Rows, Words, Characters, Scalars],
            BlockKind::Lines => vec![Lines, Words, Characters, Scalars],
        }
    }

    /// Tokens up to which nothing comes apart this way.
    fn longest_whole(self) -> usize {
        match self {
            Division::Sentences | Division::Clauses | Division::Rows => PREFERRED,
            // Code is whole or hard to read; words are cut apart only when nothing else is left.
            Division::Lines | Division::Words | Division::Characters | Division::Scalars => usize::MAX,
        }
    }

    fn seam(self, text: &str, start: usize) -> Seam {
        match self {
            Division::Sentences => match line_before(text, start) {
                // Text that was never wrapped has its paragraphs on lines of their own.
                Some(line) if line.len() > LONGEST_WRAPPED => Seam::Block,
                Some(_) => Seam::Line,
                None => Seam::Sentence,
            },
            Division::Rows | Division::Lines => Seam::Line,
            Division::Clauses if text[..start].trim_end().ends_with(['.', '!', '?']) => Seam::Sentence,
            Division::Clauses => Seam::Clause,
            Division::Words | Division::Characters | Division::Scalars => Seam::Word,
        }
    }

    /// Parts that touch each other and cover the span.
    fn cut(self, text: &str, span: Span, budget: usize) -> Vec<Span> {
        let inner = span.of(text);
        let starts: Vec<usize> = match self {
            Division::Sentences => sentences(inner).into_iter().skip(1).map(|s| s.start).collect(),
            Division::Clauses => clauses(inner),
            Division::Rows | Division::Lines => inner.match_indices('\n').map(|(at, _)| at + 1).collect(),
            Division::Words => words(inner),
            Division::Characters => {
                inner.grapheme_indices(true).map(|(at, _)| at).step_by((budget / 16).max(1)).skip(1).collect()
            }
            // A character is four tokens at most in the byte-level tokenizers of today.
            Division::Scalars => {
                inner.char_indices().map(|(at, _)| at).step_by((budget / 4).max(1)).skip(1).collect()
            }
        };
        let ends = starts.iter().copied().chain([inner.len()]);
        let begins = [0].into_iter().chain(starts.iter().copied());
        begins.zip(ends).map(|(a, b)| Span { start: span.start + a, end: span.start + b }).collect()
    }
}

/// A longer line, in bytes, was not broken to fit a page.
const LONGEST_WRAPPED: usize = 160;

/// The line above, where a line begins at `start`.
fn line_before(text: &str, start: usize) -> Option<&str> {
    let above = text[..start].trim_end_matches([' ', '\t']).strip_suffix('\n')?;
    Some(&above[above.rfind('\n').map_or(0, |at| at + 1)..])
}

/// Where text goes on behind a sign that ends or halts a sentence. Finds the sentences that rules miss: in text without
/// capitals, a full stop ends none.
fn clauses(text: &str) -> Vec<usize> {
    let halts = |(at, _): &(usize, &str)| text[*at + 1..].starts_with([' ', '\n']);
    let behind = |(at, _): (usize, &str)| at + 1 + (text[at + 1..].len() - text[at + 1..].trim_start().len());
    text.match_indices(['.', '!', '?', ';', ':'])
        .filter(halts)
        .map(behind)
        .filter(|&start| start < text.len())
        .collect()
}

/// Where words begin; white space belongs to the word before it.
fn words(text: &str) -> Vec<usize> {
    let bounds = text.split_word_bound_indices().skip(1);
    bounds.filter(|(_, word)| !word.starts_with(char::is_whitespace)).map(|(at, _)| at).collect()
}
