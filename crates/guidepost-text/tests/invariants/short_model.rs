//! A model that makes cutting hard.

use guidepost_text::{Embed, EmbedError, Embedding, TextRole};

/// Its limit is short and it reads bytes: every way of dividing a text is needed, and no token is free.
pub(crate) struct ShortModel;

impl Embed for ShortModel {
    fn fingerprint(&self) -> &str {
        "bytes"
    }

    fn dimensions(&self) -> usize {
        1
    }

    fn max_tokens(&self) -> usize {
        96
    }

    fn count_tokens(&self, texts: &[&str]) -> Vec<usize> {
        texts.iter().map(|text| text.len() + 2).collect()
    }

    fn embed(&self, _: &[&str], _: TextRole, _: &dyn Fn(usize)) -> Result<Vec<Embedding>, EmbedError> {
        Ok(Vec::new())
    }
}
