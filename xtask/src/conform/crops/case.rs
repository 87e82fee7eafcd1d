//! One recorded read of a mask and a target.

use std::sync::Arc;

use annotation_mask::{
    BinarizeArray, Groups, MaskError, MaskOptions, MissingAnnotationsMask, Rule,
};
use array_core::{Array, ArrayError, ArrayExt};
use geometry::{GeometryError, Roi};
use serde::Deserialize;
use zarr_source::{OpenOptions, ZarrArray};

use super::{Opened, Recorded, RecordedRoi, integers};
use crate::conform::npy;
use crate::conform::report::Verdict;

#[derive(Deserialize)]
pub(super) struct Case {
    pub(super) id: String,
    pub(super) groupings: String,
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
    snap_to_grid: Option<serde_json::Value>,
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

/// Why no array was read.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Region(GeometryError),
    #[error(transparent)]
    Array(ArrayError),
    #[error(transparent)]
    Mask(MaskError),
    #[error("{0:#}")]
    Other(anyhow::Error),
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

impl From<ArrayError> for Refusal {
    fn from(error: ArrayError) -> Self {
        Self::Array(error)
    }
}

impl From<MaskError> for Refusal {
    fn from(error: MaskError) -> Self {
        match error {
            MaskError::Array(error) => Self::Array(error),
            error => Self::Mask(error),
        }
    }
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
            self.read(opened, &MissingAnnotationsMask::new(source, &groups, &rule)?)
        });
        let target = self.source(opened).and_then(|source| {
            self.read(opened, &BinarizeArray::new(source, groups, self.background)?)
        });
        Ok(vec![
            ("mask", self.verdict(opened, groups, &self.mask, mask)?),
            ("binarize", self.verdict(opened, groups, &self.binarize, target)?),
        ])
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

    fn read(
        &self,
        opened: &Opened<'_>,
        array: &dyn Array,
    ) -> Result<(Vec<usize>, Vec<i128>), Refusal> {
        let roi = match &self.roi {
            Some(roi) => opened.here(&roi.to_roi().map_err(Refusal::Region)?)?,
            None => Roi::unbounded(array.dims()).map_err(Refusal::Region)?,
        };
        let values = array.read(&roi)?;
        Ok((values.shape().to_vec(), integers(&values)?))
    }

    fn verdict(
        &self,
        opened: &Opened<'_>,
        groups: &Groups,
        answer: &Answer,
        ours: Result<(Vec<usize>, Vec<i128>), Refusal>,
    ) -> anyhow::Result<Verdict> {
        let verdict = match (answer, ours) {
            (Answer::Failed { error }, Err(refusal)) => compare_errors(&error.class, &refusal),
            (Answer::Failed { error }, Ok((shape, _))) => {
                if error.class == "roi_out_of_bounds" && shape.contains(&0) {
                    Verdict::Named("empty_region_reads_nothing")
                } else {
                    Verdict::Unexplained(format!("read {shape:?}, expected {}", error.class))
                }
            }
            (Answer::Array(_), Err(Refusal::Region(GeometryError::NegativeShape { .. }))) => {
                Verdict::Named("negative_shape_refused")
            }
            // Only the shift itself is excused: the same region without snapping is a case of its own.
            (Answer::Array(_), _) if self.open.snap_to_grid.is_some() => {
                Verdict::Named("no_shifting_snap")
            }
            (Answer::Array(_), Err(refusal)) => Verdict::Unexplained(refusal.to_string()),
            (Answer::Array(recorded), Ok((shape, values))) => {
                let expected = npy::read(&opened.folder.join(&recorded.file))?;
                if shape != recorded.shape {
                    Verdict::Unexplained(format!("shape {shape:?}, not {:?}", recorded.shape))
                } else if values == expected {
                    Verdict::Equal
                } else if counted_once(&expected) == values && lists_an_id_twice(groups) {
                    Verdict::Named("listed_twice_counts_once")
                } else {
                    let wrong = values.iter().zip(&expected).filter(|(a, b)| a != b).count();
                    Verdict::Unexplained(format!("{wrong} of {} voxels differ", values.len()))
                }
            }
        };
        Ok(verdict)
    }
}

fn counted_once(values: &[i128]) -> Vec<i128> {
    values.iter().map(|&value| value.min(1)).collect()
}

fn lists_an_id_twice(groups: &Groups) -> bool {
    groups.as_slice().iter().any(|group| {
        let ids: std::collections::BTreeSet<_> = group.ids.iter().collect();
        ids.len() < group.ids.len()
    })
}

fn compare_errors(class: &str, refusal: &Refusal) -> Verdict {
    match (class, refusal) {
        (
            "roi_out_of_bounds" | "crop_roi_out_of_bounds",
            Refusal::Array(ArrayError::OutOfBounds { .. }),
        )
        | ("roi_not_aligned", Refusal::Array(ArrayError::NotAligned { .. }))
        | ("roi_dims_mismatch", Refusal::Array(ArrayError::DimsMismatch { .. }))
        | ("source_has_channels", Refusal::Array(ArrayError::SourceHasChannels { .. }))
        | ("labels_malformed", Refusal::Mask(MaskError::LabelsMalformed { .. })) => Verdict::Equal,
        ("roi_out_of_bounds", Refusal::Array(ArrayError::DimsMismatch { .. })) => {
            Verdict::Named("dims_named_first")
        }
        ("roi_out_of_bounds", Refusal::Region(_)) => Verdict::Named("place_needed"),
        _ => Verdict::Unexplained(format!("{refusal}, expected {class}")),
    }
}
