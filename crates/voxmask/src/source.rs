//! Opening what the user names: labels, crops, groups and tables of classes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use annotation_mask::{ClassTable, Grouping};
use anyhow::{Context, Result, bail};
use array_config::{ArrayConfig, LabelChannels, OpenError, Opened, OpenedCrop};
use array_core::Array;
use geometry::{Decimal, LengthUnit};
use zarr_source::{
    Convention, Location, OpenOptions, StoreOptions, ZarrArray, ZarrError, ZarrTree,
};

use crate::args::{GroupArgs, OpeningArgs, SourceArgs, Translation, UsageError};
use crate::shown::shown;

/// How many groups and arrays of a container are looked at.
const MAX_NODES: usize = 20_000;

/// What the user named, opened.
pub(crate) enum Source {
    /// An array of labels that is stored.
    Labels(Arc<ZarrArray>),
    /// An array that a config describes, and the local paths of what it is made of.
    Config(Arc<dyn Array>, Vec<PathBuf>),
    /// The labels below a mask or a target that a config describes, and its channels; and the same paths.
    Channels(LabelChannels, Vec<PathBuf>),
    /// A crop in which each class has an array of its own.
    Crop(Box<OpenedCrop>),
    /// A container, group or folder of something else, and what is in it.
    Tree(Box<ZarrTree>),
}

impl Source {
    /// The local folders of the arrays that are read.
    pub(crate) fn folders(&self) -> Vec<PathBuf> {
        match self {
            Self::Labels(array) => vec![array.metadata().path().to_owned()],
            Self::Crop(crop) => {
                crop.arrays.iter().map(|array| array.metadata().path().to_owned()).collect()
            }
            Self::Config(_, paths) | Self::Channels(_, paths) => paths.clone(),
            Self::Tree(_) => Vec::new(),
        }
    }

    /// What the metadata leave open or say twice, each in a sentence.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let of_array = |array: &ZarrArray| {
            array.remarks().map(|remark| remark.text.clone()).collect::<Vec<_>>()
        };
        match self {
            Self::Labels(array) => of_array(array),
            Self::Crop(opened) => {
                // What all classes have in common is said once.
                let mut remarks: Vec<String> = Vec::new();
                let arrays = opened.arrays.iter().flat_map(|array| of_array(array));
                for remark in arrays.chain(opened.crop.warnings().map(str::to_owned)) {
                    if !remarks.contains(&remark) {
                        remarks.push(remark);
                    }
                }
                remarks
            }
            Self::Config(..) | Self::Channels(..) | Self::Tree(_) => Vec::new(),
        }
    }
}

/// How many blocks of a container behind a URL are read at once, whatever the number of cores: most of the
/// time goes by in waiting for answers.
const REMOTE_THREADS: usize = 16;

/// The number of threads with which reading these sources is best done.
pub(crate) fn threads<'a>(sources: impl IntoIterator<Item = &'a PathBuf>) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let is_remote = sources.into_iter().any(|source| Location::from(source).is_url());
    if is_remote { cores.max(REMOTE_THREADS) } else { cores }
}

/// Makes as many threads as reading these sources is best done with; before anything is read in parallel.
pub(crate) fn start_threads<'a>(sources: impl IntoIterator<Item = &'a PathBuf>) {
    let sources: Vec<&PathBuf> = sources.into_iter().collect();
    if sources.iter().any(|source| Location::from(*source).is_url()) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads(sources));
        if let Err(error) = pool.build_global() {
            tracing::debug!("reading with fewer threads: {error}");
        }
    }
}

/// Opens what the user named, and tells what its metadata leave open.
pub(crate) fn open(args: &SourceArgs) -> Result<Source> {
    start_threads([&args.source]);
    let table = class_table(&args.opening)?;
    let source = open_source(&args.source, &args.opening, table.as_ref(), array_config::open)?;
    for remark in source.remarks() {
        tracing::warn!("{}", shown(&remark.to_string()));
    }
    Ok(source)
}

type Open = fn(Location, &OpenOptions, Option<&ClassTable>) -> Result<Opened, OpenError>;

/// Opens what lies at a path or URL through `open`, or what the config at a path describes.
pub(crate) fn open_source(
    source: &Path,
    args: &OpeningArgs,
    table: Option<&ClassTable>,
    open: Open,
) -> Result<Source> {
    let location = Location::from(source);
    let context = || format!("cannot open {location}");
    let options = options(args)?;
    if ArrayConfig::is_file(source) && !location.is_url() && !source.is_dir() {
        return open_config(source, &options, table).with_context(context);
    }
    match open(location.clone(), &options, table) {
        Ok(Opened::Array(array)) => Ok(Source::Labels(array)),
        Ok(Opened::Crop(crop)) => Ok(Source::Crop(crop)),
        Ok(Opened::Group(group)) => {
            Ok(Source::Tree(Box::new(group.tree(MAX_NODES).with_context(context)?)))
        }
        // A folder that is no group may hold containers.
        Err(error @ OpenError::Zarr(ZarrError::NotAZarrArray { .. })) => {
            match ZarrTree::open(location.clone(), &options, MAX_NODES) {
                Ok(tree) => Ok(Source::Tree(Box::new(tree))),
                Err(_) => Err(error).with_context(context),
            }
        }
        Err(error) => Err(error).with_context(context),
    }
}

/// Opens what a config describes; what it does not say is as the user says.
fn open_config(path: &Path, options: &OpenOptions, table: Option<&ClassTable>) -> Result<Source> {
    let config = ArrayConfig::from_file(path)?;
    let base = &ArrayConfig::base_of(path);
    if let Some(crop) = config.crop_with(base, options, table)? {
        return Ok(Source::Crop(Box::new(crop)));
    }
    let paths = config.local_paths(base);
    Ok(match config.label_channels_with(base, options)? {
        Some(channels) => Source::Channels(channels, paths),
        None => Source::Config(config.build_with(base, options)?, paths),
    })
}

/// Opens an image by path or URL.
pub(crate) fn open_array(path: &Path, options: &OpenOptions) -> Result<ZarrArray> {
    let location = Location::from(path);
    ZarrArray::open_with(location.clone(), options)
        .with_context(|| format!("cannot open {location}"))
}

/// The table of classes, if the user gave one.
pub(crate) fn class_table(args: &OpeningArgs) -> Result<Option<ClassTable>> {
    Ok(args.classes.as_deref().map(array_config::read_class_table).transpose()?)
}

/// What the user says about the geometry and the store.
pub(crate) fn options(args: &OpeningArgs) -> Result<OpenOptions> {
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
        level: args.scale.clone(),
        store: store_options(args),
        ..OpenOptions::default()
    })
}

fn store_options(args: &OpeningArgs) -> StoreOptions {
    let usual = StoreOptions::default();
    StoreOptions {
        endpoint: args.endpoint.clone(),
        region: args.region.clone(),
        anonymous: args.anonymous,
        request_timeout: args.timeout.map_or(usual.request_timeout, Duration::from_secs),
        retries: args.retries.unwrap_or(usual.retries),
    }
}

fn decimals(option: &str, text: &str) -> Result<Vec<Decimal>, UsageError> {
    let number = |part: &str| {
        let parsed = part.trim().parse();
        parsed.map_err(|_| UsageError(format!("{option} {text:?}: {part:?} is not a number")))
    };
    text.split(',').map(number).collect()
}

/// The groups of a file and of the command line, in this order; none if there are none.
pub(crate) fn grouping(args: &GroupArgs) -> Result<Grouping> {
    let from_file = match &args.groups {
        Some(path) => {
            let grouping = array_config::read_grouping(path)?;
            if grouping.is_empty() {
                bail!("groups file {} has no groups: nothing would be masked", path.display());
            }
            grouping
        }
        None => Grouping::default(),
    };
    Ok(from_file.joined(Grouping::from(args.group.clone())))
}
