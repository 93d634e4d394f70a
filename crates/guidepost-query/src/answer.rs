//! Extractive answers: statements taken verbatim from the best passages, each with the lines it stands on.

use guidepost_index::{Snapshot, terms};
use guidepost_text::{Lines, list_mark, sentences};

use crate::question::Weighed;
use crate::{Hit, Question};

/// Most statements in an answer.
const MAX_STATEMENTS: usize = 3;
/// A run of list items is one statement up to this many bytes.
const MAX_LIST: usize = 600;
/// A passage much less sure than the best one has nothing to add.
const WORTH_ADDING: f32 = 0.5;

/// What the guides say, best first.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Never empty.
    pub statements: Vec<Statement>,
}

/// Words of a guide.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Verbatim, a sentence or some items of a list.
    pub text: String,
    /// Position of the passage among the hits.
    pub hit: usize,
    /// Where the text stands in the guide.
    pub lines: Lines,
}

/// Picks the statements that answer: from each of the best passages the one that holds most of what is asked, and
/// of its headings has not said yet. `None` where no hit reaches `min_confidence`.
pub fn answer(snapshot: &Snapshot, question: &Question, hits: &[Hit], min_confidence: f32) -> Option<Answer> {
    let best = hits.iter().map(|hit| hit.confidence).fold(0.0, f32::max);
    if best < min_confidence {
        return None;
    }
    let bar = min_confidence.max(best * WORTH_ADDING);
    let weighed = question.weigh(snapshot);
    let mut statements: Vec<Statement> = Vec::new();
    for (at, hit) in hits.iter().enumerate().filter(|(_, hit)| hit.confidence >= bar) {
        let statement = best_statement(&weighed, at, hit);
        // The same advice in two guides is said once.
        if let Some(statement) = statement.filter(|new| statements.iter().all(|old| old.text != new.text)) {
            statements.push(statement);
        }
        if statements.len() == MAX_STATEMENTS {
            break;
        }
    }
    (!statements.is_empty()).then_some(Answer { statements })
}

fn best_statement(weighed: &Weighed, at: usize, hit: &Hit) -> Option<Statement> {
    let text = hit.chunk.chunk.text.as_str();
    let spans = sentences(text);
    let score = |index: usize| {
        let sentence = spans[index].of(text);
        let terms = terms(sentence);
        // Earlier sentences introduce, so they win ties; a title of three words says less than a sentence.
        let substance = (terms.len() as f32 / 8.0).min(1.0);
        weighed.coverage(&terms) + 0.25 * substance - 0.01 * index as f32
    };
    let scored = (0..spans.len()).map(|index| (score(index), index));
    let (_, best) = scored.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))?;
    let (first, last) = list_around(text, &spans, best);
    let (start, end) = (spans[first].start, spans[last].end);
    let line = |offset: usize| hit.chunk.chunk.lines.first + text[..offset].matches('\n').count() as u32;
    let lines = Lines { first: line(start), last: line(end.saturating_sub(1)) };
    Some(Statement { text: text[start..end].to_owned(), hit: at, lines })
}

/// An item of a list is said with its neighbors, as long as they stay short: a list is one statement.
fn list_around(text: &str, spans: &[guidepost_text::Span], at: usize) -> (usize, usize) {
    let is_item = |index: usize| {
        let line = spans[index].of(text);
        list_mark(line).is_some() || line.starts_with('|')
    };
    let (mut first, mut last) = (at, at);
    if !is_item(at) {
        return (at, at);
    }
    loop {
        let fits = |from: usize, to: usize| spans[to].end - spans[from].start <= MAX_LIST;
        if last + 1 < spans.len() && is_item(last + 1) && fits(first, last + 1) {
            last += 1;
        } else if first > 0 && is_item(first - 1) && fits(first - 1, last) {
            first -= 1;
        } else {
            return (first, last);
        }
    }
}
