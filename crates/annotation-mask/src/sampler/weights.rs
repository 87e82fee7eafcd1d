//! Weights of cells, from which one is drawn and any can be lowered.

/// A Fenwick tree: drawing and lowering touch as many entries as the number of cells has bits.
#[derive(Debug)]
pub(super) struct Weights {
    // Invariant: entry `i` is the sum of the weights of cells `i & (i + 1)` to `i`.
    tree: Vec<u64>,
    // Invariant: the sum of all weights, which fits.
    total: u64,
}

impl Weights {
    /// The weights of the cells, whose sum fits into 64 bits.
    pub(super) fn new(weights: Vec<u64>) -> Self {
        let total = weights.iter().sum();
        let mut tree = weights;
        for index in 0..tree.len() {
            let above = index | (index + 1);
            if above < tree.len() {
                tree[above] += tree[index];
            }
        }
        Self { tree, total }
    }

    /// The sum of all weights.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Lowers the weight of a cell by at most all of it.
    pub(super) fn lower(&mut self, cell: usize, by: u64) {
        self.total -= by;
        let mut index = cell;
        while index < self.tree.len() {
            self.tree[index] -= by;
            index |= index + 1;
        }
    }

    /// The cell in which `rank` lies, counted over the weights of all cells in order, and how far inside.
    pub(super) fn find(&self, mut rank: u64) -> (usize, u64) {
        debug_assert!(rank < self.total, "a rank lies below the sum");
        // How many cells lie before.
        let mut before = 0;
        let mut step = self.tree.len().next_power_of_two();
        while step > 0 {
            let next = before + step;
            if next <= self.tree.len() && self.tree[next - 1] <= rank {
                rank -= self.tree[next - 1];
                before = next;
            }
            step /= 2;
        }
        (before, rank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rank_is_found_where_counting_finds_it() {
        for len in 1..40_usize {
            let mut weights: Vec<u64> = (0..len as u64).map(|i| (i * 7 + 3) % 5).collect();
            let mut tree = Weights::new(weights.clone());
            for round in 0..len {
                let expected: Vec<(usize, u64)> = weights
                    .iter()
                    .enumerate()
                    .flat_map(|(cell, &weight)| (0..weight).map(move |inside| (cell, inside)))
                    .collect();
                let found: Vec<(usize, u64)> = (0..tree.total()).map(|r| tree.find(r)).collect();
                assert_eq!(found, expected);
                let cell = round * 3 % len;
                let by = weights[cell].div_ceil(2);
                weights[cell] -= by;
                tree.lower(cell, by);
            }
        }
    }

    #[test]
    fn sums_use_all_64_bits() {
        let tree = Weights::new(vec![u64::MAX - 5, 0, 5]);
        assert_eq!(tree.find(u64::MAX - 1), (2, 4));
        assert_eq!(tree.find(u64::MAX - 6), (0, u64::MAX - 6));
    }
}
