//! Ways to make one voxel of several.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::ArrayError;

/// Which value the voxels that become one voxel give it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Downsampling {
    /// That of the voxel at their middle; of two middle ones, the later.
    ///
    /// Of `d` voxels along an axis it is the one with index `d / 2`, rounded down. This is what
    /// scikit-image's `rescale` takes with order 0, and so DaCapo with `interp_order` 0.
    #[default]
    Nearest,
    /// The most frequent; of equally frequent ones the smallest.
    Mode,
    /// The mean; integers are rounded to the nearest, halves up. A `bool` is set where at least half are.
    Mean,
}

impl Downsampling {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Nearest, Self::Mode, Self::Mean];

    /// The name as users write it: `nearest`, `mode` or `mean`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nearest => "nearest",
            Self::Mode => "mode",
            Self::Mean => "mean",
        }
    }
}

impl fmt::Display for Downsampling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Downsampling {
    type Err = ArrayError;

    /// Reads the name that [`Downsampling::name`] writes.
    ///
    /// # Errors
    ///
    /// [`ArrayError::UnknownDownsampling`] for any other name.
    fn from_str(name: &str) -> Result<Self, ArrayError> {
        let found = Self::ALL.into_iter().find(|method| method.name() == name);
        found.ok_or_else(|| ArrayError::UnknownDownsampling { name: name.to_owned() })
    }
}
