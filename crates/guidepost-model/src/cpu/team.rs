//! Threads that work on one forward pass together: each runs the same function and knows which of how many it is.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::ModelError;

/// The caller's thread and so many others, which sleep between calls.
pub(crate) struct Team {
    /// All members but the caller; none in a team of one.
    others: Option<rayon::ThreadPool>,
    size: usize,
    /// Held during a call: two at once would wait for each other's threads.
    busy: Mutex<()>,
}

/// One thread of a call.
#[derive(Clone, Copy)]
pub(crate) struct Member<'a> {
    pub(crate) index: usize,
    pub(crate) of: usize,
    barrier: &'a Barrier,
}

impl Team {
    /// A team of so many threads, at least one.
    ///
    /// # Errors
    /// [`ModelError::Threads`] when the system refuses threads.
    pub(crate) fn new(size: usize) -> Result<Self, ModelError> {
        let size = size.max(1);
        let builder = rayon::ThreadPoolBuilder::new().num_threads(size - 1);
        let named = builder.thread_name(|index| format!("forward-{}", index + 1));
        let others = if size == 1 { None } else { Some(named.build().map_err(ModelError::Threads)?) };
        Ok(Team { others, size, busy: Mutex::new(()) })
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Runs `work` once on each member at the same time, the caller being the first.
    pub(crate) fn run(&self, work: impl Fn(Member<'_>) + Sync) {
        let of = self.size;
        let _busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let barrier = Barrier::default();
        let member = |index| {
            let _guard = PanicGuard(&barrier);
            work(Member { index, of, barrier: &barrier });
        };
        match &self.others {
            Some(others) => others.in_place_scope(|scope| {
                for index in 1..of {
                    let member = &member;
                    scope.spawn(move |_| member(index));
                }
                member(0);
            }),
            None => member(0),
        }
    }
}

impl<'a> Member<'a> {
    /// This thread as a team of its own, which waits for nobody.
    pub(crate) fn alone(self) -> Member<'a> {
        Member { index: 0, of: 1, barrier: self.barrier }
    }

    /// Waits until all members are here.
    pub(crate) fn wait(&self) {
        if self.of > 1 {
            self.barrier.wait(self.of);
        }
    }
}

/// A barrier that spins: members arrive within microseconds of each other, a sleep would cost more than the wait.
#[derive(Default)]
struct Barrier {
    arrived: AtomicUsize,
    round: AtomicUsize,
    /// A member panicked and will never arrive.
    broken: AtomicBool,
}

/// Looks at a barrier before the thread offers its processor to others.
const SPINS: usize = 2_000;

impl Barrier {
    fn wait(&self, of: usize) {
        let round = self.round.load(Ordering::Acquire);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == of {
            self.arrived.store(0, Ordering::Relaxed);
            self.round.store(round + 1, Ordering::Release);
            return;
        }
        let mut spins = 0;
        while self.round.load(Ordering::Acquire) == round {
            assert!(!self.broken.load(Ordering::Relaxed), "another thread of the forward pass panicked");
            spins += 1;
            if spins < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
    }
}

/// Breaks the barrier when its thread panics.
struct PanicGuard<'a>(&'a Barrier);

impl Drop for PanicGuard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.broken.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_runs_once_and_waits_for_the_others() {
        for size in 1..5 {
            let team = Team::new(size).expect("threads are to be had");
            // More than once: a team is used again.
            for _ in 0..size {
                let counts: Vec<AtomicUsize> = (0..size).map(|_| AtomicUsize::new(0)).collect();
                team.run(|member| {
                    for round in 0..100 {
                        counts[member.index].fetch_add(1, Ordering::Relaxed);
                        member.wait();
                        assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == round + 1));
                        member.wait();
                    }
                });
            }
        }
    }

    #[test]
    fn a_panic_reaches_the_caller() {
        let team = Team::new(3).expect("threads are to be had");
        let run = || {
            team.run(|member| {
                assert!(member.index != 1, "on purpose");
                member.wait();
            });
        };
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err());
        team.run(|member| member.wait());
    }
}
