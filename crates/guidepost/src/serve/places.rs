//! Places for requests that take work: so many at once, so many more that wait, and no more.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::failure::{Failure, Kind};
use super::metrics::Metrics;

/// Work runs on threads of its own, of which many may wait for the model at once: that is what fills its batches.
pub(super) struct Places {
    free: Semaphore,
    /// Places that texts of the embedding interface may take, so that questions always find some.
    free_for_texts: Semaphore,
    /// Requests that have a place or wait for one.
    inside: AtomicUsize,
    most: usize,
    timeout: Duration,
    metrics: Arc<Metrics>,
}

/// Threads that search or embed at once.
pub(super) const THREADS: usize = 64;

impl Places {
    /// `at_once`: requests that have a place. `most`: those that have one or wait for one; the next is refused. `timeout` counts
    /// from the moment it comes.
    pub(super) fn new(at_once: usize, most: usize, timeout: Duration, metrics: Arc<Metrics>) -> Places {
        let free = Semaphore::new(at_once.min(most));
        let free_for_texts = Semaphore::new((at_once / 2).min(most));
        Places { free, free_for_texts, inside: AtomicUsize::new(0), most, timeout, metrics }
    }

    /// The same for texts of the embedding interface, which take half of the places at most.
    pub(super) async fn run_behind<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(Weak<()>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let turn = tokio::time::timeout(self.timeout, self.free_for_texts.acquire()).await;
        let _turn = turn.map_err(|_| late())?.map_err(|_| ending())?;
        self.run(work).await
    }

    /// Does work on a thread of its own, when there is a place. A client that leaves while it waits gives up its turn; the
    /// work is given what is gone once nobody waits for it any more.
    ///
    /// # Errors
    /// Too many others, too long a time, or what the work itself says.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(Weak<()>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let inside = self.enter()?;
        let caller = Arc::new(());
        let waited_for = Arc::downgrade(&caller);
        let outcome = tokio::time::timeout(self.timeout, async {
            let since = Instant::now();
            let mut turn = Turn { places: self, had: false };
            self.metrics.waiting.inc();
            let place = self.free.acquire().await;
            turn.had = true;
            drop(turn);
            let place = place.map_err(|_| ending())?;
            self.metrics.stage("waiting", since.elapsed());
            self.metrics.running.inc();
            // The place is free again only when the work is done, whether or not somebody still waits for it.
            place.forget();
            let places = Arc::clone(self);
            let done = tokio::task::spawn_blocking(move || {
                // Who is worked for counts as one of those inside, whether or not they have left.
                let _place = (Place(places), inside);
                work(waited_for)
            });
            done.await.unwrap_or_else(|_| {
                Err(Failure::new(Kind::Internal, "this should not have happened; the server goes on"))
            })
        });
        outcome.await.unwrap_or_else(|_| Err(late()))
    }

    fn enter(self: &Arc<Self>) -> Result<Inside, Failure> {
        if self.inside.fetch_add(1, Ordering::Relaxed) >= self.most {
            self.inside.fetch_sub(1, Ordering::Relaxed);
            self.metrics.refused.inc();
            return Err(Failure::overloaded());
        }
        Ok(Inside(Arc::clone(self)))
    }
}

fn late() -> Failure {
    Failure::new(Kind::Unhealthy, "it took too long; try again, or ask for less")
}

fn ending() -> Failure {
    Failure::new(Kind::Unhealthy, "the server is about to end")
}

/// A request that has a place or waits for one.
struct Inside(Arc<Places>);

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request that waits for a place.
struct Turn<'a> {
    places: &'a Places,
    had: bool,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.places.metrics.waiting.dec();
        if !self.had {
            self.places.metrics.left.inc();
        }
    }
}

/// Work that has a place.
struct Place(Arc<Places>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.metrics.running.dec();
        self.0.free.add_permits(1);
    }
}
