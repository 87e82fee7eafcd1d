//! Runs: what they write, and what becomes of them when they end early.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use annotation_mask::GroundTruth;
use array_core::{Array, ArrayExt, DType};
use common::{labels, listing, pair, pair_with};
use geometry::Window;
use mask_writer::{Existing, MaskLevels, Observer, TargetLevels, WriteError, WriteOptions, write};
use serde_json::{Map, json};
use zarr_source::{Compression, ImageOptions, Staging, ZarrArray, ZarrFormat};

/// Ends the run after a number of blocks, which do not count before the run begins to write.
struct Limit {
    left: AtomicUsize,
    begun: AtomicBool,
}

impl Limit {
    fn new(blocks: usize) -> Self {
        Self { left: AtomicUsize::new(blocks), begun: AtomicBool::default() }
    }
}

impl Observer for Limit {
    fn begins(&self, _done: u64, _total: u64) {
        self.begun.store(true, Ordering::Relaxed);
    }

    fn goes_on(&self) -> bool {
        let less = |left: usize| left.checked_sub(1);
        !self.begun.load(Ordering::Relaxed)
            || self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

/// Where the run that writes `output` has its files.
fn run_folder(output: &Path) -> PathBuf {
    let name = format!(".{}.partial", output.file_name().unwrap().to_str().unwrap());
    let entries = fs::read_dir(output.with_file_name(name)).unwrap();
    let mut folders = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    folders.next().unwrap()
}

fn options(format: ZarrFormat) -> WriteOptions<'static> {
    WriteOptions {
        targets: true,
        zarr_format: format,
        chunk_shape: Some(vec![4, 6, 5]),
        provenance: Map::from_iter([("source".to_owned(), json!("crop.zarr"))]),
        ..WriteOptions::default()
    }
}

/// Every way of writing that differs in how it goes on.
fn ways() -> Vec<(&'static str, WriteOptions<'static>)> {
    let levels = WriteOptions { levels: 3, ..options(ZarrFormat::V3) };
    vec![
        ("v2", options(ZarrFormat::V2)),
        ("v3", options(ZarrFormat::V3)),
        ("n5", options(ZarrFormat::N5)),
        ("shards", WriteOptions { shard_shape: Some(vec![8, 6, 10]), ..options(ZarrFormat::V3) }),
        ("levels", WriteOptions { levels: 3, ..options(ZarrFormat::V2) }),
        ("shards and levels", WriteOptions { shard_shape: Some(vec![8, 12, 10]), ..levels }),
        (
            "means",
            WriteOptions {
                levels: 3,
                mask_levels: MaskLevels::Mean,
                target_levels: TargetLevels::Mean,
                ..options(ZarrFormat::N5)
            },
        ),
    ]
}

#[test]
fn what_is_written_is_byte_for_byte_what_writing_windows_gives() {
    let pair = pair(&labels([13, 20, 9]));
    for format in [ZarrFormat::V2, ZarrFormat::V3, ZarrFormat::N5] {
        for shards in [None, Some(vec![8, 12, 5]), Some(vec![16, 24, 10])] {
            if shards.is_some() && format != ZarrFormat::V3 {
                continue;
            }
            for compression in [
                Compression::None,
                Compression::default(),
                Compression::BloscLz4 { level: 5 },
                Compression::Gzip { level: 6 },
            ] {
                let folder = tempfile::tempdir().unwrap();
                let options =
                    WriteOptions { compression, shard_shape: shards.clone(), ..options(format) };
                let path = folder.path().join("new.zarr");
                write(&pair, &path, &options, &()).unwrap();

                let staging = Staging::new(folder.path().join("old.zarr"), false).unwrap();
                let with_channel = |shape: &[usize]| [&[1], shape].concat();
                let image = ImageOptions {
                    zarr_format: format,
                    chunk_shape: Some(vec![1, 4, 6, 5]),
                    shard_shape: shards.as_deref().map(with_channel),
                    compression,
                    ..ImageOptions::default()
                };
                let sources = [("mask", pair.mask_array()), ("target", pair.target_array())];
                for (name, source) in sources {
                    let array = staging.create_image(name, pair.info(), &image).unwrap();
                    let voxels = source.read(source.roi()).unwrap();
                    array.write(array.roi(), &voxels.view()).unwrap();
                }
                let old = staging.commit(&Map::new()).unwrap();
                assert_same_chunks(&path, &old, &format!("{format:?} {shards:?} {compression:?}"));
            }
        }
    }
}

/// Compares all files but metadata.
#[track_caller]
fn assert_same_chunks(left: &Path, right: &Path, what: &str) {
    let chunks = |path: &Path| {
        let mut all = listing(path);
        all.retain(|name, bytes| {
            let name = name.file_name().unwrap().to_string_lossy().into_owned();
            bytes.is_some() && !name.starts_with('.') && !name.ends_with(".json")
        });
        all
    };
    let (left, right) = (chunks(left), chunks(right));
    let names = |all: &common::Listing| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&left), names(&right), "{what}");
    assert!(!left.is_empty(), "{what}");
    for (name, bytes) in &left {
        assert!(bytes == &right[name], "{what}: {} differs", name.display());
    }
}

#[test]
fn a_run_that_was_ended_anywhere_gives_the_same_bytes_once_it_is_resumed() {
    let pair = pair(&labels([13, 20, 9]));
    for (way, options) in ways() {
        let folder = tempfile::tempdir().unwrap();
        let (whole, ended) = (folder.path().join("whole.zarr"), folder.path().join("ended.zarr"));
        let counts = write(&pair, &whole, &options, &()).unwrap().counts;
        let expected = listing(&whole);
        let resume = WriteOptions { existing: Existing::Resume, ..copy(&options) };
        for blocks in [1, 2, 3, 5, 9, 14, 21, 30, 50, 80] {
            let limit = Limit::new(blocks);
            let mut result = write(&pair, &ended, &options, &limit);
            let mut resumed = 0;
            while let Err(error) = result {
                assert!(!ended.exists(), "{way}: nothing is there before all is");
                match error {
                    WriteError::Interrupted { percent: Some(_) } => {
                        // What a process leaves that is killed between two steps.
                        let left = run_folder(&ended).join("output/mask/s0/.0.7-1.tmp");
                        fs::write(left, "half a chunk").unwrap();
                        resumed += 1;
                        result = write(&pair, &ended, &resume, &Limit::new(blocks + resumed));
                    }
                    WriteError::Interrupted { percent: None } => {
                        assert!(!folder.path().join(".ended.zarr.partial").exists());
                        result = write(&pair, &ended, &options, &Limit::new(blocks + 40));
                    }
                    other => panic!("{way}: {other:?}"),
                }
            }
            let written = result.unwrap();
            assert_eq!(written.counts, counts, "{way}");
            assert_eq!(written.resumed_at.is_some(), resumed > 0, "{way}");
            assert_eq!(listing(&ended), expected, "{way} ended after {blocks} blocks");
            assert_eq!(
                fs::read_dir(folder.path()).unwrap().count(),
                2,
                "{way}: nothing else stays"
            );
            fs::remove_dir_all(&ended).unwrap();
        }
    }
}

fn copy(options: &WriteOptions<'_>) -> WriteOptions<'static> {
    WriteOptions {
        chunk_shape: options.chunk_shape.clone(),
        shard_shape: options.shard_shape.clone(),
        provenance: options.provenance.clone(),
        channels: None,
        ..*options
    }
}

/// An unfinished run.
fn unfinished(pair: &dyn GroundTruth, path: &Path, options: &WriteOptions<'_>) {
    let error = write(pair, path, options, &Limit::new(7)).unwrap_err();
    assert!(error.is_resumable(), "{error}");
}

#[test]
fn an_unfinished_run_is_neither_lost_nor_mixed_with_another_job() {
    let pair = pair(&labels([13, 20, 9]));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("masks.zarr");
    let options = options(ZarrFormat::V3);
    unfinished(&pair, &path, &options);
    let before = listing(folder.path());

    let error = write(&pair, &path, &options, &()).unwrap_err();
    assert!(matches!(error, WriteError::Unfinished { percent: 1..100, .. }), "{error:?}");

    let other = |change: &dyn Fn(&mut WriteOptions<'_>), needle: &str| {
        let mut other = WriteOptions { existing: Existing::Resume, ..copy(&options) };
        change(&mut other);
        let error = write(&pair, &path, &other, &()).unwrap_err();
        assert!(matches!(error, WriteError::OtherJob { .. }), "{error:?}");
        assert!(error.to_string().contains(needle), "{needle}: {error}");
    };
    other(&|it| it.zarr_format = ZarrFormat::V2, "written.zarr_format was \"3\", now \"2\"");
    other(
        &|it| it.chunk_shape = Some(vec![4, 6, 9]),
        "written.chunk_shape was [4,6,5], now [4,6,9]",
    );
    other(&|it| it.compression = Compression::Gzip { level: 1 }, "was \"zstd:3\", now \"gzip:1\"");
    other(&|it| it.levels = 2, "written.levels was 1, now 2");
    other(&|it| it.targets = false, "written.targets was true, now false");
    other(&|it| it.provenance = Map::new(), "source was \"crop.zarr\", now nothing");
    let region = pair_with(&labels([13, 20, 10]), &["a", "b", "c"]);
    let resume = WriteOptions { existing: Existing::Resume, ..copy(&options) };
    let error = write(&region, &path, &resume, &()).unwrap_err().to_string();
    assert!(error.contains("region was"), "{error}");
    assert_eq!(listing(folder.path()), before, "all of them leave the run alone");

    let anew = WriteOptions { existing: Existing::Overwrite, ..copy(&options) };
    let written = write(&pair, &path, &anew, &()).unwrap();
    assert_eq!(written.resumed_at, None);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn there_must_be_something_to_resume() {
    let pair = pair(&labels([5, 6, 7]));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("masks.zarr");
    let resume = WriteOptions { existing: Existing::Resume, ..options(ZarrFormat::V2) };
    let error = write(&pair, &path, &resume, &()).unwrap_err();
    assert!(matches!(error, WriteError::NothingToResume { .. }), "{error:?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

    // An output of the same job is what was wanted, and one of another job is not.
    let counts = write(&pair, &path, &options(ZarrFormat::V2), &()).unwrap().counts;
    let before = listing(folder.path());
    let written = write(&pair, &path, &resume, &()).unwrap();
    assert_eq!((written.counts, written.resumed_at), (counts, Some(100)));
    let other = WriteOptions { levels: 2, ..resume };
    let error = write(&pair, &path, &other, &()).unwrap_err();
    assert!(matches!(error, WriteError::OtherJob { .. }), "{error:?}");
    assert_eq!(listing(folder.path()), before);
}

/// Begins a second run into the same output while the first is at work.
struct Second<'a> {
    pair: &'a dyn GroundTruth,
    path: &'a Path,
    refused: AtomicUsize,
}

impl Observer for Second<'_> {
    fn advanced(&self, _voxels: u64) {
        for existing in [Existing::Refuse, Existing::Overwrite, Existing::Resume] {
            let options = WriteOptions { existing, ..options(ZarrFormat::V3) };
            let error = write(self.pair, self.path, &options, &()).unwrap_err();
            assert!(matches!(error, WriteError::Busy { .. }), "{error:?}");
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[test]
fn two_runs_never_write_one_output_at_a_time() {
    let pair = pair(&labels([13, 20, 9]));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("masks.zarr");
    let second = Second { pair: &pair, path: &path, refused: AtomicUsize::default() };
    write(&pair, &path, &options(ZarrFormat::V3), &second).unwrap();
    assert!(second.refused.load(Ordering::Relaxed) > 3);
}

/// Removes the folder of the run and begins another in its place, once the first block is done.
struct Displacing<'a> {
    pair: &'a dyn GroundTruth,
    path: &'a Path,
    done: AtomicBool,
}

impl Observer for Displacing<'_> {
    fn advanced(&self, _voxels: u64) {
        if !self.done.swap(true, Ordering::Relaxed) {
            let partial = self.path.with_file_name(".masks.zarr.partial");
            // The other threads go on to make folders in it.
            while partial.exists() {
                let _ = fs::remove_dir_all(&partial);
            }
            unfinished(self.pair, self.path, &options(ZarrFormat::V3));
        }
    }
}

#[test]
fn a_run_whose_folder_is_that_of_another_run_gives_up_and_leaves_the_other_alone() {
    let (first, second) =
        (pair(&labels([13, 20, 9])), pair_with(&labels([13, 20, 9]), &["d", "e", "f"]));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("masks.zarr");
    let observer = Displacing { pair: &second, path: &path, done: AtomicBool::default() };
    let levels = WriteOptions { levels: 2, ..options(ZarrFormat::V3) };
    let error = write(&first, &path, &levels, &observer).unwrap_err();
    assert!(matches!(error, WriteError::Displaced { .. }), "{error:?}");
    assert!(!path.exists());

    let resume = WriteOptions { existing: Existing::Resume, ..options(ZarrFormat::V3) };
    let written = write(&second, &path, &resume, &()).unwrap();
    assert!(written.resumed_at.is_some());
    let whole = folder.path().join("whole.zarr");
    write(&second, &whole, &options(ZarrFormat::V3), &()).unwrap();
    assert_eq!(listing(&path), listing(&whole));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn an_output_is_replaced_by_a_whole_one_even_if_that_takes_two_runs() {
    let pair = pair(&labels([13, 20, 9]));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("masks.zarr");
    write(&pair, &path, &WriteOptions { levels: 2, ..options(ZarrFormat::V2) }, &()).unwrap();
    let old = listing(&path);
    let anew = WriteOptions { existing: Existing::Overwrite, ..options(ZarrFormat::V3) };
    unfinished(&pair, &path, &anew);
    assert_eq!(listing(&path), old);
    let resume = WriteOptions { existing: Existing::Resume, ..anew };
    write(&pair, &path, &resume, &()).unwrap();
    assert!(path.join("zarr.json").exists() && !path.join(".zgroup").exists());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn options_that_cannot_be_fulfilled_are_refused_before_anything_is_written() {
    let pair = pair(&labels([13, 20, 9]));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("masks.zarr");
    let refused = |change: &dyn Fn(&mut WriteOptions<'_>), needles: &[&str]| {
        let mut options = options(ZarrFormat::V3);
        change(&mut options);
        let error = write(&pair, &path, &options, &()).unwrap_err().to_string();
        for needle in needles {
            assert!(error.contains(needle), "{needle:?}: {error}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{needles:?}");
    };
    refused(&|it| it.chunk_shape = Some(vec![4, 4]), &["chunk shape", "[4, 4]", "3 positive"]);
    refused(&|it| it.chunk_shape = Some(vec![4, 0, 4]), &["chunk shape", "[4, 0, 4]"]);
    refused(&|it| it.shard_shape = Some(vec![8, 9, 5]), &["shard shape", "[8, 9, 5]", "[4, 6, 5]"]);
    refused(&|it| it.levels = 0, &["levels"]);
    refused(&|it| it.levels = 5, &["axis x has 9 voxels", "4 levels"]);
    refused(&|it| it.levels = 90, &["axis x has 9 voxels", "4 levels"]);
    refused(
        &|it| it.compression = Compression::Gzip { level: 10 },
        &["level 10 of gzip", "0 to 9"],
    );
    refused(
        &|it| {
            it.zarr_format = ZarrFormat::N5;
            it.shard_shape = Some(vec![8, 6, 5]);
        },
        &["shards", "version 3"],
    );
}

#[test]
fn every_block_is_read_once_whether_the_chunks_follow_the_blocks_or_not() {
    let counting = common::Counting::new(&labels([13, 20, 9]), &[4, 6, 5]);
    let pair = common::pair_of(counting.clone(), &["a", "b", "c"]);
    let folder = tempfile::tempdir().unwrap();
    for (chunks, shards) in [
        (vec![4, 6, 5], None),
        (vec![2, 3, 5], None),
        (vec![8, 12, 5], None),
        (vec![2, 3, 5], Some(vec![8, 6, 10])),
        // Shards that cut blocks, although chunks do not.
        (vec![2, 3, 5], Some(vec![6, 9, 5])),
        (vec![5, 6, 5], None),
        (vec![3, 7, 4], None),
    ] {
        let follows = chunks[0] % 2 == 0;
        assert_eq!(mask_writer::decodes_once(pair.info(), &chunks), follows);
        let options = WriteOptions {
            chunk_shape: Some(chunks),
            shard_shape: shards,
            existing: Existing::Overwrite,
            ..options(ZarrFormat::V3)
        };
        counting.forget();
        write(&pair, folder.path().join("masks.zarr"), &options, &()).unwrap();
        let all = Window::full(&[13, 20, 9]).unwrap().num_voxels().unwrap();
        assert_eq!(counting.voxels_in_blocks(), all, "{options:?}");
    }
}

#[test]
fn levels_are_those_of_the_model() {
    let shape = [13, 20, 9];
    let pair = pair(&labels(shape));
    let read = |path: &Path| {
        let array = ZarrArray::open(path).unwrap();
        let data = array.data().unwrap();
        match array.info().dtype() {
            DType::U8 => data.into_typed::<u8>().unwrap().mapv(f32::from),
            _ => data.into_typed::<f32>().unwrap(),
        }
    };
    for format in [ZarrFormat::V2, ZarrFormat::V3, ZarrFormat::N5] {
        for mask_levels in [MaskLevels::All, MaskLevels::Any, MaskLevels::Mean] {
            for target_levels in [TargetLevels::Mode, TargetLevels::Mean] {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("masks.zarr");
                let options =
                    WriteOptions { levels: 4, mask_levels, target_levels, ..options(format) };
                write(&pair, &path, &options, &()).unwrap();
                for (image, how) in [("mask", mask_levels.name()), ("target", target_levels.name())]
                {
                    let first = read(&path.join(image).join("s0"));
                    for level in 1..4 {
                        let name = path.join(image).join(format!("s{level}"));
                        assert_eq!(
                            read(&name),
                            common::reduced(&first, 1 << level, how),
                            "{image} s{level} {how} {format:?}"
                        );
                        let array = ZarrArray::open(&name).unwrap();
                        assert_eq!(array.info().grid().offset(), pair.info().grid().offset());
                        let size = pair.info().grid().voxel_size().as_coordinate();
                        let found = array.info().grid().voxel_size().as_coordinate();
                        for axis in 0..3 {
                            assert_eq!(found[axis], size[axis] << level);
                        }
                        let remarks: Vec<String> =
                            array.remarks().map(|remark| remark.to_string()).collect();
                        assert!(remarks.is_empty(), "{remarks:?}");
                    }
                }
            }
        }
    }
}
