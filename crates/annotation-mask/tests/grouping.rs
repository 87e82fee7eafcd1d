//! Grouping lists that name classes: how they are written, and what they become.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use annotation_mask::{ClassGroups, ClassTable, Grouping, Groups, LabelList, Member, MemberGroup};
use serde_json::json;

fn class(name: &str) -> Member {
    Member::Class(name.to_owned())
}

fn table() -> ClassTable {
    let text = "id,name,docs_name,constituent_ids\n3,mito_mem,,\n4,mito_lum,,\n5,mito_ribo,,\n\
                20,ne_mem,,\n21,ne_lum,,\n28,nucpl,,\n50,mito,,3 4 5\n52,ne,,20 21\n\
                37,nuc,nucleus,52 28\n";
    ClassTable::from_csv(text).unwrap()
}

fn labels() -> LabelList {
    let entry = |value: u64, short: &str, long: &str| {
        json!({"value": value, "name": {"short": short, "long": long},
               "annotationState": {"present": true, "annotated": "dense"}})
    };
    LabelList::parse(&json!([
        entry(3, "mito_mem", "mitochondrial membrane"),
        entry(61, "actin", "actin filaments"),
        entry(62, "actin", "actin bundles"),
    ]))
    .unwrap()
}

fn one(text: &str) -> Grouping {
    vec![Grouping::parse_group(text).unwrap()].into()
}

#[test]
fn every_form_of_a_list_may_name_classes() {
    let expected: Grouping = vec![MemberGroup {
        name: "mito".to_owned(),
        members: vec![class("mito_mem"), Member::Id(4)],
        generic: Vec::new(),
    }]
    .into();
    assert_eq!(Grouping::from_json(r#"[["mito", ["mito_mem", 4]]]"#).unwrap(), expected);
    assert_eq!(Grouping::from_json(r#"{"mito": ["mito_mem", 4]}"#).unwrap(), expected);
    let toml = "[[group]]\nname = 'mito'\nids = ['mito_mem', 4]\n";
    assert_eq!(Grouping::from_toml(toml).unwrap(), expected);
    assert_eq!(one("mito = mito_mem , 4"), expected);
    let toml =
        "[[group]]\nname = 'mito'\nids = [4]\nclasses = ['mito_mem']\ngeneric_ids = ['mito']\n";
    let group = &Grouping::from_toml(toml).unwrap();
    assert_eq!(group.as_slice()[0].members, [Member::Id(4), class("mito_mem")]);
    assert_eq!(group.as_slice()[0].generic, [class("mito")]);
    let toml = "[[group]]\nname = 'mito'\nclasses = ['mito_mem']\n";
    assert_eq!(Grouping::from_toml(toml).unwrap().as_slice()[0].members, [class("mito_mem")]);
    assert!(one("all=").as_slice()[0].members.is_empty());
}

#[test]
fn lists_that_do_not_fit_are_refused_with_the_place() {
    let json = |text: &str| Grouping::from_json(text).unwrap_err().to_string();
    assert!(
        json(r#"[["a", [1]], ["b", [" "]]]"#).contains("group 1: the name of a class is empty")
    );
    assert!(json(r#"[["a", [null]]]"#).contains("group 0: expected an id or the name of a class"));
    assert!(json(r#"[["a", [1.5]]]"#).contains("1.5 is no integer"));
    let toml = |text: &str| Grouping::from_toml(text).unwrap_err().to_string();
    assert!(toml("[[group]]\nname = 'a'\nclasses = [3]").contains("3 in `classes` is no name"));
    assert!(toml("[[group]]\nname = 'a'\nclasses = 'b'").contains("expected a list"));
    let typed = |text: &str| Grouping::parse_group(text).unwrap_err().to_string();
    assert!(typed("mito").contains("NAME=CLASS"));
    assert!(typed("mito=a,,b").contains("nothing between two commas"));
    assert!(typed("mito=4x").contains("\"4x\" is no integer"));
    let names = Groups::from_json(r#"{"a": ["mito"]}"#).unwrap_err().to_string();
    assert!(names.contains("group 0: \"mito\" is no integer"), "{names}");
}

#[test]
fn names_become_ids_by_the_class_table() {
    let groups = one("m=mito_lum,7,mito_lum").resolve_labels(Some(&table()), None).unwrap();
    assert_eq!(groups.as_slice()[0].ids, [4, 7]);
    assert!(groups.as_slice()[0].generic_ids.is_empty());
    // Through the composite class between, in both spellings.
    for name in ["nuc", "nucleus"] {
        let groups = one(&format!("n={name}")).resolve_labels(Some(&table()), None).unwrap();
        assert_eq!(groups.as_slice()[0].ids, [37, 52, 28, 20, 21]);
        assert_eq!(groups.as_slice()[0].generic_ids, [37]);
    }
}

#[test]
fn a_generic_name_is_the_class_itself() {
    let toml = "[[group]]\nname = 'n'\nids = [20, 37]\ngeneric_ids = ['nuc']\n";
    let groups = Grouping::from_toml(toml).unwrap().resolve_labels(Some(&table()), None).unwrap();
    assert_eq!(groups.as_slice()[0].ids, [20, 37]);
    assert_eq!(groups.as_slice()[0].generic_ids, [37]);
}

#[test]
fn names_become_ids_by_the_labels_attribute() {
    for name in ["mito_mem", "mitochondrial membrane"] {
        let groups = one(&format!("m={name}")).resolve_labels(None, Some(&labels())).unwrap();
        assert_eq!(groups.as_slice()[0].ids, [3]);
    }
    let groups = one("a=actin,mito_lum").resolve_labels(Some(&table()), Some(&labels())).unwrap();
    assert_eq!(groups.as_slice()[0].ids, [61, 62, 4]);
    assert!(groups.as_slice()[0].generic_ids.is_empty());
}

#[test]
fn a_class_with_two_different_ids_is_refused() {
    let other = ClassTable::from_csv("mito_mem,13,\n").unwrap();
    let error = one("m=mito_mem").resolve_labels(Some(&other), Some(&labels())).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("group \"m\"") && text.contains("[13]") && text.contains("but 3"),
        "{text}"
    );
    // Its own id, or one of its constituents, is no contradiction.
    let same = ClassTable::from_csv("mito_mem,13,3\nx,3,\n").unwrap();
    assert!(one("m=mito_mem").resolve_labels(Some(&same), Some(&labels())).is_ok());
}

#[test]
fn an_unknown_class_is_named_with_its_group_and_its_neighbours() {
    let table = table();
    let error =
        |table, labels| one("m=mito_men").resolve_labels(table, labels).unwrap_err().to_string();
    let labels = labels();
    let text = error(Some(&table), Some(&labels));
    for part in ["group \"m\"", "\"mito_men\"", "neither", "near names are \"mito_mem\""] {
        assert!(text.contains(part), "{text}");
    }
    assert!(error(None, None).contains("no class table and no `labels`"));
    assert!(error(Some(&table), None).contains("is not in the class table"));
    assert!(error(None, Some(&labels)).contains("\"mito_mem\""));
    let words =
        ClassTable::from_csv("id,name,long_name,ids\n37,nuc,Nucleus,\n29,nucleo,nucleolus,\n");
    let text =
        one("n=nucleus").resolve_labels(Some(&words.unwrap()), None).unwrap_err().to_string();
    assert!(text.contains("near names are \"nuc\", \"nucleo\""), "{text}");
    let far = one("m=zzzz").resolve_labels(Some(&table), None).unwrap_err().to_string();
    assert!(!far.contains("near"), "{far}");
}

#[test]
fn ids_become_classes_of_a_crop_by_the_class_table() {
    let table = table();
    let groups = one("m=3,mito_lum,extra").resolve_classes(Some(&table), &["extra"]).unwrap();
    assert_eq!(groups.as_slice()[0].classes, ["mito_mem", "mito_lum", "extra"]);
    let error =
        |text: &str, table| one(text).resolve_classes(table, &["extra"]).unwrap_err().to_string();
    assert!(error("m=3", None).contains("a class table"), "{}", error("m=3", None));
    assert!(error("m=99", Some(&table)).contains("no class of the class table has the id 99"));
    let text = error("m=extr", Some(&table));
    assert!(text.contains("group \"m\"") && text.contains("near names are \"extra\""), "{text}");
    assert!(error("m=", Some(&table)).contains("has no classes"));
    // Without a table, a crop need not have every class.
    let groups = one("m=anything").resolve_classes(None, &["extra"]).unwrap();
    assert_eq!(groups.as_slice()[0].classes, ["anything"]);
}

#[test]
fn names_of_channels_are_checked_when_they_are_resolved() {
    let twice: Grouping = one("m=mito_mem").joined(one("m=mito_lum"));
    assert!(twice.resolve_classes::<&str>(None, &[]).unwrap_err().to_string().contains("another"));
    let table = table();
    assert!(twice.resolve_labels(Some(&table), None).is_err());
}

#[test]
fn what_begins_with_a_sign_is_an_id() {
    assert_eq!(one("g=-5,+4").as_slice()[0].members, [Member::Id(-5), Member::Id(4)]);
    let error = Grouping::parse_group("g=-mito").unwrap_err().to_string();
    assert!(error.contains("\"-mito\" is no integer"), "{error}");
}

#[test]
fn lists_say_whether_they_have_channels() {
    let two = one("m=3").joined(one("e=16"));
    assert!(!two.is_empty() && Grouping::default().is_empty());
    let groups = two.resolve_labels(None, None).unwrap();
    assert!(!groups.is_empty() && Groups::default().is_empty());
    let classes = ClassGroups::one_for_each(["mito", "er"]).unwrap();
    assert_eq!((classes.len(), ClassGroups::default().len()), (2, 0));
    assert!(!classes.is_empty() && ClassGroups::default().is_empty());
}

#[test]
fn the_channels_of_another_list_come_behind_if_none_has_the_same_name() {
    let list = |text: &str| one(text).resolve_labels(None, None).unwrap();
    let joined = list("m=3").joined(list("e=16")).unwrap();
    assert_eq!(joined.names(), ["m", "e"]);
    assert_eq!(joined.as_slice()[1].ids, [16]);
    let error = list("m=3").joined(list("m=4")).unwrap_err().to_string();
    assert!(error.contains("group 1 (\"m\"): another group has this name"), "{error}");
}
