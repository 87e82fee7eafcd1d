//! Writing arrays and containers.

#![expect(
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    reason = "what a helper of a test cannot do fails the test"
)]

use std::fs;
use std::path::Path;

use array_core::testing::check_contract;
use array_core::{AnyArray, AnyView, Array, ArrayError, ArrayExt, ArrayInfo, Crop, DType};
use geometry::{Coordinate, Decimal, LengthUnit, Roi, VoxelGrid, VoxelSize, Window, WorldUnit};
use ndarray::{ArrayD, IxDyn};
use serde_json::{Map, Value, json};
use zarr_source::{
    Compression, Convention, ImageOptions, OpenOptions, Staging, ZarrArray, ZarrError, ZarrFormat,
};

const FORMATS: [ZarrFormat; 2] = [ZarrFormat::V2, ZarrFormat::V3];

fn options(zarr_format: ZarrFormat) -> ImageOptions {
    ImageOptions { zarr_format, ..ImageOptions::default() }
}

/// Voxels of 2.62 x 2 x 2 nm, the corner at 13282.29, -4, 0 nm.
fn info(dtype: DType, axes: &[&str], shape: &[usize]) -> ArrayInfo {
    let unit = WorldUnit::new(LengthUnit::Nanometer, 2).unwrap();
    let size = VoxelSize::new(Coordinate::from([262, 200, 200])).unwrap();
    let grid = VoxelGrid::new(Coordinate::from([1_328_229, -400, 0]), size).unwrap();
    let info = ArrayInfo::new(dtype, axes, shape, grid).unwrap();
    info.with_unit(unit).with_block_shape(&[4, 4, 4]).unwrap()
}

fn counter(shape: &[usize]) -> ArrayD<u16> {
    let len = shape.iter().product::<usize>() as u32;
    let values = (0..len).map(|i| (i.wrapping_mul(40_503) >> 3) as u16 | 1).collect();
    ArrayD::from_shape_vec(IxDyn(shape), values).unwrap()
}

fn json_of(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn what_is_written_is_read_back_with_the_same_geometry() {
    for format in FORMATS {
        for compression in [Compression::None, Compression::Zstd { level: 1 }] {
            let folder = tempfile::tempdir().unwrap();
            let target = folder.path().join("out.zarr");
            let info = info(DType::U16, &["z", "y", "x"], &[5, 7, 6]);
            let voxels = AnyArray::from(counter(&[5, 7, 6]));
            let staging = Staging::new(&target, false).unwrap();
            let options = ImageOptions { compression, ..options(format) };
            let array = staging.create_image("labels/all", &info, &options).unwrap();
            array.write(array.roi(), &voxels.view()).unwrap();
            assert_eq!(names(folder.path()).len(), 1, "only the hidden folder");
            let attrs = json!({"made_from": "crop"});
            assert_eq!(staging.commit(attrs.as_object().unwrap()).unwrap(), target);
            assert_eq!(names(folder.path()), ["out.zarr"]);

            let array = ZarrArray::open(target.join("labels/all/s0")).unwrap();
            check_contract(&array);
            assert_eq!(array.data().unwrap(), voxels);
            assert_eq!(array.info().grid(), info.grid());
            assert_eq!(array.info().unit(), info.unit());
            assert_eq!(array.axes(), info.axes());
            assert_eq!(array.geometry_report().disagreements, [""; 0]);
            assert_eq!(array.warnings(), [""; 0]);
            assert_eq!(array.metadata().path_in_container(), "labels/all/s0");
            let root = zarr_source::ZarrGroup::open(&target).unwrap();
            assert_eq!(root.attrs()["made_from"], "crop");
        }
    }
}

#[test]
fn the_ome_metadata_alone_gives_the_same_geometry() {
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.zarr");
        let info = info(DType::U8, &["c", "z", "y", "x"], &[2, 5, 7, 6]);
        let staging = Staging::new(&target, false).unwrap();
        staging.create_image("mito", &info, &options(format)).unwrap();
        staging.commit(&Map::new()).unwrap();
        let array = target.join("mito/s0");
        match format {
            ZarrFormat::V2 => fs::remove_file(array.join(".zattrs")).unwrap(),
            ZarrFormat::V3 => {
                let file = array.join("zarr.json");
                let mut metadata = json_of(&file);
                metadata["attributes"] = json!({});
                fs::write(file, metadata.to_string()).unwrap();
            }
            ZarrFormat::N5 => panic!("it has no such metadata"),
        }
        let array = ZarrArray::open(array).unwrap();
        assert_eq!(array.info().grid(), info.grid());
        assert_eq!(array.info().unit(), info.unit());
        assert_eq!(array.axes(), info.axes());
        assert_eq!(array.geometry_report().convention, Convention::Centre);
        let version = if format == ZarrFormat::V2 { "0.4" } else { "0.5" };
        let source = array.geometry_report().voxel_size_source.to_string();
        assert_eq!(source, format!("ome {version} multiscales of group mito"));
    }
}

#[test]
fn the_metadata_has_the_spellings_of_all_readers() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out.zarr");
    let info = info(DType::U8, &["c", "z", "y", "x"], &[2, 5, 7, 6]);
    let info = info.with_channel_names(vec!["mito".to_owned(), "er".to_owned()]).unwrap();
    let staging = Staging::new(&target, false).unwrap();
    let attrs = json!({"labels": [], "scale": [1, 1, 1], "offset": [0, 0, 0]});
    for (name, format) in [("two", ZarrFormat::V2), ("three", ZarrFormat::V3)] {
        let attrs = attrs.as_object().unwrap().clone();
        let options = ImageOptions { attrs, ..options(format) };
        staging.create_image(name, &info, &options).unwrap();
    }
    staging.commit(&Map::new()).unwrap();

    let own = json!({
        "labels": [],
        "offset": [13282.29, -4, 0],
        "voxel_size": [2.62, 2, 2],
        "resolution": [2.62, 2, 2],
        "axis_names": ["c^", "z", "y", "x"],
        "axes": ["c", "z", "y", "x"],
        "units": ["nm", "nm", "nm"],
        "channel_names": ["mito", "er"],
    });
    let multiscale = |version: Option<&str>, name: &str| {
        let mut entry = json!({
            "name": name,
            "axes": [
                {"name": "c", "type": "channel"},
                {"name": "z", "type": "space", "unit": "nanometer"},
                {"name": "y", "type": "space", "unit": "nanometer"},
                {"name": "x", "type": "space", "unit": "nanometer"},
            ],
            "datasets": [{"path": "s0", "coordinateTransformations": [
                {"type": "scale", "scale": [1, 2.62, 2, 2]},
                {"type": "translation", "translation": [0, 13283.6, -3, 1]},
            ]}],
        });
        if let Some(version) = version {
            entry["version"] = json!(version);
        }
        entry
    };
    assert_eq!(json_of(&target.join("two/s0/.zattrs")), own);
    assert_eq!(
        json_of(&target.join("two/.zattrs")),
        json!({"multiscales": [multiscale(Some("0.4"), "two")]})
    );
    let metadata = json_of(&target.join("three/s0/zarr.json"));
    assert_eq!(metadata["attributes"], own);
    assert_eq!(metadata["codecs"][0], json!({"name": "bytes"}));
    assert_eq!(metadata["dimension_names"], json!(["c", "z", "y", "x"]));
    let group = json_of(&target.join("three/zarr.json"));
    let ome = json!({"version": "0.5", "multiscales": [multiscale(None, "three")]});
    assert_eq!(group["attributes"], json!({"ome": ome}));
    let array = ZarrArray::open(target.join("two/s0")).unwrap();
    assert_eq!(array.channels().unwrap(), ["mito", "er"]);
    assert_eq!(array.metadata().chunk_shape(), [1, 4, 4, 4]);
}

#[test]
fn parts_of_chunks_are_merged_with_what_is_there() {
    for name in [
        "v2_f_order_big_endian",
        "v2_blosc_lz4",
        "v3_transpose",
        "v3_sharded",
        "v2_lz4",
        "v2_missing",
    ] {
        let (_folder, path) = copied(name);
        let array = ZarrArray::open_writable(&path).unwrap();
        check_contract(&array);
        let before = array.data().unwrap();
        let window = Window::new(&[1, 3, 2], &[3, 2, 4]).unwrap();
        let roi = array.info().grid().roi(&window).unwrap();
        let patch = AnyArray::zeros(array.dtype(), &[3, 2, 4]).unwrap();
        array.write(&roi, &patch.view()).unwrap();
        assert_eq!(array.read(&roi).unwrap(), patch, "{name}");

        let mut expected = before;
        let mut part = expected.view_mut();
        for (axis, (&start, &len)) in window.start().iter().zip(window.shape()).enumerate() {
            part = part.slice_axis(axis, start, len);
        }
        part.assign(&patch.view()).unwrap();
        assert_eq!(array.data().unwrap(), expected, "{name}");
        assert_eq!(ZarrArray::open(&path).unwrap().data().unwrap(), expected, "{name}");
        check_contract(&array);
    }
}

#[test]
fn a_crop_writes_into_its_source() {
    let (_folder, path) = copied("v2_raw");
    let array = ZarrArray::open_writable(&path).unwrap();
    let roi = Roi::new([88, 48, 22], [16, 8, 4]).unwrap();
    let crop = Crop::new(array, &roi).unwrap();
    check_contract(&crop);
    let patch = AnyArray::zeros(DType::U8, &[2, 2, 2]).unwrap();
    crop.write(&roi, &patch.view()).unwrap();
    assert_eq!(ZarrArray::open(path).unwrap().read(&roi).unwrap(), patch);
}

#[test]
fn a_chunk_of_fill_values_is_not_stored() {
    let (_folder, path) = copied("v2_missing");
    let array = ZarrArray::open_writable(&path).unwrap();
    assert!(path.join("0.0.1").exists());
    let sevens = ArrayD::from_elem(IxDyn(&[5, 7, 6]), 7_u8);
    array.write(array.roi(), &AnyView::from(sevens.view())).unwrap();
    assert_eq!(names(&path), [".zarray", ".zattrs"]);
    assert_eq!(array.data().unwrap(), AnyArray::from(sevens));
}

#[test]
fn many_threads_may_write_parts_of_one_chunk() {
    let folder = tempfile::tempdir().unwrap();
    let staging = Staging::new(folder.path().join("out.zarr"), false).unwrap();
    let info = info(DType::U16, &["z", "y", "x"], &[8, 8, 8]);
    let array = staging.create_image("a", &info, &options(ZarrFormat::V2)).unwrap();
    let voxels = counter(&[8, 8, 8]);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (array, voxels) = (&array, &voxels);
            scope.spawn(move || {
                for z in (thread..8).step_by(4) {
                    let window = Window::new(&[z, 0, 0], &[1, 8, 8]).unwrap();
                    let roi = array.info().grid().roi(&window).unwrap();
                    let part = voxels.slice_axis(ndarray::Axis(0), (z..z + 1).into());
                    array.write(&roi, &AnyView::from(part)).unwrap();
                }
            });
        }
    });
    assert_eq!(array.data().unwrap(), AnyArray::from(voxels));
}

#[test]
fn an_array_opened_for_reading_refuses_to_be_written() {
    let (_folder, path) = copied("v2_raw");
    let array = ZarrArray::open(&path).unwrap();
    let voxels = array.data().unwrap();
    let error = array.write(array.roi(), &voxels.view()).unwrap_err();
    assert!(matches!(error, ArrayError::NotWritable { .. }), "{error}");
}

#[test]
fn data_of_another_type_or_shape_is_refused() {
    let (_folder, path) = copied("v2_raw");
    let array = ZarrArray::open_writable(&path).unwrap();
    let other = AnyArray::zeros(DType::U16, &[5, 7, 6]).unwrap();
    let error = array.write(array.roi(), &other.view()).unwrap_err();
    assert!(matches!(error, ArrayError::DTypeMismatch { .. }), "{error}");
    let small = AnyArray::zeros(DType::U8, &[5, 7, 5]).unwrap();
    let error = array.write(array.roi(), &small.view()).unwrap_err();
    assert!(matches!(error, ArrayError::ShapeMismatch { .. }), "{error}");
}

fn copied(name: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
            if from.is_dir() { copy(&from, &to) } else { fs::copy(from, to).map(drop).unwrap() }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    copy(&fixtures.join(format!("{name}.zarr")), folder.path());
    let array = folder.path().join("s0");
    (folder, array)
}

#[test]
fn an_output_that_is_dropped_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let info = info(DType::U8, &["z", "y", "x"], &[5, 7, 6]);
    let staging = Staging::new(folder.path().join("out.zarr"), false).unwrap();
    let array = staging.create_image("a", &info, &options(ZarrFormat::V3)).unwrap();
    drop(staging);
    assert_eq!(names(folder.path()), [""; 0]);
    // A straggler does not bring the folder back.
    let voxels = ArrayD::from_elem(IxDyn(&[5, 7, 6]), 1_u8);
    let error = array.write(array.roi(), &AnyView::from(voxels.view())).unwrap_err();
    assert!(matches!(error, ArrayError::Source { .. }), "{error}");
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn an_output_that_exists_is_replaced_only_on_demand() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out.zarr");
    let info = info(DType::U8, &["z", "y", "x"], &[5, 7, 6]);
    let write = |name: &str, overwrite| -> Result<(), ZarrError> {
        let staging = Staging::new(&target, overwrite)?;
        staging.create_image(name, &info, &options(ZarrFormat::V2))?;
        staging.commit(&Map::new()).map(drop)
    };
    write("old", false).unwrap();
    let error = write("new", false).unwrap_err();
    assert!(matches!(error, ZarrError::OutputExists { .. }), "{error}");
    assert_eq!(names(&target), [".zgroup", "old"]);
    write("new", true).unwrap();
    assert_eq!(names(&target), [".zgroup", "new"]);
    assert_eq!(names(folder.path()), ["out.zarr"]);
}

#[test]
fn something_that_is_not_zarr_is_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (file, other) = (folder.path().join("notes.txt"), folder.path().join("thesis"));
    fs::write(&file, "text").unwrap();
    fs::create_dir(&other).unwrap();
    for target in [&file, &other] {
        let error = Staging::new(target, true).unwrap_err();
        assert!(matches!(error, ZarrError::OutputExists { .. }), "{error}");
        assert!(error.to_string().contains("not a Zarr container"), "{error}");
    }
    assert_eq!(names(folder.path()), ["notes.txt", "thesis"]);
}

/// A process that is killed while it writes a document leaves the old one, with which a run can be resumed.
#[test]
fn a_document_of_a_staged_container_is_replaced_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let [staged, aside, target, old] =
        ["staged", "aside", "out.zarr", "old.json"].map(|name| folder.path().join(name));
    let staging = Staging::in_folder(&staged, aside, &target, false).unwrap();
    let info = info(DType::U8, &["z", "y", "x"], &[5, 7, 6]);
    staging.create_image("mask", &info, &options(ZarrFormat::V3)).unwrap();
    // Another name of the same file, which has whatever is written into it.
    fs::hard_link(staged.join("zarr.json"), &old).unwrap();
    let before = fs::read(&old).unwrap();
    staging.commit(json!({"made_from": "crop"}).as_object().unwrap()).unwrap();
    assert_eq!(fs::read(&old).unwrap(), before);
    assert!(fs::read_to_string(target.join("zarr.json")).unwrap().contains("made_from"));
}

#[test]
fn a_commit_that_fails_leaves_everything_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out.zarr");
    let info = info(DType::U8, &["z", "y", "x"], &[5, 7, 6]);
    let staging = Staging::new(&target, false).unwrap();
    staging.create_image("a", &info, &options(ZarrFormat::V2)).unwrap();
    // Somebody else was faster.
    fs::create_dir(&target).unwrap();
    let error = staging.commit(&Map::new()).unwrap_err();
    assert!(matches!(error, ZarrError::OutputExists { .. }), "{error}");
    assert_eq!(names(folder.path()), ["out.zarr"]);
    assert_eq!(names(&target), [""; 0]);
}

#[test]
fn a_target_without_a_parent_folder_is_an_error_with_its_cause() {
    let folder = tempfile::tempdir().unwrap();
    let error = Staging::new(folder.path().join("no/such/out.zarr"), false).unwrap_err();
    assert!(error.is_io() && std::error::Error::source(&error).is_some(), "{error}");
    assert_eq!(names(folder.path()), [""; 0]);
    let file = folder.path().join("file");
    fs::write(&file, "text").unwrap();
    let error = Staging::new(file.join("out.zarr"), false).unwrap_err();
    assert!(error.is_io(), "{error}");
    assert_eq!(names(folder.path()), ["file"]);
}

#[test]
fn names_that_would_leave_the_container_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let info = info(DType::U8, &["z", "y", "x"], &[5, 7, 6]);
    let staging = Staging::new(folder.path().join("out.zarr"), false).unwrap();
    for name in ["", "/a", "a/", "a//b", "../a", "a/../b", ".zattrs", "__a", "a/zarr.json"] {
        let error = staging.create_image(name, &info, &options(ZarrFormat::V2)).unwrap_err();
        assert!(matches!(error, ZarrError::InvalidName { .. }), "{name}: {error}");
    }
    staging.create_image("a", &info, &options(ZarrFormat::V2)).unwrap();
    let error = staging.create_image("a", &info, &options(ZarrFormat::V2)).unwrap_err();
    assert!(matches!(error, ZarrError::OutputExists { .. }), "{error}");
    let error = staging.create_image("a/s0/b", &info, &options(ZarrFormat::V2)).unwrap_err();
    assert!(matches!(error, ZarrError::InvalidName { .. }), "{error}");
}

#[test]
fn an_unknown_unit_stays_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out.zarr");
    let size = VoxelSize::new(Coordinate::from([3, 1])).unwrap();
    let grid = VoxelGrid::new(Coordinate::from([7, -9]), size).unwrap();
    let info = ArrayInfo::new(DType::F32, &["y", "x"], &[3, 2], grid).unwrap();
    let staging = Staging::new(&target, false).unwrap();
    staging.create_image("a", &info, &options(ZarrFormat::V3)).unwrap();
    staging.commit(&Map::new()).unwrap();
    let array = ZarrArray::open(target.join("a/s0")).unwrap();
    assert_eq!(array.info().unit(), WorldUnit::default());
    assert_eq!(array.info().grid(), &grid);
    assert!(array.warnings()[0].contains("world unit unknown"));
    // The half voxel of the centre needs more digits than the corner, which stays exact.
    let options = OpenOptions { translation: Some(Convention::Centre), ..OpenOptions::default() };
    let moved = ZarrArray::open_with(target.join("a/s0"), &options).unwrap();
    let offset = moved.info().unit().decimals(moved.info().grid().offset());
    assert_eq!(offset, ["5.5", "-9.5"].map(|text| text.parse::<Decimal>().unwrap()));
}

#[cfg(unix)]
#[test]
fn a_link_as_output_is_refused_whatever_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (link, other) = (folder.path().join("out.zarr"), folder.path().join("other"));
    std::os::unix::fs::symlink(&other, &link).unwrap();
    for overwrite in [false, true] {
        let error = Staging::new(&link, overwrite).unwrap_err();
        assert!(matches!(error, ZarrError::InvalidName { .. }), "{error}");
        assert!(error.to_string().contains("a link that leads nowhere"), "{error}");
    }
    fs::create_dir(&other).unwrap();
    for overwrite in [false, true] {
        let error = Staging::new(&link, overwrite).unwrap_err();
        assert!(error.to_string().contains("it is a link, which is not replaced"), "{error}");
    }
    assert_eq!(names(folder.path()), ["other", "out.zarr"]);
}

#[test]
fn a_missing_output_folder_is_named_and_not_the_hidden_one() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no/such");
    let error = Staging::new(missing.join("out.zarr"), false).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot create an output in {}", missing.display()));
}

#[test]
fn a_shard_that_is_replaced_between_two_reads_is_read_anew_and_never_mixed_with_the_old() {
    let folder = tempfile::tempdir().unwrap();
    let info = info(DType::U16, &["z", "y", "x"], &[8, 8, 8]);
    // Not compressed, so that what stands at the place of another chunk would be taken for voxels.
    let options = ImageOptions {
        chunk_shape: Some(vec![4, 4, 4]),
        shard_shape: Some(vec![8, 8, 8]),
        compression: Compression::None,
        ..options(ZarrFormat::V3)
    };
    let make = |name: &str, voxels: &ArrayD<u16>| {
        let staging = Staging::new(folder.path().join(name), false).unwrap();
        let image = staging.create_image("labels", &info, &options).unwrap();
        image.write(image.roi(), &voxels.view().into()).unwrap();
        staging.commit(&Map::new()).unwrap().join("labels/s0")
    };
    let old = counter(&[8, 8, 8]);
    // Without its first chunk, all others lie elsewhere.
    let mut new = old.mapv(|voxel| voxel.wrapping_add(2));
    new.slice_each_axis_mut(|_| ndarray::Slice::from(0..4)).fill(0);
    let (path, other) = (make("old.zarr", &old), make("new.zarr", &new));
    let array = ZarrArray::open(&path).unwrap();
    assert!(array.data().unwrap() == old.into());
    fs::rename(other.join("c/0/0/0"), path.join("c/0/0/0")).unwrap();
    assert!(array.data().unwrap() == new.into());
}

#[test]
fn the_files_of_a_window_are_told_with_what_changes_if_they_do() {
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let info = info(DType::U16, &["c", "z", "y", "x"], &[2, 8, 8, 8]);
        let staging = Staging::new(folder.path().join("out.zarr"), false).unwrap();
        let image = staging.create_image("labels", &info, &options(format)).unwrap();
        image.write(image.roi(), &counter(&[2, 8, 8, 8]).view().into()).unwrap();
        let path = staging.commit(&Map::new()).unwrap().join("labels/s0");
        let array = ZarrArray::open(&path).unwrap();
        let files = |window: &Window| {
            let mut found = Vec::new();
            let mut tell = |file: array_core::StoredFile<'_>| {
                let name = file.path.strip_prefix(&path).unwrap().display().to_string();
                found.push((name, file.version.map(str::to_owned)));
                Ok(())
            };
            array.visit_stored(window, &mut tell).unwrap();
            found
        };
        let chunk = |found: &[(String, Option<String>)]| -> Vec<String> {
            let names = found.iter().map(|(name, _)| name.trim_start_matches("c/").to_owned());
            names.filter(|name| name.starts_with(['0', '1'])).collect()
        };
        let window = Window::new(&[0, 4, 3], &[4, 4, 2]).unwrap();
        let before = files(&window);
        assert_eq!(chunk(&before), ["0/0/1/0", "0/0/1/1", "1/0/1/0", "1/0/1/1"]);
        assert!(before.iter().filter(|(_, version)| version.is_some()).count() >= 5);
        assert_eq!(files(&window), before);
        let changed = path.join(&before.last().unwrap().0);
        fs::write(&changed, "other").unwrap();
        let after = files(&window);
        assert_ne!(after, before);
        fs::remove_file(&changed).unwrap();
        assert_eq!(files(&window).last().unwrap().1, None);
        // Nothing of a window without voxels but what describes the array.
        let empty = files(&Window::new(&[0, 0, 0], &[0, 4, 4]).unwrap());
        assert!(chunk(&empty).is_empty() && empty.iter().any(|(_, version)| version.is_some()));
    }
}
