//! The texts of an update on their way through the model: those that an interrupted update left in its journal are done
//! already, the rest is put down there as it is made.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use guidepost_text::{Embed, Embedding, TextRole, TokenVectors, passage_text};

use crate::journal::{Journal, Record};
use crate::tokens::Rotation;
use crate::{Event, IndexError, StoredChunk};

/// A model at work for one update, and what came of it so far.
pub(crate) struct ModelRun<'a> {
    embedder: &'a dyn Embed,
    /// Whether tokens are coded, too.
    keep_tokens: bool,
    /// Ends the run after the step that is being embedded.
    stop: &'a AtomicBool,
    /// To be finished after the commit.
    pub(crate) journal: Journal,
    /// Passages that went through the model.
    pub(crate) embedded: usize,
    /// Passages that an interrupted update had embedded.
    pub(crate) resumed: usize,
    /// How long the model took.
    pub(crate) took: Duration,
}

impl<'a> ModelRun<'a> {
    /// # Errors
    /// A journal that can neither be read nor removed.
    pub(crate) fn new(
        index: &Path,
        embedder: &'a dyn Embed,
        keep_tokens: bool,
        stop: &'a AtomicBool,
    ) -> Result<Self, IndexError> {
        let journal = Journal::open(index, embedder)?;
        Ok(ModelRun { embedder, keep_tokens, stop, journal, embedded: 0, resumed: 0, took: Duration::ZERO })
    }

    pub(crate) fn keeps_tokens(&self) -> bool {
        self.keep_tokens
    }

    /// Encodes those of the chunks whose rows are `missing`, no two of which have the same text: the record of each, in any
    /// order.
    ///
    /// # Errors
    /// A model that fails; [`IndexError::Interrupted`] where the run was stopped.
    pub(crate) fn encode(
        &mut self,
        chunks: &[StoredChunk],
        missing: &[usize],
        listener: &mut dyn FnMut(Event),
    ) -> Result<Vec<(usize, Record)>, IndexError> {
        let mut records = Vec::with_capacity(missing.len());
        // By key, which brings short and long texts together in every step as chance will have it.
        let mut texts: BTreeMap<&str, (usize, String)> = BTreeMap::new();
        for &row in missing {
            let chunk = &chunks[row];
            match self.journal.find(&chunk.key, self.keep_tokens) {
                Some(record) => records.push((row, record)),
                None => _ = texts.insert(&chunk.key, (row, passage_text(&chunk.chunk))),
            }
        }
        if !records.is_empty() {
            self.resumed += records.len();
            listener(Event::Resumed { passages: records.len() });
        }
        if !texts.is_empty() {
            let started = Instant::now();
            let embedded = self.embed(&texts, &mut records, listener);
            self.took += started.elapsed();
            embedded?;
            self.embedded += texts.len();
        }
        Ok(records)
    }

    fn embed(
        &mut self,
        missing: &BTreeMap<&str, (usize, String)>,
        records: &mut Vec<(usize, Record)>,
        listener: &mut dyn FnMut(Event),
    ) -> Result<(), IndexError> {
        let ModelRun { embedder, keep_tokens, stop, ref mut journal, resumed, .. } = *self;
        let keys: Vec<(&str, usize)> = missing.iter().map(|(key, (row, _))| (*key, *row)).collect();
        let texts: Vec<&str> = missing.values().map(|(_, text)| &**text).collect();
        let total = texts.len();
        listener(Event::Embedding { done: 0, total });
        let rotation = keep_tokens.then(|| Rotation::new(embedder.token_dimensions()));
        let codes = Mutex::new(vec![Vec::new(); total]);
        // Coded at once: a million tokens are 48 MB as codes and 1.5 GB as vectors.
        let keep = rotation.as_ref().map(|rotation| {
            |at: usize, tokens: TokenVectors| {
                let coded = rotation.encode(&tokens);
                codes.lock().unwrap_or_else(PoisonError::into_inner)[at] = coded;
            }
        });
        let mut done = 0;
        let mut take = |vectors: Vec<Embedding>| {
            let mut codes = codes.lock().unwrap_or_else(PoisonError::into_inner);
            let made = vectors.into_iter().zip(&keys[done..]).zip(&mut codes[done..]);
            let made: Vec<(usize, Record)> = made
                .map(|((vector, &(key, row)), codes)| {
                    let codes = keep_tokens.then(|| std::mem::take(codes));
                    (row, Record { key: key.to_owned(), vector, codes })
                })
                .collect();
            done += made.len();
            journal.append(made.iter().map(|(_, record)| record));
            records.extend(made);
            listener(Event::Embedding { done, total });
            if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let keep = keep.as_ref().map(|keep| keep as guidepost_text::KeepTokens);
        embedder.embed_in_steps(&texts, TextRole::Passage, keep, &mut take)?;
        if stop.load(Ordering::Relaxed) {
            journal.sync();
            return Err(IndexError::Interrupted { kept: Some(resumed + journal.appended()) });
        }
        Ok(())
    }
}
