//! The tokens of a model: what each writes, which are marks of the conversation, and which end it.

use std::collections::BTreeSet;

use crate::ModelError;

use super::gguf::GgufFile;

/// A token's number in the vocabulary.
pub(crate) type Token = u32;

/// How pieces of text are spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// A character for each byte, as GPT-2 began it.
    ByteCharacters,
    /// Text with `▁` for spaces, and `<0x41>` for bytes, as SentencePiece has it.
    SentencePieces,
}

/// What a token is for, as GGUF counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text.
    Normal,
    /// Stands for what the vocabulary does not have.
    Unknown,
    /// A mark of the conversation, such as its end. Never text.
    Control,
    /// A mark that counts as text when the model writes it, such as `<think>`.
    Mark,
    /// Nothing.
    Unused,
    /// A byte of text.
    Byte,
}

/// Tokens that end a turn, where a file declares only some of them.
const ENDS: [&str; 8] = [
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "<|endoftext|>",
    "<|end|>",
    "<end_of_turn>",
    "</s>",
];

/// All tokens of a model.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    pub(crate) spelling: Spelling,
    pub(crate) pieces: Vec<String>,
    /// One per piece.
    pub(crate) kinds: Vec<Kind>,
    /// What a text begins with.
    pub(crate) begin: Option<Token>,
    /// What a text ends with.
    pub(crate) end: Option<Token>,
    /// Whether prompts begin with `begin` also where the template does not say so.
    pub(crate) adds_begin: bool,
    /// Tokens after which nothing follows.
    ends: BTreeSet<Token>,
    /// Marks by their text, the longest first.
    marks: Vec<(String, Token)>,
}

impl Vocabulary {
    /// What the file says.
    ///
    /// # Errors
    /// A vocabulary that is missing, of a kind that is not known, or at odds with itself.
    pub(crate) fn read(file: &GgufFile) -> Result<Self, ModelError> {
        let spelling = read_spelling(file)?;
        let key = "tokenizer.ggml.tokens";
        let pieces = file.texts(key).ok_or_else(|| file.lacking(key, "the tokens as texts"))?;
        let kinds = read_kinds(file, pieces.len())?;
        let pieces = pieces.into_iter().map(str::to_owned).zip(kinds);
        let mut vocabulary = Vocabulary::of(spelling, pieces);
        let special = |name: &str| {
            let number = file.number(&format!("tokenizer.ggml.{name}_token_id"))?;
            Token::try_from(number).ok().filter(|_| number < vocabulary.pieces.len())
        };
        let (begin, end) = (special("bos"), special("eos"));
        let declared: Vec<Token> = ["eos", "eot", "eom"].into_iter().filter_map(special).collect();
        vocabulary.ends.extend(declared);
        (vocabulary.begin, vocabulary.end) = (begin, end);
        vocabulary.adds_begin = file.flag("tokenizer.ggml.add_bos_token").unwrap_or(vocabulary.adds_begin);
        Ok(vocabulary)
    }

    /// Tokens with what each is for; all else is as usual for the spelling.
    pub(crate) fn of(spelling: Spelling, tokens: impl Iterator<Item = (String, Kind)>) -> Self {
        let (pieces, kinds): (Vec<String>, Vec<Kind>) = tokens.unzip();
        let mut marks = Vec::new();
        let mut ends = BTreeSet::new();
        for ((token, piece), kind) in (0..).zip(&pieces).zip(&kinds) {
            if matches!(kind, Kind::Control | Kind::Mark) && !piece.is_empty() {
                marks.push((piece.clone(), token));
            }
            if *kind == Kind::Control && ENDS.contains(&piece.as_str()) {
                ends.insert(token);
            }
        }
        marks.sort_by(|(one, _), (other, _)| other.len().cmp(&one.len()).then(one.cmp(other)));
        let adds_begin = spelling == Spelling::SentencePieces;
        Vocabulary { spelling, pieces, kinds, begin: None, end: None, adds_begin, ends, marks }
    }

    /// Whether the model has said what it had to say.
    pub(crate) fn is_end(&self, token: Token) -> bool {
        self.ends.contains(&token)
    }

    /// The text of a token as the file spells it; empty where there is none.
    pub(crate) fn piece(&self, token: Option<Token>) -> &str {
        token.and_then(|token| self.pieces.get(token as usize)).map_or("", String::as_str)
    }

    /// Tokens that make up texts, with their spelling: all that no mark is.
    pub(crate) fn of_texts(&self) -> impl Iterator<Item = (&str, Token, Kind)> {
        let all = (0..).zip(&self.pieces).zip(&self.kinds);
        all.map(|((token, piece), kind)| (piece.as_str(), token, *kind))
            .filter(|(_, _, kind)| !matches!(kind, Kind::Control | Kind::Mark))
    }

    /// The mark with which a text begins, the longest if there are several: its length in bytes and its token.
    pub(crate) fn mark_at(&self, text: &str) -> Option<(usize, Token)> {
        let found = self.marks.iter().find(|(mark, _)| text.starts_with(mark.as_str()));
        found.map(|(mark, token)| (mark.len(), *token))
    }

    /// What a token writes; nothing if it is no text. A character may be spread over several tokens.
    pub(crate) fn bytes(&self, token: Token) -> Vec<u8> {
        let (Some(piece), Some(kind)) = (self.pieces.get(token as usize), self.kinds.get(token as usize))
        else {
            return Vec::new();
        };
        match (kind, self.spelling) {
            (Kind::Control | Kind::Unknown | Kind::Unused, _) => Vec::new(),
            (Kind::Mark, _) => piece.as_bytes().to_vec(),
            (Kind::Byte, _) => hexadecimal_byte(piece).into_iter().collect(),
            (Kind::Normal, Spelling::SentencePieces) => piece.replace('▁', " ").into_bytes(),
            (Kind::Normal, Spelling::ByteCharacters) => piece.chars().flat_map(character_bytes).collect(),
        }
    }
}

fn read_spelling(file: &GgufFile) -> Result<Spelling, ModelError> {
    let key = "tokenizer.ggml.model";
    match file.text(key) {
        Some("gpt2") => Ok(Spelling::ByteCharacters),
        Some("llama") => Ok(Spelling::SentencePieces),
        Some(other) => {
            Err(file.broken(format!("its tokenizer is `{other}`; those that can be run: gpt2, llama")))
        }
        None => Err(file.lacking(key, "which kind of tokenizer it has")),
    }
}

/// One kind per token. Where the file has none, all are text.
fn read_kinds(file: &GgufFile, tokens: usize) -> Result<Vec<Kind>, ModelError> {
    let key = "tokenizer.ggml.token_type";
    let Some(numbers) = file.numbers(key) else { return Ok(vec![Kind::Normal; tokens]) };
    if numbers.len() != tokens {
        return Err(
            file.broken(format!("it has {tokens} tokens and `{key}` {} kinds of them", numbers.len()))
        );
    }
    let kind = |number: usize| match number {
        2 => Kind::Unknown,
        3 => Kind::Control,
        4 => Kind::Mark,
        5 => Kind::Unused,
        6 => Kind::Byte,
        _ => Kind::Normal,
    };
    Ok(numbers.into_iter().map(kind).collect())
}

/// The byte that `<0x41>` stands for.
fn hexadecimal_byte(piece: &str) -> Option<u8> {
    let digits = piece.strip_prefix("<0x")?.strip_suffix('>')?;
    u8::from_str_radix(digits, 16).ok()
}

/// The byte that a character stands for; a character that stands for none is itself.
fn character_bytes(character: char) -> Vec<u8> {
    let shifted = u32::from(character).wrapping_sub(256);
    let byte = match character {
        '!'..='~' | '¡'..='¬' | '®'..='ÿ' => u8::try_from(character).ok(),
        _ => (0..=u8::MAX).filter(|byte| is_shifted(*byte)).nth(shifted as usize),
    };
    byte.map_or_else(|| character.to_string().into_bytes(), |byte| vec![byte])
}

/// Bytes that are no characters that can be seen: the first of them is written as U+0100, and so on.
fn is_shifted(byte: u8) -> bool {
    !matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_a_character_of_its_own() {
        let seen = |byte: &u8| char::from(*byte);
        let shifted = (0..=u8::MAX).filter(|byte| is_shifted(*byte));
        let characters = shifted
            .zip('\u{100}'..)
            .chain((0..=u8::MAX).filter(|byte| !is_shifted(*byte)).map(|byte| (byte, seen(&byte))));
        for (byte, character) in characters {
            assert_eq!(character_bytes(character), [byte], "{character}");
        }
    }

    #[test]
    fn bytes_are_read_from_either_spelling() {
        for (piece, bytes) in
            [("A", &b"A"[..]), ("Ġthe", b" the"), ("Ċ", b"\n"), ("Ã©", "é".as_bytes()), ("Ń", b"\xAD")]
        {
            let read: Vec<u8> = piece.chars().flat_map(character_bytes).collect();
            assert_eq!(read, bytes, "{piece}");
        }
        for (piece, byte) in [("<0x41>", Some(0x41)), ("<0xFF>", Some(0xFF)), ("<0xZZ>", None), ("A", None)] {
            assert_eq!(hexadecimal_byte(piece), byte, "{piece}");
        }
    }
}
