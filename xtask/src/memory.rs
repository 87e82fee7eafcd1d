//! How much memory it takes to write masks and targets, as a table.

use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use serde::Deserialize;

/// The larger volumes have eight times as many voxels as the smaller ones.
const VOLUMES: &[&str] = &[
    "512-u8-lz4",
    "1024-u8-lz4",
    "512-u64-lz4",
    "1024-u64-lz4",
    "512-u64-lz4-sparse",
    "1024-u64-lz4-sparse",
];

#[derive(Deserialize)]
struct Measured {
    seconds: f64,
    peak_mb: Option<u64>,
}

/// Writes each volume in a process of its own.
///
/// # Errors
///
/// If one fails.
pub(crate) fn run() -> anyhow::Result<()> {
    crate::cargo(&["build", "--release", "--package", "benches", "--bin", "memory"], &[])?;
    let folder = tempfile::tempdir().context("making a temporary folder")?;
    println!("{:<24} {:>9} {:>12}", "VOLUME", "SECONDS", "PEAK");
    for volume in VOLUMES {
        let run = |what: &str| {
            let mut command = Command::new(crate::target().join("release/memory"));
            command.arg(folder.path()).args([volume, what]).stderr(Stdio::inherit());
            let output = command.output().context("starting the measurement")?;
            if !output.status.success() {
                bail!("{volume} failed ({})", output.status);
            }
            Ok(output.stdout)
        };
        // In another process, so that making the labels does not count.
        run("make")?;
        let printed = run("write")?;
        let Measured { seconds, peak_mb } = serde_json::from_slice(&printed)
            .with_context(|| format!("{volume} printed {:?}", String::from_utf8_lossy(&printed)))?;
        let peak = peak_mb.map_or("unknown".to_owned(), |peak| format!("{peak} MB"));
        println!("{volume:<24} {seconds:>9.1} {peak:>12}");
    }
    Ok(())
}
