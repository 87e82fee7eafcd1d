//! The metadata of an array: as zarrs understands it, and what is told about it.

mod describe;
mod n5;
mod normalise;

use std::num::NonZeroU64;

use array_core::{DType, Scalar};
use serde_json::Value;
use zarrs::array::{Array, ArrayCreateError};
use zarrs::plugin::ExtensionName;
use zarrs::storage::ReadableStorageTraits;

use self::normalise::{Fields, Normalised};
use crate::codecs::register;
use crate::elements::scalar;
use crate::error::ZarrError;
use crate::json::short;
use crate::node::{Node, ZarrFormat};
use crate::remark::Remark;
use crate::shard::check_index_sizes;
use crate::store::Container;

/// The order in which the elements of a chunk lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryOrder {
    /// The last axis is the fastest.
    C,
    /// The first axis is the fastest.
    F,
    /// The axes lie in another order.
    Other,
}

/// The array of zarrs that reads from a container.
pub(crate) type StoredArray = Array<dyn ReadableStorageTraits>;

/// What the metadata of an array says, checked.
pub(crate) struct ArraySpec {
    pub(crate) array: StoredArray,
    pub(crate) shape: Vec<usize>,
    /// The shape of what lies under one key: a chunk, or a shard.
    pub(crate) stored_shape: Vec<usize>,
    pub(crate) fill_value: Scalar,
    /// The codecs in words, as their version calls them.
    pub(crate) codec_names: Vec<String>,
    pub(crate) order: MemoryOrder,
    pub(crate) warnings: Vec<Remark>,
}

impl ArraySpec {
    pub(crate) fn new(container: &Container, node: &Node) -> Result<Self, ZarrError> {
        register();
        let fields = Fields { file: &node.metadata_file, object: &node.metadata };
        let Normalised { metadata, dtype, warnings } = match node.format {
            ZarrFormat::V2 => normalise::v2(&fields)?,
            ZarrFormat::V3 => normalise::v3(&fields)?,
            ZarrFormat::N5 => n5::normalise(&fields)?,
        };
        let path = container.node_path(&node.dir)?;
        let array = Array::new_with_metadata(container.readable(), &path, metadata)
            .map_err(|error| refused(&fields, node.format, dtype, &error))?;
        let corner = vec![0; array.dimensionality()];
        let stored_shape = array
            .chunk_shape(&corner)
            .map_err(|error| ZarrError::malformed(fields.file, error.to_string()))?;
        let stored_shape: Vec<u64> = stored_shape.iter().map(|extent| extent.get()).collect();
        if let Some(codecs) = fields.object.get("codecs") {
            check_index_sizes(codecs, &stored_shape)
                .map_err(|what| ZarrError::unsupported(fields.file, what))?;
        }
        let addressable = |key: &str, shape: &[u64]| {
            let extents = shape.iter().map(|&extent| usize::try_from(extent).ok());
            let extents: Option<Vec<usize>> = extents.collect();
            extents.filter(|extents| byte_size(extents, dtype).is_some()).ok_or_else(|| {
                let reason = format!("{key}: {shape:?} of {dtype} is beyond 64 bits");
                ZarrError::malformed(fields.file, reason)
            })
        };
        let codec_names = match node.format {
            ZarrFormat::V2 => describe::v2(&node.metadata),
            ZarrFormat::V3 => describe::v3(&node.metadata),
            ZarrFormat::N5 => describe::n5(&node.metadata),
        };
        Ok(Self {
            shape: addressable("shape", array.shape())?,
            stored_shape: addressable("chunk shape", &stored_shape)?,
            fill_value: scalar(dtype, array.fill_value().as_ne_bytes()).ok_or_else(|| {
                ZarrError::malformed(fields.file, format!("the fill value is not a {dtype}"))
            })?,
            order: memory_order(&array),
            array,
            codec_names,
            warnings,
        })
    }

    pub(crate) fn dimension_names(&self) -> Option<&[Option<String>]> {
        self.array.dimension_names().as_deref()
    }
}

/// The size in bytes of an array, if a machine could address it.
pub(crate) fn byte_size(shape: &[usize], dtype: DType) -> Option<usize> {
    // Overflow counts even where another axis is empty.
    let full =
        shape.iter().try_fold(dtype.size(), |size, &extent| size.checked_mul(extent.max(1)))?;
    isize::try_from(full).ok()?;
    Some(if shape.contains(&0) { 0 } else { full })
}

/// The order in which the codecs that move axes leave the elements.
fn memory_order(array: &StoredArray) -> MemoryOrder {
    // Extents that differ tell where each axis goes.
    let before: Vec<NonZeroU64> =
        (1..).map_while(NonZeroU64::new).take(array.dimensionality()).collect();
    let mut after = before.clone();
    for codec in array.codecs().array_to_array_codecs() {
        match codec.encoded_shape(&after) {
            Ok(shape) => after = shape.to_vec(),
            Err(_) => return MemoryOrder::Other,
        }
    }
    if after == before {
        MemoryOrder::C
    } else if after.iter().rev().eq(&before) {
        MemoryOrder::F
    } else {
        MemoryOrder::Other
    }
}

/// The element type that zarrs found, if it is one of ours.
fn dtype_of(data_type: &impl ExtensionName) -> Option<DType> {
    data_type.name_v3()?.parse().ok()
}

/// What zarrs does not take, by the key that says it.
fn refused(
    fields: &Fields<'_>,
    format: ZarrFormat,
    dtype: DType,
    error: &ArrayCreateError,
) -> ZarrError {
    let value = |key: &str| fields.object.get(key).unwrap_or(&Value::Null);
    let unsupported = |what: String| ZarrError::unsupported(fields.file, what);
    match error {
        ArrayCreateError::InvalidFillValueMetadata { .. } => {
            fields.wrong("fill_value", &format!("a value of {dtype}"), value("fill_value"))
        }
        ArrayCreateError::ChunkGridCreateError(_) => {
            let key = if format == ZarrFormat::V2 { "chunks" } else { "chunk_grid" };
            let expected = "a regular grid with a chunk_shape of positive numbers";
            fields.wrong(key, expected, value(key))
        }
        ArrayCreateError::InvalidChunkGridDimensionality(grid, dims) => {
            let reason = format!("shape and chunk_grid differ in length: {dims} and {grid}");
            ZarrError::malformed(fields.file, reason)
        }
        ArrayCreateError::ChunkKeyEncodingCreateError(_) => {
            unsupported(format!("the chunk key encoding {}", short(value("chunk_key_encoding"))))
        }
        ArrayCreateError::StorageTransformersCreateError(_) => {
            unsupported(format!("the storage transformer {}", short(value("storage_transformers"))))
        }
        ArrayCreateError::CodecsCreateError(_) | ArrayCreateError::UnsupportedZarrV2Array(_) => {
            unsupported(format!("the combination of codecs ({error})"))
        }
        _ => unsupported(error.to_string()),
    }
}
