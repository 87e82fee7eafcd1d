//! Whole factors between the voxels of two arrays.

use std::ops::Range;

use super::Downsampling;

/// By what an axis is resampled.
#[derive(Clone, Copy, Debug)]
pub(super) enum Factor {
    /// Each voxel becomes this many.
    Up(usize),
    /// This many voxels become one.
    Down(usize),
}

/// The quotient of two numbers, if it is whole.
pub(super) fn whole(number: usize, by: usize) -> Option<usize> {
    number.checked_rem(by).filter(|&rest| rest == 0)?;
    number.checked_div(by)
}

impl Factor {
    /// The factor of `up` voxels for every `down` voxels; the error says why there is none.
    pub(super) fn new(up: usize, down: usize) -> Result<Self, String> {
        if up == 0 || down == 0 {
            return Err("a factor is 0".to_owned());
        }
        match (whole(up, down), whole(down, up)) {
            (_, Some(down)) => Ok(Self::Down(down)),
            (Some(up), None) => Ok(Self::Up(up)),
            (None, None) => {
                Err(format!("{up} up and {down} down is no whole factor in either direction"))
            }
        }
    }

    /// The voxel size that becomes of one.
    pub(super) fn voxel_size(self, size: i64) -> Result<i64, String> {
        let factor = |factor: usize| i64::try_from(factor).ok();
        match self {
            Self::Down(down) => factor(down)
                .and_then(|down| size.checked_mul(down))
                .ok_or_else(|| format!("{down} voxels of {size} are beyond 64 bits")),
            Self::Up(up) => factor(up)
                .filter(|up| size.checked_rem(*up) == Some(0))
                .and_then(|up| size.checked_div(up))
                .ok_or_else(|| {
                    format!("a voxel of {size} world units cannot be cut into {up} exactly")
                }),
        }
    }

    /// The number of voxels that become of some.
    pub(super) fn extent(self, extent: usize) -> Result<usize, String> {
        match self {
            Self::Up(up) => extent
                .checked_mul(up)
                .ok_or_else(|| format!("{extent} voxels times {up} are beyond 64 bits")),
            Self::Down(down) => match extent.checked_div(down) {
                Some(0) if extent > 0 => {
                    Err(format!("its {extent} voxels do not fill one of {down}"))
                }
                extent => Ok(extent.unwrap_or(0)),
            },
        }
    }

    /// The first voxel of the source of a voxel.
    pub(super) fn begin(self, voxel: usize) -> usize {
        match self {
            Self::Up(up) => voxel.checked_div(up).unwrap_or(0),
            Self::Down(down) => voxel.saturating_mul(down),
        }
    }

    /// The voxel of the source behind the last one of the voxels before `voxel`.
    pub(super) fn end(self, voxel: usize) -> usize {
        match self {
            Self::Up(up) => voxel.div_ceil(up),
            Self::Down(down) => voxel.saturating_mul(down),
        }
    }

    /// For each voxel from `start` to `stop`, those of the source that it comes from, counted from the
    /// first of the source's window.
    pub(super) fn ranges(
        self,
        start: usize,
        stop: usize,
        method: Downsampling,
    ) -> Vec<Range<usize>> {
        let first = self.begin(start);
        let one = |index: usize| index..index.saturating_add(1);
        (start..stop)
            .map(|voxel| {
                let begin = self.begin(voxel).saturating_sub(first);
                match self {
                    Self::Up(_) => one(begin),
                    Self::Down(down) if method == Downsampling::Nearest => {
                        one(begin.saturating_add(down / 2))
                    }
                    Self::Down(down) => begin..begin.saturating_add(down),
                }
            })
            .collect()
    }
}
