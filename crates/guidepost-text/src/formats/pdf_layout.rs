//! From glyphs to text: words, lines, columns, paragraphs, headings, lists and tables, by where the glyphs stand and
//! how large they are. Knows nothing of PDF.

mod bullets;
mod columns;
mod fonts;
mod grids;
mod paragraphs;
mod pieces;
mod running_heads;
mod tables;

use bullets::mark_items;
use columns::{gutter, lines};
use fonts::Fonts;
use grids::join_cells;
use pieces::{Line, Piece, pieces, rows};
use running_heads::drop_running_heads;

use crate::reading::Writer;

#[cfg(test)]
mod tests;

/// A glyph on a page. Lengths are points; `y` grows downward.
#[derive(Debug, Clone)]
pub(super) struct Glyph {
    /// What it stands for, mostly one character.
    pub(super) text: String,
    /// Left end.
    pub(super) x: f32,
    /// Base line.
    pub(super) y: f32,
    /// How far to the next glyph.
    pub(super) width: f32,
    /// Of the font.
    pub(super) size: f32,
    pub(super) bold: bool,
    /// All glyphs of its font are equally wide.
    pub(super) code: bool,
}

/// A small shape about as wide as high. Browsers draw the bullets of lists so.
#[derive(Debug, Clone)]
pub(super) struct Dot {
    /// Left end.
    pub(super) x: f32,
    /// Its middle.
    pub(super) y: f32,
    pub(super) size: f32,
}

/// A level line.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) x0: f32,
    pub(super) x1: f32,
    pub(super) y: f32,
}

/// A page with its glyphs in the order in which they were drawn.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) height: f32,
    pub(super) glyphs: Vec<Glyph>,
    pub(super) dots: Vec<Dot>,
    pub(super) rules: Vec<Rule>,
}

/// Writes the text of all pages.
pub(super) fn read(pages: &[Page]) -> Writer {
    let pieces = |page: &Page| {
        let rows = rows(mark_items(pieces(&page.glyphs), &page.dots));
        join_cells(rows.concat(), &page.rules)
    };
    let mut pieces: Vec<Vec<Piece>> = pages.iter().map(pieces).collect();
    drop_running_heads(pages, &mut pieces);
    // A page whose columns hold tables or headings has its gutter where other pages have theirs.
    let usual = pieces.iter().filter_map(|pieces| gutter(pieces)).next();
    let lines: Vec<Vec<Line>> = pieces.into_iter().map(|pieces| lines(pieces, usual)).collect();
    paragraphs::write(&lines, Fonts::of(&lines))
}
