//! Masks and targets of what the user named, whatever its form.

use std::sync::Arc;

use annotation_mask::{
    ChannelCounts, ClassGroups, CropGroup, CropMaskAndTarget, GroundTruth, Groups, LabelId,
    LabelList, MaskAndTarget, MaskError, MaskOptions,
};
use anyhow::{Context, Result, bail};
use array_config::LabelChannels;
use array_core::{Array, ArrayError, ArrayExt};
use geometry::Roi;
use serde_json::{Map, Value, json};

use crate::args::{ChannelArgs, UsageError};
use crate::contents;
use crate::source::{self, Source};
use crate::values::{fraction, ids_json};

/// Masks and targets, and how they are made.
pub(crate) enum Truth {
    /// Of an array of labels.
    Labels {
        pair: Box<MaskAndTarget<dyn Array>>,
        groups: Groups,
        options: MaskOptions,
        background: LabelId,
    },
    /// Of a crop in which each class has an array of its own.
    Crop { pair: CropMaskAndTarget<Arc<dyn Array>>, groups: ClassGroups },
}

impl Truth {
    /// The masks and targets of `source`, or of the part of it that `roi` says in declared units.
    pub(crate) fn new(
        source: Source,
        args: &ChannelArgs,
        roi: Option<&str>,
        table: Option<&annotation_mask::ClassTable>,
    ) -> Result<Self> {
        let grouping = source::grouping(&args.groups)?;
        let (labels, preset) = match source {
            Source::Crop(opened) => {
                check_no_label_options(args)?;
                let grouping = if grouping.is_empty() { opened.grouping.clone() } else { grouping };
                // A crop has a class, and all of its classes cover the same voxels.
                let crop = match roi.zip(opened.crop.classes().first()) {
                    Some((text, class)) => {
                        let roi = region(text, &class.array)?;
                        opened.crop_to(&roi).with_context(|| format!("--roi {text:?}"))?
                    }
                    None => opened.crop,
                };
                let groups = if grouping.is_empty() {
                    crop.default_groups()?
                } else {
                    crop.resolve(&grouping).map_err(|error| groups_error(args, error))?
                };
                return Self::of_crop(crop, groups);
            }
            Source::Tree(tree) => bail!(
                "{} is neither a label array nor a crop; {}",
                tree.root.path.display(),
                contents::named_inside(&tree)
            ),
            Source::Labels(array) => (array as Arc<dyn Array>, None),
            Source::Config(array, _) => (array, None),
            Source::Channels(LabelChannels { labels, groups, options, background }, _) => {
                (labels, Some((groups, options, background)))
            }
        };
        let listed = LabelList::from_attrs(labels.attrs());
        let (preset, of_config, background) = match preset {
            Some((groups, options, background)) => (Some(groups), options, background),
            None => (None, MaskOptions::default(), 0),
        };
        // What the user says goes before what the config says, one by one.
        let background = args.background.unwrap_or(background);
        let options = MaskOptions {
            rule: args.rule.unwrap_or(of_config.rule),
            require_labels: args.require_labels || of_config.require_labels,
        };
        let groups = match preset.filter(|_| grouping.is_empty()) {
            Some(groups) => groups,
            None if grouping.is_empty() => {
                let message = "no channels: give --groups FILE or --group <NAME=ID,ID,…>";
                return Err(UsageError(message.to_owned()).into());
            }
            // What is wrong with the attribute is told by the mask.
            None => grouping
                .resolve_labels(table, listed.as_ref().ok().and_then(Option::as_ref))
                .map_err(|error| groups_error(args, error))?,
        };
        let groups = groups.with_generic_ids(&args.generic_ids);
        let labels = match roi {
            Some(text) => part(labels, text)?,
            None => labels,
        };
        Self::of_labels(labels, groups, options, background)
    }

    /// The masks and targets of an array of labels.
    pub(crate) fn of_labels(
        labels: Arc<dyn Array>,
        groups: Groups,
        options: MaskOptions,
        background: LabelId,
    ) -> Result<Self> {
        for (group, id) in groups.ids_beyond(labels.dtype()) {
            let dtype = labels.dtype();
            tracing::warn!("group {group:?}: labels of type {dtype} never have the id {id}");
        }
        let pair = MaskAndTarget::new(labels, &groups, &options, background)?;
        Ok(Self::Labels { pair: Box::new(pair), groups, options, background })
    }

    fn of_crop(crop: CropGroup<Arc<dyn Array>>, groups: ClassGroups) -> Result<Self> {
        let pair = CropMaskAndTarget::new(Arc::new(crop), &groups)?;
        Ok(Self::Crop { pair, groups })
    }

    pub(crate) fn pair(&self) -> &dyn GroundTruth {
        match self {
            Self::Labels { pair, .. } => &**pair,
            Self::Crop { pair, .. } => pair,
        }
    }

    /// What the members of a channel are called.
    pub(crate) fn members_name(&self) -> &'static str {
        match self {
            Self::Labels { .. } => "ids",
            Self::Crop { .. } => "classes",
        }
    }

    /// The channels for programs.
    pub(crate) fn channels_json(&self, counts: &ChannelCounts) -> Value {
        let decisions = match self {
            Self::Labels { pair, .. } => pair.mask().decisions(),
            Self::Crop { .. } => &[],
        };
        let channel = |(index, summary): (usize, annotation_mask::ChannelSummary)| {
            let known = counts.known.get(index).copied().unwrap_or(0);
            let (members, missing) = match decisions.get(index) {
                Some(decision) => (ids_json(&decision.ids), ids_json(&decision.missing_ids)),
                None => (json!(summary.members), json!(summary.missing)),
            };
            let what = self.members_name();
            json!({
                "name": summary.name,
                what: members,
                "kept": summary.kept,
                format!("missing_{what}"): missing,
                "known": known,
                "positive": counts.positive.get(index).copied().unwrap_or(0),
                "fraction": fraction(known, counts.voxels),
            })
        };
        self.pair().channels().into_iter().enumerate().map(channel).collect()
    }

    /// The rule by which channels are kept, if there is one.
    pub(crate) fn rule(&self) -> Option<&'static str> {
        match self {
            Self::Labels { options, .. } => Some(options.rule.name()),
            Self::Crop { .. } => None,
        }
    }

    /// How masks and targets are made, for whoever finds them later.
    pub(crate) fn provenance(&self) -> Map<String, Value> {
        let settings = match self {
            Self::Labels { groups, options, background, .. } => json!({
                "rule": options.rule.name(),
                "background": background.to_string(),
                "groups": groups.as_slice().iter().map(|group| json!({
                    "name": group.name,
                    "ids": ids_json(&group.ids),
                    "generic_ids": ids_json(&group.generic_ids),
                })).collect::<Value>(),
            }),
            Self::Crop { groups, .. } => json!({
                "groups": groups.as_slice().iter().map(|group| json!({
                    "name": group.name,
                    "classes": group.classes,
                })).collect::<Value>(),
            }),
        };
        match settings {
            Value::Object(settings) => settings,
            _ => Map::new(),
        }
    }
}

/// The error for groups that mean nothing for a source: wrong usage, unless they are all from a file.
fn groups_error(args: &ChannelArgs, error: MaskError) -> anyhow::Error {
    match &args.groups.groups {
        Some(file) if args.groups.group.is_empty() => {
            anyhow::Error::new(error).context(format!("groups file {}", file.display()))
        }
        _ => UsageError(error.to_string()).into(),
    }
}

/// Refuses what only label arrays have, rather than pass over it.
fn check_no_label_options(args: &ChannelArgs) -> Result<(), UsageError> {
    let used = [
        ("--rule", args.rule.is_some()),
        ("--generic-ids", !args.generic_ids.is_empty()),
        ("--background", args.background.is_some()),
        ("--require-labels", args.require_labels),
    ];
    match used.iter().find(|(_, used)| *used) {
        None => Ok(()),
        Some((option, _)) => Err(UsageError(format!(
            "{option} is for label arrays; in a crop group each class says itself which voxels are known"
        ))),
    }
}

/// The part of an array of labels that the user asked for.
fn part(labels: Arc<dyn Array>, text: &str) -> Result<Arc<dyn Array>> {
    let roi = region(text, &labels)?;
    let part = labels.crop(&roi).map_err(anyhow::Error::from);
    Ok(Arc::new(part.with_context(|| format!("--roi {text:?}"))?))
}

/// The region that the user typed, which must lie in the labels: what is written is what was asked for.
fn region(text: &str, labels: &dyn Array) -> Result<Roi> {
    let unit = labels.unit();
    let roi: Roi =
        unit.parse_roi(text).map_err(|error| UsageError(format!("--roi {text:?}: {error}")))?;
    let Err(error) = labels.slices(&roi) else { return Ok(roi) };
    // In declared units, as the user typed it.
    let what = match error {
        ArrayError::OutOfBounds { .. } => "is not inside the labels".to_owned(),
        ArrayError::NotAligned { .. } => "is not aligned to their voxels".to_owned(),
        ArrayError::DimsMismatch { .. } => {
            format!("has {} dims, the labels have {}", roi.dims(), labels.dims())
        }
        other => other.to_string(),
    };
    let bounds = unit.format_roi(labels.roi());
    let sizes = unit.decimals(labels.voxel_size().as_coordinate());
    let sizes: Vec<String> = sizes.iter().map(ToString::to_string).collect();
    let sizes = sizes.join(" x ");
    bail!("--roi {text:?} {what}: the labels are {bounds}, in voxels of {sizes}");
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use array_core::{ArrayInfo, DType};
    use clap::Parser;
    use geometry::{Coordinate, VoxelGrid, VoxelSize};
    use zarr_source::{ImageOptions, Staging};

    use super::*;
    use crate::args::{Cli, Command, MaskArgs};

    /// A folder with labels, and a config of a mask that is a part of a file beside them.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let voxel_size = VoxelSize::new(Coordinate::from([4, 4])).unwrap();
        let grid = VoxelGrid::new(Coordinate::from([0, 0]), voxel_size).unwrap();
        let info = ArrayInfo::new(DType::U8, &["y", "x"], &[2, 3], grid).unwrap();
        let attrs = json!({"labels": []}).as_object().cloned().unwrap();
        let options = ImageOptions { attrs, ..ImageOptions::default() };
        let staging = Staging::new(folder.path().join("crop.zarr"), false).unwrap();
        staging.create_image("labels", &info, &options).unwrap();
        staging.commit(&Map::new()).unwrap();
        let config = json!({"configs": [{
            "kind": "mask", "rule": "generic", "require_labels": true, "groups": [["a", [1]]],
            "source": {"kind": "zarr", "path": "crop.zarr/labels/s0"},
        }]});
        fs::write(folder.path().join("configs.json"), config.to_string()).unwrap();
        folder
    }

    /// The arguments of `voxmask mask` for that config.
    fn args(folder: &Path, more: &[&str]) -> MaskArgs {
        let source = format!("{}#/configs/0", folder.join("configs.json").display());
        let all = ["voxmask", "mask", &source, "-o", "out.zarr"];
        match Cli::parse_from(all.iter().chain(more)).command {
            Command::Mask(args) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_option_of_a_config_holds_unless_the_user_says_otherwise() {
        let folder = folder();
        let made = |more: &[&str]| {
            let args = args(folder.path(), more);
            let source = source::open(&args.source).unwrap();
            match Truth::new(source, &args.channels, None, None).unwrap() {
                Truth::Labels { options, background, groups, .. } => {
                    assert!(options.require_labels, "{more:?}");
                    (options.rule.name(), background, groups.names().join(","))
                }
                Truth::Crop { .. } => panic!("labels are no crop"),
            }
        };
        let expected = |rule, background, groups: &str| (rule, background, groups.to_owned());
        assert_eq!(made(&[]), expected("generic", 0, "a"));
        assert_eq!(made(&["--rule", "strict"]), expected("strict", 0, "a"));
        assert_eq!(made(&["--background", "7"]), expected("generic", 7, "a"));
        assert_eq!(made(&["--group", "b=2"]), expected("generic", 0, "b"));
    }

    #[test]
    fn what_a_config_reads_is_known_so_that_no_output_replaces_it() {
        let folder = folder();
        let source = source::open(&args(folder.path(), &[]).source).unwrap();
        let labels: PathBuf = folder.path().join("crop.zarr/labels/s0");
        assert_eq!(source.folders(), [labels]);
    }
}
