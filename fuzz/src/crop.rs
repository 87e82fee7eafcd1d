//! All that is made of a crop.

use std::sync::Arc;

use annotation_mask::{CropGroup, CropMaskAndTarget, check_crop};
use array_core::{Array, ArrayExt, DType};

use crate::container::is_small;
use crate::tell;

/// Checks a crop, and reads masks and targets of all its classes if they are small.
///
/// # Panics
///
/// If they are not of zeros and ones.
pub fn mask_everything(crop: &CropGroup<Arc<dyn Array>>) {
    let blocks = crop.classes().iter().map(|class| class.array.info());
    if !blocks.into_iter().all(|info| is_small(info.block_shape(), info.dtype().size())) {
        return;
    }
    let groups = match crop.default_groups() {
        Ok(groups) => groups,
        Err(error) => return tell(&error),
    };
    let pair = match CropMaskAndTarget::new(Arc::new(crop.clone()), &groups) {
        Ok(pair) => pair,
        Err(error) => return tell(&error),
    };
    if !is_small(pair.mask().info().shape(), 1) {
        return;
    }
    match check_crop(crop) {
        Ok(report) => assert!(report.findings.iter().all(|finding| !finding.message.is_empty())),
        Err(error) => tell(&error),
    }
    zeros_and_ones(pair.mask());
    zeros_and_ones(pair.target());
}

/// Reads an array that is computed from labels.
///
/// # Panics
///
/// If it is not of zeros and ones.
pub fn zeros_and_ones(array: &dyn Array) {
    assert_eq!(array.info().dtype(), DType::U8);
    match array.read_as::<u8>(array.roi()) {
        Ok(voxels) => assert!(voxels.iter().all(|&voxel| voxel <= 1)),
        Err(error) => tell(&error),
    }
}
