//! Values out of texts in which a key that stands twice is a mistake, not a choice.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// A value in which no table has a key twice; alone, most of the parsers keep the last one silently.
///
/// ```
/// use annotation_mask::UniqueKeys;
///
/// assert!(serde_json::from_str::<UniqueKeys>(r#"{"mito": [3], "mito": [4]}"#).is_err());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct UniqueKeys(pub Value);

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueKeysVisitor).map(Self)
    }
}

struct UniqueKeysVisitor;

impl<'de> Visitor<'de> for UniqueKeysVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<Value, D::Error> {
        UniqueKeys::deserialize(value).map(|value| value.0)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<Value, D::Error> {
        self.visit_some(value)
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

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = serde_json::Number::from_f64(value);
        number.map(Value::Number).ok_or_else(|| E::custom(format!("{value} is no number here")))
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
                return Err(A::Error::custom(format!("the key {key:?} stands twice")));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use serde::de::value::{BytesDeserializer, Error};
    use serde_json::json;

    use super::*;

    #[test]
    fn every_value_is_read_as_it_is() {
        let value = json!([null, true, false, -3, 3, u64::MAX, 0.5, "text", {"a": {"b": []}}]);
        assert_eq!(UniqueKeys::deserialize(&value).unwrap(), UniqueKeys(value));
    }

    /// As formats have them that tell what may be missing, or has a name, from what it holds.
    #[test]
    fn a_value_may_stand_in_another() {
        assert_eq!(UniqueKeysVisitor.visit_none::<Error>(), Ok(Value::Null));
        assert_eq!(UniqueKeysVisitor.visit_some(json!([3])).unwrap(), json!([3]));
        assert_eq!(UniqueKeysVisitor.visit_newtype_struct(json!("a")).unwrap(), json!("a"));
    }

    #[test]
    fn what_is_no_value_here_is_refused() {
        let bytes = BytesDeserializer::<Error>::new(b"mito");
        let text = UniqueKeys::deserialize(bytes).unwrap_err().to_string();
        assert_eq!(text, "invalid type: byte array, expected a value");
    }
}
