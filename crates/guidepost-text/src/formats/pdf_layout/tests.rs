//! Pages drawn by hand.

use super::{Dot, Glyph, Page, read};
use crate::Metadata;

/// Text that stands at a place, 12 points high; its letters are 6 points wide.
fn glyphs(x: f32, y: f32, text: &str) -> impl Iterator<Item = Glyph> {
    text.chars().enumerate().map(move |(at, c)| Glyph {
        text: c.to_string(),
        x: x + 6.0 * at as f32,
        y,
        width: 6.0,
        size: 12.0,
        bold: false,
        code: false,
    })
}

#[track_caller]
fn check(texts: &[(f32, f32, &str)], dots: &[(f32, f32, f32)], expected: &str) {
    let page = Page {
        height: 800.0,
        glyphs: texts.iter().flat_map(|&(x, y, text)| glyphs(x, y, text)).collect(),
        dots: dots.iter().map(|&(x, y, size)| Dot { x, y, size }).collect(),
    };
    assert_eq!(read(&[page]).finish(Metadata::default(), Vec::new()).text, expected);
}

#[test]
fn dots_before_text_are_bullets() {
    let texts = [(100.0, 100.0, "one"), (120.0, 114.0, "two"), (100.0, 128.0, "three")];
    let bullets = [(85.0, 96.0, 4.0), (105.0, 110.0, 4.0), (85.0, 124.0, 4.0)];
    check(&texts, &bullets, "- one\n    - two\n- three\n");
    // Too far away, too large, too low.
    check(&texts[..1], &[(40.0, 96.0, 4.0), (85.0, 96.0, 9.0), (90.0, 101.0, 4.0)], "one\n");
}

#[test]
fn what_a_browser_prints_around_a_page_is_dropped() {
    let text = (60.0, 100.0, "Bees fly at noon.");
    let above = [(20.0, 20.0, "11/21/26, 12:00 PM"), (280.0, 20.0, "Bees")];
    let below = [(20.0, 790.0, "https://example.org/bees"), (500.0, 790.0, "1/1")];
    check(&[above[0], above[1], text, below[0], below[1]], &[], "Bees fly at noon.\n");
    let head = "11/21/26, 12:00 PM Bees\n\nBees fly at noon.\n";
    check(&[above[0], above[1], text], &[], head);
}
