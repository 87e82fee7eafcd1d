//! The metadata of an array, from either version of the format, in one form.

mod describe;
mod fill_value;
mod keys;
mod v2;
mod v3;

use std::path::Path;

use array_core::{DType, Scalar};
use serde_json::{Map, Value};

use crate::error::ZarrError;
use crate::json::short;
use crate::node::{Node, ZarrFormat};

pub(crate) use keys::KeyEncoding;

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

/// What the metadata of an array says, checked.
#[derive(Debug)]
pub(crate) struct ArraySpec {
    pub(crate) shape: Vec<usize>,
    /// The shape of what lies in one file: a chunk, or a shard.
    pub(crate) stored_shape: Vec<usize>,
    pub(crate) dtype: DType,
    pub(crate) fill_value: Scalar,
    /// The codecs, written as in version 3.
    pub(crate) codecs: Vec<Value>,
    /// The codecs in words, as their version calls them.
    pub(crate) codec_names: Vec<String>,
    pub(crate) keys: KeyEncoding,
    pub(crate) order: MemoryOrder,
    pub(crate) dimension_names: Option<Vec<Option<String>>>,
    pub(crate) warnings: Vec<String>,
}

impl ArraySpec {
    pub(crate) fn new(node: &Node) -> Result<Self, ZarrError> {
        let fields = Fields { file: &node.metadata_file, object: &node.metadata };
        let spec = match node.format {
            ZarrFormat::V2 => v2::parse(&fields)?,
            ZarrFormat::V3 => v3::parse(&fields)?,
        };
        fields.same_length("shape", &spec.shape, "chunks", &spec.stored_shape)?;
        if spec.stored_shape.contains(&0) {
            let reason = format!("the chunk shape {:?} has a zero", spec.stored_shape);
            return Err(ZarrError::malformed(fields.file, reason));
        }
        for (key, shape) in [("shape", &spec.shape), ("chunk shape", &spec.stored_shape)] {
            if byte_size(shape, spec.dtype).is_none() {
                let reason = format!("{key}: {shape:?} of {} is beyond 64 bits", spec.dtype);
                return Err(ZarrError::malformed(fields.file, reason));
            }
        }
        Ok(spec)
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

/// A metadata object, with the name of its file for messages.
pub(crate) struct Fields<'a> {
    pub(crate) file: &'a Path,
    pub(crate) object: &'a Map<String, Value>,
}

impl Fields<'_> {
    pub(crate) fn required(&self, key: &str) -> Result<&Value, ZarrError> {
        self.object
            .get(key)
            .ok_or_else(|| ZarrError::malformed(self.file, format!("{key} is missing")))
    }

    /// The error for a key whose value is not what it should be.
    pub(crate) fn wrong(&self, key: &str, expected: &str, found: &Value) -> ZarrError {
        let reason = format!("{key} must be {expected}, found {}", short(found));
        ZarrError::malformed(self.file, reason)
    }

    fn same_length(
        &self,
        key: &str,
        shape: &[usize],
        other_key: &str,
        other: &[usize],
    ) -> Result<(), ZarrError> {
        if shape.len() == other.len() {
            return Ok(());
        }
        let reason = format!("{key} {shape:?} and {other_key} {other:?} differ in length");
        Err(ZarrError::malformed(self.file, reason))
    }

    /// A list of extents.
    fn extents(&self, key: &str, value: &Value) -> Result<Vec<usize>, ZarrError> {
        let wrong = || self.wrong(key, "a list of integers that are not negative", value);
        let list = value.as_array().ok_or_else(wrong)?;
        let extent = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok());
        list.iter().map(extent).collect::<Option<_>>().ok_or_else(wrong)
    }
}

/// The name and the configuration of an extension, written as `"name"` or `{"name", "configuration"}`.
pub(crate) fn named(value: &Value) -> Option<(&str, Option<&Map<String, Value>>)> {
    match value {
        Value::String(name) => Some((name, None)),
        Value::Object(object) => {
            let name = object.get("name")?.as_str()?;
            match object.get("configuration") {
                None | Some(Value::Null) => Some((name, None)),
                Some(Value::Object(configuration)) => Some((name, Some(configuration))),
                Some(_) => None,
            }
        }
        _ => None,
    }
}
