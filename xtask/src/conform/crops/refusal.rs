//! Why nothing was read from a crop.

use annotation_mask::MaskError;
use array_core::ArrayError;
use geometry::GeometryError;

/// Why no array was read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Region(GeometryError),
    #[error(transparent)]
    Array(ArrayError),
    #[error(transparent)]
    Mask(MaskError),
    #[error("{0:#}")]
    Other(anyhow::Error),
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

impl From<ArrayError> for Refusal {
    fn from(error: ArrayError) -> Self {
        Self::Array(error)
    }
}

impl From<MaskError> for Refusal {
    fn from(error: MaskError) -> Self {
        match error {
            MaskError::Array(error) => Self::Array(error),
            error => Self::Mask(error),
        }
    }
}
