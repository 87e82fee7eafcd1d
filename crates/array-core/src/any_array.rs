//! Arrays and views whose element type is known at run time.

use ndarray::{Array1, ArrayD, ArrayViewD, ArrayViewMutD, Axis, IxDyn, Slice, s};

use crate::dtype::{DType, Element, for_all_dtypes};
use crate::error::ArrayError;
use crate::hardware::{LARGE_BYTES, LINE, advise_large_pages};
use crate::memory_limit::check_memory;
use crate::rows::fill_rows;
use crate::scalar::Scalar;

macro_rules! define_any {
    ($(($variant:ident, $type:ty, $name:literal),)+) => {
        /// An owned n-dimensional array of any element type.
        #[derive(Clone, Debug, PartialEq)]
        pub enum AnyArray {
            $(
                #[doc = concat!("Elements of type `", $name, "`.")]
                $variant(ArrayD<$type>),
            )+
        }

        /// A read-only view of an n-dimensional array of any element type, in any memory order.
        #[derive(Clone, Debug, PartialEq)]
        pub enum AnyView<'a> {
            $(
                #[doc = concat!("Elements of type `", $name, "`.")]
                $variant(ArrayViewD<'a, $type>),
            )+
        }

        /// A mutable view of an n-dimensional array of any element type, in any memory order.
        #[derive(Debug, PartialEq)]
        pub enum AnyViewMut<'a> {
            $(
                #[doc = concat!("Elements of type `", $name, "`.")]
                $variant(ArrayViewMutD<'a, $type>),
            )+
        }

        impl AnyArray {
            /// An array of zeros (`false` for `bool`), in C order.
            ///
            /// The memory is taken from the system as zero pages, so parts that are never written
            /// cost nothing; if it is large, as large pages where the system has them, since a page fault
            /// for each 4 KiB takes several times as long as the writing. Large arrays begin at a multiple
            /// of 64 bytes, which need not be where their memory begins.
            ///
            /// # Errors
            ///
            /// [`ArrayError::TooLarge`] if the array does not fit into memory.
            pub fn zeros(dtype: DType, shape: &[usize]) -> Result<Self, ArrayError> {
                match dtype {
                    $(DType::$variant => {
                        let len = allocatable(dtype, shape)?;
                        Ok(Self::$variant(zeroed::<$type>(len, shape)))
                    })+
                }
            }

            /// The element type.
            #[must_use]
            pub const fn dtype(&self) -> DType {
                match self { $(Self::$variant(_) => DType::$variant,)+ }
            }

            /// The extent along each axis.
            #[must_use]
            pub fn shape(&self) -> &[usize] {
                match self { $(Self::$variant(array) => array.shape(),)+ }
            }

            /// A view of the whole array.
            #[must_use]
            pub fn view(&self) -> AnyView<'_> {
                match self { $(Self::$variant(array) => AnyView::$variant(array.view()),)+ }
            }

            /// A mutable view of the whole array.
            #[must_use]
            pub fn view_mut(&mut self) -> AnyViewMut<'_> {
                match self { $(Self::$variant(array) => AnyViewMut::$variant(array.view_mut()),)+ }
            }
        }

        impl<'a> AnyView<'a> {
            /// The element type.
            #[must_use]
            pub const fn dtype(&self) -> DType {
                match self { $(Self::$variant(_) => DType::$variant,)+ }
            }

            /// The extent along each axis.
            #[must_use]
            pub fn shape(&self) -> &[usize] {
                match self { $(Self::$variant(view) => view.shape(),)+ }
            }

            /// The part with the indices `start..start + len` along `axis`.
            ///
            /// # Panics
            ///
            /// If the part reaches beyond the view.
            #[must_use]
            pub fn slice_axis(&self, axis: usize, start: usize, len: usize) -> AnyView<'a> {
                let part = Slice::from(start..start.saturating_add(len));
                match self {
                    $(Self::$variant(view) => {
                        let mut view = view.clone();
                        view.slice_axis_inplace(Axis(axis), part);
                        AnyView::$variant(view)
                    })+
                }
            }

            /// An owned copy, in C order.
            #[must_use]
            pub fn to_owned(&self) -> AnyArray {
                match self {
                    $(Self::$variant(view) => {
                        AnyArray::$variant(view.as_standard_layout().into_owned())
                    })+
                }
            }
        }

        impl<'a> AnyViewMut<'a> {
            /// The element type.
            #[must_use]
            pub const fn dtype(&self) -> DType {
                match self { $(Self::$variant(_) => DType::$variant,)+ }
            }

            /// The extent along each axis.
            #[must_use]
            pub fn shape(&self) -> &[usize] {
                match self { $(Self::$variant(view) => view.shape(),)+ }
            }

            /// Splits the view before `index` along `axis` into two that do not overlap.
            ///
            /// # Panics
            ///
            /// If `index` is beyond the end of the axis.
            #[must_use]
            pub fn split_at(self, axis: usize, index: usize) -> (AnyViewMut<'a>, AnyViewMut<'a>) {
                match self {
                    $(Self::$variant(view) => {
                        let (front, back) = view.split_at(Axis(axis), index);
                        (AnyViewMut::$variant(front), AnyViewMut::$variant(back))
                    })+
                }
            }

            /// The part with the indices `start..start + len` along `axis`.
            ///
            /// # Panics
            ///
            /// If the part reaches beyond the view.
            #[must_use]
            pub fn slice_axis(self, axis: usize, start: usize, len: usize) -> AnyViewMut<'a> {
                self.split_at(axis, start).1.split_at(axis, len).0
            }

            /// The part with one index along `axis`, without that axis.
            ///
            /// # Panics
            ///
            /// If the index is beyond the end of the axis.
            #[must_use]
            pub fn index_axis(self, axis: usize, index: usize) -> AnyViewMut<'a> {
                match self {
                    $(Self::$variant(view) => {
                        AnyViewMut::$variant(view.index_axis_move(Axis(axis), index))
                    })+
                }
            }

            /// The same view for a shorter time.
            pub(crate) fn shortened<'b>(self) -> AnyViewMut<'b>
            where
                'a: 'b,
            {
                match self { $(Self::$variant(view) => AnyViewMut::$variant(view.reborrow()),)+ }
            }

            /// A shorter-lived mutable view of the same elements.
            #[must_use]
            pub fn reborrow(&mut self) -> AnyViewMut<'_> {
                match self { $(Self::$variant(view) => AnyViewMut::$variant(view.view_mut()),)+ }
            }

            /// Sets every element to `value`.
            ///
            /// # Errors
            ///
            /// [`ArrayError::DTypeMismatch`] if `value` is of another type.
            pub fn fill(&mut self, value: Scalar) -> Result<(), ArrayError> {
                match (self, value) {
                    $((Self::$variant(view), Scalar::$variant(value)) => {
                        fill_rows(view.view_mut(), value);
                        Ok(())
                    })+
                    (view, value) => Err(ArrayError::DTypeMismatch {
                        expected: view.dtype(),
                        found: value.dtype(),
                    }),
                }
            }

            /// Copies every element of `source`, which must have the same shape.
            ///
            /// # Errors
            ///
            /// [`ArrayError::DTypeMismatch`] or [`ArrayError::ShapeMismatch`].
            pub fn assign(&mut self, source: &AnyView<'_>) -> Result<(), ArrayError> {
                same_shape(self.shape(), source.shape())?;
                match (self, source) {
                    $((Self::$variant(view), AnyView::$variant(source)) => {
                        view.assign(source);
                        Ok(())
                    })+
                    (view, source) => Err(ArrayError::DTypeMismatch {
                        expected: view.dtype(),
                        found: source.dtype(),
                    }),
                }
            }
        }

        $(
            impl From<ArrayD<$type>> for AnyArray {
                fn from(array: ArrayD<$type>) -> Self { Self::$variant(array) }
            }

            impl<'a> From<ArrayViewD<'a, $type>> for AnyView<'a> {
                fn from(view: ArrayViewD<'a, $type>) -> Self { Self::$variant(view) }
            }

            impl<'a> From<ArrayViewMutD<'a, $type>> for AnyViewMut<'a> {
                fn from(view: ArrayViewMutD<'a, $type>) -> Self { Self::$variant(view) }
            }
        )+
    };
}
for_all_dtypes!(define_any);

/// Runs the same generic code on the typed view inside an [`AnyView`], [`AnyViewMut`] or [`AnyArray`].
///
/// ```
/// use array_core::{AnyView, for_any};
///
/// let labels = ndarray::arr1(&[0_u16, 3, 3]).into_dyn();
/// let view = AnyView::from(labels.view());
/// let len = for_any!(AnyView, &view, |values| values.len());
/// assert_eq!(len, 3);
/// ```
#[macro_export]
macro_rules! for_any {
    ($kind:ident, $any:expr, |$value:ident| $body:expr) => {
        match $any {
            $crate::$kind::Bool($value) => $body,
            $crate::$kind::U8($value) => $body,
            $crate::$kind::U16($value) => $body,
            $crate::$kind::U32($value) => $body,
            $crate::$kind::U64($value) => $body,
            $crate::$kind::I8($value) => $body,
            $crate::$kind::I16($value) => $body,
            $crate::$kind::I32($value) => $body,
            $crate::$kind::I64($value) => $body,
            $crate::$kind::F32($value) => $body,
            $crate::$kind::F64($value) => $body,
        }
    };
}

impl AnyArray {
    /// The array as one of a Rust type.
    ///
    /// # Errors
    ///
    /// [`ArrayError::DTypeMismatch`] if the elements are of another type.
    pub fn into_typed<T: Element>(self) -> Result<ArrayD<T>, ArrayError> {
        let found = self.dtype();
        T::from_any(self).ok_or(ArrayError::DTypeMismatch { expected: T::DTYPE, found })
    }
}

impl<'a> AnyView<'a> {
    /// The view as one of a Rust type.
    ///
    /// # Errors
    ///
    /// [`ArrayError::DTypeMismatch`] if the elements are of another type.
    pub fn typed<T: Element>(&self) -> Result<ArrayViewD<'a, T>, ArrayError> {
        let found = self.dtype();
        T::from_view(self).ok_or(ArrayError::DTypeMismatch { expected: T::DTYPE, found })
    }
}

impl<'a> AnyViewMut<'a> {
    /// The view as one of a Rust type.
    ///
    /// # Errors
    ///
    /// [`ArrayError::DTypeMismatch`] if the elements are of another type.
    pub fn typed<T: Element>(self) -> Result<ArrayViewMutD<'a, T>, ArrayError> {
        let found = self.dtype();
        T::from_view_mut(self).ok_or(ArrayError::DTypeMismatch { expected: T::DTYPE, found })
    }
}

/// Fails unless the two shapes are the same.
pub(crate) fn same_shape(expected: &[usize], found: &[usize]) -> Result<(), ArrayError> {
    if expected == found {
        return Ok(());
    }
    Err(ArrayError::ShapeMismatch { expected: expected.to_vec(), found: found.to_vec() })
}

/// The number of elements of an array that the allocator agrees to hold.
///
/// Asks for the memory without touching it, so that a size beyond the machine is an error here and
/// not an abort in the allocation itself.
fn allocatable(dtype: DType, shape: &[usize]) -> Result<usize, ArrayError> {
    let too_large = || ArrayError::TooLarge { dtype, shape: shape.to_vec() };
    // Overflow counts even where another axis is empty: ndarray refuses such shapes.
    let len = shape
        .iter()
        .try_fold(1_usize, |product, &extent| product.checked_mul(extent.max(1)))
        .filter(|len| {
            let bytes = len.checked_mul(dtype.size()).and_then(|bytes| bytes.checked_add(LINE));
            bytes.is_some_and(|bytes| isize::try_from(bytes).is_ok())
        })
        .ok_or_else(too_large)?;
    if shape.contains(&0) {
        return Ok(0);
    }
    let bytes = len.saturating_mul(dtype.size()).saturating_add(LINE);
    check_memory(u64::try_from(bytes).ok(), || {
        format!("an array of shape {shape:?} and type {dtype}")
    })?;
    Vec::<u8>::new().try_reserve_exact(bytes).map_err(|_| too_large())?;
    Ok(len)
}

/// Zeros in C order, of a shape with `len` elements.
fn zeroed<T: Copy + Default>(len: usize, shape: &[usize]) -> ArrayD<T> {
    let is_large = len.saturating_mul(size_of::<T>()) >= LARGE_BYTES;
    // Zeroed memory of the system is aligned to 16 bytes only, and asking for more than that would write
    // the zeros. So a large array begins where a cache line does, in memory that is one line longer.
    let spare = if is_large { LINE.checked_div(size_of::<T>()).unwrap_or(0) } else { 0 };
    let mut values = vec![T::default(); len.saturating_add(spare)];
    if is_large {
        advise_large_pages(&mut values);
    }
    let begin = values.as_ptr().align_offset(LINE).min(spare);
    let mut array = Array1::from_vec(values);
    array.slice_collapse(s![begin..begin.saturating_add(len)]);
    let shaped = array.into_shape_with_order(IxDyn(shape));
    shaped.expect("there is one element for each index of the shape")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_beyond_the_machine_are_an_error() {
        for shape in [vec![usize::MAX], vec![1 << 40, 1 << 40], vec![0, usize::MAX, 2]] {
            let error = AnyArray::zeros(DType::U64, &shape).unwrap_err();
            assert!(matches!(error, ArrayError::TooLarge { .. }), "{error}");
        }
        assert_eq!(AnyArray::zeros(DType::U8, &[3, 0]).unwrap().shape(), [3, 0]);
    }

    #[test]
    fn large_arrays_begin_at_a_cache_line_and_small_ones_where_their_memory_does() {
        fn check<T: Element + Default>(shape: &[usize], is_large: bool) {
            let array = AnyArray::zeros(T::DTYPE, shape).unwrap().into_typed::<T>().unwrap();
            assert!(array.is_standard_layout());
            assert!(array.iter().all(|&element| element == T::default()));
            assert!(!is_large || array.as_ptr().align_offset(LINE) == 0);
            let (_, begin) = array.into_raw_vec_and_offset();
            assert!(is_large || begin.unwrap_or(0) == 0);
        }
        check::<u8>(&[3, LARGE_BYTES], true);
        check::<u64>(&[LARGE_BYTES / 8], true);
        check::<bool>(&[LARGE_BYTES - 1], false);
        check::<f64>(&[], false);
    }

    #[test]
    fn a_part_is_the_indices_that_were_asked_for() {
        let array = AnyArray::from(ndarray::arr1(&[10_u8, 11, 12, 13]).into_dyn());
        let part = array.view().slice_axis(0, 1, 2).typed::<u8>().unwrap();
        assert_eq!(part.iter().copied().collect::<Vec<_>>(), [11, 12]);
        assert!(array.view().typed::<u16>().is_err());
    }
}
