//! Reads, paddings and crops against a slow, obvious model: one voxel at a time.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::sync::Arc;

use array_core::{ArrayExt, ArrayInfo, DType, MemoryArray, Scalar};
use geometry::{Coordinate, Roi, VoxelGrid, VoxelSize};
use ndarray::{ArrayD, IxDyn};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

const FILL: u32 = 999_999;

#[derive(Clone, Debug)]
struct Case {
    shape: Vec<usize>,
    block_shape: Vec<usize>,
    offset: Vec<i64>,
    voxel_size: Vec<i64>,
    /// A region in voxels that may reach beyond the array, as start and length.
    region: Vec<(i64, i64)>,
    /// A part of the array in voxels.
    crop: Vec<(i64, i64)>,
}

fn case() -> impl Strategy<Value = Case> {
    let axis = (1..9_usize, 1..5_usize, -100..100_i64, 1..9_i64, -3..9_i64, 0..9_i64, 0..9_i64)
        .prop_flat_map(|(extent, block, offset, voxel, start, length, seed)| {
            let last = i64::try_from(extent).unwrap() - 1;
            let begin = seed % (last + 1);
            (
                Just((extent, block, offset, voxel, start, length)),
                begin..=begin,
                1..=last - begin + 1,
            )
        });
    prop::collection::vec(axis, 1..4).prop_map(|axes| Case {
        shape: axes.iter().map(|a| a.0.0).collect(),
        block_shape: axes.iter().map(|a| a.0.1).collect(),
        offset: axes.iter().map(|a| a.0.2).collect(),
        voxel_size: axes.iter().map(|a| a.0.3).collect(),
        region: axes.iter().map(|a| (a.0.4, a.0.5)).collect(),
        crop: axes.iter().map(|a| (a.1, a.2)).collect(),
    })
}

impl Case {
    fn array(&self) -> MemoryArray {
        let voxel_size = VoxelSize::new(Coordinate::new(&self.voxel_size).unwrap()).unwrap();
        let grid = VoxelGrid::new(Coordinate::new(&self.offset).unwrap(), voxel_size).unwrap();
        let axes = &["z", "y", "x"][3 - self.shape.len()..];
        let info = ArrayInfo::new(DType::U32, axes, &self.shape, grid).unwrap();
        let len = self.shape.iter().product();
        let voxels =
            ArrayD::from_shape_vec(IxDyn(&self.shape), (1..).take(len).collect::<Vec<u32>>());
        let info = info.with_block_shape(&self.block_shape).unwrap();
        MemoryArray::new(info, voxels.unwrap()).unwrap()
    }

    fn roi(&self, part: &[(i64, i64)]) -> Roi {
        let axes = || self.offset.iter().zip(&self.voxel_size).zip(part);
        let offset: Vec<i64> = axes().map(|((o, v), (start, _))| o + v * start).collect();
        let shape: Vec<i64> = axes().map(|((_, v), (_, length))| v * length).collect();
        Roi::new(Coordinate::new(&offset).unwrap(), Coordinate::new(&shape).unwrap()).unwrap()
    }

    /// The value of the voxel at an index, or the fill outside of `bounds`.
    fn value(&self, index: &[i64], bounds: &[(i64, i64)]) -> u32 {
        let inside = index
            .iter()
            .zip(bounds)
            .all(|(i, (start, length))| (*start..start + length).contains(i));
        if !inside {
            return FILL;
        }
        let position = index
            .iter()
            .zip(&self.shape)
            .fold(0, |position, (&i, &extent)| position * i64::try_from(extent).unwrap() + i);
        u32::try_from(position + 1).unwrap()
    }

    fn model(&self, part: &[(i64, i64)], bounds: &[(i64, i64)]) -> ArrayD<u32> {
        let shape: Vec<usize> = part.iter().map(|(_, n)| usize::try_from(*n).unwrap()).collect();
        ArrayD::from_shape_fn(IxDyn(&shape), |index| {
            let index: Vec<i64> = (0..part.len())
                .map(|axis| part[axis].0 + i64::try_from(index[axis]).unwrap())
                .collect();
            self.value(&index, bounds)
        })
    }

    fn whole(&self) -> Vec<(i64, i64)> {
        self.shape.iter().map(|&extent| (0, i64::try_from(extent).unwrap())).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_padded_read_has_the_voxels_inside_and_the_fill_outside(case in case()) {
        let found = case.array().read_padded(&case.roi(&case.region), Scalar::U32(FILL)).unwrap();
        prop_assert_eq!(found.into_typed::<u32>().unwrap(), case.model(&case.region, &case.whole()));
    }

    #[test]
    fn a_read_succeeds_where_the_region_is_empty_or_inside(case in case()) {
        let inside = case.region.iter().zip(&case.shape).all(|((start, length), &extent)| {
            *start >= 0 && start + length <= i64::try_from(extent).unwrap()
        });
        let empty = case.region.iter().any(|(_, length)| *length == 0);
        match case.array().read_as::<u32>(&case.roi(&case.region)) {
            Ok(found) => {
                prop_assert!(inside || empty);
                prop_assert_eq!(found, case.model(&case.region, &case.whole()));
            }
            Err(error) => prop_assert!(!inside && !empty, "{}", error),
        }
    }

    #[test]
    fn a_crop_is_the_array_with_less_around_it(case in case()) {
        let crop = Arc::new(case.array()).crop(&case.roi(&case.crop)).unwrap();
        prop_assert_eq!(crop.roi(), &case.roi(&case.crop));
        let found = crop.read_padded(&case.roi(&case.region), Scalar::U32(FILL)).unwrap();
        prop_assert_eq!(found.into_typed::<u32>().unwrap(), case.model(&case.region, &case.crop));
    }
}
