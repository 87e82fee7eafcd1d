//! The keys of funlib.persistence and DaCapo: `voxel_size` or `resolution`, `offset`, `axis_names` or
//! `axes`, `units`, `types`; and `pixelResolution`.

use array_core::is_channel_axis;
use serde_json::Value;

use super::axes::Axis;
use super::claim::{Claim, ClaimResult};
use super::n5_group::{OWN_FACTORS, is_flat, scaled};
use super::report::{Convention, GeometrySource};
use super::values::{Attributes, List};
use crate::error::ZarrError;

/// The keys that give a voxel size, in the order in which they win.
pub(super) const VOXEL_SIZE_KEYS: [&str; 3] = ["voxel_size", "resolution", "scale"];

/// Whether lists of N5 are in array order against its rule: funlib.persistence from 0.5 on writes them so, and
/// names the axes with a key of its own.
pub(super) fn is_in_array_order(attributes: &Attributes<'_>) -> bool {
    let names = attributes.get("axis_names").and_then(Value::as_array);
    let is_x = |name: Option<&Value>| name.is_some_and(|name| name == "x");
    names.is_some_and(|names| is_x(names.last()) && !is_x(names.first()))
}

/// A claim for each key of the array itself that gives a voxel size.
pub(super) fn claims(attributes: &Attributes<'_>) -> Vec<ClaimResult> {
    let mut claims = Vec::new();
    for key in VOXEL_SIZE_KEYS {
        // A key `scale` of another meaning is a number or an object.
        if attributes.get(key).is_none_or(|value| key == "scale" && !value.is_array()) {
            continue;
        }
        let source = GeometrySource::Own { key };
        claims.push(claim(attributes, key, source.clone()).map_err(|error| (source, error)));
    }
    claims
}

/// What the group that holds the array says about it, as old versions of DaCapo read it.
pub(super) fn parent_claim(attributes: &Attributes<'_>) -> Option<ClaimResult> {
    let key = "resolution";
    attributes.get(key)?;
    let source = GeometrySource::Parent { key };
    Some(claim(attributes, key, source.clone()).map_err(|error| (source, error)))
}

fn claim(
    attributes: &Attributes<'_>,
    key: &str,
    source: GeometrySource,
) -> Result<Claim, ZarrError> {
    let mut claim = Claim::new(source, attributes.file, Convention::Corner);
    claim.voxel_size = attributes.sizes(key)?;
    claim.offset = attributes.numbers("offset")?;
    claim.units = attributes.units("units")?;
    Ok(claim)
}

/// The array's own `offset`, which counts whatever gives the voxel size.
pub(super) fn own_offset(attributes: &Attributes<'_>) -> Result<Option<List>, ZarrError> {
    attributes.numbers("offset")
}

/// The axes that the array's own keys name, and the key.
pub(super) fn axes(
    attributes: &Attributes<'_>,
) -> Result<Option<(GeometrySource, Vec<Axis>)>, ZarrError> {
    let axis_names = attributes.names("axis_names", true)?;
    let axes = attributes.names("axes", true)?;
    let (key, names) = match (axis_names, axes) {
        // The two spellings of one list: funlib marks channels with a `^`, others do not.
        (Some(marked), Some(plain)) if same_axes(&marked, &plain) => ("axes", plain),
        (Some(names), _) => ("axis_names", names),
        (None, Some(names)) => ("axes", names),
        (None, None) => return Ok(None),
    };
    Ok(Some((GeometrySource::Own { key }, names.into_iter().map(Axis::named).collect())))
}

fn same_axes(marked: &[String], plain: &[String]) -> bool {
    marked.len() == plain.len()
        && marked.iter().zip(plain).all(|(marked, plain)| {
            marked.strip_suffix('^').unwrap_or(marked) == plain
                && is_channel_axis(marked) == is_channel_axis(plain)
        })
}

/// Whether each axis is a channel, as the array's own `types` say.
pub(super) fn channel_types(attributes: &Attributes<'_>) -> Result<Option<Vec<bool>>, ZarrError> {
    let types = attributes.names("types", false)?;
    Ok(types.map(|types| types.iter().map(|t| t == "channel" || t == "sample").collect()))
}

/// What `pixelResolution` says, of which the array's own `downsamplingFactors` make voxels of its level.
pub(super) fn pixel_resolution(attributes: &Attributes<'_>) -> Option<ClaimResult> {
    // Whatever the format, both count x first.
    let attributes = Attributes { reversed: true, ..*attributes };
    let source = GeometrySource::PixelResolution;
    let claim = || {
        let Some((mut size, units)) = resolution(&attributes)? else {
            return Ok(None);
        };
        if let Some(factors) = attributes.get(OWN_FACTORS).filter(|factors| is_flat(factors)) {
            size = scaled(size, &attributes.sizes_of(OWN_FACTORS, factors)?, attributes.file)?;
        }
        let mut claim = Claim::new(source.clone(), attributes.file, Convention::Corner);
        (claim.voxel_size, claim.units) = (Some(size), units);
        Ok(Some(claim))
    };
    claim().map_err(|error| (source.clone(), error)).transpose()
}

/// A voxel size and its units, where they are known.
pub(super) type SizeAndUnits = (List, Option<Vec<Option<String>>>);

/// The voxel size and the units of `pixelResolution`: `{"unit", "dimensions"}`, or a list.
pub(super) fn resolution(attributes: &Attributes<'_>) -> Result<Option<SizeAndUnits>, ZarrError> {
    let (key, expected) = ("pixelResolution", "a list, or an object with dimensions and a unit");
    let object = match attributes.get(key) {
        None => return Ok(None),
        Some(value @ Value::Array(_)) => {
            return Ok(Some((attributes.sizes_of(key, value)?, None)));
        }
        Some(Value::Object(object)) => object,
        Some(other) => return Err(attributes.wrong(key, expected, other)),
    };
    let prefix = attributes.key("pixelResolution.");
    let inner = Attributes { prefix: &prefix, object, ..*attributes };
    let Some(size) = inner.sizes("dimensions")? else {
        return Err(attributes.wrong(key, expected, &Value::Object(object.clone())));
    };
    let units = match inner.get("unit") {
        None => None,
        Some(Value::String(unit)) => Some(vec![Some(unit.clone())]),
        Some(other) => return Err(inner.wrong("unit", "the name of a unit", other)),
    };
    Ok(Some((size, units)))
}
