//! N5 containers that other software wrote (see `fixtures/n5/make_n5.py`), and those that are written here.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::unwrap_used,
    reason = "what a helper of a test cannot do fails the test"
)]

use std::fs;
use std::path::{Path, PathBuf};

use array_core::testing::check_contract;
use array_core::{AnyArray, Array, ArrayExt, ArrayInfo, Block, Crop, DType, Scalar};
use geometry::{Coordinate, LengthUnit, VoxelGrid, VoxelSize, Window, WorldUnit};
use ndarray::{ArrayD, IxDyn};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use zarr_source::{
    Compression, ImageOptions, MemoryOrder, OpenOptions, Staging, ZarrArray, ZarrError, ZarrFormat,
    ZarrGroup,
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/n5")
}

fn open(name: &str) -> ZarrArray {
    ZarrArray::open(folder().join(name).join("s0")).unwrap()
}

struct Fixture {
    name: String,
    dtype: DType,
    shape: Vec<usize>,
    missing: Vec<[Vec<usize>; 2]>,
}

/// All arrays but those whose compression is not supported.
fn fixtures() -> Vec<Fixture> {
    let text = fs::read_to_string(folder().join("manifest.json")).unwrap();
    let entries: Vec<Value> = serde_json::from_str(&text).unwrap();
    let indices = |value: &Value| -> Vec<usize> { serde_json::from_value(value.clone()).unwrap() };
    let fixture = |entry: &Value| Fixture {
        name: entry["name"].as_str().unwrap().to_owned(),
        dtype: entry["dtype"].as_str().unwrap().parse().unwrap(),
        shape: indices(&entry["shape"]),
        missing: entry["missing"]
            .as_array()
            .unwrap()
            .iter()
            .map(|corners| [indices(&corners[0]), indices(&corners[1])])
            .collect(),
    };
    let refused =
        |fixture: &Fixture| fixture.name.contains("xz") || fixture.name.contains("lz4.n5");
    let refused = |fixture: &Fixture| refused(fixture) && !fixture.name.contains("blosc");
    entries.iter().map(fixture).filter(|fixture| !refused(fixture)).collect()
}

/// The hash of a flat index that `make_n5.py` writes.
fn hash(index: usize) -> u64 {
    let mut x = (index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

fn expected(fixture: &Fixture) -> AnyArray {
    fn fill<T: Default>(array: &mut ArrayD<T>, fixture: &Fixture, of: impl Fn(u64) -> T) {
        for (flat, (index, value)) in array.indexed_iter_mut().enumerate() {
            let inside = |[start, stop]: &[Vec<usize>; 2]| {
                (0..start.len()).all(|axis| (start[axis]..stop[axis]).contains(&index[axis]))
            };
            let missing = fixture.missing.iter().any(inside);
            *value = if missing { T::default() } else { of(hash(flat)) };
        }
    }
    let mut array = AnyArray::zeros(fixture.dtype, &fixture.shape).unwrap();
    match &mut array {
        AnyArray::Bool(_) => panic!("N5 has no bool"),
        AnyArray::U8(array) => fill(array, fixture, |x| x as u8),
        AnyArray::U16(array) => fill(array, fixture, |x| x as u16),
        AnyArray::U32(array) => fill(array, fixture, |x| x as u32),
        AnyArray::U64(array) => fill(array, fixture, |x| x),
        AnyArray::I8(array) => fill(array, fixture, |x| x as i8),
        AnyArray::I16(array) => fill(array, fixture, |x| x as i16),
        AnyArray::I32(array) => fill(array, fixture, |x| x as i32),
        AnyArray::I64(array) => fill(array, fixture, |x| x as i64),
        AnyArray::F32(array) => fill(array, fixture, |x| (x >> 44) as f32 / 16.0),
        AnyArray::F64(array) => fill(array, fixture, |x| (x >> 44) as f64 / 16.0),
    }
    array
}

#[test]
fn every_array_reads_as_it_was_written() {
    let fixtures = fixtures();
    let dtypes: std::collections::BTreeSet<&str> =
        fixtures.iter().map(|fixture| fixture.dtype.name()).collect();
    assert_eq!((fixtures.len(), dtypes.len()), (16, 10));
    for fixture in fixtures {
        let array = open(&fixture.name);
        assert_eq!(array.dtype(), fixture.dtype, "{}", fixture.name);
        assert_eq!(array.data().unwrap(), expected(&fixture), "{}", fixture.name);
    }
}

#[test]
fn every_array_and_a_crop_of_it_keep_the_contract() {
    for fixture in fixtures() {
        let array = open(&fixture.name);
        check_contract(&array);
        let inner: Vec<usize> = array.info().spatial_shape().iter().map(|n| n - 2).collect();
        let roi = array.info().grid().roi(&Window::new(&[1, 2, 1], &inner).unwrap()).unwrap();
        check_contract(&Crop::new(array, &roi).unwrap());
    }
}

#[test]
fn lists_of_an_array_count_x_first_and_axes_of_the_array_do_not() {
    for name in ["zarr_gzip.n5", "z5py_gzip.n5", "zarr_channels.n5"] {
        let array = open(name);
        assert_eq!(array.voxel_size().as_slice(), [8, 4, 2], "{name}");
        assert_eq!(array.info().grid().offset(), &Coordinate::from([80, 40, 20]), "{name}");
        assert_eq!(array.info().spatial_axes(), ["z", "y", "x"], "{name}");
        assert_eq!(array.info().unit().unit(), LengthUnit::Nanometer);
        assert_eq!(array.warnings(), [""; 0], "{name}");
    }
    assert_eq!(open("zarr_channels.n5").num_channels(), Some(2));
}

#[test]
fn the_metadata_tells_that_it_is_n5() {
    let array = open("zarr_gzip.n5");
    let metadata = array.metadata();
    assert_eq!(metadata.zarr_format(), ZarrFormat::N5);
    assert_eq!((ZarrFormat::N5.to_string(), ZarrFormat::N5.number()), ("N5".to_owned(), None));
    assert_eq!(metadata.chunk_shape(), [3, 4, 4]);
    assert_eq!(metadata.codecs(), ["gzip(level 5)"]);
    assert_eq!(metadata.memory_order(), MemoryOrder::C);
    assert_eq!(metadata.fill_value(), Scalar::U16(0));
    assert!(metadata.container().ends_with("zarr_gzip.n5"));
    // What says how an array is stored is no attribute.
    let keys: Vec<&String> = array.attrs().keys().collect();
    assert_eq!(keys, ["axes", "offset", "resolution", "units"]);
    assert_eq!(open("z5py_blosc.n5").metadata().codecs()[0].split(',').next(), Some("blosc(lz4"));
}

#[test]
fn a_block_that_is_not_stored_is_a_constant() {
    let array = open("zarr_missing.n5");
    let visited = |start: [usize; 3], shape: [usize; 3]| {
        let mut constant = None;
        let window = Window::new(&start, &shape).unwrap();
        let result = array.visit(&window, &mut |block| {
            if let Block::Constant(value) = block {
                constant = Some(value);
            }
            Ok(())
        });
        result.map(|()| constant).unwrap()
    };
    // The block x 0, y 1, z 0.
    assert_eq!(visited([0, 4, 0], [3, 3, 4]), Some(Scalar::U16(0)));
    assert_eq!(visited([3, 4, 4], [2, 3, 2]), Some(Scalar::U16(0)));
    assert_eq!(visited([0, 0, 0], [3, 4, 4]), None);
}

#[test]
fn a_compression_with_frames_of_its_own_is_refused_by_name() {
    for (name, compression) in [("zarr_xz", "xz"), ("z5py_xz", "xz"), ("z5py_lz4", "lz4")] {
        let error = ZarrArray::open(folder().join(format!("{name}.n5/s0"))).unwrap_err();
        assert!(matches!(error, ZarrError::Unsupported { .. }), "{error}");
        assert!(error.to_string().contains(&format!("\"{compression}\" of N5")), "{error}");
    }
}

/// A container with one array of which no block is stored.
struct Container {
    folder: TempDir,
}

impl Container {
    fn new() -> Self {
        let container = Self { folder: tempfile::tempdir().unwrap() };
        container.write("", &json!({"n5": "2.0.0"}));
        container
    }

    /// A container with the array `volumes/labels/all` of 5 x 7 x 6 voxels.
    fn with_array(change: impl FnOnce(&mut Value)) -> Self {
        let container = Self::new();
        let mut attributes = json!({
            "dimensions": [6, 7, 5], "blockSize": [4, 4, 3], "dataType": "uint8",
            "compression": {"type": "raw"}, "resolution": [2, 4, 8], "offset": [20, 40, 80],
        });
        change(&mut attributes);
        container.write("volumes/labels/all", &attributes);
        container
    }

    fn write(&self, path: &str, attributes: &Value) {
        let file = self.path(path).join("attributes.json");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, attributes.to_string()).unwrap();
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn array(&self) -> PathBuf {
        self.path("volumes/labels/all")
    }

    /// Writes the block x 1, y 0, z 0.
    fn block(&self, bytes: &[u8]) -> Result<AnyArray, String> {
        let file = self.array().join("1/0/0");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
        let array = ZarrArray::open(self.array()).unwrap();
        array.data().map_err(|error| {
            let cause = std::error::Error::source(&error).unwrap();
            let cause = cause.downcast_ref::<ZarrError>().unwrap();
            assert!(matches!(cause, ZarrError::ChunkCorrupt { .. }), "{cause}");
            cause.to_string()
        })
    }
}

/// A block with this header and these bytes behind it.
fn block(mode: u16, extents: &[u32], bytes: &[u8]) -> Vec<u8> {
    let rank = u16::try_from(extents.len()).unwrap();
    let mut block = [mode.to_be_bytes(), rank.to_be_bytes()].concat();
    block.extend(extents.iter().flat_map(|extent| extent.to_be_bytes()));
    block.extend(bytes);
    block
}

#[test]
fn blocks_at_the_border_may_be_cut_off_or_whole() {
    let container = Container::with_array(|_| ());
    let at = |array: &AnyArray, z: usize, y: usize, x: usize| match array {
        AnyArray::U8(array) => array[[z, y, x]],
        _ => panic!("of type {}", array.dtype()),
    };
    let bytes: Vec<u8> = (1..=48).collect();
    let whole = container.block(&block(0, &[4, 4, 3], &bytes)).unwrap();
    assert_eq!((at(&whole, 0, 0, 4), at(&whole, 1, 2, 5), at(&whole, 2, 3, 5)), (1, 26, 46));
    let cut = container.block(&block(0, &[2, 4, 3], &bytes[..24])).unwrap();
    assert_eq!((at(&cut, 0, 0, 4), at(&cut, 1, 2, 5), at(&cut, 2, 3, 5)), (1, 14, 24));
    // One that is shorter still: what is not stored is zero.
    let short = container.block(&block(0, &[1, 2, 3], &bytes[..6])).unwrap();
    assert_eq!((at(&short, 2, 1, 4), at(&short, 2, 1, 5), at(&short, 2, 2, 4)), (6, 0, 0));
}

#[test]
fn a_block_with_a_bad_header_is_named() {
    let container = Container::with_array(|_| ());
    let huge = [u32::MAX, u32::MAX, u32::MAX];
    for (bytes, part) in [
        (vec![], "ends in its header"),
        (vec![0, 0, 0], "ends in its header"),
        (block(0, &[4, 4, 3], &[0; 48])[..15].to_vec(), "ends in its header"),
        (block(0, &[4, 4], &[0; 16]), "2 axes, the array has 3"),
        (block(0, &[4, 4, 3, 1], &[0; 48]), "4 axes, the array has 3"),
        (block(0, &huge, &[0; 48]), "[4294967295, 4294967295, 4294967295]"),
        (block(0, &[4, 4, 4], &[0; 64]), "[4, 4, 4] elements, in blocks of [3, 4, 4]"),
        (block(0, &[0, 4, 3], &[]), "[3, 4, 0]"),
        (block(0, &[4, 4, 3], &[0; 47]), "48 bytes; it decodes to 47"),
        (block(0, &[4, 4, 3], &[0; 49]), "48 bytes; it decodes to 49"),
        (block(0, &[2, 4, 3], &[0; 48]), "24 bytes; it decodes to 48"),
        (block(1, &[4, 4, 3], &[0; 52]), "varying length (mode 1) are not supported"),
        (block(2, &[4, 4, 3], &[0; 48]), "objects (mode 2) are not supported"),
        (block(9, &[4, 4, 3], &[0; 48]), "9 is no mode of an N5 block"),
    ] {
        let error = container.block(&bytes).unwrap_err();
        assert!(error.contains("\"1/0/0\" (index [0, 0, 1])"), "{error}");
        assert!(error.contains(part), "{part:?} in {error}");
    }
}

#[test]
fn a_block_that_does_not_decompress_is_named() {
    for kind in ["gzip", "bzip2", "zstd", "blosc"] {
        let compression = json!({"type": kind});
        let container = Container::with_array(|attributes| attributes["compression"] = compression);
        for bytes in [&[][..], &[1, 2, 3], &[255; 64]] {
            let error = container.block(&block(0, &[4, 4, 3], bytes)).unwrap_err();
            assert!(error.contains("\"1/0/0\""), "{kind}: {error}");
        }
    }
    // Nothing of the size that a damaged header claims is allocated.
    let fixture = fs::read(folder().join("zarr_blosc_lz4.n5/s0/0/0/0")).unwrap();
    let container = Container::with_array(|attributes| {
        attributes["compression"] = json!({"type": "blosc"});
        attributes["dataType"] = json!("uint32");
    });
    assert!(container.block(&fixture).is_ok());
    let mut damaged = fixture;
    damaged[20..24].copy_from_slice(&0x7000_0000_u32.to_le_bytes());
    let error = container.block(&damaged).unwrap_err();
    assert!(error.contains("1879048192 bytes, expected 192"), "{error}");
}

#[test]
fn the_old_spelling_of_the_compression_is_read() {
    for compression in [json!("raw"), json!("gzip")] {
        let container = Container::with_array(|attributes| {
            attributes.as_object_mut().unwrap().remove("compression");
            attributes["compressionType"] = compression.clone();
        });
        let array = ZarrArray::open(container.array()).unwrap();
        assert_eq!(array.metadata().codecs(), [compression.as_str().unwrap()]);
    }
}

#[test]
fn what_is_wrong_in_attributes_json_is_named() {
    let set = |key: &'static str, new: Option<Value>| {
        move |attributes: &mut Value| {
            let attributes = attributes.as_object_mut().unwrap();
            match new {
                Some(new) => attributes.insert(key.to_owned(), new),
                None => attributes.remove(key),
            };
        }
    };
    for (key, value, part) in [
        ("dimensions", None, "dimensions is missing"),
        ("blockSize", None, "blockSize is missing"),
        ("dataType", None, "dataType is missing"),
        ("compression", None, "compression is missing"),
        ("dimensions", Some(json!([6, -7, 5])), "dimensions must be a list"),
        ("blockSize", Some(json!([4, 4])), "differ in length"),
        ("blockSize", Some(json!([4, 0, 3])), "has a zero"),
        ("blockSize", Some(json!([1_u64 << 40, 1, 1])), "beyond 32 bits"),
        ("compression", Some(json!(3)), "compression must be an object"),
        ("compression", Some(json!({})), "compression must be an object"),
    ] {
        let container = Container::with_array(set(key, value));
        let error = ZarrArray::open(container.array()).unwrap_err();
        assert!(matches!(error, ZarrError::MetadataMalformed { .. }), "{error}");
        assert!(error.to_string().contains("all/attributes.json"), "{error}");
        assert!(error.to_string().contains(part), "{part:?} in {error}");
    }
    for (key, value, part) in [
        ("dataType", json!("object"), "the element type \"object\""),
        ("dataType", json!("bool"), "the element type \"bool\""),
        ("dataType", json!(8), "the element type 8"),
        ("compression", json!({"type": "snappy"}), "the compression \"snappy\" of N5"),
        (
            "compression",
            json!({"type": "blosc", "cname": "unknown"}),
            "the compressor of Blosc \"unknown\"",
        ),
    ] {
        let container = Container::with_array(set(key, Some(value)));
        let error = ZarrArray::open(container.array()).unwrap_err();
        assert!(matches!(error, ZarrError::Unsupported { .. }), "{error}");
        assert!(error.to_string().contains(part), "{part:?} in {error}");
    }
    let container = Container::with_array(set("dimensions", Some(json!([u64::MAX, 7, 5]))));
    assert!(ZarrArray::open(container.array()).is_err());
}

#[test]
fn folders_without_attributes_are_groups_of_the_container() {
    let container = Container::with_array(|_| ());
    let array = ZarrArray::open(container.array()).unwrap();
    assert_eq!(array.metadata().container(), container.folder.path());
    assert_eq!(array.metadata().path_in_container(), "volumes/labels/all");
    let group = ZarrGroup::open(container.path("volumes")).unwrap();
    assert_eq!((group.zarr_format(), group.attrs().len()), (ZarrFormat::N5, 0));
    assert_eq!(group.groups().unwrap(), ["labels"]);
    assert_eq!(group.arrays().unwrap(), [container.array()]);
    let root = ZarrGroup::open(container.folder.path()).unwrap();
    assert_eq!((root.attrs().len(), root.groups().unwrap()), (0, vec!["volumes".to_owned()]));

    // But the folders in an array are its blocks, and one outside is nothing.
    fs::create_dir_all(container.array().join("0/0")).unwrap();
    assert!(ZarrGroup::open(container.array().join("0")).is_err());
    let plain = tempfile::tempdir().unwrap();
    assert!(ZarrGroup::open(plain.path()).is_err());
    // Groups further up count, although folders without attributes lie between.
    container.write("", &json!({"n5": "2.0.0", "multiscales": [{"datasets": [{
        "path": "volumes/labels/all",
        "transform": {"scale": [8, 4, 2], "translate": [84, 42, 21], "units": ["nm", "nm", "nm"]},
    }]}]}));
    container.write("volumes/labels", &json!({"labels": [{"value": 1}]}));
    let array = ZarrArray::open(container.array()).unwrap();
    assert_eq!(array.info().unit().unit(), LengthUnit::Nanometer);
    assert_eq!(array.attrs()["labels"], json!([{"value": 1}]));
    assert_eq!(array.metadata().path_in_container(), "volumes/labels/all");
}

/// Voxels of 5.24 x 4 x 2 nm, the corner at 1047.38, -4, 0 nm.
fn info(dtype: DType, axes: &[&str], shape: &[usize]) -> ArrayInfo {
    let unit = WorldUnit::new(LengthUnit::Nanometer, 2).unwrap();
    let size = VoxelSize::new(Coordinate::from([524, 400, 200])).unwrap();
    let grid = VoxelGrid::new(Coordinate::from([104_738, -400, 0]), size).unwrap();
    let info = ArrayInfo::new(dtype, axes, shape, grid).unwrap();
    info.with_unit(unit).with_block_shape(&[3, 4, 4]).unwrap()
}

fn n5() -> ImageOptions {
    ImageOptions { zarr_format: ZarrFormat::N5, ..ImageOptions::default() }
}

fn counter(shape: &[usize]) -> ArrayD<u32> {
    let len = shape.iter().product::<usize>() as u32;
    let values = (0..len).map(|i| i.wrapping_mul(2_654_435_761) | 1).collect();
    ArrayD::from_shape_vec(IxDyn(shape), values).unwrap()
}

fn json_of(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

#[test]
fn what_is_written_is_read_back_with_the_same_geometry() {
    for compression in
        [Compression::None, Compression::default(), Compression::BloscLz4 { level: 5 }]
    {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.n5");
        let info = info(DType::U32, &["z", "y", "x"], &[5, 7, 6]);
        let voxels = AnyArray::from(counter(&[5, 7, 6]));
        let staging = Staging::new(&target, false).unwrap();
        let options = ImageOptions { compression, ..n5() };
        let array = staging.create_image("labels/all", &info, &options).unwrap();
        array.write(array.roi(), &voxels.view()).unwrap();
        assert!(!target.exists());
        staging.commit(json!({"made_from": "crop"}).as_object().unwrap()).unwrap();

        let array = ZarrArray::open(target.join("labels/all/s0")).unwrap();
        check_contract(&array);
        assert_eq!(array.metadata().zarr_format(), ZarrFormat::N5);
        assert_eq!(array.data().unwrap(), voxels);
        assert_eq!((array.info().grid(), array.info().unit()), (info.grid(), info.unit()));
        assert_eq!(array.axes(), info.axes());
        assert_eq!(array.geometry_report().disagreements, [""; 0]);
        assert_eq!(array.warnings(), [""; 0]);
        let root = ZarrGroup::open(&target).unwrap();
        assert_eq!(root.attrs()["made_from"], "crop");
        assert_eq!(json_of(&target.join("attributes.json"))["n5"], "2.0.0");
    }
}

#[test]
fn the_metadata_has_the_spellings_of_all_readers() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out.n5");
    let info = info(DType::U8, &["c", "z", "y", "x"], &[2, 5, 7, 6]);
    let staging = Staging::new(&target, false).unwrap();
    let attrs = json!({"labels": [], "dimensions": [1], "n5": "9", "transform": {}});
    let options = ImageOptions { attrs: attrs.as_object().unwrap().clone(), ..n5() };
    staging.create_image("mito", &info, &options).unwrap();
    staging.commit(&Map::new()).unwrap();
    let transform = json!({
        "axes": ["c", "z", "y", "x"],
        "scale": [1, 5.24, 4, 2],
        "translate": [0, 1050, -2, 1],
        "units": ["", "nm", "nm", "nm"],
    });
    assert_eq!(
        json_of(&target.join("mito/s0/attributes.json")),
        json!({
            "dimensions": [6, 7, 5, 2],
            "blockSize": [4, 4, 3, 1],
            "dataType": "uint8",
            "compression": {"type": "gzip", "level": 3, "useZlib": false},
            "labels": [],
            "scale": [2, 4, 5.24],
            "offset": [0, -4, 1047.38],
            "axes": ["x", "y", "z", "c"],
            "transform": transform,
            "pixelResolution": {"dimensions": [2, 4, 5.24, 1], "unit": "nm"},
        })
    );
    let datasets = json!([{"path": "s0", "transform": transform}]);
    assert_eq!(
        json_of(&target.join("mito/attributes.json")),
        json!({"n5": "2.0.0", "multiscales": [{"name": "mito", "datasets": datasets}]})
    );
}

#[test]
fn each_spelling_alone_gives_the_same_voxel_size() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out.n5");
    let info = info(DType::U8, &["z", "y", "x"], &[5, 7, 6]);
    let staging = Staging::new(&target, false).unwrap();
    staging.create_image("mito", &info, &n5()).unwrap();
    staging.commit(&Map::new()).unwrap();
    let file = target.join("mito/s0/attributes.json");
    let all = json_of(&file);
    for (kept, source) in [
        (&["resolution", "offset", "units", "axes"][..], "own resolution"),
        (&["resolution", "offset"], "own resolution"),
        (&["transform"], "own transform"),
        (&["pixelResolution", "offset"], "cosem multiscales of group mito"),
        (&[], "cosem multiscales of group mito"),
    ] {
        let mut attributes = all.clone();
        let stored = ["dimensions", "blockSize", "dataType", "compression"];
        attributes
            .as_object_mut()
            .unwrap()
            .retain(|key, _| stored.contains(&key.as_str()) || kept.contains(&key.as_str()));
        fs::write(&file, attributes.to_string()).unwrap();
        let array = ZarrArray::open(target.join("mito/s0")).unwrap();
        assert_eq!(array.geometry_report().voxel_size_source.to_string(), source);
        assert_eq!((array.info().grid(), array.info().unit()), (info.grid(), info.unit()));
        assert_eq!(array.info().spatial_axes(), ["z", "y", "x"], "{kept:?}");
        assert_eq!(array.geometry_report().disagreements, [""; 0], "{kept:?}");
    }
}

#[test]
fn parts_of_blocks_are_merged_and_blocks_of_zeros_are_not_stored() {
    let folder = tempfile::tempdir().unwrap();
    let staging = Staging::new(folder.path().join("out.n5"), false).unwrap();
    let info = info(DType::U32, &["z", "y", "x"], &[5, 7, 6]);
    let array = staging.create_image("a", &info, &n5()).unwrap();
    check_contract(&array);
    let voxels = counter(&[5, 7, 6]);
    for z in 0..5 {
        let window = Window::new(&[z, 0, 0], &[1, 7, 6]).unwrap();
        let roi = array.info().grid().roi(&window).unwrap();
        let part = voxels.slice_axis(ndarray::Axis(0), (z..z + 1).into());
        array.write(&roi, &array_core::AnyView::from(part)).unwrap();
    }
    assert_eq!(array.data().unwrap(), AnyArray::from(voxels));
    let dir = array.metadata().path().to_owned();
    assert!(dir.join("1/1/1").exists() && dir.join("0/1/0").exists());
    let zeros = AnyArray::zeros(DType::U32, &[5, 7, 6]).unwrap();
    array.write(array.roi(), &zeros.view()).unwrap();
    assert!(!dir.join("1/1/1").exists() && !dir.join("0/1/0").exists());
    assert_eq!(array.data().unwrap(), zeros);
}

#[test]
fn arrays_of_other_software_can_be_written() {
    for name in
        ["zarr_zlib.n5", "z5py_bzip2.n5", "z5py_zstd.n5", "zarr_blosc_zstd.n5", "z5py_raw.n5"]
    {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(&folder().join(name), copy.path());
        let array = ZarrArray::open_writable(copy.path().join("s0")).unwrap();
        let mut expected = array.data().unwrap();
        let window = Window::new(&[1, 3, 2], &[3, 2, 4]).unwrap();
        let patch = AnyArray::zeros(array.dtype(), &[3, 2, 4]).unwrap();
        array.write(&array.info().grid().roi(&window).unwrap(), &patch.view()).unwrap();
        let mut part = expected.view_mut();
        for (axis, (&start, &len)) in window.start().iter().zip(window.shape()).enumerate() {
            part = part.slice_axis(axis, start, len);
        }
        part.assign(&patch.view()).unwrap();
        assert_eq!(ZarrArray::open(copy.path().join("s0")).unwrap().data().unwrap(), expected);
        check_contract(&array);
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() { copy_folder(&from, &to) } else { fs::copy(from, to).map(drop).unwrap() }
    }
}

#[test]
fn a_type_or_block_that_n5_lacks_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let staging = Staging::new(folder.path().join("out.n5"), false).unwrap();
    let error = staging.create_image("a", &info(DType::Bool, &["z", "y", "x"], &[2, 2, 2]), &n5());
    let error = error.unwrap_err();
    assert!(error.to_string().contains("the element type bool, which N5 lacks"), "{error}");
    let options = ImageOptions { chunk_shape: Some(vec![1, 1, 1 << 31]), ..n5() };
    let error = staging.create_image("b", &info(DType::U8, &["z", "y", "x"], &[2, 2, 2]), &options);
    let error = error.unwrap_err();
    assert!(matches!(error, ZarrError::Unsupported { .. }), "{error}");
    let error = staging.create_image(
        "a/attributes.json",
        &info(DType::U8, &["z", "y", "x"], &[2, 2, 2]),
        &n5(),
    );
    assert!(matches!(error.unwrap_err(), ZarrError::InvalidName { .. }));
}

#[test]
fn only_a_container_of_n5_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out.n5");
    let write = |name: &str, overwrite| -> Result<(), ZarrError> {
        let staging = Staging::new(&target, overwrite)?;
        staging.create_image(name, &info(DType::U8, &["z", "y", "x"], &[2, 2, 2]), &n5())?;
        staging.commit(&Map::new()).map(drop)
    };
    write("old", false).unwrap();
    assert!(matches!(write("new", false).unwrap_err(), ZarrError::OutputExists { .. }));
    write("new", true).unwrap();
    assert!(target.join("new").exists() && !target.join("old").exists());
    // A folder with some file of that name is somebody's work.
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("attributes.json"), "{\"colour\": \"red\"}").unwrap();
    let error = Staging::new(&other, true).unwrap_err();
    assert!(matches!(error, ZarrError::OutputExists { .. }), "{error}");
}

#[test]
fn an_archive_holds_n5_like_a_folder() {
    let archive = folder().join("archived.zip");
    let array = ZarrArray::open(archive.join("zarr_missing.n5/s0")).unwrap();
    assert_eq!(array.data().unwrap(), open("zarr_missing.n5").data().unwrap());
    assert_eq!(array.info().grid(), open("zarr_missing.n5").info().grid());
    check_contract(&array);
    let group = ZarrGroup::open(archive.join("zarr_missing.n5")).unwrap();
    assert_eq!(group.zarr_format(), ZarrFormat::N5);
    let levels = group.levels().unwrap();
    assert_eq!(levels.iter().map(ToString::to_string).collect::<Vec<_>>(), ["s0 (8 x 4 x 2 nm)"]);
}

#[test]
fn zarr_goes_before_n5_where_a_folder_is_both() {
    let container = Container::with_array(|_| ());
    let zarr = json!({
        "zarr_format": 2, "shape": [2, 2, 2], "chunks": [2, 2, 2], "dtype": "|u1", "order": "C",
        "fill_value": 0, "compressor": null, "filters": null,
    });
    fs::write(container.array().join(".zarray"), zarr.to_string()).unwrap();
    let options = OpenOptions { unit_voxels: true, ..OpenOptions::default() };
    let array = ZarrArray::open_with(container.array(), &options).unwrap();
    assert_eq!(array.metadata().zarr_format(), ZarrFormat::V2);
    assert_eq!(array.shape(), [2, 2, 2]);
}
