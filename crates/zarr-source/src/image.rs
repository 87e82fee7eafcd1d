//! Creating images: a group with OME-NGFF metadata (in N5, that of COSEM) and the arrays `s0`, `s1`, ...

mod attributes;
mod chunks;
mod n5;

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use array_core::ArrayInfo;
use serde_json::{Map, Value, json};

use crate::array::ZarrArray;
use crate::error::ZarrError;
use crate::n5::ATTRIBUTES;
use crate::node::ZarrFormat;
use crate::store::Container;

/// The name of the array of a scale level in its group.
pub(crate) fn array_name(level: usize) -> String {
    format!("s{level}")
}

/// How the chunks of an image are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// With Zstandard, which Zarr libraries, TensorStore and Neuroglancer read in both versions of Zarr.
    /// In N5, of which few readers know it, with gzip of that level, at most 9.
    Zstd {
        /// From 1 (fast) to 22 (small).
        level: u8,
    },
    /// With Blosc, LZ4 inside and bytes shuffled: the fastest to read.
    BloscLz4 {
        /// From 0 (not at all) to 9 (small).
        level: u8,
    },
    /// With gzip, which everything reads.
    Gzip {
        /// From 0 (not at all) to 9 (small).
        level: u8,
    },
}

impl Default for Compression {
    fn default() -> Self {
        Self::Zstd { level: 3 }
    }
}

/// The name of a codec, and its level if it is not the usual one: `zstd`, `blosc-lz4:9`, `none`.
impl FromStr for Compression {
    type Err = CodecError;

    fn from_str(text: &str) -> Result<Self, CodecError> {
        let error = |reason: String| CodecError { text: text.to_owned(), reason };
        let (name, level) = match text.split_once(':') {
            None => (text, None),
            Some((name, level)) => {
                let number = level.parse::<u8>();
                (name, Some(number.map_err(|_| error(format!("{level:?} is not a level")))?))
            }
        };
        let of = |usual: u8, levels: RangeInclusive<u8>| {
            let level = level.unwrap_or(usual);
            let (least, most) = (levels.start(), levels.end());
            let wrong = format!("{name} has the levels {least} to {most}, not {level}");
            if levels.contains(&level) { Ok(level) } else { Err(error(wrong)) }
        };
        match name {
            "zstd" => Ok(Self::Zstd { level: of(3, 1..=22)? }),
            "blosc-lz4" => Ok(Self::BloscLz4 { level: of(5, 0..=9)? }),
            "gzip" => Ok(Self::Gzip { level: of(6, 0..=9)? }),
            "none" if level.is_none() => Ok(Self::None),
            "none" => Err(error("none has no levels".to_owned())),
            _ => Err(error("it is none of zstd, blosc-lz4, gzip and none".to_owned())),
        }
    }
}

/// Text that is not the name of a codec.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a codec: {reason}")]
pub struct CodecError {
    text: String,
    reason: String,
}

/// How an image is stored.
///
/// ```
/// use zarr_source::{Compression, ImageOptions, ZarrFormat};
///
/// let options = ImageOptions { zarr_format: ZarrFormat::V3, ..ImageOptions::default() };
/// assert_eq!(options.compression, Compression::Zstd { level: 3 });
/// ```
#[derive(Clone, Debug)]
pub struct ImageOptions {
    /// The format: Zarr version 2 with OME-NGFF 0.4, version 3 with 0.5, or N5 with the metadata of COSEM.
    pub zarr_format: ZarrFormat,
    /// The shape of a chunk for all axes; by default the block shape of the array, one channel each.
    pub chunk_shape: Option<Vec<usize>>,
    /// The shape of a shard for all axes, a multiple of the chunk shape: one file for many chunks, which are
    /// still read one by one. Version 3 of Zarr only; by default, each chunk is a file.
    pub shard_shape: Option<Vec<usize>>,
    /// How chunks are compressed.
    pub compression: Compression,
    /// Attributes of the array; keys that give its geometry are written over.
    pub attrs: Map<String, Value>,
    /// Attributes of the group; its OME-NGFF entry is written over.
    pub group_attrs: Map<String, Value>,
}

impl Default for ImageOptions {
    fn default() -> Self {
        Self {
            zarr_format: ZarrFormat::V2,
            chunk_shape: None,
            shard_shape: None,
            compression: Compression::default(),
            attrs: Map::new(),
            group_attrs: Map::new(),
        }
    }
}

/// Creates the group in the folder `group` of a container, which must not exist, and an array for each
/// scale level.
pub(crate) fn create(
    container: &Container,
    group: &Path,
    name: &str,
    levels: &[ArrayInfo],
    options: &ImageOptions,
) -> Result<Vec<ZarrArray>, ZarrError> {
    let short_name = name.rsplit('/').next().unwrap_or(name);
    let group_attrs = group_attrs(group, short_name, levels, options)?;
    // What cannot be written is told before anything is.
    let arrays: Vec<PathBuf> =
        (0..levels.len()).map(|level| group.join(array_name(level))).collect();
    let stored = arrays.iter().zip(levels).map(|(array, info)| Stored::new(array, info, options));
    let stored: Vec<Stored> = stored.collect::<Result<_, _>>()?;
    write_group(container, group, options.zarr_format, group_attrs)?;
    let all = arrays.iter().zip(levels).zip(&stored);
    all.map(|((array, info), stored)| create_array(container, array, info, stored, options))
        .collect()
}

/// How an array is cut into files.
struct Stored {
    chunk_shape: Vec<usize>,
    shard_shape: Option<Vec<usize>>,
}

impl Stored {
    fn new(array: &Path, info: &ArrayInfo, options: &ImageOptions) -> Result<Self, ZarrError> {
        chunks::check_level(array, options.compression)?;
        let chunk_shape = chunks::shape(array, info, options)?;
        let shard_shape = chunks::shard_shape(array, &chunk_shape, options)?;
        Ok(Self { chunk_shape, shard_shape })
    }
}

fn create_array(
    container: &Container,
    array: &Path,
    info: &ArrayInfo,
    stored: &Stored,
    options: &ImageOptions,
) -> Result<ZarrArray, ZarrError> {
    for (file, document) in array_documents(array, info, stored, options)? {
        container.write_json(&file, &document)?;
    }
    let created = ZarrArray::open_writable(array)?;
    check_place(array, info, &created)?;
    Ok(created)
}

/// Fails if what was written cannot be read back exactly: it would be another place in the world.
pub(crate) fn check_place(
    array: &Path,
    info: &ArrayInfo,
    created: &ZarrArray,
) -> Result<(), ZarrError> {
    let found = &created.info;
    if found.grid() == info.grid() && found.unit() == info.unit() && found.shape() == info.shape() {
        return Ok(());
    }
    let what = format!("writing the geometry {} in units of {} as JSON", info.grid(), info.unit());
    Err(ZarrError::unsupported(array, what))
}

/// A metadata document and where it lies.
pub(crate) type Document = (PathBuf, Map<String, Value>);

/// All documents of an image in the folder `group`, in an order in which they can be written.
pub(crate) fn documents(
    group: &Path,
    name: &str,
    levels: &[ArrayInfo],
    options: &ImageOptions,
) -> Result<Vec<Document>, ZarrError> {
    let attrs = group_attrs(group, name, levels, options)?;
    let mut all = group_documents(group, options.zarr_format, attrs);
    for (level, info) in levels.iter().enumerate() {
        let array = group.join(array_name(level));
        let stored = Stored::new(&array, info, options)?;
        all.extend(array_documents(&array, info, &stored, options)?);
    }
    Ok(all)
}

/// The documents of an array in the folder `array`.
fn array_documents(
    array: &Path,
    info: &ArrayInfo,
    stored: &Stored,
    options: &ImageOptions,
) -> Result<Vec<Document>, ZarrError> {
    Ok(match options.zarr_format {
        ZarrFormat::V2 => {
            let attrs = attributes::of_array(array, info, &options.attrs)?;
            let metadata = chunks::v2(info, &stored.chunk_shape, options);
            vec![(array.join(".zarray"), metadata), (array.join(".zattrs"), attrs)]
        }
        ZarrFormat::V3 => {
            let attrs = attributes::of_array(array, info, &options.attrs)?;
            vec![(array.join("zarr.json"), chunks::v3(info, stored, options, attrs))]
        }
        ZarrFormat::N5 => {
            let metadata = n5::array(array, info, &stored.chunk_shape, options)?;
            vec![(array.join(ATTRIBUTES), metadata)]
        }
    })
}

/// The documents of a group in the folder `group`.
fn group_documents(group: &Path, format: ZarrFormat, attrs: Map<String, Value>) -> Vec<Document> {
    match format {
        ZarrFormat::V2 => {
            let mut all = vec![(group.join(".zgroup"), object(json!({"zarr_format": 2})))];
            all.extend((!attrs.is_empty()).then(|| (group.join(".zattrs"), attrs)));
            all
        }
        ZarrFormat::V3 => {
            let metadata = json!({"zarr_format": 3, "node_type": "group", "attributes": attrs});
            vec![(group.join("zarr.json"), object(metadata))]
        }
        ZarrFormat::N5 => vec![(group.join(ATTRIBUTES), n5::group(attrs))],
    }
}

/// Writes the metadata of the group in the folder `group` of a container.
pub(crate) fn write_group(
    container: &Container,
    group: &Path,
    format: ZarrFormat,
    attrs: Map<String, Value>,
) -> Result<(), ZarrError> {
    for (file, document) in group_documents(group, format, attrs) {
        container.write_json(&file, &document)?;
    }
    Ok(())
}

fn group_attrs(
    group: &Path,
    name: &str,
    levels: &[ArrayInfo],
    options: &ImageOptions,
) -> Result<Map<String, Value>, ZarrError> {
    let multiscale = attributes::multiscale(group, name, levels)?;
    let mut attrs = options.group_attrs.clone();
    match options.zarr_format {
        ZarrFormat::V2 => {
            let mut entry = object(json!({"version": "0.4"}));
            entry.extend(multiscale);
            attrs.insert("multiscales".to_owned(), json!([entry]));
        }
        ZarrFormat::V3 => {
            attrs.insert("ome".to_owned(), json!({"version": "0.5", "multiscales": [multiscale]}));
        }
        ZarrFormat::N5 => {
            attrs.insert("multiscales".to_owned(), n5::multiscales(group, name, levels)?);
        }
    }
    Ok(attrs)
}

/// The object that a `json!({})` makes.
pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
