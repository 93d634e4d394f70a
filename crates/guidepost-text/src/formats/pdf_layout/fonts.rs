//! What sizes of letters mean in a document: which lines are headings, and how far apart its lines stand.

use std::collections::HashMap;

use super::pieces::Line;
use crate::list_mark;

/// What sizes of letters mean in this document.
pub(super) struct Fonts {
    /// Of running text.
    pub(super) body: f32,
    /// Of headings, largest first.
    pub(super) headings: Vec<i32>,
    /// Usual distance of two lines, as a multiple of their size.
    pub(super) leading: f32,
}

/// Longest heading in characters.
const MAX_HEADING: usize = 150;

/// Sizes are told apart by quarters of a point.
pub(super) fn step(size: f32) -> i32 {
    (size * 4.0).round() as i32
}

impl Fonts {
    pub(super) fn of(pages: &[Vec<Line>]) -> Fonts {
        let mut letters: HashMap<i32, usize> = HashMap::new();
        for line in pages.iter().flatten() {
            *letters.entry(step(line.first().size)).or_default() += line.characters();
        }
        let body = letters.iter().max_by_key(|&(size, count)| (*count, *size)).map_or(40, |(size, _)| *size);
        let body = body as f32 / 4.0;
        let mut headings: Vec<i32> = pages
            .iter()
            .flatten()
            .filter(|line| line.first().size >= body * 1.12 && is_title_like(line))
            .map(|line| step(line.first().size))
            .collect();
        headings.sort_by(|a, b| b.cmp(a));
        headings.dedup();
        Fonts { body, headings, leading: leading(pages, body) }
    }

    /// The level of a heading; `None` for running text.
    pub(super) fn level(&self, line: &Line) -> Option<usize> {
        let size = line.first().size;
        if !is_title_like(line) || line.is_code() {
            return None;
        }
        if size >= self.body * 1.12 {
            return self.headings.iter().position(|heading| *heading == step(size)).map(|at| at + 1);
        }
        // Bold lines as small as the text are headings of the last level.
        let bold = line.is_bold() && size >= self.body * 0.95 && line.characters() <= 80;
        let closed = line.text().ends_with(['.', ',', ';', ':']);
        (bold && !closed && list_mark(&line.text()).is_none()).then_some(self.headings.len() + 1)
    }
}

fn is_title_like(line: &Line) -> bool {
    line.pieces.len() == 1 && line.characters() <= MAX_HEADING && line.text().chars().any(char::is_alphabetic)
}

/// The most common distance of lines of running text. Lines that begin with a small letter go on with a sentence; where
/// there are none, as in scripts without small letters, all count.
fn leading(pages: &[Vec<Line>], body: f32) -> f32 {
    let (mut within, mut all) = (HashMap::new(), HashMap::new());
    for pair in pages.iter().flat_map(|lines| lines.windows(2)) {
        let (above, below) = (pair[0].first(), pair[1].first());
        let distance = (below.y - above.y) / body;
        // Code and the cells of tables stand closer.
        let running = |line: &Line| line.pieces.len() == 1 && !line.is_code();
        let prose = running(&pair[0]) && running(&pair[1]) && step(above.size) == step(body);
        if prose && step(above.size) == step(below.size) && (0.8..2.5).contains(&distance) {
            let distance = (distance * 20.0).round() as i32;
            *all.entry(distance).or_default() += 1;
            if pair[1].begins_small() {
                *within.entry(distance).or_default() += 1;
            }
        }
    }
    most_common(&within).or(most_common(&all)).map_or(1.2, |at| at as f32 / 20.0)
}

/// Browsers put lines on whole pixels, so that one distance shows as two or three.
fn most_common(counts: &HashMap<i32, usize>) -> Option<i32> {
    let count = |at: i32| counts.get(&at).copied().unwrap_or(0);
    let around = |at: i32| count(at - 1) + count(at) + count(at + 1);
    counts.keys().copied().max_by_key(|&at| (around(at), count(at), -at))
}
