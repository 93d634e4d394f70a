//! What is embedded: passages of guides as the index cuts them, and texts of one length made from their words.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, ensure};
use guidepost_index::{LateInteraction, Request, ShippedGuide, Snapshot, update};
use guidepost_text::{Embed, EmbedError, Embedding, HashEmbedder, Random, TextRole};

use crate::engine::folder;

/// Most passages that are embedded: more would not change a figure.
pub(super) const MOST: usize = 2048;
/// Words that texts of one length are made from.
const WORDS: usize = 20_000;

/// Passages of a folder, or of the guides that ship, in an order of their own that is always the same.
pub(super) fn passages(
    texts: Option<&Path>,
    shipped: &[ShippedGuide],
    ruler: &dyn Embed,
) -> anyhow::Result<Vec<String>> {
    let index = tempfile::tempdir().context("no temporary folder to cut the guides in")?;
    let add: Vec<_> = texts.map(folder).transpose()?.into_iter().collect();
    let ruler = Ruler(ruler);
    let request = Request {
        index: index.path(),
        add: &add,
        remove: &[],
        shipped,
        embedder: Some(&ruler),
        rebuild: false,
        repair: false,
        wait: true,
        late_interaction: LateInteraction::AsBefore,
        memory: u64::MAX,
        stop: &AtomicBool::new(false),
    };
    update(&request, &mut |_| ())?;
    let snapshot = Snapshot::open(index.path())?.context("the guides were cut and cannot be read")?;
    let mut passages = snapshot.passages()?;
    let place = texts.map_or_else(String::new, |texts| format!(" in `{}`", texts.display()));
    ensure!(passages.len() > 1, "no guides to measure with{place}; name another folder with --texts");
    Random(1).shuffle(&mut passages);
    passages.truncate(MOST);
    Ok(passages)
}

/// Cuts as the model does; its vectors are only there to be something.
struct Ruler<'a>(&'a dyn Embed);

impl Embed for Ruler<'_> {
    fn fingerprint(&self) -> &str {
        self.0.fingerprint()
    }

    fn dimensions(&self) -> usize {
        HashEmbedder.dimensions()
    }

    fn max_tokens(&self) -> usize {
        self.0.max_tokens()
    }

    fn count_tokens(&self, texts: &[&str]) -> Vec<usize> {
        self.0.count_tokens(texts)
    }

    fn embed(
        &self,
        texts: &[&str],
        role: TextRole,
        on_done: &dyn Fn(usize),
    ) -> Result<Vec<Embedding>, EmbedError> {
        HashEmbedder.embed(texts, role, on_done)
    }
}

/// Texts of exactly so many tokens, special tokens included, from the passages' words in their order. Shorter by a few
/// tokens where no word fits the gap.
pub(super) fn of_length(passages: &[String], tokens: usize, count: usize, ruler: &dyn Embed) -> Vec<String> {
    let words: Vec<&str> = passages.iter().flat_map(|text| text.split_whitespace()).take(WORDS).collect();
    let special = ruler.count_tokens(&[""])[0];
    let lengths = ruler.count_tokens(&words).into_iter().map(|length| length.saturating_sub(special));
    let words: Vec<(&str, usize)> = words.iter().copied().zip(lengths).filter(|word| word.1 > 0).collect();
    let mut next = 0;
    (0..count).map(|_| fill(&words, &mut next, tokens.saturating_sub(special))).collect()
}

/// Takes words from a circle, beginning at `next`, until so many tokens are there; words that do not fit any more are
/// left out.
fn fill(words: &[(&str, usize)], next: &mut usize, tokens: usize) -> String {
    let mut taken = Vec::new();
    let (mut room, mut refused) = (tokens, 0);
    while room > 0 && refused < words.len() {
        let (word, length) = words[*next % words.len()];
        *next += 1;
        if length <= room {
            taken.push(word);
            (room, refused) = (room - length, 0);
        } else {
            refused += 1;
        }
    }
    taken.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_their_length() {
        let passages = vec!["How to learn SQL".to_owned(), "and what comes after it".to_owned()];
        let texts = of_length(&passages, 32, 5, &HashEmbedder);
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        assert_eq!(HashEmbedder.count_tokens(&texts), [32; 5]);
        assert_ne!(texts[0], texts[1], "each goes on where the one before ended");
    }

    #[test]
    fn words_that_do_not_fit_are_left_out() {
        let mut next = 0;
        assert_eq!(fill(&[("long", 3), ("a", 1)], &mut next, 4), "long a");
        assert_eq!(fill(&[("long", 3), ("a", 1)], &mut next, 2), "a a");
        assert_eq!(fill(&[("long", 3)], &mut next, 2), "");
        assert_eq!(fill(&[], &mut next, 2), "");
    }
}
