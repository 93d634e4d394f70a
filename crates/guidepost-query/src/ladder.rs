//! Which stages of a search run when its time is limited: words first, then the model, then tokens one by one, then a
//! cross-encoder.
//!
//! ```text
//! BM25 --needed? time?--> hybrid --needed? time?--> late interaction --needed? time?--> cross-encoder
//! ```
//!
//! Without a budget every stage runs that there is a model for. With one, a stage runs where what is known is not yet
//! conclusive, and where it is expected to be over in time. Decides and keeps the record; the clock is the caller's, and
//! what a stage does is `climb`'s.

use std::time::Duration;

use crate::fusion::{Ranking, standing_out};

/// How long a search may take.
#[derive(Clone, Copy)]
pub struct Budget<'a> {
    /// From the beginning of the search.
    pub total: Duration,
    /// Time since the search began.
    pub clock: &'a dyn Fn() -> Duration,
}

/// A stage of a search, in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rung {
    /// BM25.
    Words,
    /// The question through the model, and the vectors near it.
    Meaning,
    /// Late interaction.
    Tokens,
    /// The cross-encoder.
    Pairs,
}

impl Rung {
    /// As results name it.
    pub fn name(self) -> &'static str {
        match self {
            Rung::Words => "bm25",
            Rung::Meaning => "hybrid",
            Rung::Tokens => "late",
            Rung::Pairs => "rerank",
        }
    }
}

/// A stage, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The stage.
    pub rung: Rung,
    /// What became of it.
    pub climb: Climb,
}

/// What became of a stage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Climb {
    /// It ran so long; zero without a budget, which brings the clock.
    Ran(Duration),
    /// What was known was conclusive.
    NotNeeded,
    /// It was expected to take so long, and less was left.
    NoTime(Duration),
}

/// When what the words found is enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conclusive {
    /// Least share of the question's information in BM25's best passage, in [0, 1].
    pub coverage: f32,
    /// Least [`standing_out`], in [0, 1].
    pub margin: f32,
}

/// Of the bars that keep 95 % of the quality of six collections' even-numbered queries, the one from which on a percent more
/// costs more time than a percent less saves. Reported on the odd-numbered ones and on a seventh:
/// `benches/results/ladder.md`.
pub const CONCLUSIVE: Conclusive = Conclusive { coverage: 0.5, margin: 0.16 };

impl Conclusive {
    /// Whether BM25's ranking, whose best passage holds that share of the question's information, is enough.
    pub fn holds(&self, bm25: &Ranking, coverage: f32) -> bool {
        !bm25.is_empty() && coverage >= self.coverage && standing_out(bm25) >= self.margin
    }
}

/// How long stages take on two threads of a server's processor, measured with `guidepost bench` (`benches/results/bench.md`).
/// Only the order of magnitude has to be right: what a forward pass really takes is known from the first one on.
mod cost {
    use super::Duration;

    /// A forward pass of all-MiniLM-L6-v2, whatever the text.
    pub(super) const PASS: Duration = Duration::from_micros(500);
    /// Each token of it.
    pub(super) const TOKEN: Duration = Duration::from_micros(60);
    /// Components of that model's vectors; the work grows with their square.
    pub(super) const COMPONENTS: f64 = 384.0;
    /// Each row of the scan.
    pub(super) const ROW: Duration = Duration::from_nanos(90);
    /// Rows from which the graph is walked.
    pub(super) const ROWS: usize = 50_000;
    /// Fusion, and late interaction over the best candidates, for each token of the question.
    pub(super) const LATE_TOKEN: Duration = Duration::from_micros(20);
}

/// Expected time to embed a question of so many tokens into so many components, and to scan so many rows.
pub(crate) fn meaning_takes(tokens: usize, components: usize, rows: usize) -> Duration {
    let size = (components as f64 / cost::COMPONENTS).powi(2);
    (cost::PASS + times(cost::TOKEN, tokens)).mul_f64(size) + times(cost::ROW, rows.min(cost::ROWS))
}

/// Expected time of late interaction for a question of so many tokens.
pub(crate) fn tokens_take(tokens: usize) -> Duration {
    times(cost::LATE_TOKEN, tokens)
}

/// Expected time of a cross-encoder of the usual size, six layers 384 wide, over pairs of so many tokens together.
pub(crate) fn pairs_take(tokens: usize) -> Duration {
    cost::PASS + times(cost::TOKEN, tokens)
}

fn times(each: Duration, count: usize) -> Duration {
    each.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The record of one search, and what is left of its time.
pub(crate) struct Ladder<'a> {
    budget: Option<Budget<'a>>,
    conclusive: bool,
    /// Real time of the last forward pass by its estimate: this machine, and what else it does now.
    pace: f64,
    pub(crate) steps: Vec<Step>,
}

impl<'a> Ladder<'a> {
    pub(crate) fn new(budget: Option<Budget<'a>>) -> Self {
        Ladder { budget, conclusive: false, pace: 1.0, steps: Vec::new() }
    }

    /// Whether there is a budget at all.
    pub(crate) fn is_limited(&self) -> bool {
        self.budget.is_some()
    }

    /// Looks at what is known, where it matters. Once conclusive, it stays so.
    pub(crate) fn conclude<E>(&mut self, is_conclusive: impl FnOnce() -> Result<bool, E>) -> Result<(), E> {
        if self.is_limited() && !self.conclusive {
            self.conclusive = is_conclusive()?;
        }
        Ok(())
    }

    /// Whether a stage is needed and expected to be over in time. Where not, that is recorded.
    pub(crate) fn may_run(&mut self, rung: Rung, estimate: impl FnOnce() -> Duration) -> bool {
        let Some(Budget { total, clock }) = self.budget else { return true };
        if self.conclusive {
            self.steps.push(Step { rung, climb: Climb::NotNeeded });
            return false;
        }
        let expected = estimate().mul_f64(self.pace);
        let in_time = clock() + expected <= total;
        if !in_time {
            self.steps.push(Step { rung, climb: Climb::NoTime(expected) });
        }
        in_time
    }

    /// Runs a stage and records how long it took.
    pub(crate) fn run<T, E>(&mut self, rung: Rung, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let now = || self.budget.map_or(Duration::ZERO, |budget| (budget.clock)());
        let started = now();
        let result = work()?;
        let took = now().saturating_sub(started);
        self.steps.push(Step { rung, climb: Climb::Ran(took) });
        Ok(result)
    }

    /// Learns from the last stage, which ran the model, how fast forward passes are now.
    pub(crate) fn learn_pace(&mut self, expected: Duration) {
        if let Some(Step { climb: Climb::Ran(took), .. }) = self.steps.last()
            && self.is_limited()
        {
            self.pace = took.as_secs_f64() / expected.as_secs_f64().max(1e-9);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::convert::Infallible;

    use guidepost_index::ChunkId;

    use super::*;

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    /// A stage with what it is expected to take, what it takes, and whether all is clear after it; milliseconds.
    type Stage = (Rung, u64, u64, bool);

    /// Climbs with a clock that only stages move.
    fn climb(budget: Option<u64>, stages: &[Stage]) -> Vec<Climb> {
        let now = Cell::new(Duration::ZERO);
        let clock = || now.get();
        let mut ladder = Ladder::new(budget.map(|total| Budget { total: ms(total), clock: &clock }));
        for &(rung, expected, takes, conclusive) in stages {
            if rung != Rung::Words && !ladder.may_run(rung, || ms(expected)) {
                continue;
            }
            let work = || -> Result<(), Infallible> {
                now.set(now.get() + ms(takes));
                Ok(())
            };
            ladder.run(rung, work).expect("it cannot fail");
            if rung == Rung::Meaning {
                ladder.learn_pace(ms(expected));
            }
            ladder.conclude(|| Ok::<_, Infallible>(conclusive)).expect("it cannot fail");
        }
        assert_eq!(ladder.steps.len(), stages.len(), "every stage is accounted for");
        ladder.steps.into_iter().map(|step| step.climb).collect()
    }

    #[track_caller]
    fn check(budget: Option<u64>, stages: &[Stage], expected: &[Climb]) {
        assert_eq!(climb(budget, stages), expected);
    }

    #[test]
    fn stages_run_while_they_are_needed_and_there_is_time() {
        use Climb::{NoTime, NotNeeded, Ran};
        use Rung::{Meaning, Pairs, Tokens, Words};
        let usual =
            [(Words, 0, 1, false), (Meaning, 5, 5, false), (Tokens, 1, 1, false), (Pairs, 50, 60, false)];
        check(None, &usual, &[Ran(ms(0)); 4]);
        check(Some(57), &usual, &[Ran(ms(1)), Ran(ms(5)), Ran(ms(1)), Ran(ms(60))]);
        check(Some(56), &usual, &[Ran(ms(1)), Ran(ms(5)), Ran(ms(1)), NoTime(ms(50))]);
        check(Some(6), &usual, &[Ran(ms(1)), Ran(ms(5)), NoTime(ms(1)), NoTime(ms(50))]);
        check(Some(5), &usual, &[Ran(ms(1)), NoTime(ms(5)), Ran(ms(1)), NoTime(ms(50))]);
        // Even where there is no time at all, something answers.
        check(Some(0), &usual[..2], &[Ran(ms(1)), NoTime(ms(5))]);

        let clear =
            [(Words, 0, 1, true), (Meaning, 5, 5, false), (Tokens, 1, 1, false), (Pairs, 50, 60, false)];
        check(Some(1000), &clear, &[Ran(ms(1)), NotNeeded, NotNeeded, NotNeeded]);
        check(None, &clear, &[Ran(ms(0)); 4]);

        // A machine that takes twice as long as expected will do so again.
        let slow = [(Words, 0, 1, false), (Meaning, 5, 10, false), (Pairs, 50, 100, false)];
        check(Some(110), &slow, &[Ran(ms(1)), Ran(ms(10)), NoTime(ms(100))]);
        check(Some(111), &slow, &[Ran(ms(1)), Ran(ms(10)), Ran(ms(100))]);
    }

    #[test]
    fn words_are_enough_where_they_hold_the_question_and_stand_out() {
        let bar = Conclusive { coverage: 0.8, margin: 0.5 };
        let ranking = |scores: &[f32]| (0..).map(ChunkId).zip(scores.iter().copied()).collect::<Ranking>();
        for (scores, coverage, expected) in [
            (&[9.0, 8.0, 7.0, 6.0, 4.5][..], 0.8, true),
            (&[9.0, 8.0, 7.0, 6.0, 4.6], 1.0, false),
            (&[9.0, 8.0, 7.0, 6.0, 4.5], 0.79, false),
            (&[9.0], 1.0, true),
            (&[], 1.0, false),
        ] {
            assert_eq!(bar.holds(&ranking(scores), coverage), expected, "{scores:?}");
        }
    }

    #[test]
    fn estimates_grow_with_the_work() {
        let meaning = meaning_takes(10, 384, 1000);
        for more in [meaning_takes(20, 384, 1000), meaning_takes(10, 768, 1000), meaning_takes(10, 384, 9000)]
        {
            assert!(more > meaning, "{more:?}");
        }
        assert_eq!(meaning_takes(10, 384, cost::ROWS), meaning_takes(10, 384, usize::MAX));
        assert!(pairs_take(3000) > Duration::from_millis(100), "thirty passages take long");
        assert_eq!(tokens_take(0), Duration::ZERO);
    }
}
