//! Grouping lists in a config.

use std::path::{Path, PathBuf};

use annotation_mask::{Grouping, Groups, LabelId, MaskError, Member, MemberGroup};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::at::At;
use crate::document::Format;
use crate::error::ConfigError;
use crate::fields::{Fields, expected, integer, list, malformed, text};
use crate::text_file::read_text;

/// One group for each channel, or the file that holds them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum GroupsConfig {
    /// The groups in the order of the channels.
    List(Vec<GroupConfig>),
    /// The path of a groups file.
    File(String),
}

/// One channel: a name, and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupConfig {
    /// The name of the channel.
    pub name: String,
    /// What belongs to it.
    pub ids: Vec<GroupMember>,
    /// Those of `ids` that annotators use for the class as a whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub generic_ids: Vec<GroupMember>,
}

/// What a group lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupMember {
    /// A label id.
    Id(LabelId),
    /// The name of a class.
    Class(String),
}

impl Serialize for GroupMember {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Id(id) => label_id(id, serializer),
            Self::Class(name) => serializer.serialize_str(name),
        }
    }
}

/// Writes an integer in the narrowest type that has it: most formats have no 128 bits.
pub(crate) fn label_id<S: Serializer>(id: &LabelId, serializer: S) -> Result<S::Ok, S::Error> {
    match (i64::try_from(*id), u64::try_from(*id)) {
        (Ok(id), _) => serializer.serialize_i64(id),
        (_, Ok(id)) => serializer.serialize_u64(id),
        _ => serializer.serialize_i128(*id),
    }
}

/// How a list of groups may be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GroupsForm {
    /// Whether the keys of a table have an order, as channels have.
    pub(crate) tables_have_order: bool,
    /// Whether a group may list names of classes.
    pub(crate) class_names: bool,
}

impl GroupsForm {
    /// Reads a list of groups, or the path of a file.
    pub(crate) fn read(self, value: &Value, at: &At<'_>) -> Result<GroupsConfig, ConfigError> {
        let groups = match value {
            Value::String(file) => return Ok(GroupsConfig::File(file.clone())),
            Value::Array(_) => list(value, at, "", |value, at| self.group(value, at))?,
            Value::Object(map) if self.tables_have_order => map
                .iter()
                .map(|(name, ids)| self.named(name, ids, &at.key(name)))
                .collect::<Result<_, _>>()?,
            Value::Object(_) => {
                let reason = "the keys of a TOML table have no order, and channels have; write a list of \
                              {name, ids}";
                return Err(malformed(at, reason));
            }
            _ => return Err(expected(at, "a list of groups", value)),
        };
        if groups.is_empty() {
            return Err(malformed(at, "there are no groups, so there would be no channels"));
        }
        Ok(GroupsConfig::List(groups))
    }

    /// `["mito", [3, 4]]` or `{"name": "mito", "ids": [3, 4]}`
    fn group(self, value: &Value, at: &At<'_>) -> Result<GroupConfig, ConfigError> {
        match value {
            Value::Array(pair) => match pair.as_slice() {
                [name, ids] => self.named(text(name, &at.index(0))?, ids, &at.index(1)),
                _ => Err(expected(at, "[name, [ids]]", value)),
            },
            Value::Object(_) => {
                let fields = Fields::new(value, at)?;
                let members = |value: &Value, at: &At<'_>| self.members(value, at);
                let group = GroupConfig {
                    name: fields.required("name", text)?.to_owned(),
                    ids: fields.required("ids", members)?,
                    generic_ids: fields.optional("generic_ids", members)?.unwrap_or_default(),
                };
                fields.finish()?;
                Ok(group)
            }
            _ => Err(expected(at, "a group such as [\"mito\", [3, 4]]", value)),
        }
    }

    fn named(self, name: &str, ids: &Value, at: &At<'_>) -> Result<GroupConfig, ConfigError> {
        let ids = self.members(ids, at)?;
        Ok(GroupConfig { name: name.to_owned(), ids, generic_ids: Vec::new() })
    }

    fn members(self, value: &Value, at: &At<'_>) -> Result<Vec<GroupMember>, ConfigError> {
        list(value, at, "a list of ids", |value, at| match value {
            Value::String(name) if self.class_names => Ok(GroupMember::Class(name.clone())),
            value => integer(value, at).map(GroupMember::Id),
        })
    }
}

impl GroupsConfig {
    /// The groups as ids; those of a file with a path relative to `base`.
    pub(crate) fn resolve(&self, base: &Path, at: &At<'_>) -> Result<Groups, ConfigError> {
        let groups = self.grouping(base, at)?.resolve_labels(None, None);
        groups.map_err(|error| malformed(at, error.to_string()))
    }

    /// The groups as they are written; those of a file with a path relative to `base`.
    pub(crate) fn grouping(&self, base: &Path, at: &At<'_>) -> Result<Grouping, ConfigError> {
        match self {
            Self::List(groups) => {
                Ok(groups.iter().map(GroupConfig::members).collect::<Vec<_>>().into())
            }
            Self::File(path) => read_file(base.join(path), at),
        }
    }
}

/// The groups in a file: TOML, JSON or YAML, as its name says.
///
/// # Errors
///
/// [`ConfigError::Io`], [`ConfigError::UnknownFormat`], or [`ConfigError::GroupsFile`] for what is wrong in it.
pub fn read_grouping(path: &Path) -> Result<Grouping, ConfigError> {
    read_file(path.to_owned(), &At::part("groups"))
}

fn read_file(file: PathBuf, at: &At<'_>) -> Result<Grouping, ConfigError> {
    let text = read_text(&file).map_err(|source| ConfigError::Io { file: file.clone(), source })?;
    let wrong = |source: MaskError| ConfigError::GroupsFile {
        place: at.to_string(),
        file: file.clone(),
        source: Box::new(source),
    };
    match Format::of(&file) {
        Some(Format::Toml) => Grouping::from_toml(&text).map_err(wrong),
        Some(Format::Json) => Grouping::from_json(&text).map_err(wrong),
        Some(Format::Yaml) => {
            let value = Format::Yaml.read(&text).map_err(|error| error.in_file(&file))?;
            Grouping::from_value(&value).map_err(wrong)
        }
        None => Err(ConfigError::UnknownFormat { file }),
    }
}

impl GroupConfig {
    fn members(&self) -> MemberGroup {
        let members = |members: &[GroupMember]| {
            let member = |member: &GroupMember| match member {
                GroupMember::Id(id) => Member::Id(*id),
                GroupMember::Class(name) => Member::Class(name.clone()),
            };
            members.iter().map(member).collect()
        };
        MemberGroup {
            name: self.name.clone(),
            members: members(&self.ids),
            generic: members(&self.generic_ids),
        }
    }
}
