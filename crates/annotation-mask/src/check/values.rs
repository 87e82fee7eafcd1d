//! How many voxels have each value.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;

use array_core::{AnyView, ArrayError, Block, for_each_row};
use ndarray::{ArrayView1, ArrayViewD};

use crate::label::{Label, LabelId, for_label_view};
use crate::planes::{len_of, not_labels};

/// So many different values are counted; a uint16 array has no more.
pub(super) const MAX_VALUES: usize = 1 << 16;

/// Values below this are counted in a table with one entry for each.
const TABLE_LEN: usize = 4096;

/// How many voxels of a region have each value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ValueCounts {
    counts: BTreeMap<LabelId, u64>,
    voxels: u64,
    /// Voxels whose values came when [`MAX_VALUES`] others had been seen.
    uncounted: u64,
    /// Voxels with values above 0 and below, whether counted one by one or not.
    positive: u64,
    negative: u64,
    /// The lowest and the highest value.
    range: Option<(LabelId, LabelId)>,
}

impl ValueCounts {
    /// The counts of one block; values in `always` are counted however many others there are.
    pub(super) fn of_block(
        block: &Block<'_>,
        shape: &[usize],
        always: &BTreeSet<LabelId>,
    ) -> Result<Self, ArrayError> {
        let counts = match block {
            // Whoever counts has looked at the type.
            Block::Constant(value) => {
                value.to_integer().map(|value| (value, len_of(shape) as u64)).into_iter().collect()
            }
            Block::Voxels(labels) => count_view(labels)?,
        };
        let of = |is: fn(LabelId) -> bool| -> u64 {
            counts.iter().filter(|(value, _)| is(*value)).map(|(_, count)| count).sum()
        };
        let values = || counts.iter().map(|(value, _)| *value);
        let counted = Self {
            voxels: len_of(shape) as u64,
            positive: of(|value| value > 0),
            negative: of(|value| value < 0),
            range: values().min().zip(values().max()),
            ..Self::default()
        };
        Ok(counted.with(counts, always))
    }

    /// The counts of two regions together.
    pub(super) fn merged(mut self, other: Self, always: &BTreeSet<LabelId>) -> Self {
        self.voxels += other.voxels;
        self.uncounted += other.uncounted;
        self.positive += other.positive;
        self.negative += other.negative;
        self.range = match (self.range, other.range) {
            (Some(one), Some(two)) => Some((one.0.min(two.0), one.1.max(two.1))),
            (one, two) => one.or(two),
        };
        self.with(other.counts, always)
    }

    fn with(
        mut self,
        counts: impl IntoIterator<Item = (LabelId, u64)>,
        always: &BTreeSet<LabelId>,
    ) -> Self {
        for (value, count) in counts {
            let has_room = self.counts.len() < MAX_VALUES || always.contains(&value);
            if let Some(known) = self.counts.get_mut(&value) {
                *known += count;
            } else if has_room {
                self.counts.insert(value, count);
            } else {
                self.uncounted += count;
            }
        }
        self
    }

    /// How many voxels have a value. Exact for those that are always counted; for others a lower
    /// bound unless [`ValueCounts::is_complete`].
    pub(super) fn of(&self, value: LabelId) -> u64 {
        self.counts.get(&value).copied().unwrap_or(0)
    }

    /// The values that occur, with their voxels, in ascending order.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (LabelId, u64)> {
        self.counts.iter().map(|(&value, &count)| (value, count))
    }

    /// All voxels.
    pub(super) fn voxels(&self) -> u64 {
        self.voxels
    }

    /// The voxels with values above 0.
    pub(super) fn positive(&self) -> u64 {
        self.positive
    }

    /// The voxels with values below 0.
    pub(super) fn negative(&self) -> u64 {
        self.negative
    }

    /// The lowest and the highest value; none of no voxels.
    pub(super) fn range(&self) -> Option<(LabelId, LabelId)> {
        self.range
    }

    /// Whether every value was counted.
    pub(super) fn is_complete(&self) -> bool {
        self.uncounted == 0
    }

    /// The voxels of values that were not counted.
    pub(super) fn uncounted(&self) -> u64 {
        self.uncounted
    }

    /// The only value that occurs, if there is only one.
    pub(super) fn single(&self) -> Option<LabelId> {
        self.range.filter(|(low, high)| low == high).map(|(low, _)| low)
    }
}

fn count_view(labels: &AnyView<'_>) -> Result<Vec<(LabelId, u64)>, ArrayError> {
    for_label_view!(labels, |labels| Ok(count(labels.view())), Err(not_labels(labels)))
}

fn count<T: Label + Hash>(labels: ArrayViewD<'_, T>) -> Vec<(LabelId, u64)> {
    let mut counter = Counter { table: vec![0; TABLE_LEN], others: HashMap::new() };
    for_each_row(labels, &mut |row| counter.count_row(row));
    let Counter { table, others } = counter;
    let small = (0..).zip(table).filter(|(_, count)| *count > 0);
    small.chain(others.into_iter().map(|(label, count)| (label.into(), count))).collect()
}

struct Counter<T> {
    table: Vec<u64>,
    others: HashMap<T, u64>,
}

impl<T: Label + Hash> Counter<T> {
    /// Labels come in runs, and only the end of a run costs a look-up.
    fn count_row(&mut self, row: ArrayView1<'_, T>) {
        let Some(&first) = row.first() else { return };
        let mut run = (first, 0);
        for &label in &row {
            if label != run.0 {
                self.add(run);
                run = (label, 0);
            }
            run.1 += 1;
        }
        self.add(run);
    }

    fn add(&mut self, (label, count): (T, u64)) {
        match label.to_index().and_then(|index| self.table.get_mut(index)) {
            Some(known) => *known += count,
            None => *self.others.entry(label).or_insert(0) += count,
        }
    }
}
