//! What Python does with values out of JSON, as far as the original relies on it.

use serde_json::Value;

use super::model::{Cause, Failure};

fn failure<T>(class: &'static str, cause: Cause) -> Result<T, Failure> {
    Err(Failure { class, cause })
}

/// `int(value)`; none for null, which a `Coordinate` keeps.
pub(super) fn int(value: &Value) -> Result<Option<i128>, Failure> {
    match value {
        Value::Null => Ok(None),
        Value::Bool(value) => Ok(Some(i128::from(*value))),
        Value::Number(number) => Ok(Some(number.as_i128().unwrap_or_else(|| {
            #[expect(clippy::cast_possible_truncation, reason = "int() truncates toward zero")]
            let integer = number.as_f64().unwrap_or_default() as i128;
            integer
        }))),
        Value::String(text) => match digits(text) {
            Some(value) => Ok(Some(value)),
            None if text.trim().parse::<f64>().is_ok() => failure("ValueError", Cause::Fraction),
            None => failure("ValueError", Cause::Malformed),
        },
        Value::Array(_) | Value::Object(_) => failure("TypeError", Cause::Malformed),
    }
}

/// A text that Python reads as an integer: digits in groups, a sign, blanks around.
fn digits(text: &str) -> Option<i128> {
    let text = text.trim();
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let grouped = unsigned.split('_').all(|group| {
        !group.is_empty() && group.chars().all(|character| character.is_ascii_digit())
    });
    grouped.then(|| text.replace('_', "").parse().ok()).flatten()
}

/// `Coordinate(value)`: of a list, the letters of a text, the keys of an object, or one number.
pub(super) fn coordinate(value: &Value) -> Result<Vec<Option<i128>>, Failure> {
    match value {
        Value::Array(values) => values.iter().map(int).collect(),
        Value::String(text) => letters(text).iter().map(int).collect(),
        Value::Object(fields) => {
            fields.keys().map(|key| int(&Value::String(key.clone()))).collect()
        }
        one => Ok(vec![int(one)?]),
    }
}

pub(super) fn letters(text: &str) -> Vec<Value> {
    text.chars().map(|letter| Value::String(letter.into())).collect()
}

/// `value[key]` of something that should be an object.
pub(super) fn item<'a>(value: &'a Value, key: &'static str) -> Result<&'a Value, Failure> {
    match value {
        Value::Object(fields) => match fields.get(key) {
            Some(value) => Ok(value),
            None => failure("KeyError", Cause::MissingKey(key)),
        },
        Value::Null => failure("TypeError", Cause::Null),
        _ => failure("TypeError", Cause::Malformed),
    }
}

/// `value[::-1]`.
pub(super) fn reversed(value: &Value) -> Result<Value, Failure> {
    match value {
        Value::Array(values) => Ok(values.iter().rev().cloned().collect()),
        Value::String(text) => Ok(Value::String(text.chars().rev().collect())),
        Value::Null => failure("TypeError", Cause::Null),
        _ => failure("TypeError", Cause::Malformed),
    }
}

/// Whether Python takes a value for true.
pub(super) fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

/// `int(a / b)`: the quotient rounded to a float, then truncated.
pub(super) fn divide(a: i128, b: i128) -> i128 {
    const BITS: u32 = 126;
    let (dividend, divisor) = (a.unsigned_abs(), b.unsigned_abs());
    let shift = dividend.leading_zeros().saturating_sub(128 - BITS);
    let shifted = dividend << shift;
    // A last bit that says whether anything is left rounds like the exact quotient.
    let quotient = (shifted / divisor) | u128::from(shifted % divisor != 0);
    #[expect(clippy::cast_precision_loss, reason = "Python rounds the quotient to a float")]
    let quotient = quotient as f64 * 2.0_f64.powi(-i32::try_from(shift).unwrap_or(0));
    #[expect(clippy::cast_possible_truncation, reason = "int() truncates toward zero")]
    let quotient = quotient as i128;
    if (a < 0) == (b < 0) { quotient } else { quotient.saturating_neg() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn integers_are_what_python_makes_of_them() {
        let of = |value: Value| int(&value).map_err(|failure| failure.class);
        assert_eq!(of(json!(-3.7)), Ok(Some(-3)));
        assert_eq!(of(json!(true)), Ok(Some(1)));
        assert_eq!(of(json!(" -1_0 ")), Ok(Some(-10)));
        assert_eq!(of(json!(u64::MAX)), Ok(Some(i128::from(u64::MAX))));
        assert_eq!(of(json!("5.24")), Err("ValueError"));
        assert_eq!(of(json!([8])), Err("TypeError"));
    }

    #[test]
    fn quotients_go_through_floats() {
        assert_eq!(divide(7, 2), 3);
        assert_eq!(divide(-7, 2), -3);
        assert_eq!(divide(9_007_199_254_740_993, 1), 9_007_199_254_740_992);
        assert_eq!(divide(0, -5), 0);
    }
}
