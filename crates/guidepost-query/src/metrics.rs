//! Retrieval quality: measures of one ranking, and intervals over many questions.

use std::collections::HashMap;

use guidepost_text::Random;

/// nDCG@k as trec_eval computes it: linear gains, discount `1 / log2(rank + 1)`, ideal from all judged documents.
/// In [0, 1]; 0 where nothing is relevant.
pub fn ndcg_at(k: usize, ranking: &[&str], judged: &HashMap<String, f64>) -> f64 {
    let discounted = |(at, gain): (usize, f64)| gain / (at as f64 + 2.0).log2();
    let gains = ranking.iter().take(k).map(|id| judged.get(*id).copied().unwrap_or(0.0).max(0.0));
    let mut ideal: Vec<f64> = judged.values().copied().filter(|&gain| gain > 0.0).collect();
    ideal.sort_by(|a, b| b.total_cmp(a));
    let best: f64 = ideal.into_iter().take(k).enumerate().map(discounted).sum();
    if best > 0.0 { gains.enumerate().map(discounted).sum::<f64>() / best } else { 0.0 }
}

/// Reciprocal rank of the first relevant one among the first `k`; 0 where there is none.
pub fn mrr_at(k: usize, ranking: &[&str], judged: &HashMap<String, f64>) -> f64 {
    let first = ranking.iter().take(k).position(|id| is_relevant(id, judged));
    first.map_or(0.0, |at| 1.0 / (at as f64 + 1.0))
}

/// Share of the relevant documents among the first `k`, in [0, 1]; 0 where nothing is relevant.
pub fn recall_at(k: usize, ranking: &[&str], judged: &HashMap<String, f64>) -> f64 {
    let relevant = judged.values().filter(|&&grade| grade > 0.0).count();
    let found = ranking.iter().take(k).filter(|id| is_relevant(id, judged)).count();
    found as f64 / relevant.max(1) as f64
}

fn is_relevant(id: &str, judged: &HashMap<String, f64>) -> bool {
    judged.get(id).is_some_and(|&grade| grade > 0.0)
}

/// Mean with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Mean over the questions.
    pub mean: f64,
    /// 2.5th percentile of the resampled means.
    pub low: f64,
    /// 97.5th percentile of the resampled means.
    pub high: f64,
}

/// Percentile bootstrap of the mean over 1,000 resamples. Give differences per question for a paired comparison. The
/// same values give the same interval.
pub fn bootstrap(values: &[f64]) -> Interval {
    let mean = |sum: f64| if values.is_empty() { 0.0 } else { sum / values.len() as f64 };
    // A constant seed: an interval is a property of the values.
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut resample = || mean((0..values.len()).map(|_| values[random.below(values.len())]).sum());
    let mut means: Vec<f64> = (0..1000).map(|_| resample()).collect();
    means.sort_by(f64::total_cmp);
    Interval { mean: mean(values.iter().sum()), low: means[25], high: means[974] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ndcg_agrees_with_trec_eval() {
        let judged: HashMap<String, f64> =
            [("a", 2.0), ("b", 1.0), ("c", 0.0)].map(|(id, g)| (id.into(), g)).into();
        // By hand: ideal 2/1 + 1/log2(3) = 2.63093.
        for (ranking, expected) in [
            (vec!["a", "b"], 1.0),
            (vec!["b", "a"], (1.0 + 2.0 / 3f64.log2()) / 2.630_929_753_571_457),
            (vec!["x", "c", "a"], (2.0 / 2.0) / 2.630_929_753_571_457),
            (vec![], 0.0),
        ] {
            assert!((ndcg_at(10, &ranking, &judged) - expected).abs() < 1e-12, "{ranking:?}");
        }
        assert_eq!(ndcg_at(10, &["a"], &HashMap::new()), 0.0);
    }

    #[derive(serde::Deserialize)]
    struct Reference {
        ranking: Vec<String>,
        judged: HashMap<String, f64>,
        #[serde(flatten)]
        measured: HashMap<String, f64>,
    }

    #[test]
    fn measures_agree_with_ranx() {
        let text = include_str!("../../../tests/fixtures/metrics/reference.jsonl");
        for line in text.lines() {
            let Reference { ranking, judged, measured } = serde_json::from_str(line).expect("a reference");
            let ranking: Vec<&str> = ranking.iter().map(String::as_str).collect();
            for (name, ours) in [
                ("ndcg@10", ndcg_at(10, &ranking, &judged)),
                ("mrr@10", mrr_at(10, &ranking, &judged)),
                ("recall@10", recall_at(10, &ranking, &judged)),
                ("recall@100", recall_at(100, &ranking, &judged)),
            ] {
                assert!((ours - measured[name]).abs() < 1e-9, "{name}: {ours}, ranx {}", measured[name]);
            }
        }
        assert_eq!(text.lines().count(), 60);
    }

    #[test]
    fn intervals_hold_the_mean_and_repeat() {
        let values: Vec<f64> = (0..200).map(|at| f64::from(at % 5)).collect();
        let interval = bootstrap(&values);
        assert_eq!(interval, bootstrap(&values));
        assert_eq!(interval.mean, 2.0);
        assert!(
            interval.low < 2.0 && 2.0 < interval.high && interval.high - interval.low < 0.5,
            "{interval:?}"
        );
        assert_eq!(bootstrap(&[]).mean, 0.0);
    }
}
