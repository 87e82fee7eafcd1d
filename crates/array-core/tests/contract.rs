//! The contract of every array, on arrays in memory and crops of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use array_core::testing::check_contract;
use array_core::{
    AnyArray, AnyView, Array, ArrayError, ArrayExt, ArrayInfo, DType, Element, Interruptible,
    MemoryArray, Output, Scalar, Visitor, WritableArray, for_any, is_channel_axis,
};
use geometry::{Coordinate, LengthUnit, Roi, VoxelGrid, VoxelSize, Window, WorldUnit};
use ndarray::{ArrayD, IxDyn};

fn grid(offset: &[i64], voxel_size: &[i64]) -> VoxelGrid {
    let voxel_size = VoxelSize::new(Coordinate::new(voxel_size).unwrap()).unwrap();
    VoxelGrid::new(Coordinate::new(offset).unwrap(), voxel_size).unwrap()
}

/// A counter in every element, so that a wrong place is seen.
fn counting(shape: &[usize]) -> ArrayD<u32> {
    let len = shape.iter().product::<usize>();
    ArrayD::from_shape_vec(IxDyn(shape), (1..).take(len).collect()).unwrap()
}

fn array(axes: &[&str], shape: &[usize], block_shape: &[usize]) -> MemoryArray {
    let dims = block_shape.len();
    let grid = grid(&[-16, 240, 7, 0][..dims], &[8, 4, 3, 5][..dims]);
    let info = ArrayInfo::new(DType::U32, axes, shape, grid).unwrap();
    MemoryArray::new(info.with_block_shape(block_shape).unwrap(), counting(shape)).unwrap()
}

#[test]
fn arrays_in_memory_keep_the_contract() {
    check_contract(&array(&["x"], &[7], &[3]));
    check_contract(&array(&["y", "x"], &[5, 9], &[2, 4]));
    check_contract(&array(&["z", "y", "x"], &[9, 5, 6], &[4, 4, 4]));
    check_contract(&array(&["c", "z", "y", "x"], &[3, 4, 5, 6], &[2, 3, 4]));
    check_contract(&array(&["s^", "c^", "y", "x"], &[2, 3, 5, 6], &[2, 3]));
    check_contract(&array(&["t", "z", "y", "x"], &[2, 3, 5, 6], &[1, 2, 2, 2]));
}

#[test]
fn arrays_without_voxels_keep_the_contract() {
    check_contract(&array(&["z", "y", "x"], &[0, 5, 6], &[4, 4, 4]));
    check_contract(&array(&["c", "y", "x"], &[0, 5, 6], &[4, 4]));
}

#[test]
fn f_order_arrays_keep_the_contract() {
    let voxels = counting(&[6, 5, 9]).reversed_axes();
    let info = ArrayInfo::new(DType::U32, &["z", "y", "x"], &[9, 5, 6], grid(&[0; 3], &[1; 3]));
    let array = MemoryArray::new(info.unwrap().with_block_shape(&[4, 4, 4]).unwrap(), voxels);
    check_contract(&array.unwrap());
}

#[test]
fn every_dtype_keeps_the_contract() {
    for &dtype in DType::ALL {
        let info = ArrayInfo::new(dtype, &["y", "x"], &[4, 5], grid(&[8, 8], &[4, 4])).unwrap();
        let mut voxels = AnyArray::zeros(dtype, &[4, 5]).unwrap();
        for_any!(AnyArray, &mut voxels, |voxels| voxels[[2, 3]] = not_zero());
        let array = MemoryArray::new(info.with_block_shape(&[2, 2]).unwrap(), voxels).unwrap();
        check_contract(&array);
        let found = array.read(array.roi()).unwrap();
        for_any!(AnyArray, &found, |voxels| assert!(is_not_zero(&voxels[[2, 3]])));
    }
}

fn is_not_zero<T: NotZero + PartialEq>(value: &T) -> bool {
    *value == T::VALUE
}

/// One of any element type, through the conversions that all of them share.
fn not_zero<T: NotZero>() -> T {
    T::VALUE
}

trait NotZero {
    const VALUE: Self;
}

macro_rules! impl_not_zero {
    ($($type:ty = $value:expr),+ $(,)?) => { $(impl NotZero for $type { const VALUE: Self = $value; })+ };
}
impl_not_zero!(
    bool = true,
    u8 = 7,
    u16 = 7,
    u32 = 7,
    u64 = 7,
    i8 = -7,
    i16 = -7,
    i32 = -7,
    i64 = -7,
    f32 = 0.5,
    f64 = 0.5
);

#[test]
fn an_array_says_what_it_is_and_what_its_blocks_take() {
    let channels = array(&["c", "z", "y", "x"], &[3, 4, 5, 6], &[2, 3, 4]);
    assert_eq!(channels.num_channels(), Some(3));
    assert_eq!(channels.info().blocks().bytes(), 3 * 2 * 3 * 4 * 4);
    let plain = array(&["y", "x"], &[5, 9], &[2, 4]);
    assert_eq!(plain.num_channels(), None);
    assert_eq!(plain.info().blocks().bytes(), 2 * 4 * 4);
    let unit = WorldUnit::new(LengthUnit::Nanometer, 0).unwrap();
    assert_eq!(plain.unit(), WorldUnit::default());
    let info = plain.info().clone().with_unit(unit);
    assert_eq!(MemoryArray::new(info, counting(&[5, 9])).unwrap().unit(), unit);
    assert!(["c", "channel", "s^"].into_iter().all(is_channel_axis));
    assert!(!["z", "channels", "", "c^s"].into_iter().any(is_channel_axis));
}

#[test]
fn crops_and_crops_of_crops_keep_the_contract() {
    let source = Arc::new(array(&["c", "z", "y", "x"], &[2, 9, 5, 6], &[4, 2, 4]));
    let crop = Arc::clone(&source).crop(&Roi::new([0, 244, 10], [40, 12, 12]).unwrap()).unwrap();
    check_contract(&crop);
    let inner = crop.crop(&Roi::new([8, 244, 1], [1000, 8, 999]).unwrap()).unwrap();
    check_contract(&inner);
    assert_eq!(inner.read(inner.roi()).unwrap(), source.read(inner.roi()).unwrap());
}

#[test]
fn a_crop_that_holds_nothing_or_cuts_voxels_is_refused() {
    let source = Arc::new(array(&["z", "y"], &[9, 5], &[4, 2]));
    let crop = |offset: [i64; 2], shape: [i64; 2]| {
        Arc::clone(&source).crop(&Roi::new(offset, shape).unwrap()).unwrap_err()
    };
    assert!(matches!(crop([800, 240], [8, 4]), ArrayError::EmptyCrop { .. }));
    assert!(matches!(crop([-16, 240], [0, 4]), ArrayError::EmptyCrop { .. }));
    assert!(matches!(crop([-15, 240], [8, 4]), ArrayError::NotAligned { .. }));
    let unbounded = Arc::clone(&source).crop(&Roi::unbounded(2).unwrap()).unwrap_err();
    assert!(matches!(unbounded, ArrayError::OutOfBounds { .. }));
}

#[test]
fn an_error_says_whether_the_region_was_wrong() {
    let array = array(&["z", "y"], &[9, 5], &[4, 2]);
    let is_bad = |roi: Roi| array.read(&roi).unwrap_err().is_bad_region();
    assert!(is_bad(Roi::new([800, 240], [8, 4]).unwrap()));
    assert!(is_bad(Roi::new([-15, 240], [8, 4]).unwrap()));
    assert!(is_bad(Roi::new([-16], [8]).unwrap()));
    assert!(!ArrayError::Virtual { array: "a sum".to_owned() }.is_bad_region());
}

#[test]
fn what_is_written_through_a_crop_is_read_from_the_source() {
    let source = Arc::new(array(&["z", "y"], &[9, 5], &[4, 2]));
    let crop = Arc::clone(&source).crop(&Roi::new([0, 244], [16, 8]).unwrap()).unwrap();
    let before = source.read_as::<u32>(source.roi()).unwrap();
    let data = ArrayD::from_elem(vec![2, 2], 900_u32);
    crop.write(crop.roi(), &data.view().into()).unwrap();
    let after = source.read_as::<u32>(source.roi()).unwrap();
    for (index, value) in after.indexed_iter() {
        let inside = (2..4).contains(&index[0]) && (1..3).contains(&index[1]);
        assert_eq!(*value, if inside { 900 } else { before[&index] }, "at {index:?}");
    }
}

#[test]
fn data_that_does_not_fit_is_not_written() {
    let array = array(&["z", "y"], &[9, 5], &[4, 2]);
    let before = array.data().unwrap();
    let other_shape = ArrayD::from_elem(vec![5, 9], 0_u32);
    let error = array.write(array.roi(), &other_shape.view().into()).unwrap_err();
    assert!(matches!(error, ArrayError::ShapeMismatch { .. }), "{error}");
    let other_dtype = ArrayD::from_elem(vec![9, 5], 0_u8);
    let error = array.write(array.roi(), &other_dtype.view().into()).unwrap_err();
    assert!(matches!(error, ArrayError::DTypeMismatch { .. }), "{error}");
    assert_eq!(array.data().unwrap(), before);
}

#[test]
fn padding_needs_a_fill_of_the_same_type() {
    let array = array(&["z", "y"], &[9, 5], &[4, 2]);
    let error = array.read_padded(array.roi(), Scalar::U8(0)).unwrap_err();
    assert!(matches!(error, ArrayError::DTypeMismatch { .. }), "{error}");
}

#[test]
fn descriptions_that_do_not_fit_are_refused() {
    let info = |axes: &[&str], shape: &[usize]| {
        ArrayInfo::new(DType::U8, axes, shape, grid(&[0; 2], &[1; 2])).unwrap_err().to_string()
    };
    assert!(info(&["y", "x"], &[1, 2, 3]).contains("do not match the shape"));
    assert!(info(&["x"], &[1]).contains("fewer than the 2 spatial dims"));
    assert!(info(&["x", "x"], &[1, 2]).contains("the name \"x\" of another axis"));
    assert!(info(&["c", "x"], &[1, 2]).contains("channel axis"));
    let far = grid(&[i64::MAX - 1, 0], &[4, 4]);
    assert!(ArrayInfo::new(DType::U8, &["y", "x"], &[2, 2], far).is_err());
}

/// A source that fails when it is read, to see that errors come through wrappers.
#[derive(Debug)]
struct Broken(ArrayInfo);

impl Array for Broken {
    fn info(&self) -> &ArrayInfo {
        &self.0
    }

    fn visit(
        &self,
        window: &geometry::Window,
        _visitor: &mut array_core::Visitor<'_>,
    ) -> Result<(), ArrayError> {
        Err(ArrayError::source(format!("block {window}"), "the disk is gone"))
    }

    fn kind(&self) -> &'static str {
        "a broken array"
    }
}

#[test]
fn the_error_of_a_source_names_the_block_and_keeps_the_cause() {
    let info = ArrayInfo::new(DType::U8, &["y", "x"], &[4, 4], grid(&[0, 0], &[1, 1])).unwrap();
    let broken = Arc::new(Broken(info.with_block_shape(&[2, 2]).unwrap()));
    // One block: of several that are read in parallel, any may be the first to fail.
    let crop = broken.crop(&Roi::new([2, 0], [2, 2]).unwrap()).unwrap();
    let error = crop.read(crop.roi()).unwrap_err();
    assert_eq!(error.to_string(), "block [2:4, 0:2]");
    let cause = std::error::Error::source(&error).unwrap();
    assert_eq!(cause.to_string(), "the disk is gone");
    let ArrayError::NotWritable { .. } =
        crop.write(crop.roi(), &ArrayD::<u8>::zeros(vec![4, 4]).view().into()).unwrap_err()
    else {
        panic!("a crop of a source that cannot be written cannot be written")
    };
}

/// An array that sets a flag as soon as one of its blocks is read.
#[derive(Debug)]
struct Stopping<'a> {
    array: MemoryArray,
    stop: &'a AtomicBool,
    blocks: AtomicUsize,
}

impl Array for Stopping<'_> {
    fn info(&self) -> &ArrayInfo {
        self.array.info()
    }

    fn visit(
        &self,
        window: &geometry::Window,
        visitor: &mut array_core::Visitor<'_>,
    ) -> Result<(), ArrayError> {
        self.blocks.fetch_add(1, Ordering::Relaxed);
        self.stop.store(true, Ordering::Relaxed);
        self.array.visit(window, visitor)
    }

    fn kind(&self) -> &'static str {
        "a stopping array"
    }
}

#[test]
fn a_read_that_is_stopped_begins_no_more_blocks() {
    let info = ArrayInfo::new(DType::U8, &["x"], &[1000], grid(&[0], &[1])).unwrap();
    let info = info.with_block_shape(&[1]).unwrap();
    let array = MemoryArray::new(info, ArrayD::<u8>::from_elem(vec![1000], 7)).unwrap();
    let stop = AtomicBool::new(false);
    let stopping = Stopping { array, stop: &stop, blocks: AtomicUsize::new(0) };
    let interruptible = Interruptible::new(&stopping, &stop);
    let read = interruptible.read_as::<u8>(stopping.roi()).unwrap();
    // Each thread may have begun one block before it saw the flag.
    let blocks = stopping.blocks.load(Ordering::Relaxed);
    assert!((1..=rayon::current_num_threads()).contains(&blocks), "{blocks} blocks");
    assert_eq!(read.iter().filter(|&&voxel| voxel == 7).count(), blocks);

    let many = interruptible.read_many(&[*stopping.roi(), *stopping.roi()]).unwrap();
    assert!(many.iter().all(|read| *read == AnyArray::zeros(DType::U8, &[1000]).unwrap()));
    stop.store(false, Ordering::Relaxed);
    check_contract(&Interruptible::new(&stopping.array, &stop));
}

/// How an array breaks the contract.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Of parts it reads this instead.
    PartsAre(Scalar),
    /// What is written is lost.
    LosesWrites,
}

/// An array that breaks the contract.
#[derive(Debug)]
struct Wrong(MemoryArray, Fault);

impl Array for Wrong {
    fn info(&self) -> &ArrayInfo {
        self.0.info()
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        self.0.visit(window, visitor)
    }

    fn read_into(&self, window: &Window, mut out: Output<'_>) -> Result<(), ArrayError> {
        match self.1 {
            Fault::PartsAre(value) if window.shape() != self.info().spatial_shape() => {
                out.fill(value)
            }
            _ => self.0.read_into(window, out),
        }
    }

    fn kind(&self) -> &'static str {
        "a wrong array"
    }

    fn as_writable(&self) -> Option<&dyn WritableArray> {
        Some(self)
    }
}

impl WritableArray for Wrong {
    fn write_window(&self, window: &Window, data: &AnyView<'_>) -> Result<(), ArrayError> {
        match self.1 {
            Fault::LosesWrites => Ok(()),
            Fault::PartsAre(_) => self.0.write_window(window, data),
        }
    }
}

#[test]
#[should_panic(expected = "after writing")]
fn an_array_that_loses_what_is_written_breaks_the_contract() {
    check_contract(&Wrong(array(&["y", "x"], &[5, 9], &[2, 4]), Fault::LosesWrites));
}

#[test]
#[should_panic(expected = "the part [")]
fn an_array_whose_parts_are_not_the_whole_breaks_the_contract() {
    let zero = Fault::PartsAre(Scalar::U32(0));
    check_contract(&Wrong(array(&["y", "x"], &[5, 9], &[2, 4]), zero));
}

/// Numbers, or none, as floating point values.
fn floats<T: Element>(value: T) -> MemoryArray
where
    AnyArray: From<ArrayD<T>>,
{
    let info = ArrayInfo::new(T::DTYPE, &["y", "x"], &[5, 9], grid(&[0, 0], &[8, 4])).unwrap();
    let voxels = ArrayD::from_elem(vec![5, 9], value);
    MemoryArray::new(info.with_block_shape(&[2, 4]).unwrap(), voxels).unwrap()
}

#[test]
fn voxels_that_are_no_numbers_keep_the_contract() {
    check_contract(&floats(f32::NAN));
    check_contract(&floats(f64::NAN));
    check_contract(&floats(0.25_f32));
    check_contract(&floats(0.25_f64));
}

#[test]
#[should_panic(expected = "the part [")]
fn an_array_that_reads_no_number_for_a_number_breaks_the_contract() {
    check_contract(&Wrong(floats(0.25_f32), Fault::PartsAre(Scalar::F32(f32::NAN))));
}

#[test]
#[should_panic(expected = "the part [")]
fn an_array_that_reads_another_number_breaks_the_contract() {
    check_contract(&Wrong(floats(0.25_f64), Fault::PartsAre(Scalar::F64(0.5))));
}
