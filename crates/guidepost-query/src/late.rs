//! Late interaction: a question's tokens held one by one against a passage's.
//!
//! Pooling blurs a passage into one vector; its tokens still know that it says "salary" somewhere. The model that embeds
//! the question yields its token vectors in the same pass, and the index keeps those of the passages.

use std::sync::{Mutex, PoisonError};

use guidepost_index::{ChunkId, Form, IndexError, LateQuestion, Snapshot, Token};
use guidepost_text::{Chunk, Embed, EmbedError, Embedding, Span, TextRole, TokenVectors, passage_text};

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
    let texts = [question.embedded.as_str()];
    let mut embedded = match snapshot.has_token_codes() {
        true => embed_with_tokens(embedder, &texts, TextRole::Question)?,
        false => {
            let vectors = embedder.embed(&texts, TextRole::Question, &|_| ())?;
            vectors.into_iter().map(|vector| (vector, None)).collect()
        }
    };
    let last = embedded.pop();
    let (vector, tokens) = last.ok_or_else(|| EmbedError("it gave no embedding for the question".into()))?;
    let late = tokens
        .and_then(|tokens| snapshot.late_question(&tokens, &weights(snapshot, question, &tokens.spans)));
    Ok(Asked { vector, late })
}

/// The embedding of each text with its token vectors; `None` where the model has none.
///
/// # Errors
/// A model that fails.
pub fn embed_with_tokens(
    embedder: &dyn Embed,
    texts: &[&str],
    role: TextRole,
) -> Result<Vec<(Embedding, Option<TokenVectors>)>, EmbedError> {
    let kept = Mutex::new(vec![None; texts.len()]);
    let keep = |at: usize, vectors| {
        kept.lock().unwrap_or_else(PoisonError::into_inner)[at] = Some(vectors);
    };
    let embeddings = embedder.embed_tokens(texts, role, &keep, &|_| ())?;
    Ok(embeddings.into_iter().zip(kept.into_inner().unwrap_or_else(PoisonError::into_inner)).collect())
}

/// How much each token of the question counts: as much as its word tells in this index, less where the word is in
/// pieces, each of which finds company more easily. Signs, and tokens that the model adds, count nothing. Of whole, root
/// and equal shares the root was best on the even-numbered queries of six collections: `benches/results/fusion.md`.
fn weights(snapshot: &Snapshot, question: &Question, spans: &[Span]) -> Vec<f32> {
    let words: Vec<&Token> = question.spoken.iter().filter(|word| word.form == Form::Word).collect();
    let overlaps = |word: &Token, span: &Span| word.start < span.end && span.start < word.end;
    let weight = |span: &Span| {
        let Some(word) = words.iter().copied().find(|word| overlaps(word, span)) else { return 0.0 };
        let pieces = spans.iter().filter(|span| overlaps(word, span)).count();
        snapshot.idf(&word.term) / (pieces as f32).sqrt()
    };
    spans.iter().map(weight).collect()
}

/// How each token of a passage answers to each of the question's.
#[derive(Debug, Clone)]
pub struct TokenMatch {
    /// The part of the question that each of its tokens stands for.
    question: Vec<Span>,
    /// The part of the passage's text that each of its tokens stands for; empty for those of headings, and for those that
    /// the model adds.
    spans: Vec<Span>,
    /// Share of each token of the question, of all 1.
    weights: Vec<f32>,
    /// Shape `[tokens of the question, tokens of the passage]`.
    cosines: Vec<f32>,
}

impl TokenMatch {
    /// Matches a passage that the index holds; `None` where its tokens are not known.
    ///
    /// # Errors
    /// A damaged index.
    pub(crate) fn new(
        snapshot: &Snapshot,
        embedder: &dyn Embed,
        late: &LateQuestion,
        id: ChunkId,
    ) -> Result<Option<Self>, IndexError> {
        let passage = snapshot.passage(id)?;
        let spans = passage.token_spans(|| spans(embedder, &passage.stored.chunk));
        let (cosines, weights) = (snapshot.token_cosines(late, id), late.shares());
        let known = spans.filter(|spans| cosines.len() == spans.len() * weights.len());
        Ok(known.map(|spans| TokenMatch {
            question: late.spans().to_vec(),
            spans: spans.to_vec(),
            weights,
            cosines,
        }))
    }

    /// MaxSim of a part of the passage; 0 where no token lies in it.
    pub fn max_sim(&self, part: Span) -> f32 {
        let inside = |span: &Span| span.start < span.end && part.start <= span.start && span.end <= part.end;
        let best = |row: &[f32]| {
            let cosines = row.iter().zip(&self.spans).filter(|(_, span)| inside(span));
            cosines.map(|(cosine, _)| *cosine).reduce(f32::max)
        };
        self.rows().zip(&self.weights).filter_map(|(row, weight)| Some(best(row)? * weight)).sum()
    }

    /// For each token of the question, what answers best to it. Nothing for a passage without tokens.
    pub fn best(&self) -> impl Iterator<Item = BestToken> + '_ {
        self.rows().zip(&self.weights).zip(&self.question).filter_map(|((row, &weight), &question)| {
            let (cosine, passage) = row.iter().zip(&self.spans).max_by(|a, b| a.0.total_cmp(b.0))?;
            Some(BestToken { question, weight, cosine: *cosine, passage: *passage })
        })
    }

    /// The cosines of each token of the question.
    fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.cosines.chunks_exact(self.spans.len().max(1))
    }
}

/// The part of a passage's text that each of its tokens stands for; empty for those of headings.
fn spans(embedder: &dyn Embed, chunk: &Chunk) -> Option<Vec<Span>> {
    let text = passage_text(chunk);
    let before = text.len().checked_sub(chunk.text.len())?;
    let within = |span: Span| match span.start >= before {
        true => Span { start: span.start - before, end: span.end - before },
        false => Span { start: 0, end: 0 },
    };
    Some(embedder.token_spans(&text, TextRole::Passage)?.into_iter().map(within).collect())
}

/// A token of the question, and the token of a passage that answers best to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BestToken {
    /// The part of the question it stands for.
    pub question: Span,
    /// Its share in the score, in [0, 1]: MaxSim is the sum of the cosines by these.
    pub weight: f32,
    /// Estimated cosine of the two tokens, about in [-1, 1].
    pub cosine: f32,
    /// The part of the passage's text that answers; empty where that is a heading's.
    pub passage: Span,
}
