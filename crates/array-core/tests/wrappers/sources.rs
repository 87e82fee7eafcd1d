//! Sources for the tests of wrappers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use array_core::{
    AnyView, Array, ArrayError, ArrayExt, ArrayInfo, Block, DType, MemoryArray, Scalar, Visitor,
};
use geometry::{Coordinate, VoxelGrid, VoxelSize, Window};
use ndarray::{ArrayD, IxDyn};
use serde_json::json;

pub(crate) fn grid(offset: &[i64], voxel_size: &[i64]) -> VoxelGrid {
    let voxel_size = VoxelSize::new(Coordinate::new(voxel_size).unwrap()).unwrap();
    VoxelGrid::new(Coordinate::new(offset).unwrap(), voxel_size).unwrap()
}

/// A counter in every element, so that a wrong place is seen.
pub(crate) fn counting(shape: &[usize]) -> ArrayD<u32> {
    let len = shape.iter().product::<usize>();
    ArrayD::from_shape_vec(IxDyn(shape), (1..).take(len).collect()).unwrap()
}

/// Voxels of 240 x 48 x 36 from a corner that is no multiple of that.
fn info(axes: &[&str], shape: &[usize], block_shape: &[usize]) -> ArrayInfo {
    let dims = block_shape.len();
    let grid = grid(&[-480, 96, 7][..dims], &[240, 48, 36][..dims]);
    let info = ArrayInfo::new(DType::U32, axes, shape, grid).unwrap();
    info.with_block_shape(block_shape).unwrap()
}

pub(crate) fn array(axes: &[&str], shape: &[usize], block_shape: &[usize]) -> MemoryArray {
    MemoryArray::new(info(axes, shape, block_shape), counting(shape)).unwrap()
}

/// An array of which every second block is constant and not decoded, and that counts its visits.
#[derive(Debug)]
pub(crate) struct Sparse {
    info: ArrayInfo,
    voxels: ArrayD<u32>,
    visits: AtomicUsize,
}

impl Sparse {
    pub(crate) fn new(axes: &[&str], shape: &[usize], block_shape: &[usize]) -> Self {
        let attrs = json!({"labels": [], "made": "here"}).as_object().cloned().unwrap();
        let info = info(axes, shape, block_shape).with_attrs(Arc::new(attrs));
        let mut voxels = counting(shape);
        for (index, value) in voxels.indexed_iter_mut() {
            let index: Vec<usize> = (0..shape.len()).map(|axis| index[axis]).collect();
            if let Some(constant) = constant_of(&info, &index[info.channel_dims()..]) {
                *value = constant;
            }
        }
        Self { info, voxels, visits: AtomicUsize::new(0) }
    }

    /// How often a window was visited.
    pub(crate) fn visits(&self) -> usize {
        self.visits.load(Ordering::SeqCst)
    }
}

/// The value of the block that holds a voxel, if that block is constant.
fn constant_of(info: &ArrayInfo, voxel: &[usize]) -> Option<u32> {
    let blocks = (0..voxel.len()).map(|axis| info.blocks().index_of(axis, voxel[axis]));
    let sum: usize = blocks.sum();
    (sum % 2 == 1).then(|| u32::try_from(40 + sum).unwrap())
}

impl Array for Sparse {
    fn info(&self) -> &ArrayInfo {
        &self.info
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        self.visits.fetch_add(1, Ordering::SeqCst);
        let last: Vec<usize> = window.stop().iter().map(|stop| stop - 1).collect();
        let index = |voxel: &[usize]| -> Vec<usize> {
            (0..voxel.len()).map(|axis| self.info.blocks().index_of(axis, voxel[axis])).collect()
        };
        let blocks: BTreeSet<_> = [index(window.start()), index(&last)].into();
        if let (1, Some(value)) = (blocks.len(), constant_of(&self.info, window.start())) {
            return visitor(Block::Constant(Scalar::U32(value)));
        }
        let mut view = AnyView::from(self.voxels.view());
        for (axis, (&start, &len)) in window.start().iter().zip(window.shape()).enumerate() {
            view = view.slice_axis(self.info.channel_dims() + axis, start, len);
        }
        visitor(Block::Voxels(view))
    }

    fn kind(&self) -> &'static str {
        "a sparse array"
    }
}

/// A source that fails when it is read.
#[derive(Debug)]
pub(crate) struct Broken(ArrayInfo);

impl Broken {
    /// Like a [`Sparse`] array of this shape.
    pub(crate) fn new(axes: &[&str], shape: &[usize], block_shape: &[usize]) -> Self {
        let attrs = Arc::new(json!({"labels": []}).as_object().cloned().unwrap());
        Self(info(axes, shape, block_shape).with_attrs(attrs))
    }
}

impl Array for Broken {
    fn info(&self) -> &ArrayInfo {
        &self.0
    }

    fn visit(&self, window: &Window, _visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        Err(ArrayError::source(format!("block {window}"), "the disk is gone"))
    }

    fn kind(&self) -> &'static str {
        "a broken array"
    }
}

/// All voxels of an array of `u32`.
pub(crate) fn read(array: &dyn Array) -> ArrayD<u32> {
    array.read_as::<u32>(array.roi()).unwrap()
}
