//! Where the chunks of an array lie.

use std::path::PathBuf;

/// How the index of a chunk becomes the name of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyEncoding {
    /// Between the numbers: `.` or `/`.
    pub(crate) separator: char,
    /// Whether the name begins with `c`, as in version 3.
    pub(crate) prefix: bool,
}

impl KeyEncoding {
    /// The name of a chunk's file, relative to the array's folder.
    pub(crate) fn key(self, index: &[usize]) -> String {
        let mut key = if self.prefix { "c".to_owned() } else { String::new() };
        for number in index {
            if !key.is_empty() {
                key.push(self.separator);
            }
            key.push_str(&number.to_string());
        }
        key
    }

    /// The same as a path.
    pub(crate) fn path(self, index: &[usize]) -> PathBuf {
        self.key(index).split('/').collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_format() {
        let key = |separator, prefix| KeyEncoding { separator, prefix }.key(&[3, 0, 12]);
        assert_eq!(key('.', false), "3.0.12");
        assert_eq!(key('/', false), "3/0/12");
        assert_eq!(key('/', true), "c/3/0/12");
        assert_eq!(key('.', true), "c.3.0.12");
    }
}
