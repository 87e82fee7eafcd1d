//! What the versions of the original must answer about a `labels` attribute.
//!
//! Each reads the entries into a model of types, which converts what it can. Then a channel is masked
//! that has an id which is present, but not annotated; with the rule of id 37, unless it has 37 and
//! that one is not missing. The words of the later model are all true, so that no channel is masked.

use serde_json::{Map, Value};

/// A version of the original.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version {
    pub(super) name: &'static str,
    /// Whether `annotated` is a word, not a bool.
    words: bool,
    /// Whether the rule of id 37 applies.
    generic: bool,
    /// Whether `count` must be there and other keys must not.
    exact_keys: bool,
}

pub(super) const VERSIONS: [Version; 4] = [
    Version { name: "old", words: false, generic: true, exact_keys: false },
    Version { name: "no37", words: false, generic: false, exact_keys: false },
    Version { name: "enum", words: true, generic: true, exact_keys: false },
    Version { name: "new", words: true, generic: false, exact_keys: true },
];

/// What makes the original fail.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cause {
    /// `annotated` is of the other generation.
    Generation,
    /// An entry has no `count`.
    NoCount,
    /// An object has a key more.
    UnknownKey,
    /// Anything else.
    Malformed,
}

/// A class of a Python exception.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) class: &'static str,
    pub(super) cause: Cause,
}

/// Which channels are masked.
pub(super) fn answer(
    version: Version,
    labels: Option<&Value>,
    groupings: &Value,
) -> Result<Vec<bool>, Failure> {
    let malformed = |class| Failure { class, cause: Cause::Malformed };
    let entries = labels.map_or(Ok(Vec::new()), |labels| {
        let list = labels.as_array().ok_or(Cause::Malformed)?;
        list.iter().map(|entry| version.entry(entry)).collect()
    });
    let entries = entries.map_err(|cause| Failure { class: "ValidationError", cause })?;
    let missing: Vec<i128> = entries.into_iter().flatten().collect();
    let mut masked = Vec::new();
    for group in groupings.as_array().ok_or_else(|| malformed("TypeError"))? {
        let ids = group.get(1).and_then(Value::as_array).ok_or_else(|| malformed("TypeError"))?;
        if labels.is_some() && ids.iter().any(|id| id.is_array() || id.is_object()) {
            return Err(malformed("TypeError"));
        }
        let ids: Vec<i128> = ids.iter().filter_map(whole).collect();
        let some_missing = ids.iter().any(|id| missing.contains(id));
        let exempt = ids.contains(&37) && !missing.contains(&37);
        masked.push(some_missing && !(version.generic && exempt));
    }
    Ok(masked)
}

/// A whole number, where true is 1 and 3.0 is 3; no other is the id of a label.
fn whole(value: &Value) -> Option<i128> {
    let number = value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from));
    number
        .or_else(|| value.as_bool().map(i128::from))
        .or_else(|| value.as_f64().filter(|float| float.fract() == 0.0).and_then(truncated))
}

/// A float without its fraction.
fn truncated(float: f64) -> Option<i128> {
    format!("{:.0}", float.trunc()).parse().ok()
}

impl Version {
    /// Whether the rule of id 37 applies.
    pub(super) const fn is_generic(self) -> bool {
        self.generic
    }

    /// The id of an entry, if it is present and not annotated.
    fn entry(self, entry: &Value) -> Result<Option<i128>, Cause> {
        let entry = object(entry)?;
        let name = object(entry.get("name").ok_or(Cause::Malformed)?)?;
        let state = object(entry.get("annotationState").ok_or(Cause::Malformed)?)?;
        let value = self.integer(entry.get("value").ok_or(Cause::Malformed)?)?;
        for key in ["long", "short"] {
            self.text(name.get(key).ok_or(Cause::Malformed)?)?;
        }
        let present = boolean(state.get("present").ok_or(Cause::Malformed)?)?;
        let count = entry.get("count");
        if let Some(count) = count.filter(|count| !count.is_null()) {
            self.integer(count)?;
        }
        let annotated = self.annotated(state.get("annotated").ok_or(Cause::Malformed)?)?;
        if self.exact_keys {
            let known = |fields: &Map<String, Value>, keys: &[&str]| {
                fields.keys().all(|key| keys.contains(&key.as_str()))
            };
            if count.is_none() {
                return Err(Cause::NoCount);
            }
            if !known(entry, &["value", "name", "annotationState", "count"])
                || !known(name, &["long", "short"])
                || !known(state, &["present", "annotated"])
            {
                return Err(Cause::UnknownKey);
            }
        }
        Ok(Some(value).filter(|_| present && !annotated))
    }

    fn annotated(self, value: &Value) -> Result<bool, Cause> {
        let word = value.as_str().filter(|word| ["dense", "sparse", "empty"].contains(word));
        match (self.words, word) {
            (true, Some(_)) => Ok(true),
            (false, Some(_)) => Err(Cause::Generation),
            (true, None) if value.is_boolean() => Err(Cause::Generation),
            (true, None) => Err(Cause::Malformed),
            (false, None) => boolean(value),
        }
    }

    /// An integer, or what is converted to one: the newest version takes no fraction, but texts such
    /// as "3.0".
    fn integer(self, value: &Value) -> Result<i128, Cause> {
        let integer = match value {
            Value::String(text) => {
                let digits = text.trim().replace('_', "");
                let zeros = |(integer, zeros): &(&str, &str)| {
                    !integer.is_empty() && zeros.chars().all(|zero| zero == '0') && self.exact_keys
                };
                let integer = digits.split_once('.').filter(zeros).map(|(integer, _)| integer);
                integer.unwrap_or(&digits).parse().ok()
            }
            value if self.exact_keys => whole(value),
            value => whole(value).or_else(|| truncated(value.as_f64()?)),
        };
        integer.ok_or(Cause::Malformed)
    }

    /// A text, or (but in the newest version) a number that becomes one.
    fn text(self, value: &Value) -> Result<(), Cause> {
        let scalar = value.is_number() || value.is_boolean();
        let is_text = value.is_string() || (scalar && !self.exact_keys);
        is_text.then_some(()).ok_or(Cause::Malformed)
    }
}

fn object(value: &Value) -> Result<&Map<String, Value>, Cause> {
    value.as_object().ok_or(Cause::Malformed)
}

/// A bool, 0 or 1, or one of the words for these.
fn boolean(value: &Value) -> Result<bool, Cause> {
    let text = value.as_str().map(str::to_lowercase);
    match (whole(value), text.as_deref()) {
        (Some(1), _) | (_, Some("1" | "on" | "t" | "true" | "y" | "yes")) => Ok(true),
        (Some(0), _) | (_, Some("0" | "off" | "f" | "false" | "n" | "no")) => Ok(false),
        _ => Err(Cause::Malformed),
    }
}
