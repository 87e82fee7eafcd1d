//! What the documented places say, in their order.

use array_core::is_channel_axis;
use geometry::Decimal;
use serde_json::{Map, Value};

use super::super::model::{groups, parent};
use super::super::vector::Vector;
use super::Fault;
use super::values::{Axes, Units, named, names, numbers, sizes, units, value};

/// What one place says.
pub(super) struct Claim {
    pub(super) from: &'static str,
    pub(super) offset_from: &'static str,
    pub(super) voxel_size: Vec<Decimal>,
    pub(super) offset: Option<Vec<Decimal>>,
    pub(super) units: Option<Units>,
    pub(super) order_key: Option<&'static str>,
}

pub(super) type Found = Vec<Result<Claim, Fault>>;

/// All that say a voxel size, and the first axes that they name.
pub(super) fn claims(vector: &Vector) -> (Found, Option<Axes>) {
    let own = &vector.attrs;
    let mut found = Vec::new();
    for key in ["voxel_size", "resolution", "scale"] {
        let value = value(own, key);
        if value.is_some_and(|value| key != "scale" || value.is_array()) {
            found.push(of_keys(own, key, key));
        }
    }
    let mut axes = None;
    if let Some(transform) = value(own, "transform") {
        match of_transform(transform, "transform") {
            Ok((claim, names)) => {
                found.extend(claim.map(Ok));
                axes = names;
            }
            Err(fault) => found.push(Err(fault)),
        }
    }
    for (path, attrs) in groups(vector) {
        if let Some(of_group) = of_group(&attrs, &path) {
            match of_group {
                Ok((claim, names)) => {
                    found.extend(claim.map(Ok));
                    axes = axes.or(names);
                }
                Err(fault) => found.push(Err(fault)),
            }
            break;
        }
    }
    if let Some(pixels) = value(own, "pixelResolution") {
        found.push(of_pixels(pixels));
    }
    if let Some(parent) =
        parent(vector).as_object().filter(|parent| value(parent, "resolution").is_some())
    {
        let claim = of_keys(parent, "resolution", "parent resolution");
        found.push(claim.map(|claim| Claim { offset_from: "parent offset", ..claim }));
    }
    (found, axes)
}

fn of_keys(attrs: &Map<String, Value>, key: &str, from: &'static str) -> Result<Claim, Fault> {
    Ok(Claim {
        from,
        offset_from: from,
        voxel_size: sizes(attrs.get(key))?.ok_or(Fault::Malformed)?,
        offset: numbers(attrs.get("offset"))?,
        units: units(attrs.get("units"))?,
        order_key: None,
    })
}

type ClaimAndAxes = (Option<Claim>, Option<Axes>);

fn of_transform(value: &Value, from: &'static str) -> Result<ClaimAndAxes, Fault> {
    let transform = value.as_object().ok_or(Fault::Malformed)?;
    let order =
        ["order", "ordering"].into_iter().find_map(|key| Some((key, self::value(transform, key)?)));
    let fortran = match order.map(|(_, order)| order.as_str()) {
        None | Some(Some("C")) => false,
        Some(Some("F")) => true,
        Some(_) => return Err(Fault::Malformed),
    };
    fn turn<T>(mut list: Vec<T>, fortran: bool) -> Vec<T> {
        if fortran {
            list.reverse();
        }
        list
    }
    let offset = numbers(transform.get("translate"))?.map(|list| turn(list, fortran));
    let units = units(transform.get("units"))?.map(|list| turn(list, fortran));
    let axes = names(transform.get("axes"))?.map(|list| turn(named(list), fortran));
    let claim = sizes(transform.get("scale"))?.map(|list| Claim {
        from,
        offset_from: from,
        voxel_size: turn(list, fortran),
        offset,
        units,
        order_key: order.map(|(key, _)| key),
    });
    Ok((claim, axes))
}

fn of_pixels(value: &Value) -> Result<Claim, Fault> {
    let pixels = value.as_object().ok_or(Fault::Malformed)?;
    let mut voxel_size = sizes(pixels.get("dimensions"))?.ok_or(Fault::Malformed)?;
    voxel_size.reverse();
    let units = match pixels.get("unit") {
        Some(Value::Array(_)) => return Err(Fault::Malformed),
        unit => units(unit)?,
    };
    let from = "pixelResolution";
    Ok(Claim { from, offset_from: from, voxel_size, offset: None, units, order_key: None })
}

/// What the `multiscales` of a group say about the array at a path inside it.
fn of_group(attrs: &Value, path: &str) -> Option<Result<ClaimAndAxes, Fault>> {
    let holder = attrs.get("ome").filter(|ome| ome.get("multiscales").is_some()).unwrap_or(attrs);
    for multiscale in holder.get("multiscales")?.as_array()? {
        for dataset in multiscale.get("datasets").and_then(Value::as_array).into_iter().flatten() {
            let parts = |path: &str| -> Vec<String> {
                path.split('/')
                    .filter(|part| !part.is_empty() && *part != ".")
                    .map(String::from)
                    .collect()
            };
            if dataset.get("path").and_then(Value::as_str).map(parts) == Some(parts(path)) {
                return Some(match dataset.get("transform") {
                    Some(transform) => of_transform(transform, "multiscales"),
                    None => of_ome(multiscale, dataset),
                });
            }
        }
    }
    None
}

fn of_ome(multiscale: &Value, dataset: &Value) -> Result<ClaimAndAxes, Fault> {
    let (mut axes, mut units) = (None, None);
    if let Some(list) = multiscale.get("axes").filter(|axes| !axes.is_null()) {
        let (mut all, mut all_units) = (Vec::new(), Vec::new());
        for axis in list.as_array().ok_or(Fault::Axes)? {
            let text = |key: &str| axis.get(key).and_then(Value::as_str);
            let name = axis.as_str().or_else(|| text("name")).ok_or(Fault::Axes)?;
            all.push((name.to_owned(), is_channel_axis(name) || text("type") == Some("channel")));
            all_units.push(text("unit").filter(|unit| !unit.trim().is_empty()).map(str::to_owned));
        }
        (axes, units) = (Some(all), Some(all_units));
    }
    let (mut scale, mut shift): (Option<Vec<Decimal>>, Option<Vec<Decimal>>) = (None, None);
    for holder in [dataset, multiscale] {
        let list = match holder.get("coordinateTransformations") {
            None | Some(Value::Null) => continue,
            Some(list) => list.as_array().ok_or(Fault::Malformed)?,
        };
        for step in list {
            match step.get("type").and_then(Value::as_str).ok_or(Fault::Malformed)? {
                "identity" => {}
                "scale" => {
                    let factors = sizes(step.get("scale"))?.ok_or(Fault::Malformed)?;
                    shift =
                        shift.map(|shift| combine(&shift, &factors, |a, b| a * b)).transpose()?;
                    scale = Some(match scale {
                        Some(scale) => combine(&scale, &factors, |a, b| a * b)?,
                        None => factors,
                    });
                }
                "translation" => {
                    let by = numbers(step.get("translation"))?.ok_or(Fault::Malformed)?;
                    shift = Some(match shift {
                        Some(shift) => combine(&shift, &by, |a, b| a + b)?,
                        None => by,
                    });
                }
                _ => return Err(Fault::Unsupported),
            }
        }
    }
    let from = "multiscales";
    let claim = scale.map(|voxel_size| Claim {
        from,
        offset_from: from,
        voxel_size,
        offset: shift,
        units,
        order_key: None,
    });
    Ok((claim, axes))
}

fn combine(
    left: &[Decimal],
    right: &[Decimal],
    operation: impl Fn(f64, f64) -> f64,
) -> Result<Vec<Decimal>, Fault> {
    if left.len() != right.len() {
        return Err(Fault::Malformed);
    }
    let one = |(left, right): (&Decimal, &Decimal)| {
        Decimal::from_f64(operation(left.to_f64(), right.to_f64()))
    };
    left.iter().zip(right).map(one).collect::<Result<_, _>>().map_err(|_| Fault::NotDecimal)
}
