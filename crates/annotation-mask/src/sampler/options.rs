//! What a sampler is asked for, and whether that means something.

use std::collections::BTreeSet;

use array_core::{ArrayError, ArrayInfo, DType};

use super::threshold::threshold;
use crate::error::MaskError;
use crate::near::{did_you_mean, near_names};

/// The memory of a sampler, unless another limit is given.
const MAX_BYTES: usize = 128 << 20;

/// Which patches a [`ValidSampler`](crate::ValidSampler) draws.
#[derive(Clone, Debug, PartialEq)]
pub struct SamplerOptions {
    /// The extent of a patch along each spatial axis of the mask, in voxels.
    pub shape: Vec<usize>,
    /// The least share of known values in a patch, from 0 (any patch) to 1 (known throughout); taken as the
    /// decimal that it prints as, so that 0.15 of 100 values are 15.
    pub min_known: f64,
    /// The channels that count, by their indices; all if none are given.
    pub channels: Option<Vec<usize>>,
    /// With the same seed, the same patches are drawn on every machine.
    pub seed: u64,
    /// How much memory may be used for what is known about the mask, in bytes.
    pub max_bytes: usize,
}

impl SamplerOptions {
    /// Patches of `shape` voxels, of which at least 0.15 of all channels is known; seed 0, at most 128 MiB.
    #[must_use]
    pub fn new(shape: &[usize]) -> Self {
        Self {
            shape: shape.to_vec(),
            min_known: 0.15,
            channels: None,
            seed: 0,
            max_bytes: MAX_BYTES,
        }
    }

    /// The same with the channels of a mask that have these names; a number that is no name is an index.
    ///
    /// # Errors
    ///
    /// [`MaskError::SamplerOption`] if there is no such channel, or two have the name.
    ///
    /// ```
    /// # use annotation_mask::SamplerOptions;
    /// # use array_core::{ArrayInfo, DType};
    /// # use geometry::{Coordinate, VoxelGrid, VoxelSize};
    /// # let grid = VoxelGrid::new(Coordinate::from([0]), VoxelSize::new(Coordinate::from([4]))?)?;
    /// let mask = ArrayInfo::new(DType::U8, &["c", "x"], &[3, 100], grid)?
    ///     .with_channel_names(["ecs", "mito", "er"].map(str::to_owned).to_vec())?;
    /// let options = SamplerOptions::new(&[10]).with_channel_names(&mask, &["er", "0"])?;
    /// assert_eq!(options.channels, Some(vec![2, 0]));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_channel_names<S: AsRef<str>>(
        self,
        mask: &ArrayInfo,
        names: &[S],
    ) -> Result<Self, MaskError> {
        let known = mask.channel_names().unwrap_or_default();
        let count = mask.num_channels().unwrap_or(0);
        let index = |name: &S| {
            let name = name.as_ref();
            let mut same = (0..known.len()).filter(|&index| known[index] == name);
            match (same.next(), same.next()) {
                (Some(index), None) => return Ok(index),
                (Some(one), Some(two)) => {
                    let reason = format!("channels {one} and {two} are both called {name:?}");
                    return Err(wrong("channels", reason));
                }
                (None, _) => {}
            }
            name.parse().ok().filter(|&index: &usize| index < count).ok_or_else(|| {
                let near = near_names(name, known.iter().map(String::as_str));
                let reason = format!(
                    "no channel is called {name:?}, and none of the {count} has that index{}",
                    did_you_mean(&near)
                );
                wrong("channels", reason)
            })
        };
        let channels = Some(names.iter().map(index).collect::<Result<_, _>>()?);
        Ok(Self { channels, ..self })
    }
}

/// Options that fit a mask.
#[derive(Debug)]
pub(super) struct Plan {
    /// The extent of a patch along each axis: at least 1, and no more than that of the mask.
    pub(super) patch: Vec<usize>,
    /// The channels that count: at least one, none twice.
    pub(super) channels: Vec<usize>,
    /// The values of a patch: voxels and channels.
    pub(super) values: u64,
    /// How many of them must be known.
    pub(super) threshold: u64,
    /// How many patches lie in the mask.
    pub(super) positions: u128,
}

impl Plan {
    /// Holds options against a mask.
    pub(super) fn new(mask: &ArrayInfo, options: &SamplerOptions) -> Result<Self, MaskError> {
        if mask.dtype() != DType::U8 {
            let reason =
                format!("its elements are of type {}, those of a mask of uint8", mask.dtype());
            return Err(MaskError::NotMask { reason });
        }
        let &[count] = mask.channel_shape() else {
            let axes = mask.axes();
            let reason =
                format!("it has the axes {axes:?}, a mask has one channel axis before the others");
            return Err(MaskError::NotMask { reason });
        };
        let patch = options.shape.clone();
        let channels = channels(options.channels.as_deref(), count)?;
        check_shape(&patch, mask)?;
        let too_large = |shape: &[usize]| {
            let shape = [&[channels.len()], shape].concat();
            MaskError::Array(ArrayError::TooLarge { dtype: DType::U8, shape })
        };
        let axes = patch.iter().map(|&extent| extent as u64);
        let values = axes.chain([channels.len() as u64]).try_fold(1, u64::checked_mul);
        let values = values.ok_or_else(|| too_large(&patch))?;
        let threshold = threshold(options.min_known, values).ok_or_else(|| {
            wrong("min_known", format!("{} is not within 0 and 1", options.min_known))
        })?;
        let voxels = mask.spatial_shape();
        let starts = voxels.iter().zip(&patch).map(|(voxels, patch)| (voxels - patch) as u128 + 1);
        let positions = starts.clone().try_fold(1, u128::checked_mul);
        let positions = positions.ok_or_else(|| too_large(voxels))?;
        Ok(Self { patch, channels, values, threshold, positions })
    }
}

/// The channels that were asked for, of so many.
fn channels(asked: Option<&[usize]>, count: usize) -> Result<Vec<usize>, MaskError> {
    if count == 0 {
        return Err(MaskError::NotMask { reason: "it has no channels".to_owned() });
    }
    let Some(asked) = asked else { return Ok((0..count).collect()) };
    if asked.is_empty() {
        return Err(wrong("channels", "the list is empty".to_owned()));
    }
    let mut seen = BTreeSet::new();
    for &channel in asked {
        if channel >= count {
            let reason = format!("there is no channel {channel}: the mask has 0 to {}", count - 1);
            return Err(wrong("channels", reason));
        }
        if !seen.insert(channel) {
            let reason = format!("channel {channel} stands twice, and would count twice");
            return Err(wrong("channels", reason));
        }
    }
    Ok(asked.to_vec())
}

fn check_shape(patch: &[usize], mask: &ArrayInfo) -> Result<(), MaskError> {
    let (axes, voxels) = (mask.spatial_axes(), mask.spatial_shape());
    if patch.len() != axes.len() {
        let reason =
            format!("{patch:?} is not one number for each of the axes {}", axes.join(", "));
        return Err(wrong("shape", reason));
    }
    for ((&extent, &voxels), axis) in patch.iter().zip(voxels).zip(axes) {
        if extent == 0 {
            return Err(wrong("shape", format!("{patch:?} has no voxels along {axis}")));
        }
        if extent > voxels {
            let reason = format!(
                "{patch:?} is larger than the mask: {extent} voxels along {axis}, where it has {voxels}"
            );
            return Err(wrong("shape", reason));
        }
    }
    Ok(())
}

fn wrong(option: &'static str, reason: String) -> MaskError {
    MaskError::SamplerOption { option, reason }
}
