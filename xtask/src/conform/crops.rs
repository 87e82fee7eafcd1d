//! Recorded crops: what the original reads from small label volumes, and the masks and targets it
//! makes of them.

mod case;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use annotation_mask::{Groups, LabelList, MaskOptions, MissingAnnotationsMask};
use anyhow::Context;
use array_core::{AnyArray, ArrayExt, DType, for_any};
use geometry::{Coordinate, PartialCoordinate, Roi};
use serde::Deserialize;
use serde_json::Value;
use zarr_source::{Convention, OpenOptions, ZarrArray, ZarrError};

use super::npy;
use super::report::{Report, Rule, Verdict};

/// Why an answer about a crop can differ.
pub(crate) const RULES: &[Rule] = &[
    Rule { name: "uint8_as_declared", reason: "the original declares uint8 and returns bool" },
    Rule {
        name: "listed_twice_counts_once",
        reason: "where a group lists an id twice, the original's target is 2; a target is 0 or 1",
    },
    Rule {
        name: "exact_offset",
        reason: "the original rounds the offset to a multiple of the voxel size; the same voxels were \
                 compared",
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
        reason: "snap_to_grid of the original moves the data by part of a voxel; offsets are exact here",
    },
    Rule {
        name: "empty_region_reads_nothing",
        reason: "a region without voxels is inside every array, so that reading it gives no voxels; the \
                 original refuses some",
    },
    Rule {
        name: "negative_shape_refused",
        reason: "a region of negative shape is no region; the original reads something",
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
/// If the manifest or an expected file cannot be read. A different answer is no error, but part of
/// the report.
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
        let opened = Opened::new(folder, crop).with_context(|| crop.id.clone())?;
        for (what, verdict) in opened.compare_facts()? {
            report.add(labelled(verdict, &format!("{} {what}", crop.id)));
        }
        for case in &crop.cases {
            let groups = groupings.get(case.groupings.as_str()).context("unknown groupings")?;
            for (what, verdict) in case.compare(&opened, groups).with_context(|| case.id.clone())? {
                report.add(labelled(verdict, &format!("{} {what}", case.id)));
            }
        }
    }
    for case in &manifest.open_errors {
        let first = manifest.crops.first().context("no crops")?;
        let missing = folder.join(&first.path).join("missing");
        let verdict = match ZarrArray::open(&missing) {
            Err(ZarrError::NotFound { .. }) if case.expects("dataset_not_found") => Verdict::Equal,
            other => Verdict::Unexplained(format!("{other:?}")),
        };
        report.add(labelled(verdict, &case.id));
    }
    Ok(report)
}

fn labelled(verdict: Verdict, place: &str) -> Verdict {
    match verdict {
        Verdict::Unexplained(text) => Verdict::Unexplained(format!("{place}: {text}")),
        verdict => verdict,
    }
}

/// A crop as it is opened here, and how its geometry differs from the recorded one.
struct Opened<'a> {
    folder: &'a Path,
    crop: &'a Crop,
    array: Arc<ZarrArray>,
    options: OpenOptions,
    /// The rule under which the geometry differs; none if it is the same.
    difference: Option<&'static str>,
}

impl<'a> Opened<'a> {
    fn new(folder: &'a Path, crop: &'a Crop) -> anyhow::Result<Self> {
        let path = folder.join(&crop.path).join(&crop.dataset);
        // The original takes every translation as a corner.
        let mut options =
            OpenOptions { translation: Some(Convention::Corner), ..OpenOptions::default() };
        let mut difference = None;
        let array = match ZarrArray::open_with(&path, &options) {
            Err(ZarrError::NoGeometry { .. }) => {
                difference = Some("no_silent_voxel_size");
                options.unit_voxels = true;
                ZarrArray::open_with(&path, &options)?
            }
            array => array?,
        };
        let recorded = crop.source.roi.to_roi()?;
        let voxel_size = Coordinate::new(&crop.source.voxel_size)?;
        if array.voxel_size().as_coordinate() != &voxel_size {
            let reversed: Vec<i64> = voxel_size.as_slice().iter().rev().copied().collect();
            if array.voxel_size().as_slice() == reversed
                && array.metadata().memory_order() == zarr_source::MemoryOrder::F
            {
                difference = Some("memory_order_is_not_axis_order");
            }
        } else if array.roi() != &recorded {
            let rounded = recorded.offset()?;
            let moved = array.roi().offset()?.checked_sub(rounded)?.checked_abs()?;
            let by_less_than_a_voxel = moved.iter().zip(&voxel_size).all(|(by, size)| by < size);
            if rounded.is_multiple_of(voxel_size)? && by_less_than_a_voxel {
                difference = Some("exact_offset");
            }
        }
        Ok(Self { folder, crop, array: Arc::new(array), options, difference })
    }

    /// The recorded region in our world: the same voxels, where the geometry differs on purpose.
    fn here(&self, roi: &Roi) -> anyhow::Result<Roi> {
        let theirs = self.crop.source.roi.to_roi()?;
        let same = theirs == *self.array.roi();
        if same || roi.is_unbounded() || roi.dims() != theirs.dims() {
            return Ok(*roi);
        }
        let voxel_size = Coordinate::new(&self.crop.source.voxel_size)?;
        let ours = *self.array.voxel_size().as_coordinate();
        let offset = roi.offset()?.checked_sub(theirs.offset()?)?.floor_div(voxel_size)?;
        let shape = roi.shape()?.floor_div(voxel_size)?.checked_mul(ours)?;
        let offset = self.array.roi().offset()?.checked_add(offset.checked_mul(ours)?)?;
        Ok(Roi::new(offset, shape)?)
    }

    fn compare_facts(&self) -> anyhow::Result<Vec<(&'static str, Verdict)>> {
        let (source, array) = (&self.crop.source, &self.array);
        let mut verdicts = Vec::new();
        let mut check = |what, equal: bool, text: String| {
            let verdict = if equal { Verdict::Equal } else { Verdict::Unexplained(text) };
            verdicts.push((what, verdict));
        };
        let dtype = source.dtype.trim_start_matches(['<', '>', '|']);
        let dtype = match dtype {
            "u2" => "uint16",
            "u4" => "uint32",
            "u8" => "uint64",
            "i2" => "int16",
            "i4" => "int32",
            "i8" => "int64",
            other => other,
        };
        check("dtype", array.dtype().name() == dtype, format!("{}", array.dtype()));
        check("shape", array.shape() == source.shape, format!("{:?}", array.shape()));
        check("axes", array.axes() == source.axes, format!("{:?}", array.axes()));
        check("dims", array.dims() == source.dims, array.dims().to_string());
        let channels = array.num_channels();
        check("num_channels", channels == source.num_channels, format!("{channels:?}"));
        let labels = LabelList::from_attrs(array.attrs())?;
        let missing = labels.map(|labels| labels.missing().iter().copied().collect::<Vec<_>>());
        check("missing", missing == self.crop.present_not_annotated, format!("{missing:?}"));
        let voxels = npy::read(&self.folder.join(&source.data.file))?;
        check("data", integers(&array.data()?)? == voxels, "other voxels".to_owned());

        let groups = Groups::new(vec![annotation_mask::Group::new("any", [1])])?;
        let mask =
            MissingAnnotationsMask::new(Arc::clone(array), &groups, &MaskOptions::default())?;
        let recorded = &self.crop.mask_array;
        check("mask axes", mask.axes() == recorded.axes, format!("{:?}", mask.axes()));
        check("mask dims", mask.dims() == recorded.dims, mask.dims().to_string());
        check("mask writable", mask.writable() == recorded.writable, mask.writable().to_string());
        let declared = mask.dtype().name() == recorded.dtype_declared;
        check("mask dtype", declared, mask.dtype().to_string());
        verdicts.push(("mask dtype returned", returned_dtype(mask.dtype(), recorded)));
        verdicts.push(("place", self.compare_place()?));
        Ok(verdicts)
    }

    fn compare_place(&self) -> anyhow::Result<Verdict> {
        let recorded = self.crop.source.roi.to_roi()?;
        let voxel_size = Coordinate::new(&self.crop.source.voxel_size)?;
        let same =
            recorded == *self.array.roi() && voxel_size == *self.array.voxel_size().as_coordinate();
        Ok(match self.difference {
            Some(rule) => Verdict::Named(rule),
            None if same => Verdict::Equal,
            None => Verdict::Unexplained(format!(
                "{} with voxels of {}, not {recorded} with {voxel_size}",
                self.array.roi(),
                self.array.voxel_size()
            )),
        })
    }
}

fn returned_dtype(ours: DType, recorded: &MaskArray) -> Verdict {
    if ours.name() == recorded.dtype_returned {
        Verdict::Equal
    } else if recorded.dtype_returned == "bool" && ours == DType::U8 {
        Verdict::Named("uint8_as_declared")
    } else {
        Verdict::Unexplained(ours.to_string())
    }
}

/// The values of an integer array in C order.
fn integers(array: &AnyArray) -> anyhow::Result<Vec<i128>> {
    let value = |scalar: array_core::Scalar| scalar.to_integer().context("not an integer");
    for_any!(AnyArray, array, |values| values.iter().map(|&v| value(v.into())).collect())
}
