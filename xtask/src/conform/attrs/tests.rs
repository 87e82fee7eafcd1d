use super::*;

/// A vector of an array of 4 x 4 x 4 voxels in C order.
fn vector(attrs: Value, old: Value, new: Value) -> Vector {
    let vector = json!({
        "id": "a", "shape": [4, 4, 4], "order": "C", "dataset": "labels", "attrs": attrs,
        "parent_attrs": null, "root_attrs": null, "old": old, "new": new,
    });
    serde_json::from_value(vector).expect("a vector")
}

fn judged(vector: &Vector) -> [Option<&'static str>; 2] {
    verdicts(vector).expect("a folder").map(|verdict| match verdict {
        Verdict::Equal => Some("equal"),
        Verdict::Named(rule) => Some(rule),
        Verdict::Unexplained(_) => None,
    })
}

fn old_place(size: Value, offset: Value, shape: Value) -> Value {
    let axes = ["z", "y", "x"];
    json!({"voxel_size": size, "offset": offset, "shape": shape, "dims": 3, "axes": axes, "mask_ok": true})
}

fn new_place(size: Value, offset: Value, shape: Value) -> Value {
    let (names, units) = (["d0", "d1", "d2"], ["", "", ""]);
    json!({"voxel_size": size, "offset": offset, "shape": shape, "axis_names": names, "units": units})
}

fn unit_voxels() -> Value {
    new_place(json!([1, 1, 1]), json!([0, 0, 0]), json!([4, 4, 4]))
}

/// Both versions differ from ours: one rounds the offset, the other knows no `resolution`.
fn rounded() -> Vector {
    vector(
        json!({"resolution": [8, 4, 2], "offset": [81, 43, 20]}),
        old_place(json!([8, 4, 2]), json!([80, 44, 20]), json!([32, 16, 8])),
        new_place(json!([1, 1, 1]), json!([81, 43, 20]), json!([4, 4, 4])),
    )
}

#[test]
fn what_the_original_must_answer_has_a_rule() {
    let rules = [Some("exact_geometry"), Some("keys_of_other_tools_understood")];
    assert_eq!(judged(&rounded()), rules);
}

#[test]
fn any_other_answer_is_unexplained() {
    let mutations = [
        ("/voxel_size/0", json!(7)),
        ("/voxel_size", json!([8, 4])),
        ("/voxel_size/1", json!(4.5)),
        ("/voxel_size/1", json!("4")),
        ("/offset/1", json!(48)),
        ("/offset/0", json!(81.5)),
        ("/shape/2", json!(9)),
        ("/axes", json!(["q", "q", "q"])),
        ("/axis_names", json!(["q", "q", "q"])),
        ("/dims", json!(2)),
        ("/mask_ok", json!({"error": "TypeError"})),
        ("/units", json!(["nm", "", ""])),
        ("", json!({"error": "KeyError"})),
        ("", json!({"error": "ValueError"})),
        ("", json!(null)),
    ];
    for (place, value) in mutations {
        for index in [0, 1] {
            let mut changed = rounded();
            let answer = if index == 0 { &mut changed.old } else { &mut changed.new };
            if let Some(entry) = answer.pointer_mut(place) {
                *entry = value.clone();
                assert_eq!(judged(&changed)[index], None, "{index}: {place} = {value}");
            }
        }
    }
}

#[test]
fn errors_must_have_the_class_of_the_original() {
    let attrs = json!({"resolution": [[8], [4], [2]], "voxel_size": [[8], [4], [2]]});
    let error = |class: &str| json!({ "error": class });
    let same = vector(attrs.clone(), error("TypeError"), error("TypeError"));
    assert_eq!(judged(&same), [Some("equal"), Some("equal")]);
    assert_eq!(judged(&vector(attrs, error("KeyError"), error("ValueError"))), [None, None]);
}

#[test]
fn legitimate_variations_have_the_rule_that_says_why() {
    let place = || old_place(json!([8, 4, 2]), json!([0, 0, 0]), json!([32, 16, 8]));
    let new = || new_place(json!([8, 4, 2]), json!([0, 0, 0]), json!([32, 16, 8]));
    let sizes = |more: Value| {
        let mut attrs = json!({"voxel_size": [8, 4, 2], "resolution": [8, 4, 2]});
        for (key, value) in more.as_object().expect("an object") {
            attrs[key] = value.clone();
        }
        attrs
    };
    let transform = |units: Value| json!({"transform": {"scale": [8, 4, 2], "translate": [0, 0, 0], "units": units}});
    let with_units = |units: Value| {
        let mut new = new();
        new["units"] = units;
        new
    };
    let failed = |class: &str| json!({ "error": class });
    let keys = Some("keys_of_other_tools_understood");
    let names = Some("axes_match_the_array");
    let beyond = Some("beyond_64_bits");
    let huge = |first: Value| json!([first, 0, 0]);
    let cases = [
        (transform(json!(null)), place(), unit_voxels(), [Some("equal"), keys]),
        (
            sizes(json!({"units": "nm"})),
            place(),
            failed("AssertionError"),
            [Some("equal"), Some("one_text_for_all_axes")],
        ),
        (
            sizes(json!({"units": ["nm"]})),
            place(),
            failed("ValueError"),
            [Some("equal"), Some("one_text_for_all_axes")],
        ),
        (
            sizes(json!({"units": ["nm", "um", "nm"]})),
            place(),
            with_units(json!(["nm", "um", "nm"])),
            [Some("units_are_converted"); 2],
        ),
        (
            sizes(json!({"axes": ["z", "z", "x"]})),
            {
                let mut place = place();
                place["axes"] = json!(["z", "z", "x"]);
                place
            },
            new(),
            [names; 2],
        ),
        (
            json!({"resolution": [16.0 / 3.0, 4, 4]}),
            old_place(json!([5, 4, 4]), json!([0, 0, 0]), json!([20, 16, 16])),
            unit_voxels(),
            [Some("decimals_only"); 2],
        ),
        (
            sizes(json!({"offset": [9_223_372_036_854_775_808_u64, 0, 0]})),
            old_place(
                json!([8, 4, 2]),
                huge(json!(9_223_372_036_854_775_808_u64)),
                json!([32, 16, 8]),
            ),
            new_place(
                json!([8, 4, 2]),
                huge(json!(9_223_372_036_854_775_808_u64)),
                json!([32, 16, 8]),
            ),
            [beyond; 2],
        ),
        (
            sizes(json!({"offset": [1e20, 0, 0]})),
            old_place(json!([8, 4, 2]), huge(json!(1e20)), json!([32, 16, 8])),
            new_place(json!([8, 4, 2]), huge(json!(1e20)), json!([32, 16, 8])),
            [beyond; 2],
        ),
        (
            json!({"pixelResolution": {"dimensions": [8, 4, 2], "unit": "nm"}}),
            place(),
            unit_voxels(),
            [Some("pixels_are_x_first"), keys],
        ),
    ];
    for (attrs, old, new, rules) in cases {
        assert_eq!(judged(&vector(attrs.clone(), old, new)), rules, "{attrs}");
    }
}

#[test]
fn a_memory_order_is_told_from_a_rounded_offset() {
    let mut vector = rounded();
    vector.order = "F".to_owned();
    vector.old = old_place(json!([2, 4, 8]), json!([20, 44, 80]), json!([8, 16, 32]));
    assert_eq!(judged(&vector)[0], Some("memory_order_is_not_axis_order"));
    vector.old["offset"] = json!([80, 44, 20]);
    assert_eq!(judged(&vector)[0], None);
}

#[test]
fn an_empty_array_can_be_opened() {
    let mut vector = rounded();
    vector.shape[0] = 0;
    vector.old["shape"][0] = json!(0);
    vector.new["shape"][0] = json!(0);
    assert_eq!(judged(&vector)[0], Some("exact_geometry"));
}

#[test]
fn a_line_that_is_no_json_is_one_unexplained_difference() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("attrs.jsonl");
    fs::write(&path, "{\"attrs\": {\"resolution\": [NaN, 4, 4]}}\n\n").expect("a file");
    let report = run(&path).expect("a report");
    assert_eq!((report.total, report.unexplained.len()), (1, 1));
}
