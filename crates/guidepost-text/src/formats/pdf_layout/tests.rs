//! Pages drawn by hand.

use super::{Dot, Glyph, Page, Rule, read};
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
    check_ruled(texts, dots, &[], expected);
}

/// `rules` are the heights of lines across the whole page.
#[track_caller]
fn check_ruled(texts: &[(f32, f32, &str)], dots: &[(f32, f32, f32)], rules: &[f32], expected: &str) {
    let page = Page {
        height: 800.0,
        glyphs: texts.iter().flat_map(|&(x, y, text)| glyphs(x, y, text)).collect(),
        dots: dots.iter().map(|&(x, y, size)| Dot { x, y, size }).collect(),
        rules: rules.iter().map(|&y| Rule { x0: 90.0, x1: 500.0, y }).collect(),
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

#[test]
fn rules_tell_the_rows_of_a_table() {
    let texts = [
        (100.0, 112.0, "Thing"),
        (300.0, 112.0, "Why"),
        (100.0, 139.0, "Hive"),
        (300.0, 132.0, "Bees live"),
        (300.0, 146.0, "in it."),
        (100.0, 166.0, "Suit with"),
        (100.0, 180.0, "gloves"),
        (300.0, 173.0, "They sting."),
    ];
    let table =
        "| Thing | Why |\n|---|---|\n| Hive | Bees live in it. |\n| Suit with gloves | They sting. |\n";
    check_ruled(&texts, &[], &[98.0, 118.0, 152.0, 186.0], table);
    // Rules above and below alone say nothing of the rows between them.
    let rows = [(100.0, 132.0, "a"), (300.0, 132.0, "b"), (100.0, 146.0, "c"), (300.0, 146.0, "d")];
    let texts = [&texts[..2], &rows].concat();
    check_ruled(&texts, &[], &[98.0, 118.0, 152.0], "| Thing | Why |\n|---|---|\n| a | b |\n| c | d |\n");
    let sums = [(100.0, 166.0, "e"), (300.0, 166.0, "f")];
    let texts = [&texts[..], &sums].concat();
    let table = "| Thing | Why |\n|---|---|\n| a | b |\n| c | d |\n| e | f |\n";
    check_ruled(&texts, &[], &[98.0, 118.0, 152.0, 170.0], table);
}

#[test]
fn one_sentence_tells_how_far_apart_lines_stand() {
    let texts = [
        (100.0, 100.0, "Bees fly far, and come"),
        (100.0, 116.0, "home at noon."),
        (100.0, 144.0, "They rest."),
        (100.0, 172.0, "They fly again."),
    ];
    check(&texts, &[], "Bees fly far, and come home at noon.\n\nThey rest.\n\nThey fly again.\n");
}
