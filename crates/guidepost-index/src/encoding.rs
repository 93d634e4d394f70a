//! The vectors of a new generation: taken over where the embedded text is the same, made by the model where it is not.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use guidepost_text::{Embed, Embedding, TextRole, TokenVectors, passage_text};

use crate::tokens::Rotation;
use crate::{Event, IndexError, Snapshot, StoredChunk};

/// Everything a model has to say of the chunks, in the order of their numbers.
pub(crate) struct Encodings<'a> {
    pub(crate) vectors: Vec<Embedding>,
    /// Codes of each chunk's tokens; `None` where they are not kept.
    pub(crate) tokens: Option<Vec<Cow<'a, [u64]>>>,
    /// Passages that went through the model.
    pub(crate) embedded: usize,
}

/// What a model has to say of one chunk.
#[derive(Clone)]
struct Encoding<'a> {
    vector: Embedding,
    tokens: Cow<'a, [u64]>,
}

/// Encodes chunks. Of the old generation nothing is of use that lacks what is wanted.
///
/// # Errors
/// A model that fails.
pub(crate) fn encode<'a>(
    chunks: &[StoredChunk],
    old: Option<&'a Snapshot>,
    embedder: &dyn Embed,
    keep_tokens: bool,
    listener: &mut dyn FnMut(Event),
) -> Result<Encodings<'a>, IndexError> {
    let old = old.filter(|old| !keep_tokens || old.has_token_codes());
    let mut by_key: HashMap<&str, Encoding> = HashMap::new();
    let mut missing: BTreeMap<&str, String> = BTreeMap::new();
    for chunk in chunks {
        if by_key.contains_key(chunk.key.as_str()) || missing.contains_key(chunk.key.as_str()) {
            continue;
        }
        match old.and_then(|old| old.encoding(&chunk.key)) {
            Some((vector, codes)) => {
                let vector = Embedding::from_unit(vector.to_vec());
                by_key.insert(&chunk.key, Encoding { vector, tokens: Cow::Borrowed(codes) });
            }
            None => {
                missing.insert(&chunk.key, passage_text(&chunk.chunk));
            }
        }
    }
    let (keys, texts): (Vec<&str>, Vec<&str>) =
        missing.iter().map(|(key, text)| (*key, text.as_str())).unzip();
    if !texts.is_empty() {
        by_key.extend(keys.into_iter().zip(run_model(embedder, &texts, keep_tokens, listener)?));
    }
    let of =
        |chunk: &StoredChunk| by_key.get(chunk.key.as_str()).expect("every key was looked up or embedded");
    Ok(Encodings {
        vectors: chunks.iter().map(|chunk| of(chunk).vector.clone()).collect(),
        tokens: keep_tokens.then(|| chunks.iter().map(|chunk| of(chunk).tokens.clone()).collect()),
        embedded: texts.len(),
    })
}

fn run_model<'a>(
    embedder: &dyn Embed,
    texts: &[&str],
    keep_tokens: bool,
    listener: &mut dyn FnMut(Event),
) -> Result<Vec<Encoding<'a>>, IndexError> {
    let total = texts.len();
    listener(Event::Embedding { done: 0, total });
    let state = RefCell::new((0, listener));
    let on_done = |more: usize| {
        let (done, listener) = &mut *state.borrow_mut();
        *done += more;
        listener(Event::Embedding { done: *done, total });
    };
    if !keep_tokens {
        let vectors = embedder.embed(texts, TextRole::Passage, &on_done)?;
        return Ok(vectors.into_iter().map(|vector| Encoding { vector, tokens: Cow::default() }).collect());
    }
    let rotation = Rotation::new(embedder.token_dimensions());
    let codes = Mutex::new(vec![Vec::new(); total]);
    // Coded at once: a million tokens are 48 MB as codes and 1.5 GB as vectors.
    let keep = |at: usize, tokens: TokenVectors| {
        let coded = rotation.encode(&tokens);
        codes.lock().unwrap_or_else(PoisonError::into_inner)[at] = coded;
    };
    let vectors = embedder.embed_tokens(texts, TextRole::Passage, &keep, &on_done)?;
    let codes = codes.into_inner().unwrap_or_else(PoisonError::into_inner);
    let pair = |(vector, codes)| Encoding { vector, tokens: Cow::Owned(codes) };
    Ok(vectors.into_iter().zip(codes).map(pair).collect())
}
