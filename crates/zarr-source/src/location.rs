//! Where a container lies: a path of the file system, or a URL.

use std::fmt;
use std::path::{Path, PathBuf};

/// The beginnings of text that is a URL.
const SCHEMES: [&str; 3] = ["http://", "https://", "s3://"];

/// The place of an array or group: a path, or a URL that begins with `http://`, `https://` or `s3://`.
///
/// It is shown without user names, passwords and queries, which may hold secrets.
///
/// ```
/// use zarr_source::Location;
///
/// let location = Location::from("https://me:secret@example.org/crop.zarr?signature=1234");
/// assert_eq!(location.to_string(), "https://example.org/crop.zarr");
/// assert!(location.is_url());
/// assert!(!Location::from("s3/crop.zarr").is_url());
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Location(Place);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Place {
    Path(PathBuf),
    Url(String),
}

impl Location {
    /// Whether it is a URL.
    #[must_use]
    pub fn is_url(&self) -> bool {
        matches!(self.0, Place::Url(_))
    }

    /// What lies below it at `name`, such as `labels/s0`. A query of a URL stays.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        match &self.0 {
            Place::Path(path) => Self(Place::Path(path.join(name))),
            Place::Url(url) => {
                let (place, rest) = url.split_at(end_of_path(url));
                let name = name.trim_start_matches('/');
                Self(Place::Url(format!("{}/{name}{rest}", place.trim_end_matches('/'))))
            }
        }
    }

    /// The scheme of a URL that was taken for a path because it has another one.
    pub(crate) fn unknown_scheme(&self) -> Option<&str> {
        let (scheme, _) = self.as_path()?.to_str()?.split_once("://")?;
        let is_scheme = scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric());
        is_scheme.then_some(scheme)
    }

    /// The path, if it is one.
    pub(crate) fn as_path(&self) -> Option<&Path> {
        match &self.0 {
            Place::Path(path) => Some(path),
            Place::Url(_) => None,
        }
    }

    /// The URL with all that it holds, if it is one.
    #[cfg(feature = "remote")]
    pub(crate) fn as_url(&self) -> Option<&str> {
        match &self.0 {
            Place::Path(_) => None,
            Place::Url(url) => Some(url),
        }
    }
}

/// Whether a text begins like a URL that can be opened.
fn is_url(text: &str) -> bool {
    SCHEMES.iter().any(|scheme| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

/// Where the query or the fragment of a URL begins.
fn end_of_path(url: &str) -> usize {
    url.find(['?', '#']).unwrap_or(url.len())
}

/// A URL without its user, password, query and fragment.
pub(crate) fn redacted(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    let authority = rest.get(..rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let is_password = |text: &str| !text.chars().all(|c| c.is_ascii_digit());
    // Keys are often pasted as they are, and may hold what ends a host.
    let is_cut = authority.filter(|authority| !authority.contains(['@', '[']));
    let is_cut = is_cut.and_then(|authority| authority.split_once(':'));
    let rest = match is_cut {
        Some((user, password)) if is_password(password) => {
            rest.rsplit_once('@').map_or(user, |(_, place)| place)
        }
        _ => rest,
    };
    let shown = rest.get(..end_of_path(rest)).unwrap_or_default();
    let (host, path) = shown.split_at(shown.find('/').unwrap_or(shown.len()));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{scheme}{host}{path}")
}

impl From<&str> for Location {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl From<&String> for Location {
    fn from(text: &String) -> Self {
        Self::from(text.clone())
    }
}

impl From<String> for Location {
    fn from(text: String) -> Self {
        Self(if is_url(&text) { Place::Url(text) } else { Place::Path(PathBuf::from(text)) })
    }
}

impl From<&Path> for Location {
    fn from(path: &Path) -> Self {
        Self::from(path.to_owned())
    }
}

impl From<&PathBuf> for Location {
    fn from(path: &PathBuf) -> Self {
        Self::from(path.clone())
    }
}

impl From<PathBuf> for Location {
    fn from(path: PathBuf) -> Self {
        // Programs hand on what was typed as a path, whatever it is.
        match path.to_str().filter(|text| is_url(text)) {
            Some(url) => Self(Place::Url(url.to_owned())),
            None => Self(Place::Path(path)),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            // Whatever its scheme, a URL may hold secrets.
            Place::Path(path) if self.unknown_scheme().is_some() => {
                formatter.pad(&redacted(&path.to_string_lossy()))
            }
            Place::Path(path) => path.display().fmt(formatter),
            Place::Url(url) => formatter.pad(&redacted(url)),
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Location").field(&self.to_string()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_display_nor_debug_shows_a_secret() {
        for (url, shown) in [
            ("s3://key:secret@bucket/crop.zarr", "s3://bucket/crop.zarr"),
            ("https://a:secret@host:80/x?sig=secret", "https://host:80/x"),
            ("https://a:se@cret@host?secret", "https://host"),
            ("HTTP://host/a@b#secret", "HTTP://host/a@b"),
            ("gs://a:secret@b/c?secret", "gs://b/c"),
            ("s3://key:se/cret@bucket/crop.zarr", "s3://bucket/crop.zarr"),
            ("https://a:secret?secret#/secret@host/x", "https://host/x"),
            ("https://a:secret?secret", "https://a"),
            ("http://[::1]:80/a@b", "http://[::1]:80/a@b"),
            ("http://host:80/a@b", "http://host:80/a@b"),
        ] {
            let location = Location::from(url);
            assert_eq!(location.to_string(), shown);
            assert_eq!(format!("{location:?}"), format!("Location({shown:?})"));
        }
    }

    #[test]
    fn a_url_is_one_whether_it_comes_as_text_or_as_a_path() {
        for text in ["s3://b/c.zarr", "HTTPS://h/c.zarr"] {
            assert!(Location::from(text).is_url());
            assert_eq!(Location::from(Path::new(text)), Location::from(text));
        }
        for text in ["s3:/b", "ftp://h/c", "data/http://x", "", "ö"] {
            assert_eq!(Location::from(text).as_path(), Some(Path::new(text)));
        }
    }

    #[test]
    fn joining_goes_before_the_query() {
        let url = Location::from("https://host/crop.zarr/?sig=1").join("labels/s0");
        assert!(
            matches!(url.0, Place::Url(url) if url == "https://host/crop.zarr/labels/s0?sig=1")
        );
        let path = Location::from("crop.zarr").join("s0");
        assert_eq!(path.as_path(), Some(Path::new("crop.zarr/s0")));
    }
}
