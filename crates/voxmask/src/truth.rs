//! Masks and targets of what the user named, whatever its form.

use std::sync::Arc;

use annotation_mask::{
    ChannelCounts, ClassGroups, CropGroup, CropMaskAndTarget, GroundTruth, Groups, LabelId,
    LabelList, MaskAndTarget, MaskError, MaskOptions, Rule,
};
use anyhow::{Context, Result, bail};
use array_config::LabelChannels;
use array_core::{Array, ArrayError, ArrayExt};
use geometry::Roi;
use serde_json::{Map, Value, json};

use crate::args::{ChannelArgs, UsageError};
use crate::report::ids_json;
use crate::source::{self, Source};

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
            Source::Crop(opened, preset) => {
                check_no_label_options(args)?;
                // A crop has a class, and all of its classes cover the same voxels.
                let crop = match roi.zip(opened.crop.classes().first()) {
                    Some((text, class)) => {
                        let roi = region(text, &class.array)?;
                        opened.crop_to(&roi).with_context(|| format!("--roi {text:?}"))?
                    }
                    None => opened.crop,
                };
                let groups = match preset.filter(|_| grouping.is_empty()) {
                    Some(groups) => groups,
                    None if grouping.is_empty() => crop.default_groups()?,
                    None => crop.resolve(&grouping).map_err(|error| groups_error(args, error))?,
                };
                return Self::of_crop(crop, groups);
            }
            Source::Tree(tree) => bail!(
                "{} is neither a label array nor a crop; {}",
                tree.root.path.display(),
                crate::inspect::named_inside(&tree)
            ),
            Source::Labels(array) => (array as Arc<dyn Array>, None),
            Source::Config(array) => (array, None),
            Source::Channels(LabelChannels { labels, groups, options, background }) => {
                (labels, Some((groups, options, background)))
            }
        };
        let listed = LabelList::from_attrs(labels.attrs());
        let (mut options, mut background) = (source::mask_options(args), args.background);
        let groups = match preset.filter(|_| grouping.is_empty()) {
            Some((groups, of_config, background_of_config)) => {
                // What the user says goes before what the config says.
                if options == MaskOptions::default() {
                    options = of_config;
                }
                if background == 0 {
                    background = background_of_config;
                }
                groups
            }
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
                "fraction": crate::report::fraction(known, counts.voxels),
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
        ("--rule", args.rule != Rule::default()),
        ("--generic-ids", !args.generic_ids.is_empty()),
        ("--background", args.background != 0),
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
