//! Opening what a config describes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use annotation_mask::{BinarizeArray, MaskError, MaskOptions, MissingAnnotationsMask};
use array_core::{
    Array, ArrayError, ArrayExt, ConcatArray, ConstantArray, LogicalOrArray, ResampledArray,
    Scalar, SumArray,
};
use geometry::Snap;
use zarr_source::{Convention, Level, OpenOptions, ZarrArray, ZarrError, ZarrGroup};

use crate::at::At;
use crate::config::{
    ArrayConfig, BinarizeConfig, ConcatConfig, ConstantConfig, CropConfig, MaskConfig,
    ResampleConfig, Translation, ZarrConfig,
};
use crate::crop_group;
use crate::error::ConfigError;
use crate::fields::malformed;
use crate::parse::MAX_NESTED;

impl ArrayConfig {
    /// Opens the array. Paths are relative to `base`: the folder of the file from which the config was
    /// read.
    ///
    /// Only metadata is read. Arrays that stand in the config more than once are opened as often.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Zarr`], [`ConfigError::Mask`], [`ConfigError::Array`],
    /// [`ConfigError::GroupsFile`] or [`ConfigError::Malformed`], each with the place in the config, in
    /// the words of this crate's form; [`ConfigError::Io`] for a groups file; [`ConfigError::TooDeep`].
    pub fn build(&self, base: &Path) -> Result<Arc<dyn Array>, ConfigError> {
        self.build_with(base, &OpenOptions::default())
    }

    /// Opens the array as [`ArrayConfig::build`] does. What the config does not say about its Zarr arrays
    /// is as `defaults` say.
    ///
    /// # Errors
    ///
    /// Those of [`ArrayConfig::build`].
    pub fn build_with(
        &self,
        base: &Path,
        defaults: &OpenOptions,
    ) -> Result<Arc<dyn Array>, ConfigError> {
        self.build_at(base, defaults, &At::ROOT)
    }

    /// Opens an array that is a part of a config, at `at`.
    pub(crate) fn build_at(
        &self,
        base: &Path,
        defaults: &OpenOptions,
        at: &At<'_>,
    ) -> Result<Arc<dyn Array>, ConfigError> {
        Builder { base, defaults }.build(self, at, 0)
    }

    /// The local paths of all Zarr arrays and crop groups that the config reads, each once: what must not
    /// be written over. Those behind URLs are left out. Nothing is opened.
    #[must_use]
    pub fn local_paths(&self, base: &Path) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        let mut open = vec![self];
        while let Some(config) = open.pop() {
            open.extend(config.sources());
            let (path, dataset) = match config {
                Self::Zarr(zarr) => (&zarr.path, &zarr.dataset),
                Self::CropGroup(group) => (&group.path, &group.dataset),
                _ => continue,
            };
            match Location::new(base, path, dataset.as_deref()) {
                Location::Path(path) if !paths.contains(&path) => paths.push(path),
                _ => {}
            }
        }
        paths
    }
}

#[derive(Clone, Copy)]
struct Builder<'a> {
    base: &'a Path,
    defaults: &'a OpenOptions,
}

/// The way from an error of the mask crate to one that says where.
fn no_mask(kind: &'static str, at: &At<'_>) -> impl Fn(MaskError) -> ConfigError {
    move |source| ConfigError::Mask { place: at.to_string(), kind, source: Box::new(source) }
}

/// The same for an error of an array.
fn no_array(kind: &'static str, at: &At<'_>) -> impl Fn(ArrayError) -> ConfigError {
    move |source| ConfigError::Array { place: at.to_string(), kind, source: Box::new(source) }
}

impl Builder<'_> {
    fn build(
        self,
        config: &ArrayConfig,
        at: &At<'_>,
        depth: usize,
    ) -> Result<Arc<dyn Array>, ConfigError> {
        if depth > MAX_NESTED {
            return Err(ConfigError::TooDeep { place: at.to_string(), limit: MAX_NESTED });
        }
        let source =
            |source: &ArrayConfig| self.build(source, &at.key("source"), depth.saturating_add(1));
        let sources = |sources: &[ArrayConfig]| {
            let key = at.key("sources");
            let sources = sources.iter().enumerate();
            sources
                .map(|(index, source)| {
                    self.build(source, &key.index(index), depth.saturating_add(1))
                })
                .collect::<Result<Vec<_>, _>>()
        };
        let failed = no_array(config.kind(), at);
        Ok(match config {
            ArrayConfig::Zarr(zarr) => self.zarr(zarr, at)?,
            ArrayConfig::CropGroup(group) => {
                crop_group::build(group, self.base, self.defaults, at)?
            }
            ArrayConfig::Crop(crop) => self::crop(crop, source(&crop.source)?, at)?,
            ArrayConfig::Mask(mask) => self.mask(mask, source(&mask.source)?, at)?,
            ArrayConfig::Binarize(binarize) => {
                self.binarize(binarize, source(&binarize.source)?, at)?
            }
            ArrayConfig::Ones(ones) => Arc::new(ConstantArray::ones(source(&ones.source)?)),
            ArrayConfig::Constant(config) => constant(config, source(&config.source)?, at)?,
            ArrayConfig::Concat(config) => concat(config, sources(&config.sources)?, at)?,
            ArrayConfig::Sum(sum) => {
                Arc::new(SumArray::new(sources(&sum.sources)?).map_err(failed)?)
            }
            ArrayConfig::LogicalOr(any) => {
                Arc::new(LogicalOrArray::new(source(&any.source)?).map_err(failed)?)
            }
            ArrayConfig::Resample(config) => resample(config, source(&config.source)?, at)?,
        })
    }

    fn zarr(self, config: &ZarrConfig, at: &At<'_>) -> Result<Arc<dyn Array>, ConfigError> {
        let mut options = self.defaults.clone();
        options.voxel_size = config.voxel_size.clone().or(options.voxel_size);
        options.offset = config.offset.clone().or(options.offset);
        options.axes = config.axes.clone().or(options.axes);
        options.unit = config.unit.or(options.unit);
        options.translation = config.translation.map_or(options.translation, |translation| {
            Some(match translation {
                Translation::Corner => Convention::Corner,
                Translation::Centre => Convention::Centre,
            })
        });
        options.unit_voxels |= config.unit_voxels;
        set_level(&mut options, config.scale.as_deref(), at)?;
        let location = Location::new(self.base, &config.path, config.dataset.as_deref());
        let array = location.open(&options).map_err(|source| ConfigError::Zarr {
            place: at.to_string(),
            source: Box::new(source),
        })?;
        for warning in array.remarks() {
            tracing::warn!("{at}: {warning}");
        }
        let Some(cells) = &config.snap_to_grid else { return Ok(Arc::new(array)) };
        let failed = no_array("snap_to_grid", at);
        let snapped = config
            .numbers
            .cells(cells, array.unit())
            .and_then(|cells| array.roi().snap_to_grid(&cells, Snap::Shrink))
            .map_err(|error| failed(error.into()))?;
        if snapped.partial_begin() != array.roi().partial_begin() {
            tracing::warn!(
                "{at}: snap_to_grid leaves {}, and the voxels in their place; the original would show those \
                 from {} there",
                array.unit().format_roi(&snapped),
                array.unit().format_roi(array.roi())
            );
        }
        Ok(Arc::new(array.crop(&snapped).map_err(failed)?))
    }

    fn mask(
        self,
        config: &MaskConfig,
        source: Arc<dyn Array>,
        at: &At<'_>,
    ) -> Result<Arc<dyn Array>, ConfigError> {
        let groups = config.groups.resolve(self.base, &at.key("groups"))?;
        let groups = groups.with_generic_ids(&config.generic_ids);
        let options = MaskOptions { rule: config.rule, require_labels: config.require_labels };
        let mask = MissingAnnotationsMask::new(source, &groups, &options);
        Ok(Arc::new(mask.map_err(no_mask("mask", at))?))
    }

    fn binarize(
        self,
        config: &BinarizeConfig,
        source: Arc<dyn Array>,
        at: &At<'_>,
    ) -> Result<Arc<dyn Array>, ConfigError> {
        let groups = config.groups.resolve(self.base, &at.key("groups"))?;
        let target = BinarizeArray::new(source, &groups, config.background);
        Ok(Arc::new(target.map_err(no_mask("binarize", at))?))
    }
}

/// Sets the scale level that a config names.
pub(crate) fn set_level(
    options: &mut OpenOptions,
    scale: Option<&str>,
    at: &At<'_>,
) -> Result<(), ConfigError> {
    if let Some(scale) = scale {
        let level = scale.parse::<Level>();
        let level = level.map_err(|error| malformed(&at.key("scale"), error.to_string()))?;
        options.level = Some(level);
    }
    Ok(())
}

/// Where a Zarr array or group is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Location {
    Path(PathBuf),
    Url(String),
}

impl Location {
    /// A URL as it is, or a path relative to `base`, and the place inside of it.
    pub(crate) fn new(base: &Path, path: &str, dataset: Option<&str>) -> Self {
        // Whatever slashes are around it, a dataset is a place in the container.
        let dataset = dataset.map(|dataset| dataset.trim_matches('/'));
        let dataset = dataset.filter(|dataset| !dataset.is_empty());
        if path.contains("://") {
            return Self::Url(match dataset {
                Some(dataset) => format!("{}/{dataset}", path.trim_end_matches('/')),
                None => path.to_owned(),
            });
        }
        let path = base.join(path);
        Self::Path(match dataset {
            Some(dataset) => path.join(dataset),
            None => path,
        })
    }

    pub(crate) fn open_group(&self, options: &OpenOptions) -> Result<ZarrGroup, ZarrError> {
        match self {
            Self::Path(path) => ZarrGroup::open_with(path, options),
            Self::Url(url) => ZarrGroup::open_with(url.as_str(), options),
        }
    }

    fn open(&self, options: &OpenOptions) -> Result<ZarrArray, ZarrError> {
        match self {
            Self::Path(path) => ZarrArray::open_with(path, options),
            Self::Url(url) => ZarrArray::open_with(url.as_str(), options),
        }
    }
}

fn crop(
    config: &CropConfig,
    source: Arc<dyn Array>,
    at: &At<'_>,
) -> Result<Arc<dyn Array>, ConfigError> {
    let failed = no_array("crop", at);
    let roi = config.numbers.roi(&config.roi, source.info());
    let roi = roi.map_err(|error| failed(error.into()))?;
    Ok(Arc::new(source.crop(&roi).map_err(failed)?))
}

fn constant(
    config: &ConstantConfig,
    source: Arc<dyn Array>,
    at: &At<'_>,
) -> Result<Arc<dyn Array>, ConfigError> {
    let dtype = config.dtype.unwrap_or_else(|| source.dtype());
    let value = Scalar::from_integer(dtype, config.value).ok_or_else(|| {
        malformed(&at.key("value"), format!("{} is beyond {dtype}", config.value))
    })?;
    Ok(Arc::new(ConstantArray::new(source, value)))
}

fn concat(
    config: &ConcatConfig,
    sources: Vec<Arc<dyn Array>>,
    at: &At<'_>,
) -> Result<Arc<dyn Array>, ConfigError> {
    let failed = no_array("concat", at);
    let mut array = ConcatArray::new(sources).map_err(&failed)?;
    if let Some(names) = &config.names {
        array = array.with_names(names.clone()).map_err(failed)?;
    }
    Ok(Arc::new(array))
}

fn resample(
    config: &ResampleConfig,
    source: Arc<dyn Array>,
    at: &At<'_>,
) -> Result<Arc<dyn Array>, ConfigError> {
    let failed = no_array("resample", at);
    let ones = vec![1; source.dims()];
    let upsample = config.upsample.as_ref().unwrap_or(&ones);
    let downsample = config.downsample.as_ref().unwrap_or(&ones);
    let resampled = |source: Arc<dyn Array>| {
        ResampledArray::new(source, upsample, downsample, config.method).map_err(&failed)
    };
    let array = resampled(Arc::clone(&source))?;
    if !config.align_to_world {
        return Ok(Arc::new(array));
    }
    let whole = source.roi().snap_to_grid(&array.voxel_size(), Snap::Shrink);
    let whole = whole.map_err(|error| failed(error.into()))?;
    if whole == *source.roi() {
        return Ok(Arc::new(array));
    }
    Ok(Arc::new(resampled(Arc::new(source.crop(&whole).map_err(&failed)?))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dataset_is_a_place_in_its_container_wherever_that_is() {
        let location = |path: &str, dataset| Location::new(Path::new("/data"), path, dataset);
        let path = |path: &str| Location::Path(PathBuf::from(path));
        assert_eq!(location("a.zarr", Some("/labels/s0/")), path("/data/a.zarr/labels/s0"));
        assert_eq!(location("/b/a.zarr", Some("/")), path("/b/a.zarr"));
        assert_eq!(location("a.zarr/labels", None), path("/data/a.zarr/labels"));
        let url = |url: &str| Location::Url(url.to_owned());
        assert_eq!(location("s3://a/b.zarr/", Some("labels/s0")), url("s3://a/b.zarr/labels/s0"));
        assert_eq!(location("https://a/b.zarr", None), url("https://a/b.zarr"));
    }
}
