//! Values of attributes: numbers, lists of numbers, lists of names.

use std::path::Path;

use geometry::{Decimal, GeometryError};
use serde_json::{Map, Value};

use crate::error::ZarrError;
use crate::json::short;

/// Some attributes, with what messages need to name them.
#[derive(Clone, Copy)]
pub(super) struct Attributes<'a> {
    pub(super) file: &'a Path,
    /// What stands before a key in messages, such as `transform.`.
    pub(super) prefix: &'a str,
    pub(super) object: &'a Map<String, Value>,
    /// Whether lists count x first, as those of N5 do, and not in array order.
    pub(super) reversed: bool,
}

/// A list of numbers and the key that it was found under.
#[derive(Clone, Debug)]
pub(super) struct List {
    pub(super) key: String,
    pub(super) values: Vec<Decimal>,
}

impl List {
    /// The entries for the spatial axes, of a list for these or for all axes.
    pub(super) fn spatial(
        &self,
        file: &Path,
        channel_dims: usize,
        dims: usize,
    ) -> Result<Vec<Decimal>, ZarrError> {
        let (found, all) = (self.values.len(), channel_dims.saturating_add(dims));
        if found == dims {
            return Ok(self.values.clone());
        }
        if found == all {
            return Ok(self.values.iter().skip(channel_dims).copied().collect());
        }
        let expected = if all == dims {
            format!("{dims}")
        } else {
            format!("{dims} (or {all} with channels)")
        };
        let reason = format!("{} {self} has {found} entries, expected {expected}", self.key);
        Err(ZarrError::malformed(file, reason))
    }
}

impl std::fmt::Display for List {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&numbers_text(&self.values))
    }
}

/// Numbers in brackets; of a list that is longer than any array has axes, the first.
pub(super) fn numbers_text(values: &[Decimal]) -> String {
    const LIMIT: usize = 16;
    let mut texts: Vec<String> = values.iter().take(LIMIT).map(Decimal::to_string).collect();
    if values.len() > LIMIT {
        texts.push("…".to_owned());
    }
    format!("[{}]", texts.join(", "))
}

impl<'a> Attributes<'a> {
    /// The value of a key; none if it is missing or null.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    pub(super) fn wrong(&self, key: &str, expected: &str, found: &Value) -> ZarrError {
        let reason = format!("{} must be {expected}, found {}", self.key(key), short(found));
        ZarrError::malformed(self.file, reason)
    }

    fn in_array_order<T>(&self, mut list: Vec<T>) -> Vec<T> {
        if self.reversed {
            list.reverse();
        }
        list
    }

    /// A list of numbers; none if the key is missing or null.
    pub(super) fn numbers(&self, key: &str) -> Result<Option<List>, ZarrError> {
        self.get(key).map(|value| self.numbers_of(key, value)).transpose()
    }

    /// The list of numbers that a key has.
    fn numbers_of(&self, key: &str, value: &Value) -> Result<List, ZarrError> {
        let wrong = |found| self.wrong(key, "a list of numbers", found);
        let mut values = Vec::new();
        for entry in value.as_array().ok_or_else(|| wrong(value))? {
            values.push(decimal(entry).ok_or_else(|| {
                if !is_number(entry) {
                    return wrong(value);
                }
                let reason = format!(
                    "{}: {} is not a decimal that can be kept exactly; give the values yourself",
                    self.key(key),
                    short(entry)
                );
                ZarrError::malformed(self.file, reason)
            })?);
        }
        Ok(List { key: self.key(key), values: self.in_array_order(values) })
    }

    /// A list of numbers of which each is greater than zero: a voxel size.
    pub(super) fn sizes(&self, key: &str) -> Result<Option<List>, ZarrError> {
        self.get(key).map(|value| self.sizes_of(key, value)).transpose()
    }

    /// The list of numbers greater than zero that a key has.
    pub(super) fn sizes_of(&self, key: &str, value: &Value) -> Result<List, ZarrError> {
        let list = self.numbers_of(key, value)?;
        if list.values.is_empty() {
            return Err(ZarrError::malformed(self.file, format!("{} has 0 entries", list.key)));
        }
        if let Some(index) = list.values.iter().position(|value| !value.is_positive()) {
            let reason = format!("{} {list} is not greater than zero at entry {index}", list.key);
            return Err(ZarrError::malformed(self.file, reason));
        }
        Ok(list)
    }

    /// A list of names, also written as one string of single letters if `letters`.
    pub(super) fn names(&self, key: &str, letters: bool) -> Result<Option<Vec<String>>, ZarrError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) if letters => {
                Ok(Some(self.in_array_order(text.chars().map(String::from).collect())))
            }
            Some(value) => {
                let name = |name: &Value| name.as_str().map(str::to_owned);
                value
                    .as_array()
                    .and_then(|names| names.iter().map(name).collect::<Option<_>>())
                    .map(|names| Some(self.in_array_order(names)))
                    .ok_or_else(|| self.wrong(key, "a list of names", value))
            }
        }
    }

    /// A list of units, one for all axes if it is a string; entries may be null.
    pub(super) fn units(&self, key: &str) -> Result<Option<Vec<Option<String>>>, ZarrError> {
        let unit = |unit: &Value| match unit {
            Value::Null => Some(None),
            Value::String(unit) if unit.trim().is_empty() => Some(None),
            Value::String(unit) => Some(Some(unit.clone())),
            _ => None,
        };
        match self.get(key) {
            None => Ok(None),
            Some(value @ Value::String(_)) => Ok(unit(value).map(|unit| vec![unit])),
            Some(value) => value
                .as_array()
                .and_then(|units| units.iter().map(unit).collect::<Option<_>>())
                .map(|units| Some(self.in_array_order(units)))
                .ok_or_else(|| self.wrong(key, "a list of names of units", value)),
        }
    }
}

/// The exact product of two decimals.
pub(super) fn product(left: Decimal, right: Decimal) -> Result<Decimal, GeometryError> {
    let digits = i32::from(right.fractional_digits());
    let whole = right.times_power_of_ten(digits)?;
    let factor: i64 = whole
        .to_string()
        .parse()
        .map_err(|_| GeometryError::Overflow { expression: format!("{left} * {right}") })?;
    left.checked_mul(factor)?.times_power_of_ten(digits.saturating_neg())
}

/// A number as a person wrote it: integers exactly, floats by their shortest decimal, and text.
fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => {
            if let Some(integer) = number.as_i64() {
                return Some(Decimal::from(integer));
            }
            if number.is_u64() {
                return number.to_string().parse().ok();
            }
            Decimal::from_f64(number.as_f64()?).ok()
        }
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn is_number(value: &Value) -> bool {
    let text = value.as_str().map(|text| text.trim().parse::<f64>());
    value.is_number() || text.is_some_and(|number| number.is_ok_and(f64::is_finite))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn products_are_exact() {
        let decimal = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(product(decimal("2.62"), decimal("0.5")).unwrap(), decimal("1.31"));
        assert_eq!(product(decimal("-13282.29"), decimal("4")).unwrap(), decimal("-53129.16"));
        assert_eq!(product(decimal("1000"), decimal("0.001")).unwrap(), decimal("1"));
    }

    #[test]
    fn numbers_keep_what_was_written() {
        let text = |value: Value| decimal(&value).map(|decimal| decimal.to_string());
        assert_eq!(text(json!(9_007_199_254_740_993_i64)).unwrap(), "9007199254740993");
        assert_eq!(text(json!(13282.289999999999)).unwrap(), "13282.29");
        assert_eq!(text(json!(8.0)).unwrap(), "8");
        assert_eq!(text(json!("5.24")).unwrap(), "5.24");
        for none in [json!(null), json!([8]), json!({}), json!("eight"), json!(true)] {
            assert_eq!(text(none), None);
        }
    }
}
