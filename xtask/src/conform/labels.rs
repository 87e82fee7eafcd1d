//! Recorded `labels` attributes: which channels of a grouping list each version of the original masks.

mod contract;
mod original;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use annotation_mask::{Groups, LabelList, MaskError};
use anyhow::Context;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::report::{Report, Rule, Verdict};
use contract::Fault;
use original::{Cause, Failure, VERSIONS};

/// Why an answer about `labels` can differ.
///
/// A difference has a rule only if the recorded answer is the one that the version of the original must
/// give, and ours is the one that is promised.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "both_generations_understood",
        reason: "each version of the original reads `annotated` either as a bool (2021) or as dense, \
                 sparse, empty (2023) and fails on the other; both are understood here",
    },
    Rule {
        name: "count_is_optional",
        reason: "the newest version fails on an entry without `count`, which older metadata do not \
                 have",
    },
    Rule {
        name: "unknown_keys_are_tolerated",
        reason: "the newest version fails on keys that it does not know, such as `num_voxels`",
    },
    Rule {
        name: "empty_is_not_annotated",
        reason: "a class whose annotation is `empty` was not annotated; the original counts it as \
                 annotated",
    },
    Rule {
        name: "values_are_not_converted",
        reason: "a text or number in place of a bool, an id or a name is malformed; the original \
                 guesses what was meant (\"off\" is false, 3.7 is 3)",
    },
    Rule {
        name: "ids_are_integers",
        reason: "a group with an id such as 3.5, or a label id beyond 64 bits, is malformed; the \
                 original takes it as an id that no voxel has",
    },
    Rule {
        name: "group_names_are_distinct",
        reason: "a channel needs a name that no other has; the original does not look at names",
    },
];

#[derive(Deserialize)]
struct Vector {
    #[serde(default)]
    id: String,
    labels: Value,
    groupings: Value,
    /// The recorded answers, by version.
    #[serde(flatten)]
    answers: Map<String, Value>,
}

impl Vector {
    fn labels(&self) -> Option<&Value> {
        Some(&self.labels).filter(|labels| *labels != "__absent__")
    }
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(untagged, deny_unknown_fields)]
enum Answer {
    Masked { masked: Vec<bool> },
    Failed { error: String },
}

/// Compares every line of a `labels.jsonl`, once for each version of the original.
///
/// # Errors
///
/// If the file cannot be read. A line of another form is an unexplained difference.
pub(crate) fn run(path: &Path) -> anyhow::Result<Report> {
    let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let mut report = Report::new(path.display().to_string());
    for (index, line) in BufReader::new(file).lines().enumerate() {
        let line = line.with_context(|| format!("reading {}", path.display()))?;
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str::<Vector>(&line) {
            Ok(vector) => verdicts(&vector).into_iter().for_each(|verdict| report.add(verdict)),
            Err(error) => {
                let place = format!("line {} of {}", index + 1, path.display());
                report.add(Verdict::Unexplained(format!("{place}: {error}")));
            }
        }
    }
    Ok(report)
}

fn verdicts(vector: &Vector) -> Vec<Verdict> {
    let verdict = |version: original::Version| {
        let name = version.name;
        let generic = version.is_generic();
        let ours = masked(vector, generic);
        let recorded = vector.answers.get(name).cloned().unwrap_or_default();
        let original = original::answer(version, vector.labels(), &vector.groupings);
        let promised = contract::promise(generic, vector.labels(), &vector.groupings);
        compare(&recorded, &original, &ours, &promised).unwrap_or_else(|| {
            let id = &vector.id;
            Verdict::Unexplained(format!(
                "{id} ({name}): {recorded} but we answer {ours:?}; expected were {original:?} and \
                 {promised:?}"
            ))
        })
    };
    VERSIONS.into_iter().map(verdict).collect()
}

/// Our answer: for each channel, whether it is masked.
fn masked(vector: &Vector, generic: bool) -> Result<Vec<bool>, MaskError> {
    use annotation_mask::Rule;
    let rule = if generic { Rule::Generic } else { Rule::Strict };
    // The original takes 37 as the generic id of every group that has it.
    let groups = Groups::from_value(&vector.groupings)?.with_generic_ids(&[37]);
    let labels = match vector.labels() {
        None => LabelList::default(),
        Some(labels) => LabelList::parse(labels)?,
    };
    let kept = |group| rule.decide(group, labels.missing()).kept;
    Ok(groups.as_slice().iter().map(|group| !kept(group)).collect())
}

/// Compares an answer with ours; none if they differ without a reason.
fn compare(
    recorded: &Value,
    original: &Result<Vec<bool>, Failure>,
    ours: &Result<Vec<bool>, MaskError>,
    promised: &Result<Vec<bool>, Fault>,
) -> Option<Verdict> {
    let recorded = Answer::deserialize(recorded).ok()?;
    let expected = match (&recorded, original) {
        (Answer::Masked { masked }, Ok(original)) => masked == original,
        (Answer::Failed { error }, Err(failure)) => error == failure.class,
        _ => false,
    };
    match (&recorded, ours) {
        (Answer::Masked { masked }, Ok(ours)) if masked == ours => return Some(Verdict::Equal),
        (Answer::Failed { .. }, Err(_)) => return expected.then_some(Verdict::Equal),
        _ => {}
    }
    let promise_kept = match (ours, promised) {
        (Ok(ours), Ok(promised)) => ours == promised,
        (Err(error), Err(fault)) => contract::says(error, *fault),
        _ => false,
    };
    let rule = name(original, promised).filter(|_| expected && promise_kept);
    rule.map(Verdict::Named)
}

/// Names the difference between an answer of the original and the one that is promised.
fn name(
    original: &Result<Vec<bool>, Failure>,
    promised: &Result<Vec<bool>, Fault>,
) -> Option<&'static str> {
    match (original, promised) {
        (Err(failure), Ok(_)) => match failure.cause {
            Cause::Generation => Some("both_generations_understood"),
            Cause::NoCount => Some("count_is_optional"),
            Cause::UnknownKey => Some("unknown_keys_are_tolerated"),
            Cause::Malformed => None,
        },
        (Ok(_), Err(fault)) => match fault {
            Fault::Id => Some("ids_are_integers"),
            Fault::GroupName => Some("group_names_are_distinct"),
            Fault::Type => Some("values_are_not_converted"),
            Fault::Group => None,
        },
        // Both read the same entries, of which only `empty` means something else.
        (Ok(_), Ok(_)) => Some("empty_is_not_annotated"),
        (Err(_), Err(_)) => None,
    }
}

#[cfg(test)]
mod tests;
