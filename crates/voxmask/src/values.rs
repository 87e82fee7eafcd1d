//! Numbers for programs and people.

use annotation_mask::LabelId;
use serde_json::{Value, json};

/// Label ids as JSON numbers.
pub(crate) fn ids_json(ids: &[LabelId]) -> Value {
    ids.iter().map(|&id| id_json(id)).collect()
}

/// A label id as a JSON number; all ids lie within 64 bits.
pub(crate) fn id_json(id: LabelId) -> Value {
    match (u64::try_from(id), i64::try_from(id)) {
        (Ok(id), _) => json!(id),
        (_, Ok(id)) => json!(id),
        _ => json!(id.to_string()),
    }
}

/// A part as a share of the whole.
pub(crate) fn fraction(part: u64, whole: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a share for people to read")]
    let share = if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    share
}
