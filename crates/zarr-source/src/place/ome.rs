//! The `multiscales` of OME-NGFF 0.1 to 0.5 and of COSEM, in the groups that enclose an array.

use std::path::Path;

use geometry::{Decimal, GeometryError, LengthUnit};
use serde_json::{Map, Value};

use super::axes::Axis;
use super::claim::{Claim, ClaimResult};
use super::report::{Convention, GeometrySource};
use super::transform;
use super::values::{Attributes, List, numbers_text, product};
use crate::error::ZarrError;
use crate::json::short;
use crate::levels::normal_path;
use crate::node::{Node, path_inside};

/// What the nearest group says that lists the array in its `multiscales`.
///
/// Without a translation, the centre of voxel 0 is the origin.
pub(super) fn claim(groups: &[Node], root: &Path, array: &Path) -> Option<ClaimResult> {
    let (levels, index) = levels_with(groups, root, array)?;
    Some(levels.into_iter().nth(index)?.claim)
}

/// One sentence for each other level of the array's image, or for the array itself, whose corner lies
/// further from that of the first level than downsampling explains.
///
/// Voxels that are averages keep the corner, and voxels that are picked out keep the centre of the first:
/// the corner then moves by half the difference of the voxel sizes.
pub(super) fn levels_apart(groups: &[Node], root: &Path, array: &Path) -> Vec<String> {
    let Some((levels, _)) = levels_with(groups, root, array) else {
        return Vec::new();
    };
    let known = levels.iter().filter_map(|level| Some((level, level.voxel_size_and_centre()?)));
    let known: Vec<_> = known.collect();
    let Some((first, (first_size, first_centre))) = known.first() else {
        return Vec::new();
    };
    let mut told = Vec::new();
    for (level, (size, centre)) in known.iter().skip(1) {
        let at = |list: &[Decimal], axis: usize| list.get(axis).copied().unwrap_or(Decimal::ZERO);
        let explained = size.len() == first_size.len()
            && (0..size.len()).all(|axis| {
                let sizes = [at(first_size, axis), at(size, axis)];
                is_explained(sizes, [at(first_centre, axis), at(centre, axis)]).unwrap_or(false)
            });
        if !explained {
            told.push(format!(
                "{}: level {} has the scale {} and the centre {}, level {} the scale {} and the \
                 centre {}, which downsampling does not explain",
                level.source(),
                first.path,
                numbers_text(first_size),
                numbers_text(first_centre),
                level.path,
                numbers_text(size),
                numbers_text(centre),
            ));
        }
    }
    told
}

/// Whether two corners lie no further apart than half the difference of the voxel sizes.
fn is_explained(sizes: [Decimal; 2], centres: [Decimal; 2]) -> Result<bool, GeometryError> {
    let [sizes, centres] = [sizes, centres].map(|[first, other]| other.checked_sub(first));
    let (sizes, centres) = (sizes?, centres?);
    // Twice both, so that nothing is halved.
    let corners = centres.checked_add(centres)?.checked_sub(sizes)?;
    Ok(absolute(corners)? <= absolute(sizes)?)
}

fn absolute(value: Decimal) -> Result<Decimal, GeometryError> {
    if value < Decimal::ZERO { value.checked_neg() } else { Ok(value) }
}

/// A level as its group describes it.
struct ListedLevel {
    path: String,
    claim: ClaimResult,
}

impl ListedLevel {
    fn source(&self) -> &GeometrySource {
        match &self.claim {
            Ok(claim) => &claim.source,
            Err((source, _)) => source,
        }
    }

    /// Its voxel size and the centre of its voxel 0, if it has a voxel size.
    fn voxel_size_and_centre(&self) -> Option<(Vec<Decimal>, Vec<Decimal>)> {
        let claim = self.claim.as_ref().ok()?;
        let size = claim.voxel_size.as_ref()?.values.clone();
        let centre = claim.offset.as_ref().map(|list| list.values.clone());
        let centre = centre.unwrap_or_else(|| vec![Decimal::ZERO; size.len()]);
        (size.len() == centre.len()).then_some((size, centre))
    }
}

fn attributes<'a>(group: &'a Node, object: &'a Map<String, Value>) -> Attributes<'a> {
    Attributes { file: &group.attrs_file, prefix: "multiscales.", object, reversed: false }
}

/// The levels of the image to which the array belongs, by the nearest group that lists it, and its place
/// among them.
fn levels_with(groups: &[Node], root: &Path, array: &Path) -> Option<(Vec<ListedLevel>, usize)> {
    groups.iter().find_map(|group| {
        let inside = path_inside(&group.dir, array);
        let name = path_inside(root, &group.dir);
        levels_of_group(group, &name, &inside)
    })
}

fn levels_of_group(group: &Node, name: &str, array: &str) -> Option<(Vec<ListedLevel>, usize)> {
    let ome = group.attrs.get("ome").and_then(Value::as_object);
    let holder = ome.filter(|ome| ome.contains_key("multiscales")).unwrap_or(&group.attrs);
    let version_of = |object: &Map<String, Value>| {
        object.get("version").and_then(Value::as_str).map(str::to_owned)
    };
    for multiscale in holder.get("multiscales")?.as_array()? {
        let Some(multiscale) = multiscale.as_object() else {
            continue;
        };
        let version = version_of(multiscale).or_else(|| version_of(holder));
        let version = version.unwrap_or_else(|| "?".to_owned());
        let datasets = multiscale.get("datasets").and_then(Value::as_array).into_iter().flatten();
        let datasets = datasets.filter_map(Value::as_object).filter_map(|dataset| {
            Some((dataset, normal_path(dataset.get("path").and_then(Value::as_str)?)))
        });
        let datasets: Vec<_> = datasets.collect();
        let Some(index) = datasets.iter().position(|(_, path)| path == array) else {
            continue;
        };
        let level = |(dataset, path): (&Map<String, Value>, String)| {
            let (source, claim) = if dataset.contains_key("transform") {
                let source = GeometrySource::Cosem { group: name.to_owned() };
                (source.clone(), transform::parse(&attributes(group, dataset), source))
            } else {
                let source =
                    GeometrySource::Ome { version: version.clone(), group: name.to_owned() };
                (
                    source.clone(),
                    parse(attributes(group, multiscale), attributes(group, dataset), source),
                )
            };
            ListedLevel { path, claim: claim.map_err(|error| (source, error)) }
        };
        return Some((datasets.into_iter().map(level).collect(), index));
    }
    None
}

fn parse(
    multiscale: Attributes<'_>,
    dataset: Attributes<'_>,
    source: GeometrySource,
) -> Result<Claim, ZarrError> {
    let file = multiscale.file;
    let mut claim = Claim::new(source, file, Convention::Centre);
    if let Some((axes, units)) = axes(&multiscale)? {
        claim.axes = Some(axes);
        claim.units = Some(units);
    }
    let mut place = Affine::default();
    for attributes in [dataset, multiscale] {
        let key = "coordinateTransformations";
        match attributes.get(key) {
            None => {}
            Some(Value::Array(transformations)) => {
                for transformation in transformations {
                    place.then(&attributes, transformation)?;
                }
            }
            Some(other) => return Err(attributes.wrong(key, "a list", other)),
        }
    }
    let key = |name: &str| format!("multiscales.coordinateTransformations.{name}");
    claim.voxel_size = place.scale.map(|values| List { key: key("scale"), values });
    claim.offset = place.translation.map(|values| List { key: key("translation"), values });
    Ok(claim)
}

type AxesAndUnits = (Vec<Axis>, Vec<Option<String>>);

fn axes(multiscale: &Attributes<'_>) -> Result<Option<AxesAndUnits>, ZarrError> {
    let key = "axes";
    let Some(value) = multiscale.get(key) else {
        return Ok(None);
    };
    let (mut axes, mut units) = (Vec::new(), Vec::new());
    for axis in value.as_array().ok_or_else(|| multiscale.wrong(key, "a list", value))? {
        let text = |key: &str| axis.get(key).and_then(Value::as_str);
        // Versions before 0.4 list names only.
        let name = axis.as_str().or_else(|| text("name"));
        let name = name.ok_or_else(|| multiscale.wrong(key, "a list of axes with names", axis))?;
        let mut axis = Axis::named(name);
        axis.is_channel |= text("type") == Some("channel");
        axis.no_length = (text("type") == Some("time")).then(|| "of type time".to_owned());
        axes.push(axis);
        units.push(text("unit").filter(|unit| !unit.trim().is_empty()).map(str::to_owned));
    }
    // Where no unit is a length, all of them are unknown in the same way.
    let is_length = |unit: &String| LengthUnit::parse(unit).is_some();
    if units.iter().flatten().any(is_length) {
        for (axis, unit) in axes.iter_mut().zip(&units).filter(|(axis, _)| !axis.is_channel) {
            let other = unit.as_ref().filter(|unit| !is_length(unit));
            let reason = other.map(|unit| format!("in the unit {unit:?}"));
            axis.no_length = axis.no_length.take().or(reason);
        }
    }
    Ok(Some((axes, units)))
}

/// A scale and a translation, none where the identity.
#[derive(Default)]
struct Affine {
    scale: Option<Vec<Decimal>>,
    translation: Option<Vec<Decimal>>,
}

impl Affine {
    /// Applies a transformation after the ones so far.
    fn then(&mut self, attributes: &Attributes<'_>, value: &Value) -> Result<(), ZarrError> {
        let expected = "objects with a type";
        let wrong = || attributes.wrong("coordinateTransformations", expected, value);
        let object = value.as_object().ok_or_else(wrong)?;
        let inner = Attributes { prefix: "coordinateTransformations.", object, ..*attributes };
        let kind = object.get("type").and_then(Value::as_str).ok_or_else(wrong)?;
        let missing = |key: &str| {
            let reason = format!("a coordinateTransformation of type {kind} has no {key} list");
            ZarrError::malformed(attributes.file, format!("{reason}: {}", short(value)))
        };
        let overflow = |error: GeometryError| {
            ZarrError::malformed(attributes.file, format!("coordinateTransformations: {error}"))
        };
        match kind {
            "identity" => {}
            "scale" => {
                let factors = inner.sizes("scale")?.ok_or_else(|| missing("scale"))?.values;
                for part in [&mut self.scale, &mut self.translation].into_iter().flatten() {
                    *part = combine(attributes, part, &factors, product)?.map_err(overflow)?;
                }
                self.scale.get_or_insert(factors);
            }
            "translation" => {
                let shift =
                    inner.numbers("translation")?.ok_or_else(|| missing("translation"))?.values;
                if let Some(part) = &mut self.translation {
                    *part = combine(attributes, part, &shift, Decimal::checked_add)?
                        .map_err(overflow)?;
                }
                self.translation.get_or_insert(shift);
            }
            other => {
                let what = format!("a coordinateTransformation of type {other:?}");
                return Err(ZarrError::unsupported(attributes.file, what));
            }
        }
        Ok(())
    }
}

fn combine(
    attributes: &Attributes<'_>,
    left: &[Decimal],
    right: &[Decimal],
    operation: impl Fn(Decimal, Decimal) -> Result<Decimal, GeometryError>,
) -> Result<Result<Vec<Decimal>, GeometryError>, ZarrError> {
    if left.len() != right.len() {
        let reason = format!(
            "coordinateTransformations have lists of {} and of {} entries",
            left.len(),
            right.len()
        );
        return Err(ZarrError::malformed(attributes.file, reason));
    }
    Ok(left.iter().zip(right).map(|(left, right)| operation(*left, *right)).collect())
}
