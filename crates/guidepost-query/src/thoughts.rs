//! Takes out what some models think aloud before they answer: `<think> ... </think>`.

/// A text that comes piece by piece, of which the thoughts at its beginning are left out.
#[derive(Debug, Default)]
pub(crate) struct Thoughts {
    /// What was not given out yet.
    held: String,
    over: bool,
}

/// A whole text without its thoughts.
pub(crate) fn without(text: &str) -> String {
    let mut thoughts = Thoughts::default();
    thoughts.push(text) + &thoughts.finish()
}

const BEGIN: &str = "<think>";
const END: &str = "</think>";

impl Thoughts {
    /// Adds a piece, and gives out what is not thought.
    pub(crate) fn push(&mut self, piece: &str) -> String {
        if self.over {
            return piece.to_owned();
        }
        self.held.push_str(piece);
        let begun = self.held.trim_start();
        if begun.starts_with(BEGIN) {
            let Some(end) = self.held.find(END) else { return String::new() };
            self.held.drain(..end + END.len());
        } else if BEGIN.starts_with(begun) {
            return String::new();
        }
        self.finish()
    }

    /// Gives out what was held back in case it became a thought; thoughts that never ended are none of the answer.
    pub(crate) fn finish(&mut self) -> String {
        self.over = true;
        let rest = std::mem::take(&mut self.held);
        if rest.trim_start().starts_with(BEGIN) { String::new() } else { rest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thoughts_at_the_beginning_are_left_out() {
        for (text, expected) in [
            ("<think>\nslate?\n</think>\n\nRoofs [1].", "\n\nRoofs [1]."),
            (" <think></think>Roofs.", "Roofs."),
            ("Roofs.", "Roofs."),
            ("<thin roofs", "<thin roofs"),
            ("<thi", "<thi"),
            ("<think> without end", ""),
            ("Say <think>this</think>.", "Say <think>this</think>."),
        ] {
            for size in [1, 4, text.len()] {
                let mut thoughts = Thoughts::default();
                let pieces = text.as_bytes().chunks(size).map(String::from_utf8_lossy);
                let mut shown: String = pieces.map(|piece| thoughts.push(&piece)).collect();
                shown.push_str(&thoughts.finish());
                assert_eq!(shown, expected, "in pieces of {size}");
            }
        }
    }
}
