//! The memory limit: what is beyond it is refused, and what is below it stays there.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use common::{Crop, IDS, Sandbox, assert_refusal, bytes_of, labels, run_of, typed};
use ndarray::Array3;

/// Labels in two chunks, each of which takes 32 MiB.
fn large(sandbox: &Sandbox) -> Array3<u64> {
    let labels = Array3::from_shape_fn((256, 128, 256), |(z, y, x)| ((z / 8 + y + x) % 5) as u64);
    let crop = Crop { chunks: &[128, 128, 256], ..Crop::default() };
    crop.store(&sandbox.path("crop.zarr"), &labels.clone().into_dyn().into());
    labels
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_made() {
    let sandbox = Sandbox::new();
    let crop = Crop { chunks: &[20, 24, 18], ..Crop::default() };
    crop.store(&sandbox.path("crop.zarr"), &typed::<u64>(&labels(&[40, 48, 36], &IDS)));
    let before = sandbox.listing();
    let group = ["crop.zarr/all/s0", "--group", "a=3"];
    let beyond = ["beyond the memory limit of 20.0 kB"];
    let limited = ["--memory", "20kB"];
    sandbox.refuses(&[&["mask"], &group[..], &["-o", "out.zarr"], &limited].concat(), 1, &beyond);
    sandbox.refuses(&[&["preview"], &group[..], &["-o", "p.png"], &limited].concat(), 1, &beyond);
    sandbox.refuses(
        &[&["sample"], &group[..], &["--shape", "4", "--count", "1"], &limited].concat(),
        1,
        &beyond,
    );
    let checked = sandbox.run(&[&["check"], &group[..1], &limited].concat());
    assert_eq!(checked.code, Some(1), "{}", checked.stderr);
    assert!(
        checked.stdout.contains(beyond[0]) && !checked.stdout.contains("corrupt"),
        "{}",
        checked.stdout
    );
    sandbox.refuses(&[&["serve"], &group[..], &limited].concat(), 1, &beyond);
    sandbox.assert_unchanged(&before);
}

#[test]
fn limits_that_cannot_be_meant_are_wrong_usage() {
    let sandbox = Sandbox::new();
    for size in ["", "0", "much", "-1", "1XB", "99999999999GB"] {
        sandbox.refuses(&["inspect", "crop.zarr", &format!("--memory={size}")], 2, &["--memory"]);
    }
    let cache = ["serve", "crop.zarr", "--group", "a=3", "--memory", "1GiB", "--cache", "600MiB"];
    sandbox.refuses(&cache, 2, &["--cache 629145600 is more than half", "--memory"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_that_may_address_little_does_what_it_can_and_says_what_it_cannot() {
    let sandbox = Sandbox::new();
    let labels = large(&sandbox);
    let run = |kib: u32| {
        let limited = format!("ulimit -v {kib}; exec \"$@\"");
        let mut command = assert_cmd::Command::new("sh");
        command.args(["-c", &limited, "sh", env!("CARGO_BIN_EXE_voxmask")]);
        command.args(["mask", "crop.zarr/all/s0", "--group", "a=3", "-o", "out.zarr"]);
        // Otherwise each thread takes 64 MiB of addresses for small allocations.
        command.env("MALLOC_ARENA_MAX", "1").current_dir(sandbox.root());
        run_of(&command.output().unwrap())
    };
    let before = sandbox.listing();
    let refused = run(80_000);
    assert_refusal(
        &refused,
        1,
        &["takes 46.1 MB, beyond the memory limit of", "--memory"],
        "a run",
    );
    sandbox.assert_unchanged(&before);

    let written = run(240_000);
    assert_eq!(written.code, Some(0), "{}", written.stderr);
    let mask = bytes_of(&sandbox.path("out.zarr/mask/s0"));
    assert!(mask.iter().zip(&labels).all(|(&known, &label)| (known == 1) == (label > 0)));
}
