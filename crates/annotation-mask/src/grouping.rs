//! Grouping lists as users write them: ids or names of classes, not looked up yet.

use std::fmt;

use crate::label::LabelId;

mod parse;
mod resolve;

/// What a group lists: a label id, or the name of a class.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Member {
    /// A label id.
    Id(LabelId),
    /// The name of a class.
    Class(String),
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{id}"),
            Self::Class(name) => write!(f, "{name:?}"),
        }
    }
}

/// One channel as it is written: a name and its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberGroup {
    /// The name of the channel.
    pub name: String,
    /// What belongs to it.
    pub members: Vec<Member>,
    /// Those of the members that stand for the class as a whole.
    pub generic: Vec<Member>,
}

/// A grouping list in which classes may be named: what files and arguments say, before anybody knows
/// what the source is.
///
/// For a label volume names become ids ([`Grouping::resolve_labels`]); for a crop group ids become
/// names ([`Grouping::resolve_classes`]).
///
/// ```
/// use annotation_mask::{ClassTable, Grouping};
///
/// let grouping = Grouping::from_json(r#"[["mito", ["mito"]], ["er", [16, 17]]]"#)?;
/// let table = ClassTable::from_csv("mito_mem,3,\nmito_lum,4,\nmito,50,3-4\n")?;
/// let groups = grouping.resolve_labels(Some(&table), None)?;
/// assert_eq!(groups.as_slice()[0].ids, [50, 3, 4]);
/// assert_eq!(groups.as_slice()[0].generic_ids, [50]);
/// # Ok::<_, annotation_mask::MaskError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grouping {
    groups: Vec<MemberGroup>,
}

impl From<Vec<MemberGroup>> for Grouping {
    fn from(groups: Vec<MemberGroup>) -> Self {
        Self { groups }
    }
}

impl Grouping {
    /// The groups, in the order of the channels.
    #[must_use]
    pub fn as_slice(&self) -> &[MemberGroup] {
        &self.groups
    }

    /// Whether there is no group.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// The list with the groups of another behind its own.
    #[must_use]
    pub fn joined(self, other: Self) -> Self {
        Self { groups: [self.groups, other.groups].concat() }
    }
}
