//! Zarr arrays as sources and sinks of volumes.
//!
//! [`ZarrArray`] is an [`array_core::Array`] over an array of Zarr, version 2 or 3, or of N5;
//! [`Staging`] writes containers that appear as a whole or not at all; [`ZarrGroup`] reads the
//! attributes of groups.
//!
//! # Where the voxels lie
//!
//! Many programs write voxel sizes and offsets, each in its own way. The first place that has a voxel
//! size wins:
//!
//! 1. [`OpenOptions`], which the caller gives;
//! 2. `voxel_size`, `resolution` or `scale` of the array, with `offset` (funlib.persistence, DaCapo);
//! 3. `transform` of the array (COSEM);
//! 4. the entry for the array in `multiscales` of an enclosing group (OME-NGFF to 0.5, COSEM);
//! 5. `pixelResolution` of the array, which counts x, y, z, times its own `downsamplingFactors`;
//! 6. for an array `sN`, `pixelResolution` of a group around it, times entry N of `scales` or
//!    `downsamplingFactors`, or times the level's own (n5-viewer, Neuroglancer, BigDataViewer);
//! 7. `resolution` and `offset` of the group that holds the array, unless that is a later scale level `sN`
//!    (old versions of DaCapo);
//! 8. `dimension_units` of the array, for all axes (Neuroglancer).
//!
//! An offset comes from the same place, except that the array's own `offset` outranks all others. It is
//! the first *corner* of voxel 0, but the *centre* in 3 and 4: there, without a translation the centre
//! of voxel 0 is the origin, and its corner lies half a voxel before that. Otherwise it is 0. Nothing found
//! is [`ZarrError::NoGeometry`]: there is no silent voxel size of 1. [`ZarrArray::geometry_report`] tells
//! which place won and which others disagree.
//!
//! In N5, every list of an array or group counts x first and is turned into array order, except in
//! `transform` and `multiscales`, which have an order of their own, and beside `axis_names` that are in array
//! order, as funlib.persistence writes them from version 0.5 on.
//!
//! The enclosing groups are those whose folders follow each other upwards; only between the array and the
//! nearest of them may lie folders without metadata. One that cannot be read is an error. In N5, folders
//! without metadata are groups.
//!
//! Numbers are exact decimals, and the array's [`geometry::WorldUnit`] is the fraction of its unit in
//! which they are integers. The order of elements in memory never reverses metadata. Lists may be for the
//! spatial axes or for all; channel axes come first and have no place in the world.
//!
//! # Scale levels
//!
//! A group that is an image opens as its first level, or as the [`Level`] that [`OpenOptions`] names;
//! [`ZarrGroup::levels`] lists them. They are those in `multiscales`, those that a group lists factors for, or
//! the arrays `s0`, `s1` and so on in it. Levels of n5-viewer, Neuroglancer and BigDataViewer have no offset
//! and all begin at the same corner, as in these programs. Where `multiscales` place a level elsewhere than
//! downsampling explains, a warning says so.
//!
//! # Where containers lie
//!
//! In a folder, in a zip archive (`crop.zarr.zip/labels/s0`), or, with the feature `remote`, behind a URL that
//! begins with `http://`, `https://` or `s3://`, also in an archive there. A [`Location`] is either. Errors,
//! logs and [`ZarrMetadata`] show URLs without users, passwords and queries. [`StoreOptions`] tell where
//! credentials for S3 come from, how long requests may take and how often they are made again.
//!
//! What a server does not find is not stored, and a chunk of that kind has the fill value. What it refuses
//! is an error, although S3 also refuses what is not stored to those who may not list the bucket. Above an array,
//! what is refused ends the container. Behind a URL, the first folder called `.zarr` or `.n5` is the root.
//!
//! Consolidated metadata of the root answer for all below it, except in a folder, where the files themselves
//! count. They also list what is there, as do archives and S3. HTTP servers do not: there, what metadata name
//! (scale levels, label images, the classes of a crop) is looked for, and else [`ZarrError::NotListable`] says
//! so.
//!
//! # Reading and writing
//!
//! A block is a chunk, or one of the chunks in a shard. A chunk that is not stored is constant, and
//! nothing is decoded for it. What cannot be read is an error that names the codec, the type, the key or
//! the chunk. Opening and reading never create or change a file.
//!
//! Chunk keys, codecs and shards are those of the zarrs crate, compressors with limits. No public item names it;
//! inside, only the modules `store`, `spec`, `chunks`, `shard` and `codecs` do. Requests are those of
//! object_store, and zip archives are read by rc-zip.
//!
//! Nothing is believed before it is checked: no codec decodes to more than the metadata say, no file is read that is
//! far larger than a chunk, no document above 64 MiB. Links are followed wherever they lead, but never in circles; one
//! that leads nowhere is an error. Only regular files are read.
//!
//! Writing replaces files as a whole: a read at the same time sees the old or the new chunk. Threads may
//! write to one array at the same time, processes only if they share no chunk (or shard). Nothing is
//! flushed to the disk by force, so a machine that stops may lose what was written last.
//!
//! ```
//! use array_core::{Array, ArrayExt, ArrayInfo, DType};
//! use geometry::{Coordinate, LengthUnit, Roi, VoxelGrid, VoxelSize, WorldUnit};
//! use zarr_source::{ImageOptions, Staging, ZarrArray, ZarrFormat};
//!
//! // Voxels of 2.62 x 2 nm, counted in units of 0.01 nm.
//! let folder = tempfile::tempdir()?;
//! let unit = WorldUnit::new(LengthUnit::Nanometer, 2)?;
//! let grid = VoxelGrid::new(Coordinate::from([1310, 0]), VoxelSize::new(Coordinate::from([262, 200]))?)?;
//! let info = ArrayInfo::new(DType::U8, &["y", "x"], &[2, 3], grid)?.with_unit(unit);
//!
//! let staging = Staging::new(folder.path().join("crop.zarr"), false)?;
//! let options = ImageOptions { zarr_format: ZarrFormat::V3, ..ImageOptions::default() };
//! let labels = staging.create_image("labels/all", &info, &options)?;
//! labels.write(labels.roi(), &ndarray::array![[1_u8, 2, 3], [4, 5, 6]].view().into_dyn().into())?;
//! let target = staging.commit(&serde_json::Map::new())?;
//!
//! let labels = ZarrArray::open(target.join("labels/all/s0"))?;
//! assert_eq!(labels.info().unit().to_string(), "0.01 nm");
//! assert_eq!(labels.geometry_report().voxel_size_source.to_string(), "own voxel_size");
//! let last_row = Roi::new([1572, 0], [262, 600])?;
//! assert_eq!(labels.read_as::<u8>(&last_row)?, ndarray::array![[4, 5, 6]].into_dyn());
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod array;
mod chunks;
mod codecs;
mod elements;
mod encoded;
mod error;
mod group;
mod image;
mod json;
mod levels;
mod locate;
mod location;
mod memory;
mod metadata;
mod n5;
mod node;
mod opened;
mod options;
mod place;
mod read;
mod remark;
mod shard;
mod spec;
mod staging;
mod store;
mod tree;
mod virtual_image;
mod write;

pub use array::ZarrArray;
pub use encoded::{ChunkWriter, EncodedChunk};
pub use error::ZarrError;
pub use group::ZarrGroup;
pub use image::{CodecError, Compression, ImageOptions};
pub use levels::{Level, LevelInfo};
pub use location::Location;
pub use metadata::ZarrMetadata;
pub use node::ZarrFormat;
pub use opened::ZarrNode;
pub use options::OpenOptions;
pub use place::{Convention, GeometryReport, GeometrySource};
pub use remark::{Remark, RemarkKind};
pub use spec::MemoryOrder;
pub use staging::Staging;
pub use store::StoreOptions;
pub use tree::{TreeArray, TreeKind, TreeNode, ZarrTree};
pub use virtual_image::VirtualImage;
