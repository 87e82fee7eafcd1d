//! Recorded crops: what the original reads from small label volumes, and the masks and targets it
//! makes of them.

mod case;
mod opened;
mod original;
mod refusal;

use std::collections::BTreeMap;
use std::path::Path;

use annotation_mask::Groups;
use anyhow::Context;
use array_core::{AnyArray, for_any};
use geometry::{PartialCoordinate, Roi};
use serde::Deserialize;
use serde_json::Value;
use zarr_source::{ZarrArray, ZarrError};

use super::report::{Report, Rule, Verdict};
use opened::Opened;

/// Why an answer about a crop can differ.
pub(crate) const RULES: &[Rule] = &[
    Rule { name: "uint8_as_declared", reason: "the original declares uint8 and returns bool" },
    Rule {
        name: "listed_twice_counts_once",
        reason: "where a group lists an id twice, the original's target is 2; a target is 0 or 1",
    },
    Rule {
        name: "exact_geometry",
        reason: "the original truncates voxel sizes and offsets, and rounds the offset to a multiple of \
                 the voxel size; the same voxels were compared",
    },
    Rule {
        name: "memory_order_is_not_axis_order",
        reason: "the original reverses the metadata of an F-order array; the same voxels were compared",
    },
    Rule {
        name: "no_silent_voxel_size",
        reason: "the original takes voxel size 1 where nothing says it; here the caller asks for that",
    },
    Rule {
        name: "no_shifting_snap",
        reason: "snap_to_grid of the original moves the data to where the snapped region begins, and hides \
                 what lies outside of it; here data keep their place. The voxels before the move were \
                 compared",
    },
    Rule {
        name: "empty_region_reads_nothing",
        reason: "a region without voxels is inside every array, so that reading it gives no voxels; the \
                 original refuses some",
    },
    Rule {
        name: "negative_shape_refused",
        reason: "a region of negative shape is no region; the original takes it for a slice that ends \
                 before the end of the array",
    },
    Rule {
        name: "dims_named_first",
        reason: "a region of too few dims is refused as such; the original calls it out of bounds",
    },
    Rule {
        name: "place_needed",
        reason: "a region with a shape but no place is no region; the original calls it out of bounds",
    },
];

#[derive(Deserialize)]
struct Manifest {
    groupings: BTreeMap<String, Value>,
    crops: Vec<Crop>,
    open_errors: Vec<case::Case>,
}

#[derive(Deserialize)]
struct Crop {
    id: String,
    path: String,
    dataset: String,
    source: Source,
    mask_array: MaskArray,
    present_not_annotated: Option<Vec<i128>>,
    cases: Vec<case::Case>,
}

#[derive(Deserialize)]
struct Source {
    dtype: String,
    shape: Vec<usize>,
    axes: Vec<String>,
    dims: usize,
    voxel_size: Vec<i64>,
    roi: RecordedRoi,
    num_channels: Option<usize>,
    data: Recorded,
}

#[derive(Deserialize)]
struct MaskArray {
    axes: Vec<String>,
    dims: usize,
    dtype_declared: String,
    dtype_returned: String,
    writable: bool,
}

/// An array in a file of its own.
#[derive(Clone, Deserialize)]
struct Recorded {
    file: String,
    shape: Vec<usize>,
}

#[derive(Clone, Deserialize)]
struct RecordedRoi {
    offset: Vec<Option<i64>>,
    shape: Vec<Option<i64>>,
}

impl RecordedRoi {
    fn to_roi(&self) -> Result<Roi, geometry::GeometryError> {
        Roi::from_parts(PartialCoordinate::new(&self.offset)?, PartialCoordinate::new(&self.shape)?)
    }
}

/// Compares every crop and every case of a `manifest.json`.
///
/// # Errors
///
/// If the manifest cannot be read. A different answer is no error, but part of the report, and so is
/// an expected file that cannot be read.
pub(crate) fn run(folder: &Path) -> anyhow::Result<Report> {
    let path = folder.join("manifest.json");
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("opening {}", path.display()))?;
    let manifest: Manifest =
        serde_json::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
    let groupings = manifest
        .groupings
        .iter()
        .map(|(name, value)| Ok((name.as_str(), Groups::from_value(value)?)))
        .collect::<anyhow::Result<BTreeMap<_, _>>>()?;
    let mut report = Report::new(path.display().to_string());
    for crop in &manifest.crops {
        if let Err(error) = compare(&mut report, folder, crop, &groupings) {
            report.add(Verdict::Unexplained(format!("{}: {error:#}", crop.id)));
        }
    }
    for case in &manifest.open_errors {
        let first = manifest.crops.first().context("no crops")?;
        let missing = folder.join(case.path.as_ref().unwrap_or(&first.path));
        let missing = missing.join(case.dataset.as_deref().unwrap_or("missing"));
        let verdict = match ZarrArray::open(&missing) {
            Err(ZarrError::NotFound { .. }) if case.expects("dataset_not_found") => Verdict::Equal,
            other => Verdict::Unexplained(format!("{other:?}")),
        };
        report.add(labelled(verdict, &case.id));
    }
    Ok(report)
}

/// Compares a crop and its cases. What cannot be compared is no error where it concerns one case.
fn compare(
    report: &mut Report,
    folder: &Path,
    crop: &Crop,
    groupings: &BTreeMap<&str, Groups>,
) -> anyhow::Result<()> {
    let opened = Opened::new(folder, crop)?;
    for (what, verdict) in opened.compare_facts()? {
        report.add(labelled(verdict, &format!("{} {what}", crop.id)));
    }
    for case in &crop.cases {
        let groups = groupings.get(case.groupings.as_str()).context("unknown groupings");
        match groups.and_then(|groups| case.compare(&opened, groups)) {
            Ok(verdicts) => {
                for (what, verdict) in verdicts {
                    report.add(labelled(verdict, &format!("{} {what}", case.id)));
                }
            }
            Err(error) => report.add(Verdict::Unexplained(format!("{}: {error:#}", case.id))),
        }
    }
    Ok(())
}

fn labelled(verdict: Verdict, place: &str) -> Verdict {
    match verdict {
        Verdict::Unexplained(text) => Verdict::Unexplained(format!("{place}: {text}")),
        verdict => verdict,
    }
}

/// The values of an integer array in C order.
fn integers(array: &AnyArray) -> anyhow::Result<Vec<i128>> {
    let value = |scalar: array_core::Scalar| scalar.to_integer().context("not an integer");
    for_any!(AnyArray, array, |values| values.iter().map(|&v| value(v.into())).collect())
}
