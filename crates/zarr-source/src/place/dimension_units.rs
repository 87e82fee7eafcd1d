//! `dimension_units`, which Neuroglancer reads in Zarr: a voxel size and a unit for each axis, `"4 nm"`.

use geometry::{Decimal, LengthUnit};
use serde_json::Value;

use super::claim::{Claim, ClaimResult};
use super::report::{Convention, GeometrySource};
use super::values::{Attributes, List};
use crate::error::ZarrError;

const KEY: &str = "dimension_units";

/// What the array's own `dimension_units` say.
///
/// The list is for all axes. An axis without a number has voxels of one unit, and one without a unit none.
pub(super) fn claim(attributes: &Attributes<'_>) -> Option<ClaimResult> {
    let value = attributes.get(KEY)?;
    let source = GeometrySource::DimensionUnits;
    Some(parse(attributes, value, source.clone()).map_err(|error| (source, error)))
}

fn parse(
    attributes: &Attributes<'_>,
    value: &Value,
    source: GeometrySource,
) -> Result<Claim, ZarrError> {
    let expected = "a list of lengths such as \"4 nm\", one for each axis";
    let wrong = || attributes.wrong(KEY, expected, value);
    let (mut values, mut units) = (Vec::new(), Vec::new());
    for entry in value.as_array().ok_or_else(wrong)? {
        let text = match entry {
            Value::Null => "",
            entry => entry.as_str().ok_or_else(wrong)?,
        };
        let (size, unit) = length(text).ok_or_else(wrong)?;
        if !size.is_positive() {
            let reason = format!("{KEY}: {text:?} is not greater than zero");
            return Err(ZarrError::malformed(attributes.file, reason));
        }
        values.push(size);
        units.push(unit.map(str::to_owned));
    }
    if values.is_empty() {
        return Err(wrong());
    }
    let mut claim = Claim::new(source, attributes.file, Convention::Corner);
    claim.voxel_size = Some(List { key: KEY.to_owned(), values });
    claim.units = Some(units);
    Ok(claim)
}

/// The number and the unit of a text such as `4 nm`, `4e-9m`, `nm` or nothing.
fn length(text: &str) -> Option<(Decimal, Option<&str>)> {
    let text = text.trim();
    // The longest unit at the end: the `m` of `nm` is none by itself.
    let cut = text.char_indices().map(|(at, _)| at).find(|&at| {
        let (number, unit) = text.split_at(at);
        LengthUnit::parse(unit).is_some() && (at == 0 || number.trim().parse::<Decimal>().is_ok())
    });
    let (number, unit) = match cut {
        Some(at) => (text[..at].trim(), Some(text[at..].trim())),
        // Other units, such as those of time, are no lengths.
        None => match text.split_once(' ') {
            Some((number, unit)) => (number, Some(unit.trim())),
            None if text.parse::<Decimal>().is_ok() => (text, None),
            None => ("", Some(text).filter(|text| !text.is_empty())),
        },
    };
    let number = if number.is_empty() { Decimal::from(1) } else { number.parse().ok()? };
    Some((number, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_with_and_without_numbers() {
        let read = |text: &str| {
            let (number, unit) = length(text)?;
            Some(format!("{number} {}", unit.unwrap_or("-")))
        };
        assert_eq!(read("4 nm").unwrap(), "4 nm");
        assert_eq!(read(" 5.24nm ").unwrap(), "5.24 nm");
        assert_eq!(read("4e-9 m").unwrap(), "0.000000004 m");
        assert_eq!(read("um").unwrap(), "1 um");
        assert_eq!(read("").unwrap(), "1 -");
        assert_eq!(read("30").unwrap(), "30 -");
        assert_eq!(read("2 s").unwrap(), "2 s");
        assert_eq!(read("s").unwrap(), "1 s");
        assert_eq!(read("four nm"), None);
    }
}
