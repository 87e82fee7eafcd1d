//! The `transform` of COSEM: `{"axes", "scale", "translate", "units", "order"}`.

use super::axes::Axis;
use super::claim::{Claim, ClaimResult};
use super::report::{Convention, GeometrySource};
use super::values::Attributes;
use crate::error::ZarrError;

/// What the array's own `transform` says.
pub(super) fn claim(attributes: &Attributes<'_>) -> Option<ClaimResult> {
    attributes.get("transform")?;
    Some(
        parse(attributes, GeometrySource::Transform)
            .map_err(|error| (GeometrySource::Transform, error)),
    )
}

/// The key `transform` of some attributes.
pub(super) fn parse(
    attributes: &Attributes<'_>,
    source: GeometrySource,
) -> Result<Claim, ZarrError> {
    let key = "transform";
    let Some(object) = attributes.get(key).and_then(|value| value.as_object()) else {
        let found = attributes.get(key).cloned().unwrap_or_default();
        return Err(attributes.wrong(key, "an object with a scale", &found));
    };
    let prefix = attributes.key("transform.");
    // In array order in N5 as well, unless it says otherwise.
    let inner = Attributes { prefix: &prefix, object, reversed: false, ..*attributes };
    let order = ["order", "ordering"].into_iter().find_map(|key| Some((key, inner.get(key)?)));
    let fortran = match order.map(|(key, value)| (key, value, value.as_str())) {
        None | Some((_, _, Some("C"))) => false,
        Some((_, _, Some("F"))) => true,
        Some((key, value, _)) => return Err(inner.wrong(key, "\"C\" or \"F\"", value)),
    };
    let mut claim = Claim::new(source, attributes.file, Convention::Centre);
    claim.voxel_size = inner.sizes("scale")?;
    claim.offset = inner.numbers("translate")?;
    claim.units = inner.units("units")?;
    let names = inner.names("axes", true)?;
    claim.axes = names.map(|names| names.into_iter().map(Axis::named).collect());
    if fortran {
        for list in [&mut claim.voxel_size, &mut claim.offset].into_iter().flatten() {
            list.values.reverse();
        }
        if let Some(units) = &mut claim.units {
            units.reverse();
        }
        if let Some(axes) = &mut claim.axes {
            axes.reverse();
        }
    }
    Ok(claim)
}
