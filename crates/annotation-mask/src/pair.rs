//! Mask and target in one pass.

use std::sync::Arc;

use array_core::{Array, ArrayError, ArrayExt, Block, BlockCache, CachedArray, Output};
use geometry::Window;

use crate::binarize::BinarizeArray;
use crate::channel_planes::ChannelPlanes;
use crate::compact::CompactLabels;
use crate::error::MaskError;
use crate::groups::Groups;
use crate::label::LabelId;
use crate::mask::{MaskOptions, MissingAnnotationsMask};
use crate::planes::{count_ones, fill_foreground, len_of, plane_mut, with_scratch};
use crate::rule::ChannelDecision;

/// The mask and the target of one label volume, which read each block of labels once for both.
#[derive(Debug)]
pub struct MaskAndTarget<A: ?Sized> {
    mask: MissingAnnotationsMask<Arc<A>>,
    target: BinarizeArray<Arc<A>>,
}

/// Mask and target of one window.
#[derive(Debug)]
pub struct BlockPair<'a> {
    /// 1 where the channel may be trained.
    pub mask: ChannelPlanes<'a>,
    /// 1 where the voxel belongs to the channel.
    pub target: ChannelPlanes<'a>,
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

    /// The same mask and target, of labels whose blocks are kept in `cache`, as [`CompactLabels`]: for reads
    /// that meet the same blocks again, such as random patches.
    ///
    /// # Errors
    ///
    /// None in practice: those of [`MaskAndTarget::new`].
    pub fn with_cache(
        &self,
        cache: &Arc<BlockCache>,
    ) -> Result<MaskAndTarget<CachedArray<CompactLabels<Arc<A>>>>, MaskError> {
        self.with_cache_of(Arc::clone(self.mask.source()), cache)
    }

    /// The same for `source`, which is the labels in another form.
    pub(crate) fn with_cache_of<B: Array>(
        &self,
        source: B,
        cache: &Arc<BlockCache>,
    ) -> Result<MaskAndTarget<CachedArray<CompactLabels<B>>>, MaskError> {
        let (compact, sets) = CompactLabels::new(source, self.target.sets())?;
        let source = Arc::new(CachedArray::new(compact, cache));
        Ok(MaskAndTarget {
            mask: self.mask.with_source(Arc::clone(&source)),
            target: self.target.with_source(source, sets)?,
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

    /// The mask and the target, as arrays of their own.
    #[must_use]
    pub fn into_arrays(self) -> (MissingAnnotationsMask<Arc<A>>, BinarizeArray<Arc<A>>) {
        (self.mask, self.target)
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
        let bytes = len.saturating_add(voxels);
        with_scratch(bytes, |buffer: &mut [u8]| {
            let (target, plane) = buffer.split_at_mut(len);
            let mut counts = ChannelCounts {
                voxels: voxels as u64,
                known: vec![0; info.channel_shape()[0]],
                positive: vec![0; info.channel_shape()[0]],
            };
            let mut compute = |block: Block<'_>| {
                fill_foreground(&block, plane_mut(window.shape(), plane))?;
                let labelled = count_ones(plane);
                for (known, decision) in counts.known.iter_mut().zip(self.mask.decisions()) {
                    *known = if decision.kept { labelled } else { 0 };
                }
                let out = Output::new(plane_mut(&shape, target).into());
                self.target.lookup().write_block(&block, window.shape(), out)?;
                for (positive, channel) in
                    counts.positive.iter_mut().zip(target.chunks_exact(voxels.max(1)))
                {
                    *positive = count_ones(channel);
                }
                Ok(())
            };
            self.mask.source().visit(window, &mut compute)?;
            let kept = |decision: &ChannelDecision| decision.kept.then_some(&*plane);
            let mask = self.mask.decisions().iter().map(kept).collect();
            visitor(BlockPair {
                mask: ChannelPlanes::new(window.shape(), mask),
                target: ChannelPlanes::of_buffer(window.shape(), shape[0], target),
                counts,
            })
        })
    }
}
