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

/// The key of a level with its own factors.
pub(super) const OWN_FACTORS: &str = "downsamplingFactors";

/// The factors of all levels of a group, if that is what a key of it has.
pub(crate) fn factors<'a>(group: &'a Node, key: &str) -> Option<&'a [Value]> {
    let levels = group.attrs.get(key)?.as_array()?;
    (levels.first()?.is_array()).then_some(levels)
}

/// What the groups around a level say about it: a claim for each list of factors, or for the level's own.
///
/// A group further up counts for what the nearer ones leave open.
pub(super) fn claims(array: &Node, groups: &[Node], root: &Path) -> Vec<ClaimResult> {
    let Some(number) = level_number(array) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for key in FACTOR_KEYS {
        let listed = groups.iter().find_map(|group| Some((group, factors(group, key)?)));
        if let Some((group, level)) =
            listed.and_then(|(group, all)| Some((group, all.get(number)?)))
        {
            let group = path_inside(root, &group.dir);
            found.push((GeometrySource::N5Group { key, group }, Some((key, level))));
        }
    }
    if found.is_empty() {
        let own = own_factors(array);
        // The first level is the one that the voxel size of a group is of.
        let Some(group) = groups.first().filter(|_| own.is_some() || number == 0) else {
            return Vec::new();
        };
        let group = path_inside(root, &group.dir);
        let source = GeometrySource::N5Group { key: "pixelResolution", group };
        found.push((source, own.map(|own| (OWN_FACTORS, own))));
    }
    let claims = found.into_iter().filter_map(|(source, factors)| {
        let claim = claim(groups, source.clone(), factors);
        claim.map_err(|error| (source, error)).transpose()
    });
    claims.collect()
}

/// The number N of an array that is called `sN`.
fn level_number(array: &Node) -> Option<usize> {
    array.dir.file_name()?.to_str()?.strip_prefix('s')?.parse().ok()
}

/// Whether the voxel size of the group that holds an array is that of another scale level.
pub(super) fn differs_from_group(array: &Node, groups: &[Node]) -> bool {
    let listed = |group: &Node| FACTOR_KEYS.iter().any(|key| factors(group, key).is_some());
    let own = || array.format == ZarrFormat::N5 && own_factors(array).is_some();
    // The first level is the one that the voxel size of a group is of.
    level_number(array).is_some_and(|number| number > 0 || groups.iter().any(listed) || own())
}

fn own_factors(array: &Node) -> Option<&Value> {
    array.attrs.get(OWN_FACTORS).filter(|own| is_flat(own))
}

fn claim(
    groups: &[Node],
    source: GeometrySource,
    factors: Option<(&str, &Value)>,
) -> Result<Option<Claim>, ZarrError> {
    for group in groups {
        if let Some(claim) = claim_of_group(group, &source, factors)? {
            return Ok(Some(claim));
        }
    }
    Ok(None)
}

/// The voxel size that a group has, times these factors.
fn claim_of_group(
    group: &Node,
    source: &GeometrySource,
    factors: Option<(&str, &Value)>,
) -> Result<Option<Claim>, ZarrError> {
    // Every list counts x first.
    let attributes =
        Attributes { file: &group.attrs_file, prefix: "", object: &group.attrs, reversed: true };
    let is_n5 = group.format == ZarrFormat::N5;
    let mut claim = Claim::new(source.clone(), attributes.file, Convention::Corner);
    let size = match resolution(&attributes)? {
        Some((size, units)) => {
            claim.units = units;
            size
        }
        // Other formats have keys of these names with other orders.
        None if is_n5 && factors.is_some() => match attributes.sizes("resolution")? {
            Some(size) => size,
            None => return Ok(None),
        },
        None => return Ok(None),
    };
    if is_n5 {
        claim.units = match attributes.units("units")? {
            Some(units) => Some(units),
            None => claim.units,
        };
        let names = attributes.names("axes", true)?;
        claim.axes = names.map(|names| names.into_iter().map(Axis::named).collect());
    }
    claim.voxel_size = Some(match factors {
        Some((key, value)) => scaled(size, &attributes.sizes_of(key, value)?, attributes.file)?,
        None => size,
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
