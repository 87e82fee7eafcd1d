//! What the metadata of a crop group leave open, or say twice.

use array_core::Array;

use crate::class_annotation::AttrsOf;
use crate::class_table::ClassTable;
use crate::crop_group::CropClass;
use crate::encoding::ClassState;
use crate::finding::{Finding, Severity, id_value};

/// The findings, in the order of the classes.
pub(super) fn findings<A: Array>(
    classes: &[CropClass<A>],
    listed: Option<&[String]>,
    table: Option<&ClassTable>,
) -> Vec<Finding> {
    let mut findings = of_the_list(classes, listed, table);
    for class in classes {
        findings.extend(of_a_class(class, table));
    }
    findings
}

/// Whether `name` is the class, in either spelling of the table.
pub(super) fn is_called<A>(class: &CropClass<A>, name: &str, table: Option<&ClassTable>) -> bool {
    let spelled = table.and_then(|table| table.class(name));
    class.name == name || spelled.is_some_and(|spelled| spelled.is_called(&class.name))
}

fn of_the_list<A: Array>(
    classes: &[CropClass<A>],
    listed: Option<&[String]>,
    table: Option<&ClassTable>,
) -> Vec<Finding> {
    let Some(listed) = listed else {
        let message = "the crop does not list its classes (`cellmap.annotation.class_names`): those \
                       with an array are taken";
        return vec![Finding::new(Severity::Warning, "no-class-list", "", message)];
    };
    let has_array = |name: &&String| classes.iter().any(|class| is_called(class, name, table));
    let is_listed = |class: &&CropClass<A>| listed.iter().any(|n| is_called(class, n, table));
    let mut findings = Vec::new();
    for name in listed.iter().filter(|name| !has_array(name)) {
        let message = format!("class {name:?} is listed but has no array of its own");
        findings.push(Finding::new(Severity::Warning, "listed-without-array", name, message));
    }
    for (index, name) in listed.iter().enumerate() {
        if listed[..index].contains(name) {
            let message = format!("class {name:?} is listed twice");
            findings.push(Finding::new(Severity::Warning, "listed-twice", name, message));
        }
    }
    for class in classes.iter().filter(|class| !is_listed(class)) {
        let name = &class.name;
        let message = format!("class {name:?} has an array but is not listed");
        findings.push(Finding::new(Severity::Warning, "array-not-listed", name, message));
    }
    findings
}

fn of_a_class<A: Array>(class: &CropClass<A>, table: Option<&ClassTable>) -> Vec<Finding> {
    let (name, annotation) = (&class.name, &class.annotation);
    let encoding = &annotation.encoding;
    let mut findings = Vec::new();
    let mut find = |severity, code, message: String| {
        findings.push(Finding::new(severity, code, name, message));
    };
    if let Some(other) = &annotation.other_encoding {
        let message =
            format!("class {name:?}: the array says {encoding}, its group {other}; the array wins");
        find(Severity::Warning, "encodings-differ", message);
    }
    if annotation.found_on == AttrsOf::Group {
        let message = format!("class {name:?}: only the group says how the array is encoded");
        find(Severity::Info, "encoding-on-group", message);
    }
    if encoding.guesses_present() {
        let message = format!(
            "class {name:?}: the encoding has no value for present; every value that is neither \
             absent nor unknown is taken as present"
        );
        find(Severity::Warning, "no-present-value", message);
    }
    if let Some(other) = annotation.class_name.as_ref().filter(|o| !is_called(class, o, table)) {
        let message = format!("class {name:?} is called {other:?} in its own metadata");
        find(Severity::Warning, "class-name-differs", message);
    }
    if table.is_some_and(|table| table.class(name).is_none()) {
        let message = format!("class {name:?} is not in the class table");
        find(Severity::Warning, "class-not-in-table", message);
    }
    let dtype = class.array.info().dtype();
    let (low, high) = dtype.integer_range().unwrap_or((0, 0));
    // That a type has no value for unknown is no loss: then nothing is.
    for value in encoding.values_of(ClassState::Absent).filter(|v| !(low..=high).contains(v)) {
        let message = format!("class {name:?}: {dtype} never has the value {value} of absent");
        let finding = Finding::new(Severity::Warning, "absent-beyond-dtype", name, message);
        findings.push(finding.with("value", id_value(value)));
    }
    findings
}
