//! How much has been fuzzed so far: a table that grows with each run.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// What one target did on one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) date: String,
    pub(crate) target: String,
    pub(crate) cpu_seconds: u64,
    pub(crate) executions: u64,
    pub(crate) findings: u64,
}

/// The entries in a file; none if there is no such file.
pub(crate) fn read(file: &Path) -> anyhow::Result<Vec<Entry>> {
    if !file.exists() {
        return Ok(Vec::new());
    }
    let reader = csv::Reader::from_path(file);
    let mut reader = reader.with_context(|| format!("reading {}", file.display()))?;
    let entries = reader.deserialize().collect::<Result<_, _>>();
    entries.with_context(|| format!("reading {}", file.display()))
}

/// Adds an entry to a file, to the one of the same day and target if there is one.
pub(crate) fn add(file: &Path, entry: &Entry) -> anyhow::Result<()> {
    let entries = with(read(file)?, entry);
    let mut writer = csv::Writer::from_writer(Vec::new());
    for entry in &entries {
        writer.serialize(entry).context("writing an entry")?;
    }
    let text = writer.into_inner().context("writing the entries")?;
    // Whole or not at all: the counts of earlier days cannot be made again.
    let beside = file.with_extension("new");
    fs::write(&beside, text).with_context(|| format!("writing {}", beside.display()))?;
    fs::rename(&beside, file).with_context(|| format!("writing {}", file.display()))
}

fn with(mut entries: Vec<Entry>, entry: &Entry) -> Vec<Entry> {
    let same = |other: &&mut Entry| other.date == entry.date && other.target == entry.target;
    match entries.iter_mut().find(same) {
        Some(other) => {
            other.cpu_seconds += entry.cpu_seconds;
            other.executions += entry.executions;
            other.findings += entry.findings;
        }
        None => entries.push(entry.clone()),
    }
    entries
}

/// A table of all targets: those of the ledger, and those of `known` that never ran.
pub(crate) fn report(entries: &[Entry], known: impl Iterator<Item = &'static str>) -> String {
    let mut sums: BTreeMap<&str, (u64, u64, u64, &str)> =
        known.map(|target| (target, (0, 0, 0, "never"))).collect();
    for entry in entries {
        let sum = sums.entry(&entry.target).or_insert((0, 0, 0, "never"));
        sum.0 += entry.cpu_seconds;
        sum.1 += entry.executions;
        sum.2 += entry.findings;
        sum.3 = &entry.date;
    }
    let (name, minutes, runs) = ("TARGET", "CPU MINUTES", "EXECUTIONS");
    let mut table = format!("{name:<14} {minutes:>12} {runs:>14} {:>9}  LAST RUN\n", "FINDINGS");
    for (target, (seconds, executions, findings, last)) in sums {
        // Nothing fails that writes to a string.
        let _ = writeln!(
            table,
            "{target:<14} {:>12} {executions:>14} {findings:>9}  {last}",
            format!("{}.{}", seconds / 60, seconds % 60 / 6),
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(date: &str, target: &str, cpu_seconds: u64) -> Entry {
        let (date, target) = (date.to_owned(), target.to_owned());
        Entry { date, target, cpu_seconds, executions: 10 * cpu_seconds, findings: 1 }
    }

    #[test]
    fn runs_of_a_day_add_up_and_days_stay_apart() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ledger.csv");
        for entry in [
            entry("2026-01-01", "zip", 60),
            entry("2026-01-01", "config", 9),
            entry("2026-01-02", "zip", 30),
            entry("2026-01-02", "zip", 36),
        ] {
            add(&file, &entry).unwrap();
        }
        assert_eq!(
            fs::read_to_string(&file).unwrap(),
            "date,target,cpu_seconds,executions,findings\n\
             2026-01-01,zip,60,600,1\n\
             2026-01-01,config,9,90,1\n\
             2026-01-02,zip,66,660,2\n"
        );
        let table = report(&read(&file).unwrap(), ["chunks", "zip"].into_iter());
        let lines: Vec<Vec<&str>> =
            table.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(
            lines,
            [
                ["chunks", "0.0", "0", "0", "never"],
                ["config", "0.1", "90", "1", "2026-01-01"],
                ["zip", "2.1", "1260", "3", "2026-01-02"],
            ]
        );
    }
}
