//! What stands at the edge of every page and is no text of the guide: running heads and page numbers.

use std::collections::HashMap;

use super::Page;
use super::pieces::Piece;

/// Share of a page's height at its top and bottom in which running heads and page numbers stand.
const MARGIN: f32 = 0.12;

/// Takes out lines at the edges of pages that return on other pages with nothing but their numbers changed, and lines
/// that are nothing but a page number.
pub(super) fn drop_running_heads(pages: &[Page], pieces: &mut [Vec<Piece>]) {
    let mut seen: HashMap<(String, i32), usize> = HashMap::new();
    for (page, pieces) in pages.iter().zip(pieces.iter()) {
        let mut keys: Vec<_> = pieces.iter().filter_map(|piece| edge_key(page, piece)).collect();
        keys.sort();
        keys.dedup();
        keys.into_iter().for_each(|key| *seen.entry(key).or_default() += 1);
    }
    let often = if pages.len() < 4 { pages.len().max(2) } else { 3 };
    for (page, pieces) in pages.iter().zip(pieces) {
        pieces.retain(|piece| {
            let Some(key) = edge_key(page, piece) else { return true };
            let number = key.0.chars().all(|c| !c.is_alphabetic()) && key.0.contains('#');
            let page_number = number || key.0.trim_start().starts_with("page #");
            !page_number && seen.get(&key).copied().unwrap_or(0) < often
        });
    }
}

/// What stands at the edge of a page, its numbers aside, and how high; `None` for what stands elsewhere.
fn edge_key(page: &Page, piece: &Piece) -> Option<(String, i32)> {
    let y = piece.y;
    if y > page.height * MARGIN && y < page.height * (1.0 - MARGIN) {
        return None;
    }
    let mut key = String::new();
    for c in piece.text.trim().to_lowercase().chars() {
        match c {
            c if c.is_ascii_digit() && key.ends_with('#') => {}
            c if c.is_ascii_digit() => key.push('#'),
            c => key.push(c),
        }
    }
    Some((key, (y / 4.0).round() as i32))
}
