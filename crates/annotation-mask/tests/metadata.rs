//! The `labels` attribute, grouping lists and rules: what is understood, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use annotation_mask::{Annotation, Group, Groups, LabelList, MaskError, Rule};
use serde_json::{Value, json};

fn entry() -> Value {
    json!({
        "value": 3,
        "name": {"long": "Mitochondrial membrane", "short": "Mito membrane"},
        "annotationState": {"present": true, "annotated": false},
    })
}

fn parse_with(path: &[&str], value: Option<Value>) -> Result<LabelList, MaskError> {
    let mut entry = entry();
    let (last, parents) = path.split_last().unwrap();
    let parent = parents.iter().fold(&mut entry, |entry, key| &mut entry[*key]);
    match value {
        Some(value) => parent[*last] = value,
        None => drop(parent.as_object_mut().unwrap().remove(*last)),
    }
    LabelList::parse(&json!([super_annotated(), entry]))
}

/// A first entry, so that positions other than 0 are seen.
fn super_annotated() -> Value {
    json!({
        "value": 1,
        "name": {"long": "Extracellular space", "short": "ECS"},
        "annotationState": {"present": true, "annotated": "dense"},
        "count": 12,
    })
}

#[test]
fn both_generations_of_annotated_are_understood() {
    for (annotated, annotation) in [
        (json!(true), Annotation::Dense),
        (json!("dense"), Annotation::Dense),
        (json!("sparse"), Annotation::Sparse),
        (json!("empty"), Annotation::Empty),
        (json!(false), Annotation::Empty),
    ] {
        let list = parse_with(&["annotationState", "annotated"], Some(annotated)).unwrap();
        assert_eq!(list.entries()[1].annotation, annotation);
        assert_eq!(list.missing().contains(&3), annotation == Annotation::Empty);
        assert!(!list.missing().contains(&1));
    }
}

#[test]
fn a_class_that_is_not_in_the_crop_is_not_missing() {
    let list = parse_with(&["annotationState", "present"], Some(json!(false))).unwrap();
    assert!(list.missing().is_empty());
}

#[test]
fn a_value_listed_twice_is_missing_if_any_entry_says_so() {
    let mut annotated = entry();
    annotated["annotationState"]["annotated"] = json!("dense");
    for list in [json!([annotated, entry()]), json!([entry(), annotated])] {
        assert!(LabelList::parse(&list).unwrap().missing().contains(&3));
    }
}

#[test]
fn counts_and_unknown_keys_are_tolerated() {
    for (key, value, count) in [
        ("count", json!(12), Some(12)),
        ("num_voxels", json!(12), Some(12)),
        ("count", json!(null), None),
        ("colour", json!("red"), None),
    ] {
        let list = parse_with(&[key], Some(value)).unwrap();
        assert_eq!(list.entries()[1].count, count, "{key}");
    }
}

#[test]
fn ids_keep_all_their_64_bits() {
    for value in [u64::MAX, 9_007_199_254_740_993] {
        let list = parse_with(&["value"], Some(json!(value))).unwrap();
        assert_eq!(list.entries()[1].value, i128::from(value));
    }
}

#[test]
fn an_id_may_be_written_as_a_float_as_far_as_floats_are_exact() {
    for (float, id) in [(3.0, 3), (-3.0, -3), (9_007_199_254_740_991.0, 9_007_199_254_740_991)] {
        let list = parse_with(&["value"], Some(json!(float))).unwrap();
        assert_eq!(list.entries()[1].value, id);
    }
    // Written as 2^53 or as 2^53 + 1, the float is the same.
    assert!(parse_with(&["value"], Some(json!(9_007_199_254_740_992.0))).is_err());
}

#[test]
fn a_message_shows_texts_of_up_to_40_letters() {
    let message = |letters| {
        let text = "é".repeat(letters);
        let error = parse_with(&["value"], Some(json!(text))).unwrap_err().to_string();
        (error.contains(&text), error.ends_with("found a long text"))
    };
    assert_eq!(message(40), (true, false));
    assert_eq!(message(41), (false, true));
    assert_eq!(message(100), (false, true));
}

#[test]
fn a_missing_or_mistyped_field_is_named_with_its_position() {
    let cases: &[(&[&str], Option<Value>, &str)] = &[
        (&["value"], None, "the required field `value` is missing"),
        (&["value"], Some(json!("3")), "[1].value: expected an integer"),
        (&["value"], Some(json!(3.5)), "[1].value: expected an integer"),
        (&["value"], Some(json!(1e30)), "[1].value: expected an integer"),
        (&["name"], None, "[1]: the required field `name` is missing"),
        (&["name"], Some(json!("mito")), "[1].name: expected an object"),
        (&["name", "short"], None, "[1].name: the required field `short` is missing"),
        (&["name", "long"], Some(json!(4)), "[1].name.long: expected a text"),
        (&["annotationState"], None, "[1]: the required field `annotationState` is missing"),
        (&["annotationState", "present"], Some(json!(1)), "[1].annotationState.present: expected"),
        (&["annotationState", "annotated"], None, "the required field `annotated` is missing"),
        (&["annotationState", "annotated"], Some(json!("Dense")), "[1].annotationState.annotated"),
        (&["annotationState", "annotated"], Some(json!("false")), "[1].annotationState.annotated"),
        (&["annotationState", "annotated"], Some(json!(null)), "[1].annotationState.annotated"),
        (&["count"], Some(json!("12")), "[1].count: expected a number of voxels"),
        (&["count"], Some(json!(-1)), "[1].count: expected a number of voxels"),
    ];
    for (path, value, message) in cases {
        let error = parse_with(path, value.clone()).unwrap_err().to_string();
        assert!(error.starts_with("`labels`") && error.contains(message), "{path:?}: {error}");
    }
    for value in [json!({}), json!(5), json!("labels"), entry()] {
        assert!(LabelList::parse(&value).unwrap_err().to_string().contains("expected a list"));
    }
    assert!(
        LabelList::parse(&json!([3])).unwrap_err().to_string().contains("[0]: expected an object")
    );
}

#[test]
fn a_group_without_ids_is_kept_by_every_rule() {
    for rule in Rule::ALL {
        assert!(rule.decide(&Group::new("all", []), &[1, 2, 3].into()).kept);
    }
}

#[test]
fn rules_differ_where_generic_or_specific_ids_are_annotated() {
    let group = Group::new("nucleus", [20, 24, 37]).with_generic_ids([37]);
    let kept = |missing: &[i128]| {
        Rule::ALL.map(|rule| rule.decide(&group, &missing.iter().copied().collect()).kept)
    };
    assert_eq!(kept(&[]), [true, true, true]);
    assert_eq!(kept(&[24]), [false, true, true]);
    assert_eq!(kept(&[37]), [false, false, true]);
    assert_eq!(kept(&[24, 37]), [false, false, false]);
    assert_eq!(kept(&[99]), [true, true, true]);
    let decision = Rule::Generic.decide(&group, &[37, 24, 5].into());
    assert_eq!(decision.missing_ids, [24, 37]);
}

#[test]
fn a_group_of_generic_ids_alone_has_no_specific_ones_to_keep_it() {
    let group = Group::new("nucleus", [37]).with_generic_ids([37]);
    assert!(!Rule::Cnnectome.decide(&group, &[37].into()).kept);
}

#[test]
fn every_form_of_a_grouping_list_gives_the_same_groups() {
    let expected = Groups::new(vec![Group::new("mito", [3, 4]), Group::new("all", [])]).unwrap();
    let toml = "[[group]]\nname = 'mito'\nids = [3, 4]\n[[group]]\nname = 'all'\nids = []\n";
    assert_eq!(Groups::from_toml(toml).unwrap(), expected);
    for json in [
        r#"[["mito", [3, 4]], ["all", []]]"#,
        r#"{"mito": [3, 4], "all": []}"#,
        r#"{"group": [{"name": "mito", "ids": [3, 4]}, {"name": "all", "ids": []}]}"#,
    ] {
        assert_eq!(Groups::from_json(json).unwrap(), expected, "{json}");
        let value = serde_json::from_str(json).unwrap();
        assert_eq!(Groups::from_value(&value).unwrap(), expected, "{json}");
    }
    let typed = ["mito=3,4", "all="].map(|text| Groups::parse_group(text).unwrap());
    assert_eq!(Groups::new(typed.to_vec()).unwrap(), expected);
}

#[test]
fn a_channel_may_have_the_name_group() {
    let groups = Groups::from_json(r#"{"group": [1], "er": [16]}"#).unwrap();
    assert_eq!(groups.names(), ["group", "er"]);
}

#[test]
fn generic_ids_come_from_the_file_or_for_all_groups() {
    let toml = "[[group]]\nname = 'n'\nids = [20, 24, 37]\ngeneric_ids = [37]\n";
    let groups = Groups::from_toml(toml).unwrap();
    assert_eq!(groups.as_slice()[0].generic_ids, [37]);
    let groups = Groups::from_json(r#"{"n": [20, 37], "m": [3]}"#).unwrap().with_generic_ids(&[37]);
    assert_eq!(groups.as_slice()[0].generic_ids, [37]);
    assert!(groups.as_slice()[1].generic_ids.is_empty());
}

#[test]
fn grouping_lists_that_do_not_fit_are_refused_with_the_place() {
    let toml = |text: &str| Groups::from_toml(text).unwrap_err().to_string();
    let json = |text: &str| Groups::from_json(text).unwrap_err().to_string();
    assert!(
        toml("[[group]]\nname = 'm'\nids = [3]\nid = 4").contains("group 0: unknown key \"id\"")
    );
    assert!(toml("[[groups]]\nname = 'm'\nids = [3]").contains("unknown key \"groups\""));
    assert!(toml("mito = [3, 4]").contains("unknown key \"mito\""));
    assert!(toml("").contains("`group` is missing"));
    assert!(toml("[[group]]\nids = [3]").contains("group 0: `name` is missing"));
    assert!(toml("[[group]]\nname = 'm'").contains("group 0: `ids` is missing"));
    assert!(toml("[[group]]\nname = 'm'\nids = 3").contains("expected a list of ids, found 3"));
    assert!(toml("[[group]]\nname = 'm'\nids = [").contains("TOML"));
    assert!(toml("title = 1\n[[group]]\nname = 'm'\nids = []").contains("unknown key \"title\""));
    assert!(json("{").contains("JSON"));
    assert!(json("5").contains("expected a list or an object"));
    assert!(json(r#"[["a", [1]], ["b"]]"#).contains("group 1: expected [name, [ids]]"));
    assert!(json(r#"[["a", [1, "x"]]]"#).contains("group 0: \"x\" is no integer"));
    assert!(json(r#"[["a", [1.5]]]"#).contains("1.5 is no integer of 64 bits"));
    assert!(json(r#"[["a", [1]], ["a", [2]]]"#).contains("another group has this name"));
    assert!(json(r#"{"a": [1], "a": [2]}"#).contains("\"a\" stands twice"));
    let inner = r#"{"group": [{"name": "a", "name": "b", "ids": [1]}]}"#;
    assert!(json(inner).contains("\"name\" stands twice"));
    assert!(json(r#"[["  ", [1]]]"#).contains("the name is empty"));
    let generic = "[[group]]\nname = 'm'\nids = [3]\ngeneric_ids = [4]";
    assert!(toml(generic).contains("the generic id 4 is not among its ids"));
    assert!(Groups::new(vec![Group::new("m", [1 << 70])]).is_err());
    assert!(Groups::parse_group("mito:3").is_err());
    assert!(Groups::parse_group("mito=3,,4").is_err());
    assert!("Strict".parse::<Rule>().is_err());
}

#[test]
fn ids_are_read_from_a_list_between_commas() {
    let ids = Groups::parse_ids("3, -9223372036854775808,18446744073709551615").unwrap();
    assert_eq!(ids, [3, i64::MIN.into(), u64::MAX.into()]);
    assert!(Groups::parse_ids(" ").unwrap().is_empty());
    for wrong in ["", "mito", "1.5", "-9223372036854775809", "18446744073709551616"] {
        let error = Groups::parse_ids(&format!("3,{wrong}")).unwrap_err().to_string();
        assert!(error.contains(&format!("{wrong:?} is no integer of 64 bits")), "{error}");
    }
}

#[test]
fn a_rule_is_written_as_it_is_read() {
    assert_eq!(Rule::ALL.map(|rule| rule.to_string()), ["strict", "generic", "cnnectome"]);
    assert_eq!(Rule::ALL.map(|rule| rule.to_string().parse::<Rule>().unwrap()), Rule::ALL);
}
