//! Values to test with.

use geometry::{Coordinate, PartialCoordinate, Roi};
use proptest::{collection::vec, prelude::*, test_runner::FileFailurePersistence};

/// Keeps failed cases beside the tests.
pub(crate) fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    }
}

/// A number near the ends of the range, near zero, or anywhere.
pub(crate) fn extreme() -> impl Strategy<Value = i64> {
    prop_oneof![
        (0_i64..4).prop_map(|distance| i64::MIN + distance),
        (0_i64..4).prop_map(|distance| i64::MAX - distance),
        -4_i64..=4,
        any::<i64>(),
    ]
}

/// The bounds of each axis as (begin, length), or none where there are no bounds.
#[derive(Clone, Debug)]
pub(crate) struct Parts(pub(crate) Vec<Option<(i64, i64)>>);

impl Parts {
    pub(crate) fn roi(&self) -> Roi {
        self.try_roi().unwrap()
    }

    pub(crate) fn try_roi(&self) -> Result<Roi, geometry::GeometryError> {
        let part = |f: fn((i64, i64)) -> i64| {
            PartialCoordinate::new(&self.0.iter().map(|axis| axis.map(f)).collect::<Vec<_>>())
                .unwrap()
        };
        Roi::from_parts(part(|(begin, _)| begin), part(|(_, length)| length))
    }

    pub(crate) fn holds(&self, point: &[i64]) -> bool {
        self.0.iter().zip(point).all(|(axis, entry)| {
            axis.is_none_or(|(begin, length)| *entry >= begin && *entry < begin + length)
        })
    }
}

/// The points of a box that is larger than any region of [`small_parts`].
pub(crate) fn points(dims: usize) -> Vec<Vec<i64>> {
    (0..dims).fold(vec![Vec::new()], |points, _| {
        points
            .iter()
            .flat_map(|point| (-7..=10).map(|entry| [point.as_slice(), &[entry]].concat()))
            .collect()
    })
}

/// Regions of 1 or 2 dims that often touch, overlap, are empty or unbounded.
pub(crate) fn small_parts(dims: usize) -> impl Strategy<Value = Parts> {
    vec(prop::option::weighted(0.9, (-4_i64..=4, 0_i64..=5)), dims).prop_map(Parts)
}

pub(crate) fn bounded_parts(dims: usize) -> impl Strategy<Value = Parts> {
    vec((-4_i64..=4, 0_i64..=5).prop_map(Some), dims).prop_map(Parts)
}

pub(crate) fn two_small_parts() -> impl Strategy<Value = (Parts, Parts)> {
    (1_usize..=2).prop_flat_map(|dims| (small_parts(dims), small_parts(dims)))
}

pub(crate) fn coordinate(
    dims: usize,
    entry: impl Strategy<Value = i64>,
) -> impl Strategy<Value = Coordinate> {
    vec(entry, dims).prop_map(|entries| Coordinate::new(&entries).unwrap())
}

pub(crate) fn two_extreme_coordinates() -> impl Strategy<Value = (Coordinate, Coordinate)> {
    (1_usize..=6).prop_flat_map(|dims| (coordinate(dims, extreme()), coordinate(dims, extreme())))
}
