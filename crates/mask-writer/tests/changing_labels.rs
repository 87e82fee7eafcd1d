//! Labels that somebody changes while they are read, or between a run and the one that resumes it.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use annotation_mask::{GroundTruth, MaskAndTarget};
use array_core::{Array, ArrayExt, Crop};
use common::{labels, listing, memory, pair_of};
use geometry::Window;
use mask_writer::{Existing, Observer, WriteError, WriteOptions, write};
use serde_json::Map;
use zarr_source::{ImageOptions, Staging, ZarrArray, ZarrFormat};

const SHAPE: [usize; 3] = [13, 20, 9];

/// A chunk that a run comes to late.
const LATE: &str = "3/3/1";

/// Labels in a folder, in chunks that follow the blocks of the masks.
fn stored(folder: &Path) -> PathBuf {
    let voxels = labels(SHAPE);
    let source = memory(&voxels, &[4, 6, 5]);
    let staging = Staging::new(folder.join("crop.zarr"), false).unwrap();
    let options = ImageOptions { zarr_format: ZarrFormat::V2, ..ImageOptions::default() };
    let image = staging.create_image("labels", source.info(), &options).unwrap();
    image.write(image.roi(), &voxels.view().into_dyn().into()).unwrap();
    staging.commit(&Map::new()).unwrap().join("labels/s0")
}

fn pair(path: &Path) -> MaskAndTarget<ZarrArray> {
    pair_of(Arc::new(ZarrArray::open(path).unwrap()), &["a", "b", "c"])
}

fn options() -> WriteOptions<'static> {
    WriteOptions { targets: true, chunk_shape: Some(vec![4, 6, 5]), ..WriteOptions::default() }
}

/// Makes a file another one of the same size.
fn rewrite(path: &Path) {
    let before = fs::metadata(path).unwrap().modified().unwrap();
    let mut bytes = fs::read(path).unwrap();
    bytes.reverse();
    fs::write(path, bytes).unwrap();
    File::options().append(true).open(path).unwrap().set_modified(before + SECOND).unwrap();
}

const SECOND: Duration = Duration::from_secs(1);

/// What may happen to the labels: its name, the file, and what is done to it.
type Change = (&'static str, &'static str, fn(&Path));

fn changes() -> [Change; 4] {
    [
        ("a chunk is removed", LATE, |path| fs::remove_file(path).unwrap()),
        ("a chunk is another one of the same size", LATE, rewrite),
        ("a chunk is longer", LATE, |path| fs::write(path, vec![7; 1000]).unwrap()),
        ("the array is described anew", ".zarray", |path| {
            let text = fs::read_to_string(path).unwrap();
            fs::write(path, text.replace("\"fill_value\": 0", "\"fill_value\": 3") + " ").unwrap();
        }),
    ]
}

/// Changes a file once the first block is done.
struct Changing<'a> {
    file: PathBuf,
    change: &'a (dyn Fn(&Path) + Sync),
    done: AtomicBool,
}

impl Observer for Changing<'_> {
    fn advanced(&self, _voxels: u64) {
        if !self.done.swap(true, Ordering::Relaxed) {
            (self.change)(&self.file);
        }
    }
}

/// Ends the run after a number of blocks, beginning to count when the first is written.
struct Limit(AtomicUsize, AtomicBool);

impl Observer for Limit {
    fn begins(&self, _done: u64, _total: u64) {
        self.1.store(true, Ordering::Relaxed);
    }

    fn goes_on(&self) -> bool {
        let less = |left: usize| left.checked_sub(1);
        !self.1.load(Ordering::Relaxed)
            || self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

fn unfinished(pair: &dyn GroundTruth, output: &Path) {
    let limit = Limit(AtomicUsize::new(9), AtomicBool::default());
    let error = write(pair, output, &options(), &limit).unwrap_err();
    assert!(error.is_resumable(), "{error}");
}

#[test]
fn labels_that_change_while_they_are_read_give_no_output() {
    for (what, file, change) in changes() {
        let folder = tempfile::tempdir().unwrap();
        let (path, output) = (stored(folder.path()), folder.path().join("masks.zarr"));
        let observer =
            Changing { file: path.join(file), change: &change, done: AtomicBool::default() };
        let error = write(&pair(&path), &output, &options(), &observer).unwrap_err();
        assert!(matches!(error, WriteError::LabelsChanged { .. }), "{what}: {error:?}");
        if file == LATE {
            assert!(error.to_string().contains(path.join(file).to_str().unwrap()), "{error}");
        }
        assert!(!output.exists(), "{what}");
        assert!(!error.is_resumable(), "{what}");
    }
}

#[test]
fn labels_that_have_changed_are_not_resumed() {
    for (what, file, change) in changes() {
        let folder = tempfile::tempdir().unwrap();
        let (path, output) = (stored(folder.path()), folder.path().join("masks.zarr"));
        unfinished(&pair(&path), &output);
        let (file, named) = (path.join(file), file == LATE);
        let before = (fs::read(&file).unwrap(), fs::metadata(&file).unwrap().modified().unwrap());
        change(&file);
        let left = listing(folder.path());
        let resume = WriteOptions { existing: Existing::Resume, ..options() };
        let error = write(&pair(&path), &output, &resume, &()).unwrap_err();
        assert!(matches!(error, WriteError::LabelsDiffer { .. }), "{what}: {error:?}");
        assert!(!named || error.to_string().contains(file.to_str().unwrap()), "{error}");
        assert_eq!(listing(folder.path()), left, "{what}: the run is left alone");

        // Back as they were, they are the same labels.
        fs::write(&file, before.0).unwrap();
        File::options().append(true).open(&file).unwrap().set_modified(before.1).unwrap();
        let written = write(&pair(&path), &output, &resume, &()).unwrap();
        assert!(written.resumed_at.is_some(), "{what}");
        let whole = folder.path().join("whole.zarr");
        write(&pair(&path), &whole, &options(), &()).unwrap();
        assert_eq!(listing(&output), listing(&whole), "{what}");
    }
}

#[test]
fn labels_that_change_are_seen_where_blocks_are_kept_for_other_chunks() {
    for change in [|path: &Path| fs::remove_file(path).unwrap(), rewrite] {
        let folder = tempfile::tempdir().unwrap();
        let (path, output) = (stored(folder.path()), folder.path().join("masks.zarr"));
        let options = WriteOptions { chunk_shape: Some(vec![3, 7, 4]), ..options() };
        let pair = pair(&path);
        assert!(!mask_writer::decodes_once(pair.info(), &[3, 7, 4]));
        let observer =
            Changing { file: path.join(LATE), change: &change, done: AtomicBool::default() };
        let error = write(&pair, &output, &options, &observer).unwrap_err();
        assert!(matches!(error, WriteError::LabelsChanged { .. }), "{error:?}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        assert!(!output.exists());
    }
}

#[test]
fn a_run_that_is_ended_while_it_looks_at_the_labels_leaves_what_there_was() {
    let folder = tempfile::tempdir().unwrap();
    let (path, output) = (stored(folder.path()), folder.path().join("masks.zarr"));
    let at_once = || Limit(AtomicUsize::new(0), AtomicBool::new(true));
    let error = write(&pair(&path), &output, &options(), &at_once()).unwrap_err();
    assert!(matches!(error, WriteError::Interrupted { percent: None }), "{error:?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    unfinished(&pair(&path), &output);
    let left = listing(folder.path());
    let resume = WriteOptions { existing: Existing::Resume, ..options() };
    let error = write(&pair(&path), &output, &resume, &at_once()).unwrap_err();
    assert!(matches!(error, WriteError::Interrupted { percent: Some(1..100) }), "{error:?}");
    assert_eq!(listing(folder.path()), left);
}

#[test]
fn what_a_run_does_not_read_may_change() {
    let folder = tempfile::tempdir().unwrap();
    let (path, output) = (stored(folder.path()), folder.path().join("masks.zarr"));
    let array = ZarrArray::open(&path).unwrap();
    let part = array.info().grid().roi(&Window::new(&[0, 0, 0], &[8, 12, 9]).unwrap()).unwrap();
    let pair = pair_of(Arc::new(Crop::new(array, &part).unwrap()), &["a", "b", "c"]);
    let change = |path: &Path| fs::remove_file(path).unwrap();
    let observer = Changing { file: path.join(LATE), change: &change, done: AtomicBool::default() };
    write(&pair, &output, &options(), &observer).unwrap();
    assert!(!path.join(LATE).exists());
}

#[test]
fn an_array_that_goes_chunk_by_chunk_gives_no_output() {
    // What becomes of `rm -r` while the masks are made: there is no moment at which all of it is missing.
    let folder = tempfile::tempdir().unwrap();
    let (path, output) = (stored(folder.path()), folder.path().join("masks.zarr"));
    let change = |path: &Path| fs::remove_dir_all(path).unwrap();
    let observer = Changing { file: path.join("3"), change: &change, done: AtomicBool::default() };
    let error = write(&pair(&path), &output, &options(), &observer).unwrap_err();
    assert!(matches!(error, WriteError::LabelsChanged { .. }), "{error:?}");
    assert!(error.to_string().contains("which is not there"), "{error}");
    assert!(!output.exists());
}
