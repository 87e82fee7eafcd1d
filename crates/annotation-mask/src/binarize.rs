//! The target: what a channel should learn.

use std::sync::Arc;

use array_core::{
    Array, ArrayError, ArrayInfo, Block, BlockCache, CachedArray, Output, Scalar, StoredVisitor,
    Visitor,
};
use geometry::Window;

use crate::channel_sets::ChannelSets;
use crate::compact::CompactLabels;
use crate::error::MaskError;
use crate::groups::Groups;
use crate::label::LabelId;
use crate::lookup::Lookup;
use crate::mask::{channel_info, visit_channels};

/// For each channel and voxel, 1 where the label belongs to the channel's group, 0 elsewhere.
///
/// A group without ids has every label but the background. uint8, of shape
/// `[channels, ..source shape]`, axes `c` + those of the source; computed when it is read.
///
/// ```
/// use annotation_mask::{BinarizeArray, Group, Groups};
/// use array_core::{ArrayExt, ArrayInfo, DType, MemoryArray};
/// use geometry::{Coordinate, VoxelGrid, VoxelSize};
///
/// let grid = VoxelGrid::new(Coordinate::from([0]), VoxelSize::new(Coordinate::from([4]))?)?;
/// let info = ArrayInfo::new(DType::U8, &["x"], &[4], grid)?;
/// let labels = MemoryArray::new(info, ndarray::array![0_u8, 3, 1, 5].into_dyn())?;
///
/// let groups = Groups::new(vec![Group::new("mito", [3, 5]), Group::new("any", [])])?;
/// let target = BinarizeArray::new(labels, &groups, 0)?;
/// let expected = ndarray::array![[0, 1, 0, 1], [0, 1, 1, 1]].into_dyn();
/// assert_eq!(target.read_as::<u8>(target.roi())?, expected);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct BinarizeArray<A> {
    source: A,
    info: ArrayInfo,
    sets: ChannelSets,
    lookup: Lookup,
}

impl<A: Array> BinarizeArray<A> {
    /// The targets of `source`, an array of labels, with one channel for each group.
    ///
    /// Ids that the label type cannot hold never match ([`Groups::ids_beyond`] lists them).
    ///
    /// # Errors
    ///
    /// [`MaskError::NotLabels`] for floating point voxels; [`ArrayError::SourceHasChannels`].
    pub fn new(source: A, groups: &Groups, background: LabelId) -> Result<Self, MaskError> {
        let info = channel_info(source.info(), &groups.names(), "a binarized array")?;
        Self::of(source, info, ChannelSets::new(groups, background))
    }

    /// The same targets, of labels whose blocks are kept in `cache`, as [`CompactLabels`].
    ///
    /// # Errors
    ///
    /// None in practice: those of [`BinarizeArray::new`].
    pub fn with_cache(
        self,
        cache: &Arc<BlockCache>,
    ) -> Result<BinarizeArray<CachedArray<CompactLabels<A>>>, MaskError> {
        let (compact, sets) = CompactLabels::new(self.source, &self.sets)?;
        BinarizeArray::of(CachedArray::new(compact, cache), self.info, sets)
    }

    /// The targets for labels in which `sets` tell the channels of each id.
    fn of(source: A, info: ArrayInfo, sets: ChannelSets) -> Result<Self, MaskError> {
        let lookup = Lookup::new(source.info().dtype(), &sets)?;
        Ok(Self { source, info, sets, lookup })
    }

    /// The same targets of other labels, in which `sets` tell the channels of each id.
    pub(crate) fn with_source<B: Array>(
        &self,
        source: B,
        sets: ChannelSets,
    ) -> Result<BinarizeArray<B>, MaskError> {
        BinarizeArray::of(source, self.info.clone(), sets)
    }

    pub(crate) fn sets(&self) -> &ChannelSets {
        &self.sets
    }

    /// The labels that the targets are made from.
    pub fn source(&self) -> &A {
        &self.source
    }

    pub(crate) fn lookup(&self) -> &Lookup {
        &self.lookup
    }
}

impl<A: Array> Array for BinarizeArray<A> {
    fn info(&self) -> &ArrayInfo {
        &self.info
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        self.source.visit(window, &mut |block| match block {
            Block::Constant(value)
                if !(0..self.info.shape()[0]).any(|c| self.lookup.contains(value, c)) =>
            {
                visitor(Block::Constant(Scalar::U8(0)))
            }
            block => visit_channels(&self.info, window, visitor, |out| {
                self.lookup.write_block(&block, window.shape(), out)
            }),
        })
    }

    fn read_into(&self, window: &Window, out: Output<'_>) -> Result<(), ArrayError> {
        self.lookup.read_into(&self.source, window, out)
    }

    fn visit_stored(
        &self,
        window: &Window,
        visitor: &mut StoredVisitor<'_>,
    ) -> Result<(), ArrayError> {
        self.source.visit_stored(window, visitor)
    }

    fn kind(&self) -> &'static str {
        "a binarized array"
    }

    fn is_virtual(&self) -> bool {
        true
    }
}
