//! Which channels of a crop may be trained.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::MaskError;
use crate::groups::Group;
use crate::label::LabelId;

/// The rule by which a channel is kept although the crop has classes that were not annotated.
///
/// An id is *missing* if its class is in the crop but was not annotated. A group without ids is kept
/// by every rule, as nothing of it can be missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// No id of the group is missing.
    #[default]
    Strict,
    /// Strict; or the group has generic ids, and none of them is missing.
    ///
    /// A generic id is one that annotators use for the class as a whole, such as 37, "nucleus
    /// combined". With generic id 37 this is what DaCapo once did.
    Generic,
    /// Generic; or the group has specific ids (those that are not generic), and none of them is
    /// missing.
    ///
    /// The rule of Heinrich et al., "Whole-cell organelle segmentation in volume electron
    /// microscopy", Nature 2021.
    Cnnectome,
}

impl Rule {
    /// All rules, from the strictest.
    pub const ALL: [Self; 3] = [Self::Strict, Self::Generic, Self::Cnnectome];

    /// The name as users write it: `strict`, `generic` or `cnnectome`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Generic => "generic",
            Self::Cnnectome => "cnnectome",
        }
    }

    /// Decides about the channel of `group`, where the ids in `missing` were not annotated.
    ///
    /// ```
    /// use annotation_mask::{Group, Rule};
    ///
    /// let nucleus = Group::new("nucleus", [20, 24, 37]).with_generic_ids([37]);
    /// let missing = [24].into();
    /// assert!(!Rule::Strict.decide(&nucleus, &missing).kept);
    /// assert!(Rule::Generic.decide(&nucleus, &missing).kept);
    /// ```
    #[must_use]
    pub fn decide(self, group: &Group, missing: &BTreeSet<LabelId>) -> ChannelDecision {
        let generic_ids: BTreeSet<&LabelId> = group.generic_ids.iter().collect();
        let is_missing = |id: &LabelId| missing.contains(id);
        let is_generic = |id: &LabelId| generic_ids.contains(id);
        let (generic, specific): (Vec<LabelId>, Vec<LabelId>) =
            group.ids.iter().partition(|id| is_generic(id));
        let all_annotated = |ids: &[LabelId]| !ids.is_empty() && !ids.iter().any(is_missing);

        let strict = !group.ids.iter().any(is_missing);
        let by_generic = all_annotated(&generic);
        let by_specific = all_annotated(&specific);
        let kept = match self {
            Self::Strict => strict,
            Self::Generic => strict || by_generic,
            Self::Cnnectome => strict || by_generic || by_specific,
        };
        let missing_ids: BTreeSet<LabelId> = group.ids.iter().copied().filter(is_missing).collect();
        ChannelDecision {
            name: group.name.clone(),
            ids: group.ids.clone(),
            kept,
            missing_ids: missing_ids.into_iter().collect(),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Rule {
    type Err = MaskError;

    /// Reads the name that [`Rule::name`] writes.
    ///
    /// # Errors
    ///
    /// [`MaskError::UnknownRule`] for any other name.
    fn from_str(name: &str) -> Result<Self, MaskError> {
        let found = Self::ALL.into_iter().find(|rule| rule.name() == name);
        found.ok_or_else(|| MaskError::UnknownRule { name: name.to_owned() })
    }
}

/// Whether a channel may be trained on a crop, and why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelDecision {
    /// The name of the channel.
    pub name: String,
    /// The label ids of its group.
    pub ids: Vec<LabelId>,
    /// Whether it may be trained.
    pub kept: bool,
    /// The ids of the group that are in the crop but were not annotated, in ascending order. A rule
    /// can keep a channel in spite of them.
    pub missing_ids: Vec<LabelId>,
}
