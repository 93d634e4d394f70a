//! What the index and the query side ask of a model, whatever it is.

use std::fmt;
use std::ops::ControlFlow;

use crate::Span;

/// A vector of unit length, or all zeros for a text without any token.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding(Vec<f32>);

impl Embedding {
    /// Scales to unit length.
    pub fn normalized(mut values: Vec<f32>) -> Self {
        let norm = values.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>().sqrt();
        if norm > 0.0 {
            values.iter_mut().for_each(|v| *v = (f64::from(*v) / norm) as f32);
        }
        Embedding(values)
    }

    /// Takes over components that an embedding had before.
    pub fn from_unit(values: Vec<f32>) -> Self {
        Embedding(values)
    }

    /// The components.
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// The components, taken out.
    pub fn into_vec(self) -> Vec<f32> {
        self.0
    }

    /// Cosine with another embedding, in [-1, 1].
    pub fn cosine(&self, other: &Embedding) -> f32 {
        let dot: f32 = self.0.iter().zip(&other.0).map(|(a, b)| a * b).sum();
        dot.clamp(-1.0, 1.0)
    }

    /// The same in f64 and over the lengths as they are: near 1, f32 hides the differences that count. No number for a
    /// vector of zeros.
    pub fn precise_cosine(&self, other: &Embedding) -> f64 {
        let dot = |a: &[f32], b: &[f32]| -> f64 {
            a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
        };
        dot(&self.0, &other.0) / (dot(&self.0, &self.0) * dot(&other.0, &other.0)).sqrt()
    }
}

/// Which side of the search a text is on; some models put different words before each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextRole {
    /// What a reader asks.
    Question,
    /// What a guide says.
    Passage,
}

/// The vectors of a text's tokens as the model's last layer leaves them, before they become one.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenVectors {
    /// Components of each.
    pub dimensions: usize,
    /// Shape `[tokens, dimensions]`.
    pub values: Vec<f32>,
    /// The part of the text that each token stands for; empty for those that the model adds.
    pub spans: Vec<Span>,
}

impl TokenVectors {
    /// The vectors, in the order of the text.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.dimensions.max(1))
    }
}

/// Takes the token vectors of a text, by its place among the texts; called from any thread, in any order.
pub type KeepTokens<'a> = &'a (dyn Fn(usize, TokenVectors) + Sync);

/// Takes embeddings as they are finished, in the order of the texts, and says whether to go on.
pub type TakeEmbeddings<'a> = &'a mut dyn FnMut(Vec<Embedding>) -> ControlFlow<()>;

/// Texts of a step where a model does not know better: seconds of work for a small model on two cores.
const STEP: usize = 512;

/// Turns texts into embeddings. Two implementations: the sentence transformer of `guidepost-model`, and
/// [`crate::HashEmbedder`], which needs no weights.
pub trait Embed: Send + Sync {
    /// Everything that shapes a vector, in one line that a person can read. Equal fingerprints: equal vectors.
    fn fingerprint(&self) -> &str;

    /// Components of every embedding.
    fn dimensions(&self) -> usize;

    /// Components of every token vector.
    fn token_dimensions(&self) -> usize {
        self.dimensions()
    }

    /// Longest input in tokens, special tokens included. What is longer is cut.
    fn max_tokens(&self) -> usize;

    /// Tokens of each text, special tokens included, before any cut.
    fn count_tokens(&self, texts: &[&str]) -> Vec<usize>;

    /// One embedding per text, in the order of the texts. `on_done` hears how many more are finished.
    fn embed(
        &self,
        texts: &[&str],
        role: TextRole,
        on_done: &dyn Fn(usize),
    ) -> Result<Vec<Embedding>, EmbedError>;

    /// The same embeddings, and on the way hands every text's token vectors to `keep`. A model that has none keeps none.
    fn embed_tokens(
        &self,
        texts: &[&str],
        role: TextRole,
        _keep: KeepTokens<'_>,
        on_done: &dyn Fn(usize),
    ) -> Result<Vec<Embedding>, EmbedError> {
        self.embed(texts, role, on_done)
    }

    /// The same a step at a time: whoever takes the embeddings can put them into safety, and need not wait for all. `keep`
    /// has had the token vectors of a step, where they are wanted, before `take` has its embeddings. Where `take` says
    /// so, the rest is left undone.
    fn embed_in_steps(
        &self,
        texts: &[&str],
        role: TextRole,
        keep: Option<KeepTokens<'_>>,
        take: TakeEmbeddings<'_>,
    ) -> Result<(), EmbedError> {
        for (step, texts) in texts.chunks(STEP).enumerate() {
            let embeddings = match keep {
                Some(keep) => {
                    let keep = |at: usize, tokens| keep(step * STEP + at, tokens);
                    self.embed_tokens(texts, role, &keep, &|_| ())?
                }
                None => self.embed(texts, role, &|_| ())?,
            };
            if take(embeddings).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The part of a text that each of its token vectors stands for, as [`TokenVectors::spans`] has them, without running
    /// the model; `None` where it has none.
    fn token_spans(&self, _text: &str, _role: TextRole) -> Option<Vec<Span>> {
        None
    }
}

/// A model that could not run.
#[derive(Debug)]
pub struct EmbedError(pub Box<dyn std::error::Error + Send + Sync>);

impl fmt::Display for EmbedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the model failed: {}", self.0)
    }
}

impl std::error::Error for EmbedError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}
