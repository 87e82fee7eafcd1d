//! Crop groups: what is accepted, what their arrays promise, and what they read.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use annotation_mask::{
    AttrsOf, BlockPair, ClassAnnotation, ClassGroup, ClassGroups, ClassTable, CropClass, CropGroup,
    CropMaskAndTarget, Encoding, GroundTruth, Group, Grouping, Groups, MaskAndTarget, MaskError,
    MaskOptions, check_crop,
};
use array_core::testing::check_contract;
use array_core::{
    AnyArray, Array, ArrayError, ArrayExt, ArrayInfo, Block, DType, MemoryArray, Output, Scalar,
    Visitor,
};
use common::{attrs, constant, info, instances, row, semantic};
use geometry::{LengthUnit, Roi, Window, WorldUnit};
use serde_json::json;

fn group_attrs(names: &[&str]) -> Arc<serde_json::Map<String, serde_json::Value>> {
    attrs(&json!({"cellmap": {"annotation": {"class_names": names}}, "note": "kept"}))
}

/// A class of numbers without a period, over blocks of its own.
fn class(name: &str, shape: &[usize], block: &[usize], step: usize) -> CropClass<Arc<dyn Array>> {
    let len: usize = shape.iter().product();
    let value = |i: usize| match (i * i / step + i / 3) % 5 {
        3 => 255,
        other => i128::try_from(other).unwrap() % 2,
    };
    let values: Vec<i128> = (0..len).map(value).collect();
    CropClass {
        name: name.to_owned(),
        array: Arc::new(common::array(info(DType::U16, shape, block), &values, false)),
        annotation: ClassAnnotation::new(semantic()),
    }
}

fn table() -> ClassTable {
    ClassTable::from_csv("a,1,\nb,2,\nd,4,\nab,3,1-2\nabd,5,3-4\n").unwrap()
}

fn groups(list: &[(&str, &[&str])]) -> ClassGroups {
    let group = |(name, classes): &(&str, &[&str])| ClassGroup::new(*name, classes.iter().copied());
    ClassGroups::new(list.iter().map(group).collect()).unwrap()
}

#[test]
fn masks_and_targets_of_crop_groups_keep_the_contract() {
    for (shape, block, other) in [
        (&[9, 5, 6][..], &[4, 4, 4][..], &[3, 5, 2][..]),
        (&[7, 9], &[2, 4], &[2, 4]),
        (&[7], &[3], &[7]),
        (&[0, 5], &[4, 4], &[4, 4]),
    ] {
        let classes = vec![class("a", shape, block, 7), class("b", shape, other, 11)];
        let attrs = group_attrs(&["a", "b", "gone"]);
        let crop = Arc::new(CropGroup::new("crop", attrs, classes, Some(table())).unwrap());
        for groups in [
            crop.default_groups().unwrap(),
            groups(&[("abd", &["abd"]), ("both", &["a", "b"]), ("gone", &["gone"])]),
            ClassGroups::default(),
        ] {
            let pair = CropMaskAndTarget::new(crop.clone(), &groups).unwrap();
            check_contract(pair.mask());
            check_contract(pair.target());
            check_contract(pair.mask_array());
            let (mask, target) = pair.into_arrays();
            let roi = *mask.roi();
            if !roi.is_empty() {
                check_contract(&mask.crop(&roi).unwrap());
                check_contract(&target.crop(&roi).unwrap());
            }
        }
    }
}

#[test]
fn the_arrays_say_what_they_are() {
    let classes =
        vec![class("b", &[9, 5, 6], &[4, 4, 4], 7), class("a", &[9, 5, 6], &[2, 8, 4], 9)];
    let crop = CropGroup::new("crop", group_attrs(&["a", "gone"]), classes, None).unwrap();
    assert_eq!(crop.name(), "crop");
    assert_eq!(crop.class_names(), ["a", "gone", "b"]);
    let groups = crop.default_groups().unwrap();
    let pair = CropMaskAndTarget::new(Arc::new(crop), &groups).unwrap();
    for array in [pair.mask_array(), pair.target_array()] {
        assert_eq!(array.axes(), ["c", "z", "y", "x"]);
        assert_eq!(array.shape(), [3, 9, 5, 6]);
        assert_eq!(array.dtype(), DType::U8);
        assert_eq!(array.channels().unwrap(), ["a", "gone", "b"]);
        assert_eq!(array.attrs()["note"], json!("kept"));
        assert_eq!(array.info().block_shape(), [4, 8, 4]);
        assert!(!array.writable() && array.is_virtual());
        assert!(matches!(array.data(), Err(ArrayError::Virtual { .. })));
    }
    assert_eq!(pair.mask().kind(), "a mask of a crop group");
    assert_eq!(pair.target().kind(), "a target of a crop group");
}

#[test]
fn present_absent_and_unknown_of_two_classes_make_a_channel() {
    // Every pair of states.
    let a = [0, 0, 0, 255, 255, 255, 1, 1, 1];
    let b = [0, 255, 7, 0, 255, 7, 0, 255, 7];
    let classes = vec![row("a", &a, semantic()), row("b", &b, instances())];
    let crop = Arc::new(CropGroup::new("crop", group_attrs(&["a", "b"]), classes, None).unwrap());
    let pair = CropMaskAndTarget::new(crop, &groups(&[("ab", &["a", "b"])])).unwrap();
    let read =
        |array: &dyn Array| array.read_as::<u8>(array.roi()).unwrap().into_raw_vec_and_offset().0;
    assert_eq!(read(pair.mask()), [1, 0, 1, 0, 0, 1, 1, 1, 1]);
    assert_eq!(read(pair.target()), [0, 0, 1, 0, 0, 1, 1, 1, 1]);
}

#[test]
fn a_composite_class_uses_its_own_array_and_where_that_is_unknown_its_constituents() {
    let table = ClassTable::from_csv("a,1,\nb,2,\nab,3,1-2\nouter,4,3\n").unwrap();
    let classes = vec![
        row("ab", &[0, 1, 255, 255, 255, 255], semantic()),
        row("a", &[1, 0, 0, 0, 1, 255], semantic()),
        row("b", &[1, 0, 0, 255, 255, 0], semantic()),
    ];
    let names = ["ab", "a", "b"];
    let crop = CropGroup::new("crop", group_attrs(&names), classes, Some(table)).unwrap();
    let groups = groups(&[("ab", &["ab"]), ("outer", &["outer"])]);
    let pair = CropMaskAndTarget::new(Arc::new(crop), &groups).unwrap();
    let mask = pair.mask().read_as::<u8>(pair.mask().roi()).unwrap();
    let target = pair.target().read_as::<u8>(pair.target().roi()).unwrap();
    for channel in 0..2 {
        let row = |values: &ndarray::ArrayD<u8>| {
            values.index_axis(ndarray::Axis(0), channel).iter().copied().collect::<Vec<_>>()
        };
        assert_eq!(row(&mask), [1, 1, 1, 0, 1, 0]);
        assert_eq!(row(&target), [0, 1, 0, 0, 1, 0]);
    }
}

#[test]
fn a_class_is_found_under_either_spelling_of_the_table() {
    let text = "id,name,docs_name,constituent_ids\n1,chloroplast_mem,chlor_mem,\n2,chlor,,1\n";
    let table = ClassTable::from_csv(text).unwrap();
    let classes = vec![row("chlor_mem", &[1, 0], semantic())];
    let names = ["chloroplast_mem"];
    let crop = CropGroup::new("crop", group_attrs(&names), classes, Some(table)).unwrap();
    assert_eq!(crop.warnings().count(), 0);
    // One class, one channel.
    assert_eq!(crop.default_groups().unwrap().names(), ["chloroplast_mem"]);
    let groups = groups(&[("one", &["chloroplast_mem"]), ("two", &["chlor"])]);
    let pair = CropMaskAndTarget::new(Arc::new(crop), &groups).unwrap();
    let target = pair.target().read_as::<u8>(pair.target().roi()).unwrap();
    assert_eq!(target, ndarray::array![[1, 0], [1, 0]].into_dyn());
}

#[test]
fn what_a_crop_leaves_open_is_said() {
    let mut odd = row("odd", &[0, 1], semantic());
    odd.annotation.class_name = Some("even".to_owned());
    odd.annotation.other_encoding = Some(instances());
    let bools = common::array(info(DType::Bool, &[2], &[2]), &[0, 1], false);
    let states = [(9, annotation_mask::ClassState::Absent)];
    let encoding = Encoding::new(annotation_mask::AnnotationType::Semantic, states).unwrap();
    let annotation = ClassAnnotation::new(encoding);
    let bools = CropClass { name: "bools".to_owned(), array: bools, annotation };
    let crop = CropGroup::new("crop", group_attrs(&["bools", "gone"]), vec![odd, bools], None);
    let warnings = crop.unwrap().warnings().collect::<Vec<_>>().join("\n");
    for part in [
        "\"gone\" is listed but has no array",
        "\"odd\" has an array but is not listed",
        "\"odd\" is called \"even\"",
        "\"odd\": the array says semantic_segmentation, absent = 0, present = 1, unknown = 255, its \
         group instance_segmentation, absent = 0, unknown = 255; the array wins",
        "\"bools\": bool never has the value 9",
        "\"bools\": the encoding has no value for present",
    ] {
        assert!(warnings.contains(part), "{part:?} is not in\n{warnings}");
    }
    let crop = CropGroup::new("crop", Arc::default(), vec![row("a", &[1], semantic())], None);
    let warning = crop.unwrap().warnings().next().unwrap().to_owned();
    assert!(warning.contains("does not list its classes"), "{warning}");
}

#[test]
fn what_is_worth_knowing_but_no_mistake_is_no_warning() {
    let mut class = row("a", &[0, 1], semantic());
    class.annotation.found_on = AttrsOf::Group;
    let crop = CropGroup::new("crop", group_attrs(&["a"]), vec![class], None).unwrap();
    assert_eq!(crop.findings().iter().map(|f| f.code).collect::<Vec<_>>(), ["encoding-on-group"]);
    assert_eq!(crop.warnings().count(), 0);
}

#[test]
fn crops_that_cannot_be_read_together_are_refused() {
    let refuse = |attrs, classes: Vec<CropClass<MemoryArray>>, table| {
        CropGroup::new("crop7", attrs, classes, table).unwrap_err().to_string()
    };
    let one = || row("a", &[1, 0], semantic());
    let text = refuse(Arc::default(), vec![], None);
    assert!(text.contains("\"crop7\": no class has an array"), "{text}");
    let text = refuse(Arc::default(), vec![one(), row("b", &[1, 0, 1], semantic())], None);
    assert!(
        text.contains("the classes \"a\" and \"b\" differ in their shape: [2] and [3]"),
        "{text}"
    );
    let text = refuse(Arc::default(), vec![one(), one()], None);
    assert!(text.contains("\"a\" and \"a\" are the same class"), "{text}");
    let spellings = "id,name,docs_name,constituent_ids\n1,a,b,\n";
    let table = ClassTable::from_csv(spellings).unwrap();
    let text = refuse(Arc::default(), vec![one(), row("b", &[1, 0], semantic())], Some(table));
    assert!(text.contains("\"a\" and \"b\" are the same class"), "{text}");
    for (names, part) in [
        (json!("a"), "class_names` is no list, but \"a\""),
        (json!(["a", 5]), "class_names[1]` is no name, but 5"),
        (json!([""]), "class_names[0]` is no name"),
    ] {
        let attrs = attrs(&json!({"cellmap": {"annotation": {"class_names": names}}}));
        let text = refuse(attrs, vec![one()], None);
        assert!(text.contains(part), "{text}");
    }
    let with_info = |info: ArrayInfo| CropClass {
        name: "b".to_owned(),
        array: MemoryArray::new(info.clone(), AnyArray::zeros(info.dtype(), info.shape()).unwrap())
            .unwrap(),
        annotation: ClassAnnotation::new(semantic()),
    };
    let refuse_info = |info: ArrayInfo| refuse(Arc::default(), vec![one(), with_info(info)], None);
    let text = refuse_info(info(DType::F32, &[2], &[4]));
    assert!(text.contains("class \"b\": elements of type float32"), "{text}");
    let nm = WorldUnit::new(LengthUnit::parse("nm").unwrap(), 0).unwrap();
    let text = refuse_info(info(DType::U8, &[2], &[4]).with_unit(nm));
    assert!(text.contains("\"a\" and \"b\" differ in their voxel size"), "{text}");
    let shifted = |offset: i64, size: i64| {
        let size = geometry::VoxelSize::new(geometry::Coordinate::from([size])).unwrap();
        let grid = geometry::VoxelGrid::new(geometry::Coordinate::from([offset]), size).unwrap();
        ArrayInfo::new(DType::U8, &["x"], &[2], grid).unwrap()
    };
    let text = refuse_info(shifted(7, 4));
    assert!(text.contains("differ in their voxel size: 3") && text.contains("and 4"), "{text}");
    let text = refuse_info(shifted(10, 3));
    assert!(text.contains("differ in their place: [7:13] and [10:16]"), "{text}");
    let y = ArrayInfo::new(DType::U8, &["y"], &[2], *shifted(7, 3).grid()).unwrap();
    assert!(refuse_info(y).contains("differ in their axes: x and y"));
    let c = ArrayInfo::new(DType::U8, &["c", "x"], &[1, 2], *shifted(7, 3).grid()).unwrap();
    assert!(refuse_info(c).contains("class \"b\" has channels"));
}

#[test]
fn a_class_without_an_encoding_is_named() {
    let array = common::array(info(DType::U8, &[2], &[2]), &[0, 1], false);
    let error = CropClass::from_attrs("vim", array, &serde_json::Map::new()).unwrap_err();
    assert!(matches!(&error, MaskError::NoEncoding { class } if class == "vim"), "{error}");
}

/// A source that counts how often it is asked, and answers with constants.
#[derive(Debug)]
struct Counting {
    info: ArrayInfo,
    value: u8,
    visits: AtomicUsize,
    /// The most voxels that were asked for at once.
    largest: AtomicUsize,
}

impl Array for Counting {
    fn info(&self) -> &ArrayInfo {
        &self.info
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        self.visits.fetch_add(1, Ordering::Relaxed);
        self.largest.fetch_max(window.num_voxels()?, Ordering::Relaxed);
        visitor(Block::Constant(Scalar::U8(self.value)))
    }

    fn kind(&self) -> &'static str {
        "a counting array"
    }
}

fn counting(values: &[(&str, u8)]) -> (Arc<CropGroup<Arc<Counting>>>, Vec<Arc<Counting>>) {
    let arrays: Vec<Arc<Counting>> = values
        .iter()
        .map(|&(_, value)| {
            let info = info(DType::U8, &[8, 8, 8], &[4, 4, 4]);
            let (visits, largest) = (AtomicUsize::new(0), AtomicUsize::new(0));
            Arc::new(Counting { info, value, visits, largest })
        })
        .collect();
    let class = |(&(name, _), array): (&(&str, u8), &Arc<Counting>)| CropClass {
        name: name.to_owned(),
        array: Arc::clone(array),
        annotation: ClassAnnotation::new(semantic()),
    };
    let classes = values.iter().zip(&arrays).map(class).collect();
    let names: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
    let crop = CropGroup::new("crop", group_attrs(&names), classes, Some(table())).unwrap();
    (Arc::new(crop), arrays)
}

fn visits(arrays: &[Arc<Counting>]) -> Vec<usize> {
    arrays.iter().map(|array| array.visits.load(Ordering::Relaxed)).collect()
}

#[test]
fn each_block_of_each_class_is_read_once_for_all_channels() {
    let (crop, arrays) = counting(&[("a", 1), ("b", 0), ("ab", 255), ("d", 0)]);
    let groups = groups(&[("a", &["a"]), ("ab", &["ab"]), ("all", &["abd", "a"]), ("b", &["b"])]);
    let pair = CropMaskAndTarget::new(crop, &groups).unwrap();
    pair.mask().read(pair.mask().roi()).unwrap();
    assert_eq!(visits(&arrays), [8, 8, 8, 8]);
    pair.visit_pair(&Window::full(&[8, 8, 8]).unwrap(), &mut |_| Ok(())).unwrap();
    assert_eq!(visits(&arrays), [9, 9, 9, 9]);
}

#[test]
fn reads_and_checks_ask_for_no_more_than_a_block() {
    let (crop, arrays) = counting(&[("a", 1), ("b", 0), ("ab", 255)]);
    let groups = crop.default_groups().unwrap();
    let pair = CropMaskAndTarget::new(crop.clone(), &groups).unwrap();
    pair.mask().read(pair.mask().roi()).unwrap();
    pair.target().read(pair.target().roi()).unwrap();
    check_crop(&crop).unwrap();
    for array in arrays {
        assert_eq!(array.largest.load(Ordering::Relaxed), 4 * 4 * 4);
    }
}

#[test]
fn constituents_are_not_read_where_the_composite_class_is_known() {
    let (crop, arrays) = counting(&[("a", 1), ("b", 0), ("ab", 0), ("d", 1)]);
    let pair = CropMaskAndTarget::new(crop, &groups(&[("ab", &["ab"])])).unwrap();
    let mask = pair.mask().read_as::<u8>(pair.mask().roi()).unwrap();
    assert!(mask.iter().all(|&value| value == 1));
    let target = pair.target().read_as::<u8>(pair.target().roi()).unwrap();
    assert!(target.iter().all(|&value| value == 0));
    assert_eq!(visits(&arrays), [0, 0, 16, 0]);
}

#[test]
fn nothing_is_read_for_channels_that_cannot_be_known() {
    let (crop, arrays) = counting(&[("d", 1)]);
    let pair =
        CropMaskAndTarget::new(crop, &groups(&[("ab", &["ab"]), ("x", &["x", "a"])])).unwrap();
    let mask = pair.mask().read_as::<u8>(pair.mask().roi()).unwrap();
    assert!(mask.iter().all(|&value| value == 0));
    pair.target()
        .visit(&Window::full(&[8, 8, 8]).unwrap(), &mut |block| {
            assert!(matches!(block, Block::Constant(Scalar::U8(0))));
            Ok(())
        })
        .unwrap();
    assert_eq!(visits(&arrays), [0]);
    let channels = pair.channels();
    assert!(!channels[0].kept && channels[0].why == "ab is not in the crop");
    assert!(!channels[1].kept && channels[1].why.contains("are not in the crop"));
}

#[test]
fn a_channel_with_a_class_that_is_missing_is_never_absent_and_says_so() {
    let (crop, _) = counting(&[("a", 0), ("d", 1)]);
    let list =
        groups(&[("ab", &["ab"]), ("abd", &["abd"]), ("ad", &["a", "d"]), ("ax", &["a", "x"])]);
    let pair = CropMaskAndTarget::new(crop, &list).unwrap();
    let channels = pair.channels();
    assert!(channels.iter().all(|channel| channel.kept));
    assert!(channels[0].why.contains("nothing says where ab is not"), "{}", channels[0].why);
    assert_eq!(channels[2].why, "");
    assert_eq!((channels[3].missing.as_slice(), channels[3].kept), (&["x".to_owned()][..], true));
    let mask = pair.mask().read_as::<u8>(pair.mask().roi()).unwrap();
    let first = |channel: usize| mask[[channel, 0, 0, 0]];
    // a is absent and b is missing; d is present, whatever else; a or x may be x.
    assert_eq!([first(0), first(1), first(2), first(3)], [0, 1, 1, 0]);
}

#[test]
fn constant_blocks_stay_constant() {
    let (crop, _) = counting(&[("a", 1), ("b", 255), ("d", 0)]);
    for (list, value) in [
        (groups(&[("a", &["a"]), ("ab", &["ab"]), ("d", &["d"])]), Some(Scalar::U8(1))),
        (groups(&[("b", &["b"])]), Some(Scalar::U8(0))),
        (groups(&[("a", &["a"]), ("b", &["b"])]), None),
    ] {
        let pair = CropMaskAndTarget::new(crop.clone(), &list).unwrap();
        assert_eq!(constant(pair.mask()), value);
        check_contract(pair.mask());
    }
}

#[test]
fn voxels_of_one_state_make_a_constant_block() {
    let class = |voxels: &[u8]| {
        let classes = vec![row("a", voxels, semantic())];
        let crop = CropGroup::new("crop", group_attrs(&["a"]), classes, None).unwrap();
        let pair = CropMaskAndTarget::new(Arc::new(crop), &groups(&[("a", &["a"])])).unwrap();
        constant(pair.mask())
    };
    assert_eq!(class(&[1, 1, 1]), Some(Scalar::U8(1)));
    // Nothing explains a 7, so that it is as unknown as a 255.
    assert_eq!(class(&[255, 7, 255]), Some(Scalar::U8(0)));
    assert_eq!(class(&[1, 1, 255]), None);
}

#[test]
fn channels_before_the_first_that_differs_are_as_they_should_be() {
    let (crop, _) = counting(&[("a", 1), ("b", 255), ("d", 0)]);
    let list = groups(&[("a", &["a"]), ("d", &["d"]), ("b", &["b"])]);
    let pair = CropMaskAndTarget::new(crop, &list).unwrap();
    let expected = ndarray::ArrayD::from_shape_fn(vec![3, 8, 8, 8], |at| u8::from(at[0] < 2));
    let mut look = |block: Block<'_>| {
        let Block::Voxels(voxels) = block else { panic!("the channels differ") };
        assert_eq!(voxels.typed::<u8>()?, expected);
        Ok(())
    };
    pair.mask().visit(&Window::full(&[8, 8, 8]).unwrap(), &mut look).unwrap();
}

/// Zeros that are fresh from the system take no memory until they are written; nines stand for them here.
#[test]
fn what_is_zero_already_is_not_written() {
    let (crop, _) = counting(&[("a", 1), ("b", 255)]);
    let pair = CropMaskAndTarget::new(crop, &groups(&[("a", &["a"]), ("b", &["b"])])).unwrap();
    let mut out = ndarray::ArrayD::from_elem(vec![2, 8, 8, 8], 9_u8);
    let place = Output::zeroed(out.view_mut().into());
    pair.mask().read_into(&Window::full(&[8, 8, 8]).unwrap(), place).unwrap();
    let expected = ndarray::ArrayD::from_shape_fn(vec![2, 8, 8, 8], |at| [1, 9][at[0]]);
    assert_eq!(out, expected);
}

#[test]
fn a_window_without_voxels_has_a_mask_and_a_target_without_ones() {
    let classes = vec![class("a", &[0, 5], &[4, 4], 7), class("b", &[0, 5], &[4, 4], 11)];
    let crop = CropGroup::new("crop", group_attrs(&["a", "b"]), classes, None).unwrap();
    let list = crop.default_groups().unwrap();
    let pair = CropMaskAndTarget::new(Arc::new(crop), &list).unwrap();
    let mut counts = None;
    let mut look = |pair: BlockPair<'_>| {
        assert!(pair.mask.to_array().is_empty() && pair.target.to_array().is_empty());
        counts = Some(pair.counts);
        Ok(())
    };
    pair.visit_pair(&Window::full(&[0, 5]).unwrap(), &mut look).unwrap();
    let counts = counts.unwrap();
    assert_eq!((counts.voxels, counts.known, counts.positive), (0, vec![0, 0], vec![0, 0]));
}

#[test]
fn a_window_outside_the_crop_is_refused() {
    let (crop, arrays) = counting(&[("a", 1)]);
    let pair = CropMaskAndTarget::new(crop, &groups(&[("a", &["a"])])).unwrap();
    let visit = |start: &[usize], shape: &[usize]| {
        pair.visit_pair(&Window::new(start, shape).unwrap(), &mut |_| Ok(())).unwrap_err()
    };
    assert!(matches!(visit(&[4, 0, 0], &[5, 1, 1]), ArrayError::OutOfBounds { .. }));
    assert!(visit(&[0, 0], &[1, 1]).to_string().contains("dims"));
    assert_eq!(visits(&arrays), [0]);
    let roi = Roi::new([-16, 240, 7], [8, 4, 3]).unwrap();
    assert_eq!(pair.mask().read_as::<u8>(&roi).unwrap().len(), 1);
}

/// A source that cannot be read.
#[derive(Debug)]
struct Broken(ArrayInfo);

impl Array for Broken {
    fn info(&self) -> &ArrayInfo {
        &self.0
    }

    fn visit(&self, _window: &Window, _visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        Err(ArrayError::source("chunk 0/1", "checksum"))
    }

    fn kind(&self) -> &'static str {
        "a broken array"
    }
}

#[test]
fn a_class_that_cannot_be_read_is_named() {
    let class = CropClass {
        name: "golgi".to_owned(),
        array: Broken(info(DType::U8, &[4], &[4])),
        annotation: ClassAnnotation::new(semantic()),
    };
    let crop = Arc::new(CropGroup::new("crop", Arc::default(), vec![class], None).unwrap());
    let pair = CropMaskAndTarget::new(crop.clone(), &crop.default_groups().unwrap()).unwrap();
    let error = pair.mask().read(pair.mask().roi()).unwrap_err();
    assert_eq!(error.to_string(), "reading class \"golgi\"");
    let cause = std::error::Error::source(&error).unwrap();
    assert_eq!(cause.to_string(), "chunk 0/1");
}

#[test]
fn what_cannot_be_known_is_neither_read_nor_takes_memory() {
    let class = CropClass {
        name: "golgi".to_owned(),
        array: Broken(info(DType::U8, &[1 << 20; 3], &[64; 3])),
        annotation: ClassAnnotation::new(semantic()),
    };
    let crop = Arc::new(CropGroup::new("crop", Arc::default(), vec![class], None).unwrap());
    let pair = CropMaskAndTarget::new(crop, &groups(&[("er", &["er"])])).unwrap();
    assert_eq!(constant(pair.mask()), Some(Scalar::U8(0)));
    assert_eq!(constant(pair.target()), Some(Scalar::U8(0)));
}

#[test]
fn label_volumes_and_crop_groups_are_ground_truth_alike() {
    let labels = common::array(info(DType::U8, &[4], &[2]), &[0, 3, 8, 3], false);
    let groups = Groups::new(vec![Group::new("mito", [3, 4])]).unwrap();
    let of_labels =
        MaskAndTarget::new(Arc::new(labels), &groups, &MaskOptions::default(), 0).unwrap();
    let crop =
        CropGroup::new("c", Arc::default(), vec![row("mito", &[255, 1, 0, 1], semantic())], None);
    let crop = Arc::new(crop.unwrap());
    let grouping: Grouping = vec![Grouping::parse_group("mito=mito").unwrap()].into();
    let of_crop = CropMaskAndTarget::new(crop.clone(), &crop.resolve(&grouping).unwrap()).unwrap();
    let both: [&dyn GroundTruth; 2] = [&of_labels, &of_crop];
    for truth in both {
        assert_eq!(truth.info().channel_names().unwrap(), ["mito"]);
        let whole = Window::full(truth.info().spatial_shape()).unwrap();
        let mut counts = None;
        truth
            .visit_pair(&whole, &mut |pair| {
                assert_eq!(pair.mask.to_array().iter().copied().collect::<Vec<_>>(), [0, 1, 1, 1]);
                assert_eq!(
                    pair.target.to_array().iter().copied().collect::<Vec<_>>(),
                    [0, 1, 0, 1]
                );
                counts = Some(pair.counts);
                Ok(())
            })
            .unwrap();
        let counts = counts.unwrap();
        assert_eq!((counts.voxels, counts.known, counts.positive), (4, vec![3], vec![2]));
        assert_eq!(truth.channels()[0].name, "mito");
        assert!(truth.channels()[0].kept && truth.channels()[0].why.is_empty());
        let read = |array: &dyn Array| array.read_as::<u8>(array.roi()).unwrap();
        assert_eq!(read(truth.mask_array()).sum(), 3);
        assert_eq!(read(truth.target_array()).sum(), 2);
    }
    assert_eq!(of_labels.channels()[0].members, ["3", "4"]);
    assert_eq!(of_crop.channels()[0].members, ["mito"]);
}
