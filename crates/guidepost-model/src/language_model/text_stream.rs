//! Bytes as they are written, let out as whole characters.

/// Holds back what may become a character.
#[derive(Debug, Default)]
pub(crate) struct TextStream {
    /// At most three bytes: the beginning of a character.
    held: Vec<u8>,
}

impl TextStream {
    /// Adds bytes; gives the characters that are complete. Bytes that cannot become one are U+FFFD.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> String {
        self.held.extend_from_slice(bytes);
        let mut text = String::new();
        let mut rest = self.held.as_slice();
        loop {
            match std::str::from_utf8(rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    rest = &[];
                    break;
                }
                Err(error) => {
                    let (valid, after) = rest.split_at(error.valid_up_to());
                    text.push_str(&String::from_utf8_lossy(valid));
                    rest = after;
                    let Some(broken) = error.error_len() else { break };
                    text.push(char::REPLACEMENT_CHARACTER);
                    rest = &rest[broken..];
                }
            }
        }
        self.held = rest.to_vec();
        text
    }

    /// What is left at the end: U+FFFD for a character that was never completed.
    pub(crate) fn finish(&mut self) -> String {
        let text = String::from_utf8_lossy(&self.held).into_owned();
        self.held.clear();
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn characters_come_out_whole() {
        for (pieces, texts) in [
            (&[&b"guide"[..]][..], &["guide", ""][..]),
            (&[b"caf\xC3", b"\xA9"], &["caf", "é", ""]),
            (&[b"\xF0\x9F", b"\xA6", b"\x80!"], &["", "", "🦀!", ""]),
            (&[b"\xF0\x9F", b"x"], &["", "\u{FFFD}x", ""]),
            (&[b"a\xFFb"], &["a\u{FFFD}b", ""]),
            (&[b"\xE6\x9D"], &["", "\u{FFFD}"]),
        ] {
            let mut stream = TextStream::default();
            let mut found: Vec<String> = pieces.iter().map(|piece| stream.push(piece)).collect();
            found.push(stream.finish());
            assert_eq!(found, texts, "{pieces:?}");
        }
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..40), size in 1usize..5) {
            let mut stream = TextStream::default();
            let mut text: String = bytes.chunks(size).map(|piece| stream.push(piece)).collect();
            text.push_str(&stream.finish());
            prop_assert_eq!(text, String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn text_comes_out_as_it_went_in(text in "\\PC{0,20}", size in 1usize..5) {
            let mut stream = TextStream::default();
            let mut found: String = text.as_bytes().chunks(size).map(|piece| stream.push(piece)).collect();
            found.push_str(&stream.finish());
            prop_assert_eq!(found, text);
        }
    }
}
