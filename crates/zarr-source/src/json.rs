//! Metadata files.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde_json::{Map, Value};

use crate::error::ZarrError;

/// Reads a metadata file; none if there is no such file.
pub(crate) fn read_json(file: &Path) -> Result<Option<Map<String, Value>>, ZarrError> {
    let bytes = match fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(ZarrError::io("read", file, error)),
    };
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(object)) => Ok(Some(object)),
        Ok(other) => Err(ZarrError::malformed(
            file,
            format!("expected a JSON object, found {}", short(&other)),
        )),
        Err(error) => Err(ZarrError::malformed(file, format!("invalid JSON: {error}"))),
    }
}

/// Writes a metadata file.
pub(crate) fn write_json(file: &Path, object: &Map<String, Value>) -> Result<(), ZarrError> {
    let mut text = serde_json::to_vec_pretty(object).map_err(|error| {
        ZarrError::malformed(file, format!("the metadata cannot be written as JSON: {error}"))
    })?;
    text.push(b'\n');
    fs::write(file, text).map_err(|error| ZarrError::io("write", file, error))
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
