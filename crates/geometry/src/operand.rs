//! The right-hand side of element-wise arithmetic.

use crate::{Coordinate, PartialCoordinate, VoxelSize};

/// One number for all axes, or one per axis: the right-hand side of element-wise arithmetic.
///
/// There is rarely a need to name it: whatever converts into it can be passed directly.
///
/// ```
/// use geometry::Coordinate;
///
/// let shape = Coordinate::from([2, 3, 4]);
/// assert_eq!(shape.checked_mul(2)?, Coordinate::from([4, 6, 8]));
/// assert_eq!(shape.checked_mul([10, 5, 1])?, Coordinate::from([20, 15, 4]));
/// assert_eq!(shape.checked_mul(shape)?, Coordinate::from([4, 9, 16]));
/// # Ok::<_, geometry::GeometryError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand<C> {
    /// The same number along every axis.
    Scalar(i64),
    /// One entry per axis.
    PerAxis(C),
}

impl<C> From<i64> for Operand<C> {
    fn from(value: i64) -> Self {
        Self::Scalar(value)
    }
}

impl<C, const N: usize> From<[i64; N]> for Operand<C>
where
    C: From<[i64; N]>,
{
    fn from(values: [i64; N]) -> Self {
        Self::PerAxis(C::from(values))
    }
}

macro_rules! from_coordinates {
    ($($source:ty => $target:ty),+ $(,)?) => {$(
        impl From<$source> for Operand<$target> {
            fn from(value: $source) -> Self {
                Self::PerAxis(<$target>::from(value))
            }
        }
    )+};
}

from_coordinates! {
    Coordinate => Coordinate,
    &Coordinate => Coordinate,
    VoxelSize => Coordinate,
    &VoxelSize => Coordinate,
    Coordinate => PartialCoordinate,
    &Coordinate => PartialCoordinate,
    VoxelSize => PartialCoordinate,
    &VoxelSize => PartialCoordinate,
    PartialCoordinate => PartialCoordinate,
    &PartialCoordinate => PartialCoordinate,
}

/// Gives `$type` the operators `+`, `-` and `*` with an operand of `$entries` for each axis.
macro_rules! panicking_operators {
    ($type:ident, $entries:ident) => {
        panicking_operators!(@ $type, $entries, Add add checked_add);
        panicking_operators!(@ $type, $entries, Sub sub checked_sub);
        panicking_operators!(@ $type, $entries, Mul mul checked_mul);
    };
    (@ $type:ident, $entries:ident, $trait:ident $operator:ident $method:ident) => {
        /// Panics where the checked method returns an error. For literals and tests.
        impl<T: Into<crate::Operand<$entries>>> std::ops::$trait<T> for $type {
            type Output = $type;

            #[track_caller]
            fn $operator(self, other: T) -> $type {
                match self.$method(other) {
                    Ok(result) => result,
                    Err(error) => panic!("{error}"),
                }
            }
        }
    };
}
pub(crate) use panicking_operators;
