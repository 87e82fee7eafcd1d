//! The images of a container: the mask, and the target if it is wanted.

use std::path::Path;

use annotation_mask::{BlockPair, ChannelPlanes, GroundTruth};
use array_core::{ArrayInfo, DType};
use serde_json::{Map, Value, json};
use zarr_source::{ImageOptions, Staging, ZarrArray};

use crate::error::WriteError;
use crate::job::{ATTRIBUTE, provenance};
use crate::options::{MaskLevels, TargetLevels, WriteOptions};
use crate::plan::Plan;
use crate::reduce::Reduction;

/// One image.
#[derive(Debug)]
pub(crate) struct Image {
    kind: Kind,
    /// How its later levels come about.
    pub(crate) reduction: Reduction,
    /// One array for each scale level.
    pub(crate) levels: Vec<ZarrArray>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Mask,
    Target,
}

impl Image {
    /// The images that `options` ask for, in a container that has none of them.
    pub(crate) fn create_all(
        staging: &Staging,
        pair: &dyn GroundTruth,
        plan: &Plan,
        options: &WriteOptions<'_>,
    ) -> Result<Vec<Self>, WriteError> {
        let all_axes =
            |spatial: &Vec<usize>| [vec![1; pair.info().channel_dims()], spatial.clone()].concat();
        let kept: Value = pair.channels().iter().map(|channel| json!(channel.kept)).collect();
        let attribute = Value::Object(provenance(pair, options));
        let image_options = ImageOptions {
            zarr_format: options.zarr_format,
            chunk_shape: Some(all_axes(&plan.chunk_shape)),
            shard_shape: plan.shard_shape.as_ref().map(all_axes),
            compression: options.compression,
            attrs: Map::from_iter([("kept".to_owned(), kept)]),
            group_attrs: Map::from_iter([(ATTRIBUTE.to_owned(), attribute)]),
        };
        Kind::wanted(options)
            .map(|kind| {
                let reduction = kind.reduction(options);
                let dtype = dtype(reduction, options);
                let infos: Vec<ArrayInfo> =
                    plan.levels.iter().map(|level| level.info.clone().with_dtype(dtype)).collect();
                let levels = staging.create_levels(kind.name(), &infos, &image_options)?;
                Ok(Self { kind, reduction, levels })
            })
            .collect()
    }

    /// The same images in a container in which an earlier run has created them.
    pub(crate) fn open_all(
        container: &Path,
        plan: &Plan,
        options: &WriteOptions<'_>,
    ) -> Result<Vec<Self>, WriteError> {
        Kind::wanted(options)
            .map(|kind| {
                let group = container.join(kind.name());
                let levels = (0..plan.levels.len())
                    .map(|level| ZarrArray::open_writable(group.join(format!("s{level}"))))
                    .collect::<Result<_, _>>()?;
                Ok(Self { kind, reduction: kind.reduction(options), levels })
            })
            .collect()
    }

    /// The voxels of this image in a block.
    pub(crate) fn planes<'a, 'b>(&self, block: &'a BlockPair<'b>) -> &'a ChannelPlanes<'b> {
        match self.kind {
            Kind::Mask => &block.mask,
            Kind::Target => &block.target,
        }
    }
}

impl Kind {
    fn wanted(options: &WriteOptions<'_>) -> impl Iterator<Item = Self> {
        [Self::Mask].into_iter().chain(options.targets.then_some(Self::Target))
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Mask => "mask",
            Self::Target => "target",
        }
    }

    const fn reduction(self, options: &WriteOptions<'_>) -> Reduction {
        match (self, options.mask_levels, options.target_levels) {
            (Self::Mask, MaskLevels::All, _) => Reduction::All,
            (Self::Mask, MaskLevels::Any, _) => Reduction::Any,
            (Self::Target, _, TargetLevels::Mode) => Reduction::Mode,
            (Self::Mask, MaskLevels::Mean, _) | (Self::Target, _, TargetLevels::Mean) => {
                Reduction::Mean
            }
        }
    }
}

/// The element type of all levels.
fn dtype(reduction: Reduction, options: &WriteOptions<'_>) -> DType {
    if options.levels > 1 && reduction == Reduction::Mean { DType::F32 } else { DType::U8 }
}
