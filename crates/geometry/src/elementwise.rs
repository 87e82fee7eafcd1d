//! Element-wise arithmetic, written once for numbers and for numbers that may be missing.

use crate::{GeometryError, Operand, per_axis::PerAxis};

/// An entry of a coordinate.
pub(crate) trait Entry: Copy + Default {
    /// Wraps a number.
    fn number(value: i64) -> Self;

    /// Applies `f` to the number, if there is one.
    fn apply(self, f: impl Fn(i64) -> Result<i64, GeometryError>) -> Result<Self, GeometryError>;

    /// Applies `f` to two numbers; if one is missing, so is the result.
    fn combine(
        self,
        other: Self,
        f: impl Fn(i64, i64) -> Result<i64, GeometryError>,
    ) -> Result<Self, GeometryError>;
}

impl Entry for i64 {
    fn number(value: i64) -> Self {
        value
    }

    fn apply(self, f: impl Fn(i64) -> Result<i64, GeometryError>) -> Result<Self, GeometryError> {
        f(self)
    }

    fn combine(
        self,
        other: Self,
        f: impl Fn(i64, i64) -> Result<i64, GeometryError>,
    ) -> Result<Self, GeometryError> {
        f(self, other)
    }
}

impl Entry for Option<i64> {
    fn number(value: i64) -> Self {
        Some(value)
    }

    fn apply(self, f: impl Fn(i64) -> Result<i64, GeometryError>) -> Result<Self, GeometryError> {
        self.map(f).transpose()
    }

    fn combine(
        self,
        other: Self,
        f: impl Fn(i64, i64) -> Result<i64, GeometryError>,
    ) -> Result<Self, GeometryError> {
        self.zip(other).map(|(left, right)| f(left, right)).transpose()
    }
}

/// A coordinate made of entries.
pub(crate) trait Elementwise: Copy {
    type Entry: Entry;

    fn entries(&self) -> &PerAxis<Self::Entry>;

    fn from_entries(entries: PerAxis<Self::Entry>) -> Self;

    fn unary(self, f: impl Fn(i64) -> Result<i64, GeometryError>) -> Result<Self, GeometryError> {
        Ok(Self::from_entries(self.entries().try_map(|entry| entry.apply(&f))?))
    }

    fn binary(
        self,
        other: Operand<Self>,
        f: impl Fn(i64, i64) -> Result<i64, GeometryError>,
    ) -> Result<Self, GeometryError> {
        Ok(Self::from_entries(self.binary_entries(other, |left, right| left.combine(right, &f))?))
    }

    /// Combines the entries axis by axis, the first one first.
    fn binary_entries<T: Copy + Default>(
        self,
        other: Operand<Self>,
        mut f: impl FnMut(Self::Entry, Self::Entry) -> Result<T, GeometryError>,
    ) -> Result<PerAxis<T>, GeometryError> {
        let entries = self.entries();
        match other {
            Operand::Scalar(value) => entries.try_map(|entry| f(entry, Self::Entry::number(value))),
            Operand::PerAxis(other) => entries.try_zip(other.entries(), f),
        }
    }
}

/// Writes the public element-wise methods of a coordinate type.
macro_rules! elementwise_methods {
    ($type:ty) => {
        impl $type {
            /// Returns the number of axes.
            #[must_use]
            pub fn dims(&self) -> usize {
                self.0.dims()
            }

            /// Adds a number, or a coordinate axis by axis.
            ///
            /// # Errors
            ///
            /// [`GeometryError::DimsMismatch`], [`GeometryError::Overflow`].
            pub fn checked_add(
                self,
                other: impl Into<Operand<Self>>,
            ) -> Result<Self, GeometryError> {
                self.binary(other.into(), integer::add)
            }

            /// Subtracts a number, or a coordinate axis by axis.
            ///
            /// # Errors
            ///
            /// [`GeometryError::DimsMismatch`], [`GeometryError::Overflow`].
            pub fn checked_sub(
                self,
                other: impl Into<Operand<Self>>,
            ) -> Result<Self, GeometryError> {
                self.binary(other.into(), integer::subtract)
            }

            /// Multiplies by a number, or by a coordinate axis by axis.
            ///
            /// # Errors
            ///
            /// [`GeometryError::DimsMismatch`], [`GeometryError::Overflow`].
            pub fn checked_mul(
                self,
                other: impl Into<Operand<Self>>,
            ) -> Result<Self, GeometryError> {
                self.binary(other.into(), integer::multiply)
            }

            /// Divides and rounds toward zero.
            ///
            /// # Errors
            ///
            /// [`GeometryError::DimsMismatch`], [`GeometryError::DivisionByZero`],
            /// [`GeometryError::Overflow`].
            pub fn checked_div(
                self,
                other: impl Into<Operand<Self>>,
            ) -> Result<Self, GeometryError> {
                self.binary(other.into(), integer::divide)
            }

            /// Divides and rounds down, toward negative infinity.
            ///
            /// # Errors
            ///
            /// As [`checked_div`](Self::checked_div).
            pub fn floor_div(self, other: impl Into<Operand<Self>>) -> Result<Self, GeometryError> {
                self.binary(other.into(), integer::floor_divide)
            }

            /// Divides and rounds up, toward positive infinity.
            ///
            /// # Errors
            ///
            /// As [`checked_div`](Self::checked_div).
            pub fn ceil_div(self, other: impl Into<Operand<Self>>) -> Result<Self, GeometryError> {
                self.binary(other.into(), integer::ceil_divide)
            }

            /// Divides and rounds to the nearest integer; a tie is rounded down.
            ///
            /// # Errors
            ///
            /// As [`checked_div`](Self::checked_div).
            pub fn round_div(self, other: impl Into<Operand<Self>>) -> Result<Self, GeometryError> {
                self.binary(other.into(), integer::round_divide)
            }

            /// Returns what [`floor_div`](Self::floor_div) leaves; its sign is that of the divisor.
            ///
            /// # Errors
            ///
            /// [`GeometryError::DimsMismatch`], [`GeometryError::DivisionByZero`].
            pub fn checked_rem(
                self,
                other: impl Into<Operand<Self>>,
            ) -> Result<Self, GeometryError> {
                self.binary(other.into(), integer::remainder)
            }

            /// Raises to a power; a negative power rounds toward zero.
            ///
            /// # Errors
            ///
            /// [`GeometryError::DimsMismatch`], [`GeometryError::Overflow`], and
            /// [`GeometryError::DivisionByZero`] for zero to a negative power.
            pub fn checked_pow(
                self,
                other: impl Into<Operand<Self>>,
            ) -> Result<Self, GeometryError> {
                self.binary(other.into(), integer::power)
            }

            /// Returns the coordinate mirrored at the origin.
            ///
            /// # Errors
            ///
            /// [`GeometryError::Overflow`] for `i64::MIN`.
            pub fn checked_neg(self) -> Result<Self, GeometryError> {
                self.unary(integer::negate)
            }

            /// Returns the distance from the origin along each axis.
            ///
            /// # Errors
            ///
            /// [`GeometryError::Overflow`] for `i64::MIN`.
            pub fn checked_abs(self) -> Result<Self, GeometryError> {
                self.unary(integer::absolute)
            }

            /// Returns the coordinate without its entry for `axis`.
            ///
            /// # Errors
            ///
            /// [`GeometryError::NoSuchAxis`], and [`GeometryError::NumDims`] if no axis would be left.
            pub fn squeeze(self, axis: usize) -> Result<Self, GeometryError> {
                Ok(Self::from_entries(self.0.squeeze(axis)?))
            }
        }
    };
}

pub(crate) use elementwise_methods;
