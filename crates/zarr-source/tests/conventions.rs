//! Containers of every convention, written by the software that people use (see `conventions/make.py`), whose
//! geometry and voxels are what the conventions say.

#![expect(
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    reason = "what a helper of a test cannot do fails the test"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use array_core::testing::check_contract;
use array_core::{AnyArray, Array, ArrayExt, DType};
use geometry::{Coordinate, Decimal};
use serde_json::Value;
use zarr_source::{Convention, OpenOptions, ZarrArray, ZarrError};

/// One array, and what is expected of it.
struct Fixture {
    entry: Value,
}

impl Fixture {
    fn named(name: &str) -> Self {
        let found = fixtures().into_iter().find(|fixture| fixture.text("name") == name);
        found.unwrap_or_else(|| panic!("the manifest has no entry {name}"))
    }

    fn text(&self, key: &str) -> &str {
        self.entry[key].as_str().unwrap()
    }

    fn texts(&self, key: &str) -> Vec<&str> {
        texts(&self.entry[key])
    }

    fn path(&self) -> PathBuf {
        folder().join(self.text("path"))
    }

    fn open(&self) -> Result<ZarrArray, ZarrError> {
        ZarrArray::open(self.path())
    }

    fn shape(&self) -> Vec<usize> {
        let shape = self.entry["shape"].as_array().unwrap();
        shape.iter().map(|n| n.as_u64().unwrap() as usize).collect()
    }

    /// The voxels that `make.py` wrote.
    fn voxels(&self) -> AnyArray {
        fn fill<T>(array: &mut ndarray::ArrayD<T>, of: impl Fn(u64) -> T) {
            for (flat, value) in array.iter_mut().enumerate() {
                *value = of(flat as u64);
            }
        }
        let salt = self.entry["voxels"]["salt"].as_u64().unwrap();
        let values = self.entry["voxels"]["values"].as_array();
        let values: Option<Vec<u64>> =
            values.map(|values| values.iter().map(|value| value.as_u64().unwrap()).collect());
        let of = |flat: u64| match &values {
            Some(values) => values[(hash(flat + salt) % values.len() as u64) as usize],
            None => hash(flat + salt),
        };
        let dtype: DType = self.text("dtype").parse().unwrap();
        let mut array = AnyArray::zeros(dtype, &self.shape()).unwrap();
        match &mut array {
            AnyArray::U8(array) => fill(array, |flat| of(flat) as u8),
            AnyArray::U16(array) => fill(array, |flat| of(flat) as u16),
            AnyArray::U32(array) => fill(array, |flat| of(flat) as u32),
            AnyArray::U64(array) => fill(array, of),
            AnyArray::I32(array) => fill(array, |flat| of(flat) as i32),
            other => panic!("make.py writes no {}", other.dtype()),
        }
        array
    }

    /// Holds an array that was opened against the manifest.
    fn check(&self, array: &ZarrArray) {
        let (info, report, unit) = (array.info(), array.geometry_report(), array.info().unit());
        let lengths = |values: &Coordinate| {
            unit.decimals(values).iter().map(Decimal::to_string).collect::<Vec<_>>()
        };
        assert_eq!(info.axes(), self.texts("axes"), "axes");
        assert_eq!(info.shape(), self.shape(), "shape");
        assert_eq!(info.dtype().to_string(), self.text("dtype"), "dtype");
        let voxel_size = lengths(info.grid().voxel_size().as_coordinate());
        assert_eq!(voxel_size, self.texts("voxel_size"), "voxel size");
        assert_eq!(lengths(info.grid().offset()), self.texts("corner"), "corner");
        assert_eq!(unit.unit().name(), self.text("unit"), "unit");
        assert_eq!(unit.to_string(), self.text("world_unit"), "world unit");
        assert_eq!(report.convention.to_string(), self.text("meaning"), "meaning of the offset");

        for (what, source) in [
            ("voxel_size_source", &report.voxel_size_source),
            ("offset_source", &report.offset_source),
            ("axes_source", &report.axes_source),
        ] {
            let (found, expected) = (source.to_string(), self.text(what));
            assert!(found.contains(expected), "{what} is {found:?}, expected {expected:?}");
        }
        let expected: Vec<Vec<&str>> =
            self.entry["disagreements"].as_array().unwrap().iter().map(texts).collect();
        let found = &report.disagreements;
        assert_eq!(found.len(), expected.len(), "disagreements {found:?}");
        for (sentence, parts) in found.iter().zip(&expected) {
            assert!(parts.iter().all(|part| sentence.contains(part)), "{parts:?} in {sentence:?}");
        }
        assert_eq!(array.data().unwrap(), self.voxels(), "voxels");
    }
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conventions")
}

fn fixtures() -> Vec<Fixture> {
    let text = std::fs::read_to_string(folder().join("manifest.json")).unwrap();
    let entries: Vec<Value> = serde_json::from_str(&text).unwrap();
    entries.into_iter().map(|entry| Fixture { entry }).collect()
}

/// The hash (splitmix64) that `make.py` writes.
fn hash(index: u64) -> u64 {
    let mut x = index.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// Holds the containers of a convention, but for those that have a test of their own, against the manifest.
///
/// All of them are tried, so that a failure names each that fails.
fn check(convention: &str) {
    let of_convention = |fixture: &Fixture| {
        fixture.text("convention") == convention && fixture.text("name") != FUNLIB_N5
    };
    let fixtures: Vec<Fixture> = fixtures().into_iter().filter(of_convention).collect();
    assert!(!fixtures.is_empty(), "no container of the convention {convention}");
    let mut failures = Vec::new();
    for fixture in &fixtures {
        let (name, writer) = (fixture.text("name"), fixture.text("writer"));
        if std::panic::catch_unwind(|| check_array(fixture)).is_err() {
            failures.push(format!("{name} ({writer})"));
        }
        if std::panic::catch_unwind(|| check_group(fixture)).is_err() {
            failures.push(format!("{name} through its group ({writer})"));
        }
    }
    assert!(failures.is_empty(), "of {}, these fail: {}", fixtures.len(), failures.join("; "));
}

fn check_array(fixture: &Fixture) {
    let name = fixture.text("name");
    if fixture.entry["error"].is_null() {
        let array = fixture.open().unwrap_or_else(|error| panic!("{name}: {error}"));
        fixture.check(&array);
        check_contract(&array);
        return;
    }
    let message = fixture.open().unwrap_err().to_string();
    for part in fixture.texts("error") {
        assert!(message.contains(part), "{name}: {part:?} in {message:?}");
    }
}

/// Opens the first level by the path of its group.
fn check_group(fixture: &Fixture) {
    let Some(group) = fixture.entry["group"].as_str() else {
        return;
    };
    let array = ZarrArray::open(folder().join(group));
    let array = array.unwrap_or_else(|error| panic!("{}: {error}", fixture.text("name")));
    fixture.check(&array);
}

/// A test for each convention, and the list of all of them.
macro_rules! conventions {
    ($($test:ident: $convention:literal,)+) => {
        const CONVENTIONS: &[&str] = &[$($convention),+];
        $(
            #[test]
            fn $test() {
                check($convention);
            }
        )+
    };
}

conventions! {
    arrays_of_dacapo: "dacapo_legacy",
    arrays_of_funlib_persistence_to_0_4: "funlib_persistence_0.1-0.4",
    arrays_of_funlib_persistence_from_0_5: "funlib_persistence_0.5-0.7",
    labels_of_2021: "labels_bool_2021",
    labels_with_num_voxels_of_2022: "labels_num_voxels_2022-09",
    labels_with_densities_of_2023: "labels_enum_2023-03",
    the_draft_for_ground_truth_of_2023: "groundtruth_draft_2023-05",
    a_semantic_class_of_a_crop_group: "cellmap_crop_group",
    an_instance_class_of_a_crop_group: "cellmap_class_group",
    a_class_array_of_the_challenge: "cellmap_class_array_real",
    ome_ngff_0_4: "ome_0.4_csc",
    ome_ngff_0_5: "ome_0.5",
    the_transform_of_cosem: "cosem_transform",
    a_negative_scale_is_refused: "cosem_negative_scale",
    the_multiscales_of_cosem_version_1: "cosem_multiscales_v1",
    the_multiscales_of_cosem_version_2: "cosem_multiscales_v2",
    a_group_for_neuroglancer_in_n5: "n5_neuroglancer_group",
    n5_arrays: "n5_array",
    the_ground_truth_of_heinrich_2021: "heinrich_2021_gt",
    the_hdf5_of_cremi_is_refused: "cremi_hdf5",
    dimensions_named_by_xarray: "xarray_dims",
    dimension_units_of_neuroglancer: "neuroglancer_units_ext",
}

/// N5 whose lists are in the order of the array: see the test about it.
const FUNLIB_N5: &str = "funlib_0.5_n5";

#[test]
fn every_convention_has_a_container_and_a_test() {
    let found: BTreeSet<String> =
        fixtures().iter().map(|fixture| fixture.text("convention").to_owned()).collect();
    let tested: BTreeSet<String> = CONVENTIONS.iter().map(ToString::to_string).collect();
    assert_eq!(found, tested);
    assert_eq!(tested.len(), 22);
}

#[test]
fn n5_of_funlib_persistence_from_0_5_keeps_the_order_of_the_array() {
    check_array(&Fixture::named(FUNLIB_N5));
}

#[test]
fn arrays_that_only_have_names_of_dimensions_take_the_voxel_size_of_the_caller() {
    for name in ["xarray_v2", "xarray_v3"] {
        let fixture = Fixture::named(name);
        assert!(matches!(fixture.open(), Err(ZarrError::NoGeometry { .. })), "{name}");
        let sizes = [30, 5, 4].map(Decimal::from);
        let options = OpenOptions { voxel_size: Some(sizes.to_vec()), ..OpenOptions::default() };
        let array = ZarrArray::open_with(fixture.path(), &options).unwrap();
        assert_eq!(array.axes(), ["z", "y", "x"], "{name}");
        assert_eq!(array.geometry_report().axes_source.to_string(), "dimension names", "{name}");
        assert_eq!(array.info().grid().voxel_size().as_coordinate(), &[30, 5, 4].into(), "{name}");
        assert_eq!(array.data().unwrap(), fixture.voxels(), "{name}");
        check_contract(&array);
    }
}

#[test]
fn n5_arrays_without_geometry_open_with_unit_voxels_and_reversed_dimensions() {
    for name in ["plain_z5py", "plain_n5store"] {
        let fixture = Fixture::named(name);
        assert!(matches!(fixture.open(), Err(ZarrError::NoGeometry { .. })), "{name}");
        let options = OpenOptions { unit_voxels: true, ..OpenOptions::default() };
        let array = ZarrArray::open_with(fixture.path(), &options).unwrap();
        assert_eq!(array.info().shape(), [4, 5, 6], "{name}");
        assert_eq!(array.info().block_shape(), [2, 5, 4], "{name}");
        assert_eq!(array.data().unwrap(), fixture.voxels(), "{name}");
        check_contract(&array);
    }
}

#[test]
fn a_caller_can_say_that_a_translation_of_ome_is_a_corner() {
    let fixture = Fixture::named("csc_submission");
    let options = OpenOptions { translation: Some(Convention::Corner), ..OpenOptions::default() };
    let array = ZarrArray::open_with(fixture.path(), &options).unwrap();
    assert_eq!(array.info().grid().offset(), &Coordinate::from([2760, 5160, 10670]));
}
