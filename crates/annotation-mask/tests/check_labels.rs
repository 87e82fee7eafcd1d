//! The check of a label volume: each thing that can be wrong is found, and nothing else.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::collections::BTreeMap;

use annotation_mask::{Finding, Group, Groups, LabelId, LabelReport, Rule, Severity, check_labels};
use array_core::{
    AnyArray, Array, ArrayError, ArrayInfo, Block, DType, MemoryArray, Scalar, Visitor,
};
use common::{array, info};
use geometry::Window;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::{Value, json};

fn entry(value: i64, name: &str, present: bool, annotated: &str, count: Option<u64>) -> Value {
    json!({"value": value, "name": {"long": name, "short": name},
           "annotationState": {"present": present, "annotated": annotated}, "count": count})
}

/// A row of labels with these entries.
fn labels(dtype: DType, values: &[LabelId], entries: &Value) -> MemoryArray {
    let info = info(dtype, &[values.len()], &[3]);
    array(info.with_attrs(common::attrs(&json!({"labels": entries}))), values, false)
}

fn check(array: &dyn Array) -> LabelReport {
    check_labels(array, None).unwrap()
}

fn codes(report: &LabelReport) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.code).collect()
}

fn find<'a>(report: &'a LabelReport, code: &str) -> &'a Finding {
    let found = report.findings.iter().find(|finding| finding.code == code);
    found.unwrap_or_else(|| panic!("{code} is not among {:?}", report.findings))
}

#[test]
fn a_volume_that_is_as_its_metadata_say_has_no_findings() {
    let entries = json!([
        entry(3, "mito", true, "dense", Some(2)),
        entry(7, "er", true, "sparse", None),
        entry(9, "np", false, "empty", Some(0)),
        entry(10, "ld", false, "dense", Some(0)),
    ]);
    let report = check(&labels(DType::U8, &[0, 3, 3, 7], &entries));
    assert_eq!(report.findings, []);
    assert_eq!((report.voxels, report.labelled), (4, 3));
    let counts: Vec<(LabelId, Option<&str>, u64)> =
        report.labels.iter().map(|l| (l.id, l.name.as_deref(), l.voxels)).collect();
    let expected = [(0, None, 1), (3, Some("mito"), 2), (7, Some("er"), 1)];
    assert_eq!(counts[..3], expected);
    assert_eq!(counts[3..], [(9, Some("np"), 0), (10, Some("ld"), 0)]);
    assert_eq!(report.labels[1].declared, Some(2));
    assert_eq!(report.labels[1].annotated, Some("dense"));
    assert!(report.rules.is_empty());
}

#[test]
fn ids_that_the_metadata_do_not_name_are_found_with_their_voxels() {
    let report =
        check(&labels(DType::U8, &[0, 3, 8, 8], &json!([entry(3, "m", true, "dense", None)])));
    let finding = find(&report, "unnamed-id");
    assert_eq!((finding.severity, finding.subject.as_str()), (Severity::Warning, "8"));
    assert_eq!((&finding.values["id"], &finding.values["voxels"]), (&json!(8), &json!(2)));
    assert!(finding.message.contains("2 voxels have the label 8"), "{}", finding.message);
    assert_eq!(codes(&report), ["unnamed-id"]);
}

#[test]
fn many_ids_without_a_name_are_summed_up() {
    let values: Vec<LabelId> = (0..100).collect();
    let report = check(&labels(DType::U8, &values, &json!([])));
    assert_eq!(codes(&report), vec!["unnamed-id"; 21]);
    let rest = report.findings.last().unwrap();
    assert_eq!((&rest.values["ids"], &rest.values["voxels"]), (&json!(79), &json!(79)));
}

#[test]
fn states_that_the_voxels_contradict_are_found() {
    let entries = json!([
        entry(1, "nowhere", true, "dense", None),
        entry(2, "thin", true, "sparse", None),
        entry(3, "denied", false, "dense", None),
        entry(4, "left-out", true, "empty", None),
        entry(5, "half", true, "empty", None),
        entry(6, "fine", true, "dense", None),
    ]);
    let report = check(&labels(DType::I16, &[0, 3, 5, 6, 6], &entries));
    let found: Vec<(&str, &str)> =
        report.findings.iter().map(|f| (f.code, f.subject.as_str())).collect();
    let expected = [
        ("annotated-without-voxels", "1"),
        ("annotated-without-voxels", "2"),
        ("absent-with-voxels", "3"),
        ("not-annotated", "4"),
        ("not-annotated", "5"),
        ("missing-with-voxels", "5"),
    ];
    assert_eq!(found, expected);
    assert!(report.findings.iter().all(|finding| finding.severity == Severity::Warning));
    assert_eq!(find(&report, "missing-with-voxels").values["voxels"], json!(1));
}

#[test]
fn counts_that_differ_are_found_with_both_numbers() {
    let entries = json!([
        entry(1, "a", true, "dense", Some(5)),
        entry(2, "b", true, "dense", Some(2)),
        entry(3, "c", false, "empty", Some(1)),
    ]);
    let report = check(&labels(DType::U32, &[1, 2, 2, 0], &entries));
    assert_eq!(codes(&report), ["count-differs", "count-differs"]);
    let finding = &report.findings[0];
    assert_eq!((&finding.values["declared"], &finding.values["voxels"]), (&json!(5), &json!(1)));
    assert!(finding.message.contains("the metadata count 5 voxels, the data have 1 voxel"));
}

#[test]
fn entries_that_stand_twice_are_found() {
    let entries = json!([
        entry(1, "a", true, "dense", None),
        entry(2, "b", true, "dense", None),
        entry(1, "a", true, "dense", None),
        entry(2, "b", true, "empty", None),
    ]);
    let report = check(&labels(DType::U8, &[1, 2, 0], &entries));
    let twice: Vec<&Finding> =
        report.findings.iter().filter(|f| f.code == "duplicate-label").collect();
    assert!(twice[0].message.contains("2 times, with the same state"), "{}", twice[0].message);
    assert!(twice[1].message.contains("its entries differ"), "{}", twice[1].message);
    // Missing, as any entry says so.
    assert_eq!(find(&report, "not-annotated").subject, "2");
    assert_eq!(report.labels.len(), 3);
}

#[test]
fn each_rule_says_which_channels_and_voxels_it_costs() {
    let entries = json!([
        entry(20, "ne", true, "dense", None),
        entry(24, "chrom", true, "empty", None),
        entry(37, "nuc", true, "empty", None),
        entry(3, "mito", true, "dense", None),
    ]);
    let labels = labels(DType::U8, &[0, 20, 3, 3, 20], &entries);
    let groups = Groups::new(vec![
        Group::new("nuc", [20, 24, 37]).with_generic_ids([37]),
        Group::new("chrom", [24]),
        Group::new("mito", [3]),
    ])
    .unwrap();
    let report = check_labels(&labels, Some(&groups)).unwrap();
    let costs: Vec<(Rule, Vec<&str>, u64)> = report
        .rules
        .iter()
        .map(|cost| (cost.rule, cost.masked.iter().map(String::as_str).collect(), cost.voxels))
        .collect();
    assert_eq!(costs[0], (Rule::Strict, vec!["nuc", "chrom"], 8));
    assert_eq!(costs[1], (Rule::Generic, vec!["nuc", "chrom"], 8));
    assert_eq!(costs[2], (Rule::Cnnectome, vec!["nuc", "chrom"], 8));
    let finding = find(&report, "rule-cost");
    assert_eq!(
        (finding.severity, finding.subject.as_str()),
        (Severity::Info, "strict, generic, cnnectome")
    );
    let text = "masked are 2 of 3 channels (nuc, chrom), 8 voxels";
    assert!(finding.message.contains(text), "{}", finding.message);
    // Annotated in part: only strict masks the nucleus.
    let groups = Groups::new(vec![Group::new("nuc", [20, 24]).with_generic_ids([20])]).unwrap();
    let report = check_labels(&labels, Some(&groups)).unwrap();
    assert_eq!(report.rules.iter().map(|c| c.masked.len()).collect::<Vec<_>>(), [1, 0, 0]);
    assert_eq!(codes(&report).iter().filter(|code| **code == "rule-cost").count(), 1);
    assert_eq!(find(&report, "rule-cost").subject, "strict");
}

#[test]
fn ids_that_cannot_be_or_are_not_judged_are_found() {
    let entries =
        json!([entry(3, "m", true, "dense", None), entry(300, "x", false, "dense", None)]);
    let labels = labels(DType::U8, &[3, 0], &entries);
    let groups =
        Groups::new(vec![Group::new("mito", [3, 4]), Group::new("far", [3, 256])]).unwrap();
    let report = check_labels(&labels, Some(&groups)).unwrap();
    assert_eq!(find(&report, "label-beyond-dtype").subject, "300");
    let beyond = find(&report, "group-id-beyond-dtype");
    assert_eq!((beyond.subject.as_str(), &beyond.values["id"]), ("far", &json!(256)));
    let unlisted: Vec<(&str, &Value)> = report
        .findings
        .iter()
        .filter(|finding| finding.code == "group-id-not-listed")
        .map(|finding| (finding.subject.as_str(), &finding.values["ids"]))
        .collect();
    assert_eq!(unlisted, [("mito", &json!([4])), ("far", &json!([256]))]);
}

#[test]
fn volumes_that_are_no_labels_are_refused_without_reading_them() {
    let floats = info(DType::F32, &[2], &[2]);
    let floats = MemoryArray::new(floats, AnyArray::zeros(DType::F32, &[2]).unwrap()).unwrap();
    let report = check(&floats);
    assert_eq!(codes(&report), ["not-labels"]);
    assert_eq!(Finding::worst(&report.findings), Some(Severity::Error));
    let channels = ArrayInfo::new(DType::U8, &["c", "x"], &[2, 2], *floats.info().grid()).unwrap();
    let channels =
        MemoryArray::new(channels, AnyArray::zeros(DType::U8, &[2, 2]).unwrap()).unwrap();
    assert_eq!(codes(&check(&channels)), ["has-channels"]);
    assert_eq!(Finding::worst(&[]), None);
}

#[test]
fn labels_without_metadata_or_with_broken_ones_are_found() {
    let plain = array(info(DType::U8, &[3], &[3]), &[0, 1, 2], false);
    assert_eq!(codes(&check(&plain)), ["no-labels"]);
    let broken = labels(DType::U8, &[0, 1, 2], &json!([{"value": "3"}]));
    let report = check(&broken);
    assert_eq!(codes(&report), ["labels-malformed"]);
    assert_eq!(report.findings[0].severity, Severity::Error);
    assert_eq!(report.labelled, 2);
    // Nothing is known of what was annotated, so that no rule has a cost and no id is "not listed".
    let groups = Groups::new(vec![Group::new("mito", [1])]).unwrap();
    let report = check_labels(&broken, Some(&groups)).unwrap();
    assert_eq!(codes(&report), ["labels-malformed"]);
    assert_eq!(report.rules, []);
}

#[test]
fn volumes_of_one_value_and_of_none_are_found() {
    for (values, part) in
        [([5, 5], "value 5: labelled"), ([0, 0], "nothing is known"), ([-2, -2], "-2")]
    {
        let entries = json!([entry(5, "a", false, "dense", None)]);
        let report = check(&labels(DType::I8, &values, &entries));
        let finding = find(&report, "single-valued");
        assert!(finding.message.contains(part), "{}", finding.message);
    }
    let empty = array(info(DType::U8, &[0, 4], &[2, 2]), &[], false);
    let report = check(&empty);
    assert_eq!(codes(&report), ["no-voxels", "no-labels"]);
    assert!(!codes(&check(&labels(DType::U8, &[0, 5], &json!([])))).contains(&"single-valued"));
}

#[test]
fn negative_labels_are_found_with_the_lowest() {
    let report = check(&labels(
        DType::I32,
        &[-4, -70_000, 2, 0, -4],
        &json!([entry(2, "a", true, "dense", None)]),
    ));
    let finding = find(&report, "negative-label");
    assert_eq!(
        (&finding.values["voxels"], &finding.values["lowest"]),
        (&json!(3), &json!(-70_000))
    );
    assert_eq!(report.labelled, 1);
    assert_eq!(codes(&report), ["negative-label"]);
}

#[test]
fn more_ids_than_can_be_counted_are_said_and_named_ones_still_exact() {
    // The named id comes last in place and in order, when there is no room for others.
    let named = 1_000_000;
    let mut values: Vec<LabelId> = (0..70_000).rev().map(|id| id + 10).collect();
    values.extend([named.into(), named.into(), -1]);
    let entries =
        json!([entry(named, "a", true, "dense", Some(2)), entry(4, "b", true, "dense", None)]);
    let attrs = common::attrs(&json!({"labels": entries}));
    let info = info(DType::I64, &[values.len()], &[1000]).with_attrs(attrs);
    let report = check(&array(info, &values, false));
    let finding = find(&report, "too-many-ids");
    assert_eq!(finding.severity, Severity::Info);
    // Every voxel is in one of the counts, and there is room for no more than 65536 ids.
    let counted: u64 = report.labels.iter().map(|label| label.voxels).sum();
    assert_eq!(finding.values["voxels"], json!(report.voxels - counted));
    assert!(report.labels.len() <= (1 << 16) + 2, "{} ids", report.labels.len());
    assert!(!codes(&report).contains(&"count-differs"));
    assert_eq!(report.labelled, 70_002);
    assert_eq!(find(&report, "annotated-without-voxels").subject, "4");
    assert_eq!(find(&report, "negative-label").values["voxels"], json!(1));
}

/// A source of one value everywhere, too large to read voxel by voxel.
#[derive(Debug)]
struct Constant(ArrayInfo);

impl Array for Constant {
    fn info(&self) -> &ArrayInfo {
        &self.0
    }

    fn visit(&self, _window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        visitor(Block::Constant(Scalar::U8(3)))
    }

    fn kind(&self) -> &'static str {
        "a constant"
    }
}

#[test]
fn constant_blocks_cost_nothing() {
    let side = 1 << 20;
    let huge = Constant(info(DType::U8, &[side, side], &[side / 4, side / 2]));
    let report = check(&huge);
    assert_eq!((report.voxels, report.labelled), (1 << 40, 1 << 40));
    assert_eq!(report.labels[0].voxels, 1 << 40);
}

#[test]
fn ids_of_64_bits_are_numbers_for_programs() {
    let value_of = |dtype: DType, id: LabelId| {
        let report = check(&labels(dtype, &[id, id], &json!([])));
        find(&report, "single-valued").values["value"].clone()
    };
    assert_eq!(value_of(DType::U64, u64::MAX.into()), u64::MAX);
    assert_eq!(value_of(DType::I64, i64::MIN.into()), i64::MIN);
}

#[test]
fn a_severity_has_one_name_for_people_and_programs() {
    for (severity, name) in
        [(Severity::Info, "info"), (Severity::Warning, "warning"), (Severity::Error, "error")]
    {
        assert_eq!(severity.to_string(), name);
        assert_eq!(serde_json::to_value(severity).unwrap(), json!(name));
    }
}

#[test]
fn a_report_is_json_for_programs() {
    let report = check(&labels(DType::U8, &[0, 8], &json!([])));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["findings"][0]["severity"], json!("warning"));
    assert_eq!(json["findings"][0]["code"], json!("unnamed-id"));
    assert_eq!(json["labels"][1]["id"], json!(8));
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_id_is_counted(
        values in prop::collection::vec(
            prop::sample::select(vec![0, 1, 2, 255, 4095, 4096, 70_000, -1, LabelId::from(i64::MIN)]),
            1..200,
        ),
        f_order: bool,
        block in (1..5_usize, 1..5_usize),
    ) {
        let width = values.len().div_ceil(3);
        let mut padded = values;
        padded.resize(3 * width, 1);
        let info = info(DType::I64, &[3, width], &[block.0, block.1]);
        let report = check(&array(info, &padded, f_order));
        let mut expected: BTreeMap<LabelId, u64> = BTreeMap::new();
        for value in &padded {
            *expected.entry(*value).or_default() += 1;
        }
        let found: Vec<(LabelId, u64)> = report.labels.iter().map(|l| (l.id, l.voxels)).collect();
        prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        let labelled = padded.iter().filter(|value| **value > 0).count();
        prop_assert_eq!((report.voxels, report.labelled), (padded.len() as u64, labelled as u64));
    }
}
