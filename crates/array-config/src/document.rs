//! Text in any of the formats as one kind of value.

use std::fmt;
use std::path::Path;

use annotation_mask::UniqueKeys;
use serde_json::Value;

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
