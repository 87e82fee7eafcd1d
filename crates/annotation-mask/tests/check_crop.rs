//! The check of a crop group: each thing that can be wrong is found, and nothing else.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use annotation_mask::{
    AnnotationType, ClassAnnotation, ClassState, ClassTable, CropClass, CropGroup, CropReport,
    Encoding, Finding, LabelId, MaskError, Severity, check_crop,
};
use array_core::{Array, ArrayError, ArrayInfo, Block, DType, MemoryArray, Scalar, Visitor};
use common::{array, info, instances, row, semantic};
use geometry::Window;
use serde_json::json;

fn crop(classes: Vec<CropClass<MemoryArray>>, table: Option<ClassTable>) -> CropGroup<MemoryArray> {
    let names: Vec<&str> = classes.iter().map(|class| class.name.as_str()).collect();
    let attrs = common::attrs(&json!({"cellmap": {"annotation": {"class_names": names}}}));
    CropGroup::new("crop", attrs, classes, table).unwrap()
}

fn check(classes: Vec<CropClass<MemoryArray>>) -> CropReport {
    check_crop(&crop(classes, None)).unwrap()
}

fn codes(report: &CropReport) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.code).collect()
}

fn find<'a>(report: &'a CropReport, code: &str) -> &'a Finding {
    let found = report.findings.iter().find(|finding| finding.code == code);
    found.unwrap_or_else(|| panic!("{code} is not among {:?}", report.findings))
}

/// An instance class of uint16 voxels.
fn objects(name: &str, values: &[LabelId]) -> CropClass<MemoryArray> {
    CropClass {
        name: name.to_owned(),
        array: array(info(DType::U16, &[values.len()], &[4]), values, false),
        annotation: ClassAnnotation::new(instances()),
    }
}

/// A class of the values 0 to 139999, more than are counted one by one in either half.
fn many_values(encoding: Encoding) -> CropClass<MemoryArray> {
    let values: Vec<LabelId> = (0..140_000).collect();
    CropClass {
        name: "a".to_owned(),
        array: array(info(DType::U32, &[values.len()], &[1000]), &values, false),
        annotation: ClassAnnotation::new(encoding),
    }
}

#[test]
fn a_crop_that_is_as_its_metadata_say_has_no_findings() {
    let mut ecs = row("ecs", &[0, 1, 255, 0, 1], semantic());
    ecs.annotation.complement_counts =
        [(ClassState::Absent, 2), (ClassState::Unknown, 1), (ClassState::Present, 2)].into();
    let report = check(vec![ecs, objects("cell", &[0, 7, 7, 9, 0])]);
    assert_eq!(report.findings, []);
    assert_eq!(report.voxels, 5);
    let class = &report.classes[0];
    assert_eq!((class.present, class.absent, class.unknown), (2, 2, 1));
    assert_eq!(class.annotation_type, "semantic_segmentation");
    let class = &report.classes[1];
    assert_eq!((class.name.as_str(), class.present, class.objects), ("cell", 3, Some(2)));
}

#[test]
fn values_that_the_encoding_does_not_explain_are_an_error() {
    let report = check(vec![row("ecs", &[0, 1, 7, 7, 9], semantic())]);
    let finding = find(&report, "unexplained-value");
    assert_eq!((finding.severity, finding.subject.as_str()), (Severity::Error, "ecs"));
    assert_eq!((&finding.values["voxels"], &finding.values["found"]), (&json!(3), &json!([7, 9])));
    assert!(finding.message.contains("(7, 9)"), "{}", finding.message);
    assert_eq!(codes(&report), ["unexplained-value"]);
    assert_eq!(report.classes[0].unknown, 3);
}

#[test]
fn the_first_20_values_that_the_encoding_does_not_explain_are_listed() {
    let listed: Vec<u8> = (2..22).collect();
    let twenty = row("a", &listed, semantic());
    let more = row("a", &[&listed[..], &[22]].concat(), semantic());
    for (class, voxels, end) in [
        (twenty, 20, "20, 21)"),
        (more, 21, "20, 21, …)"),
        (many_values(semantic()), 139_997, "20, 21, …)"),
    ] {
        let report = check(vec![class]);
        let finding = find(&report, "unexplained-value");
        let values = (&finding.values["voxels"], &finding.values["found"]);
        assert_eq!(values, (&json!(voxels), &json!(listed)));
        assert!(finding.message.contains(end), "{}", finding.message);
    }
}

#[test]
fn counts_of_metadata_that_differ_from_the_data_are_found() {
    let mut ecs = row("ecs", &[0, 1, 255, 0], semantic());
    ecs.annotation.complement_counts = [(ClassState::Absent, 5), (ClassState::Unknown, 1)].into();
    ecs.annotation.census = [(0, 2), (1, 4), (7, 3)].into();
    let report = check(vec![ecs]);
    assert_eq!(codes(&report), ["complement-count-differs", "census-differs"]);
    let finding = find(&report, "complement-count-differs");
    assert_eq!(finding.values["state"], json!("absent"));
    assert_eq!((&finding.values["declared"], &finding.values["voxels"]), (&json!(5), &json!(2)));
    let message = &find(&report, "census-differs").message;
    assert!(message.contains("1: 4 and 1, 7: 3 and 0"), "{message}");
}

#[test]
fn unknown_that_is_an_object_like_its_neighbours_is_an_error() {
    // The objects of one public crop: 1 to 300, of which 255 is one.
    let mut values: Vec<LabelId> = (0..=300).collect();
    values.extend([255, 255]);
    let mut vim = objects("vim", &values);
    vim.annotation.complement_counts = [(ClassState::Unknown, 0)].into();
    let report = check(vec![vim]);
    let finding = find(&report, "unknown-is-object");
    assert_eq!((finding.severity, finding.subject.as_str()), (Severity::Error, "vim"));
    for (name, value) in [
        ("unknown", 255),
        ("voxels", 3),
        ("objects_below", 254),
        ("objects_beyond", 45),
        ("highest", 300),
    ] {
        assert_eq!(finding.values[name], json!(value), "{name}");
    }
    for part in [
        "255 means unknown, and 3 voxels have it",
        "254 object ids lie below it and 45 beyond it, up to 300",
        "beside it occur 254 (1 voxel) and 256 (1 voxel)",
        "the metadata count no unknown voxel",
    ] {
        assert!(finding.message.contains(part), "{part:?} is not in {}", finding.message);
    }
    // What the metadata count differs too, as the check follows the encoding.
    assert_eq!(codes(&report), ["unknown-is-object", "complement-count-differs"]);
}

#[test]
fn unknown_is_only_suspected_where_objects_lie_around_it() {
    let severity = |values: &[LabelId]| {
        let report = check(vec![objects("vim", values)]);
        let found = report.findings.iter().find(|finding| finding.code == "unknown-is-object");
        found.map(|finding| finding.severity)
    };
    // Objects far below: this is what unknown is for.
    assert_eq!(severity(&[0, 1, 20, 255]), None);
    // Objects around it, but no voxel has the value: it was left out on purpose.
    assert_eq!(severity(&[0, 1, 254, 256]), None);
    // Ids were counted up to it, and may have gone one further.
    assert_eq!(severity(&[0, 253, 254, 255]), Some(Severity::Warning));
    assert_eq!(severity(&[0, 1, 255, 300]), Some(Severity::Error));
    // Nothing below it but absent.
    assert_eq!(severity(&[0, 255, 300]), None);
    // A semantic array has no objects.
    let mut all: Vec<u8> = (0..=255).collect();
    all.push(0);
    assert!(!codes(&check(vec![row("a", &all, semantic())])).contains(&"unknown-is-object"));
}

#[test]
fn what_lies_around_unknown_is_said_as_far_as_it_occurs() {
    let states = [(0, ClassState::Absent), (255, ClassState::Unknown), (900, ClassState::Absent)];
    let encoding = Encoding::new(AnnotationType::Instance, states).unwrap();
    for (values, severity, highest, text) in [
        (
            [0, 1, 255, 300, 900],
            Severity::Error,
            Some(json!(300)),
            "but 1 object ids lie below it and 1 beyond it, up to 300; if",
        ),
        (
            [0, 253, 254, 255, 900],
            Severity::Warning,
            None,
            "but 2 object ids lie below it and none beyond it; beside it occur 254 (1 voxel); if",
        ),
    ] {
        let mut class = objects("vim", &values);
        class.annotation = ClassAnnotation::new(encoding.clone());
        let report = check(vec![class]);
        let finding = find(&report, "unknown-is-object");
        assert_eq!((finding.severity, finding.values.get("highest")), (severity, highest.as_ref()));
        assert!(finding.message.contains(text), "{}", finding.message);
    }
}

#[test]
fn unknown_below_all_objects_is_no_object() {
    let states = [(0, ClassState::Unknown), (1, ClassState::Absent)];
    let mut class = objects("vim", &[0, 1, 2, 3, 4]);
    class.annotation =
        ClassAnnotation::new(Encoding::new(AnnotationType::Instance, states).unwrap());
    assert_eq!(check(vec![class]).findings, []);
}

#[test]
fn arrays_of_one_value_are_found() {
    let report = check(vec![
        row("void", &[255, 255], semantic()),
        row("none", &[0, 0], semantic()),
        row("all", &[1, 1], semantic()),
        row("odd", &[7, 9], semantic()),
    ]);
    let found: Vec<(&str, &str, Severity)> =
        report.findings.iter().map(|f| (f.code, f.subject.as_str(), f.severity)).collect();
    let expected = [
        ("unexplained-value", "odd", Severity::Error),
        ("unknown-everywhere", "void", Severity::Warning),
        ("unknown-everywhere", "odd", Severity::Warning),
        ("single-valued", "none", Severity::Info),
        ("single-valued", "all", Severity::Info),
    ];
    assert_eq!(found, expected);
    let all = &report.findings[4];
    assert_eq!((&all.values["state"], &all.values["value"]), (&json!("present"), &json!(1)));
}

#[test]
fn composite_classes_that_their_constituents_contradict_are_found() {
    let table = ClassTable::from_csv("a,1,\nb,2,\nc,3,\nab,4,1-2\nabc,5,4-3\n").unwrap();
    let classes = vec![
        row("abc", &[0, 0, 0, 0, 1, 255, 0], semantic()),
        row("ab", &[0, 0, 1, 0, 0, 0, 255], semantic()),
        row("a", &[1, 1, 0, 0, 0, 0, 1], semantic()),
        row("b", &[0, 1, 1, 255, 1, 1, 0], semantic()),
        row("c", &[0, 0, 0, 0, 1, 1, 0], semantic()),
    ];
    let report = check_crop(&crop(classes, Some(table))).unwrap();
    let found: Vec<&Finding> =
        report.findings.iter().filter(|f| f.code == "composite-contradicted").collect();
    // abc is absent at 0, 1, 2 and 6, where a, a and b, ab and b, and a are present, but nowhere c.
    let values = |finding: &Finding| serde_json::Value::from(finding.values.clone());
    assert_eq!(found[0].subject, "abc");
    assert_eq!(values(found[0]), json!({"voxels": 4, "a": 3, "ab": 1, "b": 2}));
    assert_eq!(found[1].subject, "ab");
    assert_eq!(values(found[1]), json!({"voxels": 4, "a": 2, "b": 3}));
    assert!(found[1].message.contains("absent at 4 voxels"), "{}", found[1].message);
    assert_eq!(codes(&report).len(), 2);
}

#[test]
fn what_the_metadata_leave_open_is_among_the_findings() {
    let table = ClassTable::from_csv("a,1,\n").unwrap();
    let attrs =
        common::attrs(&json!({"cellmap": {"annotation": {"class_names": ["a", "gone", "a"]}}}));
    let mut other = row("other", &[0, 1], semantic());
    other.annotation.found_on = annotation_mask::AttrsOf::Group;
    let classes = vec![row("a", &[0, 1], semantic()), other];
    let crop = CropGroup::new("crop", attrs, classes, Some(table)).unwrap();
    let report = check_crop(&crop).unwrap();
    let found: Vec<(&str, &str)> =
        report.findings.iter().map(|f| (f.code, f.subject.as_str())).collect();
    let expected = [
        ("listed-without-array", "gone"),
        ("listed-twice", "a"),
        ("array-not-listed", "other"),
        ("class-not-in-table", "other"),
        ("encoding-on-group", "other"),
    ];
    assert_eq!(found, expected);
    assert_eq!(report.findings[4].severity, Severity::Info);
}

#[test]
fn a_crop_without_voxels_is_found() {
    let class = CropClass {
        name: "a".to_owned(),
        array: array(info(DType::U8, &[0, 3], &[2, 2]), &[], false),
        annotation: ClassAnnotation::new(semantic()),
    };
    let table = ClassTable::from_csv("a,1,2\nb,2,\n").unwrap();
    let report = check_crop(&crop(vec![class], Some(table))).unwrap();
    assert_eq!(codes(&report), ["no-voxels"]);
}

#[test]
fn objects_beyond_all_counting_are_not_taken_for_a_number() {
    let report = check(vec![many_values(instances())]);
    assert_eq!(report.classes[0].objects, None);
    assert_eq!((report.classes[0].present, report.classes[0].unknown), (139_998, 1));
    assert_eq!(find(&report, "unknown-is-object").values["highest"], json!(139_999));
    assert_eq!(codes(&report), ["unknown-is-object"]);
}

/// A source that counts how often it is asked; broken if it has no value.
#[derive(Debug)]
struct Source(ArrayInfo, Option<u8>, AtomicUsize);

impl Array for Source {
    fn info(&self) -> &ArrayInfo {
        &self.0
    }

    fn visit(&self, _window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        self.2.fetch_add(1, Ordering::Relaxed);
        match self.1 {
            Some(value) => visitor(Block::Constant(Scalar::U8(value))),
            None => Err(ArrayError::source("chunk 0/0", "checksum")),
        }
    }

    fn kind(&self) -> &'static str {
        "a source"
    }
}

fn sources(values: [Option<u8>; 2]) -> (Vec<Arc<Source>>, Result<CropReport, MaskError>) {
    let arrays = values.map(|value| {
        Arc::new(Source(info(DType::U8, &[8, 8], &[4, 4]), value, AtomicUsize::new(0)))
    });
    let class = |(name, array): (&str, &Arc<Source>)| CropClass {
        name: name.to_owned(),
        array: Arc::clone(array),
        annotation: ClassAnnotation::new(semantic()),
    };
    let classes = ["ab", "a"].into_iter().zip(&arrays).map(class).collect();
    let table = ClassTable::from_csv("a,1,\nab,2,1\n").unwrap();
    let crop = CropGroup::new("crop", Arc::default(), classes, Some(table)).unwrap();
    let report = check_crop(&crop);
    (arrays.to_vec(), report)
}

#[test]
fn each_block_of_each_class_is_read_once() {
    let (arrays, report) = sources([Some(0), Some(1)]);
    let visits: Vec<usize> = arrays.iter().map(|array| array.2.load(Ordering::Relaxed)).collect();
    assert_eq!(visits, [4, 4]);
    assert_eq!(find(&report.unwrap(), "composite-contradicted").values["voxels"], json!(64));
}

#[test]
fn a_class_that_cannot_be_read_is_named() {
    let (_, report) = sources([Some(0), None]);
    assert_eq!(report.unwrap_err().to_string(), "reading class \"a\"");
}

#[test]
fn errors_become_findings_with_a_code() {
    let error = MaskError::NoEncoding { class: "vim".to_owned() };
    let finding = Finding::refused("vim", &error);
    assert_eq!((finding.severity, finding.code), (Severity::Error, "no-encoding"));
    assert_eq!(finding.message, error.to_string());
}
