//! The new version: funlib.persistence 0.7.0.
//!
//! It reads `voxel_size`, `offset`, `axis_names`, `units` and `types` of the array itself, each of
//! which must be a list or null. Numbers lose their fractions. What is missing is 1, 0, or a name made
//! from a number.

use serde_json::{Value, json};

use super::model::{Answer, Cause, Failure, Modelled, Place};
use super::python::coordinate;
use super::vector::Vector;

pub(super) fn answer(vector: &Vector) -> Modelled {
    let mut offset = list(vector, "offset")?;
    let mut size = list(vector, "voxel_size")?;
    let names = list(vector, "axis_names")?;
    let mut units = list(vector, "units")?;
    let mut types = list(vector, "types")?;
    let is_space = |kind: &Value| kind == "space" || kind == "time";
    if let (None, Some(names)) = (&types, &names) {
        let kind = |name: &Value| if marks_channel(name) { "channel" } else { "space" };
        types = Some(names.iter().map(|name| kind(name).into()).collect());
    }
    if let Some(types) = &types {
        for values in [&mut offset, &mut size, &mut units] {
            without_channels(values, types)?;
        }
    }
    let read = (json!(size), json!(offset));
    let offset = integers(offset)?;
    let size = integers(size)?;
    for texts in [&names, &units, &types].into_iter().flatten() {
        if !texts.iter().all(Value::is_string) {
            let null = texts.iter().all(|text| text.is_string() || text.is_null());
            return assertion(if null { Cause::Null } else { Cause::Malformed });
        }
    }

    let ndim = vector.shape.len();
    let num_space = types.as_ref().map(|types| types.iter().filter(|kind| is_space(kind)).count());
    let lengths = [
        units.as_ref().map(Vec::len),
        size.as_ref().map(Vec::len),
        offset.as_ref().map(Vec::len),
        num_space,
    ];
    let mut lengths = lengths.into_iter().flatten();
    let dims = lengths.next().unwrap_or(ndim);
    if lengths.any(|length| length != dims) {
        return ambiguous(vector, units.as_ref());
    }
    let types = types.unwrap_or_else(|| {
        let channel_dims = ndim.saturating_sub(dims);
        (0..channel_dims)
            .map(|_| json!("channel"))
            .chain((0..dims).map(|_| json!("space")))
            .collect()
    });
    let usual = || usual_names(&types, ndim.saturating_sub(dims));
    let names = names.map_or_else(usual, Ok)?;
    if names.len() < ndim || types.len() < ndim {
        return Err(Failure { class: "IndexError", cause: Cause::Lengths });
    }

    // Entries beyond the axes of the array are not looked at.
    let spatial: Vec<usize> = vector
        .shape
        .iter()
        .zip(&types)
        .filter(|(_, kind)| is_space(kind))
        .map(|(length, _)| *length)
        .collect();
    let (size_from, offset_from) = (
        if size.is_some() { "voxel_size" } else { "default" },
        if offset.is_some() { "offset" } else { "default" },
    );
    let cut = |values: Option<Vec<i128>>, usual: i128| {
        let mut values = values.unwrap_or_else(|| vec![usual; dims]);
        values.truncate(spatial.len());
        values
    };
    let (voxel_size, offset) = (cut(size, 1), cut(offset, 0));
    if voxel_size.len() < spatial.len() || offset.len() < spatial.len() {
        return Err(Failure { class: "IndexError", cause: Cause::Lengths });
    }
    let extent = |(size, length): (&i128, &usize)| size.saturating_mul(*length as i128);
    let shape = voxel_size.iter().zip(&spatial).map(extent).collect();
    let mut units = units.unwrap_or_else(|| vec!["".into(); dims]);
    units.truncate(spatial.len());
    let axes = names[..ndim].to_vec().into();
    Ok(Answer {
        place: Place { voxel_size, offset, shape, axes },
        extra: units.into(),
        size_from,
        offset_from,
        read: read.clone(),
        turned: read,
    })
}

fn assertion<T>(cause: Cause) -> Result<T, Failure> {
    Err(Failure { class: "AssertionError", cause })
}

/// The list under a key; none if it is missing or null.
fn list(vector: &Vector, key: &str) -> Result<Option<Vec<Value>>, Failure> {
    match vector.attrs.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(values)) => Ok(Some(values.clone())),
        Some(Value::String(_)) if key == "axis_names" || key == "units" => {
            assertion(Cause::OneText)
        }
        Some(_) => assertion(Cause::Malformed),
    }
}

fn marks_channel(name: &Value) -> bool {
    name.as_str().is_some_and(|name| name.ends_with('^'))
}

/// Leaves the entries for axes of space and time, if there is one for each axis.
fn without_channels(values: &mut Option<Vec<Value>>, types: &[Value]) -> Result<(), Failure> {
    let Some(list) = values else { return Ok(()) };
    let is_space = |kind: &Value| kind == "space" || kind == "time";
    let kept = types.iter().filter(|kind| is_space(kind)).count();
    if list.len() == types.len() && list.len() != kept {
        let pairs = list.drain(..).zip(types);
        *values = Some(pairs.filter(|(_, kind)| is_space(kind)).map(|(value, _)| value).collect());
    } else if list.len() != kept {
        let cause = if list.is_empty() { Cause::Null } else { Cause::Lengths };
        return Err(Failure { class: "ValueError", cause });
    }
    Ok(())
}

fn integers(values: Option<Vec<Value>>) -> Result<Option<Vec<i128>>, Failure> {
    let Some(values) = values else { return Ok(None) };
    let values: Option<Vec<i128>> = coordinate(&Value::Array(values))?.into_iter().collect();
    values.map_or_else(|| assertion(Cause::Malformed), |values| Ok(Some(values)))
}

/// The failure where lists differ in length.
fn ambiguous(vector: &Vector, units: Option<&Vec<Value>>) -> Modelled {
    let empty = |key: &str| vector.attrs.get(key).is_some_and(|value| *value == json!([]));
    let cause = match units.map(Vec::len) {
        _ if ["units", "offset", "voxel_size"].into_iter().any(empty) => Cause::Null,
        Some(1) => Cause::OneText,
        _ => Cause::Lengths,
    };
    Err(Failure { class: "ValueError", cause })
}

/// `c0^`, `c1^` … for channels and `d0`, `d1` … for the others.
fn usual_names(types: &[Value], num_channels: usize) -> Result<Vec<Value>, Failure> {
    let (mut channels, mut spatial) = (0_usize, 0_usize);
    let mut names = Vec::new();
    for kind in types {
        if kind == "space" || kind == "time" {
            names.push(format!("d{spatial}").into());
            spatial += 1;
        } else {
            names.push(format!("c{channels}^").into());
            channels += 1;
        }
    }
    // More types than axes: the names run out.
    if channels > num_channels {
        return Err(Failure { class: "StopIteration", cause: Cause::Lengths });
    }
    Ok(names)
}
