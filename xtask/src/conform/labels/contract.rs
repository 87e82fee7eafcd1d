//! What this project promises about a `labels` attribute, read without conversions.

use annotation_mask::MaskError;
use serde_json::Value;

/// Why an error is promised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fault {
    /// An id of a group is no integer, or a label id lies beyond 64 bits.
    Id,
    /// The name of a group is empty or stands twice.
    GroupName,
    /// Something in a group has another form.
    Group,
    /// A field of an entry has another type.
    Type,
}

/// Which channels are masked, with 37 as the generic id or by the strict rule.
pub(super) fn promise(
    generic: bool,
    labels: Option<&Value>,
    groupings: &Value,
) -> Result<Vec<bool>, Fault> {
    let groups = groups(groupings)?;
    let entries = match labels {
        None => &Vec::new(),
        Some(labels) => labels.as_array().ok_or(Fault::Type)?,
    };
    let missing: Vec<i128> =
        entries.iter().map(missing_id).filter_map(Result::transpose).collect::<Result<_, _>>()?;
    let masked = |ids: &Vec<i128>| {
        let exempt = generic && ids.contains(&37) && !missing.contains(&37);
        ids.iter().any(|id| missing.contains(id)) && !exempt
    };
    Ok(groups.iter().map(masked).collect())
}

fn groups(groupings: &Value) -> Result<Vec<Vec<i128>>, Fault> {
    let (mut names, mut groups) = (Vec::new(), Vec::new());
    for group in groupings.as_array().ok_or(Fault::Group)? {
        let name = group.get(0).and_then(Value::as_str).ok_or(Fault::Group)?;
        let ids = group.get(1).and_then(Value::as_array).ok_or(Fault::Group)?;
        groups.push(ids.iter().map(|id| integer(id).ok_or(Fault::Id)).collect::<Result<_, _>>()?);
        names.push(name);
    }
    let twice = names.iter().enumerate().any(|(index, name)| names[..index].contains(name));
    if twice || names.iter().any(|name| name.trim().is_empty()) {
        return Err(Fault::GroupName);
    }
    Ok(groups)
}

/// The id of an entry that is present and not annotated.
fn missing_id(entry: &Value) -> Result<Option<i128>, Fault> {
    let state = entry.get("annotationState").ok_or(Fault::Type)?;
    let value = entry.get("value").ok_or(Fault::Type)?;
    let large = value.as_f64().is_some_and(|value| value.abs() >= 9.2e18);
    let id = integer(value).ok_or(if large { Fault::Id } else { Fault::Type })?;
    for key in ["long", "short"] {
        entry
            .get("name")
            .and_then(|name| name.get(key))
            .filter(|name| name.is_string())
            .ok_or(Fault::Type)?;
    }
    let count = entry.get("count").or_else(|| entry.get("num_voxels"));
    if let Some(count) = count.filter(|count| !count.is_null()) {
        integer(count).filter(|count| *count >= 0).ok_or(Fault::Type)?;
    }
    let present = state.get("present").and_then(Value::as_bool).ok_or(Fault::Type)?;
    let annotated = match state.get("annotated").ok_or(Fault::Type)? {
        Value::Bool(annotated) => *annotated,
        Value::String(word) if word == "dense" || word == "sparse" => true,
        Value::String(word) if word == "empty" => false,
        _ => return Err(Fault::Type),
    };
    Ok(Some(id).filter(|_| present && !annotated))
}

/// A JSON number that is an integer of 64 bits, also one written with a point.
fn integer(value: &Value) -> Option<i128> {
    let number = value.as_number()?;
    let whole = || number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9.0e15);
    number.as_i128().or_else(|| format!("{}", whole()?).parse().ok())
}

/// Whether an error of ours says what is wrong.
pub(super) fn says(error: &MaskError, fault: Fault) -> bool {
    match error {
        MaskError::GroupMalformed { reason, .. } => {
            let of_name = reason.contains("name");
            match fault {
                Fault::GroupName => of_name,
                Fault::Id => reason.contains("integer"),
                Fault::Group => true,
                Fault::Type => false,
            }
        }
        MaskError::LabelsMalformed { .. } => matches!(fault, Fault::Id | Fault::Type),
        _ => false,
    }
}
