//! One model for all requests: texts that wait at the same time are embedded together.
//!
//! A thread owns the model's time. While it embeds a batch, what comes in piles up and is the next batch, for which it
//! waits a little where more requests are at work: a lone question waits for nobody, and many cost little more than one.
//! Questions go before texts of the embedding interface, of which one request can bring hundreds. Nothing here decides how
//! many may wait: the places for requests do.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use guidepost_query::embed_with_tokens;
use guidepost_text::{Embed, EmbedError, Embedding, KeepTokens, Span, TextRole, TokenVectors};
use lru::LruCache;

use super::metrics::Metrics;

/// A model that is shared.
pub(super) struct Batcher {
    model: Arc<dyn Embed>,
    shared: Arc<Shared>,
    remembered: Mutex<LruCache<String, Embedded>>,
    worker: Option<JoinHandle<()>>,
}

/// What callers and the model's thread share.
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    /// Most tokens of a batch; a single text may have more.
    most_tokens: usize,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct Waiting {
    questions: VecDeque<Job>,
    texts: VecDeque<Job>,
    /// Whether the server ends.
    closed: bool,
}

/// A text that waits.
struct Job {
    text: String,
    role: TextRole,
    tokens: usize,
    keep: bool,
    since: Instant,
    /// Where it stands among the texts of its caller.
    at: usize,
    reply: mpsc::Sender<(usize, Result<Embedded, Arc<str>>)>,
    /// Gone with its caller.
    caller: Weak<()>,
}

/// A text's embedding, and its token vectors where they were wanted.
type Embedded = (Embedding, Option<TokenVectors>);

/// Questions that are remembered with their embeddings, where they are no longer than so many bytes: whoever types ahead asks the
/// same again. With the vectors of their tokens these are some 25 MB at most, for a model of 384 dimensions.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(256).expect("it is not 0");
const REMEMBERED_BYTES: usize = 256;

/// How often a thread that waits for the model looks whether its client still waits for it.
const PATIENCE: Duration = Duration::from_millis(100);

impl Batcher {
    /// The model itself.
    pub(super) fn model(&self) -> &dyn Embed {
        &*self.model
    }

    pub(super) fn new(model: Box<dyn Embed>, most_tokens: usize, metrics: Arc<Metrics>) -> Batcher {
        let model: Arc<dyn Embed> = model.into();
        let shared = Arc::new(Shared {
            waiting: Mutex::new(Waiting::default()),
            changed: Condvar::new(),
            most_tokens,
            metrics,
        });
        let (its_model, its_shared) = (Arc::clone(&model), Arc::clone(&shared));
        let worker = std::thread::spawn(move || its_shared.work(&*its_model));
        let remembered = Mutex::new(LruCache::new(REMEMBERED));
        Batcher { model, shared, remembered, worker: Some(worker) }
    }

    /// Puts texts with their numbers of tokens into a queue, and waits for all of them.
    fn wait_for(
        &self,
        texts: &[&str],
        tokens: &[usize],
        role: TextRole,
        keep: bool,
        lane: Lane,
        caller: &Weak<()>,
    ) -> Result<Vec<Embedded>, EmbedError> {
        let (reply, replies) = mpsc::channel();
        let since = Instant::now();
        let jobs = texts.iter().zip(tokens).enumerate().map(|(at, (text, tokens))| Job {
            text: (*text).to_owned(),
            role,
            tokens: (*tokens).min(self.model.max_tokens()),
            keep,
            since,
            at,
            reply: reply.clone(),
            caller: caller.clone(),
        });
        self.shared.push(jobs.collect(), lane)?;
        drop(reply);
        let mut embedded: Vec<Option<Embedded>> = vec![None; texts.len()];
        loop {
            match replies.recv_timeout(PATIENCE) {
                Ok((at, outcome)) => {
                    embedded[at] = Some(outcome.map_err(|error| EmbedError(error.to_string().into()))?);
                }
                Err(RecvTimeoutError::Timeout) if caller.strong_count() > 0 => {}
                Err(RecvTimeoutError::Timeout) => {
                    return Err(EmbedError("nobody waits for it any more".into()));
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let all: Option<Vec<Embedded>> = embedded.into_iter().collect();
        all.ok_or_else(|| EmbedError("the server is about to end".into()))
    }

    /// The embedding of a single question, as it was the last time where that is known.
    fn question(&self, text: &str, keep: bool, caller: &Weak<()>) -> Result<Embedded, EmbedError> {
        let metrics = &self.shared.metrics;
        let known = locked(&self.remembered).get(text).cloned();
        if let Some(known) = known.filter(|(_, tokens)| tokens.is_some() || !keep) {
            metrics.cache_hits.inc();
            return Ok(known);
        }
        metrics.cache_misses.inc();
        let tokens = self.model.count_tokens(&[text]);
        let mut embedded =
            self.wait_for(&[text], &tokens, TextRole::Question, keep, Lane::Questions, caller)?;
        let embedded = embedded.pop().ok_or_else(|| EmbedError("it gave no embedding".into()))?;
        if text.len() <= REMEMBERED_BYTES {
            locked(&self.remembered).put(text.to_owned(), embedded.clone());
        }
        Ok(embedded)
    }
}

impl Drop for Batcher {
    fn drop(&mut self) {
        locked(&self.shared.waiting).closed = true;
        self.shared.changed.notify_all();
        // A model that panicked has said so.
        let _ = self.worker.take().map(JoinHandle::join);
    }
}

/// The shared model, as one request has it. Implements [`Embed`], so that a search does not know whom it shares it with.
pub(super) struct Asker {
    batcher: Arc<Batcher>,
    /// Gone with the client that asked: what it waits for is then not done.
    caller: Weak<()>,
}

impl Asker {
    pub(super) fn new(batcher: Arc<Batcher>, caller: Weak<()>) -> Asker {
        Asker { batcher, caller }
    }

    /// Embeds texts of the embedding interface, whose tokens were counted, after all questions that wait. Blocks.
    pub(super) fn embed_behind(
        &self,
        texts: &[&str],
        tokens: &[usize],
        role: TextRole,
    ) -> Result<Vec<Embedding>, EmbedError> {
        let embedded = self.batcher.wait_for(texts, tokens, role, false, Lane::Texts, &self.caller)?;
        Ok(embedded.into_iter().map(|(embedding, _)| embedding).collect())
    }

    /// Embeds what a search asks for.
    fn asked(&self, texts: &[&str], role: TextRole, keep: bool) -> Result<Vec<Embedded>, EmbedError> {
        match (texts, role) {
            ([question], TextRole::Question) => {
                Ok(vec![self.batcher.question(question, keep, &self.caller)?])
            }
            _ => {
                let tokens = self.count_tokens(texts);
                self.batcher.wait_for(texts, &tokens, role, keep, Lane::Questions, &self.caller)
            }
        }
    }
}

impl Embed for Asker {
    fn fingerprint(&self) -> &str {
        self.batcher.model.fingerprint()
    }

    fn dimensions(&self) -> usize {
        self.batcher.model.dimensions()
    }

    fn token_dimensions(&self) -> usize {
        self.batcher.model.token_dimensions()
    }

    fn max_tokens(&self) -> usize {
        self.batcher.model.max_tokens()
    }

    fn count_tokens(&self, texts: &[&str]) -> Vec<usize> {
        self.batcher.model.count_tokens(texts)
    }

    fn embed(
        &self,
        texts: &[&str],
        role: TextRole,
        on_done: &dyn Fn(usize),
    ) -> Result<Vec<Embedding>, EmbedError> {
        let embedded = self.asked(texts, role, false)?;
        on_done(texts.len());
        Ok(embedded.into_iter().map(|(embedding, _)| embedding).collect())
    }

    fn embed_tokens(
        &self,
        texts: &[&str],
        role: TextRole,
        keep: KeepTokens<'_>,
        on_done: &dyn Fn(usize),
    ) -> Result<Vec<Embedding>, EmbedError> {
        let embedded = self.asked(texts, role, true)?;
        on_done(texts.len());
        let kept = |(at, (embedding, tokens)): (usize, Embedded)| {
            tokens.into_iter().for_each(|tokens| keep(at, tokens));
            embedding
        };
        Ok(embedded.into_iter().enumerate().map(kept).collect())
    }

    fn token_spans(&self, text: &str, role: TextRole) -> Option<Vec<Span>> {
        self.batcher.model.token_spans(text, role)
    }
}

/// Which queue a text waits in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lane {
    Questions,
    Texts,
}

impl Shared {
    fn push(&self, jobs: Vec<Job>, lane: Lane) -> Result<(), EmbedError> {
        let mut waiting = locked(&self.waiting);
        if waiting.closed {
            return Err(EmbedError("the server is about to end".into()));
        }
        self.metrics.queued_texts.add(jobs.len() as i64);
        match lane {
            Lane::Questions => waiting.questions.extend(jobs),
            Lane::Texts => waiting.texts.extend(jobs),
        }
        self.changed.notify_one();
        Ok(())
    }

    /// The model's thread, until the server ends.
    fn work(&self, model: &dyn Embed) {
        while let Some(batch) = self.next() {
            let started = Instant::now();
            for job in &batch {
                self.metrics.stage("queue", started - job.since);
            }
            // Whoever waits hears of a panic, and the next batch is another.
            let outcome = catch_unwind(AssertUnwindSafe(|| run(model, &batch)));
            let outcome = outcome.unwrap_or_else(|_| Err(Arc::from("it panicked")));
            let tokens: usize = batch.iter().map(|job| job.tokens).sum();
            self.metrics.stage("model", started.elapsed());
            self.metrics.batch_texts.observe(batch.len() as f64);
            self.metrics.batch_tokens.observe(tokens as f64);
            self.metrics.batch_fill.observe(tokens as f64 / self.most_tokens as f64);
            self.metrics.tokens.inc_by(tokens as u64);
            // Whoever does not wait any more needs no reply.
            match outcome {
                Ok(embedded) => batch.into_iter().zip(embedded).for_each(|(job, embedded)| {
                    let _ = job.reply.send((job.at, Ok(embedded)));
                }),
                Err(error) => batch.into_iter().for_each(|job| {
                    let _ = job.reply.send((job.at, Err(Arc::clone(&error))));
                }),
            }
        }
    }

    /// The next batch; `None` when the server ends.
    fn next(&self) -> Option<Vec<Job>> {
        let mut waiting = locked(&self.waiting);
        loop {
            if waiting.closed {
                return None;
            }
            if waiting.len() > 0 {
                waiting = self.gather(waiting);
            }
            let batch = waiting.take(self.most_tokens, &self.metrics);
            if !batch.is_empty() {
                return Some(batch);
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits a little for more, as long as there are requests at work that have not asked yet. A lone one waits for nobody.
    fn gather<'w>(&'w self, mut waiting: MutexGuard<'w, Waiting>) -> MutexGuard<'w, Waiting> {
        let until = Instant::now() + GATHER;
        while (waiting.len() as i64) < self.metrics.running.get() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || waiting.closed {
                break;
            }
            let waited = self.changed.wait_timeout(waiting, left);
            waiting = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        waiting
    }
}

/// How long a batch waits for more texts at most.
const GATHER: Duration = Duration::from_millis(2);

impl Waiting {
    fn len(&self) -> usize {
        self.questions.len() + self.texts.len()
    }

    /// Takes texts off the queues that the model can embed together, questions first, up to so many tokens.
    fn take(&mut self, most_tokens: usize, metrics: &Metrics) -> Vec<Job> {
        let mut batch: Vec<Job> = Vec::new();
        let mut tokens = 0;
        for queue in [&mut self.questions, &mut self.texts] {
            while let Some(job) = queue.front() {
                let waited_for = job.caller.strong_count() > 0;
                let fits = batch.first().is_none_or(|first| {
                    first.role == job.role && first.keep == job.keep && tokens + job.tokens <= most_tokens
                });
                if waited_for && !fits {
                    return batch;
                }
                metrics.queued_texts.dec();
                // What nobody waits for any more is dropped.
                if let Some(job) = queue.pop_front().filter(|_| waited_for) {
                    tokens += job.tokens;
                    batch.push(job);
                }
            }
        }
        batch
    }
}

/// Runs the model on a batch.
fn run(model: &dyn Embed, batch: &[Job]) -> Result<Vec<Embedded>, Arc<str>> {
    let texts: Vec<&str> = batch.iter().map(|job| job.text.as_str()).collect();
    let Some(first) = batch.first() else { return Ok(Vec::new()) };
    let embedded = match first.keep {
        true => embed_with_tokens(model, &texts, first.role),
        false => {
            let embedded = model.embed(&texts, first.role, &|_| ());
            embedded.map(|all| all.into_iter().map(|embedding| (embedding, None)).collect())
        }
    };
    embedded.map_err(|error| Arc::from(error.0.to_string()))
}

/// Nothing that is locked here is left half done by a panic.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text of a caller; `None` for a caller that has left.
    fn job(text: &str, tokens: usize, keep: bool, caller: Option<&Arc<()>>) -> Job {
        Job {
            text: text.to_owned(),
            role: TextRole::Question,
            tokens,
            keep,
            since: Instant::now(),
            at: 0,
            reply: mpsc::channel().0,
            caller: caller.map_or_else(Weak::new, Arc::downgrade),
        }
    }

    #[track_caller]
    fn check(questions: Vec<Job>, texts: Vec<Job>, expected: &[&[&str]]) {
        let metrics = Metrics::new().expect("names do not clash");
        let mut waiting = Waiting { questions: questions.into(), texts: texts.into(), closed: false };
        for expected in expected {
            let batch = waiting.take(10, &metrics);
            assert_eq!(batch.iter().map(|job| job.text.as_str()).collect::<Vec<_>>(), *expected);
        }
        assert!(waiting.take(10, &metrics).is_empty());
    }

    #[test]
    fn batches_are_full_and_questions_come_first() {
        let caller = Arc::new(());
        let job = |text: &str, tokens| job(text, tokens, false, Some(&caller));
        check(
            vec![job("a", 4), job("b", 4), job("c", 4)],
            vec![job("x", 6), job("y", 30), job("z", 1)],
            &[&["a", "b"], &["c", "x"], &["y"], &["z"]],
        );
    }

    #[test]
    fn what_differs_in_kind_does_not_share_a_batch() {
        let caller = Arc::new(());
        let job = |text: &str, keep| job(text, 1, keep, Some(&caller));
        check(
            vec![job("a", true), job("b", true), job("c", false)],
            vec![job("x", false)],
            &[&["a", "b"], &["c", "x"]],
        );
    }

    #[test]
    fn nothing_is_done_for_whom_has_left() {
        let caller = Arc::new(());
        check(
            vec![job("a", 4, false, None), job("b", 4, false, Some(&caller)), job("c", 9, false, None)],
            vec![job("x", 6, false, Some(&caller))],
            &[&["b", "x"]],
        );
    }
}
