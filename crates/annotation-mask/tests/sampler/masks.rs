//! Masks, and a slow model of their valid patches.

use std::sync::atomic::{AtomicUsize, Ordering};

use array_core::{
    Array, ArrayError, ArrayExt, ArrayInfo, Block, BlockGrid, DType, MemoryArray, Scalar, Visitor,
};
use geometry::{Coordinate, Roi, VoxelGrid, VoxelSize, Window};
use ndarray::{ArrayD, IxDyn, Slice};

/// What a mask of `shape` (channels first) is, at a corner that is not zero.
pub(crate) fn info(shape: &[usize], blocks: BlockGrid) -> ArrayInfo {
    let dims = shape.len() - 1;
    let voxel_size = Coordinate::new(&[5, 8, 4, 3][4 - dims..]).unwrap();
    let offset = Coordinate::new(&[20, -16, 240, 7][4 - dims..]).unwrap();
    let grid = VoxelGrid::new(offset, VoxelSize::new(voxel_size).unwrap()).unwrap();
    let axes = [&["c"], &["w", "z", "y", "x"][4 - dims..]].concat();
    ArrayInfo::new(DType::U8, &axes, shape, grid).unwrap().with_blocks(blocks).unwrap()
}

/// A mask whose blocks are constants where all of their voxels are alike, as those of stored masks may be,
/// and which counts how often it is read.
#[derive(Debug)]
pub(crate) struct Mask {
    voxels: MemoryArray,
    reads: AtomicUsize,
}

impl Mask {
    /// A mask of these values, in blocks of which the first may begin before the mask.
    pub(crate) fn new(values: &ArrayD<u8>, block_shape: &[usize], inside: &[usize]) -> Self {
        let blocks = BlockGrid::new(block_shape).unwrap().behind(inside).unwrap();
        let info = info(values.shape(), blocks);
        let voxels = MemoryArray::new(info, values.clone()).unwrap();
        Self { voxels, reads: AtomicUsize::new(0) }
    }

    pub(crate) fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }
}

impl Array for Mask {
    fn info(&self) -> &ArrayInfo {
        self.voxels.info()
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.voxels.visit(window, &mut |block| {
            let Block::Voxels(view) = &block else { return visitor(block) };
            let values = view.typed::<u8>()?;
            match values.first() {
                Some(&first) if values.iter().all(|&value| value == first) => {
                    visitor(Block::Constant(Scalar::U8(first)))
                }
                _ => visitor(block),
            }
        })
    }

    fn kind(&self) -> &'static str {
        "a mask of a test"
    }
}

/// The same mask, stored in another memory order.
pub(crate) fn f_order(values: &ArrayD<u8>) -> ArrayD<u8> {
    values.t().as_standard_layout().into_owned().reversed_axes()
}

/// For each position, in C order, the known values of its patch over some channels.
pub(crate) fn counts(values: &ArrayD<u8>, channels: &[usize], patch: &[usize]) -> ArrayD<u64> {
    let starts: Vec<usize> =
        values.shape()[1..].iter().zip(patch).map(|(voxels, patch)| voxels - patch + 1).collect();
    ArrayD::from_shape_fn(IxDyn(&starts), |start| {
        let part = values.slice_each_axis(|axis| match axis.axis.index() {
            0 => Slice::from(..),
            axis => Slice::from(start[axis - 1]..start[axis - 1] + patch[axis - 1]),
        });
        let known = |&channel: &usize| {
            part.index_axis(ndarray::Axis(0), channel).iter().map(|&v| u64::from(v)).sum::<u64>()
        };
        channels.iter().map(known).sum()
    })
}

/// The position of a patch that was drawn, which must be one.
pub(crate) fn start_of(mask: &dyn Array, roi: &Roi, patch: &[usize]) -> Vec<usize> {
    let window = mask.slices(roi).unwrap();
    assert_eq!(window.shape(), patch);
    window.start().to_vec()
}

/// Values that look random, but are not: about `percent` of 100 are ones.
pub(crate) fn noise(shape: &[usize], percent: u64, seed: u64) -> ArrayD<u8> {
    let mut state = seed;
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        // The steps of SplitMix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u8::from((mixed ^ (mixed >> 31)) % 100 < percent)
    })
}
