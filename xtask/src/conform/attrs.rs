//! Recorded attribute sets: which voxel size, offset and axes two versions of the original find.

mod contract;
mod model;
mod new;
mod old;
mod python;
mod rules;
mod vector;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::Context;
use array_core::{Array, ArrayExt};
use geometry::Decimal;
use serde_json::{Value, json};
use zarr_source::{Convention, OpenOptions, ZarrArray, ZarrError};

use super::report::{Report, Verdict};
use contract::{Fault, Promise};
use model::{Answer, Modelled};
pub(crate) use rules::RULES;
pub(super) use vector::{Recorded, Vector};

/// Compares every line of an `attrs.jsonl`, once for each version of the original.
///
/// # Errors
///
/// If the file cannot be read or no temporary folder can be written. A line of another form is an
/// unexplained difference.
pub(crate) fn run(path: &Path) -> anyhow::Result<Report> {
    let file = fs::File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let mut report = Report::new(path.display().to_string());
    for (index, line) in BufReader::new(file).lines().enumerate() {
        let place = || format!("line {} of {}", index + 1, path.display());
        let line = line.with_context(place)?;
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str::<Vector>(&line) {
            Ok(vector) => {
                for verdict in verdicts(&vector).with_context(place)? {
                    report.add(verdict);
                }
            }
            Err(error) => report.add(Verdict::Unexplained(format!("{}: {error}", place()))),
        }
    }
    Ok(report)
}

fn verdicts(vector: &Vector) -> anyhow::Result<[Verdict; 2]> {
    let folder = tempfile::tempdir()?;
    let ours = open(vector, folder.path())?;
    let promised = contract::promise(vector);
    let verdict = |version: &str, recorded: &Value, original: &Modelled| {
        compare(recorded, original, &ours, &promised).unwrap_or_else(|| {
            let ours = ours.as_ref().map_err(ToString::to_string);
            let id = &vector.id;
            Verdict::Unexplained(format!(
                "{id} ({version}): {recorded} but we answer {ours:?}; expected were {original:?} and \
                 {promised:?}"
            ))
        })
    };
    Ok([
        verdict("old", &vector.old, &old::answer(vector)),
        verdict("new", &vector.new, &new::answer(vector)),
    ])
}

/// Compares a region of the old version with ours; none if they differ without a reason.
pub(super) fn compare_place(
    around: &Vector,
    recorded: Recorded,
    ours: &Result<Found, ZarrError>,
) -> Option<Verdict> {
    let original = old::answer(around);
    let promised = contract::promise(around);
    if let (Ok(ours), Ok(promised)) = (ours, &promised)
        && is_same_place(&recorded, ours)
    {
        return keeps(ours, promised).then_some(Verdict::Equal);
    }
    let axes = original.as_ref().ok()?.place.axes.clone();
    judge(&Ok(Recorded { axes, ..recorded }), &original, ours, &promised)
}

/// What we find.
#[derive(Debug)]
pub(super) struct Found {
    voxel_size: Vec<Decimal>,
    offset: Vec<Decimal>,
    shape: Vec<Decimal>,
    axes: Vec<String>,
    channel_dims: usize,
}

/// Writes a container with the attributes, and opens its array.
fn open(vector: &Vector, folder: &Path) -> anyhow::Result<Result<Found, ZarrError>> {
    let write = |path: &Path, value: Value| -> anyhow::Result<()> {
        fs::create_dir_all(path.parent().context("a file has a folder")?)?;
        fs::write(path, serde_json::to_vec(&value)?).map_err(Into::into)
    };
    let root = folder.join("c.zarr");
    let array = root.join(&vector.dataset);
    for group in array.ancestors().skip(1).take_while(|group| group.starts_with(&root)) {
        write(&group.join(".zgroup"), json!({"zarr_format": 2}))?;
    }
    let parent = array.parent().context("an array has a group")?;
    for (path, attrs) in [(root.as_path(), &vector.root_attrs), (parent, &vector.parent_attrs)] {
        if let Some(attrs) = attrs {
            write(&path.join(".zattrs"), Value::Object(attrs.clone()))?;
        }
    }
    let chunks: Vec<usize> = vector.shape.iter().map(|extent| (*extent).max(1)).collect();
    let metadata = json!({
        "zarr_format": 2, "shape": vector.shape, "chunks": chunks, "dtype": "|u1",
        "order": vector.order, "fill_value": 0, "compressor": null, "filters": null,
    });
    write(&array.join(".zarray"), metadata)?;
    write(&array.join(".zattrs"), Value::Object(vector.attrs.clone()))?;
    // The original takes every translation as a corner.
    let options = OpenOptions { translation: Some(Convention::Corner), ..OpenOptions::default() };
    let array = match ZarrArray::open_with(&array, &options) {
        Ok(array) => array,
        Err(error) => return Ok(Err(error)),
    };
    Ok(Ok(Found::of(&array)?))
}

impl Found {
    pub(super) fn of(array: &ZarrArray) -> anyhow::Result<Self> {
        let info = array.info();
        Ok(Self {
            voxel_size: info.unit().decimals(array.voxel_size().as_coordinate()),
            offset: info.unit().decimals(info.grid().offset()),
            shape: info.unit().decimals(&array.roi().shape()?),
            axes: info.axes().to_vec(),
            channel_dims: info.channel_dims(),
        })
    }
}

/// Compares an answer with ours; none if they differ without a reason.
fn compare(
    recorded: &Value,
    original: &Modelled,
    ours: &Result<Found, ZarrError>,
    promised: &Result<Promise, Fault>,
) -> Option<Verdict> {
    judge(&Recorded::parse(recorded)?, original, ours, promised)
}

fn judge(
    recorded: &Result<Recorded, String>,
    original: &Modelled,
    ours: &Result<Found, ZarrError>,
    promised: &Result<Promise, Fault>,
) -> Option<Verdict> {
    let expected = match (recorded, original) {
        (Ok(recorded), Ok(original)) => is_place(recorded, original),
        (Err(class), Err(failure)) => class == failure.class,
        _ => false,
    };
    match (recorded, ours) {
        // What we have no answer to was compared with what the original must give.
        (Ok(recorded), Ok(ours)) if is_same(recorded, ours) => {
            return (expected || recorded.extra.is_none()).then_some(Verdict::Equal);
        }
        (Err(_), Err(_)) => return expected.then_some(Verdict::Equal),
        _ => {}
    }
    let promise_kept = match (ours, promised) {
        (Ok(ours), Ok(promised)) => keeps(ours, promised),
        (Err(error), Err(fault)) => rules::says(error, *fault),
        _ => false,
    };
    let rule = rules::name(original, promised).filter(|_| expected && promise_kept);
    rule.map(Verdict::Named)
}

/// Whether our answer is the one that is promised.
fn keeps(ours: &Found, promised: &Promise) -> bool {
    (&ours.voxel_size, &ours.offset) == (&promised.voxel_size, &promised.offset)
        && (&ours.axes, ours.channel_dims) == (&promised.axes, promised.channel_dims)
}

/// Whether a recorded answer is the one that the original must give.
fn is_place(recorded: &Recorded, original: &Answer) -> bool {
    let place = &original.place;
    is_read(&recorded.voxel_size, &place.voxel_size)
        && is_read(&recorded.offset, &place.offset)
        && recorded.shape.as_ref().is_none_or(|shape| is_read(shape, &place.shape))
        && recorded.axes == place.axes
        && recorded.dims.is_none_or(|dims| dims == place.voxel_size.len())
        && recorded.extra.as_ref().is_none_or(|extra| *extra == original.extra)
}

/// Whether recorded integers are these. JSON keeps those beyond 64 bits as floats.
fn is_read(recorded: &[i128], integers: &[i128]) -> bool {
    let same = |(recorded, integer): (&i128, &i128)| {
        let beyond = *integer > i128::from(u64::MAX) || *integer < i128::from(i64::MIN);
        let tolerance = if beyond { integer.unsigned_abs() >> 51 } else { 0 };
        recorded.abs_diff(*integer) <= tolerance
    };
    recorded.len() == integers.len() && recorded.iter().zip(integers).all(same)
}

/// Whether a recorded region is ours.
fn is_same_place(recorded: &Recorded, ours: &Found) -> bool {
    let same = |recorded: &[i128], ours: &[Decimal]| {
        recorded.iter().map(i128::to_string).eq(ours.iter().map(Decimal::to_string))
    };
    same(&recorded.voxel_size, &ours.voxel_size)
        && same(&recorded.offset, &ours.offset)
        && recorded.shape.as_ref().is_none_or(|shape| same(shape, &ours.shape))
}

/// Whether a recorded answer is ours; it names all axes or those of space.
fn is_same(recorded: &Recorded, ours: &Found) -> bool {
    let names: Vec<Value> = match &recorded.axes {
        Value::Array(names) => names.clone(),
        Value::String(text) => python::letters(text),
        _ => return false,
    };
    let ours_named = |skip: usize| names.iter().eq(ours.axes[skip..].iter());
    is_same_place(recorded, ours) && (ours_named(0) || ours_named(ours.channel_dims))
}

#[cfg(test)]
mod tests;
