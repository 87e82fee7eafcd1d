//! The `multiscales` of OME-NGFF 0.1 to 0.5 and of COSEM, in the groups that enclose an array.

use std::path::Path;

use geometry::{Decimal, GeometryError, LengthUnit};
use serde_json::{Map, Value};

use super::axes::Axis;
use super::claim::{Claim, ClaimResult};
use super::report::{Convention, GeometrySource};
use super::transform;
use super::values::{Attributes, List};
use crate::error::ZarrError;
use crate::json::short;
use crate::node::{Node, path_inside};

/// What the nearest group says that lists the array in its `multiscales`.
///
/// Without a translation, the centre of voxel 0 is the origin.
pub(super) fn claim(groups: &[Node], root: &Path, array: &Path) -> Option<ClaimResult> {
    for group in groups {
        let inside = path_inside(&group.dir, array);
        let name = path_inside(root, &group.dir);
        if let Some(claim) = claim_of_group(group, &name, &inside) {
            return Some(claim);
        }
    }
    None
}

fn claim_of_group(group: &Node, name: &str, array: &str) -> Option<ClaimResult> {
    let ome = group.attrs.get("ome").and_then(Value::as_object);
    let holder = ome.filter(|ome| ome.contains_key("multiscales")).unwrap_or(&group.attrs);
    let version_of = |object: &Map<String, Value>| {
        object.get("version").and_then(Value::as_str).map(str::to_owned)
    };
    for multiscale in holder.get("multiscales")?.as_array()? {
        let Some(multiscale) = multiscale.as_object() else {
            continue;
        };
        for dataset in multiscale.get("datasets").and_then(Value::as_array).into_iter().flatten() {
            let Some(dataset) = dataset.as_object() else {
                continue;
            };
            let path = dataset.get("path").and_then(Value::as_str);
            if path.map(normal_path).as_deref() != Some(array) {
                continue;
            }
            let attributes =
                |object| Attributes { file: &group.attrs_file, prefix: "multiscales.", object };
            if dataset.contains_key("transform") {
                let source = GeometrySource::Cosem { group: name.to_owned() };
                let claim = transform::parse(&attributes(dataset), source.clone());
                return Some(claim.map_err(|error| (source, error)));
            }
            let version = version_of(multiscale).or_else(|| version_of(holder));
            let version = version.unwrap_or_else(|| "?".to_owned());
            let source = GeometrySource::Ome { version, group: name.to_owned() };
            let claim = parse(attributes(multiscale), attributes(dataset), source.clone());
            return Some(claim.map_err(|error| (source, error)));
        }
    }
    None
}

fn normal_path(path: &str) -> String {
    let names: Vec<&str> =
        path.split('/').filter(|name| !name.is_empty() && *name != ".").collect();
    names.join("/")
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

/// The exact product of two decimals.
fn product(left: Decimal, right: Decimal) -> Result<Decimal, GeometryError> {
    let digits = i32::from(right.fractional_digits());
    let whole = right.times_power_of_ten(digits)?;
    let factor: i64 = whole
        .to_string()
        .parse()
        .map_err(|_| GeometryError::Overflow { expression: format!("{left} * {right}") })?;
    left.checked_mul(factor)?.times_power_of_ten(digits.saturating_neg())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_exact() {
        let decimal = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(product(decimal("2.62"), decimal("0.5")).unwrap(), decimal("1.31"));
        assert_eq!(product(decimal("-13282.29"), decimal("4")).unwrap(), decimal("-53129.16"));
        assert_eq!(product(decimal("1000"), decimal("0.001")).unwrap(), decimal("1"));
    }

    #[test]
    fn paths_are_compared_without_slashes_at_their_ends() {
        assert_eq!(normal_path("/labels//all/./s0/"), "labels/all/s0");
    }
}
