//! The unit in which an array's geometry is exact.

mod text;

use serde::{Deserialize, Serialize};

use crate::{
    Coordinate, Decimal, GeometryError, LengthUnit, Roi, VoxelSize, decimal::MAX_SCALE, integer,
    per_axis::PerAxis,
};

/// A decimal fraction of a declared unit, such as 0.01 nm, in which world coordinates are integers.
///
/// People read and write the declared unit; [`Coordinate`] and [`Roi`] count world units.
///
/// ```
/// use geometry::{Coordinate, Decimal, LengthUnit, WorldUnit};
///
/// let voxel_size: Vec<Decimal> = ["2.62", "2", "2"].map(str::parse).into_iter().collect::<Result<_, _>>()?;
/// let unit = WorldUnit::fit(LengthUnit::Nanometer, &voxel_size)?;
/// assert_eq!(unit.to_string(), "0.01 nm");
/// assert_eq!(unit.coordinate(&voxel_size)?, Coordinate::from([262, 200, 200]));
/// assert_eq!(unit.decimals(&Coordinate::from([131]))[0].to_string(), "1.31");
/// # Ok::<_, geometry::GeometryError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "WorldUnitParts", into = "WorldUnitParts")]
pub struct WorldUnit {
    unit: LengthUnit,
    // Invariant: at most MAX_SCALE.
    exponent: u8,
}

impl WorldUnit {
    /// Returns 10 to the power of -`exponent` of `unit`.
    ///
    /// # Errors
    ///
    /// [`GeometryError::Overflow`] for an exponent above 18, of which no `i64` holds even one unit.
    pub fn new(unit: LengthUnit, exponent: u8) -> Result<Self, GeometryError> {
        if exponent > MAX_SCALE {
            return Err(GeometryError::Overflow {
                expression: format!("10 to the power of {exponent}"),
            });
        }
        Ok(Self { unit, exponent })
    }

    /// Returns the declared unit itself: integers stay as they are.
    #[must_use]
    pub fn whole(unit: LengthUnit) -> Self {
        Self { unit, exponent: 0 }
    }

    /// Returns the coarsest decimal fraction of `unit` in which all `values` are integers.
    ///
    /// # Errors
    ///
    /// [`GeometryError::Overflow`] if a value does not fit into an `i64` then.
    pub fn fit(unit: LengthUnit, values: &[Decimal]) -> Result<Self, GeometryError> {
        let exponent = values.iter().map(|value| value.fractional_digits()).max().unwrap_or(0);
        let fitted = Self::new(unit, exponent)?;
        for value in values {
            fitted.to_integer(*value)?;
        }
        Ok(fitted)
    }

    /// Returns the declared unit.
    #[must_use]
    pub fn unit(&self) -> LengthUnit {
        self.unit
    }

    /// Returns how many decimal places of the declared unit a world unit is.
    #[must_use]
    pub fn exponent(&self) -> u8 {
        self.exponent
    }

    /// Returns a length in declared units as a number of world units.
    ///
    /// # Errors
    ///
    /// [`GeometryError::NotExact`] if it is not whole, and [`GeometryError::Overflow`].
    pub fn to_integer(&self, value: Decimal) -> Result<i64, GeometryError> {
        if value.fractional_digits() > self.exponent {
            return Err(GeometryError::NotExact { value, world_unit: *self });
        }
        value.steps(self.exponent).and_then(|steps| i64::try_from(steps).ok()).ok_or_else(|| {
            GeometryError::Overflow { expression: format!("{value} in units of {self}") }
        })
    }

    /// Returns a number of world units as a length in declared units.
    #[expect(clippy::missing_panics_doc, reason = "every i64 fits at every exponent")]
    #[must_use]
    pub fn to_decimal(&self, value: i64) -> Decimal {
        Decimal::normal(value.into(), self.exponent.into())
            .expect("an i64 with at most 18 fractional digits fits")
    }

    /// Returns lengths in declared units as a coordinate.
    ///
    /// # Errors
    ///
    /// As [`to_integer`](Self::to_integer), and [`GeometryError::NumDims`].
    pub fn coordinate(&self, values: &[Decimal]) -> Result<Coordinate, GeometryError> {
        let values =
            values.iter().map(|value| self.to_integer(*value)).collect::<Result<Vec<_>, _>>()?;
        Coordinate::new(&values)
    }

    /// Returns a coordinate as lengths in declared units.
    #[must_use]
    pub fn decimals(&self, coordinate: &Coordinate) -> Vec<Decimal> {
        coordinate.iter().map(|value| self.to_decimal(*value)).collect()
    }

    /// Returns the same point, given in this unit, in another unit.
    ///
    /// # Errors
    ///
    /// [`GeometryError::NotExact`], [`GeometryError::Overflow`], and
    /// [`GeometryError::NoConversion`] if one of the declared units is unknown and the other is not.
    ///
    /// ```
    /// use geometry::{Coordinate, LengthUnit, WorldUnit};
    ///
    /// let nanometers = WorldUnit::whole(LengthUnit::Nanometer);
    /// let microns = WorldUnit::new(LengthUnit::Micrometer, 2)?;
    /// let corner = Coordinate::from([1230, -40]);
    /// assert_eq!(nanometers.convert_coordinate(&corner, &microns)?, Coordinate::from([123, -4]));
    /// assert!(nanometers.convert_coordinate(&Coordinate::from([1]), &microns).is_err());
    /// # Ok::<_, geometry::GeometryError>(())
    /// ```
    pub fn convert_coordinate(
        &self,
        coordinate: &Coordinate,
        to: &Self,
    ) -> Result<Coordinate, GeometryError> {
        let conversion = Conversion::between(self, to)?;
        Ok(Coordinate(coordinate.0.try_map(|value| conversion.apply(value))?))
    }

    /// Returns the same voxel size, given in this unit, in another unit.
    ///
    /// # Errors
    ///
    /// As [`convert_coordinate`](Self::convert_coordinate).
    pub fn convert_voxel_size(
        &self,
        voxel_size: &VoxelSize,
        to: &Self,
    ) -> Result<VoxelSize, GeometryError> {
        VoxelSize::new(self.convert_coordinate(voxel_size, to)?)
    }

    /// Returns the same region, given in this unit, in another unit.
    ///
    /// # Errors
    ///
    /// As [`convert_coordinate`](Self::convert_coordinate).
    pub fn convert_roi(&self, roi: &Roi, to: &Self) -> Result<Roi, GeometryError> {
        let conversion = Conversion::between(self, to)?;
        let every_axis = PerAxis::new(&vec![(); roi.dims()])?;
        roi.map_bounds(&every_axis, |bound, ()| conversion.apply(bound))
    }

    /// Returns the finer of two units: whatever is an integer in one of them is an integer in it.
    ///
    /// # Errors
    ///
    /// [`GeometryError::NoConversion`].
    ///
    /// ```
    /// use geometry::{LengthUnit, WorldUnit};
    ///
    /// let nanometers = WorldUnit::whole(LengthUnit::Nanometer);
    /// let microns = WorldUnit::new(LengthUnit::Micrometer, 4)?;
    /// assert_eq!(WorldUnit::finest(&nanometers, &microns)?.to_string(), "0.0001 µm");
    /// # Ok::<_, geometry::GeometryError>(())
    /// ```
    pub fn finest(left: &Self, right: &Self) -> Result<Self, GeometryError> {
        let left_is_finer = left.steps_between(right)? <= 0;
        Ok(if left_is_finer { *left } else { *right })
    }

    /// Returns the power of ten by which this unit is larger than `other`.
    fn steps_between(&self, other: &Self) -> Result<i32, GeometryError> {
        let no_conversion = || GeometryError::NoConversion { from: *self, to: *other };
        let between_declared =
            match (self.unit.power_of_ten_to_meter(), other.unit.power_of_ten_to_meter()) {
                (Some(own), Some(other)) => own.checked_sub(other),
                (None, None) => Some(0),
                _ => None,
            };
        between_declared
            .and_then(|power| {
                power.checked_sub(self.exponent.into())?.checked_add(other.exponent.into())
            })
            .ok_or_else(no_conversion)
    }
}

/// The exact way from one unit to another.
struct Conversion {
    from: WorldUnit,
    to: WorldUnit,
    // The power of ten by which `from` is larger than `to`.
    power: i32,
}

impl Conversion {
    fn between(from: &WorldUnit, to: &WorldUnit) -> Result<Self, GeometryError> {
        Ok(Self { from: *from, to: *to, power: from.steps_between(to)? })
    }

    fn apply(&self, value: i64) -> Result<i64, GeometryError> {
        let not_exact =
            || GeometryError::NotExact { value: self.from.to_decimal(value), world_unit: self.to };
        if value == 0 {
            return Ok(0);
        }
        let factor = crate::decimal::power_of_ten(self.power.unsigned_abs());
        if self.power < 0 {
            // A factor beyond 128 bits divides no i64 but zero.
            let factor = factor.ok_or_else(not_exact)?;
            let exact = i128::from(value).checked_rem(factor) == Some(0);
            let quotient =
                i128::from(value).checked_div(factor).filter(|_| exact).ok_or_else(not_exact)?;
            return integer::narrow(quotient, || format!("{value} in units of {}", self.to));
        }
        factor
            .and_then(|factor| i128::from(value).checked_mul(factor))
            .and_then(|product| i64::try_from(product).ok())
            .ok_or_else(|| GeometryError::Overflow {
                expression: format!("{value} times {} in units of {}", self.from, self.to),
            })
    }
}

#[derive(Serialize, Deserialize)]
struct WorldUnitParts {
    unit: LengthUnit,
    exponent: u8,
}

impl TryFrom<WorldUnitParts> for WorldUnit {
    type Error = GeometryError;

    fn try_from(parts: WorldUnitParts) -> Result<Self, GeometryError> {
        Self::new(parts.unit, parts.exponent)
    }
}

impl From<WorldUnit> for WorldUnitParts {
    fn from(unit: WorldUnit) -> Self {
        Self { unit: unit.unit, exponent: unit.exponent }
    }
}
