//! Reading the fields of a table, with errors that name their place.

use std::cell::RefCell;

use geometry::Decimal;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::at::At;
use crate::error::ConfigError;

/// A value in a few words, for messages.
pub(crate) fn kind(value: &Value) -> String {
    match value {
        Value::Array(list) => format!("a list of {} values", list.len()),
        Value::Object(_) => "a table".to_owned(),
        Value::String(text) if text.chars().count() > 40 => "a long text".to_owned(),
        other => other.to_string(),
    }
}

/// The error for a value of the wrong type.
pub(crate) fn expected(at: &At<'_>, what: &str, found: &Value) -> ConfigError {
    malformed(at, format!("expected {what}, found {}", kind(found)))
}

/// The error for a value that is wrong for a reason.
pub(crate) fn malformed(at: &At<'_>, reason: impl Into<String>) -> ConfigError {
    ConfigError::Malformed { place: at.to_string(), reason: reason.into() }
}

/// A text.
pub(crate) fn text<'a>(value: &'a Value, at: &At<'_>) -> Result<&'a str, ConfigError> {
    value.as_str().ok_or_else(|| expected(at, "text", value))
}

/// A yes or no.
pub(crate) fn flag(value: &Value, at: &At<'_>) -> Result<bool, ConfigError> {
    value.as_bool().ok_or_else(|| expected(at, "true or false", value))
}

/// An integer; `3.0` is one.
pub(crate) fn integer(value: &Value, at: &At<'_>) -> Result<i128, ConfigError> {
    /// Every integer up to here is one f64, and no other integer is rounded to it.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if let Some(integer) = value.as_number().and_then(serde_json::Number::as_i128) {
        return Ok(integer);
    }
    let float = value.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < EXACT);
    let float = float.ok_or_else(|| expected(at, "an integer of 64 bits", value))?;
    #[expect(clippy::cast_possible_truncation, reason = "an integer below 2^53 is exact")]
    Ok(float as i128)
}

/// A number such as 2.62, or a text that is one.
pub(crate) fn decimal(value: &Value, at: &At<'_>) -> Result<Decimal, ConfigError> {
    match value {
        Value::Number(_) | Value::String(_) => Decimal::deserialize(value)
            .map_err(|error| malformed(at, format!("{} is not exact: {error}", kind(value)))),
        _ => Err(expected(at, "a number", value)),
    }
}
/// A list of which `one` reads each entry.
pub(crate) fn list<T>(
    value: &Value,
    at: &At<'_>,
    what: &str,
    mut one: impl FnMut(&Value, &At<'_>) -> Result<T, ConfigError>,
) -> Result<Vec<T>, ConfigError> {
    let list = value.as_array().ok_or_else(|| expected(at, what, value))?;
    list.iter().enumerate().map(|(index, entry)| one(entry, &at.index(index))).collect()
}

/// A list of texts.
pub(crate) fn texts(value: &Value, at: &At<'_>) -> Result<Vec<String>, ConfigError> {
    list(value, at, "a list of texts", |value, at| text(value, at).map(str::to_owned))
}

/// A list of numbers.
pub(crate) fn decimals(value: &Value, at: &At<'_>) -> Result<Vec<Decimal>, ConfigError> {
    list(value, at, "a list of numbers", decimal)
}

/// The fields of a table, of which each is asked for by name once.
pub(crate) struct Fields<'a> {
    pub(crate) at: &'a At<'a>,
    map: &'a Map<String, Value>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(value: &'a Value, at: &'a At<'a>) -> Result<Self, ConfigError> {
        let map = value.as_object().ok_or_else(|| expected(at, "a table", value))?;
        Ok(Self { at, map, asked: RefCell::default() })
    }

    /// What a key holds; null is nothing.
    fn value(&self, key: &'static str) -> Option<&'a Value> {
        self.asked.borrow_mut().push(key);
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// Reads what a key holds, if it is there.
    pub(crate) fn optional<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&'a Value, &At<'_>) -> Result<T, ConfigError>,
    ) -> Result<Option<T>, ConfigError> {
        self.value(key).map(|value| read(value, &self.at.key(key))).transpose()
    }

    /// Reads what a key holds, which must be there.
    pub(crate) fn required<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&'a Value, &At<'_>) -> Result<T, ConfigError>,
    ) -> Result<T, ConfigError> {
        self.optional(key, read)?.ok_or_else(|| malformed(&self.at.key(key), "it is missing"))
    }

    /// A text that one of these names parses.
    pub(crate) fn named<T: Copy>(
        &self,
        key: &'static str,
        names: &[(&str, T)],
    ) -> Result<Option<T>, ConfigError> {
        self.optional(key, |value, at| {
            let found = names.iter().find(|(name, _)| value.as_str() == Some(name));
            let known = || names.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
            found
                .map(|(_, value)| *value)
                .ok_or_else(|| expected(at, &format!("one of {}", known()), value))
        })
    }

    /// The keys that nobody asked for.
    pub(crate) fn unknown(&self) -> Vec<&'a str> {
        let asked = self.asked.borrow();
        self.map.keys().map(String::as_str).filter(|key| !asked.contains(key)).collect()
    }

    /// Fails if there are keys that nobody asked for.
    pub(crate) fn finish(&self) -> Result<(), ConfigError> {
        let unknown = self.unknown();
        let Some(key) = unknown.first() else { return Ok(()) };
        let known = self.asked.borrow().join(", ");
        Err(malformed(self.at, format!("unknown key {key:?}; known are {known}")))
    }
}
