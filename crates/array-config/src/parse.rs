//! Reading a config in the form of this crate.

use annotation_mask::Rule;
use array_core::{DType, Downsampling};
use geometry::LengthUnit;
use serde_json::Value;
use zarr_source::Level;

use crate::at::At;
use crate::config::{
    ArrayConfig, BinarizeConfig, ConcatConfig, ConstantConfig, CropConfig, LogicalOrConfig,
    MaskConfig, OnesConfig, ResampleConfig, SumConfig, Translation, ZarrConfig,
};
use crate::crop_group::{CropGroupConfig, CropGroupPart};
use crate::error::ConfigError;
use crate::fields::{Fields, decimals, expected, flag, integer, list, malformed, text, texts};
use crate::groups::{GroupsConfig, GroupsForm};
use crate::lengths::{Numbers, region};
use crate::pick::parts;

/// How often an array may be made of an array: far from what a stack holds, and from what anybody needs.
pub(crate) const MAX_NESTED: usize = 64;

/// What reads a config, of either form at every place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parser {
    /// Whether the keys of a table have an order.
    pub(crate) tables_have_order: bool,
}

impl Parser {
    /// Reads an array that is made of others at most [`MAX_NESTED`] deep, and lies `depth` deep itself.
    pub(crate) fn array(
        self,
        value: &Value,
        at: &At<'_>,
        depth: usize,
    ) -> Result<ArrayConfig, ConfigError> {
        if depth > MAX_NESTED {
            return Err(ConfigError::TooDeep { place: at.to_string(), limit: MAX_NESTED });
        }
        let fields = Fields::new(value, at)?;
        let ours = fields.optional("kind", text)?;
        match (ours, fields.optional("__type__", text)?) {
            (Some(kind), None) => self.ours(kind, value, at, depth),
            (None, Some(kind)) => self.dacapo(kind, value, at, depth),
            (Some(_), Some(_)) => {
                Err(malformed(at, "it has both `kind` and `__type__`, of which only one can hold"))
            }
            (None, None) => {
                let parts = parts(value);
                let reason =
                    "it is no array: neither `kind` nor `__type__` says of what kind it is";
                Err(malformed(
                    at,
                    if parts.is_empty() {
                        reason.to_owned()
                    } else {
                        format!("{reason}; parts of it are: {}", parts.join(", "))
                    },
                ))
            }
        }
    }

    /// Reads the array that a key holds.
    pub(crate) fn source(
        self,
        fields: &Fields<'_>,
        key: &'static str,
        depth: usize,
    ) -> Result<Box<ArrayConfig>, ConfigError> {
        fields
            .required(key, |value, at| self.array(value, at, depth.saturating_add(1)))
            .map(Box::new)
    }

    /// Reads the list of arrays that a key holds.
    pub(crate) fn sources(
        self,
        fields: &Fields<'_>,
        key: &'static str,
        depth: usize,
    ) -> Result<Vec<ArrayConfig>, ConfigError> {
        fields.required(key, |value, at| {
            let sources = list(value, at, "a list of arrays", |value, at| {
                self.array(value, at, depth.saturating_add(1))
            })?;
            if sources.is_empty() {
                Err(expected(at, "at least one array", value))
            } else {
                Ok(sources)
            }
        })
    }

    /// Reads groups of label ids.
    pub(crate) fn groups(self, value: &Value, at: &At<'_>) -> Result<GroupsConfig, ConfigError> {
        GroupsForm { tables_have_order: self.tables_have_order, class_names: false }.read(value, at)
    }

    fn ours(
        self,
        kind: &str,
        value: &Value,
        at: &At<'_>,
        depth: usize,
    ) -> Result<ArrayConfig, ConfigError> {
        let fields = &Fields::new(value, at)?;
        fields.required("kind", text)?;
        let source = || self.source(fields, "source", depth);
        let groups = |value: &Value, at: &At<'_>| self.groups(value, at);
        let config = match kind {
            "zarr" => ArrayConfig::Zarr(zarr(fields)?),
            "crop_group" => ArrayConfig::CropGroup(self.crop_group(fields)?),
            "crop" => ArrayConfig::Crop(CropConfig {
                roi: fields.required("roi", region)?,
                numbers: numbers(fields)?,
                source: source()?,
            }),
            "mask" => ArrayConfig::Mask(MaskConfig {
                rule: fields
                    .named("rule", &Rule::ALL.map(|rule| (rule.name(), rule)))?
                    .unwrap_or_default(),
                require_labels: fields.optional("require_labels", flag)?.unwrap_or_default(),
                generic_ids: fields
                    .optional("generic_ids", |value, at| list(value, at, "a list of ids", integer))?
                    .unwrap_or_default(),
                groups: fields.required("groups", groups)?,
                source: source()?,
            }),
            "binarize" => ArrayConfig::Binarize(BinarizeConfig {
                background: fields.optional("background", integer)?.unwrap_or_default(),
                groups: fields.required("groups", groups)?,
                source: source()?,
            }),
            "ones" => ArrayConfig::Ones(OnesConfig { source: source()? }),
            "constant" => ArrayConfig::Constant(ConstantConfig {
                value: fields.required("value", integer)?,
                dtype: fields.optional("dtype", dtype)?,
                source: source()?,
            }),
            "concat" => ArrayConfig::Concat(ConcatConfig {
                names: fields.optional("names", texts)?,
                sources: self.sources(fields, "sources", depth)?,
            }),
            "sum" => {
                ArrayConfig::Sum(SumConfig { sources: self.sources(fields, "sources", depth)? })
            }
            "logical_or" => ArrayConfig::LogicalOr(LogicalOrConfig { source: source()? }),
            "resample" => ArrayConfig::Resample(ResampleConfig {
                upsample: fields.optional("upsample", factors)?,
                downsample: fields.optional("downsample", factors)?,
                method: fields
                    .named("method", &Downsampling::ALL.map(|method| (method.name(), method)))?
                    .unwrap_or_default(),
                align_to_world: fields.optional("align_to_world", flag)?.unwrap_or_default(),
                source: source()?,
            }),
            _ => {
                let kinds = "zarr, crop_group, crop, mask, binarize, ones, constant, concat, sum, logical_or, \
                             resample";
                return Err(expected(&at.key("kind"), &format!("one of {kinds}"), &kind.into()));
            }
        };
        fields.finish()?;
        Ok(config)
    }

    fn crop_group(self, fields: &Fields<'_>) -> Result<CropGroupConfig, ConfigError> {
        let form = GroupsForm { tables_have_order: self.tables_have_order, class_names: true };
        Ok(CropGroupConfig {
            path: fields.required("path", text)?.to_owned(),
            dataset: fields.optional("dataset", text)?.map(str::to_owned),
            scale: fields.optional("scale", scale)?,
            what: fields.named("what", &CropGroupPart::NAMES)?.unwrap_or_default(),
            classes: fields.optional("classes", text)?.map(str::to_owned),
            groups: fields.optional("groups", |value, at| form.read(value, at))?,
        })
    }
}

fn zarr(fields: &Fields<'_>) -> Result<ZarrConfig, ConfigError> {
    Ok(ZarrConfig {
        path: fields.required("path", text)?.to_owned(),
        dataset: fields.optional("dataset", text)?.map(str::to_owned),
        scale: fields.optional("scale", scale)?,
        voxel_size: fields.optional("voxel_size", decimals)?,
        offset: fields.optional("offset", decimals)?,
        axes: fields.optional("axes", texts)?,
        unit: fields.optional("unit", |value, at| {
            let unit = value.as_str().and_then(LengthUnit::parse);
            unit.ok_or_else(|| expected(at, "a unit of length such as nm", value))
        })?,
        translation: fields.named(
            "translation",
            &[("corner", Translation::Corner), ("centre", Translation::Centre)],
        )?,
        unit_voxels: fields.optional("unit_voxels", flag)?.unwrap_or_default(),
        snap_to_grid: fields.optional("snap_to_grid", decimals)?,
        numbers: numbers(fields)?,
    })
}

/// A scale level, kept as it is written.
fn scale(value: &Value, at: &At<'_>) -> Result<String, ConfigError> {
    let text = text(value, at)?;
    text.parse::<Level>().map_err(|error| malformed(at, error.to_string()))?;
    Ok(text.to_owned())
}

fn numbers(fields: &Fields<'_>) -> Result<Numbers, ConfigError> {
    Ok(fields.named("numbers", &Numbers::NAMES)?.unwrap_or_default())
}

fn dtype(value: &Value, at: &At<'_>) -> Result<DType, ConfigError> {
    let dtype = value.as_str().and_then(|name| name.parse().ok());
    dtype.ok_or_else(|| expected(at, "an element type such as uint8", value))
}

fn factors(value: &Value, at: &At<'_>) -> Result<Vec<usize>, ConfigError> {
    list(value, at, "a list of whole factors", |value, at| {
        let factor = usize::try_from(integer(value, at)?).ok().filter(|factor| *factor > 0);
        factor.ok_or_else(|| expected(at, "a factor from 1", value))
    })
}
