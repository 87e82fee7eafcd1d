//! What a version of the original must answer, and which of its habits made the answer so.

use serde_json::Value;

use super::vector::Vector;

/// What is asked of both versions and of us.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) voxel_size: Vec<i128>,
    pub(super) offset: Vec<i128>,
    /// The extent in world units.
    pub(super) shape: Vec<i128>,
    pub(super) axes: Value,
}

/// An answer of the original, with its habits.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) place: Place,
    /// What else is recorded: units (new), or whether a mask can be made (old).
    pub(super) extra: Value,
    /// The keys that were read.
    pub(super) size_from: &'static str,
    pub(super) offset_from: &'static str,
    /// Voxel size and offset as they were read.
    pub(super) read: (Value, Value),
    /// The same, after the memory order may have turned them round.
    pub(super) turned: (Value, Value),
}

/// A Python exception.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failure {
    pub(super) class: &'static str,
    pub(super) cause: Cause,
}

/// What made the original fail.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cause {
    /// An object lacks a key.
    MissingKey(&'static str),
    /// A value is null or an empty list.
    Null,
    /// A voxel size below 1 became 0, or a text has a fraction.
    Fraction,
    /// Two lists differ in length, or a list and its default.
    Lengths,
    /// One text, or one unit, stands where a list for all axes is wanted.
    OneText,
    /// A value of a type that cannot be read.
    Malformed,
}

pub(super) type Modelled = Result<Answer, Failure>;

/// The attributes of the group that holds the array.
pub(super) fn parent(vector: &Vector) -> Value {
    let own = vector.parent_attrs.as_ref();
    let of_parent =
        if vector.dataset.contains('/') { own } else { own.or(vector.root_attrs.as_ref()) };
    of_parent.cloned().unwrap_or_default().into()
}

/// The groups that enclose the array, the nearest first: path of the array inside, and attributes.
pub(super) fn groups(vector: &Vector) -> Vec<(String, Value)> {
    let names: Vec<&str> = vector.dataset.split('/').collect();
    let own = |depth: usize| match depth {
        _ if depth + 1 == names.len() => parent(vector),
        0 => vector.root_attrs.clone().unwrap_or_default().into(),
        _ => Value::Object(serde_json::Map::default()),
    };
    (0..names.len()).rev().map(|depth| (names[depth..].join("/"), own(depth))).collect()
}

pub(super) fn has_fraction(value: &Value) -> bool {
    let fraction = |value: &Value| value.as_f64().is_some_and(|number| number.fract() != 0.0);
    fraction(value) || value.as_array().is_some_and(|values| values.iter().any(fraction))
}
