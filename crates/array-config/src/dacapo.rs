//! Reading a config in the form that DaCapo stores.

use std::collections::{HashMap, HashSet};

use annotation_mask::Rule;
use array_core::Downsampling;
use serde_json::Value;

use crate::at::At;
use crate::config::{
    ArrayConfig, BinarizeConfig, ConcatConfig, ConstantConfig, CropConfig, LogicalOrConfig,
    MaskConfig, OnesConfig, ResampleConfig, SumConfig, ZarrConfig,
};
use crate::error::ConfigError;
use crate::fields::{Fields, decimals, expected, integer, list, malformed, text, texts};
use crate::lengths::{Numbers, region};
use crate::parse::Parser;
use crate::pick::parts;

/// The classes that are read.
const KNOWN: [&str; 10] = [
    "ZarrArrayConfig",
    "CropArrayConfig",
    "MissingAnnotationsMaskConfig",
    "BinarizeArrayConfig",
    "OnesArrayConfig",
    "ConstantArrayConfig",
    "ConcatArrayConfig",
    "SumArrayConfig",
    "LogicalOrArrayConfig",
    "ResampledArrayConfig",
];

/// The classes that are not, and why.
const REFUSED: [(&str, &str); 6] = [
    (
        "IntensitiesArrayConfig",
        "it scales raw data to floats; give its source_array_config instead",
    ),
    ("MergeInstancesArrayConfig", "its ids depend on the region that is read at a time"),
    ("DVIDArrayConfig", "DVID servers are not read; export the volume as Zarr"),
    ("TiffArrayConfig", "TIFF files are not read; convert the volume to Zarr"),
    ("CellMapArrayConfig", "its groups have no names; write a BinarizeArrayConfig"),
    ("DummyArrayConfig", "it describes no data"),
];

/// The most arrays that one list of channels may copy its sources into.
const MAX_COPIED: usize = 100_000;

/// What every document may have, and nothing depends on: names, and what a database adds.
const IGNORED: [&str; 5] = ["__type__", "name", "_id", "hash", "mode"];

impl Parser {
    /// Reads an array of the class `kind`.
    pub(crate) fn dacapo(
        self,
        kind: &str,
        value: &Value,
        at: &At<'_>,
        depth: usize,
    ) -> Result<ArrayConfig, ConfigError> {
        let fields = &Fields::new(value, at)?;
        let source = || self.source(fields, "source_array_config", depth);
        let sources = || self.sources(fields, "source_array_configs", depth);
        let groups = |value: &Value, at: &At<'_>| self.groups(value, at);
        let config = match kind {
            "ZarrArrayConfig" => ArrayConfig::Zarr(zarr(fields)?),
            "CropArrayConfig" => ArrayConfig::Crop(CropConfig {
                roi: fields.required("roi", region)?,
                numbers: Numbers::Dacapo,
                source: source()?,
            }),
            "MissingAnnotationsMaskConfig" => ArrayConfig::Mask(MaskConfig {
                rule: Rule::Strict,
                require_labels: false,
                generic_ids: Vec::new(),
                groups: fields.required("groupings", groups)?,
                source: source()?,
            }),
            "BinarizeArrayConfig" => ArrayConfig::Binarize(BinarizeConfig {
                background: fields.optional("background", integer)?.unwrap_or_default(),
                groups: fields.required("groupings", groups)?,
                source: source()?,
            }),
            "OnesArrayConfig" => ArrayConfig::Ones(OnesConfig { source: source()? }),
            "ConstantArrayConfig" => ArrayConfig::Constant(ConstantConfig {
                value: fields.optional("constant", integer)?.unwrap_or(1),
                dtype: None,
                source: source()?,
            }),
            "ConcatArrayConfig" => ArrayConfig::Concat(self.concat(fields, depth)?),
            "SumArrayConfig" => ArrayConfig::Sum(SumConfig { sources: sources()? }),
            "LogicalOrArrayConfig" => ArrayConfig::LogicalOr(LogicalOrConfig { source: source()? }),
            "ResampledArrayConfig" => ArrayConfig::Resample(resample(fields, source()?)?),
            _ => return Err(refused(kind, value, at)),
        };
        for key in fields.unknown().into_iter().filter(|key| !IGNORED.contains(key)) {
            tracing::warn!("{}: {kind} has no field {key:?}, which is ignored", fields.at);
        }
        Ok(config)
    }

    fn concat(self, fields: &Fields<'_>, depth: usize) -> Result<ConcatConfig, ConfigError> {
        let channels = fields.required("channels", texts)?;
        let depth = depth.saturating_add(1);
        let sources = fields.required("source_array_configs", |value, at| {
            let map = value
                .as_object()
                .ok_or_else(|| expected(at, "a table with the array of each channel", value))?;
            let sources = map.iter().map(|(channel, source)| {
                Ok((channel.as_str(), self.array(source, &at.key(channel), depth)?))
            });
            sources.collect::<Result<Vec<_>, ConfigError>>()
        })?;
        let default =
            fields.optional("default_config", |value, at| self.array(value, at, depth))?;
        let names: HashSet<&str> = channels.iter().map(String::as_str).collect();
        for (channel, _) in sources.iter().filter(|(name, _)| !names.contains(name)) {
            let place = fields.at.key("source_array_configs");
            tracing::warn!("{place}: no channel is called {channel:?}, so its array is left out");
        }
        // Each channel gets a copy of some source: nested, a short file would fill the memory.
        let copied = sources.iter().map(|(_, source)| source).chain(&default);
        let largest = copied.map(ArrayConfig::num_arrays).max().unwrap_or(0);
        let arrays = largest.saturating_mul(channels.len());
        if arrays > MAX_COPIED {
            let reason = format!(
                "{} channels with copies of their sources may be {arrays} arrays, more than {MAX_COPIED}",
                channels.len()
            );
            return Err(malformed(&fields.at.key("channels"), reason));
        }
        let zeros = || {
            let (_, source) = sources.first()?;
            let source = Box::new(source.clone());
            Some(ArrayConfig::Constant(ConstantConfig { value: 0, dtype: None, source }))
        };
        let by_name: HashMap<&str, &ArrayConfig> =
            sources.iter().map(|(name, source)| (*name, source)).collect();
        let of_channel = |channel: &String| {
            let source = by_name.get(channel.as_str()).copied().or(default.as_ref()).cloned();
            source.or_else(zeros).ok_or_else(|| {
                malformed(
                    &fields.at.key("source_array_configs"),
                    "there is no array, so there is no place for zeros",
                )
            })
        };
        let sources = channels.iter().map(of_channel).collect::<Result<Vec<_>, _>>()?;
        if sources.is_empty() {
            return Err(malformed(&fields.at.key("channels"), "there are no channels"));
        }
        Ok(ConcatConfig { names: Some(channels), sources })
    }
}

fn zarr(fields: &Fields<'_>) -> Result<ZarrConfig, ConfigError> {
    let axes = fields.optional("_axes", texts)?;
    let snap_to_grid = fields.optional("snap_to_grid", decimals)?;
    let numbers = if snap_to_grid.is_some() { Numbers::Dacapo } else { Numbers::Declared };
    Ok(ZarrConfig {
        path: fields.required("file_name", text)?.to_owned(),
        dataset: Some(fields.required("dataset", text)?.to_owned()),
        // The argument of the class has no underscore, and some write configs by hand.
        axes: match axes {
            None => fields.optional("axes", texts)?,
            axes => axes,
        },
        snap_to_grid,
        numbers,
        ..ZarrConfig::default()
    })
}

fn resample(fields: &Fields<'_>, source: Box<ArrayConfig>) -> Result<ResampleConfig, ConfigError> {
    // A factor below 1 is none, as in the original.
    let factor = |value: &Value, at: &At<'_>| {
        usize::try_from(integer(value, at)?.max(1))
            .map_err(|_| expected(at, "a factor of 64 bits", value))
    };
    let factors = |value: &Value, at: &At<'_>| list(value, at, "a list of factors", factor);
    let (upsample, downsample) =
        (fields.required("upsample", factors)?, fields.required("downsample", factors)?);
    let order = fields.required("interp_order", |value, at| match value {
        Value::Bool(smooth) => Ok(i128::from(*smooth)),
        value => integer(value, at),
    })?;
    let changes = |factors: &[usize]| factors.iter().any(|factor| *factor > 1);
    let place = fields.at.key("interp_order");
    let method = match (order, changes(&upsample), changes(&downsample)) {
        (0, _, _) | (_, false, false) => Downsampling::Nearest,
        (order, false, true) => {
            tracing::warn!(
                "{place}: order {order} smooths depending on the region that is read; the mean of the \
                 voxels that become one is taken instead"
            );
            Downsampling::Mean
        }
        (order, true, _) => {
            let reason = format!(
                "upsampling of order {order} depends on the region that is read; only order 0, which \
                 repeats voxels, is supported"
            );
            return Err(malformed(&place, reason));
        }
    };
    Ok(ResampleConfig {
        upsample: Some(upsample),
        downsample: Some(downsample),
        method,
        align_to_world: true,
        source,
    })
}

/// Why a class is not read.
fn refused(kind: &str, value: &Value, at: &At<'_>) -> ConfigError {
    if let Some((_, reason)) = REFUSED.iter().find(|(name, _)| *name == kind) {
        return ConfigError::Unsupported { place: at.to_string(), kind: kind.to_owned(), reason };
    }
    let parts = parts(value);
    if parts.is_empty() {
        let known = KNOWN.join(", ");
        return malformed(
            &at.key("__type__"),
            format!("{kind:?} is no known array config; known are {known}"),
        );
    }
    let parts = parts.join(", ");
    malformed(
        at,
        format!("a {kind} is no array; parts of it are: {parts} (file.yaml#part reads one)"),
    )
}
