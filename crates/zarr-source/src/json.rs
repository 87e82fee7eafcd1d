//! Metadata documents.

use std::path::Path;

use serde_json::{Map, Value};

use crate::error::ZarrError;

/// The memory that the values of a document may take.
const MAX_VALUES_SIZE: u64 = 1 << 29;

/// The object in a metadata document.
pub(crate) fn from_bytes(file: &Path, bytes: &[u8]) -> Result<Map<String, Value>, ZarrError> {
    let size = values_size(bytes);
    if size > MAX_VALUES_SIZE {
        let reason = format!(
            "its values would take {size} bytes of memory, too many for metadata (at most \
             {MAX_VALUES_SIZE})"
        );
        return Err(ZarrError::malformed(file, reason));
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(ZarrError::malformed(
            file,
            format!("expected a JSON object, found {}", short(&other)),
        )),
        Err(error) => Err(ZarrError::malformed(file, format!("invalid JSON: {error}"))),
    }
}

/// What the values of a document take in memory at most: a list of short numbers takes seventy times as much as
/// its text.
fn values_size(bytes: &[u8]) -> u64 {
    // With what is set aside for more. A comma inside a text counts, too, which does no harm.
    let sizes = bytes.iter().map(|byte| match byte {
        b',' => 144,
        b'[' => 300,
        b':' => 240,
        b'{' => 480,
        _ => 1,
    });
    sizes.sum()
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
