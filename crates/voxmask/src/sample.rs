//! `voxmask sample`: random patches in which enough is known.

use std::io::Write;
use std::sync::Arc;

use annotation_mask::{MaskError, SamplerOptions, ValidSampler};
use anstream::stdout;
use anyhow::{Context, Result};
use array_core::{Array, ArrayExt, BlockCache, memory_limit};
use geometry::{LengthUnit, Roi};
use serde_json::{Value, json};
use zarr_source::Location;

use crate::args::{SampleArgs, UsageError, spatial_shape};
use crate::shown::json_text;
use crate::source;
use crate::table::{self, grouped, table};
use crate::truth::Truth;
use crate::values::fraction;

/// The memory for blocks that several patches meet.
const CACHE_BYTES: u64 = 256 << 20;

/// A patch that was drawn.
struct Patch {
    roi: Roi,
    known: u64,
    /// All of its values: voxels and channels.
    values: u64,
}

pub(crate) fn run(args: &SampleArgs) -> Result<()> {
    let table = source::class_table(&args.source.opening)?;
    let source = source::open(&args.source)?;
    let name = Location::from(&args.source.source).to_string();
    let truth = Truth::new(source, &args.channels, args.roi.as_deref(), table.as_ref())
        .with_context(|| format!("cannot make a mask of {name}"))?;
    let cache = Arc::new(BlockCache::new(CACHE_BYTES.min(memory_limit() / 4)));
    let pair = truth.pair().cached(&cache)?;
    let mask = pair.mask_array();
    let draw = || -> Result<(ValidSampler<&dyn Array>, Vec<Patch>)> {
        let options = options(args, mask)?;
        let mut sampler = ValidSampler::new(mask, &options).map_err(refused)?;
        let mut patches = Vec::new();
        for _ in 0..args.count {
            let roi = sampler.draw()?;
            let (known, values) = sampler.known_values(&roi)?;
            patches.push(Patch { roi, known, values });
        }
        Ok((sampler, patches))
    };
    let (sampler, patches) = draw().map_err(|error| match error.is::<UsageError>() {
        true => error,
        false => error.context(format!("cannot draw patches of {name}")),
    })?;
    if args.json { print_json(args, &name, &sampler, &patches) } else { print(mask, &patches) }
}

/// What the user asked for, as far as it means something for the mask.
fn options(args: &SampleArgs, mask: &dyn Array) -> Result<SamplerOptions> {
    let shape = spatial_shape("--shape", &args.shape, mask.dims())?;
    let options = SamplerOptions {
        min_known: args.min_known,
        seed: args.seed,
        ..SamplerOptions::new(&shape)
    };
    match &args.only {
        Some(names) => options.with_channel_names(mask.info(), names).map_err(refused),
        None => Ok(options),
    }
}

/// The error of a sampler, in the words of the command line.
fn refused(error: MaskError) -> anyhow::Error {
    match error {
        MaskError::SamplerOption { option, reason } if option != "max_bytes" => {
            UsageError(format!("--{}: {reason}", option.replace('_', "-"))).into()
        }
        error => error.into(),
    }
}

fn print(mask: &dyn Array, patches: &[Patch]) -> Result<()> {
    let mut table = table(&["region", "known values", "known"], &[1, 2]);
    for patch in patches {
        table.add_row([
            mask.unit().format_roi(&patch.roi),
            grouped(patch.known),
            format!("{:.1} %", 100.0 * fraction(patch.known, patch.values)),
        ]);
    }
    Ok(table::print(&table)?)
}

fn print_json(
    args: &SampleArgs,
    name: &str,
    sampler: &ValidSampler<&dyn Array>,
    patches: &[Patch],
) -> Result<()> {
    let (mask, unit) = (sampler.mask(), sampler.mask().unit());
    let names = mask.channels().unwrap_or_default();
    let channel =
        |&index: &usize| names.get(index).map_or_else(|| json!(index), |name| json!(name));
    let patch = |patch: &Patch| -> Result<Value> {
        Ok(json!({
            "offset": unit.decimals(&patch.roi.offset()?),
            "shape": unit.decimals(&patch.roi.shape()?),
            "known": patch.known,
            "values": patch.values,
            "fraction": fraction(patch.known, patch.values),
        }))
    };
    let positions = sampler.num_positions();
    let unit_name = (unit.unit() != LengthUnit::Unknown).then(|| unit.unit().name());
    let result = json!({
        "source": name,
        "axes": mask.info().spatial_axes(),
        "unit": unit_name,
        "shape": sampler.patch_shape(),
        "min_known": args.min_known,
        "channels": sampler.channels().iter().map(channel).collect::<Value>(),
        "seed": args.seed,
        // JSON numbers have at most 64 bits.
        "positions": u64::try_from(positions).map_or_else(|_| json!(positions.to_string()), Value::from),
        "patches": patches.iter().map(patch).collect::<Result<Value>>()?,
    });
    writeln!(stdout(), "{}", json_text(&result)?)?;
    Ok(())
}
