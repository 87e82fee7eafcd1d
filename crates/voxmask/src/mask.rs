//! `voxmask mask`: writes masks and targets, block by block.

use std::io::Write;
use std::path::Path;

use anstream::stdout;
use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use mask_writer::{Existing, Observer, WriteError, WriteOptions, Written, write};
use serde_json::{Map, Value, json};
use zarr_source::Location;

use crate::args::{MaskArgs, UsageError, spatial_shape};
use crate::progress::{self, Interrupt};
use crate::report::print_channels;
use crate::shown::json_text;
use crate::source;
use crate::truth::Truth;

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
    let shape = |option, shape: &Option<Vec<usize>>| {
        shape.as_deref().map(|shape| spatial_shape(option, shape, dims)).transpose()
    };
    let options = WriteOptions {
        targets: args.targets,
        zarr_format: args.zarr_format,
        chunk_shape: shape("--chunks", &args.chunks)?,
        shard_shape: shape("--shards", &args.shards)?,
        compression: args.codec,
        levels: args.levels,
        mask_levels: args.mask_levels,
        target_levels: args.target_levels,
        existing: match (args.resume, args.overwrite) {
            (true, _) => Existing::Resume,
            (false, true) => Existing::Overwrite,
            (false, false) => Existing::Refuse,
        },
        ..WriteOptions::default()
    };
    let written = write_truth(&truth, &args.output, name, options)?;
    print(args, &truth, &written).with_context(|| {
        format!("the masks are in {}, but the report about them failed", written.path.display())
    })
}

/// Writes masks and targets, with a bar; `source` is told to whoever finds them later.
pub(crate) fn write_truth(
    truth: &Truth,
    output: &Path,
    source: String,
    options: WriteOptions<'_>,
) -> Result<Written> {
    let mut provenance = Map::from_iter([("source".to_owned(), json!(source))]);
    provenance.extend(truth.provenance());
    let channels = |counts: &_| truth.channels_json(counts);
    let options = WriteOptions { provenance, channels: Some(&channels), ..options };
    let watch = Watch { interrupt: Interrupt::listen()?, bar: progress::bar(0, "masking") };
    let written = write(truth.pair(), output, &options, &watch);
    watch.bar.finish_and_clear();
    written.map_err(|error| match error {
        WriteError::Option { option, reason } => {
            UsageError(format!("--{}: {reason}", option.replace(" shape", "s"))).into()
        }
        error => anyhow::Error::new(error).context(format!("cannot write {}", output.display())),
    })
}

/// Shows how far the work is, and ends it when the user wishes.
struct Watch {
    interrupt: Interrupt,
    bar: ProgressBar,
}

impl Observer for Watch {
    fn begins(&self, done: u64, total: u64) {
        progress::begin(&self.bar, done, total);
    }

    fn advanced(&self, voxels: u64) {
        self.bar.inc(voxels);
    }

    fn goes_on(&self) -> bool {
        !self.interrupt.is_wished()
    }
}

fn print(args: &MaskArgs, truth: &Truth, written: &Written) -> Result<()> {
    if args.json {
        return print_json(args, truth, written);
    }
    print_channels(truth, &written.counts)?;
    let images = if args.targets { &["mask", "target"][..] } else { &["mask"] };
    let names: Vec<String> = images.iter().map(|image| levels_text(image, args.levels)).collect();
    let (names, path) = (names.join(" and "), written.path.display());
    match written.resumed_at {
        None => writeln!(stdout(), "wrote {names} to {path}")?,
        Some(100) => writeln!(stdout(), "{names} in {path} were complete already")?,
        Some(percent) => writeln!(stdout(), "wrote {names} to {path}, resumed at {percent} %")?,
    }
    Ok(())
}

/// The arrays of an image.
fn levels_text(image: &str, levels: usize) -> String {
    match levels {
        1 => format!("{image}/s0"),
        levels => format!("{image}/s0 to s{}", levels - 1),
    }
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

fn print_json(args: &MaskArgs, truth: &Truth, written: &Written) -> Result<()> {
    let result = json!({
        "output": written.path.display().to_string(),
        "mask": "mask/s0",
        "target": args.targets.then_some("target/s0"),
        "levels": (0..args.levels).map(|level| format!("s{level}")).collect::<Value>(),
        "resumed_at": written.resumed_at.map(|percent| f64::from(percent) / 100.0),
        "shape": truth.pair().info().shape(),
        "rule": truth.rule(),
        "voxels": written.counts.voxels,
        "channels": truth.channels_json(&written.counts),
    });
    writeln!(stdout(), "{}", json_text(&result)?)?;
    Ok(())
}
