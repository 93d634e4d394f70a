//! Numbers that a text names, as values: `$70k`, `70,000` and `seventy thousand` are one.
//!
//! Does not calculate: that 9 of 12 is three quarters, or 33 months nearly three years, it does not see.

/// A number that a sentence states.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Number {
    pub(crate) value: f64,
    /// Where it stands, in bytes.
    pub(crate) at: usize,
    /// Behind a word such as `nearly`.
    rounded: bool,
}

impl Number {
    /// Whether a value of a source is this one; where the sentence rounds, one nearby. Years are never rounded.
    pub(crate) fn agrees(&self, value: f64) -> bool {
        /// `nearly 5,000` for 4,912; `roughly 50` for 46.
        const ROUNDING: f64 = 0.1;
        let is_year = self.value.fract() == 0.0 && (1900.0..2100.0).contains(&self.value);
        let tolerance = if self.rounded && !is_year { ROUNDING } else { 1e-9 };
        (value - self.value).abs() <= tolerance * self.value.abs().max(f64::MIN_POSITIVE)
    }
}

/// The numbers that a sentence states, ordinals among them: the third phase is Phase 3. `First` and `second` mostly count
/// nothing.
pub(crate) fn claimed(text: &str) -> Vec<Number> {
    let spelled: Vec<(usize, &str)> = words(text).collect();
    let mut found = numbers(text);
    for (at, (start, word)) in spelled.iter().enumerate() {
        let near =
            |step: isize| at.checked_add_signed(step).and_then(|at| spelled.get(at)).map(|(_, word)| *word);
        // `a third`, `one fifth`, `two thirds` are shares, and a third party is no number.
        let is_share = near(-1).is_some_and(|word| ["a", "A", "one", "One", "per"].contains(&word));
        let is_party = near(1).is_some_and(|word| word.starts_with("part"));
        if let Some(value) = ordinal(word).filter(|value| *value > 2.0 && !is_share && !is_party) {
            found.push((value, *start));
        }
    }
    found.sort_by_key(|(_, at)| *at);
    let number = |(value, at): (f64, usize)| Number { value, at, rounded: is_rounded(&text[..at]) };
    found.into_iter().map(number).collect()
}

/// Whether a text ends by saying that the number behind it is not exact.
fn is_rounded(before: &str) -> bool {
    const ROUNDERS: [&str; 13] = [
        "about",
        "almost",
        "approximately",
        "around",
        "circa",
        "nearly",
        "over",
        "roughly",
        "some",
        "than",
        "under",
        "~",
        "≈",
    ];
    let before = before.trim_end_matches([' ', '$', '€', '£']).to_lowercase();
    let last = before.rsplit([' ', '(', '-']).next().unwrap_or_default();
    ROUNDERS.contains(&last) || last.ends_with(['~', '≈'])
}

/// Values that a text says without a number: ordinals, and words such as `both` and `half`.
pub(crate) fn implied(text: &str) -> Vec<f64> {
    let mut found = Vec::new();
    for (_, word) in words(text) {
        let word = word.to_lowercase();
        found.extend(ordinal(&word));
        found.extend_from_slice(match word.as_str() {
            "both" | "double" | "doubled" | "doubles" | "pair" | "twice" => &[2.0],
            "half" | "halved" | "halves" => &[50.0],
            "third" | "thirds" => &[33.0],
            "quarter" | "quarters" => &[4.0, 25.0],
            "quarterly" => &[4.0],
            "triple" | "tripled" | "triples" => &[3.0],
            "dozen" => &[12.0],
            _ => &[],
        });
    }
    found
}

fn ordinal(word: &str) -> Option<f64> {
    const ORDINALS: [&str; 12] = [
        "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
        "eleventh", "twelfth",
    ];
    let word = word.to_lowercase();
    ORDINALS.iter().position(|ordinal| *ordinal == word).map(|at| at as f64 + 1.0)
}

/// The numbers of a text, in order, each with where it stands in bytes. Signs of money and percent count nothing; both ends of
/// a range are numbers; parts of names such as `GPT-4` or `k8s` are none.
pub(crate) fn numbers(text: &str) -> Vec<(f64, usize)> {
    let mut found: Vec<(f64, usize)> = Vec::new();
    let mut spelled = Spelled::default();
    // Where the last digits ended: `1.5 million` is one number, `99 percent of a million` two.
    let mut end = None;
    for (at, word) in words(text) {
        let digits_end = end.take().filter(|end: &usize| text[*end..at].trim().is_empty());
        if let Some(value) = written(word, text, at) {
            found.extend(spelled.take());
            found.push((value, at));
            end = Some(at + word.len());
        } else if !spelled.add(word, at) {
            found.extend(spelled.take());
            if let (Some(scale), Some((last, _)), Some(_)) = (scale_of(word), found.last_mut(), digits_end)
                && *last < scale
            {
                *last *= scale;
            }
        }
    }
    found.extend(spelled.take());
    found
}

/// Runs of letters, digits, and the signs that stand inside numbers.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '.' | ',' | '\'');
    let mut rest = 0;
    std::iter::from_fn(move || {
        let start = rest + text[rest..].find(|c: char| c.is_alphanumeric())?;
        let end = text[start..].find(|c: char| !inside(c)).map_or(text.len(), |length| start + length);
        rest = end;
        Some((start, text[start..end].trim_end_matches(['.', ',', '\''])))
    })
}

/// The value of digits, with what says how many of them: `70k`, `1.5m`.
fn written(word: &str, text: &str, at: usize) -> Option<f64> {
    let digits = word.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').unwrap_or(word.len());
    let (digits, suffix) = word.split_at(digits);
    let glued = text[..at].chars().next_back();
    let in_name = glued.is_some_and(|c| c == '-' || c == '_')
        && text[..at].trim_end_matches(['-', '_']).ends_with(|c: char| c.is_alphabetic());
    if !digits.starts_with(|c: char| c.is_ascii_digit()) || in_name {
        return None;
    }
    let scale = match suffix.to_lowercase().as_str() {
        "" | "st" | "nd" | "rd" | "th" | "s" | "x" => 1.0,
        "k" => 1e3,
        "m" | "mn" => 1e6,
        "b" | "bn" => 1e9,
        _ => return None,
    };
    let value: f64 = grouped(digits)?.parse().ok()?;
    Some(value * scale)
}

/// Digits without the commas between thousands; a comma elsewhere is that of a fraction.
fn grouped(digits: &str) -> Option<String> {
    let mut parts = digits.split(',');
    let first = parts.next()?;
    let rest: Vec<&str> = parts.collect();
    match rest.iter().all(|part| part.split('.').next().is_some_and(|whole| whole.len() == 3)) {
        true => Some(digits.replace(',', "")),
        false if rest.len() == 1 => Some(format!("{first}.{}", rest[0])),
        false => None,
    }
}

/// A number in words, as far as it was read.
#[derive(Default)]
struct Spelled {
    value: Option<f64>,
    at: usize,
}

impl Spelled {
    /// Takes a word that goes on with the number, and says whether it does.
    fn add(&mut self, word: &str, at: usize) -> bool {
        let word = word.to_lowercase();
        let small = SMALL.iter().position(|small| *small == word).map(|at| at as f64 + 2.0);
        let tens = TENS.iter().position(|tens| *tens == word).map(|at| (at as f64 + 2.0) * 10.0);
        match (self.value, small.or(tens)) {
            (None, Some(value)) => (self.value, self.at) = (Some(value), at),
            // `twenty-one`: the one of a number is `one` only there.
            (Some(before), Some(value)) if before >= 20.0 && before % 10.0 == 0.0 && value < 10.0 => {
                self.value = Some(before + value);
            }
            (Some(before), None) if word == "one" && before >= 20.0 && before % 10.0 == 0.0 => {
                self.value = Some(before + 1.0);
            }
            (Some(before), None) => match scale_of(&word) {
                Some(scale) if before < scale => self.value = Some(before * scale),
                _ => return false,
            },
            _ => return false,
        }
        true
    }

    fn take(&mut self) -> Option<(f64, usize)> {
        Some((self.value.take()?, self.at))
    }
}

/// From two on: `one` mostly counts nothing.
const SMALL: [&str; 18] = [
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];

const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

fn scale_of(word: &str) -> Option<f64> {
    match word.to_lowercase().as_str() {
        "hundred" => Some(1e2),
        "thousand" => Some(1e3),
        "million" => Some(1e6),
        "billion" => Some(1e9),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[f64]) {
        assert_eq!(numbers(text).into_iter().map(|(value, _)| value).collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn one_number_has_many_looks() {
        for text in ["$70k", "70,000 dollars", "seventy thousand", "USD 70000.", "(70K)", "70 thousand"] {
            check(text, &[70_000.0]);
        }
        check("6-12 months", &[6.0, 12.0]);
        check("six to twelve months", &[6.0, 12.0]);
        check("25%, 1.5 million and 3,5", &[25.0, 1.5e6, 3.5]);
        check("twenty-one of thirty, the 1st in 2024", &[21.0, 30.0, 1.0, 2024.0]);
        check("1,250,000 in two thousand", &[1_250_000.0, 2000.0]);
    }

    #[track_caller]
    fn check_agree(sentence: &str, source: &str, expected: bool) {
        let known: Vec<f64> =
            numbers(source).into_iter().map(|(value, _)| value).chain(implied(source)).collect();
        let agrees = claimed(sentence).iter().all(|number| known.iter().any(|value| number.agrees(*value)));
        assert_eq!(agrees, expected, "{sentence} / {source}");
    }

    #[test]
    fn sentences_may_round_and_count() {
        check_agree("nearly 5,000 readers", "4,912 readers", true);
        check_agree("5,000 readers", "4,912 readers", false);
        check_agree("about $10", "$5", false);
        check_agree("around 2027", "2028", false);
        check_agree("the third phase, Phase 4", "Phase 3, the fourth phase", true);
        check_agree("the fifth phase", "Phase 4", false);
        check_agree("a third of them, by a third party or third parties", "", true);
        check_agree("two of them, fifty percent", "both, and half", true);
    }

    #[test]
    fn names_are_no_numbers() {
        check("GPT-4 on k8s, one of the H100s and Python3", &[]);
        check("", &[]);
        check("one day, a hundred", &[]);
        check("99.9 percent, one request in a thousand", &[99.9]);
    }
}
