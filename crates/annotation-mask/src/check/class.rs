//! What one class array and its metadata say of each other.

use std::collections::BTreeMap;

use crate::check::values::ValueCounts;
use crate::crop_group::CropClass;
use crate::encoding::{AnnotationType, ClassState};
use crate::finding::{Finding, Severity, id_value, voxels};
use crate::label::LabelId;

/// Of values that there may be thousands of, so many are listed.
const MOST_LISTED: usize = 20;

/// How many voxels of a class are in each state.
pub(super) fn states<A>(class: &CropClass<A>, counts: &ValueCounts) -> BTreeMap<ClassState, u64> {
    let encoding = &class.annotation.encoding;
    let mut states: BTreeMap<ClassState, u64> = ClassState::ALL.map(|state| (state, 0)).into();
    let mut add = |state, count| *states.entry(state).or_insert(0) += count;
    counts.iter().for_each(|(value, count)| add(encoding.state_of(value), count));
    // Listed values are always counted, so that what was not counted is not listed.
    add(encoding.others(), counts.uncounted());
    states
}

/// What one class array and its metadata say of each other.
pub(super) fn of_a_class<A>(
    class: &CropClass<A>,
    counts: &ValueCounts,
    states: &BTreeMap<ClassState, u64>,
) -> Vec<Finding> {
    let name = &class.name;
    let annotation = &class.annotation;
    let mut findings = Vec::new();
    findings.extend(unexplained(class, counts));
    for (state, &declared) in &annotation.complement_counts {
        let found = states[state];
        if declared != found {
            let message = format!(
                "class {name:?}: the metadata count {} {state}, the data have {found}",
                voxels(declared)
            );
            let finding =
                Finding::new(Severity::Warning, "complement-count-differs", name, message);
            let finding = finding.with("state", state.name()).with("declared", declared);
            findings.push(finding.with("voxels", found));
        }
    }
    findings.extend(census(class, counts));
    findings.extend(unknown_is_object(class, counts));
    let total = counts.voxels();
    if total > 0 && states[&ClassState::Unknown] == total {
        let message = format!("class {name:?} has an array in which nothing is known");
        findings.push(Finding::new(Severity::Warning, "unknown-everywhere", name, message));
    } else if let Some(value) = counts.single() {
        let state = annotation.encoding.state_of(value);
        let message = format!("class {name:?} is {state} everywhere: all voxels are {value}");
        let finding = Finding::new(Severity::Info, "single-valued", name, message);
        findings.push(finding.with("value", id_value(value)).with("state", state.name()));
    }
    findings
}

/// Values of a semantic array that its encoding does not list.
fn unexplained<A>(class: &CropClass<A>, counts: &ValueCounts) -> Option<Finding> {
    let (name, encoding) = (&class.name, &class.annotation.encoding);
    let wrong: Vec<(LabelId, u64)> =
        counts.iter().filter(|(value, _)| !encoding.explains(*value)).collect();
    let uncounted = if encoding.others() == ClassState::Present { 0 } else { counts.uncounted() };
    let sum = wrong.iter().map(|(_, count)| count).sum::<u64>() + uncounted;
    if sum == 0 {
        return None;
    }
    let listed = &wrong[..wrong.len().min(MOST_LISTED)];
    let values: Vec<String> = listed.iter().map(|(value, _)| value.to_string()).collect();
    let is_all = listed.iter().map(|(_, count)| count).sum::<u64>() == sum;
    let more = if is_all { "" } else { ", …" };
    let message = format!(
        "class {name:?}: {} have values that its encoding ({encoding}) does not explain ({}{more}); \
         they are taken as unknown",
        voxels(sum),
        values.join(", ")
    );
    let listed = listed.iter().map(|(value, _)| id_value(*value));
    Some(
        Finding::new(Severity::Error, "unexplained-value", name, message)
            .with("voxels", sum)
            .with("found", listed.collect::<serde_json::Value>()),
    )
}

/// Values of which the census of the draft metadata says another number.
fn census<A>(class: &CropClass<A>, counts: &ValueCounts) -> Option<Finding> {
    let name = &class.name;
    let census = &class.annotation.census;
    let differ = census.iter().filter(|(value, declared)| counts.of(**value) != **declared);
    let differ: Vec<String> = differ
        .take(MOST_LISTED)
        .map(|(&value, declared)| format!("{value}: {declared} and {}", counts.of(value)))
        .collect();
    if differ.is_empty() {
        return None;
    }
    let message = format!(
        "class {name:?}: the census and the data differ in the voxels of a value ({})",
        differ.join(", ")
    );
    Some(Finding::new(Severity::Warning, "census-differs", name, message))
}

/// The value for unknown that, by the look of the values around it, is an object.
///
/// Object ids are counted up. Where they were counted past the value that means unknown, that value may
/// be an object like the others, and the metadata cannot tell.
fn unknown_is_object<A>(class: &CropClass<A>, counts: &ValueCounts) -> Vec<Finding> {
    let encoding = &class.annotation.encoding;
    if encoding.annotation_type() != AnnotationType::Instance {
        return Vec::new();
    }
    let unknown = encoding.values_of(ClassState::Unknown);
    unknown.filter_map(|unknown| looks_like_an_object(class, counts, unknown)).collect()
}

fn looks_like_an_object<A>(
    class: &CropClass<A>,
    counts: &ValueCounts,
    unknown: LabelId,
) -> Option<Finding> {
    let (name, annotation) = (&class.name, &class.annotation);
    if counts.of(unknown) == 0 {
        return None;
    }
    let is_object = |value: LabelId| annotation.encoding.state_of(value) == ClassState::Present;
    let objects = counts.iter().map(|(value, _)| value).filter(|&value| is_object(value));
    let (below, beyond): (Vec<LabelId>, Vec<LabelId>) = objects.partition(|value| *value < unknown);
    let last_below = *below.last()?;
    // With more ids than were counted, the highest value still says that there are some. It is not below
    // `unknown`, which occurs.
    let highest = counts.range().map(|(_, high)| high).filter(|&high| is_object(high));
    let highest = highest.or_else(|| beyond.last().copied());
    if highest.is_none() && last_below != unknown.saturating_sub(1) {
        return None;
    }
    let count = voxels(counts.of(unknown));
    let around = [unknown.saturating_sub(1), unknown.saturating_add(1)].into_iter();
    let around: Vec<String> = around
        .filter(|&value| is_object(value) && counts.of(value) > 0)
        .map(|value| format!("{value} ({})", voxels(counts.of(value))))
        .collect();
    let beside = match around.as_slice() {
        [] => String::new(),
        around => format!("; beside it occur {}", around.join(" and ")),
    };
    let (severity, beyond_text) = match highest {
        Some(highest) => (Severity::Error, format!("{} beyond it, up to {highest}", beyond.len())),
        None => (Severity::Warning, "none beyond it".to_owned()),
    };
    let declared = match annotation.complement_counts.get(&ClassState::Unknown) {
        Some(0) => "; the metadata count no unknown voxel, so that it is an object",
        _ => "",
    };
    let message = format!(
        "class {name:?}: {unknown} means unknown, and {count} have it, but {} object ids lie below it \
         and {beyond_text}{beside}{declared}; if it is an object, its voxels are masked without need",
        below.len()
    );
    let finding = Finding::new(severity, "unknown-is-object", name, message)
        .with("unknown", id_value(unknown))
        .with("voxels", counts.of(unknown))
        .with("objects_below", below.len())
        .with("objects_beyond", beyond.len());
    Some(match highest {
        Some(highest) => finding.with("highest", id_value(highest)),
        None => finding,
    })
}
