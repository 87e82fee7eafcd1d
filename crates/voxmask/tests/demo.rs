//! `voxmask demo`: a sample that explains itself.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use common::{Run, Sandbox, assert_voxels, bytes_of, model_mask, model_target};
use predicates::prelude::*;

const OUTPUTS: [&str; 4] = ["crop.zarr", "groups.toml", "masks.zarr", "preview.png"];

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A folder in which the demo has run without arguments, to look at only.
fn shared() -> &'static (Sandbox, Run) {
    static SHARED: LazyLock<(Sandbox, Run)> = LazyLock::new(|| {
        let sandbox = Sandbox::new();
        let run = sandbox.succeeds(&["demo"]);
        (sandbox, run)
    });
    &SHARED
}

#[test]
fn the_demo_writes_to_a_folder_of_its_own_by_default() {
    let (sandbox, run) = shared();
    assert_eq!(names(sandbox.root()), ["voxmask-demo"]);
    assert_eq!(names(&sandbox.path("voxmask-demo")), OUTPUTS);
    assert!(run.stdout.contains("voxmask-demo/masks.zarr"), "{}", run.stdout);
}

#[test]
fn the_demo_writes_its_four_outputs_to_an_empty_folder_and_says_where_they_are() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("sample")).unwrap();
    let says = |text: &str| predicate::str::contains(text.to_owned());
    sandbox
        .command()
        .args(["demo", "sample"])
        .assert()
        .success()
        .stdout(says("sample/masks.zarr"))
        .stdout(says("sample/preview.png"))
        .stdout(says("CHANNEL").and(says("24 is present but was not annotated")))
        .stderr(predicate::str::is_empty());
    assert_eq!(names(sandbox.root()), ["sample"]);
    assert_eq!(names(&sandbox.path("sample")), OUTPUTS);
}

#[test]
fn two_demos_write_the_same_bytes_and_a_demo_repairs_one_that_did_not_end() {
    let written = shared().0.listing();
    assert!(written.values().flatten().count() > 20, "there are chunks to compare");
    let sandbox = Sandbox::new();
    sandbox.succeeds(&["demo"]);
    sandbox.assert_unchanged(&written);
    fs::remove_dir_all(sandbox.path("voxmask-demo/masks.zarr")).unwrap();
    fs::remove_file(sandbox.path("voxmask-demo/preview.png")).unwrap();
    fs::remove_dir_all(sandbox.path("voxmask-demo/crop.zarr/labels")).unwrap();
    sandbox.succeeds(&["demo"]);
    sandbox.assert_unchanged(&written);
}

#[test]
fn the_demo_refuses_a_folder_with_other_files_and_leaves_it_alone() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path("thesis/crop.zarr")).unwrap();
    sandbox.write("thesis/crop.zarr/precious", "voxels");
    sandbox.refuses(&["demo", "thesis"], 1, &["thesis", "not empty", "another folder"]);
    // A file of the name that the demo uses does not make the folder its own.
    sandbox.write("thesis/groups.toml", "# mine\n");
    sandbox.refuses(&["demo", "thesis"], 1, &["thesis", "not empty"]);
}

#[test]
fn the_demo_refuses_a_file_as_its_folder() {
    let sandbox = Sandbox::new();
    sandbox.write("notes.txt", "mine");
    sandbox.refuses(&["demo", "notes.txt"], 1, &["notes.txt"]);
    sandbox.refuses(&["demo", "notes.txt/below"], 1, &["notes.txt/below"]);
}

#[test]
fn the_masks_of_the_demo_are_those_of_its_labels_and_groups() {
    let folder = shared().0.path("voxmask-demo");
    let labels = bytes_of(&folder.join("crop.zarr/labels/s0")).mapv(i128::from);
    let groups: [&[i128]; 8] =
        [&[1], &[2], &[3, 4], &[12, 13], &[16, 17], &[20, 21, 24, 28, 37], &[8, 9], &[30]];
    let kept = [true, true, true, true, true, false, false, false];
    let masks = folder.join("masks.zarr");
    assert_voxels(&bytes_of(&masks.join("mask/s0")), &model_mask(&labels, &kept));
    assert_voxels(&bytes_of(&masks.join("target/s0")), &model_target(&labels, &groups, 0));
}

#[test]
fn every_command_that_the_demo_proposes_works() {
    let (demo, run) = shared();
    let proposals: Vec<&str> =
        run.stdout.lines().filter_map(|line| line.trim().strip_prefix("voxmask ")).collect();
    assert_eq!(proposals.len(), 3, "{}", run.stdout);
    // In a copy, as other tests look at the shared folder.
    let sandbox = Sandbox::new();
    for (path, bytes) in demo.listing() {
        match bytes {
            None => fs::create_dir(sandbox.root().join(path)).unwrap(),
            Some(bytes) => fs::write(sandbox.root().join(path), bytes).unwrap(),
        }
    }
    for proposal in proposals {
        sandbox.succeeds(&proposal.split(' ').collect::<Vec<_>>());
    }
    assert!(sandbox.path("voxmask-demo/generic.zarr/mask/s0/zarr.json").exists());
    assert!(sandbox.path("voxmask-demo/slice.png").exists());
}
