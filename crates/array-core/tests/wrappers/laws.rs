//! The wrappers that do arithmetic against a slow, obvious model: one voxel at a time.

use std::collections::BTreeMap;

use array_core::{
    ArrayExt, ArrayInfo, ConcatArray, DType, Downsampling, LogicalOrArray, MemoryArray,
    ResampledArray, SumArray,
};
use ndarray::{ArrayD, IxDyn};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

use crate::sources::grid;

/// Small values that often agree, in three axes, of which the first may be channels.
#[derive(Clone, Debug)]
struct Case {
    has_channels: bool,
    shape: Vec<usize>,
    block_shape: Vec<usize>,
    voxels: Vec<Vec<u8>>,
}

fn case() -> impl Strategy<Value = Case> {
    let axes = prop::collection::vec((1..9_usize, 1..5_usize), 3);
    (any::<bool>(), axes).prop_flat_map(|(has_channels, axes)| {
        let (shape, block_shape): (Vec<_>, Vec<_>) = axes.into_iter().unzip();
        let len = shape.iter().product::<usize>();
        let value = prop_oneof![3 => 0..4_u8, 1 => any::<u8>()];
        let voxels = prop::collection::vec(prop::collection::vec(value, len), 1..4);
        let shape = Just(shape);
        (Just(has_channels), shape, Just(block_shape), voxels).prop_map(
            |(has_channels, shape, block_shape, voxels)| Case {
                has_channels,
                shape,
                block_shape,
                voxels,
            },
        )
    })
}

impl Case {
    /// One array for each list of voxels.
    fn arrays(&self) -> Vec<MemoryArray> {
        let dims = if self.has_channels { 2 } else { 3 };
        let axes = if self.has_channels { ["c", "y", "x"] } else { ["z", "y", "x"] };
        let grid = grid(&[-60, 7, 0][3 - dims..], &[60, 120, 60][3 - dims..]);
        let info = ArrayInfo::new(DType::U8, &axes, &self.shape, grid).unwrap();
        let info = info.with_block_shape(&self.block_shape[3 - dims..]).unwrap();
        self.model().into_iter().map(|v| MemoryArray::new(info.clone(), v).unwrap()).collect()
    }

    fn model(&self) -> Vec<ArrayD<u8>> {
        let array = |v: &Vec<u8>| ArrayD::from_shape_vec(IxDyn(&self.shape), v.clone()).unwrap();
        self.voxels.iter().map(array).collect()
    }
}

/// The factors of three axes: up and down.
fn factors() -> impl Strategy<Value = Vec<(usize, usize)>> {
    let up = prop::sample::select(vec![1_usize, 2, 3, 4, 5]);
    let down = 1..6_usize;
    let factor = prop_oneof![up.prop_map(|up| (up, 1)), down.prop_map(|down| (1, down))];
    prop::collection::vec(factor, 3)
}

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_sum_is_the_sum_of_each_voxel_or_an_error(case in case()) {
        let sum = SumArray::new(case.arrays()).unwrap();
        let expected = ArrayD::from_shape_fn(IxDyn(&case.shape), |index| {
            case.model().iter().map(|voxels| u32::from(voxels[&index])).sum::<u32>()
        });
        match sum.read_as::<u8>(sum.roi()) {
            Ok(found) => prop_assert_eq!(found.mapv(u32::from), expected),
            Err(error) => prop_assert!(expected.iter().any(|&sum| sum > 255), "{}", error),
        }
    }

    #[test]
    fn a_logical_or_is_set_where_a_channel_is(case in case()) {
        let sources = case.arrays();
        let any = LogicalOrArray::new(&sources[0]).unwrap();
        let voxels = &case.model()[0];
        let expected = if case.has_channels {
            let shape = IxDyn(&case.shape[1..]);
            ArrayD::from_shape_fn(shape, |index| {
                u8::from((0..case.shape[0]).any(|c| voxels[[c, index[0], index[1]]] != 0))
            })
        } else {
            voxels.mapv(|value| u8::from(value != 0))
        };
        prop_assert_eq!(any.read_as::<u8>(any.roi()).unwrap(), expected);
    }

    #[test]
    fn concatenated_channels_are_those_of_the_sources(case in case()) {
        let concat = ConcatArray::new(case.arrays()).unwrap();
        let found = concat.read_as::<u8>(concat.roi()).unwrap();
        let mut channels = found.axis_iter(ndarray::Axis(0));
        for voxels in case.model() {
            if case.has_channels {
                for channel in voxels.axis_iter(ndarray::Axis(0)) {
                    prop_assert_eq!(channels.next().unwrap(), channel);
                }
            } else {
                prop_assert_eq!(channels.next().unwrap(), voxels.view());
            }
        }
        prop_assert!(channels.next().is_none());
    }

    #[test]
    fn a_resampled_voxel_comes_from_the_voxels_at_its_place(
        case in case(),
        factors in factors(),
        method in prop::sample::select(Downsampling::ALL.to_vec()),
    ) {
        let sources = case.arrays();
        let source = &sources[0];
        let skip = usize::from(case.has_channels);
        let mut factors = factors;
        for (axis, factor) in factors.iter_mut().enumerate() {
            // No factor for channels, and none that leaves nothing.
            *factor = if axis < skip { (1, 1) } else { (factor.0, factor.1.min(case.shape[axis])) };
        }
        let (up, down): (Vec<_>, Vec<_>) = factors[skip..].iter().copied().unzip();
        let array = ResampledArray::new(source, &up, &down, method).unwrap();
        let shape: Vec<usize> =
            case.shape.iter().zip(&factors).map(|(n, (up, down))| n * up / down).collect();
        let model = &case.model()[0];
        let expected = ArrayD::from_shape_fn(IxDyn(&shape), |index| {
            let index = [index[0], index[1], index[2]];
            resampled(model, &index, &factors, method)
        });
        prop_assert_eq!(array.read_as::<u8>(array.roi()).unwrap(), expected);
        prop_assert_eq!(array.roi().offset().unwrap(), source.roi().offset().unwrap());
        if !factors.iter().zip(&case.shape).any(|(factor, n)| n % factor.1 != 0) {
            prop_assert_eq!(array.roi(), source.roi());
        }
    }
}

/// One voxel of a resampled volume, from all voxels of the source whose place it covers.
fn resampled(
    model: &ArrayD<u8>,
    index: &[usize],
    factors: &[(usize, usize)],
    method: Downsampling,
) -> u8 {
    let covers = |axis: usize, source: usize| {
        let (up, down) = factors[axis];
        source == index[axis] / up && up > 1 || up == 1 && source / down == index[axis]
    };
    let nearest: Vec<usize> = (0..3)
        .map(|axis| match factors[axis] {
            (1, down) => index[axis] * down + down / 2,
            (up, _) => index[axis] / up,
        })
        .collect();
    let values: Vec<u8> = model
        .indexed_iter()
        .filter(|(source, _)| (0..3).all(|axis| covers(axis, source[axis])))
        .map(|(_, &value)| value)
        .collect();
    match method {
        Downsampling::Nearest => model[[nearest[0], nearest[1], nearest[2]]],
        Downsampling::Mode => {
            let mut counts = BTreeMap::new();
            for value in &values {
                *counts.entry(*value).or_insert(0) += 1;
            }
            let most = *counts.values().max().unwrap();
            *counts.iter().find(|(_, count)| **count == most).unwrap().0
        }
        Downsampling::Mean => {
            let sum: f64 = values.iter().map(|&value| f64::from(value)).sum();
            let mean = sum / f64::from(u32::try_from(values.len()).unwrap());
            // The nearest integer, halves up, found by looking at all of them.
            let nearest = (0..=255_u8).min_by(|a, b| {
                let far = |value: u8| (f64::from(value) - mean).abs();
                far(*a).total_cmp(&far(*b)).then(b.cmp(a))
            });
            nearest.unwrap()
        }
    }
}
