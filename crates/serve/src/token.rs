//! What those know who may look.

use std::fmt;
use std::str::FromStr;

use rand::TryRng;
use rand::rngs::SysRng;
use subtle::ConstantTimeEq;

use crate::error::ServeError;

/// A secret with which all paths of a site begin: `/<token>/zarr3/…`. Without it, nothing is found.
///
/// It is not shown by `Debug`, so that it is in no log.
///
/// ```
/// use serve::Token;
///
/// let token = Token::random()?;
/// assert_eq!(token.as_str().len(), 32);
/// assert_eq!(format!("{token:?}"), "Token(..)");
/// assert!("../secret".parse::<Token>().is_err());
/// # Ok::<_, serve::ServeError>(())
/// ```
#[derive(Clone)]
pub struct Token(String);

/// What nobody finds by trying: 16 letters and digits have 95 bits.
const MIN_LENGTH: usize = 16;
const MAX_LENGTH: usize = 128;

impl Token {
    /// A new one of 128 bits, of which the system says that nobody can guess it.
    ///
    /// # Errors
    ///
    /// [`ServeError::Random`] if the system has no random numbers.
    pub fn random() -> Result<Self, ServeError> {
        let mut bytes = [0; 16];
        SysRng.try_fill_bytes(&mut bytes).map_err(|error| ServeError::Random(error.into()))?;
        Ok(Self(format!("{:032x}", u128::from_be_bytes(bytes))))
    }

    /// The text that stands in the link.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a path asks for behind the token; none if it does not begin with it.
    pub(crate) fn behind<'a>(&self, path: &'a str) -> Option<&'a str> {
        let path = path.strip_prefix('/')?;
        let (first, rest) = path.split_at(path.find('/').unwrap_or(path.len()));
        // Each guess takes as long as another one, however much of it is right.
        let is_right = bool::from(first.as_bytes().ct_eq(self.0.as_bytes()));
        is_right.then_some(if rest.is_empty() { "/" } else { rest })
    }
}

/// A given token: 16 to 128 letters, digits, `-` and `_`, which need no encoding in a link.
///
/// # Errors
///
/// [`ServeError::Token`].
impl FromStr for Token {
    type Err = ServeError;

    fn from_str(text: &str) -> Result<Self, ServeError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if !(MIN_LENGTH..=MAX_LENGTH).contains(&text.len()) {
            let length = text.chars().count();
            let reason = format!(
                "it has {length} characters, not {MIN_LENGTH} to {MAX_LENGTH}; left out, one is made up"
            );
            return Err(ServeError::Token { reason });
        }
        match text.bytes().all(is_plain) {
            true => Ok(Self(text.to_owned())),
            false => {
                let reason = "it has other characters than letters, digits, - and _".to_owned();
                Err(ServeError::Token { reason })
            }
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_begins_with_the_whole_token_and_nothing_else() {
        let token: Token = "0123456789abcdef".parse().unwrap();
        for (path, expected) in [
            ("/0123456789abcdef/zarr3/zarr.json", Some("/zarr3/zarr.json")),
            ("/0123456789abcdef//x", Some("//x")),
            ("/0123456789abcdef/", Some("/")),
            ("/0123456789abcdef", Some("/")),
            ("/0123456789abcde/zarr3", None),
            ("/0123456789abcdef0/zarr3", None),
            ("/0123456789ABCDEF/zarr3", None),
            ("/0123456789abcdeg/zarr3", None),
            ("//0123456789abcdef/zarr3", None),
            ("/x/0123456789abcdef/", None),
            ("0123456789abcdef/zarr3", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(token.behind(path), expected, "{path}");
        }
    }

    #[test]
    fn random_tokens_are_long_and_differ() {
        let (one, other) = (Token::random().unwrap(), Token::random().unwrap());
        assert_ne!(one.as_str(), other.as_str());
        assert_eq!(one.as_str().parse::<Token>().unwrap().as_str(), one.as_str());
    }

    #[test]
    fn a_token_that_can_be_guessed_or_is_no_part_of_a_path_is_refused() {
        let refused = |text: &str| text.parse::<Token>().unwrap_err().to_string();
        for text in ["", "short", &"a".repeat(15), &"a".repeat(129)] {
            assert!(refused(text).contains("16 to 128"), "{text}");
        }
        for text in ["a/b", "a.b", "a b", "a%2eb", "a\u{e4}b", "a?b", "a#b", "a\nb"] {
            let text = format!("{}{text}", "a".repeat(16));
            assert!(refused(&text).contains("letters, digits"), "{text}");
        }
    }
}
