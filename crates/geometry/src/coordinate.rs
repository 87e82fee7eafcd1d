//! A point or extent in world units.

use std::{
    fmt,
    ops::{Deref, Neg},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::operand::panicking_operators;
use crate::{
    GeometryError, Operand, PartialCoordinate,
    elementwise::{Elementwise, elementwise_methods},
    integer,
    per_axis::PerAxis,
};

/// One `i64` per axis (z, y, x): a point or an extent in world units.
///
/// Arithmetic is element-wise, with another coordinate or with one number. The methods return
/// errors; the operators `+`, `-`, `*` panic.
///
/// ```
/// use geometry::Coordinate;
///
/// let shape = Coordinate::from([2, 3, 4]);
/// let voxel_size = Coordinate::from([10, 5, 1]);
/// assert_eq!(shape.checked_mul(voxel_size)?, Coordinate::from([20, 15, 4]));
/// assert_eq!(shape * voxel_size * 2 + 1, Coordinate::from([41, 31, 9]));
///
/// // Division says how it rounds.
/// let corner = Coordinate::from([-7, 0, 7]);
/// assert_eq!(corner.checked_div(2)?, Coordinate::from([-3, 0, 3]));
/// assert_eq!(corner.floor_div(2)?, Coordinate::from([-4, 0, 3]));
/// assert_eq!(corner.ceil_div(2)?, Coordinate::from([-3, 0, 4]));
/// assert_eq!(corner.round_div(2)?, Coordinate::from([-4, 0, 3]));
///
/// assert_eq!(corner.to_string(), "(-7, 0, 7)");
/// assert_eq!("(-7, 0, 7)".parse(), Ok(corner));
/// # Ok::<_, geometry::GeometryError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Coordinate(pub(crate) PerAxis<i64>);

impl Coordinate {
    /// Copies 1 to [`MAX_DIMS`](crate::MAX_DIMS) entries.
    ///
    /// # Errors
    ///
    /// [`GeometryError::NumDims`] for fewer or more.
    ///
    /// ```
    /// use geometry::Coordinate;
    ///
    /// assert_eq!(Coordinate::new(&[4, 4, 40])?.dims(), 3);
    /// assert!(Coordinate::new(&[]).is_err());
    /// # Ok::<_, geometry::GeometryError>(())
    /// ```
    pub fn new(values: &[i64]) -> Result<Self, GeometryError> {
        Ok(Self(PerAxis::new(values)?))
    }

    /// Returns a coordinate with the same entry along every axis.
    ///
    /// # Errors
    ///
    /// [`GeometryError::NumDims`] unless `dims` is 1 to [`MAX_DIMS`](crate::MAX_DIMS).
    pub fn splat(dims: usize, value: i64) -> Result<Self, GeometryError> {
        let entries = [value; crate::MAX_DIMS];
        Self::new(entries.get(..dims).ok_or(GeometryError::NumDims { dims })?)
    }

    /// Returns the origin.
    ///
    /// # Errors
    ///
    /// As [`splat`](Self::splat).
    pub fn zeros(dims: usize) -> Result<Self, GeometryError> {
        Self::splat(dims, 0)
    }

    /// Returns the entries.
    #[must_use]
    pub fn as_slice(&self) -> &[i64] {
        self.0.as_slice()
    }

    /// Returns true if every entry is a multiple of the entry of `other` for its axis.
    ///
    /// # Errors
    ///
    /// [`GeometryError::DimsMismatch`], [`GeometryError::DivisionByZero`].
    ///
    /// ```
    /// use geometry::Coordinate;
    ///
    /// let offset = Coordinate::from([-80, 12]);
    /// assert!(offset.is_multiple_of([40, 4])?);
    /// assert!(!offset.is_multiple_of([40, 5])?);
    /// # Ok::<_, geometry::GeometryError>(())
    /// ```
    pub fn is_multiple_of(self, other: impl Into<Operand<Self>>) -> Result<bool, GeometryError> {
        Ok(self.checked_rem(other)?.iter().all(|rest| *rest == 0))
    }
}

elementwise_methods!(Coordinate);

impl Elementwise for Coordinate {
    type Entry = i64;

    fn entries(&self) -> &PerAxis<i64> {
        &self.0
    }

    fn from_entries(entries: PerAxis<i64>) -> Self {
        Self(entries)
    }
}

macro_rules! from_arrays {
    ($($dims:literal)+) => {$(
        impl From<[i64; $dims]> for Coordinate {
            fn from(values: [i64; $dims]) -> Self {
                Self(PerAxis::from_array(values))
            }
        }
    )+};
}

from_arrays!(1 2 3 4 5 6);

impl From<&Coordinate> for Coordinate {
    fn from(coordinate: &Coordinate) -> Self {
        *coordinate
    }
}

impl TryFrom<&[i64]> for Coordinate {
    type Error = GeometryError;

    fn try_from(values: &[i64]) -> Result<Self, GeometryError> {
        Self::new(values)
    }
}

impl Deref for Coordinate {
    type Target = [i64];

    fn deref(&self) -> &[i64] {
        self.as_slice()
    }
}

impl<'a> IntoIterator for &'a Coordinate {
    type Item = &'a i64;
    type IntoIter = std::slice::Iter<'a, i64>;

    fn into_iter(self) -> Self::IntoIter {
        self.as_slice().iter()
    }
}

/// Compares like the entries in reading order, slowest axis first.
impl Ord for Coordinate {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_slice().cmp(other.as_slice())
    }
}

impl PartialOrd for Coordinate {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

panicking_operators!(Coordinate, Coordinate);

/// Panics for `i64::MIN`. For literals and tests.
impl Neg for Coordinate {
    type Output = Self;

    #[track_caller]
    fn neg(self) -> Self {
        match self.checked_neg() {
            Ok(result) => result,
            Err(error) => panic!("{error}"),
        }
    }
}

impl fmt::Display for Coordinate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        PartialCoordinate::from(self).fmt(f)
    }
}

impl fmt::Debug for Coordinate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Coordinate{self}")
    }
}

/// Reads `(1, 2, 3)`; the parentheses may be missing, and a comma may follow the last entry.
impl FromStr for Coordinate {
    type Err = GeometryError;

    fn from_str(text: &str) -> Result<Self, GeometryError> {
        text.parse::<PartialCoordinate>().and_then(|coordinate| coordinate.to_coordinate()).map_err(
            |_| GeometryError::Parse {
                text: text.to_owned(),
                expected: "a coordinate such as (0, 8, 16)",
            },
        )
    }
}

impl Serialize for Coordinate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_slice().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Coordinate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&Vec::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
