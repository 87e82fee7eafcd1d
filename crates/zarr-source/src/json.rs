//! Metadata documents.

use std::path::Path;

use serde_json::{Map, Value};

use crate::error::ZarrError;

/// The object in a metadata document.
pub(crate) fn from_bytes(file: &Path, bytes: &[u8]) -> Result<Map<String, Value>, ZarrError> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(ZarrError::malformed(
            file,
            format!("expected a JSON object, found {}", short(&other)),
        )),
        Err(error) => Err(ZarrError::malformed(file, format!("invalid JSON: {error}"))),
    }
}

/// The text of a metadata document.
pub(crate) fn to_bytes(file: &Path, object: &Map<String, Value>) -> Result<Vec<u8>, ZarrError> {
    let mut text = serde_json::to_vec_pretty(object).map_err(|error| {
        ZarrError::malformed(file, format!("the metadata cannot be written as JSON: {error}"))
    })?;
    text.push(b'\n');
    Ok(text)
}

/// The text of a value, cut where it gets long.
pub(crate) fn short(value: &Value) -> String {
    const LIMIT: usize = 120;
    let text = value.to_string();
    if text.chars().count() <= LIMIT {
        return text;
    }
    text.chars().take(LIMIT).chain(['…']).collect()
}
