//! What stands at the edge of every page and is no text of the guide: running heads and page numbers.

use std::collections::HashMap;

use super::Page;
use super::pieces::Piece;

/// Share of a page's height at its top and bottom in which running heads and page numbers stand.
const MARGIN: f32 = 0.12;

/// Takes out lines at the edges of pages that return on other pages with nothing but their numbers changed, and lines
/// that are nothing but a page number.
pub(super) fn drop_running_heads(pages: &[Page], pieces: &mut [Vec<Piece>]) {
    pages.iter().zip(pieces.iter_mut()).for_each(|(page, pieces)| drop_marks_of_browser(page, pieces));
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

/// Browsers print a date, the title, the address and the number of the page above and below it. On a single page
/// nothing else tells them from its text.
fn drop_marks_of_browser(page: &Page, pieces: &mut Vec<Piece>) {
    let first = pieces.iter().map(|piece| piece.y).fold(f32::MAX, f32::min);
    let last = pieces.iter().map(|piece| piece.y).fold(f32::MIN, f32::max);
    let outermost = |piece: &Piece| {
        is_at_edge(page, piece) && ((piece.y - first).abs() < 2.0 || (piece.y - last).abs() < 2.0)
    };
    let marks: Vec<String> = pieces.iter().filter(|piece| outermost(piece)).map(without_numbers).collect();
    let marks = marks.join(" ");
    let time = marks.contains("#:#");
    let date = ["#/#/#", "#.#.#", "#-#-#"].iter().any(|date| marks.contains(date));
    let address = marks.contains("http") || marks.contains("file:");
    let count = marks.split(' ').any(|word| word == "#/#") || marks.contains("# of #");
    if time && date && address && count {
        pieces.retain(|piece| !outermost(piece));
    }
}

fn is_at_edge(page: &Page, piece: &Piece) -> bool {
    piece.y <= page.height * MARGIN || piece.y >= page.height * (1.0 - MARGIN)
}

/// What stands at the edge of a page, its numbers aside, and how high; `None` for what stands elsewhere.
fn edge_key(page: &Page, piece: &Piece) -> Option<(String, i32)> {
    is_at_edge(page, piece).then(|| (without_numbers(piece), (piece.y / 4.0).round() as i32))
}

/// The text of a piece in small letters, with `#` for every number.
fn without_numbers(piece: &Piece) -> String {
    let mut text = String::new();
    for c in piece.text.trim().to_lowercase().chars() {
        match c {
            c if c.is_ascii_digit() && text.ends_with('#') => {}
            c if c.is_ascii_digit() => text.push('#'),
            c => text.push(c),
        }
    }
    text
}
