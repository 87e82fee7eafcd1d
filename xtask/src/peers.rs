//! The same work with voxmask and with what people use otherwise, in turn, as a table.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::setup;

/// What does the work otherwise.
const PYTHON: &[&str] = &["zarr==3.1.6", "tensorstore==0.1.86", "zarrs==0.2.3"];

/// Whose turn it is: each side goes first as often as the other.
const TURNS: [Side; 4] = [Side::Ours, Side::Theirs, Side::Theirs, Side::Ours];

/// The tables of the documentation stand between these lines.
const MARKERS: [&str; 2] = ["<!-- peers: begin -->", "<!-- peers: end -->"];

#[derive(Clone, Copy)]
enum Side {
    Ours,
    Theirs,
}

/// One measurement, as both sides print it.
#[derive(Deserialize)]
struct Measured {
    what: String,
    ms: f64,
    sum: u64,
}

/// The measurements of one kind of work on one volume: milliseconds by name, in order of appearance.
#[derive(Default)]
struct Results {
    names: Vec<String>,
    times: BTreeMap<String, Vec<f64>>,
    sums: BTreeMap<String, u64>,
}

/// Compares on volumes of `side`^3 voxels, prints tables, and writes them into `document` if there is one.
///
/// # Errors
///
/// If a side cannot be made or fails, or the two do not agree.
pub(crate) fn run(side: &str, document: Option<&Path>) -> anyhow::Result<()> {
    side.parse::<usize>().with_context(|| format!("{side:?} is no number of voxels"))?;
    let python = setup::python(&crate::target().join("peers/benchmarks"), PYTHON)?;
    crate::cargo(&["build", "--release", "--package", "benches", "--bin", "peer"], &[])?;
    let folder = tempfile::tempdir().context("making a temporary folder")?;
    let mut tables = String::new();
    for labels in ["u8", "u64"] {
        let volume = format!("{side}-{labels}-lz4");
        ours(folder.path(), &volume, "make", &mut Results::default())?;
        for work in ["full", "patches"] {
            let mut results = Results::default();
            for turn in TURNS {
                eprintln!("> {volume}, {work}: {}", ["voxmask", "peers"][turn as usize]);
                match turn {
                    Side::Ours => ours(folder.path(), &volume, work, &mut results)?,
                    Side::Theirs => {
                        let script = crate::root().join("benches/peers/peers.py");
                        let mut peers = Command::new(&python);
                        peers.arg(script).arg(folder.path()).args([&volume, work]);
                        results.add(&mut peers)?;
                    }
                }
            }
            let table = results.table(&volume)?;
            println!("{table}");
            write!(tables, "\n{table}")?;
        }
    }
    match document {
        Some(document) => write_between_markers(document, &tables),
        None => Ok(()),
    }
}

fn ours(folder: &Path, volume: &str, work: &str, results: &mut Results) -> anyhow::Result<()> {
    let mut peer = Command::new(crate::target().join("release/peer"));
    results.add(peer.arg(folder).args([volume, work]))
}

impl Results {
    /// Runs one side, and keeps what it prints.
    fn add(&mut self, command: &mut Command) -> anyhow::Result<()> {
        let text = format!("{command:?}");
        let output = command.stderr(Stdio::inherit()).output();
        let output = output.with_context(|| format!("starting {text}"))?;
        if !output.status.success() {
            bail!("{text} failed ({})", output.status);
        }
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let Measured { what, ms, sum } =
                serde_json::from_str(line).with_context(|| format!("{text} printed {line:?}"))?;
            if !self.times.contains_key(&what) {
                self.names.push(what.clone());
            }
            self.times.entry(what.clone()).or_default().push(ms);
            if *self.sums.entry(what.clone()).or_insert(sum) != sum {
                bail!("{what}: the results of two runs differ");
            }
        }
        Ok(())
    }

    /// Each peer below the work of ours that it is compared with, and how many times longer it takes.
    fn table(&self, volume: &str) -> anyhow::Result<String> {
        let mut table = format!("| {volume} | ms | quartiles | x voxmask |\n|---|--:|--:|--:|\n");
        let ours = self.names.iter().filter(|name| !name.contains(": "));
        for work in ours {
            let [low, own, high] = quartiles(&self.times[work]);
            writeln!(table, "| **{work}** | **{own:.0}** | {low:.0} to {high:.0} | |")?;
            let peers = self.names.iter().filter_map(|name| {
                let (of, peer) = name.split_once(": ")?;
                (of == work).then_some((name, peer))
            });
            for (name, peer) in peers {
                // What goes into a buffer is not looked at on our side.
                if self.sums[work] != self.sums[name] && !work.ends_with("into a buffer") {
                    bail!(
                        "{name}: the sum of the result is {}, not {}",
                        self.sums[name],
                        self.sums[work]
                    );
                }
                let [low, median, high] = quartiles(&self.times[name]);
                let ratio = median / own;
                writeln!(table, "| {peer} | {median:.0} | {low:.0} to {high:.0} | {ratio:.1} |")?;
            }
        }
        Ok(table)
    }
}

/// The lower quartile, the median and the upper quartile.
fn quartiles(times: &[f64]) -> [f64; 3] {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |quarter: usize| sorted.get((sorted.len() - 1) * quarter / 4).copied();
    [1, 2, 3].map(|quarter| at(quarter).unwrap_or(f64::NAN))
}

fn write_between_markers(document: &Path, tables: &str) -> anyhow::Result<()> {
    let text =
        fs::read_to_string(document).with_context(|| format!("reading {}", document.display()))?;
    let [begin, end] = MARKERS;
    let (Some((before, _)), Some((_, after))) = (text.split_once(begin), text.split_once(end))
    else {
        bail!("{} has no lines {begin} and {end}", document.display());
    };
    let text = format!("{before}{begin}\n{tables}\n{end}{after}");
    fs::write(document, text).with_context(|| format!("writing {}", document.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_stands_below_the_work_that_it_does_with_its_ratio() {
        let mut results = Results::default();
        let json =
            r#"printf '{"what":"mask","ms":2,"sum":7}\n{"what":"mask: A","ms":6,"sum":7}\n'"#;
        results.add(Command::new("sh").args(["-c", json])).unwrap();
        let table = results.table("v").unwrap();
        assert!(
            table.ends_with("| **mask** | **2** | 2 to 2 | |\n| A | 6 | 6 to 6 | 3.0 |\n"),
            "{table}"
        );
        let json = r#"printf '{"what":"mask: B","ms":6,"sum":8}\n'"#;
        results.add(Command::new("sh").args(["-c", json])).unwrap();
        assert!(results.table("v").unwrap_err().to_string().contains("not 7"));
    }

    #[test]
    fn only_what_is_between_the_markers_is_replaced() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), format!("before\n{}\nold\n{}\nafter\n", MARKERS[0], MARKERS[1]))
            .unwrap();
        write_between_markers(file.path(), "new").unwrap();
        let text = fs::read_to_string(file.path()).unwrap();
        assert_eq!(text, format!("before\n{}\nnew\n{}\nafter\n", MARKERS[0], MARKERS[1]));
    }
}
