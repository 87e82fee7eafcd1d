//! What a user should know about the metadata of an array.

use std::fmt;
use std::ops::Deref;

/// One sentence about the metadata of an array, and what it is about.
///
/// It can be used as the text that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// What it is about.
    pub kind: RemarkKind,
    /// The sentence.
    pub text: String,
}

/// What a [`Remark`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RemarkKind {
    /// Two places give different voxel sizes or corners.
    Disagreement,
    /// Two places put the array half a voxel apart: one of them took a corner for a centre, or the reverse.
    HalfVoxel,
    /// A unit is missing, unknown, or stands otherwise in another place.
    Unit,
    /// Axes have no names, or their order is doubtful.
    Axes,
    /// The scale levels of an image do not lie where downsampling would put them.
    Levels,
    /// A scale level was taken that nobody asked for.
    LevelTaken,
    /// The value of chunks that are not stored was not said.
    FillValue,
    /// What was annotated is said by the group, not by the array.
    LabelsOfGroup,
    /// Something that is said cannot be read.
    Unreadable,
}

impl RemarkKind {
    /// A name for programs, in kebab case.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Disagreement => "metadata-disagree",
            Self::HalfVoxel => "half-voxel",
            Self::Unit => "unit",
            Self::Axes => "axes",
            Self::Levels => "levels-apart",
            Self::LevelTaken => "level-taken",
            Self::FillValue => "fill-value",
            Self::LabelsOfGroup => "labels-of-group",
            Self::Unreadable => "metadata-unreadable",
        }
    }

    pub(crate) fn says(self, text: impl Into<String>) -> Remark {
        Remark { kind: self, text: text.into() }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Deref for Remark {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl PartialEq<str> for Remark {
    fn eq(&self, text: &str) -> bool {
        self.text == text
    }
}

impl PartialEq<&str> for Remark {
    fn eq(&self, text: &&str) -> bool {
        self.text == *text
    }
}

impl PartialEq<String> for Remark {
    fn eq(&self, text: &String) -> bool {
        self.text == *text
    }
}
