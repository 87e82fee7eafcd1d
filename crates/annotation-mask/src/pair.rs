//! Mask and target in one pass.

use std::sync::Arc;

use array_core::{AnyView, Array, ArrayError, ArrayExt, Block, Output};
use geometry::Window;
use ndarray::{ArrayViewD, ArrayViewMutD};

use crate::binarize::BinarizeArray;
use crate::error::MaskError;
use crate::groups::Groups;
use crate::label::LabelId;
use crate::mask::{MaskOptions, MissingAnnotationsMask};
use crate::planes::{channels, channels_mut, count_ones, fill_foreground, len_of, with_scratch};

/// The mask and the target of one label volume, which read each block of labels once for both.
#[derive(Debug)]
pub struct MaskAndTarget<A: ?Sized> {
    mask: MissingAnnotationsMask<Arc<A>>,
    target: BinarizeArray<Arc<A>>,
}

/// Mask and target of one window, both of shape `[channels, ..window.shape()]`.
#[derive(Debug)]
pub struct BlockPair<'a> {
    /// 1 where the channel may be trained.
    pub mask: ArrayViewD<'a, u8>,
    /// 1 where the voxel belongs to the channel.
    pub target: ArrayViewD<'a, u8>,
    /// How many voxels each channel has in the window.
    pub counts: ChannelCounts,
}

/// How many voxels each channel has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelCounts {
    /// All voxels.
    pub voxels: u64,
    /// For each channel, the voxels where it may be trained: those with mask 1.
    pub known: Vec<u64>,
    /// For each channel, the voxels that belong to it: those with target 1, trusted or not.
    pub positive: Vec<u64>,
}

impl ChannelCounts {
    /// The counts of two regions together.
    #[must_use]
    pub fn merged(mut self, other: Self) -> Self {
        self.voxels += other.voxels;
        for (mine, theirs) in
            [(&mut self.known, &other.known), (&mut self.positive, &other.positive)]
        {
            mine.resize(mine.len().max(theirs.len()), 0);
            mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine += theirs);
        }
        self
    }
}

impl<A: Array + ?Sized> MaskAndTarget<A> {
    /// Mask and target of `source`, with one channel for each group.
    ///
    /// # Errors
    ///
    /// Those of [`MissingAnnotationsMask::new`] and [`BinarizeArray::new`].
    pub fn new(
        source: Arc<A>,
        groups: &Groups,
        options: &MaskOptions,
        background: LabelId,
    ) -> Result<Self, MaskError> {
        Ok(Self {
            mask: MissingAnnotationsMask::new(Arc::clone(&source), groups, options)?,
            target: BinarizeArray::new(source, groups, background)?,
        })
    }

    /// The mask alone.
    pub fn mask(&self) -> &MissingAnnotationsMask<Arc<A>> {
        &self.mask
    }

    /// The target alone.
    pub fn target(&self) -> &BinarizeArray<Arc<A>> {
        &self.target
    }

    /// Computes mask, target and counts of `window` (in voxels of the labels), in the calling thread,
    /// and hands them to `visitor`.
    ///
    /// # Errors
    ///
    /// [`ArrayError::DimsMismatch`] or [`ArrayError::OutOfBounds`] if the window is not inside the
    /// labels; those of the source, and those of `visitor`.
    pub fn visit<E: From<ArrayError>>(
        &self,
        window: &Window,
        visitor: impl FnOnce(BlockPair<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let info = self.mask.info();
        // As a region, so that the error is the one of every other read.
        let roi = info.grid().roi(window).map_err(ArrayError::from)?;
        self.mask.slices(&roi)?;
        let shape = [info.channel_shape(), window.shape()].concat();
        let (len, voxels) = (len_of(&shape), len_of(window.shape()));
        let bytes = len.saturating_mul(2).saturating_add(voxels);
        with_scratch(bytes, |buffer: &mut [u8]| {
            let (mask, rest) = buffer.split_at_mut(len);
            let (target, plane) = rest.split_at_mut(len);
            let mut counts = ChannelCounts {
                voxels: voxels as u64,
                known: vec![0; info.channel_shape()[0]],
                positive: vec![0; info.channel_shape()[0]],
            };
            let mut compute = |block: Block<'_>| {
                let mut mask = channels_mut(&shape, mask);
                let mut target = channels_mut(&shape, target);
                let labelled = match &block {
                    Block::Constant(value) => {
                        self.mask.write_block(&block, Output::new(mask.into()))?;
                        self.target.write_block(&block, Output::new(target.into()))?;
                        for (channel, positive) in counts.positive.iter_mut().enumerate() {
                            let all = self.target.lookup().contains(*value, channel);
                            *positive = if all { counts.voxels } else { 0 };
                        }
                        let all = value.to_integer().is_some_and(|label| label > 0);
                        if all { counts.voxels } else { 0 }
                    }
                    Block::Voxels(labels) => {
                        fill_foreground(labels, plane)?;
                        self.mask.write_plane(plane, &mut mask, false);
                        self.write_target(labels, &mut target, &mut counts.positive)?;
                        count_ones(plane)
                    }
                };
                for (known, decision) in counts.known.iter_mut().zip(self.mask.decisions()) {
                    *known = if decision.kept { labelled } else { 0 };
                }
                Ok(())
            };
            self.mask.source().visit(window, &mut compute)?;
            visitor(BlockPair {
                mask: channels(&shape, mask),
                target: channels(&shape, target),
                counts,
            })
        })
    }

    fn write_target(
        &self,
        labels: &AnyView<'_>,
        target: &mut ArrayViewMutD<'_, u8>,
        positive: &mut [u64],
    ) -> Result<(), ArrayError> {
        self.target.lookup().write(labels, target, false)?;
        for (channel, positive) in target.outer_iter().zip(positive) {
            // The target is a fresh buffer in C order, so each channel is one run of bytes.
            *positive = channel.as_slice().map_or(0, count_ones);
        }
        Ok(())
    }
}
