//! One value of any element type.

use std::fmt;

use crate::dtype::{DType, Element, for_all_dtypes};

/// An element type that holds some integers.
trait FromInteger: Sized {
    fn from_integer(value: i128) -> Option<Self>;
}

macro_rules! impl_from_integer {
    ($($type:ty),+) => {
        $(impl FromInteger for $type {
            fn from_integer(value: i128) -> Option<Self> {
                Self::try_from(value).ok()
            }
        })+
    };
}
impl_from_integer!(u8, u16, u32, u64, i8, i16, i32, i64);

impl FromInteger for bool {
    fn from_integer(value: i128) -> Option<Self> {
        match value {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

macro_rules! impl_from_integer_for_float {
    ($type:ty) => {
        impl FromInteger for $type {
            fn from_integer(value: i128) -> Option<Self> {
                // Up to here every integer is one float of its own.
                let exact = value.unsigned_abs() <= 1 << <$type>::MANTISSA_DIGITS;
                #[expect(clippy::cast_precision_loss, reason = "looked at just before")]
                exact.then_some(value as $type)
            }
        }
    };
}
impl_from_integer_for_float!(f32);
impl_from_integer_for_float!(f64);

macro_rules! define_scalar {
    ($(($variant:ident, $type:ty, $name:literal),)+) => {
        /// One value of any element type, such as the fill value of a block that is not stored.
        ///
        /// ```
        /// use array_core::{DType, Scalar};
        ///
        /// assert_eq!(Scalar::zero(DType::U16), Scalar::U16(0));
        /// assert_eq!(Scalar::from(-5_i8).to_integer(), Some(-5));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum Scalar {
            $(
                #[doc = concat!("A value of type `", $name, "`.")]
                $variant($type),
            )+
        }

        impl Scalar {
            /// The value zero (`false` for `bool`) of type `dtype`.
            #[must_use]
            pub fn zero(dtype: DType) -> Self {
                match dtype { $(DType::$variant => Self::$variant(<$type>::default()),)+ }
            }

            /// The value of type `dtype` that is this integer, if the type holds it exactly.
            ///
            /// ```
            /// use array_core::{DType, Scalar};
            ///
            /// assert_eq!(Scalar::from_integer(DType::I8, -3), Some(Scalar::I8(-3)));
            /// assert_eq!(Scalar::from_integer(DType::U8, 256), None);
            /// ```
            #[must_use]
            pub fn from_integer(dtype: DType, value: i128) -> Option<Self> {
                match dtype {
                    $(DType::$variant => {
                        <$type as FromInteger>::from_integer(value).map(Self::$variant)
                    })+
                }
            }

            /// The element type of the value.
            #[must_use]
            pub const fn dtype(self) -> DType {
                match self { $(Self::$variant(_) => DType::$variant,)+ }
            }
        }

        impl fmt::Display for Scalar {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(Self::$variant(value) => write!(f, "{value}"),)+ }
            }
        }

        $(
            impl From<$type> for Scalar {
                fn from(value: $type) -> Self { Self::$variant(value) }
            }
        )+
    };
}
for_all_dtypes!(define_scalar);

impl Scalar {
    /// The value as an integer, `bool` as 0 or 1; none for floating point values.
    #[must_use]
    pub fn to_integer(self) -> Option<i128> {
        Some(match self {
            Self::Bool(value) => i128::from(value),
            Self::U8(value) => i128::from(value),
            Self::U16(value) => i128::from(value),
            Self::U32(value) => i128::from(value),
            Self::U64(value) => i128::from(value),
            Self::I8(value) => i128::from(value),
            Self::I16(value) => i128::from(value),
            Self::I32(value) => i128::from(value),
            Self::I64(value) => i128::from(value),
            Self::F32(_) | Self::F64(_) => return None,
        })
    }

    /// The value as a Rust type, if it is of that type.
    #[must_use]
    pub fn get<T: Element>(self) -> Option<T> {
        T::from_scalar(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_an_integer_and_of_one_type() {
        assert_eq!([0, 1, 2, -1].map(bool::from_integer), [Some(false), Some(true), None, None]);
        assert_eq!([255, 256, -1].map(u8::from_integer), [Some(255), None, None]);
        let values = [Scalar::Bool(true), Scalar::U64(u64::MAX), Scalar::I8(-7), Scalar::F32(2.0)];
        let integers = [Some(1), Some(u64::MAX.into()), Some(-7), None];
        assert_eq!(values.map(Scalar::to_integer), integers);
        assert_eq!(Scalar::I8(-7).get::<i8>(), Some(-7));
        assert_eq!(Scalar::I8(-7).get::<i16>(), None);
    }
}
