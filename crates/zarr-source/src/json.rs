//! Metadata documents.

use std::fmt::{self, Write};
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
    let mut head = Head { text: String::new(), room: 120 };
    if write!(head, "{value}").is_err() {
        head.text.push('…');
    }
    head.text
}

/// The first letters of a text, which is not written to its end: a value may have millions of entries.
struct Head {
    text: String,
    room: usize,
}

impl Write for Head {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for letter in text.chars() {
            self.room = self.room.checked_sub(1).ok_or(fmt::Error)?;
            self.text.push(letter);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_long_value_is_cut_and_a_short_one_is_not() {
        let quoted = |letters: usize| json!("ä".repeat(letters));
        assert_eq!(short(&quoted(118)), format!("\"{}\"", "ä".repeat(118)));
        assert_eq!(short(&quoted(119)), format!("\"{}…", "ä".repeat(119)));
        assert_eq!(short(&json!([1, null, {"a": true}])), "[1,null,{\"a\":true}]");
        let long = short(&json!(vec![7; 1_000_000]));
        assert_eq!((long.chars().count(), long.ends_with("7,7…")), (121, true));
    }
}
