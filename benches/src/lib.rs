//! Inputs of the benchmarks: the same volumes on every machine, in memory and in Zarr.

use std::path::Path;
use std::sync::Arc;

use annotation_mask::{Group, Groups, LabelId};
use array_core::{AnyArray, Array, ArrayExt, ArrayInfo, DType, MemoryArray};
use geometry::{Coordinate, Roi, VoxelGrid, VoxelSize};
use ndarray::ArrayD;
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use zarr_source::{Compression, ImageOptions, OpenOptions, Staging, ZarrArray, ZarrFormat};

/// The extent of the volumes along each axis, in voxels.
pub const SIDE: usize = 256;

/// The extent of a chunk along each axis, in voxels.
pub const CHUNK: usize = 64;

/// The voxels of a volume.
pub const VOXELS: u64 = (SIDE * SIDE * SIDE) as u64;

/// The largest label id.
const MAX_ID: u64 = 48;

/// A type of labels, with the name that reports give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labels {
    /// uint8
    U8,
    /// uint64
    U64,
}

impl Labels {
    /// All types that are measured.
    pub const ALL: [Self; 2] = [Self::U8, Self::U64];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::U8 => "u8",
            Self::U64 => "u64",
        }
    }
}

/// Compressions of the stored volumes, with the name that reports give them.
const COMPRESSIONS: [(&str, Compression); 2] =
    [("blosc-lz4", Compression::BloscLz4 { level: 5 }), ("zstd", Compression::Zstd { level: 3 })];

/// A label volume in memory: balls of about 40 voxels, ids 1 to 48, nearly half of it labelled.
///
/// # Panics
///
/// Never: all parts fit together.
#[must_use]
fn volume(labels: Labels) -> MemoryArray {
    let ids: Vec<u8> = (0..SIDE * SIDE * SIDE).into_par_iter().map(id_at).collect();
    let shape = vec![SIDE; 3];
    let fits = "one id for each voxel";
    let (dtype, voxels): (_, AnyArray) = match labels {
        Labels::U8 => (DType::U8, ArrayD::from_shape_vec(shape, ids).expect(fits).into()),
        Labels::U64 => {
            let ids: Vec<u64> = ids.into_iter().map(u64::from).collect();
            (DType::U64, ArrayD::from_shape_vec(shape, ids).expect(fits).into())
        }
    };
    MemoryArray::new(info(dtype), voxels).expect("the description is that of the voxels")
}

/// The same volume in a Zarr container in `folder`.
///
/// # Panics
///
/// If the folder cannot be written.
#[must_use]
fn stored(volume: &MemoryArray, compression: Compression, folder: &Path) -> Arc<ZarrArray> {
    let path = folder.join("crop.zarr");
    let staging = Staging::new(&path, true).expect("the folder can be written");
    let options = ImageOptions {
        zarr_format: ZarrFormat::V3,
        chunk_shape: Some(vec![CHUNK; 3]),
        compression,
        attrs: attrs(),
        ..ImageOptions::default()
    };
    let info = info(volume.dtype());
    let image = staging.create_image("labels", &info, &options).expect("an image is created");
    let voxels = volume.data().expect("a volume in memory has data");
    image.write(volume.roi(), &voxels.view()).expect("the voxels are written");
    staging.commit(&Map::new()).expect("the container is complete");
    let options = OpenOptions::default();
    Arc::new(ZarrArray::open_with(path.join("labels/s0"), &options).expect("it can be opened"))
}

/// Calls `bench` with the volume of each label type: in memory, and stored with each compression.
///
/// # Panics
///
/// If no temporary folder can be written.
pub fn for_each_source(mut bench: impl FnMut(Labels, &str, Arc<dyn Array>)) {
    for labels in Labels::ALL {
        let memory = Arc::new(volume(labels));
        bench(labels, "memory", memory.clone());
        for (name, compression) in COMPRESSIONS {
            let folder = tempfile::tempdir().expect("a temporary folder can be made");
            bench(labels, name, stored(&memory, compression, folder.path()));
        }
    }
}

/// `count` groups of three ids; every third has an id that was not annotated.
///
/// # Panics
///
/// Never: the names differ.
#[must_use]
pub fn groups(count: usize) -> Groups {
    let group = |index: usize| {
        let first = LabelId::try_from(index * 3).unwrap_or(0) % LabelId::from(MAX_ID) + 1;
        Group::new(format!("g{index}"), [first, first + 1, first + 2])
    };
    Groups::new((0..count).map(group).collect()).expect("the names differ")
}

/// `count` places of `extent`^3 voxels, anywhere in the volume.
///
/// # Panics
///
/// Never: the places lie in the volume.
#[must_use]
pub fn patches(count: usize, extent: usize) -> Vec<Roi> {
    let place = |seed: usize| {
        let room = (SIDE - extent + 1) as u64;
        i64::try_from(hash(seed) % room).unwrap_or(0) * 4
    };
    let extent = i64::try_from(extent * 4).unwrap_or(0);
    (0..count)
        .map(|k| {
            let offset = [place(3 * k), place(3 * k + 1), place(3 * k + 2)];
            Roi::new(offset, [extent; 3]).expect("a place in the volume")
        })
        .collect()
}

fn info(dtype: DType) -> ArrayInfo {
    let voxel_size = VoxelSize::new(Coordinate::from([4, 4, 4])).expect("positive");
    let grid = VoxelGrid::new(Coordinate::from([0, 0, 0]), voxel_size).expect("same dims");
    let attrs = Arc::new(attrs());
    let info = ArrayInfo::new(dtype, &["z", "y", "x"], &[SIDE; 3], grid).expect("small");
    info.with_block_shape(&[CHUNK; 3]).expect("positive").with_attrs(attrs)
}

/// Every ninth id was not annotated.
fn attrs() -> Map<String, Value> {
    let label = |id: u64| {
        json!({
            "value": id,
            "name": {"long": format!("class {id}"), "short": format!("c{id}")},
            "annotationState": {"present": true, "annotated": !id.is_multiple_of(9)},
        })
    };
    let labels: Value = (1..=MAX_ID).map(label).collect();
    [("labels".to_owned(), labels)].into_iter().collect()
}

/// The label of a voxel: that of the nearest ball centre, if it is near enough.
fn id_at(index: usize) -> u8 {
    const CELL: usize = 48;
    let place = [index / SIDE / SIDE, index / SIDE % SIDE, index % SIDE];
    let cell = place.map(|p| p / CELL);
    let mut best = (u64::MAX, 0);
    for dz in 0..3 {
        for dy in 0..3 {
            for dx in 0..3 {
                let Some(near) = neighbour(cell, [dz, dy, dx]) else { continue };
                let seed = (near[0] * 64 + near[1]) * 64 + near[2];
                let centre = [0, 1, 2]
                    .map(|axis| (near[axis] * CELL) as u64 + hash(seed * 3 + axis) % CELL as u64);
                let distance =
                    [0, 1, 2].map(|axis| (place[axis] as u64).abs_diff(centre[axis]).pow(2));
                let distance = distance.iter().sum();
                if distance < best.0 {
                    best = (distance, hash(seed + 77) % MAX_ID + 1);
                }
            }
        }
    }
    if best.0 < 20 * 20 { u8::try_from(best.1).unwrap_or(0) } else { 0 }
}

fn neighbour(cell: [usize; 3], step: [usize; 3]) -> Option<[usize; 3]> {
    let mut near = [0; 3];
    for axis in 0..3 {
        near[axis] = (cell[axis] + step[axis]).checked_sub(1)?;
    }
    Some(near)
}

/// A number from a number, without a pattern (the finaliser of splitmix64).
fn hash(seed: usize) -> u64 {
    let mut z = (seed as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
