//! Many regions at once are the same as each alone.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use array_core::{AnyArray, Array, ArrayError, ArrayExt, ArrayInfo, DType, MemoryArray};
use geometry::{Coordinate, Roi, VoxelGrid, VoxelSize, Window};
use ndarray::ArrayD;
use proptest::prelude::*;

fn array(channels: Option<usize>) -> MemoryArray {
    let axes = if channels.is_some() { &["c", "z", "y"][..] } else { &["z", "y"] };
    let shape: Vec<usize> = channels.into_iter().chain([9, 11]).collect();
    let grid = VoxelGrid::new(
        Coordinate::from([4, -3]),
        VoxelSize::new(Coordinate::from([2, 3])).unwrap(),
    );
    let info = ArrayInfo::new(DType::U16, axes, &shape, grid.unwrap()).unwrap();
    let len = u16::try_from(shape.iter().product::<usize>()).unwrap();
    let voxels = ArrayD::from_shape_vec(shape, (1..=len).collect()).unwrap();
    MemoryArray::new(info.with_block_shape(&[4, 3]).unwrap(), voxels).unwrap()
}

fn roi(array: &MemoryArray, start: [usize; 2], shape: [usize; 2]) -> Roi {
    array.info().grid().roi(&Window::new(&start, &shape).unwrap()).unwrap()
}

proptest! {
    #[test]
    fn many_are_the_same_as_each_alone(
        places in prop::collection::vec((0..9_usize, 0..11_usize, 0..5_usize, 1..5_usize), 0..9),
        batch in (0..4_usize, 1..4_usize),
        channels in prop::option::of(0..3_usize),
    ) {
        let array = array(channels);
        let any: Vec<Roi> = places.iter().map(|&(z, y, height, width)| {
            roi(&array, [z, y], [height.min(9 - z), width.min(11 - y)])
        }).collect();
        let alone: Vec<AnyArray> = any.iter().map(|roi| array.read(roi).unwrap()).collect();
        prop_assert_eq!(array.read_many(&any).unwrap(), alone);

        let (height, width) = batch;
        let same: Vec<Roi> = places.iter().map(|&(z, y, ..)| {
            roi(&array, [z.min(9 - height), y.min(11 - width)], [height, width])
        }).collect();
        let found = array.read_batch(&same).unwrap();
        let mut dirty = AnyArray::from(ArrayD::from_elem(found.shape(), 9_u16));
        array.read_batch_to(&same, dirty.view_mut()).unwrap();
        prop_assert_eq!(&dirty, &found);
        prop_assert_eq!(found.shape()[0], same.len());
        for (index, roi) in same.iter().enumerate() {
            let part = found.view().typed::<u16>().unwrap();
            let alone = array.read_as::<u16>(roi).unwrap();
            prop_assert_eq!(part.index_axis(ndarray::Axis(0), index), alone.view());
        }
    }
}

#[test]
fn what_does_not_fit_is_named_before_anything_is_read() {
    let array = array(Some(2));
    let good = roi(&array, [1, 1], [2, 2]);
    let outside = Roi::new([4, -3], [20, 9]).unwrap();
    let error = array.read_many(&[good, outside]).unwrap_err();
    assert!(error.to_string().contains("region 2 of 2"), "{error}");
    let error = array.read_batch(&[good, good, roi(&array, [0, 0], [2, 3])]).unwrap_err();
    assert!(error.to_string().contains("region 3 of 3"), "{error}");
    let mut small = AnyArray::zeros(DType::U16, &[1, 2, 2, 2]).unwrap();
    let error = array.read_batch_to(&[good, good], small.view_mut()).unwrap_err();
    assert!(matches!(error, ArrayError::ShapeMismatch { .. }), "{error}");
    let mut bytes = AnyArray::zeros(DType::U8, &[1, 2, 2, 2]).unwrap();
    let error = array.read_batch_to(&[good], bytes.view_mut()).unwrap_err();
    assert!(matches!(error, ArrayError::DTypeMismatch { .. }), "{error}");
}
