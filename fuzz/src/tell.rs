//! Inputs in parts, and errors as a user sees them.

use std::error::Error;

/// The most that an error may say, with all its causes: the longest input, quoted with escapes, and no more.
const LONGEST_MESSAGE: usize = 256 << 10;

/// The input up to each NUL, as text; nothing if a part is not UTF-8 or there are more than `N`. Parts that are
/// missing are empty.
pub fn parts<const N: usize>(data: &[u8]) -> Option<[&str; N]> {
    let mut found = [""; N];
    let mut slots = found.iter_mut();
    for part in data.split(|&byte| byte == 0) {
        *slots.next()? = std::str::from_utf8(part).ok()?;
    }
    Some(found)
}

/// The first byte, which chooses how the rest is read, and the rest.
pub fn text(data: &[u8]) -> Option<(u8, &str)> {
    let (first, rest) = data.split_first()?;
    Some((*first, std::str::from_utf8(rest).ok()?))
}

/// Writes an error and its causes as the command line does.
///
/// # Panics
///
/// If it says nothing, or more than the longest input could make it say once.
pub fn tell(error: &dyn Error) {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        message.push_str(": ");
        message.push_str(&next.to_string());
        cause = next.source();
    }
    assert!(!message.trim().is_empty(), "an error that says nothing: {error:?}");
    let length = message.len();
    assert!(length <= LONGEST_MESSAGE, "an error of {length} bytes: {:.1000}", message);
}
