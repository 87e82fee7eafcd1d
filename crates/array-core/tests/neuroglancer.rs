//! What Neuroglancer is told of arrays: where their voxels lie, which channel a layer shows, and the link.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::sync::Arc;

use array_core::neuroglancer::{HOSTED_CLIENT, Layer, LayerKind, link, state};
use array_core::{AnyArray, ArrayError, ArrayExt, ArrayInfo, DType, MemoryArray};
use geometry::{Coordinate, LengthUnit, VoxelGrid, VoxelSize, WorldUnit};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::{Map, Value, json};

const SOURCE: &str = "zarr2://http://127.0.0.1:9000/mask";

fn grid(offset: &[i64], voxel_size: &[i64]) -> VoxelGrid {
    let voxel_size = VoxelSize::new(Coordinate::new(voxel_size).unwrap()).unwrap();
    VoxelGrid::new(Coordinate::new(offset).unwrap(), voxel_size).unwrap()
}

/// An array of bytes at [-16, 240, 8] with voxels of [8, 4, 4], in nanometers.
fn info(axes: &[&str], shape: &[usize], dims: usize) -> ArrayInfo {
    let grid = grid(&[-16, 240, 8][..dims], &[8, 4, 4][..dims]);
    let info = ArrayInfo::new(DType::U8, axes, shape, grid).unwrap();
    info.with_unit(WorldUnit::whole(LengthUnit::Nanometer))
}

fn volume() -> ArrayInfo {
    info(&["z", "y", "x"], &[5, 10, 20], 3)
}

fn mask() -> ArrayInfo {
    let names = vec!["mito".to_owned(), "er".to_owned()];
    info(&["c", "z", "y", "x"], &[2, 5, 10, 20], 3).with_channel_names(names).unwrap()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn refusal<T: std::fmt::Debug>(result: Result<T, ArrayError>) -> String {
    match result {
        Err(ArrayError::NotShowable { reason }) => reason,
        other => panic!("{other:?} is no refusal"),
    }
}

#[test]
fn dimensions_are_meters_without_noise_of_floats() {
    let units = [
        (LengthUnit::Nanometer, 0, [4e-9, 8e-9]),
        (LengthUnit::Nanometer, 2, [4e-11, 8e-11]),
        (LengthUnit::Micrometer, 3, [4e-9, 8e-9]),
        (LengthUnit::Millimeter, 0, [0.004, 0.008]),
        (LengthUnit::Angstrom, 0, [4e-10, 8e-10]),
        (LengthUnit::Meter, 0, [4.0, 8.0]),
    ];
    for (unit, exponent, [xy, z]) in units {
        let info = volume().with_unit(WorldUnit::new(unit, exponent).unwrap());
        let state = state(&info, &[]).unwrap();
        let expected = json!({"x": [xy, "m"], "y": [xy, "m"], "z": [z, "m"]});
        assert_eq!(state["dimensions"], expected, "{unit} {exponent}");
    }
    let hundredths = WorldUnit::new(LengthUnit::Nanometer, 2).unwrap();
    let odd =
        ArrayInfo::new(DType::U8, &["z", "y", "x"], &[4, 4, 4], grid(&[0; 3], &[262, 307, 2]));
    let state = state(&odd.unwrap().with_unit(hundredths), &[]).unwrap();
    let text = state["dimensions"].to_string();
    assert_eq!(text, r#"{"x":[2e-11,"m"],"y":[3.07e-9,"m"],"z":[2.62e-9,"m"]}"#);
}

#[test]
fn a_unit_that_is_not_known_has_no_name() {
    let tenths = WorldUnit::new(LengthUnit::Unknown, 1).unwrap();
    let state = state(&volume().with_unit(tenths), &[]).unwrap();
    assert_eq!(state["dimensions"]["z"], json!([0.8, ""]));
}

#[test]
fn axes_are_turned_around_whatever_their_names() {
    let cases: [(&[&str], &[usize]); 4] = [
        (&["z", "y", "x"], &[5, 10, 20]),
        (&["aa", "slice", "B2_b"], &[5, 10, 20]),
        (&["y", "x"], &[5, 10]),
        (&["x"], &[5]),
    ];
    for (axes, shape) in cases {
        let state = state(&info(axes, shape, axes.len()), &[]).unwrap();
        let turned: Vec<&str> = axes.iter().rev().copied().collect();
        assert_eq!(keys(&state["dimensions"]), turned);
        assert_eq!(state["displayDimensions"], json!(turned));
        assert_eq!(state["position"].as_array().unwrap().len(), axes.len());
        assert_eq!(state["layout"], if axes.len() == 3 { "4panel" } else { "xy" });
    }
}

#[test]
fn the_viewer_stands_in_the_middle_counted_in_voxels_from_the_zero_of_the_world() {
    let state = state(&volume(), &[]).unwrap();
    // x: 8 / 4 + 10.5; y: 240 / 4 + 5.5; z: -16 / 8 + 2.5.
    assert_eq!(state["position"], json!([12.5, 65.5, 0.5]));
    // The longest side is 80 nm, the shortest side of a voxel 4 nm.
    assert_eq!(state["projectionScale"], json!(40.0));
    assert_eq!(state["crossSectionScale"], json!(0.0625));
}

#[test]
fn a_corner_between_voxels_of_the_world_is_kept() {
    let info = ArrayInfo::new(DType::U8, &["y", "x"], &[3, 4], grid(&[1, 6], &[4, 4])).unwrap();
    assert_eq!(state(&info, &[]).unwrap()["position"], json!([4.0, 1.75]));
}

#[test]
fn each_channel_is_a_layer_of_its_own() {
    let mask = mask();
    let layers = [Layer::masks(SOURCE, &mask), Layer::targets(SOURCE, &mask)].concat();
    let state = state(&mask, &layers).unwrap();
    let layers = state["layers"].as_array().unwrap();
    let told = |key: &str| layers.iter().map(|layer| layer[key].clone()).collect::<Value>();
    assert_eq!(told("name"), json!(["mask mito", "mask er", "target mito", "target er"]));
    assert_eq!(told("visible"), json!([true, false, true, false]));
    assert_eq!(told("localPosition"), json!([[0], [1], [0], [1]]));
    for layer in layers {
        assert_eq!(layer["type"], "image");
        assert_eq!(layer["source"], SOURCE);
        assert_eq!(layer["localDimensions"], json!({"c'": [1, ""]}));
    }
    let shader = |index: usize| layers[index]["shader"].as_str().unwrap();
    assert_eq!(shader(0), shader(1));
    assert!(shader(0).contains("mix(unknown, known, share)"), "{}", shader(0));
    assert!(shader(2).contains("#ffc43d"), "{}", shader(2));
    assert_ne!(shader(2), shader(3));
}

#[test]
fn channels_of_several_axes_are_counted_over_all_of_them() {
    let info = info(&["s^", "channel", "y", "x"], &[2, 3, 5, 10], 2);
    let layer = Layer::new("m", SOURCE, &info, LayerKind::Mask { channel: 5 }).to_json().unwrap();
    assert_eq!(layer["localDimensions"], json!({"s'": [1, ""], "channel'": [1, ""]}));
    assert_eq!(layer["localPosition"], json!([1, 2]));
    let names: Vec<String> = Layer::masks(SOURCE, &info).into_iter().map(|l| l.name).collect();
    assert_eq!(names, ["mask 0", "mask 1", "mask 2", "mask 3", "mask 4", "mask 5"]);
}

#[test]
fn images_and_labels_have_their_own_kinds_of_layers() {
    let volume = volume();
    let layer = |kind| Layer::new("raw", SOURCE, &volume, kind).to_json().unwrap();
    assert_eq!(layer(LayerKind::Segmentation)["type"], "segmentation");
    assert_eq!(layer(LayerKind::Image)["type"], "image");
    assert_eq!(layer(LayerKind::Image).get("localDimensions"), None);
    assert_eq!(Layer::masks(SOURCE, &volume)[0].name, "mask");
    assert_eq!(layer(LayerKind::Mask { channel: 0 })["blend"], "default");
    let kinds = [LayerKind::Image, LayerKind::Segmentation];
    let channels = [LayerKind::Mask { channel: 1 }, LayerKind::Target { channel: 1 }];
    assert_eq!(kinds.map(LayerKind::name), ["image", "segmentation"]);
    assert_eq!(channels.map(LayerKind::name), ["mask", "target"]);
}

#[test]
fn an_array_of_a_type_that_it_does_not_know_cannot_be_shown() {
    let info = ArrayInfo::new(DType::F64, &["y", "x"], &[3, 4], grid(&[0, 0], &[4, 4])).unwrap();
    let voxels = AnyArray::zeros(DType::F64, &[3, 4]).unwrap();
    assert!(!MemoryArray::new(info, voxels).unwrap().can_neuroglance());
}

#[test]
fn integer_labels_are_a_segmentation_and_everything_else_an_image() {
    let labels = Arc::new(Map::from_iter([("labels".to_owned(), json!([]))]));
    let kind = |info: ArrayInfo| {
        let voxels = AnyArray::zeros(info.dtype(), info.shape()).unwrap();
        let array = array_core::for_any!(AnyArray, voxels, |v| MemoryArray::new(info, v).unwrap());
        assert!(array.can_neuroglance());
        let layer = array.neuroglancer_layer("zarr2://http://127.0.0.1:9000/crop/all/").unwrap();
        assert_eq!(layer["name"], "all");
        let state = array.neuroglancer_state("zarr2://http://127.0.0.1:9000/crop/all/").unwrap();
        assert_eq!(state["layers"], json!([layer]));
        layer["type"].as_str().unwrap().to_owned()
    };
    assert_eq!(kind(volume()), "image");
    assert_eq!(kind(volume().with_attrs(labels.clone())), "segmentation");
    assert_eq!(kind(volume().with_dtype(DType::U64)), "segmentation");
    assert_eq!(kind(volume().with_dtype(DType::F32).with_attrs(labels)), "image");
    assert_eq!(kind(mask().with_dtype(DType::U32)), "image");
}

#[test]
fn what_neuroglancer_cannot_hold_is_refused_with_the_reason() {
    let four = ArrayInfo::new(DType::U8, &["t", "z", "y", "x"], &[2; 4], grid(&[0; 4], &[1; 4]));
    assert!(refusal(state(&four.unwrap(), &[])).contains("4 spatial axes"));
    for dtype in [DType::Bool, DType::I64, DType::F64] {
        let info = volume().with_dtype(dtype);
        assert!(refusal(state(&info, &[])).contains(dtype.name()));
        assert!(refusal(Layer::of(SOURCE, &info).to_json()).contains(dtype.name()));
    }
    for axis in ["0", "", "x'", "µ", "x y", "_x"] {
        let reason = refusal(state(&info(&["z", "y", axis], &[2; 3], 3), &[]));
        assert!(reason.contains(&format!("{axis:?}")), "{reason}");
    }
    let empty = info(&["z", "y", "x"], &[2, 0, 2], 3);
    assert!(refusal(state(&empty, &[])).contains("\"y\" is empty"));
    let floats = volume().with_dtype(DType::F32);
    let labels = Layer::new("labels", SOURCE, &floats, LayerKind::Segmentation);
    assert!(refusal(labels.to_json()).contains("float32"));
    // A layer that cannot be shown fails the whole state.
    assert!(refusal(state(&volume(), &[labels])).contains("float32"));
}

#[test]
fn a_channel_that_is_not_there_is_refused() {
    let (mask, volume) = (mask(), volume());
    let of = |info, channel| Layer::new("m", SOURCE, info, LayerKind::Target { channel }).to_json();
    assert!(of(&mask, 1).is_ok());
    assert!(refusal(of(&mask, 2)).contains("2 channels"));
    assert!(of(&volume, 0).is_ok());
    assert!(refusal(of(&volume, 1)).contains("0 channels"));
}

/// The state that a link holds, decoded as a browser does.
fn decoded(link: &str) -> Value {
    let (_, fragment) = link.split_once("#!").unwrap();
    let mut bytes = Vec::new();
    let mut rest = fragment.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            byte => byte,
        });
    }
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn a_link_holds_the_whole_state_in_letters_that_no_shell_or_mail_breaks() {
    let names = vec!["ER (#1), 100 %'s".to_owned(), "µ\"\\\n&<>|".to_owned()];
    let mask = mask().with_channel_names(names).unwrap();
    let state = state(&mask, &Layer::masks(SOURCE, &mask)).unwrap();
    let link = link(HOSTED_CLIENT, &state);
    assert_eq!(decoded(&link), state);
    let (base, fragment) = link.split_once("#!").unwrap();
    assert_eq!(base, HOSTED_CLIENT);
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "-_.~:/%".contains(c);
    assert!(fragment.chars().all(is_safe), "{fragment}");
}

#[test]
fn the_client_may_be_a_page_with_a_state_already() {
    let state = json!({});
    assert_eq!(link("http://host/v/1/", &state), "http://host/v/1/#!%7B%7D");
    assert_eq!(link("http://host/v/1/#!%7B%22a%22:1%7D", &state), "http://host/v/1/#!%7B%7D");
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    /// The position times the voxel size is a world coordinate in the middle voxel, along each axis.
    #[test]
    fn the_position_is_inside_of_the_middle_voxel(
        axes in prop::collection::vec((-100_000..100_000_i64, 1..500_i64, 1..2000_usize), 1..4),
    ) {
        let offset: Vec<i64> = axes.iter().map(|axis| axis.0).collect();
        let voxel_size: Vec<i64> = axes.iter().map(|axis| axis.1).collect();
        let shape: Vec<usize> = axes.iter().map(|axis| axis.2).collect();
        let names = &["z", "y", "x"][3 - axes.len()..];
        let info = ArrayInfo::new(DType::U8, names, &shape, grid(&offset, &voxel_size)).unwrap();
        let state = state(&info, &[]).unwrap();
        let position = state["position"].as_array().unwrap();
        for (&(offset, voxel, extent), place) in axes.iter().zip(position.iter().rev()) {
            let middle = offset + voxel * i64::try_from(extent / 2).unwrap();
            let centre = 2 * middle + voxel;
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let (centre, voxel) = (centre as f64 / 2.0, voxel as f64);
            let world = place.as_f64().unwrap() * voxel;
            prop_assert!((world - centre).abs() < 1e-6 * voxel, "{world} is not {centre}");
        }
    }
}
