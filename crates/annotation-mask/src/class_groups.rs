//! Grouping lists of a crop group: which classes make a channel.

use std::collections::BTreeSet;

use crate::error::MaskError;

/// One channel of a crop group: a name and the classes that belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassGroup {
    /// The name of the channel.
    pub name: String,
    /// The names of the classes; the channel is their three-valued OR.
    pub classes: Vec<String>,
}

impl ClassGroup {
    /// A channel of these classes.
    pub fn new<S: Into<String>>(
        name: impl Into<String>,
        classes: impl IntoIterator<Item = S>,
    ) -> Self {
        Self { name: name.into(), classes: classes.into_iter().map(Into::into).collect() }
    }
}

/// A grouping list of a crop group: one group for each channel, in the order of the channels.
///
/// ```
/// use annotation_mask::{ClassGroup, ClassGroups};
///
/// let groups = ClassGroups::new(vec![ClassGroup::new("mito", ["mito_mem", "mito_lum"])])?;
/// assert_eq!(groups.names(), ["mito"]);
/// # Ok::<_, annotation_mask::MaskError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassGroups {
    // Invariant: names are not empty and no two are the same; each group has a class.
    groups: Vec<ClassGroup>,
}

impl ClassGroups {
    /// Checks a list of groups.
    ///
    /// # Errors
    ///
    /// [`MaskError::GroupMalformed`] for a name that is empty or stands twice, and for a group
    /// without classes: in a crop group "every class" has no meaning, as classes overlap.
    pub fn new(groups: Vec<ClassGroup>) -> Result<Self, MaskError> {
        let mut names = BTreeSet::new();
        for (index, group) in groups.iter().enumerate() {
            let reason = if group.name.trim().is_empty() {
                "the name is empty"
            } else if !names.insert(&group.name) {
                "another group has this name"
            } else if group.classes.is_empty() {
                "it has no classes; a channel of a crop group needs one at least"
            } else {
                continue;
            };
            let place = format!("group {index} ({:?})", group.name);
            return Err(MaskError::GroupMalformed { place, reason: reason.to_owned() });
        }
        Ok(Self { groups })
    }

    /// One channel for each class, of its name; names that stand twice count once.
    ///
    /// # Errors
    ///
    /// [`MaskError::GroupMalformed`] for an empty name.
    pub fn one_for_each<S: AsRef<str>>(
        classes: impl IntoIterator<Item = S>,
    ) -> Result<Self, MaskError> {
        let mut seen = BTreeSet::new();
        let classes = classes.into_iter().filter(|class| seen.insert(class.as_ref().to_owned()));
        Self::new(classes.map(|class| ClassGroup::new(class.as_ref(), [class.as_ref()])).collect())
    }

    /// The groups, in the order of the channels.
    #[must_use]
    pub fn as_slice(&self) -> &[ClassGroup] {
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
