//! Lengths and regions as people read and write them: in the declared unit.

use std::fmt;

use super::WorldUnit;
use crate::{
    Decimal, GeometryError, LengthUnit, PartialCoordinate, Roi,
    roi::{RegionText, write_bounds},
};

/// Prints `0.01 nm`, or `nm` where a world unit is the declared unit.
impl fmt::Display for WorldUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.unit, self.exponent) {
            (LengthUnit::Unknown, 0) => f.write_str("unknown world unit"),
            (LengthUnit::Unknown, _) => {
                write!(f, "{} of an unknown world unit", self.to_decimal(1))
            }
            (unit, 0) => write!(f, "{unit}"),
            (unit, _) => write!(f, "{} {unit}", self.to_decimal(1)),
        }
    }
}

impl WorldUnit {
    /// Reads a length, and returns it in declared units. Without a unit it is in declared units already.
    ///
    /// # Errors
    ///
    /// [`GeometryError::Parse`], [`GeometryError::Overflow`], and [`GeometryError::NoConversion`]
    /// if the text has a unit but none is declared.
    ///
    /// ```
    /// use geometry::{LengthUnit, WorldUnit};
    ///
    /// let unit = WorldUnit::whole(LengthUnit::Nanometer);
    /// assert_eq!(unit.parse_length("13282.29 nm")?.to_string(), "13282.29");
    /// assert_eq!(unit.parse_length("2.62")?.to_string(), "2.62");
    /// assert_eq!(unit.parse_length("1.5um")?.to_string(), "1500");
    /// # Ok::<_, geometry::GeometryError>(())
    /// ```
    pub fn parse_length(&self, text: &str) -> Result<Decimal, GeometryError> {
        let (number, unit) = split_length(text)?;
        self.declared(number, unit)
    }

    /// Reads a region in declared units, `begin:end` for each axis, and returns it in world units.
    ///
    /// A `:` alone is unbounded. Brackets may be missing. A unit may follow every number, or stand
    /// once at the end for all of them.
    ///
    /// # Errors
    ///
    /// As [`parse_length`](Self::parse_length) and [`to_integer`](Self::to_integer), and those of [`Roi::from_parts`].
    ///
    /// ```
    /// use geometry::{LengthUnit, Roi, WorldUnit};
    ///
    /// let unit = WorldUnit::new(LengthUnit::Nanometer, 2)?;
    /// let roi = Roi::new([1_328_229, 0], [262, 40_000])?;
    /// assert_eq!(unit.parse_roi("13282.29:13284.91,0:400")?, roi);
    /// assert_eq!(unit.parse_roi("13.28229:13.28491, 0:0.4 um")?, roi);
    /// # Ok::<_, geometry::GeometryError>(())
    /// ```
    pub fn parse_roi(&self, text: &str) -> Result<Roi, GeometryError> {
        let malformed = || GeometryError::Parse {
            text: text.to_owned(),
            expected: "a region such as [0:8.5, 16:32] nm, begin:end for each axis",
        };
        let region = RegionText::split(text).ok_or_else(malformed)?;
        let mut lengths = Vec::new();
        for (begin, end) in region.axes.iter().flatten() {
            lengths.push(split_length(begin)?);
            lengths.push(split_length(end)?);
        }
        let with_unit = lengths.iter().filter(|(_, unit)| unit.is_some()).count();
        let last_unit = lengths.last().and_then(|(_, unit)| *unit);
        let common = match (region.rest, with_unit) {
            ("", 0) => None,
            ("", 1) if last_unit.is_some() => last_unit,
            ("", with_unit) if with_unit == lengths.len() => None,
            (unit, 0) => Some(LengthUnit::parse(unit).ok_or_else(malformed)?),
            _ => return Err(malformed()),
        };

        let mut bounds = lengths
            .into_iter()
            .map(|(number, unit)| self.to_integer(self.declared(number, unit.or(common))?));
        let (mut begins, mut ends) = (Vec::new(), Vec::new());
        for axis in &region.axes {
            let mut next = || if axis.is_some() { bounds.next().transpose() } else { Ok(None) };
            begins.push(next()?);
            ends.push(next()?);
        }
        let begin = PartialCoordinate::new(&begins)?;
        Roi::from_parts(begin, PartialCoordinate::new(&ends)?.checked_sub(begin)?)
    }

    /// Returns a region in world units as text in declared units, which [`parse_roi`](Self::parse_roi) reads back.
    ///
    /// ```
    /// use geometry::{LengthUnit, Roi, WorldUnit};
    ///
    /// let unit = WorldUnit::new(LengthUnit::Nanometer, 2)?;
    /// let roi = Roi::new([1_328_229, 0], [262, 40_000])?;
    /// assert_eq!(unit.format_roi(&roi), "[13282.29:13284.91, 0:400] nm");
    /// # Ok::<_, geometry::GeometryError>(())
    /// ```
    #[expect(clippy::missing_panics_doc, reason = "writing to a string does not fail")]
    #[must_use]
    pub fn format_roi(&self, roi: &Roi) -> String {
        let decimals = |bound: &Option<i64>| bound.map(|bound| self.to_decimal(bound));
        let bounds: Vec<_> = roi
            .partial_begin()
            .iter()
            .zip(roi.partial_end().iter())
            .map(|(begin, end)| decimals(begin).zip(decimals(end)))
            .collect();
        let mut text = String::new();
        write_bounds(&mut text, &bounds).expect("writing to a string does not fail");
        if self.unit != LengthUnit::Unknown {
            text.push(' ');
            text.push_str(self.unit.symbol());
        }
        text
    }

    /// Returns a length in `unit` (declared units if none is given) in declared units.
    fn declared(
        &self,
        number: Decimal,
        unit: Option<LengthUnit>,
    ) -> Result<Decimal, GeometryError> {
        match unit {
            None => Ok(number),
            Some(unit) => {
                let power = Self::whole(unit).steps_between(&Self::whole(self.unit))?;
                number.times_power_of_ten(power)
            }
        }
    }
}

/// Splits `1.5 um` into number and unit.
fn split_length(text: &str) -> Result<(Decimal, Option<LengthUnit>), GeometryError> {
    let text = text.trim();
    let malformed =
        || GeometryError::Parse { text: text.to_owned(), expected: "a length such as 13282.29 nm" };
    // An `e` belongs to the number if digits follow it, and to no unit.
    let end_of_number = text
        .rfind(|letter: char| letter.is_ascii_digit() || letter == '.')
        .ok_or_else(malformed)?;
    let (number, unit) = text.split_at(text.len().min(end_of_number.saturating_add(1)));
    let unit = match unit.trim() {
        "" => None,
        unit => Some(LengthUnit::parse(unit).ok_or_else(malformed)?),
    };
    Ok((number.parse().map_err(|_| malformed())?, unit))
}
