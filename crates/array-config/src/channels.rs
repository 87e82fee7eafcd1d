//! The channels that a config makes of labels.

use std::path::Path;
use std::sync::Arc;

use annotation_mask::{Groups, LabelId, MaskOptions};
use array_core::Array;
use zarr_source::OpenOptions;

use crate::at::At;
use crate::config::ArrayConfig;
use crate::error::ConfigError;

/// Labels and the channels that a config makes of them: what is below a mask or a target.
#[derive(Debug)]
pub struct LabelChannels {
    /// The labels.
    pub labels: Arc<dyn Array>,
    /// One group for each channel.
    pub groups: Groups,
    /// How channels are kept; as usual if the config says nothing of it.
    pub options: MaskOptions,
    /// The label that a group without ids does not have; 0 if the config says nothing of it.
    pub background: LabelId,
}

impl ArrayConfig {
    /// Opens the labels below a mask or a target (binarized labels), and reads the channels over them; none
    /// if the config is of another kind. `defaults` hold where the config says nothing.
    ///
    /// # Errors
    ///
    /// Those of [`ArrayConfig::build_with`].
    pub fn label_channels_with(
        &self,
        base: &Path,
        defaults: &OpenOptions,
    ) -> Result<Option<LabelChannels>, ConfigError> {
        let (at, source) = (At::ROOT.key("groups"), At::ROOT.key("source"));
        Ok(match self {
            Self::Mask(mask) => Some(LabelChannels {
                labels: mask.source.build_at(base, defaults, &source)?,
                groups: mask.groups.resolve(base, &at)?.with_generic_ids(&mask.generic_ids),
                options: MaskOptions { rule: mask.rule, require_labels: mask.require_labels },
                background: 0,
            }),
            Self::Binarize(binarize) => Some(LabelChannels {
                labels: binarize.source.build_at(base, defaults, &source)?,
                groups: binarize.groups.resolve(base, &at)?,
                options: MaskOptions::default(),
                background: binarize.background,
            }),
            _ => None,
        })
    }
}
