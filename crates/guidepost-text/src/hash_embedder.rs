//! An embedder without weights: hashed bags of words. It finds shared words and nothing more, takes microseconds
//! and never changes, which is what tests want.

use unicode_segmentation::UnicodeSegmentation;

use crate::{Embed, EmbedError, Embedding, KeepTokens, Span, TextRole, TokenVectors, words};

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

    fn embed_tokens(
        &self,
        texts: &[&str],
        role: TextRole,
        keep: KeepTokens<'_>,
        on_done: &dyn Fn(usize),
    ) -> Result<Vec<Embedding>, EmbedError> {
        texts.iter().enumerate().for_each(|(at, text)| keep(at, token_vectors(text)));
        self.embed(texts, role, on_done)
    }

    fn token_spans(&self, text: &str, _role: TextRole) -> Option<Vec<Span>> {
        Some(token_vectors(text).spans)
    }
}

fn embed_one(text: &str) -> Embedding {
    let mut values = vec![0.0f32; DIMENSIONS];
    for word in words(text).iter().take(HashEmbedder.max_tokens()) {
        let (component, sign) = component(word);
        values[component] += sign;
    }
    Embedding::normalized(values)
}

/// A word's vector has one component that is not zero.
fn token_vectors(text: &str) -> TokenVectors {
    let words = text.unicode_word_indices().take(HashEmbedder.max_tokens());
    let (mut values, mut spans) = (Vec::new(), Vec::new());
    for (start, word) in words {
        let (component, sign) = component(&word.to_lowercase());
        values.extend((0..DIMENSIONS).map(|at| if at == component { sign } else { 0.0 }));
        spans.push(Span { start, end: start + word.len() });
    }
    TokenVectors { dimensions: DIMENSIONS, values, spans }
}

/// Where a word counts, and whether for or against.
fn component(word: &str) -> (usize, f32) {
    let hash = blake3::hash(word.as_bytes());
    let [low, sign, ..] = *hash.as_bytes();
    (usize::from(low), if sign & 1 == 0 { 1.0 } else { -1.0 })
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;

    #[test]
    fn token_vectors_add_up_to_the_embedding() {
        let text = "Learn SQL, then learn more SQL";
        let kept = std::sync::Mutex::new(Vec::new());
        let keep = |at, tokens| kept.lock().expect("nobody panicked").push((at, tokens));
        let embeddings = HashEmbedder.embed_tokens(&[text], TextRole::Passage, &keep, &|_| ());
        let [(0, ref tokens)] = kept.lock().expect("nobody panicked")[..] else { panic!("one text") };
        let mut sum = vec![0.0; DIMENSIONS];
        tokens.rows().for_each(|row| row.iter().zip(&mut sum).for_each(|(value, sum)| *sum += value));
        assert_eq!(embeddings.expect("it cannot fail"), [Embedding::normalized(sum)]);
        assert_eq!(tokens.spans[1].of(text), "SQL");
        assert_eq!(HashEmbedder.token_spans(text, TextRole::Passage).as_ref(), Some(&tokens.spans));
    }

    #[test]
    fn steps_bring_the_same_and_end_when_told() {
        let texts: Vec<String> = (0..1200).map(|at| format!("word{at} and more")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let whole = HashEmbedder.embed(&texts, TextRole::Passage, &|_| ()).expect("it cannot fail");
        for (steps, sizes) in [(usize::MAX, vec![512, 512, 176]), (2, vec![512, 512]), (1, vec![512])] {
            let kept = std::sync::Mutex::new(Vec::new());
            let keep = |at, tokens: TokenVectors| {
                kept.lock().expect("nobody panicked").push((at, tokens.spans.len()))
            };
            let (mut found, mut taken) = (Vec::new(), Vec::new());
            let mut take = |more: Vec<Embedding>| {
                taken.push(more.len());
                found.extend(more);
                assert_eq!(kept.lock().expect("nobody panicked").len(), found.len(), "tokens come first");
                if taken.len() < steps { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            };
            let done = HashEmbedder.embed_in_steps(&texts, TextRole::Passage, Some(&keep), &mut take);
            done.expect("it cannot fail");
            assert_eq!(taken, sizes);
            assert_eq!(found, whole[..found.len()]);
            let expected: Vec<(usize, usize)> = (0..found.len()).map(|at| (at, 3)).collect();
            assert_eq!(kept.into_inner().expect("nobody panicked"), expected);
        }
    }

    #[test]
    fn shared_words_are_near() {
        let texts = ["learn SQL first", "First learn SQL!", "bake bread", ""];
        let embeddings = HashEmbedder.embed(&texts, TextRole::Passage, &|_| ()).expect("it cannot fail");
        assert!((embeddings[0].cosine(&embeddings[1]) - 1.0).abs() < 1e-6);
        assert!(embeddings[0].cosine(&embeddings[2]) < 0.5);
        assert_eq!(embeddings[3].cosine(&embeddings[3]), 0.0);
    }
}
