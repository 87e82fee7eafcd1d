//! What one place in the metadata says about the geometry.

use std::path::{Path, PathBuf};

use geometry::{Decimal, GeometryError};

use super::axes::Axis;
use super::report::{Convention, GeometrySource};
use super::values::List;
use crate::error::ZarrError;

/// What one place says, lists as they stand there: for the spatial axes or for all.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    pub(super) source: GeometrySource,
    pub(super) file: PathBuf,
    pub(super) voxel_size: Option<List>,
    pub(super) offset: Option<List>,
    pub(super) convention: Convention,
    pub(super) units: Option<Vec<Option<String>>>,
    pub(super) axes: Option<Vec<Axis>>,
}

impl Claim {
    pub(super) fn new(source: GeometrySource, file: &Path, convention: Convention) -> Self {
        Self {
            source,
            file: file.to_owned(),
            voxel_size: None,
            offset: None,
            convention,
            units: None,
            axes: None,
        }
    }

    pub(super) fn names_units(&self) -> bool {
        self.units.iter().flatten().any(Option::is_some)
    }
}

/// A claim, or why it cannot be used.
pub(super) type ClaimResult = Result<Claim, (GeometrySource, ZarrError)>;

/// The corner of voxel 0, out of the position that is stored.
pub(super) fn corner(
    position: &[Decimal],
    voxel_size: &[Decimal],
    convention: Convention,
) -> Result<Vec<Decimal>, GeometryError> {
    match convention {
        Convention::Corner => Ok(position.to_vec()),
        Convention::Centre => {
            position.iter().zip(voxel_size).map(|(at, size)| at.checked_sub(size.half()?)).collect()
        }
    }
}
