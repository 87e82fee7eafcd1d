//! Scale levels as n5-viewer and Neuroglancer have them: a group with `pixelResolution` (or, in N5,
//! `resolution`) and `scales` or `downsamplingFactors`, and arrays `s0`, `s1` and so on in it.
//!
//! A level's voxel size is the product. All levels begin at the same corner, which is the origin: both
//! programs scale an image about the corner of its first voxel, and its centre moves.

use std::path::Path;

use serde_json::Value;

use super::axes::Axis;
use super::claim::{Claim, ClaimResult};
use super::own_keys::resolution;
use super::report::{Convention, GeometrySource};
use super::values::{Attributes, List, product};
use crate::error::ZarrError;
use crate::node::{Node, ZarrFormat, path_inside};

/// The keys with the factors of all levels, in the order in which they win.
pub(crate) const FACTOR_KEYS: [&str; 2] = ["scales", "downsamplingFactors"];

/// Whether a group lists the factors of its levels.
pub(crate) fn lists_factors(group: &Node) -> bool {
    FACTOR_KEYS.iter().any(|key| factors(group, key).is_some())
}

/// The factors of all levels of a group, if that is what a key of it has.
pub(crate) fn factors<'a>(group: &'a Node, key: &str) -> Option<&'a [Value]> {
    let levels = group.attrs.get(key)?.as_array()?;
    (levels.first()?.is_array()).then_some(levels)
}

/// What the group that holds a level says about it: a claim for each list of factors, or for the level's own.
pub(super) fn claims(array: &Node, parent: &Node, root: &Path) -> Vec<ClaimResult> {
    let name = array.dir.file_name().and_then(|name| name.to_str());
    let number = name.and_then(|name| name.strip_prefix('s')?.parse::<usize>().ok());
    let Some(number) = number else {
        return Vec::new();
    };
    let group = path_inside(root, &parent.dir);
    let mut found = Vec::new();
    for key in FACTOR_KEYS {
        if let Some(level) = factors(parent, key).and_then(|levels| levels.get(number)) {
            found.push((GeometrySource::N5Group { key, group: group.clone() }, Some((key, level))));
        }
    }
    if found.is_empty() {
        let key = "downsamplingFactors";
        let own = array.attrs.get(key).filter(|own| is_flat(own)).map(|own| (key, own));
        // The first level is the one that the group's voxel size is of.
        if own.is_some() || number == 0 {
            found.push((GeometrySource::N5Group { key: "pixelResolution", group }, own));
        }
    }
    let claims = found.into_iter().filter_map(|(source, factors)| {
        let claim = claim(parent, source.clone(), factors);
        claim.map_err(|error| (source, error)).transpose()
    });
    claims.collect()
}

fn claim(
    group: &Node,
    source: GeometrySource,
    factors: Option<(&str, &Value)>,
) -> Result<Option<Claim>, ZarrError> {
    // Every list counts x first.
    let attributes =
        Attributes { file: &group.attrs_file, prefix: "", object: &group.attrs, reversed: true };
    let is_n5 = group.format == ZarrFormat::N5;
    let mut claim = Claim::new(source, attributes.file, Convention::Corner);
    let base = match resolution(&attributes)? {
        Some((size, units)) => {
            claim.units = units;
            size
        }
        None if is_n5 && factors.is_some() => match attributes.sizes("resolution")? {
            Some(size) => size,
            None => return Ok(None),
        },
        None => return Ok(None),
    };
    // Other formats have keys of these names with other orders.
    if is_n5 {
        claim.units = match attributes.units("units")? {
            Some(units) => Some(units),
            None => claim.units,
        };
        let names = attributes.names("axes", true)?;
        claim.axes = names.map(|names| names.into_iter().map(Axis::named).collect());
    }
    claim.voxel_size = Some(match factors {
        Some((key, value)) => {
            let factors = attributes.sizes_of(key, value)?;
            scaled(base, &factors, attributes.file)?
        }
        None => base,
    });
    Ok(Some(claim))
}

/// Whether a value is a list of the factors of one level.
pub(super) fn is_flat(value: &Value) -> bool {
    value.as_array().is_some_and(|list| list.first().is_some_and(|entry| !entry.is_array()))
}

/// Voxel sizes times the factors of a level.
pub(super) fn scaled(size: List, factors: &List, file: &Path) -> Result<List, ZarrError> {
    let lengths = (size.values.len(), factors.values.len());
    if lengths.0 != lengths.1 {
        let reason = format!("{} {size} and {} {factors} differ in length", size.key, factors.key);
        return Err(ZarrError::malformed(file, reason));
    }
    let pairs = size.values.iter().zip(&factors.values);
    let values = pairs.map(|(size, factor)| product(*size, *factor)).collect::<Result<_, _>>();
    let values = values.map_err(|error| {
        ZarrError::malformed(file, format!("{} times {}: {error}", size.key, factors.key))
    })?;
    Ok(List { key: format!("{} times {}", size.key, factors.key), values })
}
