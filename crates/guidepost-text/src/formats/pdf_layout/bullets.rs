//! Bullets that are drawn as shapes, not as letters.

use super::Dot;
use super::pieces::Piece;
use crate::list_mark;

/// Puts a bullet in front of the pieces that have a dot there.
pub(super) fn mark_items(mut pieces: Vec<Piece>, dots: &[Dot]) -> Vec<Piece> {
    if dots.is_empty() {
        return pieces;
    }
    for piece in pieces.iter_mut().filter(|piece| list_mark(&piece.text).is_none()) {
        let before = dots.iter().filter(|dot| is_bullet(dot, piece));
        if let Some(dot) = before.max_by(|a, b| a.x.total_cmp(&b.x)) {
            piece.text.insert_str(0, "• ");
            piece.x0 = dot.x;
            piece.bold += 2;
            piece.code += 2;
        }
    }
    pieces
}

/// Whether a dot stands where the bullet of a piece would: as large as a bullet, a little to the left, and at half the
/// height of the letters.
fn is_bullet(dot: &Dot, piece: &Piece) -> bool {
    let of_letters = |length: f32| length / piece.size;
    (0.12..0.65).contains(&of_letters(dot.size))
        && (0.1..2.5).contains(&of_letters(piece.x0 - dot.x - dot.size))
        && (0.1..0.65).contains(&of_letters(piece.y - dot.y))
}
