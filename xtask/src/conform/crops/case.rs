//! One recorded read of a mask and a target.

use std::collections::BTreeSet;
use std::sync::Arc;

use annotation_mask::{
    BinarizeArray, Groups, MaskError, MaskOptions, MissingAnnotationsMask, Rule,
};
use array_core::{Array, ArrayError, ArrayExt};
use geometry::{GeometryError, Roi};
use serde::Deserialize;
use zarr_source::{OpenOptions, ZarrArray};

use super::opened::Opened;
use super::original::{Place, target};
use super::refusal::Refusal;
use super::{Recorded, RecordedRoi, integers};
use crate::conform::npy;
use crate::conform::report::Verdict;

#[derive(Deserialize)]
pub(super) struct Case {
    pub(super) id: String,
    pub(super) groupings: String,
    /// Another container and array than those of the crop.
    pub(super) path: Option<String>,
    pub(super) dataset: Option<String>,
    roi: Option<RecordedRoi>,
    #[serde(default)]
    background: i128,
    #[serde(default)]
    open: Open,
    mask: Answer,
    binarize: Answer,
}

/// How the source was opened.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Open {
    axes: Option<Vec<String>>,
    snap_to_grid: Option<Vec<i64>>,
    crop_roi: Option<RecordedRoi>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Answer {
    Failed { error: Failure },
    Array(Recorded),
}

#[derive(Clone, Deserialize)]
struct Failure {
    class: String,
}

impl Case {
    pub(super) fn expects(&self, class: &str) -> bool {
        let failed =
            |answer: &Answer| matches!(answer, Answer::Failed { error } if error.class == class);
        failed(&self.mask) && failed(&self.binarize)
    }

    pub(super) fn compare(
        &self,
        opened: &Opened<'_>,
        groups: &Groups,
    ) -> anyhow::Result<Vec<(&'static str, Verdict)>> {
        let mask = self.source(opened).and_then(|source| {
            let rule = MaskOptions { rule: Rule::Generic, require_labels: false };
            let groups = groups.clone().with_generic_ids(&[37]);
            let mask: Arc<dyn Array> =
                Arc::new(MissingAnnotationsMask::new(source, &groups, &rule)?);
            Ok(mask)
        });
        let binarized = self.source(opened).and_then(|source| {
            let target: Arc<dyn Array> =
                Arc::new(BinarizeArray::new(source, groups, self.background)?);
            Ok(target)
        });
        let counted = || self.counted(opened, groups);
        Ok(vec![
            ("mask", self.verdict(opened, &self.mask, mask, || Ok(None))?),
            ("binarize", self.verdict(opened, &self.binarize, binarized, counted)?),
        ])
    }

    /// The target in which ids that a group lists twice count twice; none if no group does.
    fn counted(&self, opened: &Opened<'_>, groups: &Groups) -> anyhow::Result<Option<Vec<i128>>> {
        let ids: Vec<Vec<i128>> = groups.as_slice().iter().map(|group| group.ids.clone()).collect();
        let distinct = |ids: &Vec<i128>| ids.iter().collect::<BTreeSet<_>>().len();
        if ids.iter().all(|ids| distinct(ids) == ids.len()) {
            return Ok(None);
        }
        let (_, labels) = self.source(opened).and_then(|source| self.read(opened, &*source))?;
        Ok(Some(target(&labels, &ids, self.background)))
    }

    /// The source as the case opens it.
    fn source(&self, opened: &Opened<'_>) -> Result<Arc<dyn Array>, Refusal> {
        let array = match &self.open.axes {
            None => Arc::clone(&opened.array),
            Some(axes) => {
                let path = opened.array.metadata().path().to_owned();
                let options = OpenOptions { axes: Some(axes.clone()), ..opened.options.clone() };
                Arc::new(ZarrArray::open_with(path, &options).map_err(anyhow::Error::from)?)
            }
        };
        Ok(match &self.open.crop_roi {
            None => array,
            Some(roi) => {
                let roi = opened.here(&roi.to_roi().map_err(Refusal::Region)?)?;
                Arc::new(array.crop(&roi)?)
            }
        })
    }

    fn read(&self, opened: &Opened<'_>, array: &dyn Array) -> Result<Read, Refusal> {
        let roi = match &self.roi {
            Some(roi) => opened.here(&roi.to_roi().map_err(Refusal::Region)?)?,
            None => Roi::unbounded(array.dims()).map_err(Refusal::Region)?,
        };
        read(array, &roi)
    }

    fn verdict(
        &self,
        opened: &Opened<'_>,
        answer: &Answer,
        array: Result<Arc<dyn Array>, Refusal>,
        counted: impl FnOnce() -> anyhow::Result<Option<Vec<i128>>>,
    ) -> anyhow::Result<Verdict> {
        let array = match (array, answer) {
            (Ok(array), _) => array,
            (Err(refusal), Answer::Failed { error }) => {
                return self.compare_errors(opened, &error.class, &refusal);
            }
            (Err(refusal), Answer::Array(_)) => {
                return Ok(Verdict::Unexplained(refusal.to_string()));
            }
        };
        if let Some(verdict) = self.snapped(opened, answer, &*array)? {
            return Ok(verdict);
        }
        Ok(match (answer, self.read(opened, &*array)) {
            (Answer::Failed { error }, Err(refusal)) => {
                self.compare_errors(opened, &error.class, &refusal)?
            }
            (Answer::Failed { error }, Ok((shape, _))) => {
                if self.is_empty_outside(opened, &error.class)? && shape.contains(&0) {
                    Verdict::Named("empty_region_reads_nothing")
                } else {
                    Verdict::Unexplained(format!("read {shape:?}, expected {}", error.class))
                }
            }
            (
                Answer::Array(recorded),
                Err(Refusal::Region(GeometryError::NegativeShape { .. })),
            ) => match self.sliced(opened, &*array)? {
                Some(sliced) if is_recorded(opened, recorded, &sliced)? => {
                    Verdict::Named("negative_shape_refused")
                }
                sliced => Verdict::Unexplained(format!(
                    "a negative shape reads {:?}, but {:?} is recorded",
                    sliced.map(|(shape, _)| shape),
                    recorded.shape
                )),
            },
            (Answer::Array(_), Err(refusal)) => Verdict::Unexplained(refusal.to_string()),
            (Answer::Array(recorded), Ok(ours)) => {
                let expected = npy::read(&opened.folder.join(&recorded.file))?;
                if is_recorded(opened, recorded, &ours)? {
                    Verdict::Equal
                } else if ours.0 == recorded.shape
                    && ours.1 == at_most_once(&expected)
                    && counted()?.as_ref() == Some(&expected)
                {
                    Verdict::Named("listed_twice_counts_once")
                } else {
                    let wrong = ours.1.iter().zip(&expected).filter(|(a, b)| a != b).count();
                    Verdict::Unexplained(format!(
                        "{wrong} of {} voxels differ; shape {:?}, recorded {:?}",
                        expected.len(),
                        ours.0,
                        recorded.shape
                    ))
                }
            }
        })
    }

    /// Compares with what is read after snapping; none where snapping changes nothing.
    fn snapped(
        &self,
        opened: &Opened<'_>,
        answer: &Answer,
        array: &dyn Array,
    ) -> anyhow::Result<Option<Verdict>> {
        let Some(grid) = &self.open.snap_to_grid else { return Ok(None) };
        let source = &opened.crop.source;
        let theirs = source.roi.to_roi()?;
        let place = Place { roi: &theirs, voxel_size: &source.voxel_size };
        let (snapped, moved) = place.snapped(grid)?;
        let asked = match &self.roi {
            Some(roi) => roi.to_roi()?,
            None => snapped,
        };
        if snapped == theirs || asked.dims() != theirs.dims() || self.open.crop_roi.is_some() {
            return Ok(None);
        }
        let inside = snapped.contains_roi(&asked)?;
        let back = geometry::Coordinate::new(&moved)?.checked_neg()?;
        Ok(match answer {
            Answer::Array(recorded) if inside => {
                let before = read(array, &opened.here(&asked.shift(back)?)?)?;
                let same = is_recorded(opened, recorded, &before)?;
                let unmoved = moved.iter().all(|by| *by == 0);
                Some(match (same, unmoved) {
                    (true, true) => Verdict::Equal,
                    (true, false) => Verdict::Named("no_shifting_snap"),
                    (false, _) => Verdict::Unexplained(format!(
                        "other voxels than those that snapping moves by {moved:?}"
                    )),
                })
            }
            Answer::Failed { error } if !inside && error.class == "roi_out_of_bounds" => {
                let hidden = theirs.contains_roi(&asked)? && self.read(opened, array).is_ok();
                hidden.then_some(Verdict::Named("no_shifting_snap"))
            }
            _ => None,
        })
    }

    /// What a Python slice with the offset and shape of the case reads; none if it is not aligned.
    fn sliced(&self, opened: &Opened<'_>, array: &dyn Array) -> anyhow::Result<Option<Read>> {
        let source = &opened.crop.source;
        let theirs = source.roi.to_roi()?;
        let Some(roi) = &self.roi else { return Ok(None) };
        let place = Place { roi: &theirs, voxel_size: &source.voxel_size };
        let Some(slice) = place.slice(&roi.offset, &roi.shape)? else { return Ok(None) };
        Ok(Some(read(array, &opened.here(&slice)?)?))
    }

    /// Whether a region without voxels begins where the original finds nothing.
    fn is_empty_outside(&self, opened: &Opened<'_>, class: &str) -> anyhow::Result<bool> {
        let source = &opened.crop.source;
        let (mut theirs, mut expected) = (source.roi.to_roi()?, "roi_out_of_bounds");
        if let Some(crop) = &self.open.crop_roi {
            (theirs, expected) = (theirs.intersect(&crop.to_roi()?)?, "crop_roi_out_of_bounds");
        }
        let Some(roi) = self.roi.as_ref().filter(|_| class == expected) else { return Ok(false) };
        let place = Place { roi: &theirs, voxel_size: &source.voxel_size };
        Ok(roi.shape.contains(&Some(0)) && !place.holds_corner(&roi.offset)?)
    }

    fn compare_errors(
        &self,
        opened: &Opened<'_>,
        class: &str,
        refusal: &Refusal,
    ) -> anyhow::Result<Verdict> {
        let dims = opened.crop.source.dims;
        let too_few = self.roi.as_ref().is_some_and(|roi| roi.shape.len() < dims);
        Ok(match (class, refusal) {
            (
                "roi_out_of_bounds" | "crop_roi_out_of_bounds",
                Refusal::Array(ArrayError::OutOfBounds { .. }),
            )
            | ("roi_not_aligned", Refusal::Array(ArrayError::NotAligned { .. }))
            | ("roi_dims_mismatch", Refusal::Array(ArrayError::DimsMismatch { .. }))
            | ("source_has_channels", Refusal::Array(ArrayError::SourceHasChannels { .. }))
            | ("labels_malformed", Refusal::Mask(MaskError::LabelsMalformed { .. })) => {
                Verdict::Equal
            }
            ("roi_out_of_bounds", Refusal::Array(ArrayError::DimsMismatch { .. })) if too_few => {
                Verdict::Named("dims_named_first")
            }
            ("roi_out_of_bounds", Refusal::Region(GeometryError::AxisWithoutPlace { .. })) => {
                Verdict::Named("place_needed")
            }
            _ => Verdict::Unexplained(format!("{refusal}, expected {class}")),
        })
    }
}

/// The shape and the values of an array.
type Read = (Vec<usize>, Vec<i128>);

fn read(array: &dyn Array, roi: &Roi) -> Result<Read, Refusal> {
    let values = array.read(roi)?;
    Ok((values.shape().to_vec(), integers(&values)?))
}

/// Whether what was read is in the recorded file.
fn is_recorded(opened: &Opened<'_>, recorded: &Recorded, read: &Read) -> anyhow::Result<bool> {
    let expected = npy::read(&opened.folder.join(&recorded.file))?;
    Ok(read.0 == recorded.shape && read.1 == expected)
}

fn at_most_once(values: &[i128]) -> Vec<i128> {
    values.iter().map(|&value| value.min(1)).collect()
}
