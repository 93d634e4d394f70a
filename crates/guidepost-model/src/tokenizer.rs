//! Reads a `tokenizer.json`.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use ahash::AHashMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::{Lowercase, Sequence};
use tokenizers::{NormalizerWrapper, Tokenizer, TruncationParams};

use crate::ModelError;

/// The file's tokenizer, cutting at the model's own limit. The file's settings for padding and truncation are somebody
/// else's leftovers (all-MiniLM-L6-v2's say 128 where the model takes 256).
///
/// # Errors
/// A file that is missing or not understood.
pub(crate) fn read_tokenizer(
    path: &Path,
    max_tokens: usize,
    lowercase: bool,
) -> Result<Tokenizer, ModelError> {
    let missing = |error| ModelError::Missing { path: path.to_owned(), error };
    let damaged =
        |error: tokenizers::Error| ModelError::Damaged { path: path.to_owned(), reason: error.to_string() };
    let bytes = fs::read(path).map_err(missing)?;
    let mut tokenizer = match read_word_pieces(&bytes) {
        Some(tokenizer) => tokenizer,
        None => Tokenizer::from_bytes(&bytes).map_err(damaged)?,
    };
    if lowercase {
        let own = tokenizer.get_normalizer().cloned();
        let steps = [NormalizerWrapper::from(Lowercase)].into_iter().chain(own);
        tokenizer.with_normalizer(Some(Sequence::new(steps.collect())));
    }
    tokenizer.with_padding(None);
    let truncation = TruncationParams { max_length: max_tokens, ..TruncationParams::default() };
    tokenizer.with_truncation(Some(truncation)).map_err(damaged)?;
    Ok(tokenizer)
}

/// A WordPiece model as the file has it.
#[derive(Deserialize)]
struct Pieces {
    #[serde(rename = "type")]
    kind: String,
    unk_token: String,
    continuing_subword_prefix: String,
    max_input_chars_per_word: usize,
    vocab: AHashMap<String, u32>,
}

#[derive(Deserialize)]
struct AddedToken {
    content: String,
}

/// The tokenizer of a file whose model is WordPiece. The library's reader goes through the vocabulary several times, which
/// takes most of a cold start; so it gets the file without the vocabulary, and the vocabulary comes after. `None`
/// where the file is anything else: then the library reads it whole, and says what is wrong with it.
fn read_word_pieces(bytes: &[u8]) -> Option<Tokenizer> {
    let mut parts: HashMap<String, Box<RawValue>> = serde_json::from_slice(bytes).ok()?;
    let pieces: Pieces = serde_json::from_str(parts.get("model")?.get()).ok()?;
    let added: Vec<AddedToken> = serde_json::from_str(parts.get("added_tokens")?.get()).ok()?;
    if pieces.kind != "WordPiece" {
        return None;
    }
    // Tokens that the tokenizer adds keep their numbers only if the model knows them.
    let known: HashMap<&str, u32> = added
        .iter()
        .filter_map(|token| pieces.vocab.get(&token.content).map(|&number| (token.content.as_str(), number)))
        .collect();
    if known.len() != added.len() {
        return None;
    }
    let model = serde_json::json!({
        "type": "WordPiece", "unk_token": pieces.unk_token, "vocab": known,
        "continuing_subword_prefix": pieces.continuing_subword_prefix,
        "max_input_chars_per_word": pieces.max_input_chars_per_word,
    });
    parts.insert("model".into(), serde_json::value::to_raw_value(&model).ok()?);
    let mut tokenizer = Tokenizer::from_bytes(serde_json::to_vec(&parts).ok()?).ok()?;
    let model = WordPiece::builder()
        .vocab(pieces.vocab)
        .unk_token(pieces.unk_token)
        .continuing_subword_prefix(pieces.continuing_subword_prefix)
        .max_input_chars_per_word(pieces.max_input_chars_per_word)
        .build()
        .ok()?;
    tokenizer.with_model(model);
    Some(tokenizer)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn file(added: &[&str], vocabulary: &[&str], kind: &str) -> Vec<u8> {
        let numbers: HashMap<&str, usize> = vocabulary.iter().copied().zip(0..).collect();
        let added: Vec<_> = added
            .iter()
            .map(|content| {
                let id = numbers.get(content).copied().unwrap_or(vocabulary.len());
                serde_json::json!({"id": id, "content": content, "single_word": false, "lstrip": false,
                    "rstrip": false, "normalized": false, "special": true})
            })
            .collect();
        let value = serde_json::json!({
            "version": "1.0", "truncation": {"direction": "Right", "max_length": 2, "strategy": "LongestFirst",
            "stride": 0}, "padding": null, "added_tokens": added,
            "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                "strip_accents": null, "lowercase": true},
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]},
            "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
            "model": {"type": kind, "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 10, "vocab": numbers}
        });
        serde_json::to_vec(&value).expect("plain values")
    }

    #[test]
    fn the_short_way_gives_the_same_tokens_as_the_library() {
        let words = ["[UNK]", "[CLS]", "[SEP]", "a", "##b", "##bb", "guide", "##post", "[MASK]", "!", "e"];
        let bytes = file(&["[CLS]", "[SEP]", "[UNK]", "[MASK]"], &words, "WordPiece");
        let short = read_word_pieces(&bytes).expect("it is a WordPiece model");
        let whole = Tokenizer::from_bytes(&bytes).expect("it is sound");
        for text in ["", "abb guidepost!", "Guide [MASK] É zzz", "abbbbbbbbbbbbbbbbbbbbbb", "[CLS] a [SEP]"]
        {
            let read = |tokenizer: &Tokenizer| {
                let encoding = tokenizer.encode(text, true).expect("any text can be encoded");
                (encoding.get_ids().to_vec(), encoding.get_special_tokens_mask().to_vec())
            };
            assert_eq!(read(&short), read(&whole), "{text}");
        }
    }

    #[test]
    fn other_files_are_left_to_the_library() {
        let words = ["[UNK]", "[CLS]", "[SEP]", "a"];
        assert!(read_word_pieces(b"{").is_none());
        assert!(read_word_pieces(&file(&["[CLS]"], &words, "BPE")).is_none());
        assert!(
            read_word_pieces(&file(&["[NEW]"], &words, "WordPiece")).is_none(),
            "a token of its own number"
        );
    }
}
