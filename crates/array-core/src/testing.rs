//! What every array must do, as a check for tests.

use geometry::{Coordinate, Roi, Window};
use ndarray::ArrayD;

use crate::any_array::AnyArray;
use crate::array::{Array, ArrayExt};
use crate::blocks::{Block, Output};
use crate::error::ArrayError;
use crate::info::ArrayInfo;
use crate::scalar::Scalar;

/// Checks that `array` keeps the contract of [`Array`]: every source, wrapper and stack of wrappers
/// must pass.
///
/// Shape, dtype and region agree; parts read alone equal the same parts of the whole, for windows
/// that follow blocks and ones that do not; visiting equals reading; empty regions have no voxels;
/// regions outside, unaligned, unbounded or of other dims are refused by name; padding surrounds the
/// voxels; a virtual array refuses `data` and writing; what is written is read back, and nothing else
/// changes (the array is as it was in the end).
///
/// # Panics
///
/// If the array breaks the contract, with what differs.
pub fn check_contract(array: &dyn Array) {
    let info = array.info();
    assert_eq!(info.axes().len(), info.shape().len(), "one axis name for each axis");
    assert_eq!(info.dims(), array.voxel_size().dims(), "the voxel size has the array's dims");
    assert_eq!(info.block_shape().len(), info.dims(), "blocks have the array's dims");
    let from_shape = info.grid().array_roi(info.spatial_shape()).expect("the region is valid");
    assert_eq!(array.roi(), &from_shape, "the region is the shape in world units");

    // Errors say what an array is, as in "a cached array has no data".
    assert!(array.kind().contains(' '), "{:?} says in words what the array is", array.kind());

    let whole = array.read(array.roi()).expect("the whole array can be read");
    assert_eq!(whole.dtype(), info.dtype(), "a read has the declared dtype");
    assert_eq!(whole.shape(), info.shape(), "a read of everything has the declared shape");
    for window in windows(info) {
        check_window(array, &whole, &window);
    }
    check_refusals(array);
    check_padding(array, &whole);
    match array.data() {
        Ok(data) => {
            assert!(!array.is_virtual(), "a virtual array has no data");
            assert_same(&data, &whole, "the data");
        }
        Err(ArrayError::Virtual { .. }) => {
            assert!(array.is_virtual() && !array.writable(), "only a virtual array has no data");
        }
        Err(error) => panic!("data failed: {error}"),
    }
    if array.writable() {
        check_writing(array, &whole);
    } else {
        let error = array.write(array.roi(), &whole.view()).expect_err("writing is refused");
        assert!(matches!(error, ArrayError::NotWritable { .. }), "{error}");
    }
}

/// Writes zeros to parts, and the old voxels back.
fn check_writing(array: &dyn Array, whole: &AnyArray) {
    let channel_dims = array.info().channel_dims();
    for window in windows(array.info()).iter().filter(|window| !window.is_empty()) {
        let roi = array.info().grid().roi(window).expect("a window of the array has a region");
        let shape = [array.info().channel_shape(), window.shape()].concat();
        let zeros = AnyArray::zeros(array.dtype(), &shape).expect("small");
        let mut expected = whole.clone();
        let mut place = expected.view_mut();
        for (axis, (&start, &len)) in window.start().iter().zip(window.shape()).enumerate() {
            place = place.slice_axis(channel_dims.saturating_add(axis), start, len);
        }
        place.assign(&zeros.view()).expect("zeros of the same shape");
        array.write(&roi, &zeros.view()).expect("a part can be written");
        assert_same(&array.read(array.roi()).expect("readable"), &expected, "after writing");
        let old = part_of(whole, channel_dims, window);
        array.write(&roi, &old.view()).expect("a part can be written back");
        assert_same(&array.read(array.roi()).expect("readable"), whole, "after writing back");
    }
}

/// Fails unless two arrays have the same elements, where NaN is the same as NaN.
fn assert_same(found: &AnyArray, expected: &AnyArray, what: &str) {
    let same = match (found, expected) {
        (AnyArray::F32(found), AnyArray::F32(expected)) => same_floats(found, expected),
        (AnyArray::F64(found), AnyArray::F64(expected)) => same_floats(found, expected),
        _ => found == expected,
    };
    assert!(same, "{what}: expected {expected:?}, found {found:?}");
}

fn same_floats<T: Copy + Into<f64>>(found: &ArrayD<T>, expected: &ArrayD<T>) -> bool {
    let same = |(a, b): (&T, &T)| {
        let (a, b): (f64, f64) = ((*a).into(), (*b).into());
        a == b || (a.is_nan() && b.is_nan())
    };
    found.shape() == expected.shape() && found.iter().zip(expected).all(same)
}

/// Windows that follow blocks (the first and the last), and windows that do not: everything, single
/// voxels, slabs, an inner part.
fn windows(info: &ArrayInfo) -> Vec<Window> {
    let shape = info.spatial_shape();
    let window = |start: &[usize], shape: &[usize]| Window::new(start, shape).expect("small");
    let mut windows = vec![window(&vec![0; shape.len()], shape)];
    if shape.contains(&0) {
        return windows;
    }
    let last: Vec<usize> = shape.iter().map(|&n| n.saturating_sub(1)).collect();
    windows.push(window(&last, &vec![1; shape.len()]));
    windows.push(window(
        &shape.iter().map(|&n| n / 3).collect::<Vec<_>>(),
        &shape.iter().map(|&n| n.saturating_sub(n / 3).div_ceil(2)).collect::<Vec<_>>(),
    ));
    let whole = window(&vec![0; shape.len()], shape);
    for corner in [vec![0; shape.len()], last] {
        let block = |axis: usize, voxel: usize| {
            let index = info.blocks().index_of(axis, voxel);
            let same = |other: &usize| info.blocks().index_of(axis, *other) == index;
            let begin = (0..=voxel).find(same).expect("a voxel lies in its own block");
            let end = (voxel..shape[axis]).take_while(same).last().expect("likewise");
            (begin, end.saturating_sub(begin).saturating_add(1))
        };
        let (start, len): (Vec<_>, Vec<_>) =
            corner.iter().enumerate().map(|(axis, &voxel)| block(axis, voxel)).unzip();
        let block = window(&start, &len);
        assert!(whole.contains(&block).expect("same dims"), "blocks lie in the array");
        windows.push(block);
    }
    for axis in 0..shape.len() {
        let (mut start, mut slab) = (vec![0; shape.len()], shape.to_vec());
        start[axis] = shape[axis] / 2;
        slab[axis] = 1;
        windows.push(window(&start, &slab));
        slab[axis] = 0;
        windows.push(window(&start, &slab));
    }
    windows
}

/// The same part of an array that was read as a whole.
fn part_of(whole: &AnyArray, channel_dims: usize, window: &Window) -> AnyArray {
    let mut view = whole.view();
    for (axis, (&start, &len)) in window.start().iter().zip(window.shape()).enumerate() {
        view = view.slice_axis(channel_dims.saturating_add(axis), start, len);
    }
    view.to_owned()
}

fn check_window(array: &dyn Array, whole: &AnyArray, window: &Window) {
    let roi = array.info().grid().roi(window).expect("a window of the array has a region");
    let expected = part_of(whole, array.info().channel_dims(), window);
    let found = array.read(&roi).expect("a part can be read");
    assert_same(&found, &expected, &format!("the part {roi}"));
    let mut dirty = whole.clone();
    let mut place = dirty.view_mut();
    for (axis, &len) in window.shape().iter().enumerate() {
        place = place.slice_axis(array.info().channel_dims().saturating_add(axis), 0, len);
    }
    array.read_to(&roi, place).expect("a part can be read to a place with content");
    let corner = Window::full(window.shape()).expect("small");
    assert_same(&part_of(&dirty, array.info().channel_dims(), &corner), &expected, "over content");
    if window.is_empty() {
        return;
    }
    assert_eq!(&array.slices(&roi).expect("a part has slices"), window, "the slices of {roi}");
    let mut visits = 0_usize;
    array
        .visit(window, &mut |block| {
            visits = visits.saturating_add(1);
            let mut copy = AnyArray::zeros(expected.dtype(), expected.shape())?;
            if let Block::Voxels(view) = &block {
                assert_eq!(view.shape(), expected.shape(), "a visit has the window's shape");
            }
            Output::zeroed(copy.view_mut()).assign(&block)?;
            assert_same(&copy, &expected, &format!("a visit of {roi}"));
            Ok(())
        })
        .expect("a part can be visited");
    assert_eq!(visits, 1, "a window is visited once");
    let error = array
        .visit(window, &mut |_| {
            Err(ArrayError::NotShowable { reason: "from the visitor".to_owned() })
        })
        .expect_err("the visitor's error comes back");
    assert!(matches!(error, ArrayError::NotShowable { .. }), "the visitor's error, not {error}");
}

fn check_refusals(array: &dyn Array) {
    let (roi, voxel_size) = (*array.roi(), *array.voxel_size().as_coordinate());
    let dims = roi.dims();
    let shifted = |by: Coordinate| roi.shift(by).expect("a small shift");
    if !roi.is_empty() {
        let error = array.read(&shifted(voxel_size)).expect_err("outside");
        assert!(matches!(error, ArrayError::OutOfBounds { .. }), "{error}");
        let grown = roi.grow(voxel_size, voxel_size).expect("a small growth");
        let error = array.read(&grown).expect_err("one voxel too many on each side");
        assert!(matches!(error, ArrayError::OutOfBounds { .. }), "{error}");
        if let Some(axis) = voxel_size.iter().position(|&size| size > 1) {
            let mut shape = roi.shape().expect("bounded").as_slice().to_vec();
            shape[axis] = shape[axis].saturating_sub(1);
            let shape = Coordinate::new(&shape).expect("as many dims");
            let cut = Roi::new(roi.offset().expect("bounded"), shape).expect("valid");
            let error = array.read(&cut).expect_err("not aligned");
            assert!(matches!(error, ArrayError::NotAligned { .. }), "{error}");
        }
    }
    let error = array.read(&Roi::unbounded(dims).expect("valid dims")).expect_err("unbounded");
    assert!(matches!(error, ArrayError::OutOfBounds { .. }), "{error}");
    let other_dims = if dims == 1 { 2 } else { dims.saturating_sub(1) };
    let zeros = Coordinate::zeros(other_dims).expect("valid dims");
    let error = array.read(&Roi::new(zeros, zeros).expect("valid")).expect_err("other dims");
    assert!(matches!(error, ArrayError::DimsMismatch { .. }), "{error}");

    let far = Coordinate::splat(dims, 1 << 40).expect("valid dims");
    let nowhere = Roi::new(far, Coordinate::zeros(dims).expect("valid dims")).expect("valid");
    let nothing = array.read(&nowhere).expect("an empty region can be read, wherever it lies");
    let shape = [array.info().channel_shape(), &vec![0; dims]].concat();
    assert_eq!(nothing.shape(), shape, "an empty read has the channels and no voxels");
}

fn check_padding(array: &dyn Array, whole: &AnyArray) {
    if array.roi().is_empty() {
        return;
    }
    let voxel_size = array.voxel_size();
    let grown = array
        .roi()
        .grow(voxel_size.as_coordinate(), voxel_size.as_coordinate())
        .expect("a small growth");
    let zero = Scalar::zero(array.dtype());
    let padded = array.read_padded(&grown, zero).expect("padding reads beyond the array");
    let start = vec![1; array.dims()];
    let inner = Window::new(&start, array.info().spatial_shape()).expect("small");
    assert_same(&part_of(&padded, array.info().channel_dims(), &inner), whole, "the padded middle");
    let far = array.roi().shift(array.roi().shape().expect("bounded")).expect("a small shift");
    let outside = array.read_padded(&far, zero).expect("padding alone");
    let empty = AnyArray::zeros(array.dtype(), array.shape()).expect("small");
    assert_eq!(outside, empty, "nothing but padding");
}
