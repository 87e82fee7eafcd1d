//! Grouping lists: which label ids make a channel.

use std::collections::BTreeSet;

use array_core::DType;

use crate::error::MaskError;
use crate::label::LabelId;

mod text;

/// One channel: a name and the label ids that belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The name of the channel.
    pub name: String,
    /// The label ids; none means every label but the background.
    pub ids: Vec<LabelId>,
    /// Those of `ids` that annotators use for the class as a whole (see [`crate::Rule::Generic`]).
    pub generic_ids: Vec<LabelId>,
}

impl Group {
    /// A group without generic ids.
    pub fn new(name: impl Into<String>, ids: impl Into<Vec<LabelId>>) -> Self {
        Self { name: name.into(), ids: ids.into(), generic_ids: Vec::new() }
    }

    /// The same with generic ids.
    #[must_use]
    pub fn with_generic_ids(self, generic_ids: impl Into<Vec<LabelId>>) -> Self {
        Self { generic_ids: generic_ids.into(), ..self }
    }
}

/// A grouping list: one group for each channel, in the order of the channels.
///
/// ```
/// use annotation_mask::{Group, Groups};
///
/// let groups = Groups::new(vec![Group::new("mito", [3, 4, 5]), Group::new("er", [16, 17])])?;
/// assert_eq!(groups.names(), ["mito", "er"]);
/// # Ok::<_, annotation_mask::MaskError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    // Invariant: names are not empty and no two are the same; generic ids are among the ids; ids lie
    // within 64 bits.
    groups: Vec<Group>,
}

impl Groups {
    /// Checks a list of groups.
    ///
    /// # Errors
    ///
    /// [`MaskError::GroupMalformed`] for a name that is empty or stands twice, a generic id that is
    /// not among the ids of its group, or an id beyond 64 bits.
    pub fn new(groups: Vec<Group>) -> Result<Self, MaskError> {
        let mut names = BTreeSet::new();
        for (index, group) in groups.iter().enumerate() {
            let malformed = |reason: String| {
                let place = format!("group {index} ({:?})", group.name);
                Err(MaskError::GroupMalformed { place, reason })
            };
            if group.name.trim().is_empty() {
                return malformed("the name is empty".to_owned());
            }
            if !names.insert(&group.name) {
                return malformed("another group has this name".to_owned());
            }
            let ids: BTreeSet<&LabelId> = group.ids.iter().collect();
            if let Some(id) = group.generic_ids.iter().find(|id| !ids.contains(id)) {
                return malformed(format!("the generic id {id} is not among its ids"));
            }
            if let Some(id) = group.ids.iter().find(|&&id| !has_64_bits(id)) {
                return malformed(format!("the id {id} lies beyond 64 bits"));
            }
        }
        Ok(Self { groups })
    }

    /// The same list with these ids generic in every group that has them.
    #[must_use]
    pub fn with_generic_ids(mut self, generic_ids: &[LabelId]) -> Self {
        let generic_ids: BTreeSet<&LabelId> = generic_ids.iter().collect();
        for group in &mut self.groups {
            let more = group.ids.iter().filter(|id| generic_ids.contains(id));
            let all: BTreeSet<LabelId> = group.generic_ids.iter().chain(more).copied().collect();
            group.generic_ids = all.into_iter().collect();
        }
        self
    }

    /// The list with the groups of another behind its own.
    ///
    /// # Errors
    ///
    /// Those of [`Groups::new`].
    pub fn joined(self, other: Self) -> Result<Self, MaskError> {
        Self::new([self.groups, other.groups].concat())
    }

    /// The ids that labels of type `dtype` cannot have, with the names of their groups: they never
    /// match a voxel.
    #[must_use]
    pub fn ids_beyond(&self, dtype: DType) -> Vec<(&str, LabelId)> {
        let (low, high) = dtype.integer_range().unwrap_or((0, 0));
        let all = self.groups.iter().flat_map(|g| g.ids.iter().map(|&id| (g.name.as_str(), id)));
        all.filter(|(_, id)| !(low..=high).contains(id)).collect()
    }

    /// The groups, in the order of the channels.
    #[must_use]
    pub fn as_slice(&self) -> &[Group] {
        &self.groups
    }

    /// The names of the channels.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.groups.iter().map(|group| group.name.as_str()).collect()
    }

    /// The number of channels.
    #[must_use]
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// Whether there is no channel.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }
}

/// Whether a label of some type can have this id.
fn has_64_bits(id: LabelId) -> bool {
    i64::try_from(id).is_ok() || u64::try_from(id).is_ok()
}
