//! Crop groups: one array for each class.

use std::path::Path;
use std::sync::Arc;

use array_core::Array;
use serde::Serialize;
use zarr_source::OpenOptions;

use crate::at::At;
use crate::error::ConfigError;
use crate::groups::GroupsConfig;

/// A crop with one array for each class, as a mask or a target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CropGroupConfig {
    /// A path or a URL: that of the crop group, or of the container in which `dataset` is.
    pub path: String,
    /// The path inside the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// What is made of it.
    pub what: CropGroupPart,
    /// The path of a class table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classes: Option<String>,
    /// One group for each channel, in which classes may be named; each class of the crop if there are
    /// none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<GroupsConfig>,
}

/// What is made of a crop group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum CropGroupPart {
    /// Where a channel is known.
    #[default]
    Mask,
    /// Where a channel is present.
    Target,
}

impl CropGroupPart {
    pub(crate) const NAMES: [(&str, Self); 2] = [("mask", Self::Mask), ("target", Self::Target)];
}

/// Opens a crop group; paths are relative to `base`, and what `defaults` say holds for all of its arrays.
pub(crate) fn build(
    _config: &CropGroupConfig,
    _base: &Path,
    _defaults: &OpenOptions,
    at: &At<'_>,
) -> Result<Arc<dyn Array>, ConfigError> {
    Err(ConfigError::Unsupported {
        place: at.to_string(),
        kind: "crop_group".to_owned(),
        reason: "it is not built in",
    })
}
