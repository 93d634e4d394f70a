//! Which texts run together: padding against the number of batches. Knows lengths only, neither tokens nor tensors.

/// What a batch may hold, and what another batch costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Tokens in one batch at most, padding included. A longer text gets a batch to itself.
    pub tokens: usize,
    /// What starting a batch costs, as the number of tokens computed in the same time: every operation is launched
    /// once more. The higher, the fewer and the more padded the batches.
    pub batch_cost: usize,
}

impl Budget {
    /// For a GPU. 16,384 rows make 128 tiles of 128 for every 128 columns of a weight, about one for each
    /// multiprocessor of the largest GPUs, so that a batch leaves none idle; and the scores of 512-token texts in
    /// twelve heads take no more than 0.4 GB of f32. The batch cost keeps the padding of 1,000 texts of natural
    /// lengths under 5 %.
    pub const GPU: Budget = Budget { tokens: 16_384, batch_cost: 128 };

    /// For tensors on the processor: enough rows for whole tiles of every product, few enough that what lies between two
    /// products is not far from the processor, and no cost to speak of for another batch.
    pub(crate) const PROCESSOR: Budget = Budget { tokens: 2_048, batch_cost: 16 };

    /// Tokens computed for texts of these lengths, padding included.
    pub(crate) fn padded(self, lengths: &[usize]) -> usize {
        let batches = bucketed(lengths, self);
        batches.iter().map(|batch| batch.len() * lengths[batch[0]]).sum()
    }
}

/// Splits texts of these lengths (in tokens) into batches of positions, longest text first, each to be padded to its
/// own first text.
///
/// The batches are runs of the texts sorted by length, cut where the sum of all padded tokens and of
/// [`Budget::batch_cost`] for every batch is smallest. So a cut must save more padding than a batch costs: sparse
/// long texts do not end up alone, and dense short ones do not fill a batch just because they could.
pub(crate) fn bucketed(lengths: &[usize], budget: Budget) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&at| (std::cmp::Reverse(lengths[at]), at));
    let sorted: Vec<usize> = order.iter().map(|&at| lengths[at]).collect();
    cuts(&sorted, budget).windows(2).map(|pair| order[pair[0]..pair[1]].to_vec()).collect()
}

/// Where the batches of falling lengths begin, and after them the number of texts: a shortest path from 0, whose
/// edges are the batches that fit. Looks at every text once per text that could share a batch with it.
fn cuts(sorted: &[usize], budget: Budget) -> Vec<usize> {
    let mut cost = vec![usize::MAX; sorted.len() + 1];
    let mut previous = vec![0; sorted.len() + 1];
    cost[0] = 0;
    for (start, &longest) in sorted.iter().enumerate() {
        let fitting = (budget.tokens / longest.max(1)).max(1);
        for end in start + 1..=sorted.len().min(start + fitting) {
            let through = cost[start] + (end - start) * longest + budget.batch_cost;
            if through < cost[end] {
                (cost[end], previous[end]) = (through, start);
            }
        }
    }
    let mut path = vec![sorted.len()];
    while let Some(&end) = path.last().filter(|&&end| end > 0) {
        path.push(previous[end]);
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use guidepost_text::Random;

    /// Lengths as a corpus of guides has them: 20 to 256, 56 on average, few long ones.
    fn natural(count: usize, seed: u64) -> Vec<usize> {
        let mut random = Random(seed);
        let mut length = || {
            // A sum of twelve uniform numbers is close to normal; its exponential is skewed as lengths are.
            let normal = (0..12).map(|_| random.unit()).sum::<f64>() - 6.0;
            ((3.87 + 0.55 * normal).exp().round() as usize).clamp(20, 256)
        };
        (0..count).map(|_| length()).collect()
    }

    /// Padded tokens of every batch; asserts that each text is in one batch and none is over the budget.
    #[track_caller]
    fn padded(lengths: &[usize], budget: Budget) -> Vec<usize> {
        let batches = bucketed(lengths, budget);
        let mut seen: Vec<usize> = batches.concat();
        seen.sort_unstable();
        assert_eq!(seen, (0..lengths.len()).collect::<Vec<_>>());
        let padded = |batch: &Vec<usize>| {
            let longest = batch.iter().map(|&at| lengths[at]).max().unwrap_or(0);
            assert_eq!(longest, lengths[batch[0]], "the first text is the longest");
            assert!(batch.len() == 1 || batch.len() * longest <= budget.tokens, "{batch:?}");
            batch.len() * longest
        };
        batches.iter().map(padded).collect()
    }

    #[test]
    fn natural_lengths_waste_little() {
        for (count, seed, most_batches) in [(1_000, 1, 26), (1_000, 2, 26), (1_000, 3, 26), (20_000, 4, 140)]
        {
            let lengths = natural(count, seed);
            let tokens: usize = lengths.iter().sum();
            assert!((52..=60).contains(&(tokens / count)), "seed {seed}: mean {}", tokens / count);
            let padded = padded(&lengths, Budget::GPU);
            let waste = 1.0 - tokens as f64 / padded.iter().sum::<usize>() as f64;
            assert!(waste < 0.05, "seed {seed}: {:.1} % is padding", 100.0 * waste);
            assert!(padded.len() <= most_batches, "seed {seed}: {} batches", padded.len());
        }
    }

    #[test]
    fn batches_are_cut_where_it_pays() {
        #[track_caller]
        fn check(lengths: &[usize], (tokens, batch_cost): (usize, usize), expected: &[&[usize]]) {
            assert_eq!(bucketed(lengths, Budget { tokens, batch_cost }), expected);
        }
        check(&[], (100, 10), &[]);
        check(&[7], (100, 10), &[&[0]]);
        check(&[0, 0], (100, 10), &[&[0, 1]]);
        check(&[5, 9, 5, 9], (100, 10), &[&[1, 3, 0, 2]]);
        check(&[5, 9, 5, 9], (100, 7), &[&[1, 3], &[0, 2]]);
        // Equal lengths are cut by the budget alone; a text beyond it stands alone.
        check(&[10, 10, 10, 10, 10], (20, 1), &[&[0], &[1, 2], &[3, 4]]);
        check(&[300, 10, 10], (20, 1000), &[&[0], &[1, 2]]);
    }

    #[test]
    fn no_cut_is_better() {
        // Every way to cut ten texts, against the one that was chosen.
        for seed in 0..20 {
            let mut lengths: Vec<usize> = natural(10, seed);
            lengths.sort_unstable_by(|a, b| b.cmp(a));
            let budget = Budget { tokens: 400, batch_cost: 30 };
            let cost = |cuts: &[usize]| {
                let batch = |pair: &[usize]| {
                    let count = pair[1] - pair[0];
                    let fits = count == 1 || count * lengths[pair[0]] <= budget.tokens;
                    fits.then_some(count * lengths[pair[0]] + budget.batch_cost)
                };
                cuts.windows(2).map(batch).sum::<Option<usize>>()
            };
            let every = (0..1_u32 << 9).filter_map(|set| {
                let inner = (1..10).filter(|at| set & 1 << (at - 1) != 0);
                cost(&[0].into_iter().chain(inner).chain([10]).collect::<Vec<_>>())
            });
            assert_eq!(cost(&cuts(&lengths, budget)), every.min(), "seed {seed}");
        }
    }
}
