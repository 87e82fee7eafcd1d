//! What Neuroglancer can show.

use crate::dtype::DType;
use crate::error::ArrayError;
use crate::info::ArrayInfo;

/// Fails with the reason if Neuroglancer cannot show such an array.
pub(crate) fn check(info: &ArrayInfo) -> Result<(), ArrayError> {
    if !(1..=3).contains(&info.dims()) {
        return Err(refuse(format!("it has {} spatial axes, not 1 to 3", info.dims())));
    }
    if matches!(info.dtype(), DType::Bool | DType::I64 | DType::F64) {
        return Err(refuse(format!("it has no element type {}", info.dtype())));
    }
    let mut axes = info.axes().iter().zip(info.shape());
    if let Some((axis, _)) = axes.find(|(_, extent)| **extent == 0) {
        return Err(refuse(format!("axis {axis:?} is empty")));
    }
    for axis in info.axes() {
        let plain = axis.strip_suffix('^').unwrap_or(axis);
        let mut letters = plain.chars();
        let begins = letters.next().is_some_and(|letter| letter.is_ascii_alphabetic());
        if !begins || !letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
            return Err(refuse(format!(
                "its names of axes are letters, digits and underscores and begin with a letter, and \
                 this array has the axis {axis:?}"
            )));
        }
    }
    Ok(())
}

pub(super) fn refuse(reason: String) -> ArrayError {
    ArrayError::NotShowable { reason }
}
