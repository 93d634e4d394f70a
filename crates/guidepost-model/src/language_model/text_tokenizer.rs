//! Cuts plain text into tokens, the way a model's vocabulary is spelled. Knows no marks: text that looks like one stays text.

use std::collections::HashMap;

use tokenizers::models::bpe::BPE;
use tokenizers::normalizers::{NFC, Prepend, Replace, Sequence as Steps};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{NormalizerWrapper, PreTokenizerWrapper, SplitDelimiterBehavior, Tokenizer};

use crate::ModelError;

use super::gguf::GgufFile;
use super::vocabulary::{Kind, Spelling, Token, Vocabulary};

/// Letters, numbers and signs apart, each with a space before it.
const WORDS: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
/// The same with line ends apart, and numbers three digits at a time.
const LLAMA_WORDS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// The same, digit by digit.
const QWEN_WORDS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// How text is cut before pairs are merged: `tokenizer.ggml.pre`.
struct Cutting {
    names: &'static [&'static str],
    /// Each cuts what the ones before it left.
    patterns: &'static [&'static str],
    /// Whether characters are composed first.
    composes: bool,
    /// Whether a word that is a token is taken whole, however it would be merged.
    whole_words: bool,
}

const CUTTINGS: [Cutting; 5] = [
    Cutting {
        names: &["llama-bpe", "llama-v3", "llama3"],
        patterns: &[LLAMA_WORDS],
        composes: false,
        whole_words: true,
    },
    Cutting {
        names: &["qwen2", "deepseek-r1-qwen"],
        patterns: &[QWEN_WORDS],
        composes: true,
        whole_words: false,
    },
    Cutting { names: &["gpt-2"], patterns: &[WORDS], composes: false, whole_words: false },
    Cutting { names: &["smollm"], patterns: &[r"\p{N}", WORDS], composes: false, whole_words: false },
    Cutting {
        names: &["default"],
        patterns: &[r"[\p{P}\$\+<=>\^~\|]+", WORDS, r"\p{N}+", "[0-9][0-9][0-9]"],
        composes: false,
        whole_words: false,
    },
];

/// Makes the tokenizer of a file.
///
/// # Errors
/// Merges or scores that are missing or do not go with the vocabulary; a way to cut that is not known.
pub(crate) fn read_text_tokenizer(file: &GgufFile, vocabulary: &Vocabulary) -> Result<Tokenizer, ModelError> {
    let made = match vocabulary.spelling {
        Spelling::ByteCharacters => byte_pairs(file, vocabulary)?,
        Spelling::SentencePieces => sentence_pieces(file, vocabulary)?,
    };
    made.map_err(|error| file.broken(format!("its vocabulary is at odds with itself: {error}")))
}

type Made = tokenizers::Result<Tokenizer>;

fn byte_pairs(file: &GgufFile, vocabulary: &Vocabulary) -> Result<Made, ModelError> {
    let key = "tokenizer.ggml.merges";
    let merges = file.texts(key).ok_or_else(|| file.lacking(key, "pairs of tokens that belong together"))?;
    let pair = |merge: &&str| merge.split_once(' ').map(|(left, right)| (left.to_owned(), right.to_owned()));
    let merges: Option<Vec<_>> = merges.iter().map(pair).collect();
    let merges = merges.ok_or_else(|| file.broken(format!("`{key}` has an entry that is no pair")))?;
    let name = file.text("tokenizer.ggml.pre").unwrap_or("default");
    let cutting = CUTTINGS.iter().find(|cutting| cutting.names.contains(&name)).ok_or_else(|| {
        let known: Vec<&str> = CUTTINGS.iter().flat_map(|cutting| cutting.names).copied().collect();
        file.broken(format!("its text is cut as in `{name}`; known are {}", known.join(", ")))
    })?;
    Ok(byte_pair_tokenizer(vocabulary, merges, cutting))
}

fn byte_pair_tokenizer(vocabulary: &Vocabulary, merges: Vec<(String, String)>, cutting: &Cutting) -> Made {
    let model = BPE::builder()
        .vocab_and_merges(numbered(vocabulary), merges)
        .ignore_merges(cutting.whole_words)
        .build()?;
    let mut tokenizer = Tokenizer::new(model);
    tokenizer.with_normalizer(cutting.composes.then_some(NFC));
    let mut steps = cuts(cutting)?;
    steps.push(ByteLevel::new(false, false, false).into());
    tokenizer.with_pre_tokenizer(Some(Sequence::new(steps)));
    Ok(tokenizer)
}

/// One step per pattern: what it matches stands alone, and so does what is between.
fn cuts(cutting: &Cutting) -> tokenizers::Result<Vec<PreTokenizerWrapper>> {
    let isolate = |pattern: &&str| {
        let pattern = SplitPattern::Regex((*pattern).to_owned());
        Ok(Split::new(pattern, SplitDelimiterBehavior::Isolated, false)?.into())
    };
    cutting.patterns.iter().map(isolate).collect()
}

/// SentencePiece joins the neighbors whose joint piece has the best score, so each piece makes merges of all pairs that it
/// can come from, in the order of its score.
fn sentence_pieces(file: &GgufFile, vocabulary: &Vocabulary) -> Result<Made, ModelError> {
    let key = "tokenizer.ggml.scores";
    let scores = file.reals(key).ok_or_else(|| file.lacking(key, "a number per token"))?;
    if scores.len() != vocabulary.pieces.len() {
        let (tokens, scores) = (vocabulary.pieces.len(), scores.len());
        return Err(file.broken(format!("it has {tokens} tokens and `{key}` {scores} numbers")));
    }
    let prefix = file.flag("tokenizer.ggml.add_space_prefix").unwrap_or(true);
    Ok(sentence_piece_tokenizer(vocabulary, &scores, prefix))
}

fn sentence_piece_tokenizer(vocabulary: &Vocabulary, scores: &[f64], prefix: bool) -> Made {
    let unknown = vocabulary.of_texts().find(|(_, _, kind)| *kind == Kind::Unknown);
    let mut model = BPE::builder()
        .vocab_and_merges(numbered(vocabulary), scored_merges(vocabulary, scores))
        .byte_fallback(true)
        .fuse_unk(true);
    if let Some((piece, _, _)) = unknown {
        model = model.unk_token(piece.to_owned());
    }
    let mut tokenizer = Tokenizer::new(model.build()?);
    let mut steps: Vec<NormalizerWrapper> = Vec::new();
    if prefix {
        steps.push(Prepend::new("▁".into()).into());
    }
    steps.push(Replace::new(" ", "▁")?.into());
    tokenizer.with_normalizer(Some(Steps::new(steps)));
    Ok(tokenizer)
}

/// All that texts can be made of, by its spelling.
fn numbered(vocabulary: &Vocabulary) -> ahash::AHashMap<String, Token> {
    vocabulary.of_texts().map(|(piece, token, _)| (piece.to_owned(), token)).collect()
}

fn scored_merges(vocabulary: &Vocabulary, scores: &[f64]) -> Vec<(String, String)> {
    let normal = || vocabulary.of_texts().filter(|(_, _, kind)| *kind == Kind::Normal);
    let known: HashMap<&str, Token> = normal().map(|(piece, token, _)| (piece, token)).collect();
    let mut joined: Vec<(&str, Token)> = normal().map(|(piece, token, _)| (piece, token)).collect();
    joined.sort_by(|(_, one), (_, other)| {
        scores[*other as usize].total_cmp(&scores[*one as usize]).then(one.cmp(other))
    });
    let mut merges = Vec::new();
    for (piece, _) in joined {
        let cuts = piece.char_indices().skip(1).map(|(at, _)| piece.split_at(at));
        let mut pairs: Vec<(Token, Token, &str, &str)> = cuts
            .filter_map(|(left, right)| Some((*known.get(left)?, *known.get(right)?, left, right)))
            .collect();
        pairs.sort_unstable();
        merges.extend(pairs.into_iter().map(|(_, _, left, right)| (left.to_owned(), right.to_owned())));
    }
    merges
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer};

    #[track_caller]
    fn check(name: &str, text: &str, expected: &[&str]) {
        let cutting = CUTTINGS.iter().find(|cutting| cutting.names.contains(&name)).expect("it is known");
        let mut cut = PreTokenizedString::from(text);
        let steps = Sequence::new(cuts(cutting).expect("the patterns are sound"));
        steps.pre_tokenize(&mut cut).expect("any text can be cut");
        let found: Vec<&str> = cut
            .get_splits(OffsetReferential::Original, OffsetType::Byte)
            .iter()
            .map(|(part, _, _)| *part)
            .collect();
        assert_eq!(found, expected, "{name}");
    }

    #[test]
    fn texts_are_cut_as_the_vocabulary_was_made() {
        let text = "I've 12345 pens\n\n  x";
        check("llama-bpe", text, &["I", "'ve", " ", "123", "45", " pens", "\n\n", " ", " x"]);
        check("qwen2", text, &["I", "'ve", " ", "1", "2", "3", "4", "5", " pens", "\n\n", " ", " x"]);
        check("gpt-2", text, &["I", "'ve", " 12345", " pens", "\n\n ", " x"]);
        check("smollm", "a 12b", &["a", " ", "1", "2", "b"]);
        check("default", "a<b 1234", &["a", "<", "b", " ", "123", "4"]);
        check("qwen2", "WE'LL (see):\n", &["WE", "'LL", " (", "see", "):\n"]);
    }

    /// A vocabulary of pieces with scores.
    fn scored(rows: &[(&str, Kind, f64)]) -> (Vocabulary, Vec<f64>) {
        let pieces = rows.iter().map(|(piece, kind, _)| ((*piece).to_owned(), *kind));
        let vocabulary = Vocabulary::of(Spelling::SentencePieces, pieces);
        (vocabulary, rows.iter().map(|(_, _, score)| *score).collect())
    }

    #[test]
    fn the_best_score_is_joined_first() {
        use Kind::{Byte, Control, Normal, Unknown};
        let (vocabulary, scores) = scored(&[
            ("<unk>", Unknown, 0.0),
            ("</s>", Control, 0.0),
            ("<0xC3>", Byte, 0.0),
            ("<0xA9>", Byte, 0.0),
            ("a", Normal, -9.0),
            ("b", Normal, -9.0),
            ("c", Normal, -9.0),
            ("▁", Normal, -9.0),
            ("ab", Normal, -2.0),
            ("bc", Normal, -1.0),
            ("▁a", Normal, -3.0),
            ("<", Normal, -9.0),
            ("/", Normal, -9.0),
            ("s", Normal, -9.0),
            (">", Normal, -9.0),
            ("</", Normal, 0.0),
            ("s>", Normal, 0.0),
        ]);
        for (text, prefix, pieces) in [
            ("abc", false, &["a", "bc"][..]),
            ("abab", false, &["ab", "ab"]),
            ("abc", true, &["▁a", "bc"]),
            ("a a", true, &["▁a", "▁a"]),
            ("", true, &[]),
            ("é", false, &["<0xC3>", "<0xA9>"]),
            ("zz", false, &["<unk>"]),
            ("</s>", false, &["</", "s>"]),
        ] {
            let tokenizer = sentence_piece_tokenizer(&vocabulary, &scores, prefix).expect("it is sound");
            let found = tokenizer.encode_fast(text, false).expect("any text can be cut");
            let found: Vec<&str> =
                found.get_ids().iter().map(|token| vocabulary.piece(Some(*token))).collect();
            assert_eq!(found, pieces, "{text}, {prefix}");
        }
    }
}
