//! `voxmask mask` where files cannot be written, or labels are changed meanwhile: an error that names the file and
//! the cause, no output, and a run that can be resumed.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::fs;
use std::process::Command;

use common::{Crop, Sandbox, assert_refusal, labels, run_of, typed};

const ARGS: [&str; 7] = ["mask", "crop.zarr/all/s0", "--group", "a=1,2", "--codec", "none", "-o"];

fn sandbox(shape: [usize; 3], chunks: [usize; 3]) -> Sandbox {
    let sandbox = Sandbox::new();
    let voxels = labels(&shape, &[0, 1, 2, 3]);
    let crop = Crop { chunks: &chunks, ..Crop::default() };
    crop.store(&sandbox.path("crop.zarr"), &typed::<u8>(&voxels));
    sandbox
}

#[test]
fn a_file_that_may_not_grow_is_an_error_that_names_it() {
    let sandbox = sandbox([40, 32, 32], [40, 32, 32]);
    let before = sandbox.listing();
    // The shell counts in blocks of 512 bytes.
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -f 20; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_voxmask")]);
    limited.args(ARGS).arg("out.zarr").current_dir(sandbox.root());
    let run = run_of(&limited.output().unwrap());
    assert_refusal(&run, 1, &["cannot write", "mask/s0/c/0/0/0/0", "File too large"], "a limit");
    sandbox.assert_unchanged(&before);
    sandbox.succeeds(&[&ARGS[..], &["out.zarr"]].concat());
}

#[test]
#[cfg(target_os = "linux")]
fn where_nothing_can_be_printed_the_exit_code_tells_it() {
    let sandbox = sandbox([8, 8, 8], [8, 8, 8]);
    let group = "--group=a=1,2";
    for args in [
        &["inspect", "crop.zarr/all/s0"][..],
        &["inspect", "--json", "crop.zarr/all/s0"],
        &["check", "crop.zarr/all/s0"],
        &["mask", "crop.zarr/all/s0", group, "-o", "out.zarr"],
        &["preview", "crop.zarr/all/s0", group, "-o", "out.png"],
        &["sample", "crop.zarr/all/s0", group, "--shape=4", "--count=1"],
        &["neuroglancer", "out.zarr", "--url", "http://127.0.0.1:8000/out.zarr"],
        &["demo", "demo"],
        &["inspect", "nowhere"],
    ] {
        let full = || fs::File::options().write(true).open("/dev/full").unwrap();
        let mut voxmask = Command::new(env!("CARGO_BIN_EXE_voxmask"));
        voxmask.args(args).current_dir(sandbox.root()).stdout(full());
        let run = run_of(&voxmask.output().unwrap());
        if !args.contains(&"nowhere") {
            assert_refusal(&run, 1, &["No space left on device"], &args.join(" "));
        }
        let status = voxmask.stderr(full()).status().unwrap();
        assert_eq!(status.code(), Some(1), "{args:?} without any output");
    }
}

#[test]
fn labels_that_changed_since_an_unfinished_run_are_refused_with_a_way_out() {
    let sandbox = sandbox([64, 64, 64], [8, 8, 8]);
    // Enough files that it does not end before it is killed.
    let args = [&ARGS[..], &["out.zarr", "--chunks", "4"]].concat();
    let mut child = Command::new(env!("CARGO_BIN_EXE_voxmask"))
        .args(&args)
        .current_dir(sandbox.root())
        .spawn()
        .unwrap();
    let journal = sandbox.path(".out.zarr.partial/journal");
    while fs::read_to_string(&journal).unwrap_or_default().lines().count() < 2 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let chunk = sandbox.path("crop.zarr/all/s0/0/0/0");
    let bytes = fs::read(&chunk).unwrap();
    fs::write(&chunk, [&bytes[..], b"0"].concat()).unwrap();
    let resume = [&args[..], &["--resume"]].concat();
    let needles = ["the labels have changed since", "crop.zarr/all/s0/0/0/0", "--overwrite"];
    sandbox.refuses(&resume, 1, &needles);
}
