//! A bounded half-open range of world units along one axis.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "128 bits hold the sums and products of 64-bit bounds"
)]

use crate::{GeometryError, integer};

/// The integers from `begin` up to, but not including, `end`.
// Invariant: begin <= end, and end - begin fits into an i64.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Interval {
    begin: i64,
    end: i64,
}

impl Interval {
    /// Takes bounds in order; an error if they or their distance do not fit into 64 bits.
    pub(crate) fn new(begin: i128, end: i128) -> Result<Self, GeometryError> {
        debug_assert!(begin <= end, "the caller orders the bounds");
        let narrow =
            |value, what| integer::narrow(value, || format!("the {what} {value} of {begin}:{end}"));
        narrow(end - begin, "size")?;
        Ok(Self { begin: narrow(begin, "begin")?, end: narrow(end, "end")? })
    }

    pub(crate) fn begin(self) -> i64 {
        self.begin
    }

    pub(crate) fn end(self) -> i64 {
        self.end
    }

    pub(crate) fn len(self) -> i64 {
        self.end - self.begin
    }

    pub(crate) fn center(self) -> i64 {
        self.begin + self.len() / 2
    }

    pub(crate) fn is_empty(self) -> bool {
        self.begin == self.end
    }

    pub(crate) fn contains(self, point: i64) -> bool {
        (self.begin..self.end).contains(&point)
    }

    pub(crate) fn contains_interval(self, other: Self) -> bool {
        self.begin <= other.begin && other.end <= self.end
    }

    /// Returns the common part; it is empty and begins at the later begin if there is none.
    pub(crate) fn intersect(self, other: Self) -> Self {
        let begin = self.begin.max(other.begin);
        Self { begin, end: self.end.min(other.end).max(begin) }
    }

    /// Returns the smallest interval that contains both.
    pub(crate) fn hull(self, other: Self) -> Result<Self, GeometryError> {
        Self::new(self.begin.min(other.begin).into(), self.end.max(other.end).into())
    }

    /// Moves both bounds to multiples of `size` away from `corner`. A region that shrinks to less
    /// than nothing is empty.
    pub(crate) fn snap(self, corner: i64, size: i64, mode: Snap) -> Result<Self, GeometryError> {
        let (corner, size) = (i128::from(corner), i128::from(size));
        let down = |bound: i64| integer::floor(i128::from(bound) - corner, size);
        let up = |bound: i64| integer::ceil(i128::from(bound) - corner, size);
        let nearest = |bound: i64| integer::ceil(2 * (i128::from(bound) - corner) - size, 2 * size);
        let (begin, end) = match mode {
            Snap::Grow => (down(self.begin), up(self.end)),
            Snap::Shrink => (up(self.begin), down(self.end)),
            Snap::Closest => (nearest(self.begin), nearest(self.end)),
        };
        Self::new(corner + begin * size, corner + end.max(begin) * size)
    }
}

/// Which way [`Roi::snap_to_grid`](crate::Roi::snap_to_grid) moves the bounds of a region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Snap {
    /// Outwards: the begin down, the end up.
    #[default]
    Grow,
    /// Inwards: the begin up, the end down. Without a whole voxel inside, the result is empty.
    Shrink,
    /// Each bound to the nearest voxel border; halfway, down.
    Closest,
}
