//! Inputs of the benchmarks: the same volumes on every machine, in Zarr.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use annotation_mask::{Group, Groups, LabelId};
use array_core::{
    AnyArray, AnyViewMut, Array, ArrayError, ArrayExt, ArrayInfo, DType, fold_blocks,
};
use geometry::{Coordinate, Roi, VoxelGrid, VoxelSize, Window};
use ndarray::ArrayD;
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use zarr_source::{Compression, ImageOptions, OpenOptions, Staging, ZarrArray, ZarrFormat};

/// The extent of a chunk along each axis, in voxels.
pub const CHUNK: usize = 64;

/// The extent of a shard along each axis, in voxels.
const SHARD: usize = 256;

/// Volumes repeat after so many voxels along each axis.
const TILE: usize = 256;

/// The labels of one repetition.
static TILE_IDS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let place = |index: usize| [index / TILE / TILE, index / TILE % TILE, index % TILE];
    (0..TILE * TILE * TILE).into_par_iter().map(|index| id_at(place(index))).collect()
});

/// The largest label id.
const MAX_ID: u64 = 48;

/// A type of labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labels {
    /// uint8
    U8,
    /// uint64
    U64,
}

/// How a volume is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// With Blosc, LZ4 inside.
    Lz4,
    /// With Zstandard.
    Zstd,
    /// With Blosc, LZ4 inside, 64 chunks in each file.
    Shards,
}

/// A label volume: a cube of balls of about 40 voxels, with ids from 1 to 48.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Volume {
    /// The extent along each axis, in voxels.
    pub side: usize,
    /// The type of its labels.
    pub labels: Labels,
    /// How it is stored.
    pub stored: Stored,
    /// Whether nearly nothing is labelled, instead of nearly half of it.
    pub sparse: bool,
}

impl Volume {
    /// The volume of labels everywhere.
    #[must_use]
    pub const fn dense(side: usize, labels: Labels, stored: Stored) -> Self {
        Self { side, labels, stored, sparse: false }
    }

    /// Its name in reports, such as `512-u8-lz4`.
    #[must_use]
    pub fn name(&self) -> String {
        let labels = match self.labels {
            Labels::U8 => "u8",
            Labels::U64 => "u64",
        };
        let stored = match self.stored {
            Stored::Lz4 => "lz4",
            Stored::Zstd => "zstd",
            Stored::Shards => "shards",
        };
        let sparse = if self.sparse { "-sparse" } else { "" };
        format!("{}-{labels}-{stored}{sparse}", self.side)
    }

    /// The volume of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let side = name.split('-').next()?.parse().ok()?;
        let sharded = [Labels::U8, Labels::U64].map(|l| Self::dense(side, l, Stored::Shards));
        let dense = volumes(side).chain(sharded);
        let all = dense.flat_map(|volume| [volume, Self { sparse: true, ..volume }]);
        all.into_iter().find(|volume| volume.name() == name)
    }

    /// The number of voxels.
    #[must_use]
    pub fn voxels(&self) -> u64 {
        (self.side as u64).pow(3)
    }

    /// Opens the volume in `folder`, where it is made if it is not there; layer by layer, so that one that
    /// is larger than memory can be made.
    ///
    /// # Panics
    ///
    /// If the folder cannot be written.
    #[must_use]
    pub fn open(&self, folder: &Path) -> Arc<ZarrArray> {
        let path = folder.join(format!("{}.zarr", self.name()));
        if !path.exists() {
            let staging = Staging::new(&path, false).expect("the folder can be written");
            let options = ImageOptions {
                zarr_format: ZarrFormat::V3,
                chunk_shape: Some(vec![CHUNK; 3]),
                compression: match self.stored {
                    Stored::Lz4 | Stored::Shards => Compression::BloscLz4 { level: 5 },
                    Stored::Zstd => Compression::Zstd { level: 3 },
                },
                shard_shape: (self.stored == Stored::Shards).then(|| vec![SHARD; 3]),
                attrs: attrs(),
                ..ImageOptions::default()
            };
            let image = staging.create_image("labels", &self.info(), &options);
            let image = image.expect("an image is created");
            // Whole files, so that none is written twice.
            let layer = if self.stored == Stored::Shards { SHARD } else { CHUNK };
            for z in (0..self.side).step_by(layer) {
                let depth = layer.min(self.side - z);
                let window = Window::new(&[z, 0, 0], &[depth, self.side, self.side]);
                let window = window.expect("a part of the volume");
                let roi = self.info().grid().roi(&window).expect("a part of the volume");
                let written = image.write(&roi, &self.layer(z, depth).view());
                written.expect("the voxels are written");
            }
            staging.commit(&Map::new()).expect("the container is complete");
        }
        let options = OpenOptions::default();
        Arc::new(ZarrArray::open_with(path.join("labels/s0"), &options).expect("it can be opened"))
    }

    /// The voxels from plane `z` on.
    fn layer(&self, z: usize, depth: usize) -> AnyArray {
        let (side, plane) = (self.side, self.side * self.side);
        let id = |index: usize| {
            let place = [index / plane, index / side % side, index % side].map(|p| p % TILE);
            let id = TILE_IDS[(place[0] * TILE + place[1]) * TILE + place[2]];
            if self.sparse && id != 1 { 0 } else { id }
        };
        let ids: Vec<u8> = (z * plane..(z + depth) * plane).into_par_iter().map(id).collect();
        let (shape, fits) = (vec![depth, side, side], "one id for each voxel");
        match self.labels {
            Labels::U8 => ArrayD::from_shape_vec(shape, ids).expect(fits).into(),
            Labels::U64 => {
                let ids: Vec<u64> = ids.into_par_iter().map(u64::from).collect();
                ArrayD::from_shape_vec(shape, ids).expect(fits).into()
            }
        }
    }

    fn info(&self) -> ArrayInfo {
        let dtype = match self.labels {
            Labels::U8 => DType::U8,
            Labels::U64 => DType::U64,
        };
        let voxel_size = VoxelSize::new(Coordinate::from([4, 4, 4])).expect("positive");
        let grid = VoxelGrid::new(Coordinate::from([0, 0, 0]), voxel_size).expect("same dims");
        let info = ArrayInfo::new(dtype, &["z", "y", "x"], &[self.side; 3], grid).expect("small");
        info.with_block_shape(&[CHUNK; 3]).expect("positive")
    }

    /// `count` places of `extent`^3 voxels, anywhere in the volume.
    ///
    /// # Panics
    ///
    /// If the volume is smaller than `extent`.
    #[must_use]
    pub fn patches(&self, count: usize, extent: usize) -> Vec<Roi> {
        let place = |seed: usize| {
            let room = (self.side - extent + 1) as u64;
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
}

/// The volumes that most benchmarks are about: each type of labels, stored in each way.
pub fn volumes(side: usize) -> impl Iterator<Item = Volume> {
    let stored =
        move |labels| [Stored::Lz4, Stored::Zstd].map(|stored| Volume::dense(side, labels, stored));
    [Labels::U8, Labels::U64].into_iter().flat_map(stored)
}

/// Writes every byte of `view`, in parallel and in order: the floor of whatever fills it.
///
/// # Panics
///
/// If the elements are no bytes, or not in C order.
pub fn touch(view: AnyViewMut<'_>) {
    let bytes = view.typed::<u8>().expect("bytes").into_slice().expect("in C order");
    bytes.par_chunks_mut(1 << 20).for_each(|part| part.fill(1));
}

/// A number that depends on every byte and its place, as `benches/peers/work.py` computes it: wrapping, in
/// little-endian words of 8 bytes, and only of whole words.
#[must_use]
pub fn checksum(bytes: &[u8]) -> u64 {
    const PART: usize = 8 << 20;
    let word = |(index, word): (usize, &[u8; 8])| {
        u64::from_le_bytes(*word).wrapping_mul(2 * index as u64 + 1)
    };
    let part = |(index, part): (usize, &[u8])| {
        let words = part.as_chunks().0.iter().enumerate().map(word);
        words.fold(0, u64::wrapping_add).wrapping_mul(weight(index))
    };
    bytes.par_chunks(PART).enumerate().map(part).reduce(|| 0, u64::wrapping_add)
}

/// What the checksum of the part at `index` of a result counts.
#[must_use]
pub fn weight(index: usize) -> u64 {
    hash(index) | 1
}

/// Decodes every chunk that `window` meets, in parallel, and does nothing with it.
///
/// # Panics
///
/// If a chunk cannot be read.
pub fn decode(array: &ZarrArray, window: &Window) {
    let work = |window: &Window, ()| array.visit(window, &mut |_| Ok(()));
    let blocks = array.info().blocks();
    fold_blocks::<_, _, ArrayError>(window, blocks, (), &work, &|(), ()| ())
        .expect("the volume can be read");
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
fn id_at(place: [usize; 3]) -> u8 {
    const CELL: usize = 48;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_tells_places_apart_also_in_different_parts() {
        let mut bytes = vec![0; 24 << 20];
        let sums = [0, 1, 8, 8 << 20, 16 << 20].map(|place| {
            bytes[place] = 1;
            let sum = checksum(&bytes);
            bytes[place] = 0;
            sum
        });
        // The second is in the second byte of a word, the third in the second word.
        let [first, second, third] = [0, 1, 2].map(weight);
        let three = first.wrapping_mul(3);
        assert_eq!(sums, [first, first.wrapping_mul(256), three, second, third]);
    }

    #[test]
    fn a_volume_is_found_by_its_name() {
        for name in ["512-u8-lz4", "256-u64-zstd", "256-u8-shards", "1024-u64-lz4-sparse"] {
            assert_eq!(Volume::named(name).unwrap().name(), name);
        }
        assert_eq!(Volume::named("512-u16-lz4"), None);
    }
}
