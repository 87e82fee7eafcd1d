//! What masks and targets are made from, whatever its form.

use std::fmt::Debug;

use array_core::{Array, ArrayError, ArrayInfo};
use geometry::Window;

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
