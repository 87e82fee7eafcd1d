//! Crop groups: one array for each class.

use std::path::Path;
use std::sync::Arc;

use annotation_mask::{ClassTable, CropMaskAndTarget, MaskError};
use array_core::Array;
use serde::Serialize;
use zarr_source::OpenOptions;

use crate::at::At;
use crate::build::{Location, set_level};
use crate::channels::CropChannels;
use crate::error::ConfigError;
use crate::groups::GroupsConfig;
use crate::open::{OpenError, open_crop, read_class_table};

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

/// Opens a crop group as a mask or a target; paths are relative to `base`, and what `defaults` say holds
/// for all of its arrays.
pub(crate) fn build(
    config: &CropGroupConfig,
    base: &Path,
    defaults: &OpenOptions,
    at: &At<'_>,
) -> Result<Arc<dyn Array>, ConfigError> {
    let CropChannels { opened, groups } = open(config, base, defaults, None, at)?;
    for warning in opened.crop.warnings() {
        tracing::warn!("{at}: {warning}");
    }
    let pair = CropMaskAndTarget::new(Arc::new(opened.crop), &groups).map_err(no_mask(at))?;
    let (mask, target) = pair.into_arrays();
    Ok(match config.what {
        CropGroupPart::Mask => Arc::new(mask),
        CropGroupPart::Target => Arc::new(target),
    })
}

/// Opens a crop group, and reads the channels over it.
pub(crate) fn open(
    config: &CropGroupConfig,
    base: &Path,
    defaults: &OpenOptions,
    table: Option<&ClassTable>,
    at: &At<'_>,
) -> Result<CropChannels, ConfigError> {
    let mut options = defaults.clone();
    set_level(&mut options, config.scale.as_deref(), at)?;
    let own_table = config.classes.as_ref().map(|path| read_class_table(&base.join(path)));
    let own_table = own_table.transpose().map_err(placed(at))?;
    let table = own_table.as_ref().or(table);
    let location = Location::new(base, &config.path, config.dataset.as_deref());
    let group = location.open_group(&options).map_err(|error| placed(at)(error.into()))?;
    let opened = open_crop(&group, &options, table).map_err(placed(at))?;
    let groups = match &config.groups {
        None => opened.crop.default_groups(),
        Some(groups) => opened.crop.resolve(&groups.grouping(base, &at.key("groups"))?),
    };
    Ok(CropChannels { groups: groups.map_err(no_mask(at))?, opened })
}

fn no_mask(at: &At<'_>) -> impl Fn(MaskError) -> ConfigError {
    move |error| placed(at)(error.into())
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
