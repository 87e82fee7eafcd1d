//! The old version: DaCapo's `ZarrArray` over funlib.persistence 0.3.0.
//!
//! It looks for `multiscales` in the enclosing groups, then in the array and its group for
//! `resolution`, `scale`, `pixelResolution` or `transform`, and apart from that for an offset and for
//! units. Of what it does not find it takes the usual, for at most three axes. Numbers lose their
//! fractions, and an offset is rounded to the voxel size. The attribute `order`, or else the memory
//! order, turns the lists round.

use serde_json::{Value, json};

use super::model::{Answer, Cause, Failure, Modelled, Place, groups, has_fraction, parent};
use super::python::{coordinate, divide, item, reversed, truthy};
use super::vector::Vector;

/// A value and the key that it came from.
type Found = Option<(&'static str, Value)>;

pub(super) fn answer(vector: &Vector) -> Modelled {
    let own = Value::Object(vector.attrs.clone());
    let parent = parent(vector);
    let holders = [(false, &own), (true, &parent)];
    let order = own.get("order").cloned().unwrap_or_else(|| vector.order.clone().into());

    let (mut size, mut offset, mut units) = of_multiscales(vector)?;
    if size.is_none() {
        size = voxel_size(&holders, &order)?;
    }
    if offset.is_none() {
        offset = offset_of(&holders, &order)?;
    }
    if units.is_none() {
        units = Some(units_of(&holders, &order)?);
    }
    let dims = vector.shape.len().min(3);
    let (size_from, mut size) = size.unwrap_or_else(|| ("default", json!(vec![1; dims])));
    let (offset_from, mut offset) = offset.unwrap_or_else(|| ("default", json!(vec![0; dims])));
    let read = (size.clone(), offset.clone());
    if order == "F" {
        (size, offset) = (reversed(&size)?, reversed(&offset)?);
        reversed(&units.unwrap_or_default())?;
    }
    let place = place(vector, &size, &offset)?;
    let spatial = place.voxel_size.len();
    let axes = own.get("axes").cloned();
    let usual = ["s", "c", "z", "y", "x"];
    let axes = axes.unwrap_or_else(|| json!(usual[usual.len().saturating_sub(spatial)..]));
    Ok(Answer {
        extra: mask_ok(&axes),
        place: Place { axes, ..place },
        size_from,
        offset_from,
        read,
        turned: (size, offset),
    })
}

/// Whether a mask of the array can be made: `"c" not in axes`.
fn mask_ok(axes: &Value) -> Value {
    let has_channel = match axes {
        Value::Array(names) => names.iter().any(|name| name == "c"),
        Value::String(text) => text.contains('c'),
        Value::Object(fields) => fields.contains_key("c"),
        _ => return json!({"error": "TypeError"}),
    };
    if has_channel { json!({"error": "AssertionError"}) } else { json!(true) }
}

fn present(from: &'static str, value: &Value) -> Found {
    Some((from, value.clone())).filter(|(_, value)| !value.is_null())
}

fn of_multiscales(vector: &Vector) -> Result<(Found, Found, Option<Value>), Failure> {
    let from = "multiscales";
    let (mut size, mut offset) = (None, None);
    let groups = groups(vector);
    let Some((path, multiscales)) = groups.iter().find_map(|(path, attrs)| {
        Some((path, attrs.get("multiscales").filter(|value| truthy(value))?))
    }) else {
        return Ok((None, None, None));
    };
    let malformed = Failure { class: "TypeError", cause: Cause::Malformed };
    let first = match multiscales {
        Value::Array(list) => list.first().ok_or_else(|| malformed.clone())?,
        Value::Object(_) => return Err(Failure { class: "KeyError", cause: Cause::Malformed }),
        _ => return Err(malformed),
    };
    let entries = |value: &Value| value.as_array().cloned().ok_or_else(|| malformed.clone());
    let mut units = Vec::new();
    for axis in entries(item(first, "axes")?)? {
        // Axes of earlier versions are names without a unit.
        let cause = Cause::MissingKey("unit");
        let unit = item(&axis, "unit");
        units.push(unit.map_err(|failure| Failure { cause, ..failure })?.clone());
    }
    for level in entries(item(first, "datasets")?)? {
        let name = item(&level, "path")?.as_str().ok_or_else(|| malformed.clone())?;
        if name.trim_start_matches('/') != path {
            continue;
        }
        for transformation in entries(item(&level, "coordinateTransformations")?)? {
            match item(&transformation, "type")?.as_str() {
                Some("scale") => size = present(from, item(&transformation, "scale")?),
                Some("translation") => {
                    offset = present(from, item(&transformation, "translation")?);
                }
                _ => {}
            }
        }
        break;
    }
    Ok((size, offset, Some(units.into())))
}

/// A list out of a `transform`, turned round if its order is not the array's.
fn of_transform(transform: &Value, key: &'static str, order: &Value) -> Result<Value, Failure> {
    if !transform.is_object() {
        return Err(Failure { class: "AttributeError", cause: Cause::Malformed });
    }
    let own_order = transform.get("ordering").cloned().unwrap_or_else(|| "C".into());
    let list = item(transform, key)?;
    if own_order == *order { Ok(list.clone()) } else { reversed(list) }
}

fn voxel_size(holders: &[(bool, &Value)], order: &Value) -> Result<Found, Failure> {
    for (is_parent, attrs) in holders {
        for (key, of_parent) in [("resolution", "parent resolution"), ("scale", "parent scale")] {
            if let Some(value) = attrs.get(key) {
                return Ok(present(if *is_parent { of_parent } else { key }, value));
            }
        }
        if let Some(value) = attrs.get("pixelResolution") {
            let from = if *is_parent { "parent pixelResolution" } else { "pixelResolution" };
            return Ok(present(from, item(value, "dimensions")?));
        }
        if let Some(transform) = attrs.get("transform") {
            let from = if *is_parent { "parent transform" } else { "transform" };
            return Ok(present(from, &of_transform(transform, "scale", order)?));
        }
    }
    Ok(None)
}

fn offset_of(holders: &[(bool, &Value)], order: &Value) -> Result<Found, Failure> {
    for (is_parent, attrs) in holders {
        if let Some(value) = attrs.get("offset") {
            return Ok(present(if *is_parent { "parent offset" } else { "offset" }, value));
        }
        if let Some(transform) = attrs.get("transform") {
            let from = if *is_parent { "parent transform" } else { "transform" };
            return Ok(present(from, &of_transform(transform, "translate", order)?));
        }
    }
    Ok(None)
}

/// The units, which are not answered, but looked for.
fn units_of(holders: &[(bool, &Value)], order: &Value) -> Result<Value, Failure> {
    let mut found = Value::Null;
    for (_, attrs) in holders {
        if let Some(units) = attrs.get("units") {
            found = units.clone();
        } else if let Some(value) = attrs.get("pixelResolution") {
            found = json!([item(value, "unit")?]);
        } else if let Some(transform) = attrs.get("transform") {
            found = of_transform(transform, "units", order)?;
        } else {
            continue;
        }
        break;
    }
    Ok(if found.is_null() { "pixels".into() } else { found })
}

/// Integers, the offset rounded to the voxel, and the region that follows.
fn place(vector: &Vector, size: &Value, offset: &Value) -> Result<Place, Failure> {
    let lengths = Failure { class: "AssertionError", cause: Cause::Lengths };
    let (sizes, offsets) = (coordinate(size)?, coordinate(offset)?);
    if sizes.len() != offsets.len() {
        let empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
        let list = |value: &Value| matches!(value, Value::Array(_) | Value::String(_));
        let cause = match () {
            () if !list(size) || !list(offset) => Cause::Malformed,
            () if empty(size) || empty(offset) => Cause::Null,
            () => Cause::Lengths,
        };
        return Err(Failure { cause, ..lengths });
    }
    let pairs: Vec<_> = offsets.iter().zip(&sizes).collect();
    if pairs.iter().any(|pair| matches!(pair, (Some(_), Some(0)))) {
        let cause = if has_fraction(size) { Cause::Fraction } else { Cause::Malformed };
        return Err(Failure { class: "ZeroDivisionError", cause });
    }
    if sizes.len() > vector.shape.len() || sizes.is_empty() {
        return Err(lengths);
    }
    let known: Option<Vec<(i128, i128)>> =
        pairs.into_iter().map(|(offset, size)| (*offset).zip(*size)).collect();
    let known = known.ok_or(Failure { class: "TypeError", cause: Cause::Malformed })?;
    let on_grid = |(offset, size): &(i128, i128)| divide(*offset, *size).saturating_mul(*size);
    let mut place = Place {
        voxel_size: known.iter().map(|(_, size)| *size).collect(),
        offset: known.iter().map(|(offset, _)| *offset).collect(),
        shape: Vec::new(),
        axes: Value::Null,
    };
    if known.iter().any(|pair| on_grid(pair) != pair.0) {
        let centred = |(offset, size): &(i128, i128)| {
            on_grid(&(offset.saturating_add(divide(*size, 2)), *size))
        };
        place.offset = known.iter().map(centred).collect();
    }
    let spatial = &vector.shape[vector.shape.len() - sizes.len()..];
    let extent = |(size, length): (&i128, &usize)| size.saturating_mul(*length as i128);
    place.shape = place.voxel_size.iter().zip(spatial).map(extent).collect();
    Ok(place)
}
