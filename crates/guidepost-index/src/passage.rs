//! Passages as searches need them, and those that a snapshot remembers: whoever answers many questions reads the same passages
//! again and again, and cutting their texts into words takes longer than finding them.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use guidepost_text::{Chunk, Span, Wording};
use lru::LruCache;

use crate::chunk_store::StoredChunk;
use crate::postings::analyze;
use crate::{ChunkId, IndexError};

/// A chunk, and what is made of its text at most once.
#[derive(Debug)]
pub struct Passage {
    /// The chunk.
    pub stored: StoredChunk,
    words: OnceLock<Words>,
    wording: OnceLock<Wording>,
    token_spans: OnceLock<Option<Vec<Span>>>,
}

impl Passage {
    pub(crate) fn new(stored: StoredChunk) -> Passage {
        Passage { stored, words: OnceLock::new(), wording: OnceLock::new(), token_spans: OnceLock::new() }
    }

    /// The words of its headings and its text, as the text index sees them.
    pub fn words(&self) -> &Words {
        self.words.get_or_init(|| Words::of(&self.stored.chunk))
    }

    /// Its text as it is compared with others'.
    pub fn wording(&self) -> &Wording {
        self.wording.get_or_init(|| Wording::of(&self.stored.chunk.text))
    }

    /// The parts of its text that its tokens stand for. `make` finds them the first time, and is to be of the index's model.
    pub fn token_spans(&self, make: impl FnOnce() -> Option<Vec<Span>>) -> Option<&[Span]> {
        self.token_spans.get_or_init(make).as_deref()
    }
}

/// The words of a passage in every form, as the text index sees them.
#[derive(Debug)]
pub struct Words {
    /// A number for each distinct one.
    numbers: HashMap<String, u32>,
    /// Where each stands in the text, with its number; in order.
    in_text: Vec<(Span, u32)>,
}

impl Words {
    fn of(chunk: &Chunk) -> Words {
        let mut numbers = HashMap::new();
        let mut number = |term: String| {
            let next = numbers.len() as u32;
            *numbers.entry(term).or_insert(next)
        };
        let words = analyze(&chunk.text).into_iter();
        let in_text = words.map(|word| (Span { start: word.start, end: word.end }, number(word.term)));
        let in_text = in_text.collect();
        for word in analyze(&chunk.context) {
            number(word.term);
        }
        Words { numbers, in_text }
    }

    /// Whether the headings or the text hold a term.
    pub fn hold(&self, term: &str) -> bool {
        self.numbers.contains_key(term)
    }

    /// Where a word of the text stands, and whether it is one of some terms; in order.
    pub fn in_text<'t>(&self, terms: impl Iterator<Item = &'t str>) -> impl Iterator<Item = (Span, bool)> {
        let wanted: Vec<u32> = terms.filter_map(|term| self.numbers.get(term).copied()).collect();
        self.in_text.iter().map(move |(span, number)| (*span, wanted.contains(number)))
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
