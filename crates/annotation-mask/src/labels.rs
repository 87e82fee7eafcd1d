//! The `labels` attribute: what annotators say about each label of a crop.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::error::MaskError;
use crate::label::LabelId;

/// How completely a label was annotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Annotation {
    /// `true` (metadata of 2021) or `"dense"` (2023): every voxel of the class was labelled.
    Dense,
    /// `"sparse"`: some voxels of the class were labelled.
    Sparse,
    /// `false` or `"empty"`: none was, although the class may be there.
    Empty,
}

impl Annotation {
    /// Whether the class counts as annotated.
    #[must_use]
    pub const fn is_annotated(self) -> bool {
        !matches!(self, Self::Empty)
    }

    /// The word of the 2023 metadata: `dense`, `sparse` or `empty`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dense => "dense",
            Self::Sparse => "sparse",
            Self::Empty => "empty",
        }
    }
}

/// One entry of the `labels` attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelEntry {
    /// The label id.
    pub value: LabelId,
    /// The full name of the class.
    pub long_name: String,
    /// The short name of the class.
    pub short_name: String,
    /// Whether the class is in the crop.
    pub present: bool,
    /// How completely it was annotated.
    pub annotation: Annotation,
    /// How many voxels have the label, if the metadata says so.
    pub count: Option<u64>,
}

impl LabelEntry {
    /// Whether the class is there but was not annotated.
    #[must_use]
    pub const fn is_missing(&self) -> bool {
        self.present && !self.annotation.is_annotated()
    }
}

/// The `labels` attribute of a label volume, in the forms of 2021 and 2023.
///
/// ```
/// use annotation_mask::LabelList;
/// use serde_json::json;
///
/// let list = LabelList::parse(&json!([{
///     "value": 3,
///     "name": {"long": "Mitochondrial membrane", "short": "Mito membrane"},
///     "annotationState": {"present": true, "annotated": false},
/// }]))?;
/// assert!(list.missing().contains(&3));
/// # Ok::<_, annotation_mask::MaskError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelList {
    entries: Vec<LabelEntry>,
    missing: BTreeSet<LabelId>,
}

impl LabelList {
    /// Reads the value of the attribute: a list of
    /// `{value, name: {long, short}, annotationState: {present, annotated}, count?}`.
    ///
    /// `annotated` is a bool or one of `dense`, `sparse`, `empty`; `num_voxels` is the older name of
    /// `count`; keys that are not known are passed over. Values are not converted: `"false"` is not
    /// `false`.
    ///
    /// # Errors
    ///
    /// [`MaskError::LabelsMalformed`] with the position and the field.
    pub fn parse(labels: &Value) -> Result<Self, MaskError> {
        let Value::Array(list) = labels else {
            return Err(MaskError::LabelsMalformed {
                position: None,
                field: String::new(),
                reason: format!("expected a list, found {}", kind(labels)),
            });
        };
        let entries = list
            .iter()
            .enumerate()
            .map(|(position, entry)| Field::entry(position, entry).parse_entry())
            .collect::<Result<Vec<_>, _>>()?;
        let missing = entries.iter().filter(|e| e.is_missing()).map(|e| e.value).collect();
        Ok(Self { entries, missing })
    }

    /// Reads the attribute `labels` of an array; none if there is no such attribute.
    ///
    /// # Errors
    ///
    /// Those of [`LabelList::parse`].
    pub fn from_attrs(attrs: &Map<String, Value>) -> Result<Option<Self>, MaskError> {
        attrs.get("labels").map(Self::parse).transpose()
    }

    /// The entries, in their order.
    #[must_use]
    pub fn entries(&self) -> &[LabelEntry] {
        &self.entries
    }

    /// The ids of classes that are there but were not annotated.
    ///
    /// An id that is listed twice is missing if any of its entries says so.
    #[must_use]
    pub fn missing(&self) -> &BTreeSet<LabelId> {
        &self.missing
    }
}

/// A value of an entry, with the place that errors name.
struct Field<'a> {
    position: usize,
    path: String,
    value: &'a Value,
}

impl<'a> Field<'a> {
    fn entry(position: usize, value: &'a Value) -> Self {
        Self { position, path: String::new(), value }
    }

    fn parse_entry(&self) -> Result<LabelEntry, MaskError> {
        let name = self.get("name")?;
        let state = self.get("annotationState")?;
        Ok(LabelEntry {
            value: self.get("value")?.integer()?,
            long_name: name.get("long")?.text()?,
            short_name: name.get("short")?.text()?,
            present: state.get("present")?.boolean()?,
            annotation: state.get("annotated")?.annotation()?,
            count: match self.find("count") {
                Some(count) => count.count()?,
                None => self.find("num_voxels").map_or(Ok(None), |count| count.count())?,
            },
        })
    }

    fn wrong(&self, expected: &str) -> MaskError {
        MaskError::LabelsMalformed {
            position: Some(self.position),
            field: self.path.clone(),
            reason: format!("expected {expected}, found {}", kind(self.value)),
        }
    }

    fn find(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key)?;
        let path =
            if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Some(Self { position: self.position, path, value })
    }

    fn get(&self, key: &str) -> Result<Self, MaskError> {
        if !self.value.is_object() {
            return Err(self.wrong("an object"));
        }
        self.find(key).ok_or_else(|| MaskError::LabelsMalformed {
            position: Some(self.position),
            field: self.path.clone(),
            reason: format!("the required field `{key}` is missing"),
        })
    }

    fn integer(&self) -> Result<LabelId, MaskError> {
        integer(self.value).ok_or_else(|| self.wrong("an integer of 64 bits"))
    }

    fn text(&self) -> Result<String, MaskError> {
        self.value.as_str().map(str::to_owned).ok_or_else(|| self.wrong("a text"))
    }

    fn boolean(&self) -> Result<bool, MaskError> {
        self.value.as_bool().ok_or_else(|| self.wrong("true or false"))
    }

    fn annotation(&self) -> Result<Annotation, MaskError> {
        match self.value {
            Value::Bool(true) => Ok(Annotation::Dense),
            Value::Bool(false) => Ok(Annotation::Empty),
            Value::String(word) => match word.as_str() {
                "dense" => Ok(Annotation::Dense),
                "sparse" => Ok(Annotation::Sparse),
                "empty" => Ok(Annotation::Empty),
                _ => Err(self.wrong("true, false, \"dense\", \"sparse\" or \"empty\"")),
            },
            _ => Err(self.wrong("true, false, \"dense\", \"sparse\" or \"empty\"")),
        }
    }

    fn count(&self) -> Result<Option<u64>, MaskError> {
        if self.value.is_null() {
            return Ok(None);
        }
        let count = integer(self.value).and_then(|count| u64::try_from(count).ok());
        count.map(Some).ok_or_else(|| self.wrong("a number of voxels or null"))
    }
}

/// A JSON number as an integer, if it is one; `3.0` is, as in JSON Schema.
pub(crate) fn integer(value: &Value) -> Option<LabelId> {
    /// Every integer up to here is one f64, and no other integer is rounded to it.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number = value.as_number()?;
    if let Some(id) = number.as_i128() {
        return Some(id);
    }
    let float = number.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < EXACT)?;
    #[expect(clippy::cast_possible_truncation, reason = "an integer below 2^53 is exact")]
    Some(float as LabelId)
}

/// A value in a few words, for messages.
pub(crate) fn kind(value: &Value) -> String {
    match value {
        Value::Array(list) => format!("a list of {} values", list.len()),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) if text.chars().count() > 40 => "a long text".to_owned(),
        other => other.to_string(),
    }
}
