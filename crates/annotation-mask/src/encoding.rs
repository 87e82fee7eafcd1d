//! Which values of a class array say that the class is there.

use std::collections::BTreeMap;
use std::fmt;

use crate::label::LabelId;

/// What is known about one class at one voxel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClassState {
    /// Nobody looked, or nobody could tell.
    Unknown,
    /// The voxel belongs to the class.
    Present,
    /// The voxel does not belong to the class.
    Absent,
}

impl ClassState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Absent, Self::Present, Self::Unknown];

    /// The word of the metadata: `absent`, `present` or `unknown`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Present => "present",
            Self::Absent => "absent",
        }
    }

    /// The three-valued (Kleene) OR: present if either is, absent if both are, else unknown.
    ///
    /// ```
    /// use annotation_mask::ClassState::{Absent, Present, Unknown};
    ///
    /// assert_eq!(Unknown.or(Present), Present);
    /// assert_eq!(Unknown.or(Absent), Unknown);
    /// ```
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Present, _) | (_, Self::Present) => Self::Present,
            (Self::Absent, Self::Absent) => Self::Absent,
            _ => Self::Unknown,
        }
    }

    /// This state where it is known, else `other`.
    #[must_use]
    pub const fn or_else(self, other: Self) -> Self {
        match self {
            Self::Unknown => other,
            known => known,
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl fmt::Display for ClassState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the values of a class array are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AnnotationType {
    /// One value for each state.
    Semantic,
    /// One value for each object; every value that is neither absent nor unknown is an object.
    Instance,
}

impl AnnotationType {
    /// The word of the metadata: `semantic_segmentation` or `instance_segmentation`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Semantic => "semantic_segmentation",
            Self::Instance => "instance_segmentation",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Semantic, Self::Instance].into_iter().find(|kind| kind.name() == name)
    }
}

/// What each value of a class array means.
///
/// Values that are not listed are objects (present) in an instance array, and also in a semantic one
/// that lists no value for present. In any other semantic array nothing explains them, and they count
/// as unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoding {
    annotation_type: AnnotationType,
    states: BTreeMap<LabelId, ClassState>,
}

impl Encoding {
    /// An encoding in which each of `states` is what its value means.
    ///
    /// # Errors
    ///
    /// The value, if two different states have the same.
    pub fn new(
        annotation_type: AnnotationType,
        states: impl IntoIterator<Item = (LabelId, ClassState)>,
    ) -> Result<Self, LabelId> {
        let mut map = BTreeMap::new();
        for (value, state) in states {
            if map.insert(value, state).is_some_and(|other| other != state) {
                return Err(value);
            }
        }
        Ok(Self { annotation_type, states: map })
    }

    /// What the values are.
    #[must_use]
    pub fn annotation_type(&self) -> AnnotationType {
        self.annotation_type
    }

    /// The values that the encoding lists, with what they mean.
    #[must_use]
    pub fn states(&self) -> &BTreeMap<LabelId, ClassState> {
        &self.states
    }

    /// The values that mean `state`, in ascending order.
    pub fn values_of(&self, state: ClassState) -> impl Iterator<Item = LabelId> {
        self.states.iter().filter(move |(_, other)| **other == state).map(|(value, _)| *value)
    }

    /// What a voxel of this value says.
    #[must_use]
    pub fn state_of(&self, value: LabelId) -> ClassState {
        self.states.get(&value).copied().unwrap_or_else(|| self.others())
    }

    /// Whether the encoding says what a value means.
    #[must_use]
    pub fn explains(&self, value: LabelId) -> bool {
        self.others() == ClassState::Present || self.states.contains_key(&value)
    }

    /// Whether values that are not listed are present although the array is semantic: its encoding
    /// names no value for present.
    #[must_use]
    pub fn guesses_present(&self) -> bool {
        self.annotation_type == AnnotationType::Semantic && self.others() == ClassState::Present
    }

    /// What a value that is not listed says.
    #[must_use]
    pub fn others(&self) -> ClassState {
        let names_present = self.states.values().any(|state| *state == ClassState::Present);
        match self.annotation_type {
            AnnotationType::Semantic if names_present => ClassState::Unknown,
            _ => ClassState::Present,
        }
    }
}

impl fmt::Display for Encoding {
    /// `semantic_segmentation, absent = 0, present = 1, unknown = 255`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.annotation_type.name())?;
        for state in ClassState::ALL {
            for value in self.values_of(state) {
                write!(f, ", {state} = {value}")?;
            }
        }
        Ok(())
    }
}
