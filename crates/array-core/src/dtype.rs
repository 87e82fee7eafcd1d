//! Element types.

use std::fmt;
use std::str::FromStr;

use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD};
use serde::{Deserialize, Serialize};

use crate::any_array::{AnyArray, AnyView, AnyViewMut};
use crate::error::ArrayError;
use crate::scalar::Scalar;

/// Calls `$callback!` once with the list of all element types: `(Variant, type, "name")`.
///
/// The one list from which [`DType`], [`AnyArray`], [`AnyView`], [`AnyViewMut`] and [`Scalar`] are
/// made, so that none of them can forget a type.
macro_rules! for_all_dtypes {
    ($callback:ident) => {
        $callback! {
            (Bool, bool, "bool"),
            (U8, u8, "uint8"),
            (U16, u16, "uint16"),
            (U32, u32, "uint32"),
            (U64, u64, "uint64"),
            (I8, i8, "int8"),
            (I16, i16, "int16"),
            (I32, i32, "int32"),
            (I64, i64, "int64"),
            (F32, f32, "float32"),
            (F64, f64, "float64"),
        }
    };
}
pub(crate) use for_all_dtypes;

macro_rules! define_dtype {
    ($(($variant:ident, $type:ty, $name:literal),)+) => {
        /// The element type of an array, under the name that NumPy and Zarr v3 give it.
        ///
        /// ```
        /// use array_core::DType;
        ///
        /// let dtype: DType = "uint16".parse()?;
        /// assert_eq!(dtype, DType::U16);
        /// assert_eq!(dtype.size(), 2);
        /// # Ok::<_, array_core::ArrayError>(())
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum DType {
            $(
                #[doc = concat!("`", $name, "`")]
                #[serde(rename = $name)]
                $variant,
            )+
        }

        impl DType {
            /// All element types.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name as NumPy and Zarr v3 write it, such as `uint8`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The size of one element in bytes.
            #[must_use]
            pub const fn size(self) -> usize {
                match self { $(Self::$variant => size_of::<$type>(),)+ }
            }
        }

        $(
            impl sealed::Sealed for $type {}

            impl Element for $type {
                const DTYPE: DType = DType::$variant;

                fn from_any(array: AnyArray) -> Option<ArrayD<Self>> {
                    match array { AnyArray::$variant(array) => Some(array), _ => None }
                }

                fn from_view<'a>(view: &AnyView<'a>) -> Option<ArrayViewD<'a, Self>> {
                    match view { AnyView::$variant(view) => Some(view.clone()), _ => None }
                }

                fn from_view_mut(view: AnyViewMut<'_>) -> Option<ArrayViewMutD<'_, Self>> {
                    match view { AnyViewMut::$variant(view) => Some(view), _ => None }
                }

                fn from_scalar(scalar: Scalar) -> Option<Self> {
                    match scalar { Scalar::$variant(value) => Some(value), _ => None }
                }
            }
        )+
    };
}
for_all_dtypes!(define_dtype);

impl DType {
    /// Whether this is an integer type or `bool`: the types that labels can have.
    #[must_use]
    pub const fn is_integer(self) -> bool {
        !matches!(self, Self::F32 | Self::F64)
    }

    /// The smallest and largest integer that the type holds; none for floating point types.
    ///
    /// ```
    /// use array_core::DType;
    ///
    /// assert_eq!(DType::I8.integer_range(), Some((-128, 127)));
    /// assert_eq!(DType::F32.integer_range(), None);
    /// ```
    #[must_use]
    pub const fn integer_range(self) -> Option<(i128, i128)> {
        Some(match self {
            Self::Bool => (0, 1),
            Self::U8 => (0, u8::MAX as i128),
            Self::U16 => (0, u16::MAX as i128),
            Self::U32 => (0, u32::MAX as i128),
            Self::U64 => (0, u64::MAX as i128),
            Self::I8 => (i8::MIN as i128, i8::MAX as i128),
            Self::I16 => (i16::MIN as i128, i16::MAX as i128),
            Self::I32 => (i32::MIN as i128, i32::MAX as i128),
            Self::I64 => (i64::MIN as i128, i64::MAX as i128),
            Self::F32 | Self::F64 => return None,
        })
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DType {
    type Err = ArrayError;

    /// Reads the name that [`DType::name`] writes.
    ///
    /// # Errors
    ///
    /// [`ArrayError::UnknownDType`] for any other name.
    fn from_str(name: &str) -> Result<Self, ArrayError> {
        let found = Self::ALL.iter().find(|dtype| dtype.name() == name);
        found.copied().ok_or_else(|| ArrayError::UnknownDType { name: name.to_owned() })
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A Rust type that an array can have as its element type.
pub trait Element: sealed::Sealed + Copy + Default + PartialEq + Send + Sync + 'static {
    /// The name of the type at run time.
    const DTYPE: DType;

    /// The array inside `array`, if it is of this type.
    fn from_any(array: AnyArray) -> Option<ArrayD<Self>>;

    /// The view inside `view`, if it is of this type.
    fn from_view<'a>(view: &AnyView<'a>) -> Option<ArrayViewD<'a, Self>>;

    /// The mutable view inside `view`, if it is of this type.
    fn from_view_mut(view: AnyViewMut<'_>) -> Option<ArrayViewMutD<'_, Self>>;

    /// The value inside `scalar`, if it is of this type.
    fn from_scalar(scalar: Scalar) -> Option<Self>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_back_to_its_type() {
        for dtype in DType::ALL {
            assert_eq!(dtype.name().parse::<DType>().unwrap(), *dtype);
        }
        assert!("u1".parse::<DType>().is_err());
    }
}
