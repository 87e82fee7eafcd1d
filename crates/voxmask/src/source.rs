//! Opening what the user names: labels and groups.

use std::fs;
use std::path::Path;

use annotation_mask::{Groups, MaskOptions};
use anyhow::{Context, Result, bail};
use geometry::{Decimal, LengthUnit};
use zarr_source::{Convention, Location, OpenOptions, ZarrArray};

use crate::args::{ChannelArgs, SourceArgs, Translation, UsageError};

/// Opens the label array, and tells what its metadata leaves open.
pub(crate) fn open(args: &SourceArgs) -> Result<ZarrArray> {
    let array = open_array(&args.source, &options(args)?)?;
    for disagreement in &array.geometry_report().disagreements {
        tracing::warn!("{disagreement}");
    }
    for warning in array.warnings() {
        tracing::warn!("{warning}");
    }
    Ok(array)
}

/// Opens an array by path.
pub(crate) fn open_array(path: &Path, options: &OpenOptions) -> Result<ZarrArray> {
    ZarrArray::open_with(path, options).with_context(|| format!("cannot open {}", shown(path)))
}

/// What the user named as it may be shown and stored: a URL without its password or signature.
pub(crate) fn shown(path: &Path) -> String {
    Location::from(path).to_string()
}

/// What the user says about the geometry.
pub(crate) fn options(args: &SourceArgs) -> Result<OpenOptions> {
    let unit = args.unit.as_deref().map(|text| {
        let known = LengthUnit::parse(text);
        known.ok_or_else(|| UsageError(format!("--unit {text:?} is not a unit of length")))
    });
    Ok(OpenOptions {
        voxel_size: args.voxel_size.as_deref().map(|t| decimals("--voxel-size", t)).transpose()?,
        offset: args.offset.as_deref().map(|text| decimals("--offset", text)).transpose()?,
        unit: unit.transpose()?,
        unit_voxels: args.unit_voxels,
        translation: args.translation.map(|translation| match translation {
            Translation::Corner => Convention::Corner,
            Translation::Centre => Convention::Centre,
        }),
        ..OpenOptions::default()
    })
}

fn decimals(option: &str, text: &str) -> Result<Vec<Decimal>, UsageError> {
    let number = |part: &str| {
        let parsed = part.trim().parse();
        parsed.map_err(|_| UsageError(format!("{option} {text:?}: {part:?} is not a number")))
    };
    text.split(',').map(number).collect()
}

/// The groups of a file and of the command line, in this order.
pub(crate) fn groups(args: &ChannelArgs) -> Result<Groups> {
    let from_file = match &args.groups {
        Some(path) => read_groups(path)?,
        None => Groups::default(),
    };
    let typed = Groups::new(args.group.clone()).map_err(|error| UsageError(error.to_string()))?;
    let groups = from_file.joined(typed).map_err(|error| UsageError(error.to_string()))?;
    if groups.is_empty() {
        let path = args.groups.as_deref().unwrap_or(Path::new(""));
        bail!("groups file {} has no groups: nothing would be masked", path.display());
    }
    Ok(groups.with_generic_ids(&args.generic_ids))
}

fn read_groups(path: &Path) -> Result<Groups> {
    let context = || format!("groups file {}", path.display());
    let text = fs::read_to_string(path).with_context(context)?;
    let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let groups = if is_json { Groups::from_json(&text) } else { Groups::from_toml(&text) };
    groups.with_context(context)
}

/// The rule of the command line.
pub(crate) fn mask_options(args: &ChannelArgs) -> MaskOptions {
    MaskOptions { rule: args.rule, require_labels: args.require_labels }
}
