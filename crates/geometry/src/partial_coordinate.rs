//! A coordinate that may have no number along some axes.

use std::{fmt, ops::Deref, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    Coordinate, GeometryError, Operand, VoxelSize,
    elementwise::{Elementwise, elementwise_methods},
    integer,
    per_axis::PerAxis,
};

/// A [`Coordinate`] in which an axis may have no number: the bounds of a region that is unbounded there.
///
/// Arithmetic gives no number where an operand has none.
///
/// ```
/// use geometry::{Coordinate, PartialCoordinate};
///
/// let bound = PartialCoordinate::new(&[None, Some(8)])?;
/// assert_eq!(bound.checked_add([1, 2])?, PartialCoordinate::new(&[None, Some(10)])?);
/// assert_eq!(bound.to_string(), "(None, 8)");
/// assert!(bound.to_coordinate().is_err_and(|error| error.is_unbounded()));
/// # Ok::<_, geometry::GeometryError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PartialCoordinate(pub(crate) PerAxis<Option<i64>>);

impl PartialCoordinate {
    /// Copies 1 to [`MAX_DIMS`](crate::MAX_DIMS) entries.
    ///
    /// # Errors
    ///
    /// [`GeometryError::NumDims`] for fewer or more.
    pub fn new(values: &[Option<i64>]) -> Result<Self, GeometryError> {
        Ok(Self(PerAxis::new(values)?))
    }

    /// Returns the entries.
    #[must_use]
    pub fn as_slice(&self) -> &[Option<i64>] {
        self.0.as_slice()
    }

    /// Returns the same numbers as a [`Coordinate`].
    ///
    /// # Errors
    ///
    /// [`GeometryError::Unbounded`] if an axis has no number.
    pub fn to_coordinate(&self) -> Result<Coordinate, GeometryError> {
        Ok(Coordinate(self.0.bounded()?))
    }

    /// Returns true if every entry is a multiple of the entry of `other` for its axis.
    ///
    /// # Errors
    ///
    /// [`GeometryError::DimsMismatch`], [`GeometryError::DivisionByZero`], and
    /// [`GeometryError::Unbounded`] where a number is missing.
    pub fn is_multiple_of(self, other: impl Into<Operand<Self>>) -> Result<bool, GeometryError> {
        let mut axis = 0_usize..;
        let rest = self.binary_entries(other.into(), |left, right| {
            let axis = axis.next().unwrap_or_default();
            let (left, right) = left.zip(right).ok_or(GeometryError::Unbounded { axis })?;
            integer::remainder(left, right)
        })?;
        Ok(rest.as_slice().iter().all(|rest| *rest == 0))
    }
}

elementwise_methods!(PartialCoordinate);

impl Elementwise for PartialCoordinate {
    type Entry = Option<i64>;

    fn entries(&self) -> &PerAxis<Option<i64>> {
        &self.0
    }

    fn from_entries(entries: PerAxis<Option<i64>>) -> Self {
        Self(entries)
    }
}

impl From<Coordinate> for PartialCoordinate {
    fn from(coordinate: Coordinate) -> Self {
        Self(coordinate.0.map(Some))
    }
}

impl From<&Coordinate> for PartialCoordinate {
    fn from(coordinate: &Coordinate) -> Self {
        Self::from(*coordinate)
    }
}

impl From<VoxelSize> for PartialCoordinate {
    fn from(voxel_size: VoxelSize) -> Self {
        Self::from(*voxel_size.as_coordinate())
    }
}

impl From<&VoxelSize> for PartialCoordinate {
    fn from(voxel_size: &VoxelSize) -> Self {
        Self::from(*voxel_size)
    }
}

impl From<&PartialCoordinate> for PartialCoordinate {
    fn from(coordinate: &PartialCoordinate) -> Self {
        *coordinate
    }
}

impl<const N: usize> From<[i64; N]> for PartialCoordinate
where
    Coordinate: From<[i64; N]>,
{
    fn from(values: [i64; N]) -> Self {
        Self::from(Coordinate::from(values))
    }
}

impl TryFrom<PartialCoordinate> for Coordinate {
    type Error = GeometryError;

    fn try_from(coordinate: PartialCoordinate) -> Result<Self, GeometryError> {
        coordinate.to_coordinate()
    }
}

impl Deref for PartialCoordinate {
    type Target = [Option<i64>];

    fn deref(&self) -> &[Option<i64>] {
        self.as_slice()
    }
}

impl fmt::Display for PartialCoordinate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(")?;
        for (axis, entry) in self.iter().enumerate() {
            if axis > 0 {
                f.write_str(", ")?;
            }
            match entry {
                Some(value) => write!(f, "{value}")?,
                None => f.write_str("None")?,
            }
        }
        f.write_str(")")
    }
}

impl fmt::Debug for PartialCoordinate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PartialCoordinate{self}")
    }
}

/// Reads `(1, None, 3)`; the parentheses may be missing, and a comma may follow the last entry.
impl FromStr for PartialCoordinate {
    type Err = GeometryError;

    fn from_str(text: &str) -> Result<Self, GeometryError> {
        let malformed = || GeometryError::Parse {
            text: text.to_owned(),
            expected: "a coordinate such as (0, None, 16)",
        };
        let inner = text.trim();
        let inner = match inner.strip_prefix('(') {
            Some(opened) => opened.strip_suffix(')').ok_or_else(malformed)?,
            None => inner,
        };
        let inner = inner.trim();
        let mut values = Vec::new();
        for entry in inner.strip_suffix(',').unwrap_or(inner).split(',') {
            values.push(match entry.trim() {
                "None" => None,
                number => Some(number.parse().map_err(|_| malformed())?),
            });
        }
        Self::new(&values)
    }
}

impl Serialize for PartialCoordinate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_slice().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PartialCoordinate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&Vec::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
