//! Grouping lists as text: TOML, JSON in DaCapo's form, JSON objects, and `name=1,mito_lum`.

use serde_json::{Map, Value};

use crate::error::MaskError;
use crate::grouping::{Grouping, Member, MemberGroup};
use crate::label::LabelId;
use crate::labels::{integer, kind};
use crate::unique_keys::UniqueKeys;

impl Grouping {
    /// Reads TOML: for each channel one `[[group]]` table with `name`, its members in `ids` (numbers,
    /// or names of classes) or `classes` (names), and, if wanted, `generic_ids`.
    ///
    /// ```
    /// use annotation_mask::Grouping;
    ///
    /// let grouping = Grouping::from_toml(
    ///     r#"
    ///     [[group]]
    ///     name = "mito"
    ///     classes = ["mito_mem", "mito_lum"]
    ///     "#,
    /// )?;
    /// assert_eq!(grouping.as_slice()[0].members.len(), 2);
    /// # Ok::<_, annotation_mask::MaskError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`MaskError::GroupMalformed`] with the place.
    pub fn from_toml(text: &str) -> Result<Self, MaskError> {
        // Through JSON values, so that both formats obey one grammar and give the same messages. Only
        // as tables: the keys of a TOML document have no order, and the channels have.
        let table: Map<String, Value> = toml::from_str(text)
            .map_err(|error| malformed("groups as TOML", error.to_string().trim_end()))?;
        Ok(tables(&table)?.into())
    }

    /// Reads JSON: DaCapo's `[["mito", [3, "mito_lum"]], …]`, an object `{"mito": [3, 4], …}`, or the
    /// form of the TOML file, `{"group": [{"name": "mito", "ids": [3, 4]}]}`.
    ///
    /// # Errors
    ///
    /// [`MaskError::GroupMalformed`] with the place.
    pub fn from_json(text: &str) -> Result<Self, MaskError> {
        let value: UniqueKeys = serde_json::from_str(text)
            .map_err(|error| malformed("groups as JSON", &error.to_string()))?;
        Self::from_value(&value.0)
    }

    /// Reads a JSON value in any form of [`Grouping::from_json`].
    ///
    /// # Errors
    ///
    /// [`MaskError::GroupMalformed`] with the place.
    pub fn from_value(value: &Value) -> Result<Self, MaskError> {
        let groups: Vec<MemberGroup> = match value {
            Value::Array(list) => list.iter().enumerate().map(pair).collect::<Result<_, _>>()?,
            Value::Object(map) if is_tables(map) => tables(map)?,
            Value::Object(map) => map
                .iter()
                .map(|(name, ids)| group(name, members(&format!("group {name:?}"), ids)?))
                .collect::<Result<_, MaskError>>()?,
            other => {
                let reason = format!("expected a list or an object, found {}", kind(other));
                return Err(malformed("groups", &reason));
            }
        };
        Ok(groups.into())
    }

    /// Reads one group from `mito=mito_mem,4`; `name=` has no members.
    ///
    /// # Errors
    ///
    /// [`MaskError::GroupMalformed`] if it has another form.
    pub fn parse_group(text: &str) -> Result<MemberGroup, MaskError> {
        let place = format!("group {text:?}");
        let Some((name, list)) = text.split_once('=') else {
            return Err(malformed(&place, "expected NAME=ID,ID,… or NAME=CLASS,CLASS,…"));
        };
        if list.trim().is_empty() {
            return group(name.trim(), Vec::new());
        }
        let member = |text: &str| match text.trim() {
            "" => Err(malformed(&place, "there is nothing between two commas")),
            number if number.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+') => {
                let id = number.parse::<LabelId>().map_err(|_| {
                    malformed(&place, &format!("{number:?} is no integer of 64 bits"))
                })?;
                Ok(Member::Id(id))
            }
            name => Ok(Member::Class(name.to_owned())),
        };
        group(name.trim(), list.split(',').map(member).collect::<Result<_, _>>()?)
    }
}

/// `["mito", [3, "mito_lum"]]`
fn pair((index, entry): (usize, &Value)) -> Result<MemberGroup, MaskError> {
    let place = format!("group {index}");
    match entry.as_array().map(Vec::as_slice) {
        Some([Value::String(name), list]) => group(name, members(&place, list)?),
        _ => {
            let reason = format!("expected [name, [ids]], found {}", kind(entry));
            Err(malformed(&place, &reason))
        }
    }
}

fn group(name: &str, members: Vec<Member>) -> Result<MemberGroup, MaskError> {
    Ok(MemberGroup { name: name.to_owned(), members, generic: Vec::new() })
}

/// Whether an object has the form of the TOML file, and no channel of the name `group`.
fn is_tables(map: &Map<String, Value>) -> bool {
    let list = map.get("group").and_then(Value::as_array);
    list.is_some_and(|list| list.iter().any(Value::is_object))
}

/// `{"group": [{"name": …, "ids": …, "classes": …, "generic_ids": …}]}`
fn tables(map: &Map<String, Value>) -> Result<Vec<MemberGroup>, MaskError> {
    if let Some(key) = map.keys().find(|key| *key != "group") {
        return Err(malformed("groups", &format!("unknown key {key:?}; expected `group` alone")));
    }
    let list = map.get("group").and_then(Value::as_array);
    let list = list.ok_or_else(|| {
        malformed("groups", "there are no groups: `group` is missing or no list of tables")
    })?;
    list.iter().enumerate().map(table).collect()
}

fn table((index, entry): (usize, &Value)) -> Result<MemberGroup, MaskError> {
    let place = format!("group {index}");
    let Value::Object(table) = entry else {
        return Err(malformed(&place, &format!("expected a table, found {}", kind(entry))));
    };
    let known = ["name", "ids", "classes", "generic_ids"];
    if let Some(key) = table.keys().find(|key| !known.contains(&key.as_str())) {
        let reason = format!("unknown key {key:?}; known are name, ids, classes and generic_ids");
        return Err(malformed(&place, &reason));
    }
    let Some(Value::String(name)) = table.get("name") else {
        return Err(malformed(&place, "`name` is missing or not a text"));
    };
    let list = |key: &str| table.get(key).map(|list| members(&place, list)).transpose();
    let (ids, classes) = (list("ids")?, list("classes")?);
    if let Some(id) = classes.iter().flatten().find(|member| matches!(member, Member::Id(_))) {
        return Err(malformed(&place, &format!("{id} in `classes` is no name; ids go to `ids`")));
    }
    let members = match (ids, classes) {
        (None, None) => return Err(malformed(&place, "`ids` is missing, and so is `classes`")),
        (ids, classes) => [ids.unwrap_or_default(), classes.unwrap_or_default()].concat(),
    };
    let generic = list("generic_ids")?.unwrap_or_default();
    Ok(MemberGroup { generic, ..group(name, members)? })
}

fn members(place: &str, list: &Value) -> Result<Vec<Member>, MaskError> {
    let Value::Array(list) = list else {
        return Err(malformed(place, &format!("expected a list of ids, found {}", kind(list))));
    };
    let one = |value: &Value| match value {
        Value::String(name) if name.trim().is_empty() => {
            Err(malformed(place, "the name of a class is empty"))
        }
        Value::String(name) => Ok(Member::Class(name.trim().to_owned())),
        Value::Number(_) => integer(value)
            .map(Member::Id)
            .ok_or_else(|| malformed(place, &format!("{value} is no integer of 64 bits"))),
        other => {
            let reason = format!("expected an id or the name of a class, found {}", kind(other));
            Err(malformed(place, &reason))
        }
    };
    list.iter().map(one).collect()
}

pub(super) fn malformed(place: &str, reason: &str) -> MaskError {
    MaskError::GroupMalformed { place: place.to_owned(), reason: reason.to_owned() }
}
