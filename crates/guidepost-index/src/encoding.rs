//! The vectors of a new generation: taken over where the embedded text is the same, made by the model where it is not.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use guidepost_text::Embedding;

use crate::journal::Journal;
use crate::model_run::ModelRun;
use crate::{Event, IndexError, StoredChunk};

/// Everything a model has to say of the chunks, in the order of their numbers.
pub(crate) struct Encodings<'a> {
    pub(crate) vectors: Vec<Embedding>,
    /// Codes of each chunk's tokens; `None` where they are not kept.
    pub(crate) tokens: Option<Vec<Cow<'a, [u64]>>>,
    /// Passages that went through the model.
    pub(crate) embedded: usize,
    /// Passages that an interrupted update had embedded.
    pub(crate) resumed: usize,
    /// To be finished after the commit.
    pub(crate) journal: Journal,
}

/// What an index holds of a text: its vector, and the codes of its tokens, none where none are kept.
pub(crate) type Known<'a> = (&'a [f32], &'a [u64]);

/// What a model has to say of one chunk.
#[derive(Clone)]
struct Encoding<'a> {
    vector: Embedding,
    tokens: Cow<'a, [u64]>,
}

/// Encodes chunks; `known` tells what is known of a text by its key.
///
/// # Errors
/// A model that fails; damage to what is known.
pub(crate) fn encode<'a>(
    chunks: &[StoredChunk],
    known: impl Fn(&str) -> Result<Option<Known<'a>>, IndexError>,
    run: &ModelRun,
    listener: &mut dyn FnMut(Event),
) -> Result<Encodings<'a>, IndexError> {
    let mut by_key: HashMap<String, Encoding> = HashMap::new();
    let mut missing: HashSet<&str> = HashSet::new();
    for chunk in chunks {
        if by_key.contains_key(&chunk.key) || missing.contains(chunk.key.as_str()) {
            continue;
        }
        match known(&chunk.key)? {
            Some((vector, codes)) => {
                let vector = Embedding::from_unit(vector.to_vec());
                by_key.insert(chunk.key.clone(), Encoding { vector, tokens: Cow::Borrowed(codes) });
            }
            None => {
                missing.insert(&chunk.key);
            }
        }
    }
    let made = run.encode(chunks, &missing, listener)?;
    by_key.extend(made.records.into_iter().map(|record| {
        let tokens = Cow::Owned(record.codes.unwrap_or_default());
        (record.key, Encoding { vector: record.vector, tokens })
    }));
    let of = |chunk: &StoredChunk| by_key.get(&chunk.key).expect("every key was looked up or embedded");
    Ok(Encodings {
        vectors: chunks.iter().map(|chunk| of(chunk).vector.clone()).collect(),
        tokens: run.keep_tokens.then(|| chunks.iter().map(|chunk| of(chunk).tokens.clone()).collect()),
        embedded: made.embedded,
        resumed: made.resumed,
        journal: made.journal,
    })
}
