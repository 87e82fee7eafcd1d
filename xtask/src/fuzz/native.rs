//! Targets in Rust, with libFuzzer: it changes inputs, and keeps those that lead to new places in the program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use tempfile::TempDir;

use super::ledger::Entry;
use super::{Run, seeds, today, words};

/// The targets: programs of the package `fuzz`, and the longest input of each, in bytes.
pub(super) const TARGETS: &[(&str, usize)] = &[
    ("arguments", 2048),
    ("attributes", 16_384),
    ("chunks", 8192),
    ("class_table", 8192),
    ("config", 8192),
    ("documents", 16_384),
    ("groups", 8192),
    ("labels", 16_384),
    ("regions", 1024),
    ("request_keys", 2048),
    ("zip", 16_384),
];

/// The most memory that a target may have: what `fuzz/src/lib.rs` allows it to allocate, what C libraries allocate,
/// and what libFuzzer keeps.
const MAX_MB: u64 = 1024;

/// When a target that has not ended is killed, in seconds after it should have. The alarm of libFuzzer for slow inputs
/// allocates, and if it comes in the middle of an allocation it waits for ever.
const PATIENCE: u64 = 60;

/// The longest input of a target in bytes; none if it is no target in Rust.
pub(super) fn longest_input(target: &str) -> Option<usize> {
    TARGETS.iter().find(|(name, _)| *name == target).map(|(_, longest)| *longest)
}

/// Builds all targets with a stable toolchain; the coverage counters are what `fuzz/rustc` adds.
pub(super) fn build() -> anyhow::Result<()> {
    let text = |path: &Path| {
        let text = path.to_str().map(str::to_owned);
        text.with_context(|| format!("{} is no text", path.display()))
    };
    let (root, target) = (text(&crate::root())?, text(&crate::target())?);
    let (compiler, manifest) = (format!("{root}/fuzz/rustc"), format!("{root}/fuzz/Cargo.toml"));
    // No sanitizer: it makes everything so slow that no limit of time would mean anything, and the unsafe code of
    // the project has tests of its own under it (`cargo xtask sanitize`).
    let build = ["build", "--manifest-path", &manifest, "--target-dir", &target];
    crate::cargo(&build, &[("RUSTC_WRAPPER", &compiler), ("PROJECT", &root)])
}

/// Runs a target, from its seeds and from what it found interesting before.
pub(super) fn fuzz(target: &str, longest: usize, seconds: u64) -> anyhow::Result<Run> {
    let work = crate::target().join("fuzz");
    let folder = |what: &str| {
        let folder = work.join(what).join(target);
        let made = fs::create_dir_all(&folder);
        made.with_context(|| format!("making {}", folder.display())).map(|()| folder)
    };
    let (corpus, seeds, kept) = (folder("corpus")?, folder("seeds")?, folder("findings")?);
    let inputs = seeds::of(target, &crate::root())?;
    for (index, input) in inputs.iter().enumerate() {
        let file = seeds.join(index.to_string());
        fs::write(&file, input).with_context(|| format!("writing {}", file.display()))?;
    }
    let dictionary = work.join(format!("seeds/{target}.words"));
    let words = words::dictionary(&inputs);
    fs::write(&dictionary, &words).with_context(|| format!("writing {}", dictionary.display()))?;

    println!("> {target} for {seconds} seconds, from {} seeds", inputs.len());
    let used = cpu_seconds()?;
    let temporary = temporary()?;
    let mut command = command(target, &temporary, seconds);
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-max_len={longest}"));
    // libFuzzer takes no dictionary without words, and bytes of chunks have none.
    if !words.is_empty() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    command.arg(format!("-artifact_prefix={}/", kept.display()));
    command.arg("-print_final_stats=1").arg(&corpus).arg(&seeds);
    let output = command.output().with_context(|| format!("starting {target}"))?;
    let cpu_seconds = cpu_seconds()?.saturating_sub(used);

    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    let new: Vec<_> = written(&log).collect();
    if !output.status.success() {
        let lines: Vec<_> = log.lines().collect();
        println!("{}", lines[lines.len().saturating_sub(60)..].join("\n"));
        if new.is_empty() {
            bail!("{target} ended without a finding ({})", output.status);
        }
    }
    let mut findings = Vec::new();
    for file in new {
        // Other work on the machine makes single inputs slow; what is slow by itself is so again.
        let again = self::command(target, &temporary, 0).arg(&file).output();
        if again.with_context(|| format!("starting {target}"))?.status.success() {
            println!("{} did not fail when it was run again", file.display());
        } else {
            findings.push(file);
        }
    }
    let entry = Entry {
        date: today()?,
        target: target.to_owned(),
        cpu_seconds,
        executions: number_behind(&log, "stat::number_of_executed_units:").unwrap_or(0),
        findings: findings.len().try_into().context("there are too many findings")?,
    };
    let edges = log.lines().rev().find_map(|line| number_behind(line, " cov: ")).unwrap_or(0);
    let peak_mb = number_behind(&log, "stat::peak_rss_mb:").unwrap_or(0);
    Ok(Run { entry, edges: Some(edges), peak_mb, findings })
}

/// A target with the limits that hold for each input, killed if it does not end about so many seconds after it began.
fn command(target: &str, temporary: &TempDir, seconds: u64) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", &seconds.saturating_add(PATIENCE).to_string()]);
    command.arg(crate::target().join("debug").join(format!("fuzz-{target}")));
    command.arg("-timeout=1").arg(format!("-rss_limit_mb={MAX_MB}"));
    command.env("TMPDIR", temporary.path());
    // The same input takes the same way in each run.
    command.env("RAYON_NUM_THREADS", "1");
    command
}

/// Where a target puts the containers that it reads: in memory, if the system has a place for that.
fn temporary() -> anyhow::Result<TempDir> {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
    made.context("making a temporary folder")
}

/// The inputs that libFuzzer has kept because they failed.
fn written(log: &str) -> impl Iterator<Item = PathBuf> {
    let files = log.lines().filter_map(|line| line.split_once("Test unit written to "));
    files.map(|(_, file)| PathBuf::from(file.trim_end()))
}

/// The first number that follows `mark`.
fn number_behind(text: &str, mark: &str) -> Option<u64> {
    let (_, rest) = text.split_once(mark)?;
    rest.split_whitespace().next()?.parse().ok()
}

/// The processor time of all programs that this one started and that have ended.
fn cpu_seconds() -> anyhow::Result<u64> {
    /// What Linux counts in, for every program and on every machine that Rust runs on.
    const TICKS: u64 = 100;
    let file = "/proc/self/stat";
    let text = fs::read_to_string(file).with_context(|| format!("reading {file}"))?;
    // The name of the program, in brackets, may hold anything.
    let fields = text.rsplit_once(") ").map_or("", |(_, fields)| fields);
    let mut times = fields.split_whitespace().skip(13).take(2).map(str::parse::<u64>);
    match (times.next(), times.next()) {
        (Some(Ok(user)), Some(Ok(system))) => Ok((user + system) / TICKS),
        _ => bail!("{file} does not tell the time of the programs that were started"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_that_failed_is_found_in_what_libfuzzer_says() {
        let log = "#1024\tpulse  cov: 5120 ft: 13534 corp: 846/59Kb exec/s: 512 rss: 40Mb\n\
            ALARM: working on the last Unit for 1 seconds\n\
            artifact_prefix='/a b/zip/'; Test unit written to /a b/zip/timeout-34ef\n\
            SUMMARY: libFuzzer: timeout\n";
        assert_eq!(written(log).collect::<Vec<_>>(), [Path::new("/a b/zip/timeout-34ef")]);
        assert_eq!(written("Done 512 runs in 2 second(s)\n").next(), None);
    }
}
