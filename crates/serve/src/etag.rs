//! Names of contents, for clients that have them already.

use std::fmt;
use std::hash::{DefaultHasher, Hasher};

use hyper::header::HeaderValue;

/// The name of some bytes: others have another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ETag(u128);

impl ETag {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        // Two hashes that differ in what goes before, so that names of 128 bits come of what std has.
        let hash = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            hasher.write_u8(salt);
            hasher.write(bytes);
            u128::from(hasher.finish())
        };
        Self((hash(1) << 64) | hash(2))
    }

    /// The name of the same content in another encoding.
    pub(crate) const fn encoded(self) -> Self {
        Self(!self.0)
    }

    /// Whether the value of `If-None-Match` or `If-Range` names this content.
    pub(crate) fn is_in(self, header: &HeaderValue) -> bool {
        let Ok(text) = header.to_str() else { return false };
        let own = self.to_string();
        text.split(',')
            .map(str::trim)
            .any(|name| name == "*" || name.strip_prefix("W/").unwrap_or(name) == own)
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{:032x}\"", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_among_others_and_with_a_weak_mark() {
        let (own, other) = (ETag::of(b"mask"), ETag::of(b"target"));
        assert_ne!(own, other);
        assert_ne!(own, own.encoded());
        for (header, expected) in [
            (own.to_string(), true),
            (format!("W/{own}"), true),
            (format!("{other}, {own}"), true),
            ("*".to_owned(), true),
            (other.to_string(), false),
            (own.to_string().replace('"', ""), false),
            (String::new(), false),
        ] {
            let value = HeaderValue::from_str(&header).unwrap();
            assert_eq!(own.is_in(&value), expected, "{header}");
        }
    }
}
