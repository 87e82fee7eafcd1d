//! What can go wrong between labels and masks.

use array_core::{ArrayError, DType};

/// The error of everything in this crate that is not a read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MaskError {
    /// The `labels` attribute does not say what it should.
    #[error("`labels`{}: {reason}", place(*.position, .field))]
    LabelsMalformed {
        /// The index of the entry in the list, if one entry is at fault.
        position: Option<usize>,
        /// The field at fault, such as `annotationState.present`; empty for the whole entry.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The array has no `labels` attribute, and the caller demands one.
    #[error(
        "the labels have no `labels` attribute, so it is not known what was annotated; without \
         `require_labels` every labelled voxel would be trusted"
    )]
    NoLabels,
    /// A group, or the list of groups, does not say what it should.
    #[error("{place}: {reason}")]
    GroupMalformed {
        /// Which group, or where in the text.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No rule has this name.
    #[error("unknown rule {name:?}, expected strict, generic or cnnectome")]
    UnknownRule {
        /// The name.
        name: String,
    },
    /// The elements of the source cannot be labels.
    #[error("elements of type {dtype} cannot be labels; labels are integers or bool")]
    NotLabels {
        /// The element type of the source.
        dtype: DType,
    },
    /// The source cannot be wrapped.
    #[error(transparent)]
    Array(#[from] ArrayError),
}

fn place(position: Option<usize>, field: &str) -> String {
    let entry = position.map(|index| format!("[{index}]")).unwrap_or_default();
    if field.is_empty() { entry } else { format!("{entry}.{field}") }
}
