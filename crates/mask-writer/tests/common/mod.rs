//! What the tests share: labels, masks of them, and slow models.

#![allow(dead_code, unreachable_pub, reason = "each file of tests uses a part of this")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use annotation_mask::{Group, Groups, MaskAndTarget, MaskOptions};
use array_core::{Array, ArrayError, ArrayInfo, DType, MemoryArray, Visitor};
use geometry::{Coordinate, LengthUnit, VoxelGrid, VoxelSize, Window, WorldUnit};
use ndarray::{Array3, ArrayD, IxDyn};

/// Every file and folder below a folder, with the bytes of the files.
pub type Listing = BTreeMap<PathBuf, Option<Vec<u8>>>;

pub fn listing(folder: &Path) -> Listing {
    let (mut found, mut folders) = (Listing::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_owned();
            found.insert(name, path.is_file().then(|| fs::read(&path).unwrap()));
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    found
}

/// Labels in runs and without a period, with a corner in which there are none.
pub fn labels(shape: [usize; 3]) -> Array3<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    Array3::from_shape_fn(shape, |(z, y, x)| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if z < 4 && y < 6 && x < 5 { 0 } else { u8::try_from((state >> 40) % 5).unwrap() }
    })
}

pub fn memory(labels: &Array3<u8>, blocks: &[usize]) -> MemoryArray {
    let sizes = VoxelSize::new(Coordinate::from([262, 200, 250])).unwrap();
    let grid = VoxelGrid::new(Coordinate::from([1_328_229, -400, 50]), sizes).unwrap();
    let info = ArrayInfo::new(DType::U8, &["z", "y", "x"], labels.shape(), grid)
        .unwrap()
        .with_unit(WorldUnit::new(LengthUnit::Nanometer, 2).unwrap())
        .with_block_shape(blocks)
        .unwrap();
    MemoryArray::new(info, labels.clone().into_dyn()).unwrap()
}

pub fn pair(labels: &Array3<u8>) -> MaskAndTarget<MemoryArray> {
    pair_with(labels, &["a", "b", "c"])
}

pub fn pair_with(labels: &Array3<u8>, names: &[&str]) -> MaskAndTarget<MemoryArray> {
    pair_of(Arc::new(memory(labels, &[4, 6, 5])), names)
}

pub fn pair_of<A: Array>(labels: Arc<A>, names: &[&str]) -> MaskAndTarget<A> {
    let groups: Vec<Group> = names
        .iter()
        .zip([vec![1], vec![2, 3], vec![]])
        .map(|(name, ids)| Group::new(*name, ids))
        .collect();
    let groups = Groups::new(groups).unwrap();
    MaskAndTarget::new(labels, &groups, &MaskOptions::default(), 0).unwrap()
}

/// Labels that count how many voxels were read, as whole blocks.
#[derive(Debug)]
pub struct Counting {
    inner: MemoryArray,
    voxels: AtomicUsize,
}

impl Counting {
    pub fn new(labels: &Array3<u8>, blocks: &[usize]) -> Arc<Self> {
        Arc::new(Self { inner: memory(labels, blocks), voxels: AtomicUsize::default() })
    }

    pub fn forget(&self) {
        self.voxels.store(0, Ordering::Relaxed);
    }

    pub fn voxels_in_blocks(&self) -> usize {
        self.voxels.load(Ordering::Relaxed)
    }
}

impl Array for Counting {
    fn info(&self) -> &ArrayInfo {
        self.inner.info()
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        let info = self.inner.info();
        let axes = window.start().iter().zip(window.stop()).zip(info.block_shape());
        let voxels: usize = axes
            .zip(info.spatial_shape())
            .map(|(((&start, &stop), &block), &extent)| {
                (stop.div_ceil(block) * block).min(extent) - start / block * block
            })
            .product();
        self.voxels.fetch_add(voxels, Ordering::Relaxed);
        self.inner.visit(window, visitor)
    }

    fn kind(&self) -> &'static str {
        "labels that count"
    }
}

/// A level of an image, voxel by voxel of the first level.
pub fn reduced(first: &ArrayD<f32>, factor: usize, how: &str) -> ArrayD<f32> {
    let shape: Vec<usize> = first
        .shape()
        .iter()
        .enumerate()
        .map(|(axis, &extent)| if axis == 0 { extent } else { extent / factor })
        .collect();
    let count = factor * factor * factor;
    ArrayD::from_shape_fn(IxDyn(&shape), |index| {
        let mut ones = 0;
        for (z, y, x) in ndarray::indices((factor, factor, factor)) {
            let place =
                [index[0], index[1] * factor + z, index[2] * factor + y, index[3] * factor + x];
            ones += usize::from(first[IxDyn(&place)] > 0.5);
        }
        let one = |is_one: bool| if is_one { 1.0 } else { 0.0 };
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let share = ones as f32 / count as f32;
        match how {
            "all" => one(ones == count),
            "any" => one(ones > 0),
            "mode" => one(2 * ones > count),
            _ => share,
        }
    })
}
