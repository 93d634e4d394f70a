//! What is made of measurements: medians, percentiles, closeness of vectors, and who overtakes whom. Numbers in, numbers
//! out.

use std::collections::HashSet;

use guidepost_text::Embedding;
use serde::Serialize;

/// The value that so many percent of the values do not exceed, by nearest rank; 0 without values.
pub(in crate::commands) fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

/// The middle value, or the mean of the two in the middle; 0 without values.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (sorted.len().saturating_sub(1) / 2, sorted.len() / 2);
    sorted.get(low).zip(sorted.get(high)).map_or(0.0, |(low, high)| (low + high) / 2.0)
}

/// The mean; 0 without values.
pub(super) fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// How long many things took, in milliseconds.
#[derive(Debug, Serialize)]
pub(super) struct Latency {
    pub(super) p50_ms: f64,
    pub(super) p95_ms: f64,
    pub(super) p99_ms: f64,
    /// Every single one.
    pub(super) all_ms: Vec<f64>,
}

impl Latency {
    pub(super) fn new(all_ms: Vec<f64>) -> Self {
        let at = |percent| percentile(&all_ms, percent);
        Latency { p50_ms: at(50.0), p95_ms: at(95.0), p99_ms: at(99.0), all_ms }
    }
}

/// Cosine in [-1, 1]; 1 where there is none.
fn cosine(a: &Embedding, b: &Embedding) -> f64 {
    let cosine = a.precise_cosine(b);
    if cosine.is_nan() { 1.0 } else { cosine.clamp(-1.0, 1.0) }
}

/// How close vectors are to those of another run of the same texts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Parity {
    /// Smallest cosine of a text's two vectors, in [-1, 1].
    pub(super) cosine_min: f64,
    /// Mean cosine.
    pub(super) cosine_mean: f64,
    /// Mean share of common texts among a text's ten nearest, in [0, 1].
    pub(super) top10_overlap: f64,
}

/// Texts whose neighbors are compared.
const COMPARED: usize = 100;
/// Neighbors that are compared.
pub(super) const NEIGHBORS: usize = 10;

impl Parity {
    /// Holds vectors against the reference's, text by text.
    pub(super) fn new(reference: &[Embedding], found: &[Embedding]) -> Self {
        let cosines: Vec<f64> = reference.iter().zip(found).map(|(a, b)| cosine(a, b)).collect();
        let compared = 0..reference.len().min(COMPARED);
        let overlaps: Vec<f64> =
            compared.map(|at| overlap(&neighbors(reference, at), &neighbors(found, at))).collect();
        Parity {
            cosine_min: cosines.iter().copied().fold(1.0, f64::min),
            cosine_mean: mean(&cosines),
            top10_overlap: mean(&overlaps),
        }
    }
}

/// The texts nearest to one, without itself.
fn neighbors(vectors: &[Embedding], at: usize) -> Vec<usize> {
    let others = (0..vectors.len()).filter(|&other| other != at);
    nearest(others.map(|other| (other, vectors[at].cosine(&vectors[other]))))
}

/// The few of highest cosine, best first; ties by id.
pub(super) fn nearest<T: Copy + Ord>(scored: impl Iterator<Item = (T, f32)>) -> Vec<T> {
    let mut scored: Vec<(T, f32)> = scored.collect();
    scored.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    scored.into_iter().take(NEIGHBORS).map(|(id, _)| id).collect()
}

/// Share of the first list that the second holds too, in [0, 1]; 1 for an empty one.
pub(super) fn overlap<T: Eq + std::hash::Hash>(wanted: &[T], found: &[T]) -> f64 {
    let found: HashSet<&T> = found.iter().collect();
    let common = wanted.iter().filter(|id| found.contains(id)).count();
    if wanted.is_empty() { 1.0 } else { common as f64 / wanted.len() as f64 }
}

/// The smallest size from which on the second is faster at every size that both were measured at. Each is a list of
/// sizes, ascending, with speeds.
pub(super) fn overtaking(first: &[(usize, f64)], second: &[(usize, f64)]) -> Option<usize> {
    let speed = |size| first.iter().find(|(at, _)| *at == size).map(|(_, speed)| *speed);
    let both: Vec<(usize, bool)> =
        second.iter().filter_map(|&(size, fast)| Some((size, fast > speed(size)?))).collect();
    both.iter().rev().take_while(|(_, faster)| *faster).last().map(|(size, _)| *size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values() {
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        for (values, percent, expected) in [
            (&hundred[..], 50.0, 50.0),
            (&hundred, 95.0, 95.0),
            (&hundred, 99.0, 99.0),
            (&hundred, 100.0, 100.0),
            (&[3.0], 99.0, 3.0),
            (&[], 50.0, 0.0),
        ] {
            assert_eq!(percentile(values, percent), expected);
        }
    }

    #[test]
    fn the_median_is_in_the_middle() {
        for (values, expected) in [(&[][..], 0.0), (&[2.0], 2.0), (&[9.0, 1.0], 5.0), (&[9.0, 1.0, 2.0], 2.0)]
        {
            assert_eq!(median(values), expected);
        }
    }

    #[test]
    fn vectors_are_as_close_as_they_are() {
        let vector = |x: f32, y: f32| Embedding::normalized(vec![x, y]);
        let reference = [vector(1.0, 0.0), vector(0.0, 1.0), vector(1.0, 1.0)];
        let same = Parity::new(&reference, &reference);
        assert!(same.cosine_min > 1.0 - 1e-12 && same.cosine_mean > 1.0 - 1e-12, "{same:?}");
        assert_eq!(same.top10_overlap, 1.0);
        let turned = Parity::new(&reference, &[vector(1.0, 0.0), vector(1.0, 0.0), vector(1.0, 1.0)]);
        assert!(turned.cosine_min.abs() < 1e-9, "{turned:?}");
        assert!((turned.cosine_mean - 2.0 / 3.0).abs() < 1e-7, "{turned:?}");
    }

    #[test]
    fn overlap_is_a_share() {
        assert_eq!(overlap(&[1, 2, 3, 4], &[4, 9, 1]), 0.5);
        assert_eq!(overlap::<u32>(&[], &[1]), 1.0);
    }

    #[test]
    fn who_overtakes_stays_ahead() {
        let first = [(1, 10.0), (4, 10.0), (16, 10.0), (64, 10.0)];
        for (second, expected) in [
            ([(1, 1.0), (4, 20.0), (16, 30.0), (64, 40.0)], Some(4)),
            ([(1, 11.0), (4, 20.0), (16, 30.0), (64, 40.0)], Some(1)),
            ([(1, 11.0), (4, 20.0), (16, 5.0), (64, 40.0)], Some(64)),
            ([(1, 11.0), (4, 20.0), (16, 30.0), (64, 10.0)], None),
        ] {
            assert_eq!(overtaking(&first, &second), expected, "{second:?}");
        }
        assert_eq!(overtaking(&first, &[(2, 99.0)]), None, "no size in common");
    }
}
