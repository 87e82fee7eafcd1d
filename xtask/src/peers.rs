//! The same work with voxmask and with what people use otherwise, in turn, as a table.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::{python, setup};

/// What does the work otherwise.
pub(crate) const PYTHON: &[&str] = &["zarr==3.1.6", "tensorstore==0.1.86", "zarrs==0.2.3"];

/// The kinds of work.
const WORK: [&str; 2] = ["full", "patches"];

/// Whose turn it is: each side goes first as often as the other.
const TURNS: [Side; 4] = [Side::Ours, Side::Theirs, Side::Theirs, Side::Ours];

/// The tables of the documentation stand between these lines.
const MARKERS: [&str; 2] = ["<!-- peers: begin -->", "<!-- peers: end -->"];

#[derive(Clone, Copy)]
enum Side {
    Ours,
    Theirs,
}

/// What is asked for on the command line.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    side: String,
    codec: String,
    work: Vec<&'static str>,
    write: bool,
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

/// Compares, prints tables, and writes them into the documentation if that is asked for.
///
/// # Errors
///
/// If an option is unknown, a side cannot be made or fails, or the two do not agree.
pub(crate) fn run(options: &[&str]) -> anyhow::Result<()> {
    let Options { side, codec, work, write } = parse(options)?;
    let document = crate::root().join("docs/benchmarks.md");
    if write {
        // Better said now than after the measurements.
        around_markers(&document, MARKERS)?;
    }
    let python = setup::python(&crate::target().join("peers/benchmarks"), PYTHON)?;
    python::install(&python)?;
    crate::cargo(&["build", "--release", "--package", "benches", "--bin", "peer"], &[])?;
    let folder = tempfile::tempdir().context("making a temporary folder")?;
    let mut tables = facts(&python)?;
    println!("{tables}");
    for labels in ["u8", "u64"] {
        let volume = format!("{side}-{labels}-{codec}");
        ours(folder.path(), &volume, "make", &mut Results::default())?;
        for &work in &work {
            let mut results = Results::default();
            for (number, turn) in TURNS.into_iter().enumerate() {
                eprintln!("> {volume}, {work}: {}", ["voxmask", "peers"][turn as usize]);
                match turn {
                    Side::Ours => ours(folder.path(), &volume, work, &mut results)?,
                    Side::Theirs => {
                        let script = crate::root().join("benches/peers/peers.py");
                        let mut peers = Command::new(&python);
                        peers.arg("-B").arg(script).arg(folder.path());
                        results.add(peers.args([&volume, work, &number.to_string()]))?;
                    }
                }
            }
            let table = results.table(&volume)?;
            println!("{table}");
            write!(tables, "\n{table}")?;
        }
    }
    if write { write_between_markers(&document, MARKERS, &tables) } else { Ok(()) }
}

fn parse(options: &[&str]) -> anyhow::Result<Options> {
    let (side, codec) = ("512".to_owned(), "lz4".to_owned());
    let mut parsed = Options { side, codec, work: WORK.to_vec(), write: false };
    let mut rest = options;
    loop {
        rest = match rest {
            [] => return Ok(parsed),
            ["--write", rest @ ..] => {
                parsed.write = true;
                rest
            }
            ["--side", side, rest @ ..] => {
                // The largest patches have 96 voxels along each axis.
                if !side.parse::<usize>().is_ok_and(|side| side >= 96) {
                    bail!("--side {side}: not a number of voxels from 96 on");
                }
                parsed.side = (*side).to_owned();
                rest
            }
            ["--codec", codec @ ("lz4" | "zstd"), rest @ ..] => {
                parsed.codec = (*codec).to_owned();
                rest
            }
            ["--work", work, rest @ ..] => {
                let known = WORK.iter().find(|known| *known == work);
                parsed.work =
                    vec![known.with_context(|| format!("--work {work}: none of {WORK:?}"))?];
                rest
            }
            ["--codec", codec, ..] => bail!("--codec {codec}: neither lz4 nor zstd"),
            [other, ..] => {
                bail!(
                    "cannot take {other:?}: --side N, --codec lz4|zstd, --work full|patches and --write are known"
                )
            }
        };
    }
}

/// What the numbers hold for: the number of processors, and the versions.
fn facts(python: &Path) -> anyhow::Result<String> {
    let script = "import platform, numpy; print(platform.python_version(), numpy.__version__)";
    let output = Command::new(python).args(["-c", script]).output();
    let output = output.with_context(|| format!("starting {}", python.display()))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let Some((python, numpy)) = text.trim().split_once(' ') else {
        bail!("the versions of Python and NumPy are unknown ({})", output.status);
    };
    let threads = thread::available_parallelism().context("counting the processors")?;
    let (version, system) = (env!("CARGO_PKG_VERSION"), std::env::consts::OS);
    let packages = PYTHON.join(", ").replace("==", " ");
    Ok(format!(
        "{threads} processors ({}, {system}); voxmask {version}; Python {python}, NumPy {numpy}, {packages}.\n",
        std::env::consts::ARCH,
    ))
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
            let [low, ours, high] = quartiles(&self.times[work]);
            writeln!(table, "| **{work}** | **{ours:.0}** | {low:.0} to {high:.0} | |")?;
            let peers = self.names.iter().filter_map(|name| {
                let (of, peer) = name.split_once(": ")?;
                (of == work).then_some((name, peer))
            });
            for (name, peer) in peers {
                let (own, theirs) = (self.sums[work], self.sums[name]);
                if own != theirs {
                    bail!("{name}: the checksum of the result is {theirs}, not {own}");
                }
                let [low, median, high] = quartiles(&self.times[name]);
                let ratio = median / ours;
                writeln!(table, "| {peer} | {median:.0} | {low:.0} to {high:.0} | {ratio:.2} |")?;
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

/// Replaces what stands between two lines of a document.
pub(crate) fn write_between_markers(
    document: &Path,
    [begin, end]: [&str; 2],
    tables: &str,
) -> anyhow::Result<()> {
    let [before, after] = around_markers(document, [begin, end])?;
    let text = format!("{before}{begin}\n\n{tables}\n{end}{after}");
    fs::write(document, text).with_context(|| format!("writing {}", document.display()))
}

/// What stands before and behind the markers.
pub(crate) fn around_markers(
    document: &Path,
    [begin, end]: [&str; 2],
) -> anyhow::Result<[String; 2]> {
    let text =
        fs::read_to_string(document).with_context(|| format!("reading {}", document.display()))?;
    let parts = text.split_once(begin).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(end)?;
        Some([before.to_owned(), after.to_owned()])
    });
    parts.with_context(|| format!("{} has no line {begin} before {end}", document.display()))
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
            table.ends_with("| **mask** | **2** | 2 to 2 | |\n| A | 6 | 6 to 6 | 3.00 |\n"),
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
        write_between_markers(file.path(), MARKERS, "new").unwrap();
        let text = fs::read_to_string(file.path()).unwrap();
        assert_eq!(text, format!("before\n{}\n\nnew\n{}\nafter\n", MARKERS[0], MARKERS[1]));
        // Nothing is written where a marker is missing, or stands at the wrong place.
        for text in ["none", &format!("{}\n{}\n", MARKERS[1], MARKERS[0])] {
            fs::write(file.path(), text).unwrap();
            write_between_markers(file.path(), MARKERS, "new").unwrap_err();
            assert_eq!(fs::read_to_string(file.path()).unwrap(), *text);
        }
    }

    #[test]
    fn options_come_in_any_order_and_bad_ones_are_named() {
        let options = parse(&["--write", "--codec", "zstd", "--side", "256"]).unwrap();
        let (side, codec) = ("256".to_owned(), "zstd".to_owned());
        assert_eq!(options, Options { side, codec, work: WORK.to_vec(), write: true });
        assert_eq!(parse(&["--work", "full"]).unwrap().work, ["full"]);
        for bad in [
            &["--side", "64"][..],
            &["--side"],
            &["--codec", "gzip"],
            &["--work", "x"],
            &["--fast"],
        ] {
            let message = parse(bad).unwrap_err().to_string();
            assert!(message.contains(bad[0]), "{message}");
        }
    }
}
