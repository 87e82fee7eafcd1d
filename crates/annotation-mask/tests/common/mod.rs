//! Arrays for tests.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![allow(dead_code, reason = "each file of tests needs some of it")]

use std::sync::Arc;

use annotation_mask::{AnnotationType, ClassAnnotation, ClassState, CropClass, Encoding, LabelId};
use array_core::{AnyArray, Array, ArrayInfo, Block, DType, MemoryArray, Scalar};
use geometry::{Coordinate, VoxelGrid, VoxelSize, Window};
use ndarray::{ArrayD, IxDyn};
use serde_json::{Map, Value};

/// The last `dims` of the axes z, y, x.
pub(crate) fn axes(dims: usize) -> &'static [&'static str] {
    &["z", "y", "x"][3 - dims..]
}

/// What an array of `shape` is, at a corner that is not zero.
pub(crate) fn info(dtype: DType, shape: &[usize], block_shape: &[usize]) -> ArrayInfo {
    let dims = shape.len();
    let voxel_size = Coordinate::new(&[8, 4, 3][3 - dims..]).unwrap();
    let offset = Coordinate::new(&[-16, 240, 7][3 - dims..]).unwrap();
    let grid = VoxelGrid::new(offset, VoxelSize::new(voxel_size).unwrap()).unwrap();
    let info = ArrayInfo::new(dtype, axes(dims), shape, grid).unwrap();
    info.with_block_shape(block_shape).unwrap()
}

/// Attributes from a JSON object.
pub(crate) fn attrs(value: &Value) -> Arc<Map<String, Value>> {
    Arc::new(value.as_object().unwrap().clone())
}

/// An array of these values, in C order of their indices.
pub(crate) fn array(info: ArrayInfo, values: &[LabelId], f_order: bool) -> MemoryArray {
    let shape = info.shape().to_vec();
    macro_rules! typed {
        ($($variant:ident: $type:ty),+) => {
            match info.dtype() {
                $(DType::$variant => {
                    let values = values.iter().map(|&v| <$type>::try_from(v).unwrap()).collect();
                    AnyArray::from(ordered::<$type>(&shape, values, f_order))
                })+
                DType::Bool => {
                    let values = values.iter().map(|&v| v == 1).collect();
                    AnyArray::from(ordered::<bool>(&shape, values, f_order))
                }
                DType::F32 | DType::F64 => unreachable!("labels are integers"),
            }
        };
    }
    let voxels = typed!(U8: u8, U16: u16, U32: u32, U64: u64, I8: i8, I16: i16, I32: i32, I64: i64);
    MemoryArray::new(info, voxels).unwrap()
}

fn ordered<T: Clone>(shape: &[usize], values: Vec<T>, f_order: bool) -> ArrayD<T> {
    let array = ArrayD::from_shape_vec(IxDyn(shape), values).unwrap();
    if f_order { array.t().as_standard_layout().into_owned().reversed_axes() } else { array }
}

/// absent 0, present 1, unknown 255
pub(crate) fn semantic() -> Encoding {
    let states = [(0, ClassState::Absent), (1, ClassState::Present), (255, ClassState::Unknown)];
    Encoding::new(AnnotationType::Semantic, states).unwrap()
}

/// absent 0, unknown 255, everything else an object
pub(crate) fn instances() -> Encoding {
    let states = [(0, ClassState::Absent), (255, ClassState::Unknown)];
    Encoding::new(AnnotationType::Instance, states).unwrap()
}

/// A class of uint8 voxels along one axis.
pub(crate) fn row(name: &str, voxels: &[u8], encoding: Encoding) -> CropClass<MemoryArray> {
    let values: Vec<LabelId> = voxels.iter().map(|&v| v.into()).collect();
    CropClass {
        name: name.to_owned(),
        array: array(info(DType::U8, &[voxels.len()], &[4]), &values, false),
        annotation: ClassAnnotation::new(encoding),
    }
}

/// What a visitor is told of the whole, if it is told one value for all.
pub(crate) fn constant(array: &dyn Array) -> Option<Scalar> {
    let mut found = None;
    let whole = Window::full(array.info().spatial_shape()).unwrap();
    let mut look = |block: Block<'_>| {
        found = match block {
            Block::Constant(value) => Some(value),
            Block::Voxels(_) => None,
        };
        Ok(())
    };
    array.visit(&whole, &mut look).unwrap();
    found
}
