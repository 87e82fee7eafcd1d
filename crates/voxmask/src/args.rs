//! What the user can ask for.

use std::net::IpAddr;
use std::path::PathBuf;

use annotation_mask::{Grouping, LabelId, MaskError, MemberGroup, Rule};
use array_core::neuroglancer::HOSTED_CLIENT;
use clap::{Args, Parser, Subcommand, ValueEnum};
use mask_writer::{MaskLevels, TargetLevels};
use serve::Token;
use zarr_source::{Compression, Level, ZarrFormat};

/// An argument that cannot mean anything: exit code 2, as for arguments that clap refuses.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct UsageError(pub(crate) String);

/// Tells a network which voxels of its ground truth it may trust.
#[derive(Debug, Parser)]
#[command(
    version,
    about = "Tells a network which voxels of its ground truth it may trust.",
    after_help = "Try `voxmask demo` first: it writes a sample crop, masks it, and draws a picture."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Say more (twice: even more).
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Say nothing but errors.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// The memory that voxels may take (default: half of what the machine or its control group has).
    #[arg(long, value_name = "SIZE", global = true, value_parser = parse_memory)]
    pub(crate) memory: Option<u64>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a sample crop, make its masks, and draw a picture of them.
    Demo(DemoArgs),
    /// Show what a label array, a crop or a container is: shape, place in the world, what was annotated.
    Inspect(InspectArgs),
    /// Write the mask (and the target) of each channel as a Zarr container.
    Mask(MaskArgs),
    /// Draw labels, masks and targets of one slice as a PNG.
    Preview(PreviewArgs),
    /// Draw random patches in which enough is known.
    Sample(SampleArgs),
    /// Look for what is wrong with ground truth, in one or many crops.
    Check(CheckArgs),
    /// Show raw, labels, masks and targets in Neuroglancer, computed while you look.
    Serve(ServeArgs),
    /// Print the link that shows written masks in Neuroglancer.
    Neuroglancer(NeuroglancerArgs),
}

impl Command {
    /// Whether the user allows that an output is replaced.
    pub(crate) fn overwrites(&self) -> bool {
        match self {
            Self::Demo(_)
            | Self::Inspect(_)
            | Self::Sample(_)
            | Self::Check(_)
            | Self::Serve(_)
            | Self::Neuroglancer(_) => false,
            Self::Mask(args) => args.overwrite,
            Self::Preview(args) => args.overwrite,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  voxmask demo
  voxmask demo /tmp/sample")]
pub(crate) struct DemoArgs {
    /// The folder to write to.
    #[arg(value_name = "DIR", default_value = "voxmask-demo")]
    pub(crate) dir: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  voxmask inspect crop.zarr                          what is inside, as a tree
  voxmask inspect crop.zarr/labels/all               one label array
  voxmask inspect crop.zarr/crop234 --classes classes.csv
  voxmask inspect s3://bucket/volume.n5/labels --scale 8nm
  voxmask inspect crop.zarr/labels/all --json | jq .voxel_size")]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Print one JSON object for programs.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  voxmask mask crop.zarr/labels/all --group mito=3,4,5 --group er=16,17 -o masks.zarr
  voxmask mask crop.zarr/labels/all --groups groups.toml --targets -o masks.zarr
  voxmask mask crop.zarr/crop234 --classes classes.csv --group cell=er,mito,nuc -o masks.zarr
  voxmask mask dacapo_mask.yaml -o masks.zarr
  voxmask mask volume.zarr/labels --groups groups.toml --targets --levels 4 --shards 512 \\
      --codec blosc-lz4:5 -o masks.zarr
  voxmask mask volume.zarr/labels --groups groups.toml -o masks.zarr --resume
  voxmask mask crop.zarr/labels/all --groups groups.json --rule generic --generic-ids 37 \\
      --roi '1047.38:1309.38,420:820,396:796' -o masks.zarr

A groups file is TOML:
  [[group]]
  name = \"nucleus\"
  ids = [20, 24, 28, 37]
  generic_ids = [37]
or JSON as DaCapo stores it: [[\"mito\", [3, 4, 5]], [\"er\", [16, 17]]]
Classes may stand for ids: classes = [\"mito_mem\", \"mito_lum\"]. Without groups, each class of a
crop is a channel.")]
pub(crate) struct MaskArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) channels: ChannelArgs,
    /// The Zarr container to write.
    #[arg(short, long, value_name = "OUT.zarr")]
    pub(crate) output: PathBuf,
    /// Also write the targets.
    #[arg(long)]
    pub(crate) targets: bool,
    /// The part to write, in the declared units of the labels.
    #[arg(long, value_name = "Z0:Z1,Y0:Y1,X0:X1", allow_hyphen_values = true)]
    pub(crate) roi: Option<String>,
    /// The format to write: a version of Zarr, or N5.
    #[arg(long, value_name = "2|3|n5", default_value = "3", value_parser = parse_format)]
    pub(crate) zarr_format: ZarrFormat,
    /// The chunk shape to write, in voxels; one number for each spatial axis, or one for all.
    #[arg(long, value_name = "Z,Y,X", value_delimiter = ',')]
    pub(crate) chunks: Option<Vec<usize>>,
    /// The shape of a file of many chunks, a multiple of the chunk shape, as in --shards 512 (Zarr 3 only).
    #[arg(long, value_name = "Z,Y,X", value_delimiter = ',')]
    pub(crate) shards: Option<Vec<usize>>,
    /// How chunks are compressed: zstd (levels 1 to 22), blosc-lz4 or gzip (0 to 9), or none.
    #[arg(long, value_name = "CODEC[:LEVEL]", default_value = "zstd:3")]
    pub(crate) codec: Compression,
    /// The number of scale levels, each with half the resolution of the one before.
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) levels: usize,
    /// When a voxel of a later level is known: if all that it covers are, if any is, or as their mean.
    #[arg(long, value_name = "all|any|mean", default_value = "all", requires = "levels", value_parser = parse_mask_levels)]
    pub(crate) mask_levels: MaskLevels,
    /// What a target is in a later level: whether most of what it covers belongs, or the mean.
    #[arg(long, value_name = "mode|mean", default_value = "mode", requires_all = ["levels", "targets"], value_parser = parse_target_levels)]
    pub(crate) target_levels: TargetLevels,
    /// Go on with a run that ended before it was finished.
    #[arg(long, conflicts_with = "overwrite")]
    pub(crate) resume: bool,
    /// Replace an output that exists, and begin anew if there is an unfinished run.
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Print one JSON object for programs.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  voxmask preview crop.zarr/labels/all --groups groups.toml -o preview.png
  voxmask preview crop.zarr/labels/all --group mito=3,4 --slice z=1200 --raw crop.zarr/raw -o p.png")]
pub(crate) struct PreviewArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) channels: ChannelArgs,
    /// The PNG file to write.
    #[arg(short, long, value_name = "FILE.png")]
    pub(crate) output: PathBuf,
    /// Where to cut, in declared units, such as z=1200 [default: the middle of the first axis].
    #[arg(long, value_name = "AXIS=PLACE", allow_hyphen_values = true)]
    pub(crate) slice: Option<String>,
    /// An image to show beside the labels; it must cover the slice on the same voxels.
    #[arg(long, value_name = "RAW")]
    pub(crate) raw: Option<PathBuf>,
    /// Replace a file that exists.
    #[arg(long)]
    pub(crate) overwrite: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  voxmask sample crop.zarr/labels/all --groups groups.toml --shape 64,64,64
  voxmask sample crop.zarr/labels/all --groups groups.toml --shape 96 --min-known 0.5 --count 1000 --json
  voxmask sample crop.zarr/crop234 --classes classes.csv --shape 64 --channels mito,er --seed 7

Each patch in which enough is known is equally likely, wherever it begins. The share of known values
is the mean of the mask over the channels and all voxels of the patch. Regions are as --roi takes them.
Exit code 1 if there is no such patch.")]
pub(crate) struct SampleArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) channels: ChannelArgs,
    /// The shape of a patch, in voxels; one number for each spatial axis, or one for all.
    #[arg(long, value_name = "Z,Y,X", value_delimiter = ',', required = true)]
    pub(crate) shape: Vec<usize>,
    /// The least share of known values in a patch, from 0 to 1.
    #[arg(long, value_name = "SHARE", default_value = "0.15", allow_negative_numbers = true)]
    pub(crate) min_known: f64,
    /// The channels that count, by name or index [default: all].
    #[arg(
        long = "channels",
        value_name = "NAME,…",
        value_delimiter = ',',
        help_heading = "Channels"
    )]
    pub(crate) only: Option<Vec<String>>,
    /// How many patches to draw.
    #[arg(long, value_name = "N", default_value = "10")]
    pub(crate) count: usize,
    /// The same seed draws the same patches on every machine.
    #[arg(long, value_name = "N", default_value = "0")]
    pub(crate) seed: u64,
    /// The part to draw from, in the declared units of the labels.
    #[arg(long, value_name = "Z0:Z1,Y0:Y1,X0:X1", allow_hyphen_values = true)]
    pub(crate) roi: Option<String>,
    /// Print one JSON object for programs.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  voxmask check crop.zarr/labels/all
  voxmask check 'data/*.zarr/labels/groundtruth/crop*' --classes classes.csv
  voxmask check crop.zarr/labels/all --groups groups.toml --json

Exit code 1 if there is any error among the findings.")]
pub(crate) struct CheckArgs {
    /// Label arrays, crops or array configs; `*`, `?` and `[…]` match many local ones.
    #[arg(value_name = "SRC", required = true)]
    pub(crate) sources: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) opening: OpeningArgs,
    #[command(flatten)]
    pub(crate) groups: GroupArgs,
    /// Print one JSON object for programs.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  voxmask serve crop.zarr/labels/all --groups groups.toml --open
  voxmask serve crop.zarr/labels/all --group mito=3,4 --raw crop.zarr/raw --port 9000
  voxmask serve crop.zarr/crop234 --classes classes.csv --client neuroglancer/static/client
  voxmask serve crop.zarr/labels/all --groups groups.toml --json | jq -r .neuroglancer_url

  voxmask serve crop.zarr/labels/all --groups groups.toml --bind 0.0.0.0 --token --client DIR

Nothing is written. The link opens the viewer on the internet, which then asks this machine for the
voxels; with --client, the viewer comes from this machine too. With --bind, others can look as well:
with --token, only those who have the link. Ctrl-C ends the server.")]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) channels: ChannelArgs,
    /// An image to show below the labels, with all its scale levels.
    #[arg(long, value_name = "RAW")]
    pub(crate) raw: Option<PathBuf>,
    /// The port; 0 is any that is free.
    #[arg(long, value_name = "PORT", default_value = "0", help_heading = "Server")]
    pub(crate) port: u16,
    /// The address to listen at. Anything but 127.0.0.1 lets others in, unless --token keeps them out; 0.0.0.0 is
    /// all addresses of this machine.
    #[arg(long, value_name = "IP", default_value = "127.0.0.1", help_heading = "Server")]
    pub(crate) bind: IpAddr,
    /// Answer only those who have the link: all addresses begin with this secret of 16 to 128 letters, digits, - and
    /// _. Without a value, one is made up, which is better: others on this machine can read what you type here.
    #[arg(long, value_name = "TOKEN", num_args = 0..=1, require_equals = true, help_heading = "Server")]
    pub(crate) token: Option<Option<Token>>,
    /// Open the link in the browser.
    #[arg(long, help_heading = "Server")]
    pub(crate) open: bool,
    /// A folder with a built Neuroglancer client, such as the one in the Python package neuroglancer.
    #[arg(long, value_name = "DIR", help_heading = "Server")]
    pub(crate) client: Option<PathBuf>,
    /// The memory for blocks of labels and for chunks that were computed, at most half of --memory (default:
    /// 512MiB, or a quarter of --memory if that is less).
    #[arg(long, value_name = "SIZE", help_heading = "Server", value_parser = parse_size)]
    pub(crate) cache: Option<u64>,
    /// Print one JSON object for programs, in one line, once the server listens.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  voxmask neuroglancer masks.zarr --url http://127.0.0.1:8000/masks.zarr
  voxmask neuroglancer masks.zarr --url s3://bucket/masks.zarr --raw s3://bucket/crop.zarr/raw
  voxmask neuroglancer https://example.org/masks.zarr --raw precomputed://gs://bucket/em
  xdg-open \"$(voxmask neuroglancer masks.zarr --url http://127.0.0.1:8000/masks.zarr)\"

The browser reads the masks itself, so that their server must allow requests of other sites
(Access-Control-Allow-Origin), and a client at https:// reads from http:// on this machine only.
Each channel has a layer for its mask and, if there are targets, one for its target; those of the first
channel are shown, the others are a click away.")]
pub(crate) struct NeuroglancerArgs {
    /// The container that `voxmask mask` wrote: a folder, a zip, or at http(s):// or s3://.
    #[arg(value_name = "OUT.zarr")]
    pub(crate) masks: PathBuf,
    /// Where the browser reaches the container [default: OUT.zarr, if it is a URL].
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// An image to show below the masks: the URL of a Zarr image, or any source that Neuroglancer reads.
    #[arg(long, value_name = "URL")]
    pub(crate) raw: Option<String>,
    /// The Neuroglancer to open.
    #[arg(long, value_name = "URL", default_value = HOSTED_CLIENT)]
    pub(crate) client: String,
    /// Print the state that the link holds instead of the link.
    #[arg(long, conflicts_with = "json")]
    pub(crate) state: bool,
    /// Print one JSON object for programs.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where the labels are, and how they are opened.
#[derive(Debug, Args)]
pub(crate) struct SourceArgs {
    /// The labels: an array or a crop in a folder, a zip, or at http(s):// or s3://; or an array
    /// config (.toml, .json, .yaml).
    #[arg(value_name = "SRC")]
    pub(crate) source: PathBuf,
    #[command(flatten)]
    pub(crate) opening: OpeningArgs,
}

/// What a source does not say by itself.
#[derive(Clone, Debug, Args)]
pub(crate) struct OpeningArgs {
    /// The scale level of a multiscale image: its name, such as s1, or its voxel size, such as 8nm.
    #[arg(long, value_name = "LEVEL")]
    pub(crate) scale: Option<Level>,
    /// A table of classes: which classes others are made of, and the ids of classes.
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) classes: Option<PathBuf>,
    /// The voxel size, if the metadata has none or a wrong one.
    #[arg(long, value_name = "Z,Y,X", help_heading = "Geometry")]
    pub(crate) voxel_size: Option<String>,
    /// The corner of voxel 0, if the metadata has none or a wrong one.
    #[arg(long, value_name = "Z,Y,X", help_heading = "Geometry", allow_hyphen_values = true)]
    pub(crate) offset: Option<String>,
    /// The unit of voxel size and offset, such as nm.
    #[arg(long, value_name = "UNIT", help_heading = "Geometry")]
    pub(crate) unit: Option<String>,
    /// Take voxels of size 1 if nothing says how large they are.
    #[arg(long, help_heading = "Geometry")]
    pub(crate) unit_voxels: bool,
    /// Whether translations in the metadata mean the corner or the centre of voxel 0
    /// [default: as each convention says].
    #[arg(long, value_enum, help_heading = "Geometry")]
    pub(crate) translation: Option<Translation>,
    /// The address of an S3-compatible server, such as http://127.0.0.1:9000.
    #[arg(long, value_name = "URL", help_heading = "Store")]
    pub(crate) endpoint: Option<String>,
    /// The region of a bucket.
    #[arg(long, value_name = "REGION", help_heading = "Store")]
    pub(crate) region: Option<String>,
    /// Send no credentials, even if there are some.
    #[arg(long, help_heading = "Store")]
    pub(crate) anonymous: bool,
    /// How long a server may take for one request, in seconds.
    #[arg(long, value_name = "SECONDS", help_heading = "Store", value_parser = clap::value_parser!(u64).range(1..=86400))]
    pub(crate) timeout: Option<u64>,
    /// How often a request is repeated that a server failed.
    #[arg(long, value_name = "COUNT", help_heading = "Store")]
    pub(crate) retries: Option<usize>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Translation {
    Corner,
    Centre,
}

/// Which channels, and by which rule they are kept.
#[derive(Debug, Args)]
pub(crate) struct ChannelArgs {
    #[command(flatten)]
    pub(crate) groups: GroupArgs,
    /// When to keep a channel of which something was not annotated: strict, generic or cnnectome
    /// [default: as an array config says, else strict].
    #[arg(long, help_heading = "Channels", value_parser = parse_rule)]
    pub(crate) rule: Option<Rule>,
    /// Ids that stand for a class as a whole, in every group that has them.
    #[arg(long, value_name = "ID,…", value_delimiter = ',', help_heading = "Channels")]
    pub(crate) generic_ids: Vec<LabelId>,
    /// The label that a group without ids does not have [default: as an array config says, else 0].
    #[arg(long, value_name = "ID", help_heading = "Channels", allow_hyphen_values = true)]
    pub(crate) background: Option<LabelId>,
    /// Fail if the labels do not say what was annotated.
    #[arg(long, help_heading = "Channels")]
    pub(crate) require_labels: bool,
}

/// The channels: groups of label ids or classes.
#[derive(Debug, Args)]
pub(crate) struct GroupArgs {
    /// A file with the groups: TOML, JSON or YAML.
    #[arg(long, value_name = "FILE", help_heading = "Channels")]
    pub(crate) groups: Option<PathBuf>,
    /// One group; none, one or more label ids or classes.
    #[arg(long, value_name = "NAME=ID,ID,…", help_heading = "Channels", value_parser = parse_group)]
    pub(crate) group: Vec<MemberGroup>,
}

/// A shape of the user: one number for each spatial axis, or one for all.
pub(crate) fn spatial_shape(
    option: &str,
    shape: &[usize],
    dims: usize,
) -> Result<Vec<usize>, UsageError> {
    let all = if shape.len() == 1 { vec![shape[0]; dims] } else { shape.to_vec() };
    if all.len() != dims || all.contains(&0) {
        let message = format!("{option} {shape:?}: expected 1 or {dims} positive numbers");
        return Err(UsageError(message));
    }
    Ok(all)
}

/// A size in bytes, such as `512MiB`, `2GB` or `1000000`.
fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|last: char| !last.is_ascii_digit());
    let factor = match text[digits.len()..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        unit => return Err(format!("{unit:?} is none of B, kB, MB, GB, KiB, MiB and GiB")),
    };
    let number: u64 = digits.parse().map_err(|_| format!("{digits:?} is not a whole number"))?;
    number.checked_mul(factor).ok_or_else(|| "it is larger than 64 bits can say".to_owned())
}

/// A size in bytes that leaves room for something.
fn parse_memory(text: &str) -> Result<u64, String> {
    match parse_size(text)? {
        0 => Err("it leaves nothing to read".to_owned()),
        bytes => Ok(bytes),
    }
}

fn parse_group(text: &str) -> Result<MemberGroup, MaskError> {
    Grouping::parse_group(text)
}

fn parse_format(text: &str) -> Result<ZarrFormat, String> {
    match text {
        "2" => Ok(ZarrFormat::V2),
        "3" => Ok(ZarrFormat::V3),
        "n5" => Ok(ZarrFormat::N5),
        other => Err(format!("{other:?} is none of 2, 3 and n5")),
    }
}

fn parse_mask_levels(text: &str) -> Result<MaskLevels, String> {
    match text {
        "all" => Ok(MaskLevels::All),
        "any" => Ok(MaskLevels::Any),
        "mean" => Ok(MaskLevels::Mean),
        other => Err(format!("{other:?} is none of all, any and mean")),
    }
}

fn parse_target_levels(text: &str) -> Result<TargetLevels, String> {
    match text {
        "mode" => Ok(TargetLevels::Mode),
        "mean" => Ok(TargetLevels::Mean),
        other => Err(format!("{other:?} is none of mode and mean")),
    }
}

fn parse_rule(text: &str) -> Result<Rule, MaskError> {
    text.parse()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn sizes_are_bytes_with_or_without_a_unit() {
        for (text, expected) in [
            ("0", 0),
            ("10", 10),
            ("3kB", 3000),
            ("2 KiB", 2048),
            ("1G", 1 << 30),
            ("5MiB", 5 << 20),
        ] {
            assert_eq!(parse_size(text), Ok(expected), "{text}");
        }
        for text in ["", "MiB", "1.5GiB", "-1", "3 parsecs", "99999999999GiB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
