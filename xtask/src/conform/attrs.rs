//! Recorded attribute sets: which voxel size, offset and axes two versions of the original find.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::Context;
use array_core::{Array, ArrayExt};
use geometry::Decimal;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use zarr_source::{Convention, GeometrySource, OpenOptions, ZarrArray, ZarrError};

use super::report::{Report, Rule, Verdict};

/// Why an answer about attributes can differ.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "keys_of_other_tools_understood",
        reason: "each version of the original knows only some of the spellings and takes voxel size 1 or \
                 offset 0 for the others; all are read here",
    },
    Rule {
        name: "no_silent_voxel_size",
        reason: "where nothing says a voxel size, the original takes 1; here it is an error",
    },
    Rule {
        name: "exact_geometry",
        reason: "the original truncates voxel sizes and offsets to integers, or rounds offsets to a \
                 multiple of the voxel size; they are exact here",
    },
    Rule {
        name: "malformed_is_refused",
        reason: "a value that is no list of positive numbers, one for each axis, is an error; the original \
                 guesses or takes a part of it",
    },
    Rule {
        name: "missing_unit_is_no_error",
        reason: "the old version fails where a unit is missing; here the unit is unknown, and reported",
    },
    Rule {
        name: "null_is_absent",
        reason: "the original fails on some keys whose value is null or an empty list; they count as \
                 absent here",
    },
    Rule {
        name: "memory_order_is_not_axis_order",
        reason: "the original reverses lists by the memory order or an attribute `order`; only \
                 `transform` has an order of its own here",
    },
    Rule {
        name: "channel_axes_have_no_place",
        reason: "an axis named as a channel (or sample) takes no part in voxel size, offset and dims; the \
                 original counts it as one of space",
    },
    Rule {
        name: "axes_match_the_array",
        reason: "the original reports axis names that do not fit the array, or names of its own making \
                 where none are given",
    },
];

#[derive(Deserialize)]
struct Vector {
    id: String,
    shape: Vec<usize>,
    order: String,
    dataset: String,
    attrs: Map<String, Value>,
    parent_attrs: Option<Map<String, Value>>,
    root_attrs: Option<Map<String, Value>>,
    old: Answer,
    new: Answer,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Answer {
    Failed {
        error: String,
    },
    Place {
        voxel_size: Vec<i64>,
        offset: Vec<i64>,
        #[serde(alias = "axis_names")]
        axes: Value,
    },
}

/// Which of the two versions answered.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Version {
    Old,
    New,
}

/// Compares every line of an `attrs.jsonl`, once for each version of the original.
///
/// # Errors
///
/// If the file cannot be read, a line has another form, or no temporary folder can be written.
pub(crate) fn run(path: &Path) -> anyhow::Result<Report> {
    let file = fs::File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let mut report = Report::new(path.display().to_string());
    for (index, line) in BufReader::new(file).lines().enumerate() {
        let place = || format!("line {} of {}", index + 1, path.display());
        let vector: Vector =
            serde_json::from_str(&line.with_context(place)?).with_context(place)?;
        let folder = tempfile::tempdir()?;
        let ours = open(&vector, folder.path()).with_context(place)?;
        for (version, answer) in [(Version::Old, &vector.old), (Version::New, &vector.new)] {
            report.add(compare(&vector, version, answer, &ours).unwrap_or_else(|| {
                let ours = match &ours {
                    Ok(array) => format!("{array:?}"),
                    Err(error) => error.to_string(),
                };
                let id = &vector.id;
                Verdict::Unexplained(format!("{id} ({version:?}): {answer:?} but we answer {ours}"))
            }));
        }
    }
    Ok(report)
}

/// What we find.
#[derive(Debug)]
struct Found {
    voxel_size: Vec<Decimal>,
    offset: Vec<Decimal>,
    spatial_axes: Vec<String>,
    channel_dims: usize,
    source: GeometrySource,
}

/// Writes a container with the attributes, and opens its array.
fn open(vector: &Vector, folder: &Path) -> anyhow::Result<Result<Found, ZarrError>> {
    let write = |path: &Path, value: Value| -> anyhow::Result<()> {
        fs::create_dir_all(path.parent().context("a file has a folder")?)?;
        fs::write(path, serde_json::to_vec(&value)?).map_err(Into::into)
    };
    let root = folder.join("c.zarr");
    let array = root.join(&vector.dataset);
    for (path, attrs) in [
        (root.clone(), &vector.root_attrs),
        (array.parent().context("an array has a group")?.to_owned(), &vector.parent_attrs),
    ] {
        write(&path.join(".zgroup"), json!({"zarr_format": 2}))?;
        if let Some(attrs) = attrs {
            write(&path.join(".zattrs"), Value::Object(attrs.clone()))?;
        }
    }
    let metadata = json!({
        "zarr_format": 2, "shape": vector.shape, "chunks": vector.shape, "dtype": "|u1",
        "order": vector.order, "fill_value": 0, "compressor": null, "filters": null,
    });
    write(&array.join(".zarray"), metadata)?;
    write(&array.join(".zattrs"), Value::Object(vector.attrs.clone()))?;
    // The original takes every translation as a corner.
    let options = OpenOptions { translation: Some(Convention::Corner), ..OpenOptions::default() };
    Ok(ZarrArray::open_with(&array, &options).map(|array| {
        let info = array.info();
        Found {
            voxel_size: info.unit().decimals(array.voxel_size().as_coordinate()),
            offset: info.unit().decimals(info.grid().offset()),
            spatial_axes: info.spatial_axes().to_vec(),
            channel_dims: info.channel_dims(),
            source: array.geometry_report().voxel_size_source.clone(),
        }
    }))
}

fn compare(
    vector: &Vector,
    version: Version,
    answer: &Answer,
    ours: &Result<Found, ZarrError>,
) -> Option<Verdict> {
    match (answer, ours) {
        (Answer::Failed { .. }, Err(_)) => Some(Verdict::Equal),
        (Answer::Failed { error }, Ok(found)) => {
            explain_failure(vector, version, error, found).map(Verdict::Named)
        }
        (Answer::Place { voxel_size, .. }, Err(error)) => match error {
            ZarrError::NoGeometry { .. } if voxel_size.iter().all(|&size| size == 1) => {
                Some(Verdict::Named("no_silent_voxel_size"))
            }
            ZarrError::MetadataMalformed { .. } => Some(Verdict::Named("malformed_is_refused")),
            ZarrError::Unsupported { .. } => Some(Verdict::Named("axes_match_the_array")),
            _ => None,
        },
        (Answer::Place { voxel_size, offset, axes }, Ok(found)) => {
            let theirs = (decimals(voxel_size), decimals(offset));
            if theirs == (found.voxel_size.clone(), found.offset.clone()) {
                return Some(compare_axes(version, axes, found));
            }
            explain_place(version, voxel_size, offset, found).map(Verdict::Named)
        }
    }
}

fn compare_axes(version: Version, axes: &Value, found: &Found) -> Verdict {
    let names: Option<Vec<&str>> =
        axes.as_array().and_then(|list| list.iter().map(Value::as_str).collect());
    let spelled = axes.as_str().map(|text| text.chars().map(String::from).collect::<Vec<_>>());
    // The old version leaves channels out, the new one lists them.
    let skip = if version == Version::New { found.channel_dims } else { 0 };
    let same = names
        .is_some_and(|names| names.get(skip..) == Some(&as_str(&found.spatial_axes)[..]))
        || spelled.is_some_and(|spelled| spelled == found.spatial_axes);
    if same { Verdict::Equal } else { Verdict::Named("axes_match_the_array") }
}

fn as_str(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

fn decimals(values: &[i64]) -> Vec<Decimal> {
    values.iter().map(|&value| Decimal::from(value)).collect()
}

fn explain_failure(
    vector: &Vector,
    version: Version,
    error: &str,
    found: &Found,
) -> Option<&'static str> {
    let is_fraction = |value: &Decimal| value.fractional_digits() > 0;
    let is_null = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    if error == "KeyError" {
        Some("missing_unit_is_no_error")
    } else if found.voxel_size.iter().any(is_fraction) {
        Some("exact_geometry")
    } else if vector.attrs.values().any(is_null) {
        Some("null_is_absent")
    } else if vector.attrs.keys().any(|key| key == "axis_names" || key == "axes") {
        Some("axes_match_the_array")
    } else if version == Version::New && found.source != (GeometrySource::Own { key: "voxel_size" })
    {
        Some("keys_of_other_tools_understood")
    } else {
        None
    }
}

/// Why a place differs, from what the metadata holds and what each version can read.
fn explain_place(
    version: Version,
    voxel_size: &[i64],
    offset: &[i64],
    found: &Found,
) -> Option<&'static str> {
    if found.channel_dims > 0 && voxel_size.len() > found.voxel_size.len() {
        return Some("channel_axes_have_no_place");
    }
    let read_by_version = |key: &str| match version {
        Version::Old => key != "voxel_size",
        Version::New => key == "voxel_size",
    };
    let unread = match &found.source {
        GeometrySource::Own { key } => !read_by_version(key),
        _ => version == Version::New,
    };
    if unread {
        return Some("keys_of_other_tools_understood");
    }
    let reversed = |values: &[i64]| values.iter().rev().copied().collect::<Vec<_>>();
    let place = |values: &[i64], offset: &[i64]| {
        decimals(values) == found.voxel_size && decimals(offset) == found.offset
    };
    if place(&reversed(voxel_size), &reversed(offset)) {
        return Some("memory_order_is_not_axis_order");
    }
    // Truncated toward zero, and then (old) rounded to a multiple of the voxel size.
    let near = |exact: &Decimal, integer: i64, within: i64| {
        (exact.to_f64() - decimals(&[integer])[0].to_f64()).abs() < decimals(&[within])[0].to_f64()
    };
    let sizes_near = found.voxel_size.iter().zip(voxel_size).all(|(e, &i)| near(e, i, 1));
    let offsets_near = found.offset.iter().zip(offset).zip(voxel_size).all(|((e, &i), &size)| {
        near(e, i, if version == Version::Old { size.saturating_add(1) } else { 1 })
    });
    if sizes_near && offsets_near {
        return Some("exact_geometry");
    }
    None
}
