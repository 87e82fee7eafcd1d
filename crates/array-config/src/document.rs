//! Text in any of the formats as one kind of value.

use std::fmt;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::error::ConfigError;

/// The format of a config file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// TOML.
    Toml,
    /// JSON.
    Json,
    /// YAML 1.2, one document.
    Yaml,
}

/// How deep values may be nested in YAML, whose parser takes some 20 kB of the stack for each level
/// (unoptimised). JSON and TOML have limits of their own, 128 and 80.
const MAX_YAML_DEPTH: usize = 40;

impl Format {
    /// The format that the extension of a file says.
    ///
    /// ```
    /// use array_config::Format;
    ///
    /// assert_eq!(Format::of("gt.yml".as_ref()), Some(Format::Yaml));
    /// assert_eq!(Format::of("crop.zarr".as_ref()), None);
    /// ```
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "toml" => Some(Self::Toml),
            "json" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            _ => None,
        }
    }

    /// Whether the keys of a table have an order.
    pub(crate) fn keeps_order(self) -> bool {
        self != Self::Toml
    }

    /// Reads a text.
    pub(crate) fn read(self, text: &str) -> Result<Value, ConfigError> {
        let wrong = |reason: &dyn fmt::Display| ConfigError::Syntax {
            format: self,
            reason: reason.to_string().trim_end().to_owned(),
        };
        let value: UniqueKeys = match self {
            Self::Toml => toml::from_str(text).map_err(|error| wrong(&error))?,
            Self::Json => serde_json::from_str(text).map_err(|error| wrong(&error))?,
            Self::Yaml => {
                // Without it, the y of `[z, y, x]` is true.
                let options = serde_saphyr::options! {
                    strict_booleans: true,
                    budget: serde_saphyr::budget! { max_depth: MAX_YAML_DEPTH },
                };
                serde_saphyr::from_str_with_options(text, options).map_err(|error| wrong(&error))?
            }
        };
        Ok(value.0)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Toml => "TOML",
            Self::Json => "JSON",
            Self::Yaml => "YAML",
        })
    }
}

/// A value in which no table has a key twice; alone, most of the parsers keep the last one silently.
pub(crate) struct UniqueKeys(pub(crate) Value);

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
