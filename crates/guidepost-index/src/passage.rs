//! Passages as searches need them, and those that a snapshot remembers: whoever answers many questions reads the same passages
//! again and again, and cutting their texts into words takes longer than finding them.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use guidepost_text::Span;
use lru::LruCache;

use crate::chunk_store::StoredChunk;
use crate::postings::terms;
use crate::{ChunkId, IndexError};

/// A chunk, and what is made of its text at most once.
pub struct Passage {
    /// The chunk.
    pub stored: StoredChunk,
    terms: OnceLock<HashSet<String>>,
    token_spans: OnceLock<Option<Vec<Span>>>,
}

impl Passage {
    pub(crate) fn new(stored: StoredChunk) -> Passage {
        Passage { stored, terms: OnceLock::new(), token_spans: OnceLock::new() }
    }

    /// The distinct words of its headings and its text, as the text index sees them.
    pub fn terms(&self) -> &HashSet<String> {
        self.terms.get_or_init(|| {
            let chunk = &self.stored.chunk;
            let mut all = terms(&chunk.context);
            all.extend(terms(&chunk.text));
            all
        })
    }

    /// The parts of its text that its tokens stand for. `make` finds them the first time, and is to be of the index's model.
    pub fn token_spans(&self, make: impl FnOnce() -> Option<Vec<Span>>) -> Option<&[Span]> {
        self.token_spans.get_or_init(make).as_deref()
    }
}

/// The passages that were last asked for.
pub(crate) struct Memory(Mutex<LruCache<ChunkId, Arc<Passage>>>);

impl Memory {
    pub(crate) fn new(passages: NonZeroUsize) -> Memory {
        Memory(Mutex::new(LruCache::new(passages)))
    }

    /// A passage as it is remembered, else as it is read.
    pub(crate) fn get(
        &self,
        id: ChunkId,
        read: impl FnOnce() -> Result<StoredChunk, IndexError>,
    ) -> Result<Arc<Passage>, IndexError> {
        // Not held while it reads: two that read the same at once waste a little of one's time.
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(Arc::clone(known));
        }
        let passage = Arc::new(Passage::new(read()?));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put(id, Arc::clone(&passage));
        Ok(passage)
    }
}
