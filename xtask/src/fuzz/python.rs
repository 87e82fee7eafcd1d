//! The arguments of the Python package, with Hypothesis: it makes arguments of all kinds and types.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use wait4::Wait4;

use super::ledger::Entry;
use super::{Run, today};
use crate::python;

pub(super) const TARGET: &str = "python";

/// How many arguments each test gets in one round: they take about half a minute.
const EXAMPLES: &str = "250";

/// When a round is killed, in seconds: Hypothesis measures how long a call takes, and waits for one that does not end.
const PATIENCE: &str = "600";

/// What one round did.
struct Round {
    status: ExitStatus,
    time: Duration,
    peak: u64,
    output: String,
}

/// Runs the tests of hostile arguments with new arguments in each round, until the seconds have passed or one fails.
pub(super) fn fuzz(seconds: u64) -> anyhow::Result<Run> {
    let python = python::environment()?;
    let kept = crate::target().join("fuzz/findings").join(TARGET);
    fs::create_dir_all(&kept).with_context(|| format!("making {}", kept.display()))?;
    println!("> {TARGET} for {seconds} seconds");
    let began = Instant::now();
    let (mut time, mut peak, mut executions) = (Duration::ZERO, 0, 0);
    let mut findings = Vec::new();
    while findings.is_empty() && began.elapsed().as_secs() < seconds {
        // Another one in each round, and a number that can be told.
        let seed =
            SystemTime::now().duration_since(UNIX_EPOCH).context("asking for the time")?.as_secs();
        let round = round(&python, seed)?;
        time += round.time;
        peak = round.peak.max(peak);
        executions += examples(&round.output);
        if round.status.success() {
            continue;
        }
        if examples(&round.output) == 0 {
            bail!("the tests ended without a result ({}):\n{}", round.status, round.output);
        }
        // Other work on the machine makes single calls slow; what is slow by itself is so again.
        let again = self::round(&python, seed)?;
        if again.status.success() {
            println!("nothing failed when the seed {seed} was tried again");
            continue;
        }
        println!("{}", again.output);
        let file = kept.join(format!("seed-{seed}.txt"));
        fs::write(&file, &again.output).with_context(|| format!("writing {}", file.display()))?;
        findings.push(file);
    }
    let entry = Entry {
        date: today()?,
        target: TARGET.to_owned(),
        cpu_seconds: time.as_secs(),
        executions,
        findings: findings.len().try_into().context("there are too many findings")?,
    };
    Ok(Run { entry, edges: None, peak_mb: peak >> 20, findings })
}

/// Tries the arguments that follow from a seed, each within a second and 2 GiB.
fn round(python: &Path, seed: u64) -> anyhow::Result<Round> {
    let log = crate::target().join("fuzz/python.log");
    let file = File::create(&log).with_context(|| format!("making {}", log.display()))?;
    let beside = file.try_clone().with_context(|| format!("making {}", log.display()))?;
    let mut child = Command::new("timeout")
        .args(["--signal=KILL", PATIENCE])
        .arg(python)
        .args(["-m", "pytest", "-p", "no:cacheprovider", "--hypothesis-show-statistics"])
        .arg(format!("--hypothesis-seed={seed}"))
        .arg("tests/test_hostile_arguments.py")
        .current_dir(crate::root().join("crates/python"))
        .env("VOXMASK_EXAMPLES", EXAMPLES)
        .stdout(file)
        .stderr(beside)
        .spawn()
        .context("starting the tests")?;
    let used = child.wait4().context("waiting for the tests")?;
    let output = fs::read(&log).with_context(|| format!("reading {}", log.display()))?;
    Ok(Round {
        status: used.status,
        time: used.rusage.utime + used.rusage.stime,
        peak: used.rusage.maxrss,
        output: String::from_utf8_lossy(&output).into_owned(),
    })
}

/// How many arguments were tried, by the statistics that Hypothesis prints for each phase of each test: "- 98 passing,
/// 0 failing, and 2 invalid test cases".
fn examples(output: &str) -> u64 {
    let phases = output.lines().filter(|line| {
        ["passing", "failing", "invalid"].iter().all(|outcome| line.contains(outcome))
    });
    phases.flat_map(str::split_whitespace).filter_map(|word| word.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_of_all_phases_and_tests_are_counted() {
        let output = "tests/a.py::test_one:\n\n  - during generate phase (0.52 seconds):\n    \
            - Typical runtimes: ~ 0-4 ms, of which ~ 0-3 ms in data generation\n    \
            - 98 passing, 1 failing, and 2 invalid test cases\n    \
            - Found 1 distinct error in this phase\n\n  - during shrink phase (0.1 seconds):\n    \
            - 0 passing, 5 failing, and 0 invalid test cases\n\n\
            == 9 passed, 1 failed in 3.1s ==\n";
        assert_eq!(examples(output), 106);
        assert_eq!(examples("no tests ran in 0.1s"), 0);
    }
}
