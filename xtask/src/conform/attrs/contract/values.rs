//! Values of attributes, without conversions.

use array_core::is_channel_axis;
use geometry::Decimal;
use serde_json::{Map, Value};

use super::Fault;

/// Names, and which of them are channels.
pub(super) type Axes = Vec<(String, bool)>;

pub(super) type Units = Vec<Option<String>>;

/// The value of a key; null is none.
pub(super) fn value<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    object.get(key).filter(|value| !value.is_null())
}

pub(super) fn decimal(value: &Value) -> Result<Decimal, Fault> {
    match value {
        Value::Number(number) => match (number.as_i64(), number.is_u64()) {
            (Some(integer), _) => Ok(Decimal::from(integer)),
            (None, true) => number.to_string().parse().map_err(|_| Fault::Beyond64Bits),
            (None, false) => {
                let float = number.as_f64().unwrap_or(f64::NAN);
                let large = float.abs() >= 2.0_f64.powi(63);
                let fault = if large { Fault::Beyond64Bits } else { Fault::NotDecimal };
                Decimal::from_f64(float).map_err(|_| fault)
            }
        },
        Value::String(text) => text.trim().parse().map_err(|_| Fault::Malformed),
        _ => Err(Fault::Malformed),
    }
}

pub(super) fn numbers(list: Option<&Value>) -> Result<Option<Vec<Decimal>>, Fault> {
    match list {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(values)) => {
            values.iter().map(decimal).collect::<Result<_, _>>().map(Some)
        }
        Some(_) => Err(Fault::Malformed),
    }
}

/// The numbers of a list; none if there is none.
pub(in crate::conform::attrs) fn exact(list: &Value) -> Option<Vec<Decimal>> {
    numbers(Some(list)).ok().flatten()
}

pub(super) fn sizes(list: Option<&Value>) -> Result<Option<Vec<Decimal>>, Fault> {
    let sizes = numbers(list)?;
    let positive = sizes.iter().flatten().all(|size| size.is_positive());
    let empty = sizes.as_ref().is_some_and(Vec::is_empty);
    if positive && !empty { Ok(sizes) } else { Err(Fault::Malformed) }
}

pub(super) fn units(value: Option<&Value>) -> Result<Option<Units>, Fault> {
    let name = |value: &Value| match value {
        Value::Null => Ok(None),
        Value::String(name) => Ok(Some(name.clone()).filter(|name| !name.trim().is_empty())),
        _ => Err(Fault::Malformed),
    };
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(names)) => names.iter().map(name).collect::<Result<_, _>>().map(Some),
        Some(one) => Ok(Some(vec![name(one)?])),
    }
}

pub(super) fn names(value: Option<&Value>) -> Result<Option<Vec<String>>, Fault> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.chars().map(String::from).collect())),
        Some(Value::Array(names)) => {
            let name = |name: &Value| name.as_str().map(str::to_owned).ok_or(Fault::Axes);
            names.iter().map(name).collect::<Result<_, _>>().map(Some)
        }
        Some(_) => Err(Fault::Axes),
    }
}

pub(super) fn named(names: Vec<String>) -> Axes {
    names.into_iter().map(|name| (name.clone(), is_channel_axis(&name))).collect()
}
