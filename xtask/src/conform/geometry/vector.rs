//! One recorded operation.

use std::fmt;

use anyhow::{Context, bail};
use geometry::{GeometryError, PartialCoordinate, Roi};
use serde_json::{Map, Value, json};

/// An operation with its inputs and the recorded answer.
#[derive(Debug)]
pub(super) struct Vector {
    pub(super) op: String,
    /// What the operation was called on; `null` for constructors.
    pub(super) receiver: Value,
    pub(super) args: Vec<Value>,
    pub(super) expected: Expected,
    /// What a later version of the original answers instead.
    pub(super) later: Option<Value>,
}

/// The recorded answer.
#[derive(Debug)]
pub(super) enum Expected {
    Value(Value),
    /// The Python exception type.
    Error(String),
}

impl Vector {
    pub(super) fn parse(line: &str) -> anyhow::Result<Self> {
        let mut fields: Map<String, Value> = serde_json::from_str(line)?;
        let Some(Value::String(op)) = fields.remove("op") else { bail!("no operation") };
        let Some(Value::Array(args)) = fields.remove("args") else { bail!("no arguments") };
        let expected = match (fields.remove("r"), fields.remove("e")) {
            (Some(value), None) => Expected::Value(value),
            (None, Some(Value::String(class))) => Expected::Error(class),
            _ => bail!("neither one result nor one error"),
        };
        let receiver = fields.remove("a").context("no receiver")?;
        Ok(Self { op, receiver, args, expected, later: fields.remove("r_head") })
    }

    pub(super) fn arg(&self, index: usize) -> anyhow::Result<&Value> {
        self.args.get(index).with_context(|| format!("no argument {index}"))
    }

    /// Returns the receiver and the arguments.
    pub(super) fn inputs(&self) -> impl Iterator<Item = &Value> {
        std::iter::once(&self.receiver).chain(&self.args)
    }

    /// Returns the recorded result, if there is one.
    pub(super) fn expected_value(&self) -> Option<&Value> {
        match &self.expected {
            Expected::Value(value) => Some(value),
            Expected::Error(_) => None,
        }
    }
}

/// Why an operation has no answer of ours.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The crate returned an error.
    Geometry(GeometryError),
    /// The operand is a number that is no integer, which no function takes.
    Fraction,
    /// The operand is no number.
    NotANumber,
}

impl Refusal {
    /// Returns true if a Python exception of this type says the same.
    pub(super) fn corresponds_to(&self, class: &str) -> bool {
        match self {
            Self::Geometry(
                GeometryError::DimsMismatch { .. } | GeometryError::NotPositive { .. },
            ) => class == "AssertionError",
            Self::Geometry(GeometryError::DivisionByZero { .. }) => class == "ZeroDivisionError",
            Self::Geometry(
                GeometryError::Unbounded { .. } | GeometryError::AxisWithoutPlace { .. },
            ) => class == "TypeError",
            Self::Geometry(_) => false,
            Self::Fraction => matches!(class, "AssertionError" | "TypeError"),
            Self::NotANumber => matches!(class, "ValueError" | "TypeError"),
        }
    }
}

impl From<GeometryError> for Refusal {
    fn from(error: GeometryError) -> Self {
        Self::Geometry(error)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Geometry(error) => error.fmt(f),
            Self::Fraction => f.write_str("a number is no integer"),
            Self::NotANumber => f.write_str("an entry is no number"),
        }
    }
}

/// Returns the entries of a recorded coordinate.
pub(super) fn entries(value: &Value) -> Option<&Vec<Value>> {
    value.get("c")?.as_array()
}

/// Returns the entries of the offset and shape of a recorded region.
pub(super) fn region_entries(value: &Value) -> Option<(&Vec<Value>, &Vec<Value>)> {
    Some((value.get("o")?.as_array()?, value.get("s")?.as_array()?))
}

pub(super) fn integer(value: &Value) -> Result<i64, Refusal> {
    if let Some(integer) = value.as_i64() {
        return Ok(integer);
    }
    let Some(float) = value.as_f64() else { return Err(Refusal::NotANumber) };
    if float.fract() != 0.0 {
        return Err(Refusal::Fraction);
    }
    // The shortest text of a whole float has no fraction, so this is exact or too large.
    format!("{float}")
        .parse()
        .map_err(|_| GeometryError::Overflow { expression: value.to_string() }.into())
}

pub(super) fn coordinate(entries: &[Value]) -> Result<PartialCoordinate, Refusal> {
    let entry = |entry: &Value| match entry {
        Value::Null => Ok(None),
        Value::String(text) => text.trim().parse().map(Some).map_err(|_| Refusal::NotANumber),
        number => integer(number).map(Some),
    };
    let entries = entries.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    Ok(PartialCoordinate::new(&entries)?)
}

pub(super) fn region(value: &Value) -> Result<Roi, Refusal> {
    let (offset, shape) = region_entries(value).ok_or(Refusal::NotANumber)?;
    Ok(Roi::from_parts(coordinate(offset)?, coordinate(shape)?)?)
}

pub(super) fn coordinate_json(coordinate: &PartialCoordinate) -> Value {
    json!({ "c": coordinate.as_slice() })
}

pub(super) fn region_json(roi: &Roi) -> Value {
    json!({ "o": roi.partial_begin().as_slice(), "s": roi.partial_shape().as_slice() })
}
