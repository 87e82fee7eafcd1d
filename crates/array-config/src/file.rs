//! Configs in texts and files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use array_core::Array;
use serde_json::Value;
use zarr_source::OpenOptions;

use crate::at::At;
use crate::config::ArrayConfig;
use crate::document::Format;
use crate::error::ConfigError;
use crate::parse::Parser;
use crate::pick::pick;
use crate::text_file::read_text;

impl ArrayConfig {
    /// Reads a config in TOML.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Syntax`]; [`ConfigError::Malformed`], [`ConfigError::TooDeep`] or
    /// [`ConfigError::Unsupported`] with the place.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        Self::from_text(Format::Toml, text, "")
    }

    /// Reads a config in JSON.
    ///
    /// # Errors
    ///
    /// Those of [`ArrayConfig::from_toml`].
    pub fn from_json(text: &str) -> Result<Self, ConfigError> {
        Self::from_text(Format::Json, text, "")
    }

    /// Reads a config in YAML.
    ///
    /// # Errors
    ///
    /// Those of [`ArrayConfig::from_toml`].
    pub fn from_yaml(text: &str) -> Result<Self, ConfigError> {
        Self::from_text(Format::Yaml, text, "")
    }

    /// Reads the config in a file, of the format that its extension says. What follows a `#`, as in
    /// `dataset.yaml#gt_config`, is the part to read, as in [`ArrayConfig::from_file_at`].
    ///
    /// # Errors
    ///
    /// Those of [`ArrayConfig::from_file_at`].
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let (file, part) = split_part(path.as_ref());
        Self::from_file_at(file, &part)
    }

    /// Reads the config that is a part of a file: the one at `train_configs[0].gt_config`, for example,
    /// or at `/train_configs/0/gt_config`. An empty place is the whole file.
    ///
    /// # Errors
    ///
    /// [`ConfigError::UnknownFormat`]; [`ConfigError::Io`]; [`ConfigError::InFile`] with the cause,
    /// which is one of [`ArrayConfig::from_toml`] or [`ConfigError::NoSuchPart`].
    pub fn from_file_at(file: impl AsRef<Path>, part: &str) -> Result<Self, ConfigError> {
        let file = file.as_ref();
        let format =
            Format::of(file).ok_or_else(|| ConfigError::UnknownFormat { file: file.to_owned() })?;
        let text =
            read_text(file).map_err(|source| ConfigError::Io { file: file.to_owned(), source })?;
        Self::from_text(format, &text, part).map_err(|error| error.in_file(file))
    }

    /// Reads and opens the config in a file, which may be followed by a part; paths in it are relative
    /// to the folder of the file.
    ///
    /// # Errors
    ///
    /// Those of [`ArrayConfig::from_file`] and, in [`ConfigError::InFile`], of [`ArrayConfig::build`].
    pub fn open_file(path: impl AsRef<Path>) -> Result<Arc<dyn Array>, ConfigError> {
        Self::open_file_with(path, &OpenOptions::default())
    }

    /// Reads and opens the config in a file as [`ArrayConfig::open_file`] does. What it does not say about
    /// its Zarr arrays is as `defaults` say.
    ///
    /// # Errors
    ///
    /// Those of [`ArrayConfig::open_file`].
    pub fn open_file_with(
        path: impl AsRef<Path>,
        defaults: &OpenOptions,
    ) -> Result<Arc<dyn Array>, ConfigError> {
        let (file, part) = split_part(path.as_ref());
        let base = Self::base_of(path.as_ref());
        let config = Self::from_file_at(&file, &part)?;
        config.build_with(&base, defaults).map_err(|error| error.in_file(&file))
    }

    /// Whether a path, which may be followed by a part, ends as config files do. There need not be such
    /// a file.
    ///
    /// ```
    /// use array_config::ArrayConfig;
    ///
    /// assert!(ArrayConfig::is_file("dataset.yaml#gt_config".as_ref()));
    /// assert!(!ArrayConfig::is_file("crop1.zarr/labels".as_ref()));
    /// ```
    #[must_use]
    pub fn is_file(path: &Path) -> bool {
        Format::of(&split_part(path).0).is_some()
    }

    /// The folder to which relative paths in a config file are relative; the path may be followed by a part.
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use array_config::ArrayConfig;
    ///
    /// let path = Path::new("runs/split.yaml#/train_configs/0/gt_config");
    /// assert_eq!(ArrayConfig::base_of(path), Path::new("runs"));
    /// ```
    #[must_use]
    pub fn base_of(path: &Path) -> PathBuf {
        split_part(path).0.parent().unwrap_or(Path::new("")).to_owned()
    }

    fn from_text(format: Format, text: &str, part: &str) -> Result<Self, ConfigError> {
        let value: Value = format.read(text)?;
        let parser = Parser { tables_have_order: format.keeps_order() };
        if part.is_empty() {
            return parser.array(&value, &At::ROOT, 0);
        }
        let (value, place) = pick(&value, part)?;
        parser.array(value, &At::part(&place), 0)
    }
}

/// A path and the part behind its `#`, if what is before that ends as config files do.
fn split_part(path: &Path) -> (PathBuf, String) {
    let whole = || (path.to_owned(), String::new());
    let Some(text) = path.to_str().filter(|_| Format::of(path).is_none() || !path.exists()) else {
        return whole();
    };
    let mut hashes = text.match_indices('#').map(|(index, _)| text.split_at(index));
    match hashes.find(|(file, _)| Format::of(Path::new(file)).is_some()) {
        Some((file, part)) => (PathBuf::from(file), part.trim_start_matches('#').to_owned()),
        None => whole(),
    }
}
