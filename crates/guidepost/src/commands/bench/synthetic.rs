//! Indexes of any size for measuring: passages like real ones in words, vectors and vectors of tokens, written by the normal
//! index code into a temporary folder.

use std::fmt::Write;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use guidepost_index::{LateInteraction, Request, Snapshot, update};
use guidepost_text::{Embed, EmbedError, Embedding, KeepTokens, Random, TextRole, TokenVectors};
use rayon::prelude::*;

/// Passages in one guide.
const PER_GUIDE: usize = 500;
/// One word in so many is another passage's.
const REPLACED: usize = 4;
/// Length of the noise beside a vector of length 1: a copy has a cosine of about 0.8 to what it was made from, as
/// neighboring passages have.
const NOISE: f32 = 0.75;

/// Tokens that a passage has at most: a passage of 60 takes 3 KB of an index, so that 100,000 of them fit a small disk. Late
/// interaction takes time by the token.
const TOKENS: usize = 60;

/// Passages and their vectors, to make others from.
pub(super) struct Seeds {
    words: Vec<Vec<String>>,
    vectors: Vec<Embedding>,
    /// The vectors of the first [`TOKENS`] tokens of each passage; empty where the model has none.
    tokens: Vec<TokenVectors>,
    token_dimensions: usize,
}

impl Seeds {
    /// From passages that are there, at least one.
    pub(super) fn new(passages: &[String], embedder: &dyn Embed) -> anyhow::Result<Self> {
        let texts: Vec<&str> = passages.iter().map(String::as_str).collect();
        let tokens = Mutex::new(vec![NO_TOKENS; texts.len()]);
        let keep = |at: usize, vectors: TokenVectors| {
            tokens.lock().unwrap_or_else(PoisonError::into_inner)[at] = first_tokens(vectors);
        };
        let vectors = embedder.embed_tokens(&texts, TextRole::Passage, &keep, &|_| ())?;
        let tokens = tokens.into_inner().unwrap_or_else(PoisonError::into_inner);
        let words = |text: &String| {
            let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
            words.map(str::to_owned).collect()
        };
        Ok(Seeds {
            words: passages.iter().map(words).collect(),
            vectors,
            tokens,
            token_dimensions: embedder.token_dimensions(),
        })
    }

    /// Builds an index of so many passages; `folder` is empty.
    pub(super) fn build(&self, folder: &Path, size: usize) -> anyhow::Result<Snapshot> {
        let (guides, index) = (folder.join("guides"), folder.join("index"));
        std::fs::create_dir_all(&guides).with_context(|| format!("cannot make `{}`", guides.display()))?;
        for (at, first) in (0..size).step_by(PER_GUIDE).enumerate() {
            let path = guides.join(format!("{at}.md"));
            let guide = self.guide(first..(first + PER_GUIDE).min(size));
            std::fs::write(&path, guide).with_context(|| format!("cannot write `{}`", path.display()))?;
        }
        let guides = guides.canonicalize().with_context(|| format!("cannot read `{}`", guides.display()))?;
        let request = Request {
            index: &index,
            add: &[guides],
            remove: &[],
            shipped: &[],
            embedder: Some(&Noise(self)),
            rebuild: false,
            repair: false,
            wait: true,
            late_interaction: LateInteraction::Keep,
            memory: u64::MAX,
            stop: &AtomicBool::new(false),
        };
        update(&request, &mut |_| ())?;
        Snapshot::open(&index)?.context("the synthetic index cannot be read")
    }

    /// A section for each passage, so that each becomes one.
    fn guide(&self, numbers: std::ops::Range<usize>) -> String {
        let mut guide = String::new();
        for number in numbers {
            let mut random = Random(number as u64);
            let own = &self.words[number % self.words.len()];
            let word = |word: &String| match random.below(REPLACED) {
                0 => {
                    let other = &self.words[random.below(self.words.len())];
                    other.get(random.below(other.len().max(1))).unwrap_or(word).clone()
                }
                _ => word.clone(),
            };
            let words: Vec<String> = own.iter().map(word).collect();
            // Writing into a text cannot fail.
            let _ = write!(guide, "# Passage {number}\n\n{}\n\n", words.join(" "));
        }
        guide
    }

    fn vector(&self, number: usize) -> Embedding {
        let seed = &self.vectors[number % self.vectors.len()];
        noisy(seed.as_slice(), &mut Random(!(number as u64)))
    }

    /// Those of the passage it was made from, each with noise of its own.
    fn token_vectors(&self, number: usize) -> TokenVectors {
        let seed = &self.tokens[number % self.tokens.len()];
        // Another sequence than the passage's own vector has.
        let mut random = Random((number as u64) << 32);
        let values = seed.rows().flat_map(|row| noisy(row, &mut random).into_vec()).collect();
        TokenVectors { dimensions: seed.dimensions, values, spans: seed.spans.clone() }
    }
}

const NO_TOKENS: TokenVectors = TokenVectors { dimensions: 1, values: Vec::new(), spans: Vec::new() };

/// The first tokens, each of length 1.
fn first_tokens(vectors: TokenVectors) -> TokenVectors {
    let rows = vectors.rows().take(TOKENS);
    TokenVectors {
        dimensions: vectors.dimensions,
        values: rows.flat_map(|row| Embedding::normalized(row.to_vec()).into_vec()).collect(),
        spans: vectors.spans.iter().copied().take(TOKENS).collect(),
    }
}

fn noisy(unit: &[f32], random: &mut Random) -> Embedding {
    // A sum of four uniform numbers is normal enough, with a variance of a third.
    let spread = NOISE / (unit.len() as f32 / 3.0).sqrt();
    let mut normal = || (0..4).map(|_| random.unit() as f32 - 0.5).sum::<f32>();
    Embedding::normalized(unit.iter().map(|value| value + spread * normal()).collect())
}

/// Gives a synthetic passage, known by the number in its heading, its vector.
struct Noise<'a>(&'a Seeds);

impl Embed for Noise<'_> {
    fn fingerprint(&self) -> &str {
        "synthetic"
    }

    fn dimensions(&self) -> usize {
        self.0.vectors.first().map_or(0, |vector| vector.as_slice().len())
    }

    fn token_dimensions(&self) -> usize {
        self.0.token_dimensions
    }

    /// No passage is cut.
    fn max_tokens(&self) -> usize {
        1_000_000
    }

    /// Neither so few that passages are gathered, nor so many that one is divided.
    fn count_tokens(&self, texts: &[&str]) -> Vec<usize> {
        texts.iter().map(|text| if text.is_empty() { 0 } else { 100 }).collect()
    }

    fn embed(
        &self,
        texts: &[&str],
        _role: TextRole,
        on_done: &dyn Fn(usize),
    ) -> Result<Vec<Embedding>, EmbedError> {
        let vectors = texts.iter().map(|text| self.0.vector(number(text))).collect();
        on_done(texts.len());
        Ok(vectors)
    }

    fn embed_tokens(
        &self,
        texts: &[&str],
        role: TextRole,
        keep: KeepTokens<'_>,
        on_done: &dyn Fn(usize),
    ) -> Result<Vec<Embedding>, EmbedError> {
        texts.par_iter().enumerate().for_each(|(at, text)| keep(at, self.0.token_vectors(number(text))));
        self.embed(texts, role, on_done)
    }
}

/// The number in a passage's heading.
fn number(text: &str) -> usize {
    let number = |text: &str| text.lines().next()?.rsplit(' ').next()?.parse().ok();
    number(text).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use guidepost_index::ChunkId;
    use guidepost_text::HashEmbedder;

    use super::*;

    #[test]
    fn an_index_has_its_size_and_its_vectors() {
        let passages = ["How to learn SQL".to_owned(), "# What * comes\n- after it".to_owned()];
        let seeds = Seeds::new(&passages, &HashEmbedder).expect("hashing cannot fail");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let snapshot = seeds.build(folder.path(), 1234).expect("it can be built");
        assert_eq!(snapshot.chunk_count(), 1234);
        let cosine = seeds.vector(7).cosine(&seeds.vectors[1]);
        assert!((0.7..0.9).contains(&cosine), "{cosine}");
        let nearest = snapshot.dense(&seeds.vector(700), 1, None);
        assert!(nearest[0].1 > 0.999, "{nearest:?}");
        // A passage answers best to the tokens it was given itself, of all that were made from the same.
        assert!(snapshot.has_token_codes());
        let tokens = seeds.token_vectors(700);
        let asked =
            snapshot.late_question(&tokens, &vec![1.0; tokens.rows().len()]).expect("tokens are kept");
        let max_sim = |id: u32| snapshot.max_sim(&asked, ChunkId(id)).expect("the passage has tokens");
        assert!(max_sim(nearest[0].0.0) > max_sim(nearest[0].0.0 ^ 2) + 0.05);
    }
}
