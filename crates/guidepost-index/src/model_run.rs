//! The texts of an update on their way through the model: those that an interrupted update left in its journal are done
//! already, the rest is put down there as it is made.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use guidepost_text::{Embed, Embedding, TextRole, TokenVectors, passage_text};

use crate::journal::{Journal, Record};
use crate::tokens::Rotation;
use crate::{Event, IndexError, StoredChunk};

/// What a run needs beside the texts.
pub(crate) struct ModelRun<'a> {
    /// The index directory.
    pub(crate) index: &'a Path,
    pub(crate) embedder: &'a dyn Embed,
    /// Whether tokens are coded, too.
    pub(crate) keep_tokens: bool,
    /// Ends the run after the step that is being embedded.
    pub(crate) stop: &'a AtomicBool,
}

/// What came out of it.
pub(crate) struct Outcome {
    /// One for each key that was missing.
    pub(crate) records: Vec<Record>,
    /// Passages that went through the model.
    pub(crate) embedded: usize,
    /// Passages that an interrupted update had embedded.
    pub(crate) resumed: usize,
    /// To be finished after the commit.
    pub(crate) journal: Journal,
}

impl ModelRun<'_> {
    /// Encodes those of an update's chunks whose keys are `missing`, each key once.
    ///
    /// # Errors
    /// A model that fails; [`IndexError::Interrupted`] where the run was stopped.
    pub(crate) fn encode(
        &self,
        chunks: &[StoredChunk],
        missing: &HashSet<&str>,
        listener: &mut dyn FnMut(Event),
    ) -> Result<Outcome, IndexError> {
        let mut texts: BTreeMap<&str, String> = BTreeMap::new();
        for chunk in chunks.iter().filter(|chunk| missing.contains(&*chunk.key)) {
            texts.entry(&chunk.key).or_insert_with(|| passage_text(&chunk.chunk));
        }
        let all: HashSet<&str> = chunks.iter().map(|chunk| &*chunk.key).collect();
        let mut records = Vec::new();
        let mut journal = Journal::open(self.index, self.embedder, |record| {
            let is_wanted = !self.keep_tokens || record.codes.is_some();
            if is_wanted && texts.remove(&*record.key).is_some() {
                records.push(record);
                return true;
            }
            // What the index holds already was put down by an update that was killed right behind its commit.
            all.contains(&*record.key)
        })?;
        let resumed = records.len();
        if resumed > 0 {
            listener(Event::Resumed { passages: resumed });
        }
        let embedded = texts.len();
        if !texts.is_empty() {
            self.embed(&texts, &mut journal, &mut records, listener)?;
        }
        Ok(Outcome { records, embedded, resumed, journal })
    }

    fn embed(
        &self,
        missing: &BTreeMap<&str, String>,
        journal: &mut Journal,
        records: &mut Vec<Record>,
        listener: &mut dyn FnMut(Event),
    ) -> Result<(), IndexError> {
        let (keys, texts): (Vec<&str>, Vec<&str>) = missing.iter().map(|(key, text)| (*key, &**text)).unzip();
        let total = texts.len();
        listener(Event::Embedding { done: 0, total });
        let rotation = self.keep_tokens.then(|| Rotation::new(self.embedder.token_dimensions()));
        let codes = Mutex::new(vec![Vec::new(); total]);
        // Coded at once: a million tokens are 48 MB as codes and 1.5 GB as vectors.
        let keep = rotation.as_ref().map(|rotation| {
            |at: usize, tokens: TokenVectors| {
                let coded = rotation.encode(&tokens);
                codes.lock().unwrap_or_else(PoisonError::into_inner)[at] = coded;
            }
        });
        let resumed = records.len();
        let mut done = 0;
        let mut take = |vectors: Vec<Embedding>| {
            let first = records.len();
            let mut codes = codes.lock().unwrap_or_else(PoisonError::into_inner);
            for vector in vectors {
                let codes = self.keep_tokens.then(|| std::mem::take(&mut codes[done]));
                records.push(Record { key: keys[done].to_owned(), vector, codes });
                done += 1;
            }
            journal.append(&records[first..]);
            listener(Event::Embedding { done, total });
            if self.stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let keep = keep.as_ref().map(|keep| keep as guidepost_text::KeepTokens);
        self.embedder.embed_in_steps(&texts, TextRole::Passage, keep, &mut take)?;
        if self.stop.load(Ordering::Relaxed) {
            journal.sync();
            return Err(IndexError::Interrupted { kept: Some(resumed + journal.appended()) });
        }
        Ok(())
    }
}
