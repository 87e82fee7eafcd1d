//! Masks and targets keep the contract of every array, alone and over crops.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::sync::Arc;

use annotation_mask::{
    BinarizeArray, Group, Groups, MaskAndTarget, MaskError, MaskOptions, MissingAnnotationsMask,
};
use array_core::testing::check_contract;
use array_core::{
    AnyArray, Array, ArrayError, ArrayExt, ArrayInfo, Block, DType, MemoryArray, Scalar, Visitor,
};
use common::constant;
use geometry::{Coordinate, Roi, VoxelGrid, VoxelSize, Window};
use ndarray::{ArrayD, IxDyn};
use serde_json::json;

fn info(dtype: DType, axes: &[&str], shape: &[usize]) -> ArrayInfo {
    let dims = axes.iter().filter(|axis| **axis != "c").count();
    let voxel_size = Coordinate::new(&[8, 4, 3][3 - dims..]).unwrap();
    let offset = Coordinate::new(&[-16, 240, 7][3 - dims..]).unwrap();
    let grid = VoxelGrid::new(offset, VoxelSize::new(voxel_size).unwrap()).unwrap();
    let attrs = json!({"labels": [label(3, true, json!(true)), label(8, true, json!("empty"))]});
    ArrayInfo::new(dtype, axes, shape, grid)
        .unwrap()
        .with_attrs(Arc::new(attrs.as_object().unwrap().clone()))
}

fn label(value: i64, present: bool, annotated: serde_json::Value) -> serde_json::Value {
    json!({
        "value": value,
        "name": {"long": format!("class {value}"), "short": format!("c{value}")},
        "annotationState": {"present": present, "annotated": annotated},
    })
}

fn labels(shape: &[usize], block_shape: &[usize]) -> MemoryArray {
    let len: usize = shape.iter().product();
    // Ids 0 to 10 without a period.
    let ids = (0..len).map(|i| u16::try_from((i * i / 7 + i / 3) % 11).unwrap()).collect();
    let voxels = ArrayD::<u16>::from_shape_vec(IxDyn(shape), ids).unwrap();
    let axes = &["z", "y", "x"][3 - shape.len()..];
    let info = info(DType::U16, axes, shape).with_block_shape(block_shape).unwrap();
    MemoryArray::new(info, voxels).unwrap()
}

fn groups() -> Groups {
    Groups::new(vec![
        Group::new("mito", [3, 4]),
        Group::new("ves", [8]),
        Group::new("all", []),
        Group::new("nothing", [70_000, -1]),
    ])
    .unwrap()
}

#[test]
fn masks_and_targets_keep_the_contract() {
    for (shape, block) in
        [(&[9, 5, 6][..], &[4, 4, 4][..]), (&[7, 9], &[2, 4]), (&[7], &[3]), (&[0, 5], &[4, 4])]
    {
        let labels = Arc::new(labels(shape, block));
        let options = MaskOptions::default();
        check_contract(&MissingAnnotationsMask::new(labels.clone(), &groups(), &options).unwrap());
        check_contract(&BinarizeArray::new(labels.clone(), &groups(), 0).unwrap());
        let none = Groups::default();
        check_contract(&MissingAnnotationsMask::new(labels.clone(), &none, &options).unwrap());
        check_contract(&BinarizeArray::new(labels, &none, 0).unwrap());
    }
}

#[test]
fn a_mask_of_a_crop_is_the_crop_of_the_mask() {
    let labels = Arc::new(labels(&[9, 5, 6], &[4, 4, 4]));
    let roi = Roi::new([0, 244, 10], [40, 12, 12]).unwrap();
    let options = MaskOptions::default();
    let of_crop =
        MissingAnnotationsMask::new(labels.clone().crop(&roi).unwrap(), &groups(), &options);
    let of_crop = of_crop.unwrap();
    let crop_of =
        MissingAnnotationsMask::new(labels, &groups(), &options).unwrap().crop(&roi).unwrap();
    check_contract(&of_crop);
    check_contract(&crop_of);
    assert_eq!(of_crop.read(of_crop.roi()).unwrap(), crop_of.read(crop_of.roi()).unwrap());
}

#[test]
fn the_original_interface_is_there() {
    let labels = Arc::new(labels(&[9, 5, 6], &[4, 4, 4]));
    let mask =
        MissingAnnotationsMask::new(labels.clone(), &groups(), &MaskOptions::default()).unwrap();
    assert_eq!(mask.axes(), ["c", "z", "y", "x"]);
    assert_eq!(mask.dims(), 3);
    assert_eq!(mask.shape(), [4, 9, 5, 6]);
    assert_eq!(mask.dtype(), DType::U8);
    assert_eq!(mask.num_channels(), Some(4));
    assert_eq!(mask.channels().unwrap(), ["mito", "ves", "all", "nothing"]);
    assert_eq!(mask.attrs(), labels.attrs());
    assert_eq!(mask.roi(), labels.roi());
    assert_eq!(mask.voxel_size(), labels.voxel_size());
    assert!(!mask.writable());
    assert!(matches!(mask.data(), Err(ArrayError::Virtual { .. })));
    assert!(mask.can_neuroglance());
}

#[test]
fn a_mask_tells_what_the_annotators_said() {
    let options = MaskOptions::default();
    let source = counting(3);
    let mask = MissingAnnotationsMask::new(source.clone(), &groups(), &options).unwrap();
    let entries = mask.labels().unwrap().entries();
    assert_eq!(entries.iter().map(|entry| entry.value).collect::<Vec<_>>(), [3, 8]);

    let info = source.info.clone().with_attrs(Arc::default());
    let silent = Counting { info, value: source.value, visits: 0.into() };
    let mask = MissingAnnotationsMask::new(silent, &groups(), &options).unwrap();
    assert_eq!(mask.labels(), None);
}

#[test]
fn sources_that_are_not_labels_are_refused() {
    let options = MaskOptions::default();
    let floats = info(DType::F32, &["z", "y", "x"], &[2, 2, 2]);
    let floats = AnyArray::zeros(DType::F32, &[2, 2, 2]).map(|v| MemoryArray::new(floats, v));
    let floats = Arc::new(floats.unwrap().unwrap());
    let error = MissingAnnotationsMask::new(floats.clone(), &groups(), &options).unwrap_err();
    assert!(matches!(error, MaskError::NotLabels { dtype: DType::F32 }), "{error}");
    assert!(BinarizeArray::new(floats, &groups(), 0).is_err());

    let channels = info(DType::U8, &["c", "y", "x"], &[2, 2, 2]);
    let channels = AnyArray::zeros(DType::U8, &[2, 2, 2]).map(|v| MemoryArray::new(channels, v));
    let channels = Arc::new(channels.unwrap().unwrap());
    let error = MissingAnnotationsMask::new(channels, &groups(), &options).unwrap_err();
    assert!(error.to_string().contains("channel axes [\"c\"]"), "{error}");
}

/// A source that counts how often it is asked, and answers with constants.
#[derive(Debug)]
struct Counting {
    info: ArrayInfo,
    value: Scalar,
    visits: std::sync::atomic::AtomicUsize,
}

impl Array for Counting {
    fn info(&self) -> &ArrayInfo {
        &self.info
    }

    fn visit(&self, _window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        self.visits.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        visitor(Block::Constant(self.value))
    }

    fn kind(&self) -> &'static str {
        "a counting array"
    }
}

fn counting(value: u8) -> Arc<Counting> {
    let info = info(DType::U8, &["z", "y", "x"], &[8, 8, 8]).with_block_shape(&[4, 4, 4]).unwrap();
    Arc::new(Counting { info, value: Scalar::U8(value), visits: 0.into() })
}

#[test]
fn constant_blocks_give_constant_channels() {
    for value in [0, 3, 8] {
        let source = counting(value);
        let options = MaskOptions::default();
        let mask = MissingAnnotationsMask::new(source.clone(), &groups(), &options).unwrap();
        let target = BinarizeArray::new(source, &groups(), 0).unwrap();
        check_contract(&mask);
        check_contract(&target);
        let mask = mask.read_as::<u8>(mask.roi()).unwrap();
        let target = target.read_as::<u8>(target.roi()).unwrap();
        let known = u8::from(value > 0);
        let is = |id| u8::from(value == id);
        for (channel, (m, t)) in
            [(known, is(3)), (0, is(8)), (known, known), (known, 0)].into_iter().enumerate()
        {
            assert!(mask.index_axis(ndarray::Axis(0), channel).iter().all(|&v| v == m));
            assert!(target.index_axis(ndarray::Axis(0), channel).iter().all(|&v| v == t));
        }
    }
}

#[test]
fn constant_blocks_stay_constant_where_all_channels_agree() {
    let groups = Groups::new(vec![Group::new("mito", [3]), Group::new("er", [5])]).unwrap();
    let mask = |value, groups: &Groups| {
        let options = MaskOptions::default();
        constant(&MissingAnnotationsMask::new(counting(value), groups, &options).unwrap())
    };
    assert_eq!(mask(0, &groups), Some(Scalar::U8(0)));
    assert_eq!(mask(7, &groups), Some(Scalar::U8(1)));
    let with_ves = groups.clone().joined(Groups::new(vec![Group::new("ves", [8])]).unwrap());
    assert_eq!(mask(7, &with_ves.unwrap()), None);
    let target = |value| constant(&BinarizeArray::new(counting(value), &groups, 0).unwrap());
    assert_eq!(target(7), Some(Scalar::U8(0)));
    assert_eq!(target(3), None);
}

#[test]
fn one_pass_over_constant_blocks_gives_the_mask_the_target_and_their_sums() {
    for value in [0, 3, 8] {
        let source = counting(value);
        let pair = MaskAndTarget::new(source, &groups(), &MaskOptions::default(), 0).unwrap();
        let whole = Window::full(&[8, 8, 8]).unwrap();
        let mask = pair.mask().read_as::<u8>(pair.mask().roi()).unwrap();
        let target = pair.target().read_as::<u8>(pair.target().roi()).unwrap();
        pair.visit::<ArrayError>(&whole, |block| {
            assert_eq!(block.mask.to_array(), mask);
            assert_eq!(block.target.to_array(), target);
            let sums = |values: &ArrayD<u8>| -> Vec<u64> {
                values.outer_iter().map(|c| c.iter().map(|&v| u64::from(v)).sum()).collect()
            };
            assert_eq!(block.counts.known, sums(&mask));
            assert_eq!(block.counts.positive, sums(&target));
            assert_eq!(block.counts.voxels, 512);
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn the_planes_of_a_window_are_there_channel_by_channel() {
    let labels = Arc::new(labels(&[12], &[4]));
    let pair = MaskAndTarget::new(labels, &groups(), &MaskOptions::default(), 0).unwrap();
    // The labels 0, 3, 6 and 9.
    let window = Window::new(&[8], &[4]).unwrap();
    pair.visit::<ArrayError>(&window, |block| {
        assert_eq!((block.mask.num_channels(), block.target.num_channels()), (4, 4));
        let (mito, all) = ([0, 1, 0, 0], [0, 1, 1, 1]);
        let row = |row: [u8; 4]| Some(ndarray::arr1(&row).into_dyn());
        let masks: Vec<_> = (0..4).map(|c| block.mask.channel(c).map(|v| v.to_owned())).collect();
        assert_eq!(masks, [row(all), None, row(all), row(all)]);
        let targets = (0..4).map(|c| block.target.channel(c).map(|v| v.to_owned()));
        assert_eq!(targets.collect::<Vec<_>>(), [row(mito), row([0; 4]), row(all), row([0; 4])]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn one_pass_over_a_window_outside_the_labels_is_refused() {
    let pair = MaskAndTarget::new(counting(3), &groups(), &MaskOptions::default(), 0).unwrap();
    let visit = |start: &[usize], shape: &[usize]| {
        let window = Window::new(start, shape).unwrap();
        pair.visit::<ArrayError>(&window, |_| Ok(())).unwrap_err()
    };
    assert!(matches!(visit(&[4, 0, 0], &[5, 1, 1]), ArrayError::OutOfBounds { .. }));
    assert!(visit(&[0, 0], &[1, 1]).to_string().contains("dims"));
}

#[test]
fn a_crop_keeps_the_blocks_of_its_source() {
    let source = counting(3);
    let roi = Roi::new([0, 248, 13], [40, 20, 12]).unwrap();
    let crop = source.clone().crop(&roi).unwrap();
    let mask = MissingAnnotationsMask::new(crop, &groups(), &MaskOptions::default()).unwrap();
    mask.read(mask.roi()).unwrap();
    // Voxels 2..7, 2..7 and 2..6: two blocks of 4 along each axis.
    assert_eq!(source.visits.load(std::sync::atomic::Ordering::Relaxed), 8);
}

#[test]
fn nothing_is_read_when_no_channel_is_kept() {
    let source = counting(3);
    let groups = Groups::new(vec![Group::new("ves", [8]), Group::new("both", [3, 8])]).unwrap();
    let mask =
        MissingAnnotationsMask::new(source.clone(), &groups, &MaskOptions::default()).unwrap();
    let values = mask.read_as::<u8>(mask.roi()).unwrap();
    assert!(values.iter().all(|&value| value == 0));
    assert_eq!(source.visits.load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[test]
fn each_block_of_labels_is_read_once_for_all_channels() {
    let source = counting(3);
    let mask =
        MissingAnnotationsMask::new(source.clone(), &groups(), &MaskOptions::default()).unwrap();
    mask.read(mask.roi()).unwrap();
    assert_eq!(source.visits.load(std::sync::atomic::Ordering::Relaxed), 8);
}
