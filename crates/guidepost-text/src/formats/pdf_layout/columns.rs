//! The lines of a page in reading order: column by column, where it has columns of prose.

use super::pieces::{Line, Piece, rows};

/// The lines of a page in reading order. `usual` is where other pages have their gutter.
pub(super) fn lines(pieces: Vec<Piece>, usual: Option<f32>) -> Vec<Line> {
    let mut lines = Vec::new();
    let gutter = gutter(&pieces).or(usual.filter(|&gutter| divides(gutter, &pieces)));
    match gutter {
        Some(gutter) => divide(pieces, gutter, 0, &mut lines),
        None => lines.extend(rows(pieces).into_iter().map(|pieces| Line { pieces })),
    }
    lines
}

/// Most times that a page is divided into columns, and a column again.
const MAX_DIVISIONS: usize = 4;

/// Adds the lines of a column in reading order; it may have columns itself.
fn unfold_columns(pieces: Vec<Piece>, divisions: usize, lines: &mut Vec<Line>) {
    let gutter = if divisions < MAX_DIVISIONS { gutter(&pieces) } else { None };
    match gutter {
        Some(gutter) => divide(pieces, gutter, divisions, lines),
        None => lines.extend(rows(pieces).into_iter().map(|pieces| Line { pieces })),
    }
}

/// Adds the left column before the right one, and what stands across both between what is above and what is below.
fn divide(pieces: Vec<Piece>, gutter: f32, divisions: usize, lines: &mut Vec<Line>) {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for piece in pieces {
        if piece.x1 <= gutter {
            left.push(piece);
        } else if piece.x0 >= gutter {
            right.push(piece);
        } else {
            unfold_columns(std::mem::take(&mut left), divisions + 1, lines);
            unfold_columns(std::mem::take(&mut right), divisions + 1, lines);
            lines.push(Line { pieces: vec![piece] });
        }
    }
    unfold_columns(left, divisions + 1, lines);
    unfold_columns(right, divisions + 1, lines);
}

/// Characters that a line of a column has on average; the cells of a table have fewer.
const PROSE: usize = 18;

/// Fewest lines of a column, and most lines across columns to a hundred in them.
const MIN_LINES: usize = 6;

const MAX_ACROSS: usize = 15;

/// The middle of the space between two columns of prose, if there are any. Points are steps enough.
pub(super) fn gutter(pieces: &[Piece]) -> Option<f32> {
    let left = pieces.iter().map(|piece| piece.x0).fold(f32::MAX, f32::min);
    let right = pieces.iter().map(|piece| piece.x1).fold(f32::MIN, f32::max);
    let width = right - left;
    if pieces.len() < 2 * MIN_LINES || !(50.0..20_000.0).contains(&width) {
        return None;
    }
    // How many pieces cover each point: what begins there less what ends there, added up.
    let mut covered = vec![0i32; width as usize + 2];
    for piece in pieces {
        covered[(piece.x0 - left).max(0.0) as usize] += 1;
        covered[((piece.x1 - left).max(0.0).ceil() as usize).min(width as usize + 1)] -= 1;
    }
    let mut sum = 0;
    covered.iter_mut().for_each(|count| {
        sum += *count;
        *count = sum;
    });
    let inner = covered.len() / 5..covered.len() * 4 / 5;
    let least = *covered[inner.clone()].iter().min()?;
    let first = inner.start + covered[inner.clone()].iter().position(|count| *count == least)?;
    let last = (first..inner.end).take_while(|&at| covered[at] == least).last()?;
    let gutter = left + (first + last) as f32 / 2.0 + 0.5;
    let [(before, letters_before), (after, letters_after)] = sides(gutter, pieces);
    let prose = letters_before >= PROSE * before && letters_after >= PROSE * after;
    let wide = (last - first) as f32 >= 0.6 * pieces[0].size.min(12.0);
    (prose && wide && divides(gutter, pieces)).then_some(gutter)
}

/// Lines and letters on the left and on the right of a gutter.
fn sides(gutter: f32, pieces: &[Piece]) -> [(usize, usize); 2] {
    let mut sides = [(0, 0); 2];
    for piece in pieces.iter().filter(|piece| piece.x1 <= gutter || piece.x0 >= gutter) {
        let (lines, letters) = &mut sides[usize::from(piece.x0 >= gutter)];
        *lines += 1;
        *letters += piece.text.chars().count();
    }
    sides
}

/// Whether enough lines stand on both sides of a gutter, and hardly any across it.
fn divides(gutter: f32, pieces: &[Piece]) -> bool {
    let [(before, _), (after, _)] = sides(gutter, pieces);
    let across = pieces.len() - before - after;
    before >= MIN_LINES && after >= MIN_LINES && across * 100 <= MAX_ACROSS * (before + after)
}
