//! What masks and targets are made from, whatever its form.

use std::fmt::Debug;
use std::sync::Arc;

use array_core::{
    AnyArray, AnyViewMut, Array, ArrayError, ArrayExt, ArrayInfo, BlockCache, DType, Output,
};
use geometry::{Roi, Window};

use crate::error::MaskError;
use crate::pair::{BlockPair, MaskAndTarget};
use crate::rule::ChannelDecision;

/// What [`GroundTruth::visit_pair`] calls with mask and target of a window.
pub type PairVisitor<'a> = dyn FnMut(BlockPair<'_>) -> Result<(), ArrayError> + 'a;

/// Mask and target of one crop, in one pass: of a label volume ([`MaskAndTarget`]) or of a crop group
/// ([`crate::CropMaskAndTarget`]).
pub trait GroundTruth: Debug + Send + Sync {
    /// What the mask is, and the target too: uint8, of shape `[channels, ..spatial]`.
    fn info(&self) -> &ArrayInfo;

    /// Computes mask, target and counts of `window` (in voxels), in the calling thread, and hands them
    /// to `visitor`, once.
    ///
    /// # Errors
    ///
    /// [`ArrayError::DimsMismatch`] or [`ArrayError::OutOfBounds`] if the window is not inside; those
    /// of the source, and those of `visitor`.
    fn visit_pair(&self, window: &Window, visitor: &mut PairVisitor<'_>) -> Result<(), ArrayError>;

    /// Reads the mask of `window` (in voxels, inside the labels) into `mask` and the target into `target`,
    /// both of shape `[channels, ..window.shape()]`, in one pass.
    ///
    /// Users call [`GroundTruth::read_pair`] or [`GroundTruth::read_pair_to`], which check their arguments.
    ///
    /// # Errors
    ///
    /// Those of the source, and places of another element type.
    fn read_pair_into(
        &self,
        window: &Window,
        mask: Output<'_>,
        target: Output<'_>,
    ) -> Result<(), ArrayError>;

    /// Reads the mask and the target of `roi` (world units), each of shape
    /// `[channels, ..roi.shape() / voxel_size]`, in one pass.
    ///
    /// # Errors
    ///
    /// Those of [`ArrayExt::read`].
    fn read_pair(&self, roi: &Roi) -> Result<(AnyArray, AnyArray), ArrayError> {
        let array = self.mask_array();
        let window = array.slices(roi)?;
        let shape = [array.info().channel_shape(), window.shape()].concat();
        let mut mask = AnyArray::zeros(DType::U8, &shape)?;
        let mut target = AnyArray::zeros(DType::U8, &shape)?;
        if !shape.contains(&0) {
            let (mask, target) = (mask.view_mut(), target.view_mut());
            self.read_pair_into(&window, Output::zeroed(mask), Output::zeroed(target))?;
        }
        Ok((mask, target))
    }

    /// Reads the mask and the target of `roi` (world units) into `mask` and `target`, each of shape
    /// `[channels, ..roi.shape() / voxel_size]`, in one pass.
    ///
    /// # Errors
    ///
    /// Those of [`ArrayExt::read_to`].
    fn read_pair_to(
        &self,
        roi: &Roi,
        mask: AnyViewMut<'_>,
        target: AnyViewMut<'_>,
    ) -> Result<(), ArrayError> {
        for found in [mask.dtype(), target.dtype()] {
            if found != DType::U8 {
                return Err(ArrayError::DTypeMismatch { expected: DType::U8, found });
            }
        }
        self.read_pair_out(roi, Output::new(mask), Output::new(target))
    }

    /// The same, into outputs.
    ///
    /// # Errors
    ///
    /// Those of [`ArrayExt::read_to`].
    fn read_pair_out(
        &self,
        roi: &Roi,
        mask: Output<'_>,
        target: Output<'_>,
    ) -> Result<(), ArrayError> {
        let array = self.mask_array();
        let window = array.slices(roi)?;
        let expected = [array.info().channel_shape(), window.shape()].concat();
        for found in [mask.shape(), target.shape()] {
            if found != expected {
                let found = found.to_vec();
                return Err(ArrayError::ShapeMismatch { expected, found });
            }
        }
        if expected.contains(&0) {
            return Ok(());
        }
        self.read_pair_into(&window, mask, target)
    }

    /// The same masks and targets, of labels whose blocks are kept in `cache`, as
    /// [`CompactLabels`](crate::CompactLabels): for reads that meet the same blocks again.
    ///
    /// # Errors
    ///
    /// None in practice: those of making masks and targets of the same labels and channels.
    fn cached(&self, cache: &Arc<BlockCache>) -> Result<Box<dyn GroundTruth + '_>, MaskError>;

    /// For each channel, whether it may be trained, and why not.
    fn channels(&self) -> Vec<ChannelSummary>;

    /// The mask alone, as an array.
    fn mask_array(&self) -> &dyn Array;

    /// The target alone, as an array.
    fn target_array(&self) -> &dyn Array;
}

/// Whether a channel may be trained on a crop, and why not, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelSummary {
    /// The name of the channel.
    pub name: String,
    /// Its label ids, or the names of its classes.
    pub members: Vec<String>,
    /// Whether it may be trained: some voxel may be known, as far as metadata tell.
    pub kept: bool,
    /// Those of the members about which the crop knows nothing: ids that are there but were not
    /// annotated, classes that are not in the crop.
    pub missing: Vec<String>,
    /// Why it is masked, or kept in spite of something missing; empty if there is nothing to say.
    pub why: String,
}

impl From<&ChannelDecision> for ChannelSummary {
    fn from(decision: &ChannelDecision) -> Self {
        let texts = |ids: &[crate::LabelId]| ids.iter().map(ToString::to_string).collect();
        let missing: Vec<String> = texts(&decision.missing_ids);
        let list = missing.join(", ");
        let why = match (decision.kept, missing.len()) {
            (true, 0) => String::new(),
            (true, _) => format!("kept by the rule although {list} was not annotated"),
            (false, 1) => format!("{list} is present but was not annotated"),
            (false, _) => format!("{list} are present but were not annotated"),
        };
        Self {
            name: decision.name.clone(),
            members: texts(&decision.ids),
            kept: decision.kept,
            missing,
            why,
        }
    }
}

impl<A: Array + ?Sized> GroundTruth for MaskAndTarget<A> {
    fn info(&self) -> &ArrayInfo {
        self.mask().info()
    }

    fn visit_pair(&self, window: &Window, visitor: &mut PairVisitor<'_>) -> Result<(), ArrayError> {
        self.visit(window, visitor)
    }

    fn read_pair_into(
        &self,
        window: &Window,
        mask: Output<'_>,
        target: Output<'_>,
    ) -> Result<(), ArrayError> {
        self.target().lookup().read_pair_into(self.mask(), window, mask, target)
    }

    fn cached(&self, cache: &Arc<BlockCache>) -> Result<Box<dyn GroundTruth + '_>, MaskError> {
        // Behind a reference, so that a cache of a cache is of no new type.
        let source: &dyn Array = self.mask().source();
        Ok(Box::new(self.with_cache_of(source, cache)?))
    }

    fn channels(&self) -> Vec<ChannelSummary> {
        self.mask().decisions().iter().map(ChannelSummary::from).collect()
    }

    fn mask_array(&self) -> &dyn Array {
        self.mask()
    }

    fn target_array(&self) -> &dyn Array {
        self.target()
    }
}
