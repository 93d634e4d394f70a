//! A cosine taken apart: what each token of the question, and each of the passage, adds to it.
//!
//! With mean pooling a text's vector is the sum of its tokens' vectors, scaled; so a cosine is a sum over tokens, exactly.

use guidepost_text::{Embed, EmbedError, Embedding, Span, TextRole, TokenVectors};

use crate::late::embed_with_tokens;

/// What a token adds to the cosine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokenShare {
    /// The part of the text that it stands for; empty for tokens that the model adds.
    pub span: Span,
    /// Its part of the cosine; all of a text's add up to it.
    pub share: f32,
}

/// A cosine of a question and a passage, token by token.
#[derive(Debug, Clone, PartialEq)]
pub struct CosineShares {
    /// By the question's tokens.
    pub question: Vec<TokenShare>,
    /// By the tokens of the passage as it is embedded, headings first.
    pub passage: Vec<TokenShare>,
}

/// Takes the cosines of a question with some passages apart, by running the model on them again. `None` for a model that
/// pools in another way than by the mean, or has no token vectors: there the tokens' parts are not to be told.
///
/// # Errors
/// A model that fails.
pub fn cosine_shares(
    embedder: &dyn Embed,
    question: &str,
    passages: &[&str],
) -> Result<Vec<Option<CosineShares>>, EmbedError> {
    let question = tokens_of(embedder, &[question], TextRole::Question)?;
    let passages = tokens_of(embedder, passages, TextRole::Passage)?;
    let Some(question) = question.first() else { return Ok(Vec::new()) };
    let both = |passage: &Tokens| {
        Some(CosineShares {
            question: question.shares(&passage.pooled)?,
            passage: passage.shares(&question.pooled)?,
        })
    };
    Ok(passages.iter().map(both).collect())
}

struct Tokens {
    pooled: Embedding,
    /// `None` where the model has none.
    vectors: Option<TokenVectors>,
}

fn tokens_of(embedder: &dyn Embed, texts: &[&str], role: TextRole) -> Result<Vec<Tokens>, EmbedError> {
    let embedded = embed_with_tokens(embedder, texts, role)?;
    Ok(embedded.into_iter().map(|(pooled, vectors)| Tokens { pooled, vectors }).collect())
}

/// Cosine that the scaled sum of the tokens must have with the embedding, to be what the model makes of them.
const SAME: f64 = 0.999_999;

impl Tokens {
    /// What each token adds to the cosine of the text with another.
    fn shares(&self, other: &Embedding) -> Option<Vec<TokenShare>> {
        let vectors = self.vectors.as_ref()?;
        let mut sum = vec![0.0f64; vectors.dimensions];
        for row in vectors.rows() {
            row.iter().zip(&mut sum).for_each(|(value, sum)| *sum += f64::from(*value));
        }
        let length = sum.iter().map(|value| value * value).sum::<f64>().sqrt();
        let mean = Embedding::normalized(sum.iter().map(|value| *value as f32).collect());
        // A vector of zeros has no cosine with anything.
        let same = mean.as_slice().len() == self.pooled.as_slice().len()
            && mean.precise_cosine(&self.pooled) >= SAME;
        if !same {
            return None;
        }
        let dot = |row: &[f32]| {
            row.iter().zip(other.as_slice()).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>()
        };
        let share =
            |(row, span): (&[f32], &Span)| TokenShare { span: *span, share: (dot(row) / length) as f32 };
        Some(vectors.rows().zip(&vectors.spans).map(share).collect())
    }
}

#[cfg(test)]
mod tests {
    use guidepost_text::HashEmbedder;

    use super::*;

    #[test]
    fn shares_add_up_to_the_cosine() {
        let (question, passages) =
            ("which pears are sweet", ["Sweet pears and sweeter plums", "Bridges of stone", ""]);
        let shares = cosine_shares(&HashEmbedder, question, &passages).expect("it cannot fail");
        let embed = |text| {
            HashEmbedder.embed(&[text], TextRole::Passage, &|_| ()).expect("it cannot fail")[0].clone()
        };
        for (shares, passage) in shares.iter().zip(passages).take(2) {
            let shares = shares.as_ref().expect("it pools by the mean");
            let cosine = embed(question).cosine(&embed(passage));
            for part in [&shares.question, &shares.passage] {
                let sum: f32 = part.iter().map(|token| token.share).sum();
                assert!((sum - cosine).abs() < 1e-5, "{sum} of {cosine} for {passage:?}");
            }
        }
        let first = shares[0].as_ref().expect("it pools by the mean");
        let most = first.question.iter().max_by(|a, b| a.share.total_cmp(&b.share)).expect("tokens");
        assert!(["pears", "sweet"].contains(&most.span.of(question)));
        assert_eq!(shares[2], None, "a text without tokens has no direction");
    }
}
