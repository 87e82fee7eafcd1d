//! Units, and lists in units that differ from axis to axis.

use std::path::Path;

use geometry::{Decimal, GeometryError, LengthUnit};

use crate::error::ZarrError;
use crate::remark::{Remark, RemarkKind};

/// A unit for each spatial axis; none where it is not known.
pub(super) type AxisUnits = Vec<Option<LengthUnit>>;

/// The unit of each spatial axis, out of names for these, for all axes, or for all at once.
pub(super) fn spatial(
    names: &[Option<String>],
    file: &Path,
    channel_dims: usize,
    dims: usize,
    warnings: &mut Vec<Remark>,
) -> Result<AxisUnits, ZarrError> {
    let all = channel_dims.saturating_add(dims);
    let names: Vec<&Option<String>> = if names.len() == dims {
        names.iter().collect()
    } else if names.len() == all {
        names.iter().skip(channel_dims).collect()
    } else if let [name] = names {
        vec![name; dims]
    } else {
        let text = |name: &Option<String>| name.clone().unwrap_or_else(|| "null".to_owned());
        let (found, list) = (names.len(), names.iter().map(text).collect::<Vec<_>>().join(", "));
        let reason = format!("units has {found} entries [{list}], expected {dims}");
        return Err(ZarrError::malformed(file, reason));
    };
    let mut units = Vec::with_capacity(dims);
    for name in names {
        let unit = name.as_ref().and_then(|name| LengthUnit::parse(name));
        if let (Some(name), None) = (name, unit) {
            let text =
                format!("{}: the unit {name:?} is not a known unit of length", file.display());
            let warning = RemarkKind::Unit.says(text);
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
        units.push(unit);
    }
    Ok(units)
}

/// The finest unit among those that are known.
pub(super) fn finest<'a>(units: impl IntoIterator<Item = &'a Option<LengthUnit>>) -> LengthUnit {
    units
        .into_iter()
        .flatten()
        .copied()
        .min_by_key(|unit| unit.power_of_ten_to_meter().unwrap_or(i32::MAX))
        .unwrap_or(LengthUnit::Unknown)
}

/// The same lengths in another unit; those without a unit stay as they are.
pub(super) fn convert(
    values: &[Decimal],
    units: &[Option<LengthUnit>],
    to: LengthUnit,
) -> Result<Vec<Decimal>, GeometryError> {
    let power = |unit: LengthUnit| unit.power_of_ten_to_meter();
    let one = |(value, unit): (&Decimal, &Option<LengthUnit>)| match unit
        .and_then(power)
        .zip(power(to))
    {
        Some((from, to)) => value.times_power_of_ten(from.saturating_sub(to)),
        None => Ok(*value),
    };
    values.iter().zip(units).map(one).collect()
}
