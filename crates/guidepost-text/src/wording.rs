//! Passages that say the same in the same words: copies, and copies that somebody touched. Passages that mean the same in
//! other words are none.
//!
//! The words of a passage are taken in runs of five, and two passages are held to say the same where they share four fifths
//! of all their runs (resemblance, Broder 1997). Of mlquestions, 11,000 passages of running text, twelve pairs between four
//! fifths and the whole were read: copies, a sentence more or less. Of cpp_docs, 80,000 passages of a reference, some such
//! pairs are made after one pattern for another version or another operator; so words keep the signs of code, and passages
//! with different numbers are kept apart.

use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Words in a run.
const RUN: usize = 5;

/// Share of all runs from which passages say the same.
const SAME: f64 = 0.8;

/// The words of a passage, ready to be compared with those of others.
#[derive(Debug, Clone)]
pub struct Wording {
    /// Digests of the runs, each once, in order. They are never kept, so that they may differ from build to build.
    runs: Vec<u64>,
    /// Words with digits, in order.
    numbers: Vec<String>,
}

impl Wording {
    /// Of a text.
    pub fn of(text: &str) -> Wording {
        let words: Vec<String> = text.split_whitespace().map(bare).filter(|word| !word.is_empty()).collect();
        let digests: Vec<u64> = words.iter().map(|word| digest(word)).collect();
        // Each word is read once, though it stands in five runs.
        let of_run =
            |run: &[u64]| run.iter().fold(0u64, |run, word| (run.rotate_left(5) ^ word).wrapping_mul(ODD));
        let mut runs: Vec<u64> = match digests.len() {
            0..RUN => vec![of_run(&digests)],
            _ => digests.windows(RUN).map(of_run).collect(),
        };
        runs.sort_unstable();
        runs.dedup();
        let has_digit = |word: &String| word.contains(|c: char| c.is_ascii_digit());
        Wording { runs, numbers: words.into_iter().filter(has_digit).collect() }
    }

    /// Whether both say the same in the same words.
    pub fn says_the_same(&self, other: &Wording) -> bool {
        let (fewer, more) = (self.runs.len().min(other.runs.len()), self.runs.len().max(other.runs.len()));
        // Most pairs are told apart by their length alone.
        if (fewer as f64) < SAME * more as f64 || self.numbers != other.numbers {
            return false;
        }
        let shared = shared(&self.runs, &other.runs);
        shared as f64 >= SAME * (fewer + more - shared) as f64
    }
}

/// Spreads the bits of a sum of digests.
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

fn digest(word: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    word.hash(&mut hasher);
    hasher.finish()
}

/// How many numbers two ordered lists share.
fn shared(one: &[u64], other: &[u64]) -> usize {
    let (mut one, mut other, mut shared) = (one.iter().peekable(), other.iter().peekable(), 0);
    while let (Some(a), Some(b)) = (one.peek(), other.peek()) {
        match a.cmp(b) {
            Ordering::Less => drop(one.next()),
            Ordering::Greater => drop(other.next()),
            Ordering::Equal => {
                shared += 1;
                one.next();
                other.next();
            }
        }
    }
    shared
}

/// A word in lower case without the marks around it. Marks of lists and tables are no words; operators of code are.
fn bare(word: &str) -> String {
    let marks = |c: char| {
        c.is_ascii_punctuation() && !matches!(c, '<' | '=' | '!' | '&' | '%' | '/' | '^' | '$')
            || matches!(c, '“' | '”' | '‘' | '’' | '•' | '–' | '—' | '…')
    };
    word.trim_matches(marks).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(one: &str, other: &str, expected: bool) {
        let (one, other) = (Wording::of(one), Wording::of(other));
        assert_eq!((one.says_the_same(&other), other.says_the_same(&one)), (expected, expected));
    }

    const LONG: &str = "A weaver sets up the loom, winds the warp, and throws the shuttle from side to side all day long. \
        Every thread is beaten into place before the next one follows, and a mistake is seen at once by everybody.";

    #[test]
    fn copies_say_the_same_and_others_do_not() {
        check(LONG, LONG, true);
        check(LONG, &LONG.replace(". ", ".\n\n- ").to_uppercase(), true);
        check(LONG, &LONG.replace("everybody", "all"), true);
        check(
            LONG,
            &LONG.replace("weaver", "knitter").replace("thread", "row").replace("shuttle", "ball"),
            false,
        );
        check(LONG, &LONG[..100], false);
        check(&format!("{LONG} In 2023."), &format!("{LONG} In 2024."), false);
        check("Ask a weaver.", "ask a *weaver*", true);
        check("Ask a weaver.", "Ask a dyer.", false);
        check("if (a <= b)", "if (a != b)", false);
        check("", "", true);
    }
}
