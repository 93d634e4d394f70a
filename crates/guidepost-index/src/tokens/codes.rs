//! Token vectors as sign bits: a rotation, a bit per component, and MaxSim over them.
//!
//! A rotated unit vector spreads its length evenly over its components, so their signs alone tell its direction (Charikar
//! 2002; the estimator is that of RaBitQ, Gao and Long 2024): 384 components are 48 bytes. The question's side keeps four
//! bits a component, as bit planes, so that a dot product is a handful of `and` and `popcount`.

use std::array::from_fn;

use guidepost_text::{Random, Span, TokenVectors};

/// Names the way from vectors to bits: bits of another are not comparable.
pub(crate) const CODES: &str = "sign bits 1";

/// Bits that a component of the question keeps.
const PLANES: usize = 4;
/// Rounds after which components no longer tell where they came from; fewer leave blocks unmixed.
const ROUNDS: usize = 3;

/// 64-bit words of a token's code.
pub(crate) fn words_per_token(dimensions: usize) -> usize {
    dimensions.div_ceil(64)
}

/// An orthogonal map for vectors of one length, the same on every machine: random signs and Hadamard transforms.
pub(crate) struct Rotation {
    dimensions: usize,
    /// One factor a component, round after round.
    signs: Vec<f32>,
    /// Components of one transform.
    block: usize,
}

impl Rotation {
    pub(crate) fn new(dimensions: usize) -> Self {
        // A constant seed: codes on disk must mean the same tomorrow.
        let mut random = Random(0x51D0_C0DE_0000_0001);
        let mut sign = || if random.next() & 1 == 0 { 1.0 } else { -1.0 };
        let block = if dimensions == 0 { 0 } else { 1 << dimensions.ilog2() };
        Rotation { dimensions, signs: (0..ROUNDS * dimensions).map(|_| sign()).collect(), block }
    }

    /// Rotates in place. The first and the last `block` components are transformed in turn: together they are all.
    fn apply(&self, vector: &mut [f32]) {
        if self.dimensions == 0 {
            return;
        }
        for signs in self.signs.chunks_exact(self.dimensions) {
            vector.iter_mut().zip(signs).for_each(|(value, sign)| *value *= sign);
            hadamard(&mut vector[..self.block]);
            if self.block < self.dimensions {
                hadamard(&mut vector[self.dimensions - self.block..]);
            }
        }
    }

    /// The code of every token, one after the other.
    pub(crate) fn encode(&self, tokens: &TokenVectors) -> Vec<u64> {
        let mut codes = Vec::with_capacity(tokens.spans.len() * words_per_token(self.dimensions));
        for row in tokens.rows() {
            let mut rotated = row.to_vec();
            self.apply(&mut rotated);
            let word = |values: &[f32]| {
                values.iter().enumerate().fold(0, |word, (bit, &value)| word | u64::from(value > 0.0) << bit)
            };
            codes.extend(rotated.chunks(64).map(word));
        }
        codes
    }
}

/// The Hadamard transform of a power of two of components, scaled to keep lengths.
fn hadamard(values: &mut [f32]) {
    let mut half = 1;
    while half < values.len() {
        for pair in values.chunks_exact_mut(2 * half) {
            let (left, right) = pair.split_at_mut(half);
            for (a, b) in left.iter_mut().zip(right) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
    let scale = 1.0 / (values.len() as f32).sqrt();
    values.iter_mut().for_each(|value| *value *= scale);
}

/// A question's tokens, ready to be held against passages.
pub struct LateQuestion {
    tokens: Vec<QuestionToken>,
    /// The part of the question that each token stands for.
    spans: Vec<Span>,
    words: usize,
    /// All weights.
    total: f32,
}

struct QuestionToken {
    /// `[PLANES, words]`, lowest bit first.
    planes: Vec<u64>,
    /// A cosine is `base + held * (bits set in the code) + step * (overlap with the planes)`.
    base: f32,
    held: f32,
    step: f32,
    weight: f32,
}

impl LateQuestion {
    /// `weights` has one factor a token, 0 and up; tokens without weight are left out.
    pub(crate) fn new(rotation: &Rotation, tokens: &TokenVectors, weights: &[f32]) -> Self {
        let all = tokens.rows().zip(weights).zip(&tokens.spans);
        let kept = all.filter(|((_, weight), _)| **weight > 0.0);
        let (tokens, spans): (Vec<QuestionToken>, Vec<Span>) =
            kept.map(|((row, &weight), span)| (QuestionToken::new(rotation, row, weight), *span)).unzip();
        let total = tokens.iter().map(|token| token.weight).sum();
        LateQuestion { tokens, spans, words: words_per_token(rotation.dimensions), total }
    }

    /// MaxSim (Khattab and Zaharia 2020, "ColBERT", arXiv 2004.12832): the mean over the question's tokens, by weight, of
    /// the best estimated cosine with any token of the passage; about in [-1, 1]. `None` where either side has no token.
    pub(crate) fn max_sim(&self, codes: &[u64]) -> Option<f32> {
        if codes.is_empty() || self.total <= 0.0 {
            return None;
        }
        let cosines = self.cosines(codes);
        let rows = cosines.chunks_exact(codes.len() / self.words);
        let best = rows.map(|row| row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        Some(best.zip(&self.tokens).map(|(best, token)| best * token.weight).sum::<f32>() / self.total)
    }

    /// The part of the question that each token stands for; tokens without weight are not among them.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The share of each token in the score; they add up to 1.
    pub fn shares(&self) -> Vec<f32> {
        self.tokens.iter().map(|token| token.weight / self.total).collect()
    }

    /// The estimated cosines of each of the question's tokens with each of a passage's. Shape `[question, passage]`.
    pub(crate) fn cosines(&self, codes: &[u64]) -> Vec<f32> {
        let mut cosines = vec![0.0; self.tokens.len() * (codes.len() / self.words.max(1))];
        if !cosines.is_empty() {
            (best_kernel())(self, codes, &mut cosines);
        }
        cosines
    }
}

impl QuestionToken {
    fn new(rotation: &Rotation, row: &[f32], weight: f32) -> Self {
        let norm = row.iter().map(|v| v * v).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        let mut rotated: Vec<f32> = row.iter().map(|value| value / norm).collect();
        rotation.apply(&mut rotated);
        let (low, high) = rotated
            .iter()
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)));
        let levels = (1u32 << PLANES) - 1;
        let step = ((high - low) / levels as f32).max(f32::MIN_POSITIVE);
        let words = words_per_token(rotated.len());
        let mut planes = vec![0u64; PLANES * words];
        for (word, values) in rotated.chunks(64).enumerate() {
            let mut bits = [0u64; PLANES];
            for (at, value) in values.iter().enumerate() {
                // Rounds, without the call that `round` is where no instruction does it.
                let level = (((value - low) / step + 0.5) as u32).min(levels);
                bits = from_fn(|plane| bits[plane] | u64::from(level >> plane & 1) << at);
            }
            (0..PLANES).for_each(|plane| planes[plane * words + word] = bits[plane]);
        }
        // The sum of the question's components under the passage's signs is twice that over the set bits less that over
        // all. A sign stands for sqrt(2 / (pi * dimensions)) of its component's length, on average.
        let all: f32 = rotated.iter().sum();
        let scale = (std::f32::consts::FRAC_PI_2 / rotated.len().max(1) as f32).sqrt();
        QuestionToken {
            planes,
            base: -all * scale,
            held: 2.0 * low * scale,
            step: 2.0 * step * scale,
            weight,
        }
    }
}

type Kernel = fn(&LateQuestion, &[u64], &mut [f32]);

/// Tokens of a passage that are looked at together: as many 64-bit words as the longest vectors have.
const LANES: usize = 8;

/// Estimates cosines; shape `[question, passage]`.
#[inline(always)]
fn estimate(question: &LateQuestion, codes: &[u64], cosines: &mut [f32]) {
    match question.words {
        // The length of most small models' vectors, known to the compiler.
        6 => estimate_by(6, question, codes, cosines),
        words => estimate_by(words, question, codes, cosines),
    }
}

#[inline(always)]
fn estimate_by(words: usize, question: &LateQuestion, codes: &[u64], cosines: &mut [f32]) {
    let passage = codes.len() / words;
    let mut block = vec![[0u64; LANES]; words];
    for (at, codes) in codes.chunks(LANES * words).enumerate() {
        for (lane, code) in codes.chunks_exact(words).enumerate() {
            block.iter_mut().zip(code).for_each(|(words, word)| words[lane] = *word);
        }
        let set = block.iter().fold([0; LANES], |all, words| add_bits(all, *words));
        let here = at * LANES..passage.min((at + 1) * LANES);
        for (token, row) in question.tokens.iter().zip(cosines.chunks_exact_mut(passage)) {
            // From the highest plane down, each worth twice the next.
            let overlap = token.planes.chunks_exact(words).rev().fold([0; LANES], |all, bits| {
                let both = block.iter().zip(bits).map(|(words, bits)| words.map(|word| word & bits));
                both.fold(all.map(|all| 2 * all), add_bits)
            });
            let cosine =
                |lane: usize| token.base + token.held * set[lane] as f32 + token.step * overlap[lane] as f32;
            let all: [f32; LANES] = from_fn(cosine);
            row[here.clone()].copy_from_slice(&all[..here.len()]);
        }
    }
}

/// Adds the number of bits that are set, lane by lane.
#[inline(always)]
fn add_bits(all: [u64; LANES], words: [u64; LANES]) -> [u64; LANES] {
    from_fn(|lane| all[lane] + u64::from(words[lane].count_ones()))
}

/// The fastest way that this processor has to count bits.
fn best_kernel() -> Kernel {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512vpopcntdq,popcnt")]
        fn vectors(question: &LateQuestion, codes: &[u64], cosines: &mut [f32]) {
            estimate(question, codes, cosines);
        }
        #[target_feature(enable = "popcnt")]
        fn words(question: &LateQuestion, codes: &[u64], cosines: &mut [f32]) {
            estimate(question, codes, cosines);
        }
        if is_x86_feature_detected!("avx512vpopcntdq")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
        {
            // SAFETY: the processor has these instructions.
            return |question, codes, cosines| unsafe { vectors(question, codes, cosines) };
        }
        if is_x86_feature_detected!("popcnt") {
            // SAFETY: as above.
            return |question, codes, cosines| unsafe { words(question, codes, cosines) };
        }
    }
    estimate
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(dimensions: usize, values: Vec<f32>) -> TokenVectors {
        let spans = vec![Span { start: 0, end: 1 }; values.len() / dimensions];
        TokenVectors { dimensions, values, spans }
    }

    fn cosine(a: &[f32], b: &[f32]) -> f32 {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn rotation_keeps_cosines(dimensions in 1usize..200, seed in 0u32..1000) {
            let vector = |offset: u32| -> Vec<f32> {
                (0..dimensions as u32).map(|at| ((at * 7 + seed * 13 + offset) as f32 * 0.7).sin() + 0.01).collect()
            };
            let (a, b) = (vector(0), vector(5));
            let (mut rotated_a, mut rotated_b) = (a.clone(), b.clone());
            let rotation = Rotation::new(dimensions);
            rotation.apply(&mut rotated_a);
            rotation.apply(&mut rotated_b);
            prop_assert!((cosine(&a, &b) - cosine(&rotated_a, &rotated_b)).abs() < 1e-4);
        }

        #[test]
        fn bits_estimate_max_sim(values in proptest::collection::vec(-1.0f32..1.0, 384 * 6), blend in 0.0f32..1.0) {
            let (question, rest) = values.split_at(384 * 2);
            let mut passage = rest.to_vec();
            // One token of the passage near one of the question: independent vectors are all at right angles.
            passage.iter_mut().zip(question).take(384).for_each(|(p, q)| *p = blend * q + (1.0 - blend) * *p);
            let rotation = Rotation::new(384);
            let weights = [1.0, 3.0];
            let late = LateQuestion::new(&rotation, &tokens(384, question.to_vec()), &weights);
            let codes = rotation.encode(&tokens(384, passage.clone()));
            prop_assert_eq!(codes.len(), 4 * words_per_token(384));
            let best = |token: &[f32]| passage.chunks(384).map(|row| cosine(token, row)).fold(-1.0f32, f32::max);
            let exact = question.chunks(384).zip(weights).map(|(token, weight)| best(token) * weight).sum::<f32>() / 4.0;
            let found = late.max_sim(&codes).expect("both have tokens");
            // Five standard deviations of the estimate of one cosine.
            prop_assert!((found - exact).abs() < 0.2, "{found} for {exact}");

            let mut plain = vec![0.0; 2 * 4];
            estimate(&late, &codes, &mut plain);
            prop_assert_eq!(late.cosines(&codes), plain.clone(), "all kernels agree");
            let one_by_one = codes.chunks(words_per_token(384)).map(|code| late.cosines(code));
            for (at, cosines) in one_by_one.enumerate() {
                prop_assert_eq!(cosines, [plain[at], plain[4 + at]], "tokens do not mix");
            }
            prop_assert_eq!(late.shares(), [0.25, 0.75]);
        }
    }

    #[test]
    fn no_tokens_no_score() {
        let rotation = Rotation::new(8);
        let one = tokens(8, vec![1.0; 8]);
        assert_eq!(LateQuestion::new(&rotation, &one, &[1.0]).max_sim(&[]), None);
        assert_eq!(LateQuestion::new(&rotation, &one, &[0.0]).max_sim(&[1]), None);
    }
}
