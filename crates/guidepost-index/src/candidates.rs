//! Rows with an estimate of their cosine, in the order of nearness, and the best of many.

use std::fmt;

/// A row that may be among the nearest, in eight bytes whose order is that of nearness: higher estimates first, then
/// lower rows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Candidate(u64);

impl Candidate {
    /// A row below 2^31.
    #[inline]
    pub(crate) fn new(estimate: f32, row: u32) -> Self {
        let bits = estimate.to_bits();
        // The order of floats as that of integers: negative ones run backwards.
        let ascending = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
        Candidate(u64::from(!ascending) << 32 | u64::from(row) << 1)
    }

    #[inline]
    pub(crate) fn row(self) -> u32 {
        self.0 as u32 >> 1
    }

    /// About the cosine.
    pub(crate) fn estimate(self) -> f32 {
        let ascending = !((self.0 >> 32) as u32);
        f32::from_bits(if ascending >> 31 == 1 { ascending & !(1 << 31) } else { !ascending })
    }

    /// The lowest bit is a mark, which the order of different rows does not depend on.
    #[inline]
    pub(crate) fn is_marked(self) -> bool {
        self.0 & 1 == 1
    }

    #[inline]
    pub(crate) fn mark(&mut self) {
        self.0 |= 1;
    }
}

impl Candidate {
    pub(crate) fn unmarked(self) -> Self {
        Candidate(self.0 & !1)
    }
}

impl fmt::Debug for Candidate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "row {} at {}", self.row(), self.estimate())
    }
}

/// The nearest `kept` of all candidates that were offered.
pub(crate) struct Nearest {
    kept: usize,
    /// In no order, and up to twice as many as are kept: clearing away the worse half of a full list costs less than
    /// keeping a heap in order.
    candidates: Vec<Candidate>,
    /// Only candidates before this one can still be among the nearest.
    bar: Candidate,
}

impl Nearest {
    /// Of at least one.
    pub(crate) fn new(kept: usize) -> Self {
        Nearest { kept: kept.max(1), candidates: Vec::new(), bar: Candidate(u64::MAX) }
    }

    #[inline]
    pub(crate) fn offer(&mut self, candidate: Candidate) {
        if candidate < self.bar {
            self.candidates.push(candidate);
            if self.candidates.len() >= self.kept.saturating_mul(2) {
                self.clear_away();
            }
        }
    }

    #[cold]
    fn clear_away(&mut self) {
        self.bar = *self.candidates.select_nth_unstable(self.kept - 1).1;
        self.candidates.truncate(self.kept);
    }

    /// The nearest of both.
    pub(crate) fn merged(mut self, other: Nearest) -> Nearest {
        other.candidates.into_iter().for_each(|candidate| self.offer(candidate));
        self
    }

    /// The nearest first.
    pub(crate) fn into_sorted(mut self) -> Vec<Candidate> {
        self.candidates.sort_unstable();
        self.candidates.truncate(self.kept);
        self.candidates
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn candidates_order_as_estimates_and_rows_do(
            pairs in proptest::collection::vec((prop_oneof![-1.0f32..1.0, Just(0.5), Just(-0.5)], 0u32..1 << 31), 0..300),
            kept in 1usize..40,
        ) {
            let mut nearest = Nearest::new(kept);
            let mut candidates = Vec::new();
            for &(estimate, row) in &pairs {
                let candidate = Candidate::new(estimate, row);
                prop_assert_eq!((candidate.estimate().to_bits(), candidate.row()), (estimate.to_bits(), row));
                nearest.offer(candidate);
                candidates.push(candidate);
            }
            let mut expected = pairs;
            expected.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            candidates.sort_unstable();
            let pairs = |candidates: &[Candidate]| candidates.iter().map(|c| (c.estimate(), c.row())).collect::<Vec<_>>();
            prop_assert_eq!(&pairs(&candidates), &expected);
            expected.truncate(kept);
            prop_assert_eq!(pairs(&nearest.into_sorted()), expected);
        }
    }
}
