//! Which segments an update writes anew: so few that its cost follows the change, and so many that there are never many.

/// Rows that an update writes anew without asking: it costs less than having one segment more.
const ALWAYS: usize = 2048;
/// Segments beside the new one; each costs every search a little.
const MOST: usize = 8;
/// Share of a segment that may be deleted before it is written anew: deleted rows take space and time.
const MOST_DELETED: f64 = 0.3;

/// How large a segment is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SegmentSize {
    /// With deleted rows.
    pub(crate) rows: usize,
    /// Rows that the new generation still wants.
    pub(crate) live: usize,
}

/// The segments to write anew beside so many fresh rows, by their numbers. The smallest come first, as long as each is no larger
/// than all before it together: a row is then written anew some log2 of the index's size times in all. Segments without live rows
/// are left out, they go by themselves; so do those of which no two fit into the `most` rows that a segment may have, unless they
/// are worn.
pub(crate) fn absorbed(sizes: &[SegmentSize], fresh: usize, most: usize) -> Vec<usize> {
    let is_worn = |size: &SegmentSize| (size.live as f64) < size.rows as f64 * (1.0 - MOST_DELETED);
    let may_grow = |size: &SegmentSize| size.live <= most / 2 || is_worn(size);
    let mut by_size: Vec<usize> =
        (0..sizes.len()).filter(|&at| sizes[at].live > 0 && may_grow(&sizes[at])).collect();
    by_size.sort_by_key(|&at| (sizes[at].live, at));
    let mut chosen = Vec::new();
    let mut written = fresh;
    for (position, &at) in by_size.iter().enumerate() {
        let left = by_size.len() - position;
        if sizes[at].live <= written.max(ALWAYS - ALWAYS.min(written)) || left > MOST {
            chosen.push(at);
            written += sizes[at].live;
        } else if is_worn(&sizes[at]) {
            chosen.push(at);
        }
    }
    // One small segment alone is as good as another.
    let wears = chosen.iter().any(|&at| is_worn(&sizes[at]));
    if fresh == 0 && chosen.len() < 2 && !wears { Vec::new() } else { chosen }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sizes: &[(usize, usize)], fresh: usize, expected: &[usize]) {
        let sizes: Vec<SegmentSize> = sizes.iter().map(|&(rows, live)| SegmentSize { rows, live }).collect();
        assert_eq!(absorbed(&sizes, fresh, usize::MAX), expected, "{sizes:?} {fresh}");
    }

    #[test]
    fn the_cost_of_an_update_follows_the_change() {
        check(&[], 5, &[]);
        // Small indexes stay in one piece.
        check(&[(1000, 990)], 10, &[0]);
        // Large segments stay where they are.
        check(&[(100_000, 99_990)], 10, &[]);
        check(&[(100_000, 99_990), (30, 30)], 10, &[1]);
        check(&[(100_000, 99_990), (30_000, 30_000), (20_000, 20_000)], 10, &[]);
        // What was written together is as large as what it is written with.
        check(&[(100_000, 100_000), (30_000, 30_000)], 40_000, &[1]);
        check(&[(100_000, 100_000), (30_000, 30_000)], 80_000, &[1, 0]);
        // Deletions alone.
        check(&[(100_000, 90_000)], 0, &[]);
        check(&[(100_000, 60_000)], 0, &[0]);
        check(&[(100_000, 0), (50_000, 50_000)], 0, &[]);
        check(&[(1000, 1000)], 0, &[]);
    }

    #[test]
    fn segments_that_are_as_large_as_they_may_be_stay() {
        let full = SegmentSize { rows: 5_000, live: 4_000 };
        let small = SegmentSize { rows: 100, live: 100 };
        let mut sizes = vec![full; 20];
        assert_eq!(absorbed(&sizes, 10, 6_000), Vec::<usize>::new());
        sizes.extend([small, SegmentSize { rows: 5_000, live: 2_000 }]);
        assert_eq!(absorbed(&sizes, 10, 6_000), [20, 21]);
    }

    #[test]
    fn there_are_never_many_segments_and_rows_are_seldom_written_again() {
        let mut sizes: Vec<SegmentSize> = Vec::new();
        let mut written = 0;
        let mut all = 0;
        for update in 0..2000 {
            let fresh = 1 + update * 7919 % 900;
            let chosen = absorbed(&sizes, fresh, usize::MAX);
            let rows = fresh + chosen.iter().map(|&at| sizes[at].live).sum::<usize>();
            let mut at = 0;
            sizes.retain(|_| {
                at += 1;
                !chosen.contains(&(at - 1))
            });
            sizes.push(SegmentSize { rows, live: rows });
            (written, all) = (written + rows, all + fresh);
            assert!(sizes.len() <= MOST + 1, "{sizes:?}");
        }
        assert_eq!(sizes.iter().map(|size| size.live).sum::<usize>(), all);
        assert!(written < 20 * all, "{written} rows written for {all}");
    }
}
