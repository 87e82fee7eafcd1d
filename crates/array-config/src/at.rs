//! Places inside a file.

use std::fmt;

/// A place inside a config: the steps that lead to it, as in `source.sources[2].path`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<'a> {
    parent: Option<&'a At<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    /// Where reading began; not empty where a part of the file was picked.
    Root(&'a str),
    Key(&'a str),
    Index(usize),
}

impl<'a> At<'a> {
    /// The config itself.
    pub(crate) const ROOT: Self = Self { parent: None, step: Step::Root("") };

    /// The config that lies at a place of its file.
    pub(crate) fn part(place: &'a str) -> Self {
        Self { parent: None, step: Step::Root(place) }
    }

    /// What a key of it holds.
    pub(crate) fn key(&'a self, key: &'a str) -> Self {
        Self { parent: Some(self), step: Step::Key(key) }
    }

    /// An entry of the list that it is.
    pub(crate) fn index(&'a self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index) }
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let begins = match self.parent {
            Some(parent) if matches!(parent.step, Step::Root("")) => true,
            Some(parent) => {
                write!(f, "{parent}")?;
                false
            }
            None => true,
        };
        match self.step {
            Step::Root("") => f.write_str("the config"),
            Step::Root(place) => f.write_str(place),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Key(key) if key.is_empty() || key.contains(['.', '[', '/', ' ']) => {
                write!(f, "[{key:?}]")
            }
            Step::Key(key) if begins => f.write_str(key),
            Step::Key(key) => write!(f, ".{key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_like_the_way_to_it() {
        let source = At::ROOT.key("source");
        let sources = source.key("sources");
        let second = sources.index(2);
        assert_eq!(second.key("path").to_string(), "source.sources[2].path");
        assert_eq!(second.key("a.b").to_string(), "source.sources[2][\"a.b\"]");
        assert_eq!(At::ROOT.to_string(), "the config");
        assert_eq!(At::ROOT.index(3).to_string(), "[3]");
        let part = At::part("train_configs[0]");
        assert_eq!(part.key("gt_config").to_string(), "train_configs[0].gt_config");
    }
}
