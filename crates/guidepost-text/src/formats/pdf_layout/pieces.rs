//! From glyphs to pieces of text and lines of pieces.

use super::Glyph;
use crate::list_mark;

/// Pieces of text that stand side by side on one base line: one, or the cells of a table.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) pieces: Vec<Piece>,
}

/// Words on one base line without a wide gap.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) x0: f32,
    pub(super) x1: f32,
    pub(super) y: f32,
    pub(super) size: f32,
    /// Characters in bold, and in a font for code.
    pub(super) bold: usize,
    pub(super) code: usize,
}

impl Line {
    pub(super) fn text(&self) -> String {
        self.pieces.iter().map(|piece| piece.text.trim()).collect::<Vec<_>>().join(" ")
    }

    pub(super) fn first(&self) -> &Piece {
        &self.pieces[0]
    }

    pub(super) fn x1(&self) -> f32 {
        self.pieces.iter().map(|piece| piece.x1).fold(0.0, f32::max)
    }

    pub(super) fn characters(&self) -> usize {
        self.pieces.iter().map(|piece| piece.text.chars().count()).sum()
    }

    pub(super) fn is_bold(&self) -> bool {
        self.pieces.iter().map(|piece| piece.bold).sum::<usize>() * 10 >= self.characters() * 9
    }

    pub(super) fn begins_small(&self) -> bool {
        self.text().chars().next().is_some_and(char::is_lowercase)
    }

    pub(super) fn is_code(&self) -> bool {
        self.pieces.iter().map(|piece| piece.code).sum::<usize>() * 10 >= self.characters() * 9
    }
}

/// Puts glyphs together as they were drawn, as long as they follow each other on a base line.
pub(super) fn pieces(glyphs: &[Glyph]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for glyph in glyphs {
        let follows = pieces.last().is_some_and(|piece| {
            let gap = glyph.x - piece.x1;
            let size = piece.size.max(glyph.size);
            // Raised and lowered signs belong to their word.
            let near = (glyph.y - piece.y).abs() < 0.5 * size;
            // A lone o far from its word is a bullet.
            let bullet = piece.text.trim() == "o" && gap > 0.4 * size;
            near && !bullet && gap > -0.5 * size && gap < 0.9 * size
        });
        match pieces.last_mut().filter(|_| follows) {
            Some(piece) => piece.add(glyph),
            None if glyph.text.trim().is_empty() => {}
            None => pieces.push(Piece {
                text: glyph.text.clone(),
                x0: glyph.x,
                x1: glyph.x + glyph.width,
                y: glyph.y,
                size: glyph.size,
                bold: usize::from(glyph.bold),
                code: usize::from(glyph.code),
            }),
        }
    }
    pieces.retain(|piece| !piece.text.trim().is_empty());
    pieces
}

impl Piece {
    fn add(&mut self, glyph: &Glyph) {
        let gap = glyph.x - self.x1;
        if gap > 0.17 * glyph.size && !self.text.ends_with(' ') && !glyph.text.starts_with(' ') {
            self.text.push(' ');
        }
        if glyph.text == " " && self.text.ends_with(' ') {
            self.x1 = self.x1.max(glyph.x + glyph.width);
            return;
        }
        self.text.push_str(&glyph.text);
        self.x1 = self.x1.max(glyph.x + glyph.width);
        self.size = self.size.max(glyph.size);
        self.bold += usize::from(glyph.bold || glyph.text == " ");
        self.code += usize::from(glyph.code || glyph.text == " ");
    }

    fn join(&mut self, other: Piece) {
        if !self.text.ends_with(' ') && other.x0 - self.x1 > 0.12 * self.size {
            self.text.push(' ');
            self.bold += 1;
            self.code += 1;
        }
        self.text.push_str(&other.text);
        self.x1 = self.x1.max(other.x1);
        self.size = self.size.max(other.size);
        self.bold += other.bold;
        self.code += other.code;
    }

    /// Nothing but the mark of a list item.
    fn is_mark(&self) -> bool {
        list_mark(&format!("{} x", self.text.trim())).is_some_and(|end| end > self.text.trim().len())
    }
}

/// The pieces of each base line, from left to right.
pub(super) fn rows(mut pieces: Vec<Piece>) -> Vec<Vec<Piece>> {
    pieces.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.x0.total_cmp(&b.x0)));
    let mut rows: Vec<Vec<Piece>> = Vec::new();
    for piece in pieces {
        match rows.last_mut() {
            Some(row) if (piece.y - row[0].y).abs() < 0.35 * row[0].size.min(piece.size) => row.push(piece),
            _ => rows.push(vec![piece]),
        }
    }
    for row in &mut rows {
        row.sort_by(|a, b| a.x0.total_cmp(&b.x0));
        join_near(row);
    }
    rows
}

/// Joins the pieces of a row that are set apart by no more than words are, and marks with their items.
fn join_near(row: &mut Vec<Piece>) {
    let mut joined: Vec<Piece> = Vec::with_capacity(row.len());
    for mut piece in row.drain(..) {
        // Word's second bullet is the letter o.
        if joined.is_empty() && piece.text.trim() == "o" {
            piece.text = "•".to_owned();
        }
        match joined.last_mut() {
            Some(last) if is_near(last, &piece) => last.join(piece),

            _ => joined.push(piece),
        }
    }
    *row = joined;
}

fn is_near(left: &Piece, right: &Piece) -> bool {
    let most = if left.is_mark() { 4.0 } else { 1.0 };
    right.x0 - left.x1 < most * left.size.min(right.size)
}
