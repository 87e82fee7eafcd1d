//! Label values.

use array_core::Element;

/// A label id: wide enough for every label type, so that ids beyond a dtype can be told apart from
/// ids inside it.
pub type LabelId = i128;

/// An element type that labels can have.
pub(crate) trait Label: Element + Ord + Into<LabelId> {
    /// Whether the voxel is labelled at all: 0 and negative values are not.
    fn is_foreground(self) -> bool;

    /// The label of this id, if the type can hold it.
    fn from_id(id: LabelId) -> Option<Self>;

    /// The label as an index into a table, if it is small and not negative.
    fn to_index(self) -> Option<usize>;
}

macro_rules! impl_label {
    ($($type:ty),+) => {
        $(impl Label for $type {
            #[inline]
            fn is_foreground(self) -> bool {
                self > 0
            }

            fn from_id(id: LabelId) -> Option<Self> {
                Self::try_from(id).ok()
            }

            #[inline]
            fn to_index(self) -> Option<usize> {
                usize::try_from(self).ok()
            }
        })+
    };
}
impl_label!(u8, u16, u32, u64, i8, i16, i32, i64);

impl Label for bool {
    #[inline]
    fn is_foreground(self) -> bool {
        self
    }

    fn from_id(id: LabelId) -> Option<Self> {
        match id {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    #[inline]
    fn to_index(self) -> Option<usize> {
        Some(usize::from(self))
    }
}

/// Runs the same generic code for the label type that a view has; `$other` for floating point.
macro_rules! for_label_view {
    ($view:expr, |$labels:ident| $body:expr, $other:expr) => {
        match $view {
            array_core::AnyView::Bool($labels) => $body,
            array_core::AnyView::U8($labels) => $body,
            array_core::AnyView::U16($labels) => $body,
            array_core::AnyView::U32($labels) => $body,
            array_core::AnyView::U64($labels) => $body,
            array_core::AnyView::I8($labels) => $body,
            array_core::AnyView::I16($labels) => $body,
            array_core::AnyView::I32($labels) => $body,
            array_core::AnyView::I64($labels) => $body,
            array_core::AnyView::F32(_) | array_core::AnyView::F64(_) => $other,
        }
    };
}
pub(crate) use for_label_view;
