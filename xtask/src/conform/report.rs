//! The outcome of one file of recorded answers.

use std::{collections::BTreeMap, fmt};

/// A deliberate difference from the recorded answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Its name in reports.
    pub(crate) name: &'static str,
    /// Why this project answers differently.
    pub(crate) reason: &'static str,
}

/// How one recorded answer compares with ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The answers are the same.
    Equal,
    /// They differ for the reason that the rule of this name states.
    Named(&'static str),
    /// They differ; the text shows both.
    Unexplained(String),
}

/// The outcome of comparing every recorded answer of one file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    /// What was compared.
    pub(crate) file: String,
    /// The number of recorded answers.
    pub(crate) total: usize,
    /// How many are the same as ours.
    pub(crate) equal: usize,
    /// How many differ on purpose, by the name of the rule.
    pub(crate) named: BTreeMap<&'static str, usize>,
    /// The others.
    pub(crate) unexplained: Vec<String>,
}

impl Report {
    /// Returns the report of a file of which nothing was compared yet.
    pub(crate) fn new(file: impl Into<String>) -> Self {
        Self { file: file.into(), ..Self::default() }
    }

    /// Counts one comparison.
    pub(crate) fn add(&mut self, verdict: Verdict) {
        self.total += 1;
        match verdict {
            Verdict::Equal => self.equal += 1,
            Verdict::Named(rule) => *self.named.entry(rule).or_default() += 1,
            Verdict::Unexplained(text) => self.unexplained.push(text),
        }
    }

    /// Returns the number of deliberate differences.
    pub(crate) fn num_named(&self) -> usize {
        self.named.values().sum()
    }

    /// Returns each rule of `rules` that was needed, with the number of answers under it.
    pub(crate) fn table<'a>(&self, rules: &'a [Rule]) -> Vec<(&'a Rule, usize)> {
        rules.iter().filter_map(|rule| Some((rule, *self.named.get(rule.name)?))).collect()
    }
}

/// Prints the counts, the rules that were needed, and the first unexplained differences.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 20;
        writeln!(
            f,
            "{}: {} answers, {} equal, {} named, {} unexplained",
            self.file,
            self.total,
            self.equal,
            self.num_named(),
            self.unexplained.len()
        )?;
        for (rule, count) in &self.named {
            writeln!(f, "  {count:>6}  {rule}")?;
        }
        for text in self.unexplained.iter().take(SHOWN) {
            writeln!(f, "  unexplained: {text}")?;
        }
        if self.unexplained.len() > SHOWN {
            writeln!(f, "  and {} more", self.unexplained.len() - SHOWN)?;
        }
        Ok(())
    }
}
