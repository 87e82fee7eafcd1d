//! `voxmask mask`: writes masks and targets, block by block.

use std::io::Write;
use std::path::{Path, PathBuf};

use annotation_mask::{ChannelCounts, ChannelSummary, GroundTruth};
use anstream::stdout;
use anyhow::{Context, Result, bail};
use array_core::{Array, ArrayError, ArrayInfo, WritableArray, fold_blocks};
use geometry::Window;
use serde_json::{Map, Value, json};
use zarr_source::{ImageOptions, Location, Staging, ZarrArray, ZarrFormat};

use crate::args::{MaskArgs, UsageError};
use crate::progress::{self, Interrupt, Interrupted};
use crate::report::print_channels;
use crate::source;
use crate::truth::Truth;

/// Blocks smaller than this are joined: a file for each would be slow to read and to list.
const MIN_CHUNK: usize = 64;

/// What to write, and from what.
pub(crate) struct Job<'a> {
    pub(crate) truth: &'a Truth,
    pub(crate) output: &'a Path,
    pub(crate) targets: bool,
    pub(crate) zarr_format: ZarrFormat,
    /// The chunk shape along the spatial axes, if the user chose one.
    pub(crate) chunks: Option<Vec<usize>>,
    pub(crate) overwrite: bool,
    /// Where the labels came from, for the provenance.
    pub(crate) source: String,
}

/// What was written.
pub(crate) struct Written {
    pub(crate) path: PathBuf,
    pub(crate) counts: ChannelCounts,
}

pub(crate) fn run(args: &MaskArgs) -> Result<()> {
    let table = source::class_table(&args.source.opening)?;
    let source = source::open(&args.source)?;
    for path in source.folders() {
        check_output(&args.output, args.overwrite, &path)?;
    }
    let name = Location::from(&args.source.source).to_string();
    let truth = Truth::new(source, &args.channels, args.roi.as_deref(), table.as_ref())
        .with_context(|| format!("cannot make a mask of {name}"))?;
    let dims = truth.pair().info().dims();
    let chunks = args.chunks.as_deref().map(|chunks| spatial_chunks(chunks, dims)).transpose()?;
    let written = Job {
        truth: &truth,
        output: &args.output,
        targets: args.targets,
        zarr_format: args.zarr_format,
        chunks,
        overwrite: args.overwrite,
        source: name,
    }
    .write()?;
    print(args, &truth, &written).with_context(|| {
        format!("the masks are in {}, but the report about them failed", written.path.display())
    })
}

fn print(args: &MaskArgs, truth: &Truth, written: &Written) -> Result<()> {
    if args.json {
        return print_json(args, truth, written);
    }
    print_channels(truth, &written.counts)?;
    let what = if args.targets { "mask/s0 and target/s0" } else { "mask/s0" };
    writeln!(stdout(), "wrote {what} to {}", written.path.display())?;
    Ok(())
}

/// Fails if the output would replace the labels, or lie among their chunks.
fn check_output(output: &Path, overwrite: bool, labels: &Path) -> Result<()> {
    if overwrite && is_inside(labels, output) {
        bail!("the output {} would replace the labels in it", output.display());
    }
    // The output itself need not exist.
    let folder = match output.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if is_inside(folder, labels) {
        bail!("the output {} would lie inside the label array", output.display());
    }
    Ok(())
}

/// Whether `path` is `folder` or lies in it, whatever links lead there.
fn is_inside(path: &Path, folder: &Path) -> bool {
    match (path.canonicalize(), folder.canonicalize()) {
        (Ok(path), Ok(folder)) => path.starts_with(folder),
        _ => false,
    }
}

/// The chunk shape of the user: one number for each spatial axis, or one for all.
fn spatial_chunks(chunks: &[usize], dims: usize) -> Result<Vec<usize>> {
    let all = if chunks.len() == 1 { vec![chunks[0]; dims] } else { chunks.to_vec() };
    if all.len() != dims || all.contains(&0) {
        let message = format!("--chunks {chunks:?}: expected 1 or {dims} positive numbers");
        return Err(UsageError(message).into());
    }
    Ok(all)
}

impl Job<'_> {
    /// Writes the container; it appears whole or not at all.
    pub(crate) fn write(self) -> Result<Written> {
        let context = || format!("cannot write {}", self.output.display());
        let pair = self.truth.pair();
        // Before anything is written, so that nothing of it can stay.
        let interrupt = Interrupt::listen()?;
        let staging = Staging::new(self.output, self.overwrite).with_context(context)?;
        let info = pair.info();
        let options = ImageOptions {
            zarr_format: self.zarr_format,
            chunk_shape: Some(self.chunk_shape(info)),
            attrs: kept_attr(&pair.channels()),
            group_attrs: self.provenance(None),
            ..ImageOptions::default()
        };
        let mask = staging.create_image("mask", info, &options).with_context(context)?;
        let target = if self.targets {
            Some(staging.create_image("target", info, &options).with_context(context)?)
        } else {
            None
        };
        let counts = stream(pair, &mask, target.as_ref(), &interrupt).with_context(context)?;
        let provenance = self.provenance(Some(self.truth.channels_json(&counts)));
        let path = staging.commit(&provenance).with_context(context)?;
        Ok(Written { path, counts })
    }

    /// One channel in each chunk; along the spatial axes whole blocks of the labels, so that each is
    /// decoded once.
    fn chunk_shape(&self, info: &ArrayInfo) -> Vec<usize> {
        let chunks = self.chunks.clone().unwrap_or_else(|| {
            let blocks = info.block_shape().iter();
            blocks.map(|&block| block.saturating_mul(MIN_CHUNK.div_ceil(block))).collect()
        });
        // A chunk larger than the array would only take memory.
        let axes = chunks.iter().zip(info.spatial_shape());
        let spatial = axes.map(|(&chunk, &extent)| chunk.min(extent).max(1)).collect();
        [vec![1; info.channel_dims()], spatial].concat()
    }

    /// How the output was made, for whoever finds it later; the channels once they are counted.
    fn provenance(&self, channels: Option<Value>) -> Map<String, Value> {
        let info = self.truth.pair().info();
        let mut provenance = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "source": self.source,
            "region": info.unit().format_roi(info.roi()),
        });
        for (key, value) in self.truth.provenance() {
            provenance[key] = value;
        }
        if let Some(channels) = channels {
            provenance["channels"] = channels;
        }
        [("voxmask".to_owned(), provenance)].into_iter().collect()
    }
}

/// Whether each channel is kept, beside the names that the array itself carries.
fn kept_attr(channels: &[ChannelSummary]) -> Map<String, Value> {
    let kept: Value = channels.iter().map(|channel| json!(channel.kept)).collect();
    [("kept".to_owned(), kept)].into_iter().collect()
}

/// Why a block could not be written.
#[derive(Debug, thiserror::Error)]
enum StreamError {
    #[error(transparent)]
    Array(#[from] ArrayError),
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// Computes and writes block by block, in parallel; memory is one block for each thread.
fn stream(
    pair: &dyn GroundTruth,
    mask: &ZarrArray,
    target: Option<&ZarrArray>,
    interrupt: &Interrupt,
) -> Result<ChannelCounts> {
    let info = pair.info();
    let whole = Window::full(info.spatial_shape())?;
    let bar = progress::bar(whole.num_voxels()? as u64, "masking");
    let writable = |array: &dyn Array, window: &Window, data: ndarray::ArrayViewD<'_, u8>| {
        let array: &dyn WritableArray = array.as_writable().ok_or_else(|| {
            let reason = "it was just created for writing".to_owned();
            ArrayError::NotWritable { array: array.kind().to_owned(), reason }
        })?;
        array.write_window(window, &data.into())
    };
    let work = |window: &Window, ()| {
        interrupt.check()?;
        let mut counts = ChannelCounts::default();
        pair.visit_pair(window, &mut |block| {
            writable(mask, window, block.mask)?;
            if let Some(target) = target {
                writable(target, window, block.target)?;
            }
            counts = block.counts;
            Ok(())
        })?;
        bar.inc(counts.voxels);
        Ok::<_, StreamError>(counts)
    };
    let blocks = mask.info().blocks();
    let counts = fold_blocks(&whole, blocks, (), &work, &ChannelCounts::merged)?;
    bar.finish_and_clear();
    Ok(counts.unwrap_or_default())
}

fn print_json(args: &MaskArgs, truth: &Truth, written: &Written) -> Result<()> {
    let result = json!({
        "output": written.path.display().to_string(),
        "mask": "mask/s0",
        "target": args.targets.then_some("target/s0"),
        "shape": truth.pair().info().shape(),
        "rule": truth.rule(),
        "voxels": written.counts.voxels,
        "channels": truth.channels_json(&written.counts),
    });
    writeln!(stdout(), "{}", serde_json::to_string_pretty(&result)?)?;
    Ok(())
}
