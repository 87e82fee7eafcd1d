//! Grouping lists as text: TOML, JSON in DaCapo's form, JSON objects, and `name=1,2,3`.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::error::MaskError;
use crate::groups::{Group, Groups};
use crate::label::LabelId;
use crate::labels::{integer, kind};

impl Groups {
    /// Reads TOML: one `[[group]]` table with `name`, `ids` and, if wanted, `generic_ids` for each
    /// channel.
    ///
    /// ```
    /// use annotation_mask::Groups;
    ///
    /// let groups = Groups::from_toml(
    ///     r#"
    ///     [[group]]
    ///     name = "nucleus"
    ///     ids = [20, 24, 37]
    ///     generic_ids = [37]
    ///     "#,
    /// )?;
    /// assert_eq!(groups.names(), ["nucleus"]);
    /// # Ok::<_, annotation_mask::MaskError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`MaskError::GroupMalformed`] with the place; those of [`Groups::new`].
    pub fn from_toml(text: &str) -> Result<Self, MaskError> {
        // Through JSON values, so that both formats obey one grammar and give the same messages. Only
        // as tables: the keys of a TOML document have no order, and the channels have.
        let table: Map<String, Value> = toml::from_str(text)
            .map_err(|error| malformed("groups as TOML", error.to_string().trim_end()))?;
        Self::new(tables(&table)?)
    }

    /// Reads JSON: DaCapo's `[["mito", [3, 4]], …]`, an object `{"mito": [3, 4], …}`, or the form of
    /// the TOML file, `{"group": [{"name": "mito", "ids": [3, 4]}]}`.
    ///
    /// # Errors
    ///
    /// [`MaskError::GroupMalformed`] with the place; those of [`Groups::new`].
    pub fn from_json(text: &str) -> Result<Self, MaskError> {
        let value: UniqueKeys = serde_json::from_str(text)
            .map_err(|error| malformed("groups as JSON", &error.to_string()))?;
        Self::from_value(&value.0)
    }

    /// Reads a JSON value in any form of [`Groups::from_json`].
    ///
    /// # Errors
    ///
    /// [`MaskError::GroupMalformed`] with the place; those of [`Groups::new`].
    pub fn from_value(value: &Value) -> Result<Self, MaskError> {
        let groups = match value {
            Value::Array(list) => list.iter().enumerate().map(pair).collect::<Result<_, _>>()?,
            Value::Object(map) if is_tables(map) => tables(map)?,
            Value::Object(map) => map
                .iter()
                .map(|(name, ids)| {
                    let place = format!("group {name:?}");
                    Ok(Group::new(name.clone(), id_list(&place, ids)?))
                })
                .collect::<Result<_, MaskError>>()?,
            other => {
                let reason = format!("expected a list or an object, found {}", kind(other));
                return Err(malformed("groups", &reason));
            }
        };
        Self::new(groups)
    }

    /// Reads one group from `name=1,2,3`; `name=` has no ids.
    ///
    /// # Errors
    ///
    /// [`MaskError::GroupMalformed`] if it has another form.
    pub fn parse_group(text: &str) -> Result<Group, MaskError> {
        let place = format!("group {text:?}");
        let Some((name, ids)) = text.split_once('=') else {
            return Err(malformed(&place, "expected NAME=ID,ID,…"));
        };
        Ok(Group::new(name.trim(), Self::parse_ids(ids)?))
    }

    /// Reads label ids from `1,2,3`; nothing gives no ids.
    ///
    /// # Errors
    ///
    /// [`MaskError::GroupMalformed`] for what is not an integer of 64 bits.
    pub fn parse_ids(text: &str) -> Result<Vec<LabelId>, MaskError> {
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let ids = text.split(',').map(|id| {
            let parsed = id.trim().parse::<LabelId>();
            parsed.map_err(|_| {
                malformed(&format!("ids {text:?}"), &format!("{id:?} is no integer of 64 bits"))
            })
        });
        ids.collect()
    }
}

/// `["mito", [3, 4]]`
fn pair((index, entry): (usize, &Value)) -> Result<Group, MaskError> {
    let place = format!("group {index}");
    match entry.as_array().map(Vec::as_slice) {
        Some([Value::String(name), ids]) => Ok(Group::new(name.clone(), id_list(&place, ids)?)),
        _ => {
            let reason = format!("expected [name, [ids]], found {}", kind(entry));
            Err(malformed(&place, &reason))
        }
    }
}

/// Whether an object has the form of the TOML file, and no channel of the name `group`.
fn is_tables(map: &Map<String, Value>) -> bool {
    let list = map.get("group").and_then(Value::as_array);
    list.is_some_and(|list| list.iter().any(Value::is_object))
}

/// `{"group": [{"name": …, "ids": …, "generic_ids": …}]}`
fn tables(map: &Map<String, Value>) -> Result<Vec<Group>, MaskError> {
    if let Some(key) = map.keys().find(|key| *key != "group") {
        return Err(malformed("groups", &format!("unknown key {key:?}; expected `group` alone")));
    }
    let list = map.get("group").and_then(Value::as_array);
    let list = list.ok_or_else(|| {
        malformed("groups", "there are no groups: `group` is missing or no list of tables")
    })?;
    list.iter().enumerate().map(table).collect()
}

fn table((index, entry): (usize, &Value)) -> Result<Group, MaskError> {
    let place = format!("group {index}");
    let Value::Object(table) = entry else {
        return Err(malformed(&place, &format!("expected a table, found {}", kind(entry))));
    };
    let known = ["name", "ids", "generic_ids"];
    if let Some(key) = table.keys().find(|key| !known.contains(&key.as_str())) {
        let reason = format!("unknown key {key:?}; known are name, ids and generic_ids");
        return Err(malformed(&place, &reason));
    }
    let Some(Value::String(name)) = table.get("name") else {
        return Err(malformed(&place, "`name` is missing or not a text"));
    };
    let ids = table.get("ids").ok_or_else(|| malformed(&place, "`ids` is missing"))?;
    let generic_ids = table.get("generic_ids").map(|ids| id_list(&place, ids)).transpose()?;
    Ok(Group::new(name.clone(), id_list(&place, ids)?)
        .with_generic_ids(generic_ids.unwrap_or_default()))
}

fn id_list(place: &str, ids: &Value) -> Result<Vec<LabelId>, MaskError> {
    let Value::Array(ids) = ids else {
        return Err(malformed(place, &format!("expected a list of ids, found {}", kind(ids))));
    };
    let one = |id| {
        integer(id)
            .ok_or_else(|| malformed(place, &format!("{} is no integer of 64 bits", kind(id))))
    };
    ids.iter().map(one).collect()
}

fn malformed(place: &str, reason: &str) -> MaskError {
    MaskError::GroupMalformed { place: place.to_owned(), reason: reason.to_owned() }
}

/// A JSON value in which no object has a key twice; `serde_json` alone keeps the last one silently.
struct UniqueKeys(Value);

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueKeysVisitor).map(Self)
    }
}

struct UniqueKeysVisitor;

impl<'de> Visitor<'de> for UniqueKeysVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(UniqueKeys(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, UniqueKeys(value))) = entries.next_entry::<String, _>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("the name {key:?} stands twice")));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}
