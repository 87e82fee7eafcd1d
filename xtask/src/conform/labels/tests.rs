use super::*;
use serde_json::json;

fn entry(value: &Value, present: Value, annotated: Value) -> Value {
    json!({
        "value": value, "name": {"short": "s", "long": "l"}, "count": 1,
        "annotationState": {"present": present, "annotated": annotated},
    })
}

/// The rule for each version, where all answer the same.
fn judged(labels: Value, groupings: Value, answers: [Value; 4]) -> [Option<&'static str>; 4] {
    let [old, no37, of_enum, new] = answers;
    let vector = json!({
        "labels": labels, "groupings": groupings, "old": old, "no37": no37, "enum": of_enum, "new": new,
    });
    let vector: Vector = serde_json::from_value(vector).expect("a vector");
    let named = verdicts(&vector).into_iter().map(|verdict| match verdict {
        Verdict::Equal => Some("equal"),
        Verdict::Named(rule) => Some(rule),
        Verdict::Unexplained(_) => None,
    });
    named.collect::<Vec<_>>().try_into().expect("four versions")
}

fn masked(channels: &[bool]) -> Value {
    json!({ "masked": channels })
}

fn failed() -> Value {
    json!({"error": "ValidationError"})
}

#[test]
fn empty_is_excused_only_where_the_original_masks_nothing() {
    let labels = || json!([entry(&json!(3), json!(true), json!("empty"))]);
    let groups = || json!([["a", [3]], ["b", [4]]]);
    let both = Some("both_generations_understood");
    let empty = Some("empty_is_not_annotated");
    let nothing = || masked(&[false, false]);
    let answers = [failed(), failed(), nothing(), nothing()];
    assert_eq!(judged(labels(), groups(), answers), [both, both, empty, empty]);
    for flipped in [[true, true], [false, true]] {
        let answers = [failed(), failed(), masked(&flipped), masked(&flipped)];
        assert_eq!(judged(labels(), groups(), answers), [both, both, None, None]);
    }
    let other = json!({"error": "KeyError"});
    let answers = [other.clone(), other.clone(), other.clone(), other];
    assert_eq!(judged(labels(), groups(), answers), [None; 4]);
}

#[test]
fn converted_values_are_what_the_original_makes_of_them() {
    let labels = || json!([entry(&json!(3.7), json!("on"), json!("off"))]);
    let rule = Some("values_are_not_converted");
    let yes = || masked(&[true]);
    let verdicts = judged(labels(), json!([["a", [3]]]), [yes(), yes(), failed(), failed()]);
    assert_eq!(verdicts, [rule, rule, Some("equal"), Some("equal")]);
    let no = || masked(&[false]);
    let verdicts = judged(labels(), json!([["a", [3]]]), [no(), no(), failed(), failed()]);
    assert_eq!(verdicts, [None, None, Some("equal"), Some("equal")]);
}

#[test]
fn groups_are_refused_for_different_reasons() {
    let labels = || json!([entry(&json!(3), json!(true), json!(false))]);
    for (groups, channels, rule) in [
        (json!([["a", [3.0]], ["b", [3.5]]]), [true, false], "ids_are_integers"),
        (json!([["a", [3]], ["a", [4]]]), [true, false], "group_names_are_distinct"),
        (json!([["a", [4]], ["", [3]]]), [false, true], "group_names_are_distinct"),
    ] {
        let answers = [masked(&channels), masked(&channels), failed(), failed()];
        let verdicts = judged(labels(), groups.clone(), answers);
        assert_eq!(verdicts[..2], [Some(rule); 2], "{groups}");
        let flipped = channels.map(|channel| !channel);
        let answers = [masked(&flipped), masked(&flipped), failed(), failed()];
        assert_eq!(judged(labels(), groups, answers)[..2], [None; 2]);
    }
}

#[test]
fn the_newest_version_wants_exact_keys() {
    let mut entry = entry(&json!(3), json!(true), json!("dense"));
    let groups = || json!([["a", [3]]]);
    let no = || masked(&[false]);
    let with =
        |entry: &Value| judged(json!([entry]), groups(), [failed(), failed(), no(), failed()])[3];
    assert_eq!(with(&entry), None);
    entry["num_voxels"] = json!(5);
    assert_eq!(with(&entry), Some("unknown_keys_are_tolerated"));
    entry.as_object_mut().expect("an object").remove("count");
    assert_eq!(with(&entry), Some("count_is_optional"));
}
