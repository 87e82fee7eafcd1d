//! Writes mask and target of a volume, and tells how long that took and how much memory at most.
//!
//! `memory FOLDER SIDE-LABELS-CODEC make|write` makes the volume, or prints one JSON object.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be set up has failed")]

use std::fs;
use std::path::Path;
use std::time::Instant;

use annotation_mask::{MaskAndTarget, MaskOptions};
use benches::{Volume, groups};
use mask_writer::{Existing, WriteOptions, write};
use serde_json::json;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, volume, what] = &arguments[..] else { panic!("memory FOLDER VOLUME WHAT") };
    let (folder, volume) = (Path::new(folder), Volume::named(volume).expect("a volume"));
    let labels = volume.open(folder);
    if what == "make" {
        return;
    }
    let pair = MaskAndTarget::new(labels, &groups(8), &MaskOptions::default(), 0).unwrap();
    let options =
        WriteOptions { targets: true, existing: Existing::Overwrite, ..WriteOptions::default() };
    let begin = Instant::now();
    write(&pair, folder.join("masks.zarr"), &options, &()).unwrap();
    let seconds = begin.elapsed().as_secs_f64();
    fs::remove_dir_all(folder.join("masks.zarr")).unwrap();
    println!("{}", json!({"volume": volume.name(), "seconds": seconds, "peak_mb": peak()}));
}

/// The largest size of this process in memory, in units of 10^6 bytes; none where Linux does not tell.
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024 / 1_000_000)
}
