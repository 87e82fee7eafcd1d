//! How Neuroglancer shows an array.

use serde_json::{Value, json};

use crate::dtype::DType;
use crate::error::ArrayError;
use crate::info::ArrayInfo;

/// Fails with the reason if Neuroglancer cannot show such an array.
pub(crate) fn check(info: &ArrayInfo) -> Result<(), ArrayError> {
    let refuse = |reason: String| Err(ArrayError::NotShowable { reason });
    if !(1..=3).contains(&info.dims()) {
        return refuse(format!("it has {} spatial axes, not 1 to 3", info.dims()));
    }
    if matches!(info.dtype(), DType::Bool | DType::I64 | DType::F64) {
        return refuse(format!("it has no element type {}", info.dtype()));
    }
    Ok(())
}

/// The layer of an array that is served at `source`.
pub(crate) fn layer(info: &ArrayInfo, source: &str) -> Result<Value, ArrayError> {
    check(info)?;
    let is_labels = info.num_channels().is_none()
        && info.dtype().is_integer()
        && (info.attrs().contains_key("labels") || info.dtype().size() >= 4);
    let mut layer = json!({
        "type": if is_labels { "segmentation" } else { "image" },
        "source": source,
        "visible": true,
    });
    if !is_labels {
        layer["blend"] = json!("additive");
    }
    Ok(layer)
}
