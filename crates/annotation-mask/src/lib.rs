//! Which voxels of a label volume a network may learn from, and what it should learn there.
//!
//! Annotators leave classes out of a crop although they are there. Training such a channel on such a
//! crop teaches that the class is absent where it is not. From labels, annotation metadata and a
//! grouping list (one channel for each group of label ids) this crate makes, lazily and per voxel:
//!
//! - the **mask**, [`MissingAnnotationsMask`]: 1 where channel `c` may be trained, 0 where it may not;
//! - the **target**, [`BinarizeArray`]: 1 where the voxel belongs to channel `c`;
//! - both in one pass over the labels, [`MaskAndTarget`].
//!
//! All wrap any [`array_core::Array`] of integer labels without channels, and are arrays themselves:
//! uint8, axes `c` + those of the source. The meaning of the metadata is in [`LabelList`], the rule
//! that keeps or masks a channel in [`Rule`].
//!
//! A crop may also have one array for each class ([`CropGroup`]); [`CropMask`], [`CropTarget`] and
//! [`CropMaskAndTarget`] make the same of it, by three-valued logic. [`GroundTruth`] is what both have
//! in common. [`check_labels`] and [`check_crop`] hold what metadata say against the voxels.
//! [`ValidSampler`] draws patches of a mask in which enough is known.
//!
//! ```
//! use annotation_mask::{Group, Groups, MaskOptions, MissingAnnotationsMask};
//! use array_core::{ArrayExt, ArrayInfo, DType, MemoryArray};
//! use geometry::{Coordinate, VoxelGrid, VoxelSize};
//! use serde_json::json;
//!
//! // Mitochondria (3) are annotated, vesicles (8) are there but were left out.
//! let attrs = json!({"labels": [
//!     {"value": 3, "name": {"long": "Mitochondrion", "short": "Mito"},
//!      "annotationState": {"present": true, "annotated": "dense"}},
//!     {"value": 8, "name": {"long": "Vesicle", "short": "Ves"},
//!      "annotationState": {"present": true, "annotated": "empty"}},
//! ]});
//! let grid = VoxelGrid::new(Coordinate::from([0]), VoxelSize::new(Coordinate::from([4]))?)?;
//! let info = ArrayInfo::new(DType::U8, &["x"], &[4], grid)?
//!     .with_attrs(std::sync::Arc::new(attrs.as_object().cloned().unwrap_or_default()));
//! let labels = MemoryArray::new(info, ndarray::array![0_u8, 3, 1, 3].into_dyn())?;
//!
//! let groups = Groups::new(vec![Group::new("mito", [3]), Group::new("ves", [8])])?;
//! let mask = MissingAnnotationsMask::new(labels, &groups, &MaskOptions::default())?;
//!
//! let known = mask.read_as::<u8>(mask.roi())?;
//! assert_eq!(known, ndarray::array![[0, 1, 1, 1], [0, 0, 0, 0]].into_dyn());
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod binarize;
mod channel_planes;
mod channel_sets;
mod check;
mod class_annotation;
mod class_groups;
mod class_table;
mod codes;
mod compact;
mod crop_group;
mod encoding;
mod error;
mod finding;
mod ground_truth;
mod grouping;
mod groups;
mod label;
mod labels;
mod lookup;
mod mask;
mod near;
mod pair;
mod planes;
mod rule;
mod sampler;
mod unique_keys;
mod units;

pub use binarize::BinarizeArray;
pub use channel_planes::ChannelPlanes;
pub use check::{
    ClassReport, CropReport, LabelCount, LabelReport, RuleCost, check_crop, check_labels,
};
pub use class_annotation::{AttrsOf, ClassAnnotation, cellmap_annotation};
pub use class_groups::{ClassGroup, ClassGroups};
pub use class_table::{Class, ClassTable};
pub use compact::CompactLabels;
pub use crop_group::{CropClass, CropGroup, CropMask, CropMaskAndTarget, CropTarget};
pub use encoding::{AnnotationType, ClassState, Encoding};
pub use error::MaskError;
pub use finding::{Finding, Severity};
pub use ground_truth::{ChannelSummary, GroundTruth, PairVisitor};
pub use grouping::{Grouping, Member, MemberGroup};
pub use groups::{Group, Groups};
pub use label::LabelId;
pub use labels::{Annotation, LabelEntry, LabelList};
pub use mask::{FactoredMask, MaskOptions, MissingAnnotationsMask};
pub use pair::{BlockPair, ChannelCounts, MaskAndTarget};
pub use rule::{ChannelDecision, Rule};
pub use sampler::{SamplerOptions, ValidSampler};
pub use unique_keys::UniqueKeys;
