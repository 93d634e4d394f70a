//! An embedder without weights: hashed bags of words. It finds shared words and nothing more, takes microseconds
//! and never changes, which is what tests want.

use unicode_segmentation::UnicodeSegmentation;

use crate::{Embed, EmbedError, Embedding, TextRole, words};

/// Feature hashing (Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask Learning"): every word adds
/// +1 or -1 to one of 256 components.
#[derive(Debug, Clone, Copy, Default)]
pub struct HashEmbedder;

const DIMENSIONS: usize = 256;

impl Embed for HashEmbedder {
    fn fingerprint(&self) -> &str {
        "hash: words, 256 components, at most 256 tokens"
    }

    fn dimensions(&self) -> usize {
        DIMENSIONS
    }

    fn max_tokens(&self) -> usize {
        256
    }

    fn count_tokens(&self, texts: &[&str]) -> Vec<usize> {
        texts.iter().map(|text| text.unicode_words().count()).collect()
    }

    fn embed(
        &self,
        texts: &[&str],
        _role: TextRole,
        on_done: &dyn Fn(usize),
    ) -> Result<Vec<Embedding>, EmbedError> {
        let embeddings = texts.iter().map(|text| embed_one(text)).collect();
        on_done(texts.len());
        Ok(embeddings)
    }
}

fn embed_one(text: &str) -> Embedding {
    let mut values = vec![0.0f32; DIMENSIONS];
    for word in words(text).iter().take(HashEmbedder.max_tokens()) {
        let hash = blake3::hash(word.as_bytes());
        let [low, sign, ..] = *hash.as_bytes();
        values[usize::from(low)] += if sign & 1 == 0 { 1.0 } else { -1.0 };
    }
    Embedding::normalized(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_words_are_near() {
        let texts = ["learn SQL first", "First learn SQL!", "bake bread", ""];
        let embeddings = HashEmbedder.embed(&texts, TextRole::Passage, &|_| ()).expect("it cannot fail");
        assert!((embeddings[0].cosine(&embeddings[1]) - 1.0).abs() < 1e-6);
        assert!(embeddings[0].cosine(&embeddings[2]) < 0.5);
        assert_eq!(embeddings[3].cosine(&embeddings[3]), 0.0);
    }
}
