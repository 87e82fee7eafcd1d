//! Encodings of class arrays: what is understood, from where, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use annotation_mask::{
    AnnotationType, AttrsOf, ClassAnnotation, ClassState, Encoding, MaskError, cellmap_annotation,
};
use serde_json::{Map, Value, json};

fn attrs(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn with_type(annotation_type: &Value) -> Map<String, Value> {
    attrs(&json!({"cellmap": {"annotation": {
        "class_name": "ecs",
        "annotation_type": annotation_type,
        "complement_counts": {"absent": 12, "unknown": 0},
    }}}))
}

fn semantic() -> Value {
    json!({"type": "semantic_segmentation",
           "encoding": {"absent": 0, "present": 1, "unknown": 255}})
}

fn read(
    array: &Map<String, Value>,
    group: &Map<String, Value>,
) -> Result<ClassAnnotation, MaskError> {
    ClassAnnotation::from_attrs("ecs", array, group)
}

#[test]
fn an_or_of_states_is_kleenes() {
    use ClassState::{Absent, Present, Unknown};
    let table = [
        (Absent, Absent, Absent),
        (Absent, Unknown, Unknown),
        (Absent, Present, Present),
        (Unknown, Unknown, Unknown),
        (Unknown, Present, Present),
        (Present, Present, Present),
    ];
    for (one, two, expected) in table {
        assert_eq!(one.or(two), expected, "{one} or {two}");
        assert_eq!(two.or(one), expected, "{two} or {one}");
    }
}

#[test]
fn a_semantic_encoding_says_what_three_values_mean() {
    let annotation = read(&with_type(&semantic()), &Map::new()).unwrap();
    assert_eq!(annotation.class_name.as_deref(), Some("ecs"));
    assert_eq!(annotation.found_on, AttrsOf::Array);
    assert_eq!(annotation.other_encoding, None);
    assert_eq!(annotation.complement_counts[&ClassState::Absent], 12);
    let encoding = annotation.encoding;
    assert_eq!(encoding.annotation_type(), AnnotationType::Semantic);
    assert_eq!(encoding.state_of(0), ClassState::Absent);
    assert_eq!(encoding.state_of(1), ClassState::Present);
    assert_eq!(encoding.state_of(255), ClassState::Unknown);
    // Nothing explains a 2, so that nothing is learned there.
    assert_eq!(encoding.state_of(2), ClassState::Unknown);
    assert!(encoding.explains(255) && !encoding.explains(2) && !encoding.guesses_present());
}

#[test]
fn every_other_value_of_an_instance_array_is_an_object() {
    let instance = json!({"type": "instance_segmentation",
                          "encoding": {"absent": 0, "unknown": 255, "present": null}});
    let encoding = read(&with_type(&instance), &Map::new()).unwrap().encoding;
    assert_eq!(encoding.annotation_type(), AnnotationType::Instance);
    for (value, state) in [
        (0, ClassState::Absent),
        (255, ClassState::Unknown),
        (1, ClassState::Present),
        (300, ClassState::Present),
        (-4, ClassState::Present),
    ] {
        assert_eq!(encoding.state_of(value), state, "{value}");
        assert!(encoding.explains(value));
    }
    assert!(!encoding.guesses_present());
}

#[test]
fn a_semantic_encoding_without_present_takes_every_other_value() {
    let without = json!({"type": "semantic_segmentation", "encoding": {"absent": 0, "unknown": 9}});
    let encoding = read(&with_type(&without), &Map::new()).unwrap().encoding;
    assert!(encoding.guesses_present());
    assert_eq!(encoding.state_of(4), ClassState::Present);
}

#[test]
fn the_group_speaks_where_the_array_does_not() {
    let group = with_type(&semantic());
    let annotation = read(&Map::new(), &group).unwrap();
    assert_eq!(annotation.found_on, AttrsOf::Group);
    assert_eq!(annotation.complement_counts[&ClassState::Absent], 12);
    // Counts on the array, the encoding on the group.
    let counts = json!({"cellmap": {"annotation": {"complement_counts": {"absent": 5}}}});
    let annotation = read(&attrs(&counts), &group).unwrap();
    assert_eq!(annotation.found_on, AttrsOf::Group);
    assert_eq!(annotation.complement_counts[&ClassState::Absent], 5);
    assert_eq!(annotation.encoding.state_of(1), ClassState::Present);
}

#[test]
fn an_array_wins_against_its_group_and_the_difference_is_kept() {
    let mut other = semantic();
    other["encoding"]["unknown"] = json!(2);
    let annotation = read(&with_type(&semantic()), &with_type(&other)).unwrap();
    assert_eq!(annotation.encoding.state_of(2), ClassState::Unknown);
    assert_eq!(annotation.encoding.state_of(255), ClassState::Unknown);
    let other = annotation.other_encoding.unwrap().to_string();
    assert_eq!(other, "semantic_segmentation, absent = 0, present = 1, unknown = 2");
    let same = read(&with_type(&semantic()), &with_type(&semantic())).unwrap();
    assert_eq!((same.found_on, same.other_encoding), (AttrsOf::Array, None));
}

#[test]
fn the_draft_of_the_encoding_is_understood() {
    let draft = json!({
        "transform": {},
        "encoding": {"0": "unknown", "1": "absent", "2": "present", "7": "present"},
        "census": {"0": 10, "1": 20, "2": 5},
    });
    for (array, group) in [(attrs(&draft), Map::new()), (Map::new(), attrs(&draft))] {
        let annotation = read(&array, &group).unwrap();
        let state = |value| annotation.encoding.state_of(value);
        assert_eq!(
            [0, 1, 2, 7].map(state),
            [ClassState::Unknown, ClassState::Absent, ClassState::Present, ClassState::Present]
        );
        assert_eq!(annotation.census[&1], 20);
    }
}

#[test]
fn attributes_of_other_software_are_no_encoding() {
    for other in [json!({"encoding": "utf-8"}), json!({"encoding": {"dtype": "u1"}}), json!({})] {
        let error = read(&attrs(&other), &attrs(&other)).unwrap_err();
        assert!(matches!(error, MaskError::NoEncoding { .. }), "{error}");
        let text = error.to_string();
        for part in ["\"ecs\"", "cellmap.annotation.annotation_type", "`encoding`", "group"] {
            assert!(text.contains(part), "{text}");
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_with_place_and_field() {
    let semantic_with =
        |encoding: Value| json!({"type": "semantic_segmentation", "encoding": encoding});
    let cases: &[(Value, &str)] = &[
        (json!("semantic"), "annotation_type` of the array: expected an object"),
        (
            json!({"encoding": {"absent": 0}}),
            "annotation_type` of the array: the required field `type`",
        ),
        (json!({"type": "semantic_segmentation"}), "the required field `encoding`"),
        (
            json!({"type": "semantic", "encoding": {}}),
            "annotation_type.type` of the array: expected",
        ),
        (
            semantic_with(json!([0, 1])),
            "annotation_type.encoding` of the array: expected an object",
        ),
        (
            semantic_with(json!({"present": 1})),
            "encoding` of the array: the required field `absent`",
        ),
        (
            semantic_with(json!({"absent": null})),
            "encoding.absent` of the array: expected an integer",
        ),
        (
            semantic_with(json!({"absent": "0"})),
            "encoding.absent` of the array: expected an integer",
        ),
        (semantic_with(json!({"absent": 0.5})), "expected an integer of 64 bits, found 0.5"),
        (semantic_with(json!({"absent": 0, "maybe": 2})), "unknown state \"maybe\""),
        (
            semantic_with(json!({"absent": 0, "present": 1, "unknown": 0})),
            "absent and unknown are both 0",
        ),
        (
            json!({"type": "instance_segmentation", "encoding": {"absent": 255, "unknown": 255}}),
            "absent and unknown are both 255",
        ),
    ];
    for (annotation_type, part) in cases {
        let error = read(&with_type(annotation_type), &Map::new()).unwrap_err().to_string();
        assert!(error.contains("class \"ecs\"") && error.contains(part), "{part:?}: {error}");
        let error = read(&Map::new(), &with_type(annotation_type)).unwrap_err().to_string();
        assert!(error.contains("of the group"), "{error}");
    }
    let annotation = |key: &str, value: Value| {
        let mut attrs = with_type(&semantic());
        attrs["cellmap"]["annotation"][key] = value;
        read(&attrs, &Map::new()).map(|_| ()).map_err(|error| error.to_string())
    };
    for (key, value, part) in [
        ("class_name", json!(5), "annotation.class_name` of the array: expected a text, found 5"),
        ("complement_counts", json!([]), "complement_counts` of the array: expected an object"),
        ("complement_counts", json!({"absent": -1}), "complement_counts.absent` of the array"),
        ("complement_counts", json!({"void": 1}), "unknown state \"void\""),
    ] {
        let error = annotation(key, value).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
    for (key, value) in
        [("complement_counts", json!(null)), ("class_name", json!(null)), ("note", json!(1))]
    {
        assert_eq!(annotation(key, value), Ok(()));
    }
    for (draft, part) in [
        (json!({"encoding": {"0": "unkown"}}), "unknown state \"unkown\""),
        (json!({"encoding": {"0": 1}}), "encoding.0` of the array: expected a state"),
        (json!({"encoding": {"0": "absent"}, "census": {"0": -1}}), "census.0` of the array"),
        (json!({"encoding": {"0": "absent"}, "census": {"x": 1}}), "census.x` of the array"),
    ] {
        let error = read(&attrs(&draft), &Map::new()).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let wrong = attrs(&json!({"cellmap": {"annotation": [1]}}));
    let error = read(&wrong, &Map::new()).unwrap_err().to_string();
    assert!(error.contains("`cellmap.annotation` of the array: expected an object"), "{error}");
}

#[test]
fn what_cellmap_says_is_found_if_it_is_an_object() {
    let crop = attrs(&json!({"cellmap": {"annotation": {"class_names": ["ecs"]}}}));
    assert_eq!(cellmap_annotation(&crop).unwrap()["class_names"], json!(["ecs"]));
    for other in [
        json!({}),
        json!({"cellmap": 1}),
        json!({"cellmap": {}}),
        json!({"cellmap": {"annotation": [1]}}),
    ] {
        assert_eq!(cellmap_annotation(&attrs(&other)), None, "{other}");
    }
}

#[test]
fn an_encoding_gives_back_the_value_that_two_states_share() {
    let states = [(0, ClassState::Absent), (0, ClassState::Absent), (3, ClassState::Unknown)];
    assert!(Encoding::new(AnnotationType::Instance, states).is_ok());
    let states = [(0, ClassState::Absent), (3, ClassState::Present), (3, ClassState::Unknown)];
    assert_eq!(Encoding::new(AnnotationType::Instance, states), Err(3));
}
