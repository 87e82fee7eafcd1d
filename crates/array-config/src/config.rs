//! What a config can describe.

use annotation_mask::{LabelId, Rule, UniqueKeys};
use array_core::{DType, Downsampling};
use geometry::{Decimal, LengthUnit};
use serde::{Deserialize, Deserializer, Serialize};

use crate::at::At;
use crate::crop_group::CropGroupConfig;
use crate::groups::{GroupsConfig, label_id};
use crate::lengths::Numbers;
use crate::parse::Parser;

/// What an array is made of.
///
/// It is serialized in the form of this crate, and read from either form.
///
/// ```
/// use array_config::ArrayConfig;
///
/// let text = r#"{"__type__": "OnesArrayConfig", "name": "mask", "source_array_config":
///     {"__type__": "ZarrArrayConfig", "name": "labels", "file_name": "crop.zarr", "dataset": "labels"}}"#;
/// let config = ArrayConfig::from_json(text)?;
/// let ours = serde_json::to_string(&config)?;
/// assert_eq!(ours, r#"{"kind":"ones","source":{"kind":"zarr","path":"crop.zarr","dataset":"labels"}}"#);
/// assert_eq!(ArrayConfig::from_json(&ours)?, config);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ArrayConfig {
    /// A Zarr array.
    Zarr(ZarrConfig),
    /// A crop with one array for each class.
    CropGroup(CropGroupConfig),
    /// The part of an array inside a region.
    Crop(CropConfig),
    /// Where labels may be trusted.
    Mask(MaskConfig),
    /// What labels say.
    Binarize(BinarizeConfig),
    /// Ones in the place of an array.
    Ones(OnesConfig),
    /// One value in the place of an array.
    Constant(ConstantConfig),
    /// The channels of several arrays.
    Concat(ConcatConfig),
    /// The sum of several arrays.
    Sum(SumConfig),
    /// Whether any channel of an array is set.
    LogicalOr(LogicalOrConfig),
    /// An array with larger or smaller voxels.
    Resample(ResampleConfig),
}

/// A Zarr array, and what is known better than its metadata.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ZarrConfig {
    /// A path or a URL: that of the array, or of the container in which `dataset` is.
    pub path: String,
    /// The path inside the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// Which scale level of an image is meant, by name or voxel size: `s1`, or `8nm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<String>,
    /// The voxel size in the declared unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voxel_size: Option<Vec<Decimal>>,
    /// The first corner of voxel 0 in the declared unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<Vec<Decimal>>,
    /// The names of the axes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub axes: Option<Vec<String>>,
    /// The unit of voxel size and offset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<LengthUnit>,
    /// What translations in the metadata mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub translation: Option<Translation>,
    /// Whether an array without geometry gets voxels of size 1 instead of an error.
    #[serde(skip_serializing_if = "is_false")]
    pub unit_voxels: bool,
    /// The cells of a grid from the world's zero: only whole cells of it are part of the array. No
    /// voxel is moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snap_to_grid: Option<Vec<Decimal>>,
    /// What the numbers of `snap_to_grid` count in.
    #[serde(skip_serializing_if = "Numbers::are_declared")]
    pub numbers: Numbers,
}

/// What a translation in metadata means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Translation {
    /// The first corner of voxel 0.
    Corner,
    /// The centre of voxel 0.
    Centre,
}

/// The part of an array inside a region.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CropConfig {
    /// The region, such as `[0:8.5, 16:32] nm`; unbounded axes are those of the source.
    pub roi: String,
    /// What numbers of `roi` without a unit count in.
    #[serde(skip_serializing_if = "Numbers::are_declared")]
    pub numbers: Numbers,
    /// The array.
    pub source: Box<ArrayConfig>,
}

/// Where labels may be trusted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MaskConfig {
    /// The rule by which channels are kept.
    pub rule: Rule,
    /// Whether labels without a `labels` attribute are an error.
    #[serde(skip_serializing_if = "is_false")]
    pub require_labels: bool,
    /// Ids that are generic in every group that has them.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "label_ids")]
    pub generic_ids: Vec<LabelId>,
    /// One group for each channel.
    pub groups: GroupsConfig,
    /// The labels.
    pub source: Box<ArrayConfig>,
}

/// What labels say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BinarizeConfig {
    /// The label that a group without ids does not have.
    #[serde(serialize_with = "label_id")]
    pub background: LabelId,
    /// One group for each channel.
    pub groups: GroupsConfig,
    /// The labels.
    pub source: Box<ArrayConfig>,
}

/// Ones (uint8) in the place of an array.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OnesConfig {
    /// The array whose place it is.
    pub source: Box<ArrayConfig>,
}

/// One value in the place of an array.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConstantConfig {
    /// The value.
    #[serde(serialize_with = "label_id")]
    pub value: i128,
    /// The element type; that of the source if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dtype: Option<DType>,
    /// The array whose place it is.
    pub source: Box<ArrayConfig>,
}

/// The channels of several arrays, one after the other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConcatConfig {
    /// One name for each channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub names: Option<Vec<String>>,
    /// The arrays, in the order of the channels.
    pub sources: Vec<ArrayConfig>,
}

/// The sum of several arrays.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SumConfig {
    /// The arrays.
    pub sources: Vec<ArrayConfig>,
}

/// Whether any channel of an array is set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogicalOrConfig {
    /// The array.
    pub source: Box<ArrayConfig>,
}

/// An array with larger or smaller voxels.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ResampleConfig {
    /// How many voxels become of one, for each spatial axis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upsample: Option<Vec<usize>>,
    /// How many voxels become one, for each spatial axis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downsample: Option<Vec<usize>>,
    /// Which value the voxels that become one give it.
    pub method: Downsampling,
    /// Whether voxels begin at multiples of the new voxel size, counted from the world's zero, rather
    /// than at the corner of the source; what does not fill one is left out on both sides.
    #[serde(skip_serializing_if = "is_false")]
    pub align_to_world: bool,
    /// The array.
    pub source: Box<ArrayConfig>,
}

impl ArrayConfig {
    /// The name of the kind, as a config writes it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Zarr(_) => "zarr",
            Self::CropGroup(_) => "crop_group",
            Self::Crop(_) => "crop",
            Self::Mask(_) => "mask",
            Self::Binarize(_) => "binarize",
            Self::Ones(_) => "ones",
            Self::Constant(_) => "constant",
            Self::Concat(_) => "concat",
            Self::Sum(_) => "sum",
            Self::LogicalOr(_) => "logical_or",
            Self::Resample(_) => "resample",
        }
    }
}

impl ArrayConfig {
    /// The arrays of which it is made, as far as they are configs themselves.
    pub(crate) fn sources(&self) -> Vec<&Self> {
        match self {
            Self::Zarr(_) | Self::CropGroup(_) => Vec::new(),
            Self::Crop(CropConfig { source, .. })
            | Self::Mask(MaskConfig { source, .. })
            | Self::Binarize(BinarizeConfig { source, .. })
            | Self::Ones(OnesConfig { source })
            | Self::Constant(ConstantConfig { source, .. })
            | Self::LogicalOr(LogicalOrConfig { source })
            | Self::Resample(ResampleConfig { source, .. }) => vec![source],
            Self::Concat(ConcatConfig { sources, .. }) | Self::Sum(SumConfig { sources }) => {
                sources.iter().collect()
            }
        }
    }

    /// The number of arrays, with all of which it is made.
    pub(crate) fn num_arrays(&self) -> usize {
        let mut open = vec![self];
        let mut count = 0_usize;
        while let Some(config) = open.pop() {
            count = count.saturating_add(1);
            open.extend(config.sources());
        }
        count
    }
}

impl<'de> Deserialize<'de> for ArrayConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = UniqueKeys::deserialize(deserializer)?.0;
        Parser { tables_have_order: true }
            .array(&value, &At::ROOT, 0)
            .map_err(serde::de::Error::custom)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

fn label_ids<S: serde::Serializer>(ids: &[LabelId], serializer: S) -> Result<S::Ok, S::Error> {
    let ids = ids.iter().map(|&id| crate::groups::GroupMember::Id(id));
    serializer.collect_seq(ids)
}
