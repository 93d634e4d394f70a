//! Extractive answers: statements taken verbatim from the best passages, each with the lines it stands on.

use guidepost_index::{Snapshot, terms};
use guidepost_text::{Lines, Span, list_mark, sentences};

use crate::question::Weighed;
use crate::{Hit, Question};

/// Most statements in an answer.
const MAX_STATEMENTS: usize = 3;
/// A run of list items is one statement up to this many bytes.
const MAX_LIST: usize = 600;
/// Most statements of one passage.
const MAX_OF_ONE: usize = 2;
/// A passage much less sure than the best one has nothing to add. This share, and the weights below, were chosen on the
/// even-numbered questions over the guides that ship: `benches/results/answers.md`.
const WORTH_ADDING: f32 = 0.2;
/// Weight of the passage's score beside how well the sentence itself answers.
const OF_PASSAGE: f32 = 0.5;
/// Weight of a sentence's length, up to eight words.
const OF_SUBSTANCE: f32 = 0.1;

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

/// Picks the statements that answer: of all sentences of the passages that may, those that stand highest by their passage's
/// score and by how well their own words or tokens answer. `None` where no hit reaches `min_confidence`.
pub fn answer(snapshot: &Snapshot, question: &Question, hits: &[Hit], min_confidence: f32) -> Option<Answer> {
    let best = hits.iter().map(|hit| hit.confidence).fold(0.0, f32::max);
    if best < min_confidence {
        return None;
    }
    let bar = min_confidence.max(best * WORTH_ADDING);
    let weighed = question.weigh(snapshot);
    let worth = hits.iter().enumerate().filter(|(_, hit)| hit.confidence >= bar);
    let spans: Vec<Vec<Span>> = hits.iter().map(|hit| sentences(&hit.passage.stored.chunk.text)).collect();
    let mut candidates: Vec<Candidate> =
        worth.flat_map(|(at, hit)| candidates(&weighed, at, hit, &spans[at])).collect();
    // A way is told by how each of its stretches begins, in their order.
    if hits.first().is_some_and(|hit| hit.trace.fused.on_the_way) {
        candidates.retain(|candidate| hits[candidate.hit].trace.fused.on_the_way);
        candidates.sort_by_key(|candidate| (candidate.index > 0, candidate.hit, candidate.index));
    } else {
        candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then((a.hit, a.index).cmp(&(b.hit, b.index))));
    }
    let mut statements: Vec<Statement> = Vec::new();
    for candidate in candidates {
        let statement = candidate.statement(&hits[candidate.hit], &spans[candidate.hit]);
        let of_hit = statements.iter().filter(|old| old.hit == candidate.hit).count();
        // The same advice in two guides is said once, and so is a list that holds two of the candidates.
        if of_hit < MAX_OF_ONE && statements.iter().all(|old| !old.text.contains(&statement.text)) {
            statements.push(statement);
        }
        if statements.len() == MAX_STATEMENTS {
            break;
        }
    }
    (!statements.is_empty()).then_some(Answer { statements })
}

/// A sentence that may answer.
struct Candidate {
    score: f32,
    hit: usize,
    /// Number of the sentence in its passage.
    index: usize,
}

fn candidates(weighed: &Weighed, hit_at: usize, hit: &Hit, spans: &[Span]) -> Vec<Candidate> {
    let text = hit.passage.stored.chunk.text.as_str();
    let score = |(index, span): (usize, &Span)| {
        let terms = terms(span.of(text));
        let answers = match &hit.tokens {
            Some(tokens) => tokens.max_sim(*span),
            None => weighed.coverage(|term| terms.contains(term)),
        };
        // A title of three words says less than a sentence; earlier sentences introduce, so they win ties.
        let substance = (terms.len() as f32 / 8.0).min(1.0);
        OF_PASSAGE * hit.trace.fused.score + answers + OF_SUBSTANCE * substance - 0.005 * index as f32
    };
    let candidate = |(index, span)| Candidate { score: score((index, span)), hit: hit_at, index };
    spans.iter().enumerate().map(candidate).collect()
}

impl Candidate {
    fn statement(&self, hit: &Hit, spans: &[Span]) -> Statement {
        let text = hit.passage.stored.chunk.text.as_str();
        let (first, last) = list_around(text, spans, self.index);
        let (start, end) = (spans[first].start, spans[last].end);
        let line = |offset: usize| {
            hit.passage.stored.chunk.lines.first + text[..offset].matches('\n').count() as u32
        };
        let lines = Lines { first: line(start), last: line(end.saturating_sub(1)) };
        Statement { text: text[start..end].to_owned(), hit: self.hit, lines }
    }
}

/// An item of a list is said with its neighbors, as long as they stay short: a list is one statement.
fn list_around(text: &str, spans: &[Span], at: usize) -> (usize, usize) {
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
