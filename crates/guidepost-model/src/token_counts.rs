//! Counts tokens word by word, and remembers the words. Cutting guides counts every text several times, and most words are
//! there hundreds of times: on 29,675 passages it took 15 seconds through the tokenizer alone.

use std::sync::{PoisonError, RwLock};

use ahash::{AHashMap, RandomState};
use tokenizers::{Encoding, ModelWrapper, NormalizerWrapper, PreTokenizerWrapper, Tokenizer};

/// So that threads seldom wait for each other.
const SHARDS: usize = 32;
/// Words in each that are remembered; all of them take some 30 MB.
const REMEMBERED: usize = 8192;

pub(crate) struct TokenCounts {
    /// Does not cut.
    tokenizer: Tokenizer,
    /// `None` where the tokens of a word may depend on its neighbors: for any tokenizer but BERT's.
    words: Option<Words>,
}

/// The words that were counted.
struct Words {
    /// Tokens of a text without words.
    special: usize,
    hasher: RandomState,
    shards: Vec<RwLock<AHashMap<Box<str>, usize>>>,
}

impl TokenCounts {
    pub(crate) fn new(tokenizer: &Tokenizer) -> Self {
        let mut tokenizer = tokenizer.clone();
        tokenizer.with_truncation(None).expect("lifting the limit cannot fail");
        let special = tokenizer.encode_fast("", true).ok().filter(|_| knows_words_alone(&tokenizer));
        let words = special.map(|special| Words {
            special: special.len(),
            hasher: RandomState::new(),
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
        });
        TokenCounts { tokenizer, words }
    }

    /// Number of tokens of each text, with those that every text has.
    pub(crate) fn count(&self, texts: &[&str]) -> Vec<usize> {
        let by_words = |words| texts.iter().map(|text| self.count_words(text, words)).collect();
        if let Some(counts) = self.words.as_ref().and_then(by_words) {
            return counts;
        }
        match self.tokenizer.encode_batch_fast(texts.to_vec(), true) {
            Ok(encodings) => encodings.iter().map(Encoding::len).collect(),
            // WordPiece and BPE encode any string; a tokenizer that does not gets the safest estimate.
            Err(_) => texts.iter().map(|text| text.len() + 2).collect(),
        }
    }

    fn count_words(&self, text: &str, words: &Words) -> Option<usize> {
        // Other white space is either taken out by the tokenizer or divides words within these.
        let parts = text.split([' ', '\n', '\t', '\r']).filter(|word| !word.is_empty());
        let tokens = parts.map(|word| self.count_word(word, words)).sum::<Option<usize>>()?;
        Some(tokens + words.special)
    }

    fn count_word(&self, word: &str, words: &Words) -> Option<usize> {
        let shard = &words.shards[words.hasher.hash_one(word) as usize % SHARDS];
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
    use crate::tokenizer::tests::file;

    fn tokenizer(pre_tokenizer: &str) -> Tokenizer {
        let words = [
            "[UNK]", "[CLS]", "[SEP]", "a", "##b", "##bb", "guide", "##post", "!", "e", "##e", "-", "c", "中",
        ];
        let bytes = file(&["[UNK]", "[CLS]", "[SEP]"], &words, "WordPiece");
        let mut value: serde_json::Value = serde_json::from_slice(&bytes).expect("it is JSON");
        value["pre_tokenizer"]["type"] = pre_tokenizer.into();
        Tokenizer::from_bytes(value.to_string()).expect("it is a tokenizer")
    }

    #[test]
    fn words_count_as_the_text_does() {
        let tokenizer = tokenizer("BertPreTokenizer");
        let counts = TokenCounts::new(&tokenizer);
        assert!(counts.words.is_some());
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
            let whole = counts.tokenizer.encode(text.as_str(), true).expect("any text can be encoded").len();
            prop_assert_eq!(counts.count(&[&text]), [whole], "{:?}", text);
        });
    }

    #[test]
    fn other_tokenizers_are_left_to_the_library() {
        assert!(TokenCounts::new(&tokenizer("WhitespaceSplit")).words.is_none());
        assert!(TokenCounts::new(&tokenizer("Whitespace")).words.is_none());
    }
}
