//! Texts put together for a forward pass: packed one after the other, without padding.

/// Tokens of a group, unless one text alone has more: enough that weights read once serve many rows, few enough that a
/// group's activations stay in a second-level cache.
pub(crate) const GROUP_TOKENS: usize = 192;

/// Positions of texts by group: longest first, each into the first group with room, so that all but the last groups
/// are full. Every text is in one group; texts without tokens are in none.
pub(crate) fn groups(lengths: &[usize], tokens: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).filter(|&at| lengths[at] > 0).collect();
    order.sort_by_key(|&at| (std::cmp::Reverse(lengths[at]), at));
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut room: Vec<usize> = Vec::new();
    for at in order {
        let fitting = room.iter().position(|&room| lengths[at] <= room).unwrap_or(groups.len());
        if fitting == groups.len() {
            groups.push(Vec::new());
            room.push(tokens.max(lengths[at]));
        }
        groups[fitting].push(at);
        room[fitting] -= lengths[at];
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_hold_every_text_once_within_the_budget() {
        let lengths: Vec<usize> = (0..200).map(|at| (at * 37) % 131).collect();
        let groups = groups(&lengths, 192);
        let mut seen: Vec<usize> = groups.iter().flatten().copied().collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..200).filter(|&at| lengths[at] > 0).collect::<Vec<_>>());
        let sizes = groups.iter().map(|group| group.iter().map(|&at| lengths[at]).sum::<usize>());
        assert!(sizes.clone().all(|size| size <= 192));
        assert!(sizes.filter(|&size| size < 150).count() <= 1, "groups are filled");
        assert_eq!(super::groups(&[500, 0, 3], 192), [vec![0], vec![2]]);
    }
}
