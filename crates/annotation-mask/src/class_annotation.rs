//! The annotation of one class of a crop group: how its array is encoded, and what should be in it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::encoding::{AnnotationType, ClassState, Encoding};
use crate::error::MaskError;
use crate::label::LabelId;
use crate::labels::{integer, kind};

/// What CellMap says of a crop group, a class group or a class array: the attribute `cellmap.annotation`, if
/// it is an object.
///
/// A crop lists its `class_names` in it, a class has a `class_name` and an `annotation_type`.
#[must_use]
pub fn cellmap_annotation(attrs: &Map<String, Value>) -> Option<&Map<String, Value>> {
    attrs.get("cellmap")?.get("annotation")?.as_object()
}

/// Whose attributes said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttrsOf {
    /// The array of the class.
    Array,
    /// The group of the class, which holds the array.
    Group,
}

impl AttrsOf {
    /// `array` or `group`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Array => "array",
            Self::Group => "group",
        }
    }
}

/// What the metadata of a class array say.
///
/// Two forms are understood: `cellmap.annotation` with `annotation_type {type, encoding {absent,
/// present?, unknown?}}` and `complement_counts`; and the short-lived draft of it, `encoding
/// {"0": "unknown", …}` with a `census` of all values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassAnnotation {
    /// The name of the class, if the metadata have one.
    pub class_name: Option<String>,
    /// What the values mean.
    pub encoding: Encoding,
    /// Whose attributes the encoding is from: the array's, or else the group's.
    pub found_on: AttrsOf,
    /// The encoding of the group, if it differs from the one of the array, which wins.
    pub other_encoding: Option<Encoding>,
    /// How many voxels are in each state, as far as the metadata say.
    pub complement_counts: BTreeMap<ClassState, u64>,
    /// How many voxels have each value, as far as the metadata say.
    pub census: BTreeMap<LabelId, u64>,
}

impl ClassAnnotation {
    /// An annotation that says nothing but what the values mean.
    #[must_use]
    pub fn new(encoding: Encoding) -> Self {
        Self {
            class_name: None,
            encoding,
            found_on: AttrsOf::Array,
            other_encoding: None,
            complement_counts: BTreeMap::new(),
            census: BTreeMap::new(),
        }
    }

    /// Reads the annotation of `class` from the attributes of its array, and from those of its group
    /// what the array does not say.
    ///
    /// # Errors
    ///
    /// [`MaskError::NoEncoding`] if neither says how the array is encoded;
    /// [`MaskError::AnnotationMalformed`] with the place and the field, also if two states have the
    /// same value.
    pub fn from_attrs(
        class: &str,
        array_attrs: &Map<String, Value>,
        group_attrs: &Map<String, Value>,
    ) -> Result<Self, MaskError> {
        let array = Attrs { class, of: AttrsOf::Array }.read(array_attrs)?;
        let group = Attrs { class, of: AttrsOf::Group }.read(group_attrs)?;
        let found_on = if array.encoding.is_some() { AttrsOf::Array } else { AttrsOf::Group };
        let other = array.encoding.is_some().then(|| group.encoding.clone()).flatten();
        let Some(encoding) = array.encoding.or(group.encoding) else {
            return Err(MaskError::NoEncoding { class: class.to_owned() });
        };
        let or = |array: BTreeMap<_, _>, group| if array.is_empty() { group } else { array };
        Ok(Self {
            class_name: array.class_name.or(group.class_name),
            other_encoding: other.filter(|other| *other != encoding),
            encoding,
            found_on,
            complement_counts: or(array.complement_counts, group.complement_counts),
            census: if array.census.is_empty() { group.census } else { array.census },
        })
    }
}

/// What one set of attributes says.
#[derive(Default)]
struct Part {
    class_name: Option<String>,
    encoding: Option<Encoding>,
    complement_counts: BTreeMap<ClassState, u64>,
    census: BTreeMap<LabelId, u64>,
}

/// The attributes that are read, for messages.
#[derive(Clone, Copy)]
struct Attrs<'a> {
    class: &'a str,
    of: AttrsOf,
}

impl Attrs<'_> {
    fn read(self, attrs: &Map<String, Value>) -> Result<Part, MaskError> {
        let Some(annotation) = attrs.get("cellmap").and_then(|cellmap| cellmap.get("annotation"))
        else {
            return self.read_draft(attrs);
        };
        let field = "cellmap.annotation";
        let annotation = self.object(field, annotation)?;
        let class_name = match annotation.get("class_name") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name.clone()),
            Some(other) => return Err(self.wrong(&format!("{field}.class_name"), "a text", other)),
        };
        let encoding = match annotation.get("annotation_type") {
            None | Some(Value::Null) => None,
            Some(value) => Some(self.annotation_type(&format!("{field}.annotation_type"), value)?),
        };
        let complement_counts = match annotation.get("complement_counts") {
            None | Some(Value::Null) => BTreeMap::new(),
            Some(counts) => self.counts(&format!("{field}.complement_counts"), counts)?,
        };
        Ok(Part { class_name, encoding, complement_counts, census: BTreeMap::new() })
    }

    fn annotation_type(self, field: &str, value: &Value) -> Result<Encoding, MaskError> {
        let map = self.object(field, value)?;
        let word = map.get("type").ok_or_else(|| self.missing(field, "type"))?;
        let annotation_type =
            word.as_str().and_then(AnnotationType::from_name).ok_or_else(|| {
                let expected = "\"semantic_segmentation\" or \"instance_segmentation\"";
                self.wrong(&format!("{field}.type"), expected, word)
            })?;
        let encoding = map.get("encoding").ok_or_else(|| self.missing(field, "encoding"))?;
        let field = format!("{field}.encoding");
        let mut states = Vec::new();
        for (name, value) in self.object(&field, encoding)? {
            let state = self.state(&field, name)?;
            match value {
                // Some writers list what they leave out as null.
                Value::Null if state != ClassState::Absent => {}
                value => states.push((self.value(&format!("{field}.{name}"), value)?, state)),
            }
        }
        if !states.iter().any(|(_, state)| *state == ClassState::Absent) {
            return Err(self.missing(&field, "absent"));
        }
        self.encoding(&field, annotation_type, states)
    }

    /// `encoding {"0": "unknown", "1": "absent", "2": "present"}`, `census {"0": 10, …}`
    fn read_draft(self, attrs: &Map<String, Value>) -> Result<Part, MaskError> {
        let parse = |key: &String| key.trim().parse::<i64>().ok().map(LabelId::from);
        // Other software has attributes of this name that are something else.
        let Some(Value::Object(map)) = attrs.get("encoding") else { return Ok(Part::default()) };
        let Some(values) = map.keys().map(parse).collect::<Option<Vec<LabelId>>>() else {
            return Ok(Part::default());
        };
        let mut states = Vec::new();
        for (value, (key, word)) in values.into_iter().zip(map) {
            let field = format!("encoding.{key}");
            let name = word.as_str().ok_or_else(|| self.wrong(&field, "a state", word))?;
            states.push((value, self.state(&field, name)?));
        }
        let mut census = BTreeMap::new();
        if let Some(Value::Object(counts)) = attrs.get("census") {
            for (key, count) in counts {
                let field = format!("census.{key}");
                let value = parse(key).ok_or_else(|| self.wrong(&field, "a label value", count))?;
                census.insert(value, self.count(&field, count)?);
            }
        }
        let encoding = match states.is_empty() {
            true => None,
            false => Some(self.encoding("encoding", AnnotationType::Semantic, states)?),
        };
        Ok(Part { encoding, census, ..Part::default() })
    }

    fn encoding(
        self,
        field: &str,
        annotation_type: AnnotationType,
        states: Vec<(LabelId, ClassState)>,
    ) -> Result<Encoding, MaskError> {
        Encoding::new(annotation_type, states.clone()).map_err(|value| {
            let same = states.iter().filter(|(other, _)| *other == value);
            let names: Vec<&str> = same.map(|(_, state)| state.name()).collect();
            self.malformed(field, format!("{} are both {value}", names.join(" and ")))
        })
    }

    fn counts(self, field: &str, value: &Value) -> Result<BTreeMap<ClassState, u64>, MaskError> {
        let mut counts = BTreeMap::new();
        for (name, count) in self.object(field, value)? {
            let state = self.state(field, name)?;
            if !count.is_null() {
                counts.insert(state, self.count(&format!("{field}.{name}"), count)?);
            }
        }
        Ok(counts)
    }

    fn state(self, field: &str, name: &str) -> Result<ClassState, MaskError> {
        ClassState::from_name(name).ok_or_else(|| {
            let reason = format!("unknown state {name:?}, expected absent, present or unknown");
            self.malformed(field, reason)
        })
    }

    fn value(self, field: &str, value: &Value) -> Result<LabelId, MaskError> {
        integer(value).ok_or_else(|| self.wrong(field, "an integer of 64 bits", value))
    }

    fn count(self, field: &str, value: &Value) -> Result<u64, MaskError> {
        let count = integer(value).and_then(|count| u64::try_from(count).ok());
        count.ok_or_else(|| self.wrong(field, "a number of voxels", value))
    }

    fn object<'v>(
        self,
        field: &str,
        value: &'v Value,
    ) -> Result<&'v Map<String, Value>, MaskError> {
        value.as_object().ok_or_else(|| self.wrong(field, "an object", value))
    }

    fn missing(self, field: &str, key: &str) -> MaskError {
        self.malformed(field, format!("the required field `{key}` is missing"))
    }

    fn wrong(self, field: &str, expected: &str, found: &Value) -> MaskError {
        self.malformed(field, format!("expected {expected}, found {}", kind(found)))
    }

    fn malformed(self, field: &str, reason: String) -> MaskError {
        MaskError::AnnotationMalformed {
            class: self.class.to_owned(),
            of: self.of.name(),
            field: field.to_owned(),
            reason,
        }
    }
}
