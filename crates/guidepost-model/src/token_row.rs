//! What a tokenizer hands to a model.

use tokenizers::Encoding;

/// One text's tokens, or a pair's. As many types as ids.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenRow<'a> {
    pub(crate) ids: &'a [u32],
    /// 0, and 1 for the second text of a pair.
    pub(crate) types: &'a [u32],
}

impl TokenRow<'_> {
    /// Tokens, special tokens included.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// For each token its row in the table of positions: counted from 0, or, in models that know a number for padding
    /// there, from after it, tokens of padding within the text left out.
    pub(crate) fn positions(&self, padding_before: Option<u32>) -> impl Iterator<Item = u32> {
        let mut next = padding_before.map_or(0, |padding| padding + 1);
        self.ids.iter().map(move |&id| match padding_before {
            Some(padding) if id == padding => padding,
            _ => {
                next += 1;
                next - 1
            }
        })
    }
}

impl<'a> From<&'a Encoding> for TokenRow<'a> {
    fn from(encoding: &'a Encoding) -> Self {
        TokenRow { ids: encoding.get_ids(), types: encoding.get_type_ids() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_leave_padding_out() {
        let row = TokenRow { ids: &[0, 9, 1, 8], types: &[0; 4] };
        assert_eq!(row.positions(None).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!(row.positions(Some(1)).collect::<Vec<_>>(), [2, 3, 1, 4]);
    }
}
