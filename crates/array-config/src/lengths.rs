//! Regions and lengths in a config, which get their unit from the array that they are about.

use array_core::ArrayInfo;
use geometry::{Coordinate, Decimal, GeometryError, LengthUnit, Roi, VoxelSize, WorldUnit};
use serde::Serialize;
use serde_json::Value;

use crate::at::At;
use crate::error::ConfigError;
use crate::fields::{Fields, decimal, expected, list, malformed};

/// What the numbers of a region or a grid count in, where no unit follows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Numbers {
    /// The unit that the array declares.
    #[default]
    Declared,
    /// Nanometres; the array's own numbers if it declares no unit. This is how DaCapo, which knows no
    /// units, is read.
    Dacapo,
}

impl Numbers {
    pub(crate) const NAMES: [(&str, Self); 2] =
        [("declared", Self::Declared), ("dacapo", Self::Dacapo)];

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    pub(crate) fn are_declared(&self) -> bool {
        *self == Self::Declared
    }

    /// The unit that follows a number without one.
    fn suffix(self, unit: WorldUnit) -> &'static str {
        match (self, unit.unit()) {
            (Self::Declared, _) | (Self::Dacapo, LengthUnit::Unknown) => "",
            (Self::Dacapo, _) => " nm",
        }
    }

    /// The region that a text says, in world units of an array; where it is unbounded, that of the array.
    pub(crate) fn roi(self, text: &str, info: &ArrayInfo) -> Result<Roi, GeometryError> {
        let roi = info.unit().parse_roi(&format!("{text}{}", self.suffix(info.unit())))?;
        if !roi.is_unbounded() || roi.dims() != info.dims() {
            return Ok(roi);
        }
        let fill = |own: &[Option<i64>], bounds: &Coordinate| {
            let bounds = own.iter().zip(bounds.as_slice());
            Coordinate::new(&bounds.map(|(own, bound)| own.unwrap_or(*bound)).collect::<Vec<_>>())
        };
        let begin = fill(roi.partial_begin().as_slice(), &info.roi().begin()?)?;
        let end = fill(roi.partial_end().as_slice(), &info.roi().end()?)?;
        Roi::from_bounds(begin, end)
    }

    /// The cells of a grid, in world units of an array.
    pub(crate) fn cells(
        self,
        cells: &[Decimal],
        unit: WorldUnit,
    ) -> Result<VoxelSize, GeometryError> {
        let suffix = self.suffix(unit);
        let sizes: Vec<Decimal> = cells
            .iter()
            .map(|size| unit.parse_length(&format!("{size}{suffix}")))
            .collect::<Result<_, _>>()?;
        VoxelSize::new(unit.coordinate(&sizes)?)
    }
}

/// Reads a region as the text that a config keeps: from such a text, from a table of `offset` and
/// `shape`, or from a list of these two, in which null is unbounded.
pub(crate) fn region(value: &Value, at: &At<'_>) -> Result<String, ConfigError> {
    let numbers = |value: &Value, at: &At<'_>| {
        list(value, at, "a list of numbers", |value, at| match value {
            Value::Null => Ok(None),
            value => decimal(value, at).map(Some),
        })
    };
    let (offset, shape) = match value {
        Value::String(text) => return checked(text, at),
        Value::Object(_) => {
            let fields = Fields::new(value, at)?;
            let parts = (fields.required("offset", numbers)?, fields.required("shape", numbers)?);
            fields.finish()?;
            parts
        }
        Value::Array(parts) => match parts.as_slice() {
            [offset, shape] => (numbers(offset, &at.index(0))?, numbers(shape, &at.index(1))?),
            _ => return Err(expected(at, "[offset, shape]", value)),
        },
        _ => return Err(expected(at, "a region such as \"[0:8, 16:32] nm\"", value)),
    };
    if offset.len() != shape.len() || offset.is_empty() {
        let reason = format!("the offset has {} axes, the shape {}", offset.len(), shape.len());
        return Err(malformed(at, reason));
    }
    let axes = offset.iter().zip(&shape).enumerate().map(|(axis, bounds)| match bounds {
        (Some(begin), Some(extent)) => match begin.checked_add(*extent) {
            Ok(end) => Ok(format!("{begin}:{end}")),
            Err(error) => Err(malformed(at, error.to_string())),
        },
        (_, None) => Ok(":".to_owned()),
        (None, Some(extent)) => {
            Err(malformed(at, format!("axis {axis} has the extent {extent} but no offset")))
        }
    });
    let axes = axes.collect::<Result<Vec<_>, _>>()?;
    checked(&format!("[{}]", axes.join(", ")), at)
}

/// A text that is a region, whatever the unit in which it has to be exact.
fn checked(text: &str, at: &At<'_>) -> Result<String, ConfigError> {
    let any_unit = WorldUnit::whole(LengthUnit::Nanometer);
    match any_unit.parse_roi(text) {
        // That depends on the array.
        Ok(_) | Err(GeometryError::NotExact { .. } | GeometryError::Overflow { .. }) => {
            Ok(text.to_owned())
        }
        Err(error) => Err(malformed(at, error.to_string())),
    }
}
