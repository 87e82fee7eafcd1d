//! Fill values.

use array_core::{DType, Scalar};
use serde_json::Value;

/// The fill value that a metadata file gives, if it is a value of the element type.
pub(super) fn parse(value: &Value, dtype: DType) -> Option<Scalar> {
    macro_rules! integer {
        ($type:ty) => {{
            let value = integer(value)?;
            Scalar::from(<$type>::try_from(value).ok()?)
        }};
    }
    Some(match dtype {
        DType::Bool => match value {
            Value::Bool(value) => Scalar::Bool(*value),
            value => match integer(value)? {
                0 => Scalar::Bool(false),
                1 => Scalar::Bool(true),
                _ => return None,
            },
        },
        DType::U8 => integer!(u8),
        DType::U16 => integer!(u16),
        DType::U32 => integer!(u32),
        DType::U64 => integer!(u64),
        DType::I8 => integer!(i8),
        DType::I16 => integer!(i16),
        DType::I32 => integer!(i32),
        DType::I64 => integer!(i64),
        DType::F32 => match value.as_str().and_then(bits) {
            Some(bits) => Scalar::F32(f32::from_bits(u32::try_from(bits).ok()?)),
            None => {
                let value = float(value)?;
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "the nearest value of the array's type is what the writer meant"
                )]
                let value = value as f32;
                Scalar::F32(value)
            }
        },
        DType::F64 => match value.as_str().and_then(bits) {
            Some(bits) => Scalar::F64(f64::from_bits(bits)),
            None => Scalar::F64(float(value)?),
        },
    })
}

/// An integer, also if it is written as a float, as some writers do.
fn integer(value: &Value) -> Option<i128> {
    if let Some(value) = value.as_u64() {
        return Some(i128::from(value));
    }
    if let Some(value) = value.as_i64() {
        return Some(i128::from(value));
    }
    let value = value.as_f64()?;
    // Every whole f64 below 2^64 is exact as an i128.
    if value.fract() != 0.0 || value.abs() > 18_446_744_073_709_551_616.0 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and in range")]
    Some(value as i128)
}

fn float(value: &Value) -> Option<f64> {
    match value.as_str() {
        None => value.as_f64(),
        Some("NaN") => Some(f64::NAN),
        Some("Infinity") => Some(f64::INFINITY),
        Some("-Infinity") => Some(f64::NEG_INFINITY),
        Some(_) => None,
    }
}

/// The bits of a float, written as a hexadecimal number.
fn bits(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_fill_value_fits_its_type_or_is_none() {
        assert_eq!(parse(&json!(255), DType::U8), Some(Scalar::U8(255)));
        assert_eq!(parse(&json!(256), DType::U8), None);
        assert_eq!(parse(&json!(7.0), DType::U8), Some(Scalar::U8(7)));
        assert_eq!(parse(&json!(7.5), DType::U8), None);
        assert_eq!(parse(&json!(u64::MAX), DType::U64), Some(Scalar::U64(u64::MAX)));
        assert_eq!(parse(&json!(1), DType::Bool), Some(Scalar::Bool(true)));
        assert_eq!(parse(&json!("-Infinity"), DType::F32), Some(Scalar::F32(f32::NEG_INFINITY)));
        assert_eq!(parse(&json!("0x3f800000"), DType::F32), Some(Scalar::F32(1.0)));
        assert_eq!(parse(&json!("zero"), DType::F64), None);
        assert_eq!(parse(&json!([0]), DType::U8), None);
    }
}
