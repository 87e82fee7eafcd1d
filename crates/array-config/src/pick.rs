//! Parts of a file that holds more than one array.

use serde_json::Value;

use crate::at::At;
use crate::error::ConfigError;
use crate::fields::kind;

/// How many parts a message names.
const MOST_NAMED: usize = 8;

/// The value at a place such as `train_configs[0].gt_config` or `/train_configs/0/gt_config`, and the
/// place as the first of these.
pub(crate) fn pick<'a>(
    value: &'a Value,
    pointer: &str,
) -> Result<(&'a Value, String), ConfigError> {
    let mut steps = steps(pointer).into_iter();
    descend(value, &At::ROOT, &mut steps)
        .map_err(|reason| ConfigError::NoSuchPart { pointer: pointer.to_owned(), reason })
}

fn descend<'a>(
    value: &'a Value,
    at: &At<'_>,
    steps: &mut impl Iterator<Item = String>,
) -> Result<(&'a Value, String), String> {
    let Some(step) = steps.next() else { return Ok((value, at.to_string())) };
    match value {
        Value::Object(map) => match map.get(&step) {
            Some(value) => descend(value, &at.key(&step), steps),
            None => {
                let known = map.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                Err(format!("{at} has no key {step:?}; it has {known}"))
            }
        },
        Value::Array(list) => {
            let index = step.parse::<usize>().ok();
            match index.and_then(|index| Some((index, list.get(index)?))) {
                Some((index, value)) => descend(value, &at.index(index), steps),
                None => Err(format!(
                    "{at} has no entry {step:?}; it has {}, counted from 0",
                    list.len()
                )),
            }
        }
        other => Err(format!("{at} is {}, which has no parts", kind(other))),
    }
}

/// The keys and indices of a place: those of a JSON pointer if it begins with a slash.
fn steps(pointer: &str) -> Vec<String> {
    match pointer.strip_prefix('/') {
        Some(rest) => {
            rest.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
        }
        None => {
            let steps = pointer.split(['.', '[', ']']).filter(|step| !step.is_empty());
            steps.map(|step| step.trim_matches('"').to_owned()).collect()
        }
    }
}

/// The places of the outermost arrays inside a value, the first of them.
pub(crate) fn parts(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(value, &At::ROOT, &mut found);
    if found.len() > MOST_NAMED {
        found.truncate(MOST_NAMED);
        found.push("…".to_owned());
    }
    found
}

fn collect(value: &Value, at: &At<'_>, found: &mut Vec<String>) {
    let is_array = |value: &Value| {
        let kind = value.get("__type__").and_then(Value::as_str);
        value.get("kind").is_some()
            || kind
                .is_some_and(|kind| kind.ends_with("ArrayConfig") || kind.ends_with("MaskConfig"))
    };
    let mut look = |value: &Value, at: &At<'_>| {
        if is_array(value) {
            found.push(at.to_string());
        } else if found.len() <= MOST_NAMED {
            collect(value, at, found);
        }
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| look(value, &at.key(key))),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(index, value)| look(value, &at.index(index)));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_ways_to_write_a_place_lead_there() {
        let value = json!({"train_configs": [{"a": 1}, {"gt_config": {"x.y": 7}}]});
        let place = "train_configs[1].gt_config";
        let (found, at) = pick(&value, place).unwrap();
        assert_eq!((found, at.as_str()), (&json!({"x.y": 7}), place));
        let (found, at) = pick(&value, "/train_configs/1/gt_config/x.y").unwrap();
        assert_eq!((found, at.as_str()), (&json!(7), "train_configs[1].gt_config[\"x.y\"]"));
        assert_eq!(pick(&value, "").unwrap().0, &value);
    }

    #[test]
    fn what_is_not_there_is_told_with_what_is() {
        let value = json!({"train_configs": [{"a": 1}]});
        let error = |pointer: &str| pick(&value, pointer).unwrap_err().to_string();
        assert_eq!(
            error("gt"),
            "there is no part \"gt\": the config has no key \"gt\"; it has train_configs"
        );
        assert!(error("train_configs[1]").contains("train_configs has no entry \"1\"; it has 1"));
        assert!(
            error("train_configs[0].a.b").contains("train_configs[0].a is 1, which has no parts")
        );
    }
}
