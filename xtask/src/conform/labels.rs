//! Recorded `labels` attributes: which channels of a grouping list each version of the original masks.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use annotation_mask::{Groups, LabelList, MaskError};
use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;

use super::report::{Report, Rule, Verdict};

/// Why an answer about `labels` can differ.
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
];

#[derive(Deserialize)]
struct Vector {
    id: String,
    labels: Value,
    groupings: Value,
    old: Answer,
    no37: Answer,
    #[serde(rename = "enum")]
    of_enum: Answer,
    new: Answer,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(untagged)]
enum Answer {
    Masked { masked: Vec<bool> },
    Failed { error: String },
}

/// Which `annotated` a version of the original reads.
#[derive(Clone, Copy, PartialEq)]
enum Generation {
    Bool,
    Enum,
}

/// Compares every line of a `labels.jsonl`, once for each version of the original.
///
/// # Errors
///
/// If the file cannot be read or a line has another form.
pub(crate) fn run(path: &Path) -> anyhow::Result<Report> {
    let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let mut report = Report::new(path.display().to_string());
    for (index, line) in BufReader::new(file).lines().enumerate() {
        let line = line.with_context(|| format!("reading {}", path.display()))?;
        let vector: Vector = serde_json::from_str(&line)
            .with_context(|| format!("line {} of {}", index + 1, path.display()))?;
        for (version, answer, generation, rule) in [
            ("old", &vector.old, Generation::Bool, annotation_mask::Rule::Generic),
            ("no37", &vector.no37, Generation::Bool, annotation_mask::Rule::Strict),
            ("enum", &vector.of_enum, Generation::Enum, annotation_mask::Rule::Generic),
            ("new", &vector.new, Generation::Enum, annotation_mask::Rule::Strict),
        ] {
            let ours = masked(&vector, rule);
            report.add(match explain(&vector, version, answer, generation, &ours) {
                Some(verdict) => verdict,
                None => Verdict::Unexplained(format!(
                    "{} ({version}): {answer:?} but we answer {ours:?}",
                    vector.id
                )),
            });
        }
    }
    Ok(report)
}

/// Our answer: for each channel, whether it is masked.
fn masked(vector: &Vector, rule: annotation_mask::Rule) -> Result<Vec<bool>, MaskError> {
    // The original takes 37 as the generic id of every group that has it.
    let groups = Groups::from_value(&vector.groupings)?.with_generic_ids(&[37]);
    let labels = match &vector.labels {
        Value::String(text) if text == "__absent__" => LabelList::default(),
        labels => LabelList::parse(labels)?,
    };
    let kept = |group| rule.decide(group, labels.missing()).kept;
    Ok(groups.as_slice().iter().map(|group| !kept(group)).collect())
}

fn explain(
    vector: &Vector,
    version: &str,
    answer: &Answer,
    generation: Generation,
    ours: &Result<Vec<bool>, MaskError>,
) -> Option<Verdict> {
    let rule = match (answer, ours) {
        (Answer::Failed { .. }, Err(_)) => return Some(Verdict::Equal),
        (Answer::Masked { masked }, Ok(ours)) if masked == ours => return Some(Verdict::Equal),
        (Answer::Failed { .. }, Ok(_)) if has_other_generation(vector, generation) => {
            "both_generations_understood"
        }
        (Answer::Failed { .. }, Ok(_)) if version == "new" && lacks_count(vector) => {
            "count_is_optional"
        }
        (Answer::Masked { .. }, Ok(_)) if annotations(vector).any(|state| state == "empty") => {
            "empty_is_not_annotated"
        }
        (Answer::Masked { .. }, Err(MaskError::GroupMalformed { .. })) => "ids_are_integers",
        (Answer::Masked { .. }, Err(MaskError::LabelsMalformed { reason, .. })) => {
            if has_id_beyond_64_bits(vector) {
                "ids_are_integers"
            } else if reason.starts_with("expected") {
                "values_are_not_converted"
            } else {
                return None;
            }
        }
        _ => return None,
    };
    Some(Verdict::Named(rule))
}

/// The `annotated` values of all entries.
fn annotations(vector: &Vector) -> impl Iterator<Item = &Value> {
    let entries = vector.labels.as_array().into_iter().flatten();
    entries.filter_map(|entry| entry.get("annotationState")?.get("annotated"))
}

fn has_other_generation(vector: &Vector, generation: Generation) -> bool {
    annotations(vector).any(|state| match generation {
        Generation::Bool => state.is_string(),
        Generation::Enum => state.is_boolean(),
    })
}

fn lacks_count(vector: &Vector) -> bool {
    vector.labels.as_array().into_iter().flatten().any(|entry| entry.get("count").is_none())
}

fn has_id_beyond_64_bits(vector: &Vector) -> bool {
    let entries = vector.labels.as_array().into_iter().flatten();
    let mut values = entries.filter_map(|entry| entry.get("value")?.as_number());
    values.any(|value| value.as_i128().is_none() && value.as_f64().is_some_and(|v| v.abs() > 9e18))
}
