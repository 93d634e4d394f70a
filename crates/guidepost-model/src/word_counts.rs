//! Counts tokens word by word, and remembers the words. Cutting guides counts every text several times, and most words are
//! there hundreds of times: on 29,675 passages it took 15 seconds through the tokenizer alone.

use std::sync::{PoisonError, RwLock};

use ahash::{AHashMap, RandomState};
use tokenizers::{ModelWrapper, NormalizerWrapper, PreTokenizerWrapper, Tokenizer};

/// So that threads seldom wait for each other.
const SHARDS: usize = 32;
/// Words in each that are remembered; all of them take some 30 MB.
const REMEMBERED: usize = 8192;

pub(crate) struct WordCounts {
    /// Does not cut.
    tokenizer: Tokenizer,
    /// Tokens of a text without words.
    special: usize,
    hasher: RandomState,
    shards: Vec<RwLock<AHashMap<Box<str>, usize>>>,
}

impl WordCounts {
    /// `None` where the tokens of a word may depend on its neighbors: for any tokenizer but BERT's.
    pub(crate) fn new(tokenizer: &Tokenizer) -> Option<Self> {
        if !knows_words_alone(tokenizer) {
            return None;
        }
        let mut tokenizer = tokenizer.clone();
        tokenizer.with_truncation(None).ok()?;
        let special = tokenizer.encode_fast("", true).ok()?.len();
        let shards = (0..SHARDS).map(|_| RwLock::default()).collect();
        Some(WordCounts { tokenizer, special, hasher: RandomState::new(), shards })
    }

    /// Number of tokens of a text, with those that every text has; `None` where the tokenizer fails.
    pub(crate) fn count(&self, text: &str) -> Option<usize> {
        // Other white space is either taken out by the tokenizer or divides words within these.
        let words = text.split([' ', '\n', '\t', '\r']).filter(|word| !word.is_empty());
        words.map(|word| self.count_word(word)).sum::<Option<usize>>().map(|tokens| tokens + self.special)
    }

    fn count_word(&self, word: &str) -> Option<usize> {
        let shard = &self.shards[self.hasher.hash_one(word) as usize % SHARDS];
        if let Some(&known) = shard.read().unwrap_or_else(PoisonError::into_inner).get(word) {
            return Some(known);
        }
        let count = self.tokenizer.encode_fast(word, false).ok()?.len();
        let mut known = shard.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < REMEMBERED {
            known.insert(word.into(), count);
        }
        Some(count)
    }
}

/// Whether the tokenizer parts words at white space before anything else, and does to each what it does to it alone.
fn knows_words_alone(tokenizer: &Tokenizer) -> bool {
    let is_plain = |step: &NormalizerWrapper| {
        matches!(step, NormalizerWrapper::BertNormalizer(_) | NormalizerWrapper::Lowercase(_))
    };
    let normalizes_plainly = match tokenizer.get_normalizer() {
        None => true,
        Some(NormalizerWrapper::Sequence(steps)) => steps.as_ref().iter().all(is_plain),
        Some(step) => is_plain(step),
    };
    let added = tokenizer.get_added_tokens_decoder();
    let are_words = added.values().all(|token| {
        !token.lstrip && !token.rstrip && !token.single_word && !token.content.contains(char::is_whitespace)
    });
    normalizes_plainly
        && are_words
        && matches!(tokenizer.get_pre_tokenizer(), Some(PreTokenizerWrapper::BertPreTokenizer(_)))
        && matches!(tokenizer.get_model(), ModelWrapper::WordPiece(_))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokenizer(pre_tokenizer: &str) -> Tokenizer {
        let words = [
            "[UNK]", "[CLS]", "[SEP]", "a", "##b", "##bb", "guide", "##post", "!", "e", "##e", "-", "c", "中",
        ];
        let added = [("[UNK]", 0), ("[CLS]", 1), ("[SEP]", 2)].map(|(content, id)| {
            serde_json::json!({"id": id, "content": content, "single_word": false, "lstrip": false,
                "rstrip": false, "normalized": false, "special": true})
        });
        let value = serde_json::json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
            "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                "strip_accents": null, "lowercase": true},
            "pre_tokenizer": {"type": pre_tokenizer},
            "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]},
            "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
            "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 10,
                "vocab": words.iter().copied().zip(0..).collect::<std::collections::HashMap<_, usize>>()}
        });
        Tokenizer::from_bytes(serde_json::to_vec(&value).expect("plain values")).expect("it is a tokenizer")
    }

    #[test]
    fn words_count_as_the_text_does() {
        let tokenizer = tokenizer("BertPreTokenizer");
        let counts = WordCounts::new(&tokenizer).expect("it is BERT's");
        let word = prop_oneof![
            "[abe!-]{1,12}",
            "\\PC{0,6}",
            any::<String>(),
            Just("[SEP]a".to_owned()),
            Just("\u{85}\u{a0}\u{200b}\u{301}e\u{301} 中a\0b\u{fffd}".to_owned()),
        ];
        let space = prop_oneof![Just(" "), Just("\n"), Just("\t"), Just("\r\n"), Just("\u{a0}"), Just("")];
        proptest!(|(parts in proptest::collection::vec((word, space), 0..12))| {
            let text: String = parts.iter().flat_map(|(word, space)| [word.as_str(), space]).collect();
            let whole = tokenizer.encode(text.as_str(), true).expect("any text can be encoded").len();
            prop_assert_eq!(counts.count(&text), Some(whole), "{:?}", text);
        });
    }

    #[test]
    fn other_tokenizers_are_left_to_the_library() {
        assert!(WordCounts::new(&tokenizer("WhitespaceSplit")).is_none());
        assert!(WordCounts::new(&tokenizer("Whitespace")).is_none());
    }
}
