//! The cells of tables.

use super::paragraphs::join_words;
use super::pieces::{Line, Piece};

/// Whether a line alone goes on with a cell behind the first column of the rows above.
pub(super) fn goes_on_in_cell(rows: &[Line], line: &Line) -> bool {
    let [piece] = &line.pieces[..] else { return false };
    let columns = rows.iter().rev().take(8).flat_map(|row| row.pieces.iter().skip(1));
    columns.into_iter().any(|column| (column.x0 - piece.x0).abs() < 0.3 * piece.size)
}

/// Most columns of a table; what stands farther right is in the last.
const MAX_COLUMNS: usize = 200;

/// The rows of a table, every piece in the column whose left end is nearest. A line that leaves the first column empty
/// goes on with the row above.
pub(super) fn cells(lines: &[Line]) -> Vec<Vec<String>> {
    let widest =
        lines.iter().max_by_key(|row| row.pieces.len()).map(|row| &row.pieces[..]).unwrap_or_default();
    let columns: Vec<f32> = widest.iter().take(MAX_COLUMNS).map(|piece| piece.x0).collect();
    let nearest = |piece: &Piece| {
        let distance = |at: &usize| (columns[*at] - piece.x0).abs();
        (0..columns.len()).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0)
    };
    let mut rows: Vec<Vec<String>> = Vec::new();
    for line in lines {
        if rows.is_empty() || nearest(line.first()) == 0 {
            rows.push(vec![String::new(); columns.len()]);
        }
        let Some(row) = rows.last_mut() else { continue };
        for piece in &line.pieces {
            let cell = &mut row[nearest(piece)];
            match cell.is_empty() {
                true => piece.text.trim().clone_into(cell),
                false => join_words(cell, piece.text.trim()),
            }
        }
    }
    rows
}
