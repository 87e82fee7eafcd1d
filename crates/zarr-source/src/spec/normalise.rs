//! Metadata documents made fit for zarrs, which says neither which key it refuses nor which codec.

use std::path::Path;

use array_core::DType;
use serde_json::{Map, Value, json};
use zarrs::array::codec::api::{Codec, CodecMetadata};
use zarrs::array::{ArrayMetadata, DataType};
use zarrs::metadata::ChunkKeySeparator;
use zarrs::metadata::v2::{ArrayMetadataV2, ArrayMetadataV2Order, DataTypeMetadataV2, MetadataV2};
use zarrs::metadata::v3::{ArrayMetadataV3, MetadataV3};

use super::dtype_of;
use crate::error::ZarrError;
use crate::json::short;
use crate::remark::{Remark, RemarkKind};

/// What `dimension_names` must be.
const DIMENSION_NAMES: &str = "a list of one name or null per axis";

/// A metadata document as zarrs takes it.
pub(super) struct Normalised {
    pub(super) metadata: ArrayMetadata,
    pub(super) dtype: DType,
    pub(super) warnings: Vec<Remark>,
}

/// `.zarray` of version 2.
pub(super) fn v2(fields: &Fields<'_>) -> Result<Normalised, ZarrError> {
    let format = fields.required("zarr_format")?;
    if format.as_u64() != Some(2) {
        return Err(fields.wrong("zarr_format", "2", format));
    }
    fields.chunk_shape(&fields.extents("shape")?, &fields.extents("chunks")?)?;
    let value = fields.required("dtype")?;
    let dtype = serde_json::from_value::<DataTypeMetadataV2>(value.clone())
        .ok()
        .and_then(|dtype| dtype_of(&DataType::from_metadata(&dtype).ok()?))
        .ok_or_else(|| fields.unsupported("the element type", value))?;

    let (mut object, mut warnings) = (fields.object.clone(), Vec::new());
    let fill_value = object.entry("fill_value").or_insert(Value::Null);
    // The zero of zarrs.
    if fill_value.is_null() {
        let file = fields.file.display();
        let text = format!("{file}: no fill value; chunks that are not stored are read as 0");
        warnings.push(RemarkKind::FillValue.says(text));
    }
    *fill_value = plain_fill_value(fill_value.take(), dtype);
    object.entry("order").or_insert(json!("C"));
    // zarr-python before 2.8 wrote null, or nothing.
    object.retain(|key, value| key != "dimension_separator" || !value.is_null());
    if let Some(codec) = object.get_mut("compressor").and_then(Value::as_object_mut) {
        complete(codec);
    }
    for codec in object.get_mut("filters").and_then(Value::as_array_mut).into_iter().flatten() {
        codec.as_object_mut().map(complete);
    }

    let fields = Fields { file: fields.file, object: &object };
    let parse = serde_json::from_value::<Option<ArrayMetadataV2Order>>;
    fields.typed("order", "\"C\" or \"F\"", parse)?;
    let parse = serde_json::from_value::<Option<ChunkKeySeparator>>;
    fields.typed("dimension_separator", "\".\" or \"/\"", parse)?;
    let parse = serde_json::from_value::<Option<Vec<MetadataV2>>>;
    let filters = fields.typed("filters", "a list of objects with an id", parse)?;
    let parse = serde_json::from_value::<Option<MetadataV2>>;
    let compressor = fields.typed("compressor", "an object with an id", parse)?;
    // zarrs makes this one only together with the array, whose element size it needs.
    let compressor = compressor.filter(|codec| codec.id() != "blosc");
    for codec in filters.iter().flatten().chain(&compressor) {
        fields.check_codec(codec.id(), codec)?;
    }
    let metadata = ArrayMetadata::V2(fields.all(serde_json::from_value::<ArrayMetadataV2>)?);
    Ok(Normalised { metadata, dtype, warnings })
}

/// `zarr.json` of version 3.
pub(super) fn v3(fields: &Fields<'_>) -> Result<Normalised, ZarrError> {
    for key in ["shape", "data_type", "chunk_grid", "chunk_key_encoding", "fill_value", "codecs"] {
        fields.required(key)?;
    }
    let shape = fields.extents("shape")?;
    let extension = "a name, or an object with a name";
    let parse = serde_json::from_value::<MetadataV3>;
    let data_type = fields.typed("data_type", extension, parse)?;
    let dtype = DataType::from_metadata(&data_type)
        .ok()
        .and_then(|data_type| dtype_of(&data_type))
        .ok_or_else(|| fields.unsupported("the element type", &fields.object["data_type"]))?;
    let grid = fields.typed("chunk_grid", extension, parse)?;
    if grid.name() != "regular" {
        return Err(fields.unsupported("the chunk grid", &json!(grid.name())));
    }
    if let Some(chunks) = grid.configuration().and_then(|grid| grid.get("chunk_shape")) {
        fields.chunk_shape(&shape, &fields.extents_in("chunk_grid.chunk_shape", chunks)?)?;
    }
    fields.typed("chunk_key_encoding", extension, parse)?;
    let parse = serde_json::from_value::<Vec<MetadataV3>>;
    for codec in fields.typed("codecs", "a list of codecs", parse)? {
        fields.check_codec(codec.name(), &codec)?;
    }
    // Before the list is copied: there may be millions of them.
    if let Some(names) = fields.object.get("dimension_names").filter(|names| !names.is_null()) {
        let is_name = |name: &Value| name.is_string() || name.is_null();
        let fits = |names: &Vec<Value>| names.len() == shape.len() && names.iter().all(is_name);
        if !names.as_array().is_some_and(fits) {
            return Err(fields.wrong("dimension_names", DIMENSION_NAMES, names));
        }
    }

    let mut object = fields.object.clone();
    if let Some(fill_value) = object.get_mut("fill_value") {
        *fill_value = plain_fill_value(fill_value.take(), dtype);
    }
    // Where zarrs has lists, others write null.
    object.retain(|key, value| key != "storage_transformers" || !value.is_null());
    let v3 = Fields { file: fields.file, object: &object }
        .all(serde_json::from_value::<ArrayMetadataV3>)?;
    // Only `Array::open` looks at these.
    if let Some((key, _)) = v3.additional_fields.iter().find(|(_, field)| field.must_understand()) {
        return Err(fields.unsupported("the extension", &json!(key)));
    }
    Ok(Normalised { metadata: ArrayMetadata::V3(v3), dtype, warnings: Vec::new() })
}

/// A fill value without the liberties that some writers take: 7.0 for an integer, 1 for a bool.
fn plain_fill_value(value: Value, dtype: DType) -> Value {
    match (dtype, value.as_f64()) {
        (DType::F32 | DType::F64, _) | (_, None) => value,
        (DType::Bool, Some(number)) if number == 0.0 || number == 1.0 => json!(number == 1.0),
        (_, Some(number)) if value.is_f64() && number.fract() == 0.0 => {
            serde_json::from_str(&format!("{number:.0}")).unwrap_or(value)
        }
        _ => value,
    }
}

/// Leaves a codec of numcodecs what zarrs knows. Levels only matter to writers, and numcodecs takes some that
/// mean "default", such as -1 in zlib.
fn complete(codec: &mut Map<String, Value>) {
    let levels = match codec.get("id").and_then(Value::as_str) {
        Some("zlib" | "gzip") => 0..=9,
        Some("bz2") => 1..=9,
        Some("zstd") => -131_072..=22,
        _ => return,
    };
    codec.retain(|key, _| ["id", "level", "checksum"].contains(&key.as_str()));
    if !codec.get("level").and_then(Value::as_i64).is_some_and(|level| levels.contains(&level)) {
        codec.insert("level".to_owned(), json!(1));
    }
}

/// A metadata object, with the name of its document for messages.
pub(super) struct Fields<'a> {
    pub(super) file: &'a Path,
    pub(super) object: &'a Map<String, Value>,
}

impl Fields<'_> {
    /// The error for a key whose value is not what it should be.
    pub(super) fn wrong(&self, key: &str, expected: &str, found: &Value) -> ZarrError {
        let reason = format!("{key} must be {expected}, found {}", short(found));
        ZarrError::malformed(self.file, reason)
    }

    pub(super) fn unsupported(&self, what: &str, value: &Value) -> ZarrError {
        ZarrError::unsupported(self.file, format!("{what} {}", short(value)))
    }

    pub(super) fn required(&self, key: &str) -> Result<&Value, ZarrError> {
        self.object
            .get(key)
            .ok_or_else(|| ZarrError::malformed(self.file, format!("{key} is missing")))
    }

    /// The value of a key, as zarrs reads it. A key that is not there is null.
    fn typed<T>(
        &self,
        key: &str,
        expected: &str,
        parse: impl Fn(Value) -> serde_json::Result<T>,
    ) -> Result<T, ZarrError> {
        let value = self.object.get(key).unwrap_or(&Value::Null);
        parse(value.clone()).map_err(|_| self.wrong(key, expected, value))
    }

    /// The whole document.
    fn all<T>(&self, parse: impl Fn(Value) -> serde_json::Result<T>) -> Result<T, ZarrError> {
        parse(Value::Object(self.object.clone()))
            .map_err(|error| ZarrError::malformed(self.file, error.to_string()))
    }

    pub(super) fn extents(&self, key: &str) -> Result<Vec<u64>, ZarrError> {
        self.extents_in(key, self.required(key)?)
    }

    fn extents_in(&self, key: &str, value: &Value) -> Result<Vec<u64>, ZarrError> {
        serde_json::from_value(value.clone())
            .map_err(|_| self.wrong(key, "a list of integers that are not negative", value))
    }

    pub(super) fn chunk_shape(&self, shape: &[u64], chunks: &[u64]) -> Result<(), ZarrError> {
        let reason = if shape.len() != chunks.len() {
            format!("shape {shape:?} and chunks {chunks:?} differ in length")
        } else if chunks.contains(&0) {
            format!("the chunk shape {chunks:?} has a zero")
        } else {
            return Ok(());
        };
        Err(ZarrError::malformed(self.file, reason))
    }

    pub(super) fn check_codec<'a>(
        &self,
        name: &str,
        codec: impl Into<CodecMetadata<'a>>,
    ) -> Result<(), ZarrError> {
        match Codec::from_metadata(codec) {
            Ok(_) => Ok(()),
            Err(error) => {
                Err(ZarrError::unsupported(self.file, format!("the codec {name:?} ({error})")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fill_value_may_be_written_as_another_type() {
        assert_eq!(plain_fill_value(json!(255), DType::U8), json!(255));
        assert_eq!(plain_fill_value(json!(7.0), DType::U8), json!(7));
        assert_eq!(plain_fill_value(json!(-3.0), DType::I64), json!(-3));
        assert_eq!(plain_fill_value(json!(7.5), DType::U8), json!(7.5));
        assert_eq!(plain_fill_value(json!(u64::MAX), DType::U64), json!(u64::MAX));
        assert_eq!(plain_fill_value(json!(1), DType::Bool), json!(true));
        assert_eq!(plain_fill_value(json!(2), DType::Bool), json!(2));
        assert_eq!(plain_fill_value(json!("NaN"), DType::F32), json!("NaN"));
        assert_eq!(plain_fill_value(json!(1.0), DType::F64), json!(1.0));
    }
}
