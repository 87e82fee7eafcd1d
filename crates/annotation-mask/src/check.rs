//! Quality control of ground truth: what metadata and voxels say of each other.
//!
//! Each check is one pass over the voxels, block by block and in parallel; constant blocks cost
//! nothing. It finds things, it does not judge: a [`Finding`](crate::Finding) has a severity, a code for programs, and
//! the numbers. Only what cannot be read is an error of the check itself.

mod class;
mod crop;
mod labels;
mod values;

pub use crop::{ClassReport, CropReport, check_crop};
pub use labels::{LabelCount, LabelReport, RuleCost, check_labels};
