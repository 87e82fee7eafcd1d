//! What a check finds.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::MaskError;
use crate::label::LabelId;

/// How bad a [`Finding`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Likely a mistake, or data that training will not see.
    Warning,
    /// The mask or the target would be wrong, or is refused.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// One thing that a check found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of thing it is, for programs: a few words in kebab case.
    pub code: &'static str,
    /// What it is about: a label id, a class, a channel, a rule; empty for the whole.
    pub subject: String,
    /// A sentence for people, with the numbers that it needs.
    pub message: String,
    /// The numbers, for programs.
    pub values: Map<String, Value>,
}

impl Finding {
    /// A finding without values.
    pub fn new(
        severity: Severity,
        code: &'static str,
        subject: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        let (subject, message) = (subject.into(), message.into());
        Self { severity, code, subject, message, values: Map::new() }
    }

    /// The same with one more value.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.values.insert(name.to_owned(), value.into());
        self
    }

    /// The finding that something is refused with `error`.
    ///
    /// ```
    /// use annotation_mask::{Finding, MaskError};
    ///
    /// let finding = Finding::refused("vim", &MaskError::NoEncoding { class: "vim".to_owned() });
    /// assert_eq!(finding.code, "no-encoding");
    /// ```
    #[must_use]
    pub fn refused(subject: impl Into<String>, error: &MaskError) -> Self {
        let code = match error {
            MaskError::LabelsMalformed { .. } => "labels-malformed",
            MaskError::NoLabels => "no-labels",
            MaskError::GroupMalformed { .. } => "group-malformed",
            MaskError::ClassTableMalformed { .. } => "class-table-malformed",
            MaskError::AnnotationMalformed { .. } => "annotation-malformed",
            MaskError::NoEncoding { .. } => "no-encoding",
            MaskError::CropMalformed { .. } => "crop-malformed",
            MaskError::ClassesDiffer { .. } => "classes-differ",
            MaskError::UnknownRule { .. } => "unknown-rule",
            MaskError::NotLabels { .. } => "not-labels",
            MaskError::NotMask { .. } => "not-a-mask",
            MaskError::SamplerOption { .. } => "sampler-option",
            MaskError::NothingValid { .. } => "nothing-valid",
            MaskError::Array(_) => "not-readable",
        };
        Self::new(Severity::Error, code, subject, error.to_string())
    }

    /// The worst severity among findings; none if there is no finding.
    #[must_use]
    pub fn worst(findings: &[Self]) -> Option<Severity> {
        findings.iter().map(|finding| finding.severity).max()
    }
}

/// A label id as a JSON number; as a text beyond 64 bits.
pub(crate) fn id_value(id: LabelId) -> Value {
    match (u64::try_from(id), i64::try_from(id)) {
        (Ok(id), _) => id.into(),
        (_, Ok(id)) => id.into(),
        _ => id.to_string().into(),
    }
}

/// Label ids as a list of JSON numbers.
pub(crate) fn id_values<'a>(ids: impl IntoIterator<Item = &'a LabelId>) -> Value {
    ids.into_iter().map(|&id| id_value(id)).collect()
}

/// A count with its noun: `1 voxel`, `2 voxels`.
pub(crate) fn voxels(count: u64) -> String {
    if count == 1 { "1 voxel".to_owned() } else { format!("{count} voxels") }
}
