//! One recorded crop, and what is recorded about its source and its mask.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use annotation_mask::{Groups, LabelList, MaskOptions, MissingAnnotationsMask};
use anyhow::Context;
use array_core::{ArrayExt, DType};
use geometry::{Coordinate, Roi};
use serde_json::{Map, Value};
use zarr_source::{Convention, MemoryOrder, OpenOptions, ZarrArray, ZarrError};

use super::{Crop, MaskArray, RULES, integers};
use crate::conform::attrs;
use crate::conform::npy;
use crate::conform::report::Verdict;

/// A crop as it is opened here, and how its geometry differs from the recorded one.
pub(super) struct Opened<'a> {
    pub(super) folder: &'a Path,
    pub(super) crop: &'a Crop,
    pub(super) array: Arc<ZarrArray>,
    pub(super) options: OpenOptions,
    /// How the geometry compares with the recorded one.
    place: Verdict,
}

impl<'a> Opened<'a> {
    pub(super) fn new(folder: &'a Path, crop: &'a Crop) -> anyhow::Result<Self> {
        let container = folder.join(&crop.path);
        let path = container.join(&crop.dataset);
        // The original takes every translation as a corner.
        let mut options =
            OpenOptions { translation: Some(Convention::Corner), ..OpenOptions::default() };
        let mut refused = None;
        let array = match ZarrArray::open_with(&path, &options) {
            Err(error @ ZarrError::NoGeometry { .. }) => {
                refused = Some(error);
                options.unit_voxels = true;
                ZarrArray::open_with(&path, &options)?
            }
            array => array?,
        };
        let source = &crop.source;
        let around = attrs::Vector::around(
            source.shape.clone(),
            if array.metadata().memory_order() == MemoryOrder::F { "F" } else { "C" },
            &crop.dataset,
            attributes(&path)?.unwrap_or_default(),
            attributes(path.parent().context("an array has a group")?)?,
            attributes(&container)?,
        );
        let recorded = source.roi.to_roi()?;
        let (offset, shape) = (recorded.offset()?, recorded.shape()?);
        let place =
            attrs::Recorded::of_region(&source.voxel_size, offset.as_slice(), shape.as_slice());
        let ours = match refused {
            Some(error) => Err(error),
            None => Ok(attrs::Found::of(&array)?),
        };
        let place = match attrs::compare_place(&around, place, &ours) {
            Some(Verdict::Named(rule)) if RULES.iter().all(|known| known.name != rule) => {
                Verdict::Unexplained(format!("the place differs by {rule}"))
            }
            Some(verdict) => verdict,
            None => Verdict::Unexplained(format!(
                "{} with voxels of {}, not {recorded} with {:?}",
                array.roi(),
                array.voxel_size(),
                source.voxel_size
            )),
        };
        Ok(Self { folder, crop, array: Arc::new(array), options, place })
    }

    /// The recorded region in our world: the same voxels, where the geometry differs on purpose.
    pub(super) fn here(&self, roi: &Roi) -> anyhow::Result<Roi> {
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

    pub(super) fn compare_facts(&self) -> anyhow::Result<Vec<(&'static str, Verdict)>> {
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
        verdicts.push(("place", self.place.clone()));
        Ok(verdicts)
    }
}

/// The attributes of an array or a group, in either version of Zarr.
fn attributes(folder: &Path) -> anyhow::Result<Option<Map<String, Value>>> {
    let read = |name: &str| -> anyhow::Result<Option<Value>> {
        let path = folder.join(name);
        if !path.exists() {
            return Ok(None);
        }
        let value = serde_json::from_slice(&fs::read(&path)?);
        value.map(Some).with_context(|| format!("reading {}", path.display()))
    };
    let found = match read("zarr.json")? {
        Some(metadata) => metadata.get("attributes").cloned(),
        None => read(".zattrs")?,
    };
    Ok(found.and_then(|attributes| attributes.as_object().cloned()))
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
