//! Crop groups: one array for each class.

use std::path::Path;
use std::sync::Arc;

use annotation_mask::{ClassTable, CropMaskAndTarget, MaskError};
use array_core::Array;
use serde::Serialize;
use zarr_source::OpenOptions;

use crate::at::At;
use crate::build::{Location, set_level};
use crate::config::ArrayConfig;
use crate::error::ConfigError;
use crate::groups::GroupsConfig;
use crate::open::{OpenError, OpenedCrop, open_crop, read_class_table};

/// A crop with one array for each class, as a mask or a target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CropGroupConfig {
    /// A path or a URL: that of the crop group, or of the container in which `dataset` is.
    pub path: String,
    /// The path inside the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// Which scale level of an image is meant, by name or voxel size: `s1`, or `8nm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<String>,
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

impl ArrayConfig {
    /// Opens the crop group that the config is, with its channels; none if the config is of another kind.
    /// `defaults` and `table` hold where the config says nothing.
    ///
    /// # Errors
    ///
    /// Those of [`ArrayConfig::build_with`].
    pub fn crop_with(
        &self,
        base: &Path,
        defaults: &OpenOptions,
        table: Option<&ClassTable>,
    ) -> Result<Option<OpenedCrop>, ConfigError> {
        match self {
            Self::CropGroup(config) => open(config, base, defaults, table, &At::ROOT).map(Some),
            _ => Ok(None),
        }
    }
}

/// Opens a crop group; paths are relative to `base`, and what `defaults` and `table` say holds where the
/// config says nothing.
fn open(
    config: &CropGroupConfig,
    base: &Path,
    defaults: &OpenOptions,
    table: Option<&ClassTable>,
    at: &At<'_>,
) -> Result<OpenedCrop, ConfigError> {
    let mut options = defaults.clone();
    set_level(&mut options, config.scale.as_deref(), at)?;
    let own = config.classes.as_ref().map(|path| read_class_table(&base.join(path)));
    let own = own.transpose().map_err(placed(at))?;
    let location = Location::new(base, &config.path, config.dataset.as_deref());
    let group = location.open_group(&options).map_err(|error| placed(at)(error.into()))?;
    let opened = open_crop(&group, &options, own.as_ref().or(table)).map_err(placed(at))?;
    let grouping = config.groups.as_ref().map(|groups| groups.grouping(base, &at.key("groups")));
    Ok(OpenedCrop { grouping: grouping.transpose()?.unwrap_or_default(), ..opened })
}

/// Makes the array that a crop group is.
pub(crate) fn build(
    config: &CropGroupConfig,
    base: &Path,
    defaults: &OpenOptions,
    at: &At<'_>,
) -> Result<Arc<dyn Array>, ConfigError> {
    let OpenedCrop { crop, grouping, .. } = open(config, base, defaults, None, at)?;
    for warning in crop.warnings() {
        tracing::warn!("{at}: {warning}");
    }
    let no_mask = |error: MaskError| placed(at)(error.into());
    let groups = if grouping.is_empty() { crop.default_groups() } else { crop.resolve(&grouping) };
    let pair =
        CropMaskAndTarget::new(Arc::new(crop), &groups.map_err(no_mask)?).map_err(no_mask)?;
    let (mask, target) = pair.into_arrays();
    Ok(match config.what {
        CropGroupPart::Mask => Arc::new(mask),
        CropGroupPart::Target => Arc::new(target),
    })
}

/// The way from an error of opening to one that says where.
fn placed(at: &At<'_>) -> impl Fn(OpenError) -> ConfigError {
    move |error| {
        let (place, kind) = (at.to_string(), "crop_group");
        match error {
            OpenError::Zarr(source) => ConfigError::Zarr { place, source: Box::new(source) },
            OpenError::Mask(source) => ConfigError::Mask { place, kind, source: Box::new(source) },
            OpenError::Array(source) => {
                ConfigError::Array { place, kind, source: Box::new(source) }
            }
            OpenError::Io { path, source } => ConfigError::Io { file: path, source },
            OpenError::ClassTable { path, source } => {
                ConfigError::ClassTable { place: at.key("classes").to_string(), file: path, source }
            }
        }
    }
}
