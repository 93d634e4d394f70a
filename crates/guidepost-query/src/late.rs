//! Late interaction: a question's tokens held one by one against a passage's.
//!
//! Pooling blurs a passage into one vector; its tokens still know that it says "salary" somewhere. The model that embeds
//! the question yields its token vectors in the same pass, and the index keeps those of the passages.

use std::sync::{Mutex, PoisonError};

use guidepost_index::{LateQuestion, Snapshot, Token, analyze};
use guidepost_text::{Embed, EmbedError, Embedding, Span, TextRole, TokenVectors};

use crate::Question;

/// A question as the model sees it.
pub struct Asked {
    /// The whole of it.
    pub vector: Embedding,
    /// Its tokens; `None` where the index keeps no token vectors.
    pub late: Option<LateQuestion>,
}

/// Embeds a question for one index.
///
/// # Errors
/// A model that fails.
pub fn ask_model(
    snapshot: &Snapshot,
    embedder: &dyn Embed,
    question: &Question,
) -> Result<Asked, EmbedError> {
    let texts = [question.text.as_str()];
    let tokens = Mutex::new(None);
    let keep = |_: usize, vectors: TokenVectors| {
        *tokens.lock().unwrap_or_else(PoisonError::into_inner) = Some(vectors);
    };
    let embedded = match snapshot.has_token_codes() {
        true => embedder.embed_tokens(&texts, TextRole::Question, &keep, &|_| ()),
        false => embedder.embed(&texts, TextRole::Question, &|_| ()),
    };
    let vector = embedded?.pop().ok_or_else(|| EmbedError("it gave no embedding for the question".into()))?;
    let tokens = tokens.into_inner().unwrap_or_else(PoisonError::into_inner);
    let late = tokens
        .and_then(|tokens| snapshot.late_question(&tokens, &weights(snapshot, question, &tokens.spans)));
    Ok(Asked { vector, late })
}

/// How much each token of the question counts: as much as its word tells in this index, less where the word is in
/// pieces, each of which finds company more easily. Signs, and tokens that the model adds, count nothing. Of whole, root
/// and equal shares the root was best on the even-numbered queries of six collections: `benches/results/fusion.md`.
fn weights(snapshot: &Snapshot, question: &Question, spans: &[Span]) -> Vec<f32> {
    let words = analyze(&question.text);
    let overlaps = |word: &Token, span: &Span| word.start < span.end && span.start < word.end;
    let weight = |span: &Span| {
        let Some(word) = words.iter().find(|word| overlaps(word, span)) else { return 0.0 };
        let pieces = spans.iter().filter(|span| overlaps(word, span)).count();
        snapshot.idf(&word.term) / (pieces as f32).sqrt()
    };
    spans.iter().map(weight).collect()
}
