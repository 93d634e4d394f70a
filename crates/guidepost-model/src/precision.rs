//! How exactly a model computes.

use std::fmt;
use std::str::FromStr;

/// Number formats of the weights and of what goes through them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// 32-bit floating point throughout.
    F32,
    /// The fastest that keeps cosines of at least 0.9995 with `F32`: on the processor products of 16-bit integers, on a GPU f16.
    Fast,
    /// 8-bit integer products on the processor; loses more.
    Int8,
    /// bfloat16, on a GPU only.
    Bf16,
}

impl Precision {
    const NAMES: [(&'static str, Precision); 4] = [
        ("f32", Precision::F32),
        ("fast", Precision::Fast),
        ("int8", Precision::Int8),
        ("bf16", Precision::Bf16),
    ];

    /// The precision in a model's fingerprint, alone or with what an index adds.
    pub fn of_fingerprint(fingerprint: &str) -> Option<Self> {
        fingerprint.split([',', ';']).find_map(|part| part.trim().parse().ok())
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.to_ascii_lowercase();
        let found = Self::NAMES.iter().find(|(name, _)| *name == lower);
        found
            .map(|(_, precision)| *precision)
            .ok_or_else(|| format!("`{text}` is no precision; use f32, fast, int8 or, on a GPU, bf16"))
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.iter().find(|(_, precision)| precision == self).map(|(name, _)| *name);
        f.write_str(name.expect("every precision has a name"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_name_their_precision() {
        for (fingerprint, expected) in [
            ("m: weights 53aa, mean pooling, 256 tokens, int8", Some(Precision::Int8)),
            (
                "m: weights 53aa, cls pooling, 512 tokens, fast, question prompt \"f32, \"",
                Some(Precision::Fast),
            ),
            ("m: weights 53aa, mean pooling, 256 tokens, f32; chunks 1", Some(Precision::F32)),
            ("no model, BM25 alone; chunks 1", None),
        ] {
            assert_eq!(Precision::of_fingerprint(fingerprint), expected, "{fingerprint}");
        }
    }
}
