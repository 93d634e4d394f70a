//! Pieces to groups, each of which becomes a chunk.

use super::divide::{Piece, Seam};

/// Tokens a chunk should have. Shorter chunks are found more surely and say less beside the point, longer ones hold more
/// of an answer; see `benches/results/chunking.md`.
pub(super) const PREFERRED: usize = 176;

/// Groups pieces in order: at the cost of the seams it cuts, near the preferred size, never over `budget` unless one
/// piece alone is. The cheapest of all groupings (dynamic programming, as Knuth and Plass 1981 break paragraphs into lines).
pub(super) fn pack(pieces: &[Piece], budget: usize) -> Vec<&[Piece]> {
    // The cheapest way to group the pieces before each position: its cost, and where its last group begins.
    let mut best: Vec<(f32, usize)> = vec![(0.0, 0)];
    for end in 1..=pieces.len() {
        let mut tokens = 0;
        let mut cheapest = (f32::INFINITY, end - 1);
        for start in (0..end).rev() {
            tokens += pieces[start].tokens;
            // Pieces without any token must not make this quadratic.
            if start + 1 < end && (tokens > budget || end - start > budget.max(64)) {
                break;
            }
            let cost = best[start].0 + unevenness(tokens) + cost(pieces[start].seam);
            if cost < cheapest.0 {
                cheapest = (cost, start);
            }
        }
        best.push(cheapest);
    }
    let mut groups = Vec::new();
    let mut end = pieces.len();
    while end > 0 {
        let start = best[end].1;
        groups.push(&pieces[start..end]);
        end = start;
    }
    groups.reverse();
    groups
}

/// How far a group is from the preferred size: 0 at that size, 1 at none or twice.
fn unevenness(tokens: usize) -> f32 {
    (tokens as f32 / PREFERRED as f32 - 1.0).powi(2)
}

/// What it costs to cut there, in the same measure.
fn cost(seam: Seam) -> f32 {
    match seam {
        Seam::Block => 0.0,
        Seam::Line => 0.1,
        Seam::Sentence => 0.35,
        Seam::Clause => 0.6,
        Seam::Word => 1.2,
    }
}
