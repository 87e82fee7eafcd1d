//! Fuzzing of everything that a stranger can reach.

mod ledger;
mod native;
mod python;
mod seeds;
mod words;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};

use ledger::Entry;

/// How long each target runs unless the user says otherwise, in seconds.
const SECONDS: u64 = 1800;

/// What one target did.
struct Run {
    entry: Entry,
    /// How many different steps of the program were seen, if that was counted.
    edges: Option<u64>,
    peak_mb: u64,
    findings: Vec<PathBuf>,
}

/// All targets: those in Rust, and the arguments of the Python package.
fn targets() -> impl Iterator<Item = &'static str> {
    native::TARGETS.iter().map(|(name, _)| *name).chain([python::TARGET])
}

/// `report`, or the name of a target or `all` and a number of seconds, both of which may be missing.
///
/// # Errors
///
/// If a target cannot be built or started, or found something.
pub(crate) fn run(options: &[&str]) -> anyhow::Result<()> {
    let ledger = crate::root().join("fuzz/ledger.csv");
    let (name, seconds) = match options {
        ["report"] => {
            print!("{}", ledger::report(&ledger::read(&ledger)?, targets()));
            return Ok(());
        }
        [] => ("all", SECONDS),
        [name] => (*name, SECONDS),
        [name, seconds] => (
            *name,
            seconds.parse().with_context(|| format!("{seconds:?} is no number of seconds"))?,
        ),
        _ => bail!("cannot fuzz {options:?}: a target and a number of seconds are expected"),
    };
    let chosen: Vec<_> = targets().filter(|target| name == "all" || *target == name).collect();
    if chosen.is_empty() {
        let names: Vec<_> = targets().collect();
        bail!("{name:?} is no target; they are all, {}", names.join(", "));
    }
    if chosen.iter().any(|target| *target != python::TARGET) {
        native::build()?;
    }
    let mut runs = Vec::new();
    for target in chosen {
        let run = match native::longest_input(target) {
            Some(longest) => native::fuzz(target, longest, seconds)?,
            None => python::fuzz(seconds)?,
        };
        ledger::add(&ledger, &run.entry)?;
        runs.push(run);
    }
    print_table(&runs);
    let kept: Vec<_> = runs.iter().flat_map(|run| &run.findings).collect();
    if !kept.is_empty() {
        for file in &kept {
            println!("{}", file.display());
        }
        bail!(
            "{} inputs made a target fail; to see how, give target/debug/fuzz-TARGET one of these files, or read it if \
             the target is {}",
            kept.len(),
            python::TARGET
        );
    }
    Ok(())
}

fn print_table(runs: &[Run]) {
    println!(
        "\n{:<14} {:>12} {:>14} {:>10} {:>8} {:>8} {:>9}",
        "TARGET", "CPU SECONDS", "EXECUTIONS", "A SECOND", "EDGES", "PEAK", "FINDINGS"
    );
    for Run { entry, edges, peak_mb, .. } in runs {
        println!(
            "{:<14} {:>12} {:>14} {:>10} {:>8} {:>8} {:>9}",
            entry.target,
            entry.cpu_seconds,
            entry.executions,
            entry.executions / entry.cpu_seconds.max(1),
            edges.map_or_else(|| "-".to_owned(), |edges| edges.to_string()),
            format!("{peak_mb} MB"),
            entry.findings,
        );
    }
}

/// The date in this place, as in 2026-01-31.
fn today() -> anyhow::Result<String> {
    let output = Command::new("date").arg("+%F").output().context("asking for the date")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
