//! Paths of requests, as what they ask for.

use std::fmt;

use zarr_source::ZarrFormat;

/// A path that is longer asks for nothing that there is.
const MAX_LENGTH: usize = 1024;
/// The most axes that a chunk is looked up by.
const MAX_AXES: usize = 32;

/// What a path asks for, as far as the path alone tells. No part of it ever becomes the path of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key<'a> {
    /// `/`: the page about the layers.
    Page,
    /// `/healthz`: whether the server answers.
    Health,
    /// `/zarr3/mask/s0/zarr.json`: a metadata document of the group of all layers, or of one.
    Document {
        /// The version of Zarr.
        format: ZarrFormat,
        /// The layer; none for the group of all.
        layer: Option<&'a str>,
        /// The key of the document in its group.
        document: &'a str,
    },
    /// `/zarr3/mask/s0/c/0/1/2/3`: a chunk.
    Chunk {
        /// The version of Zarr.
        format: ZarrFormat,
        /// The layer.
        layer: &'a str,
        /// The scale level.
        level: usize,
        /// The index of the chunk, which need not be inside.
        index: Vec<usize>,
    },
    /// `/v/1/index.html`: a file of the client.
    Client {
        /// The name of the file, relative to the folder of the client.
        file: &'a str,
    },
    /// `/events/1`: a stream of events for the client.
    Events,
}

/// Why a path asks for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// It is no path that any client makes of a link: it climbs, has empty parts or is spelled in a second way.
    Malformed,
    /// There is nothing of that name.
    Unknown,
}

impl<'a> Key<'a> {
    /// Reads a path, such as `/zarr3/mask/zarr.json`; nothing in it is decoded, since no name that is served
    /// needs to be encoded.
    ///
    /// # Errors
    ///
    /// [`KeyError`].
    ///
    /// ```
    /// use serve::{Key, KeyError};
    /// use zarr_source::ZarrFormat;
    ///
    /// let (format, layer) = (ZarrFormat::V3, "mask");
    /// let chunk = Key::Chunk { format, layer, level: 0, index: vec![0, 1, 2, 3] };
    /// assert_eq!(Key::parse("/zarr3/mask/s0/c/0/1/2/3"), Ok(chunk));
    /// assert_eq!(Key::parse("/zarr3/mask/../../etc/passwd"), Err(KeyError::Malformed));
    /// ```
    pub fn parse(path: &'a str) -> Result<Self, KeyError> {
        let path = path.strip_prefix('/').ok_or(KeyError::Malformed)?;
        if path.is_empty() {
            return Ok(Self::Page);
        }
        if path.len() > MAX_LENGTH {
            return Err(KeyError::Unknown);
        }
        if !path.bytes().all(is_plain) {
            return Err(KeyError::Malformed);
        }
        // A folder of the client is asked for with a slash behind it.
        let named = path.strip_suffix('/').unwrap_or(path);
        if named.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(KeyError::Malformed);
        }
        let (first, rest) = path.split_once('/').unwrap_or((path, ""));
        match first {
            "healthz" if path == "healthz" => Ok(Self::Health),
            "zarr2" => Self::in_zarr(ZarrFormat::V2, rest),
            "zarr3" => Self::in_zarr(ZarrFormat::V3, rest),
            "v" => match rest.split_once('/') {
                Some((_, "")) => Ok(Self::Client { file: "index.html" }),
                Some((_, file)) if !file.ends_with('/') => Ok(Self::Client { file }),
                _ => Err(KeyError::Unknown),
            },
            "events" if !rest.is_empty() && !rest.contains('/') => Ok(Self::Events),
            _ => Err(KeyError::Unknown),
        }
    }

    fn in_zarr(format: ZarrFormat, path: &'a str) -> Result<Self, KeyError> {
        if is_document(format, path) {
            return Ok(Self::Document { format, layer: None, document: path });
        }
        let (layer, inside) = path.split_once('/').ok_or(KeyError::Unknown)?;
        if is_document(format, inside) {
            return Ok(Self::Document { format, layer: Some(layer), document: inside });
        }
        let (level, key) = inside.split_once('/').ok_or(KeyError::Unknown)?;
        let level = level.strip_prefix('s').ok_or(KeyError::Unknown)?;
        let level = number(level)?;
        if is_document(format, key) {
            return Ok(Self::Document { format, layer: Some(layer), document: inside });
        }
        let index = match format {
            ZarrFormat::V3 => key.strip_prefix("c/").ok_or(KeyError::Unknown)?,
            _ => key,
        };
        if index.bytes().filter(|&byte| byte == b'/').count() >= MAX_AXES {
            return Err(KeyError::Unknown);
        }
        let index = index.split('/').map(number).collect::<Result<_, _>>()?;
        Ok(Self::Chunk { format, layer, level, index })
    }
}

/// The path that asks for a key.
impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Page => f.write_str("/"),
            Self::Health => f.write_str("/healthz"),
            Self::Document { format, layer, document } => {
                f.write_str(root(*format))?;
                if let Some(layer) = layer {
                    write!(f, "/{layer}")?;
                }
                write!(f, "/{document}")
            }
            Self::Chunk { format, layer, level, index } => {
                write!(f, "{}/{layer}/s{level}", root(*format))?;
                if *format == ZarrFormat::V3 {
                    f.write_str("/c")?;
                }
                index.iter().try_for_each(|index| write!(f, "/{index}"))
            }
            Self::Client { file } => write!(f, "/v/1/{file}"),
            Self::Events => f.write_str("/events/1"),
        }
    }
}

/// Where the layers of a format are.
pub(crate) const fn root(format: ZarrFormat) -> &'static str {
    match format {
        ZarrFormat::V2 => "/zarr2",
        _ => "/zarr3",
    }
}

fn is_document(format: ZarrFormat, name: &str) -> bool {
    match format {
        ZarrFormat::V2 => matches!(name, ".zgroup" | ".zattrs" | ".zarray" | ".zmetadata"),
        _ => name == "zarr.json",
    }
}

/// A number in the only spelling that clients use.
fn number(text: &str) -> Result<usize, KeyError> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(KeyError::Unknown);
    }
    if text.len() > 1 && text.starts_with('0') {
        return Err(KeyError::Malformed);
    }
    text.parse().map_err(|_| KeyError::Unknown)
}

/// Whether a byte may be in the path: names and numbers need no others, and none of them means anything to a
/// file system or a shell.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_' | b'@' | b'+' | b'~')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_there_is_found() {
        let document = |format, layer, document| Ok(Key::Document { format, layer, document });
        let (v2, v3) = (ZarrFormat::V2, ZarrFormat::V3);
        for (path, expected) in [
            ("/", Ok(Key::Page)),
            ("/healthz", Ok(Key::Health)),
            ("/zarr3/zarr.json", document(v3, None, "zarr.json")),
            ("/zarr3/mask/zarr.json", document(v3, Some("mask"), "zarr.json")),
            ("/zarr3/mask/s1/zarr.json", document(v3, Some("mask"), "s1/zarr.json")),
            ("/zarr2/.zmetadata", document(v2, None, ".zmetadata")),
            ("/zarr2/mask/s0/.zarray", document(v2, Some("mask"), "s0/.zarray")),
            (
                "/zarr2/mask/s0/0/10/2",
                Ok(Key::Chunk { format: v2, layer: "mask", level: 0, index: vec![0, 10, 2] }),
            ),
            ("/v/1/", Ok(Key::Client { file: "index.html" })),
            ("/v/some-token/a/b.js", Ok(Key::Client { file: "a/b.js" })),
            ("/events/1", Ok(Key::Events)),
        ] {
            assert_eq!(Key::parse(path), expected, "{path}");
        }
    }

    #[test]
    fn what_climbs_or_is_spelled_otherwise_is_malformed() {
        for path in [
            "",
            "healthz",
            "*",
            "//",
            "//etc/passwd",
            "/..",
            "/../",
            "/.",
            "/zarr3/../etc/passwd",
            "/zarr3/mask/../../../etc/passwd",
            "/zarr3/mask/s0/c/../c/0/0/0/0",
            "/zarr3//mask/zarr.json",
            "/zarr3/./mask/zarr.json",
            "/zarr3/%2e%2e/zarr.json",
            "/zarr3/%2e%2e%2fetc%2fpasswd",
            "/zarr3/mask%00/zarr.json",
            "/zarr3/..%5c..%5cwindows",
            "/zarr3/..\\..\\windows",
            "/v/1/..",
            "/v/1/../../Cargo.toml",
            "/v/1//etc/passwd",
            "/v/1/a//b.js",
            "/v/1/%2e%2e/Cargo.toml",
            "/v/1/a/..;/b",
            "/zarr3/mask/s0/c/00/0/0/0",
            "/zarr3/mask/s00/zarr.json",
            "/zarr3/mask/s0/c/0/0/0/0 ",
            "/zarr3/mask/s0/c/\u{ff10}/0/0/0",
        ] {
            assert_eq!(Key::parse(path), Err(KeyError::Malformed), "{path}");
        }
    }

    #[test]
    fn what_nobody_serves_is_unknown() {
        let many = format!("/zarr2/mask/s0{}", "/0".repeat(MAX_AXES + 1));
        let long = format!("/v/1/{}", "a".repeat(MAX_LENGTH));
        for path in [
            "/favicon.ico",
            "/zarr3",
            "/zarr3/",
            "/zarr4/zarr.json",
            "/zarr3/mask",
            "/zarr3/mask/",
            "/zarr3/mask/s0",
            "/zarr3/mask/s0/",
            "/zarr3/mask/s0/c",
            "/zarr3/mask/s0/c/",
            "/zarr3/mask/s0/c/-1/0/0/0",
            "/zarr3/mask/s0/c/+1/0/0/0",
            "/zarr3/mask/s0/c/0x1/0/0/0",
            "/zarr3/mask/s0/c/1.0/0/0/0",
            "/zarr3/mask/s0/c/99999999999999999999999/0/0/0",
            "/zarr3/mask/s99999999999999999999999/zarr.json",
            "/zarr3/mask/.zarray",
            "/zarr2/mask/zarr.json",
            "/healthz/",
            "/healthz/x",
            "/events",
            "/events/",
            "/events/1/2",
            "/v",
            "/v/1",
            "/v/1/folder/",
            &many,
            &long,
        ] {
            assert_eq!(Key::parse(path), Err(KeyError::Unknown), "{path}");
        }
    }

    fn keys() -> impl Strategy<Value = (ZarrFormat, String, usize, Vec<usize>)> {
        let format = prop_oneof![Just(ZarrFormat::V2), Just(ZarrFormat::V3)];
        let index = prop::collection::vec(prop_oneof![0..20_usize, any::<usize>()], 1..6);
        (format, "[a-z][a-z0-9_-]{0,8}", 0..30_usize, index)
    }

    proptest! {
        #[test]
        fn no_path_makes_it_panic(path in "(/|\\.|%2e|[a-z0-9]|zarr3|zarr2|s0|c|\\PC){0,24}") {
            let _ = Key::parse(&path);
        }

        #[test]
        fn a_chunk_has_one_path((format, layer, level, index) in keys()) {
            let key = Key::Chunk { format, layer: &layer, level, index };
            let path = key.to_string();
            prop_assert_eq!(Key::parse(&path), Ok(key.clone()));
        }

        #[test]
        fn what_is_read_is_written_back_the_same(
            path in "/(zarr2|zarr3)/[a-z]{1,3}/s[0-9]{1,2}(/c)?(/[0-9]{1,2}){1,4}"
        ) {
            if let Ok(key) = Key::parse(&path) {
                prop_assert_eq!(key.to_string(), path);
            }
        }
    }
}
