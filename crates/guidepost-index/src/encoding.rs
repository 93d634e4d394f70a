//! The vectors of a new segment: taken over where the embedded text is the same, made by the model where it is not.

use std::borrow::Cow;
use std::collections::HashMap;

use guidepost_text::Embedding;

use crate::model_run::ModelRun;
use crate::{Event, IndexError, StoredChunk};

/// Everything a model has to say of the chunks, in the order of their rows.
pub(crate) struct Encodings<'a> {
    pub(crate) vectors: Vec<Embedding>,
    /// Codes of each chunk's tokens; `None` where they are not kept.
    pub(crate) tokens: Option<Vec<Cow<'a, [u64]>>>,
}

/// What an index holds of a text: its vector, and the codes of its tokens, none where none are kept.
pub(crate) type Known<'a> = (&'a [f32], &'a [u64]);

/// What a model has to say of one chunk.
type Encoding<'a> = (Embedding, Cow<'a, [u64]>);

/// Encodes chunks; `known` tells what is known of a text by its key.
///
/// # Errors
/// A model that fails; damage to what is known.
pub(crate) fn encode<'a>(
    chunks: &[StoredChunk],
    known: impl Fn(&str) -> Result<Option<Known<'a>>, IndexError>,
    run: &mut ModelRun,
    listener: &mut dyn FnMut(Event),
) -> Result<Encodings<'a>, IndexError> {
    let mut first: HashMap<&str, usize> = HashMap::new();
    let mut encodings: Vec<Option<Encoding>> = vec![None; chunks.len()];
    let mut missing = Vec::new();
    for (row, chunk) in chunks.iter().enumerate() {
        if first.contains_key(&*chunk.key) {
            continue;
        }
        first.insert(&chunk.key, row);
        match known(&chunk.key)? {
            Some((vector, codes)) => {
                run.journal.claim(&chunk.key);
                encodings[row] = Some((Embedding::from_unit(vector.to_vec()), Cow::Borrowed(codes)));
            }
            None => missing.push(row),
        }
    }
    for (row, record) in run.encode(chunks, &missing, listener)? {
        encodings[row] = Some((record.vector, Cow::Owned(record.codes.unwrap_or_default())));
    }
    // Texts that are there more than once.
    for row in 0..chunks.len() {
        if encodings[row].is_none() {
            encodings[row] = encodings[first[&*chunks[row].key]].clone();
        }
    }
    let all = encodings.into_iter().map(|encoding| encoding.expect("every text was looked up or embedded"));
    let (vectors, tokens) = all.unzip();
    Ok(Encodings { vectors, tokens: run.keeps_tokens().then_some(tokens) })
}
